/*-------------------------------------------------------------------------
 *
 * mirror_insert.c
 *	  mirrors written straight into relationship
 *
 * The foreign keys of a mirror are those of the link it mirrors, which have
 * been checked, or will be, in the same statement: the contacts are the same,
 * the types are a pair, and relationship_derive() has copied both sides of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "direct_insert.h"
#include "mirror_insert.h"

static const int given[] = {
	RELATIONSHIP_ID, RELATIONSHIP_TYPE_ID, RELATIONSHIP_CONTACT_ID,
	RELATIONSHIP_RELATED_CONTACT_ID, RELATIONSHIP_RECORD_ID,
	RELATIONSHIP_RECORD_UUID, RELATIONSHIP_STARTED_ON, RELATIONSHIP_ENDED_ON,
	RELATIONSHIP_NOTE, RELATIONSHIP_IS_PRIMARY, RELATIONSHIP_IS_MIRROR,
	RELATIONSHIP_INVERSE_TYPE_ID, RELATIONSHIP_IS_SINGLE,
	RELATIONSHIP_INVERSE_IS_SINGLE, RELATIONSHIP_IS_MOVING,
	RELATIONSHIP_CREATED_AT
};

static const int optional[] = {
	RELATIONSHIP_RECORD_ID, RELATIONSHIP_RECORD_UUID, RELATIONSHIP_STARTED_ON,
	RELATIONSHIP_ENDED_ON, RELATIONSHIP_NOTE
};

static const char *const checks[] = {
	"relationship_leads_to_one", "relationship_is_not_to_self",
	"relationship_ends_after_start", "relationship_id_has_a_sign",
	"relationship_is_mirror", "relationship_mirror_leads_to_contact"
};

/* Is the foreign key one that holds for a mirror if it holds for the link? */
static bool
is_own_foreign_key(Relation rel, const ForeignKeyCacheInfo *fk)
{
	Oid			nspid = RelationGetNamespace(rel);

	if (fk->confrelid == get_relname_relid("contact", nspid))
		return fk->nkeys == 1 &&
			(fk->conkey[0] == get_attnum(fk->conrelid, "contact_id") ||
			 fk->conkey[0] == get_attnum(fk->conrelid, "related_contact_id"));
	return fk->confrelid == get_relname_relid("relationship_type", nspid) &&
		fk->nkeys == 4 &&
		fk->conkey[0] == get_attnum(fk->conrelid, "relationship_type_id") &&
		fk->conkey[1] == get_attnum(fk->conrelid, "inverse_type_id") &&
		fk->conkey[2] == get_attnum(fk->conrelid, "is_single") &&
		fk->conkey[3] == get_attnum(fk->conrelid, "inverse_is_single");
}

static const DirectTable mirrors_table = {
	relationship_columns, RELATIONSHIP_NCOLUMNS, given, lengthof(given),
	optional, lengthof(optional), checks, lengthof(checks), is_own_foreign_key
};

/* May mirrors be written into the table directly? */
bool
can_insert_mirrors(Relation rel)
{
	return can_insert_directly(rel, &mirrors_table);
}

/* Mirrors in the order of the index that contacts are read by. */
static int
compare_links(const void *a, const void *b)
{
	const Link *x = a;
	const Link *y = b;

	if (x->related_contact_id != y->related_contact_id)
		return x->related_contact_id < y->related_contact_id ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Fill the row that shows the link from the other side. */
static void
put_mirror(DirectInsert *ins, const Link *link)
{
	direct_begin_row(ins);
	direct_put(ins, RELATIONSHIP_ID, Int64GetDatum(-link->id));
	direct_put(ins, RELATIONSHIP_TYPE_ID,
			   Int64GetDatum(link->inverse_type_id));
	direct_put(ins, RELATIONSHIP_CONTACT_ID,
			   Int64GetDatum(link->related_contact_id));
	direct_put(ins, RELATIONSHIP_RELATED_CONTACT_ID,
			   Int64GetDatum(link->contact_id));
	if (link->has_start)
		direct_put(ins, RELATIONSHIP_STARTED_ON, link->started_on);
	if (link->has_end)
		direct_put(ins, RELATIONSHIP_ENDED_ON, link->ended_on);
	if (link->note != (Datum) 0)
		direct_put(ins, RELATIONSHIP_NOTE, link->note);
	direct_put(ins, RELATIONSHIP_IS_PRIMARY, BoolGetDatum(link->is_primary));
	direct_put(ins, RELATIONSHIP_IS_MIRROR, BoolGetDatum(true));
	direct_put(ins, RELATIONSHIP_INVERSE_TYPE_ID,
			   Int64GetDatum(link->type_id));
	direct_put(ins, RELATIONSHIP_IS_SINGLE,
			   BoolGetDatum(link->inverse_is_single));
	direct_put(ins, RELATIONSHIP_INVERSE_IS_SINGLE,
			   BoolGetDatum(link->is_single));
	direct_put(ins, RELATIONSHIP_IS_MOVING, BoolGetDatum(false));
	direct_put(ins, RELATIONSHIP_CREATED_AT, link->created_at);
}

/* Insert the mirrors of the links, as the owner of the table (R2). */
void
insert_mirrors_directly(Directory *dir, Relation rel, Link *links, int n)
{
	DirectInsert *ins = direct_begin(dir, rel, &mirrors_table);
	int			i;

	if (n > 1)
		qsort(links, n, sizeof(Link), compare_links);
	for (i = 0; i < n; i++)
	{
		put_mirror(ins, &links[i]);
		direct_insert(ins);
	}
	direct_end(ins);
}
