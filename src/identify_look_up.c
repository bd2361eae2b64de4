/*-------------------------------------------------------------------------
 *
 * identify_look_up.c
 *	  what the directory knows of the identifiers of sets, set-based
 *
 * Look-ups run as the owner of the directory and see what is committed now.
 * Under REPEATABLE READ and SERIALIZABLE that must be what the transaction
 * sees, else it fails with 40001.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "identify.h"

/*
 * Lateral queries of their own, that each row is looked for by the index: a
 * plan that was made while the tables were empty outlives that.
 */
#define LOOK_UP \
	"SELECT n.n, i.contact_id, i.slug, i.id FROM @rows@" \
	" LEFT JOIN LATERAL (SELECT i.contact_id, i.slug, i.id" \
	"  FROM ONLY @identifier@ i WHERE i.key OPERATOR(pg_catalog.=) n.key" \
	"  AND i.holder OPERATOR(pg_catalog.=) n.holder LIMIT 1) i ON true"

/* Rows of exclusive values, and of shared ones that a contact holds. */
static const DirectoryQuery look_up = {
	LOOK_UP, 3, {INT4OID, UUIDOID, INT8OID}, "n, key, holder"
};

/* The same with the transaction's snapshot; run as the owner. */
static const DirectoryQuery look_up_seen = {
	LOOK_UP, 3, {INT4OID, UUIDOID, INT8OID}, "n, key, holder", true
};

/* Who holds shared values. */
static const DirectoryQuery look_up_sharers = {
	"SELECT n.n, i.contact_id FROM @rows@ CROSS JOIN LATERAL"
	" (SELECT i.contact_id FROM ONLY @identifier@ i"
	"  WHERE i.key OPERATOR(pg_catalog.=) n.key"
	"  AND i.holder OPERATOR(pg_catalog.>) 0::pg_catalog.int8 OFFSET 0) i",
	2, {INT4OID, UUIDOID}, "n, key"
};

/* Contacts that would take some of the attributes. */
static const DirectoryQuery look_up_wanting = {
	"SELECT n.n FROM @rows@ CROSS JOIN LATERAL (SELECT c.* FROM ONLY @contact@ c"
	"  WHERE c.id OPERATOR(pg_catalog.=) n.id OFFSET 0) c"
	" CROSS JOIN LATERAL " ATTRIBUTES " WHERE " WANTS_ATTRIBUTES,
	4, {INT4OID, INT8OID, JSONBOID, BOOLOID}, "n, id, attributes, overwrite"
};

/* The identifiers of some sets, one after another. */
typedef struct SeenList
{
	Seen	  **seen;
	int			n;
} SeenList;

static bool
decides(const PersonSet *set, const Seen *seen)
{
	return seen->type->is_exclusive == set->is_exclusive;
}

/* Does the contact hold the identifier? */
bool
is_held(const Seen *seen, int64 contact_id)
{
	return seen->has_row && seen->contact_id == contact_id;
}

static void
add_holder(PersonSet *set, int64 contact_id)
{
	int			i;

	/* few hold what is exclusive, but a number may be everybody's */
	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < set->nholders; i++)
	{
		if (set->holders[i] == contact_id)
			return;
	}
	set->holders = set->holders == NULL ? palloc(sizeof(int64)) :
		repalloc(set->holders, sizeof(int64) * (set->nholders + 1));
	set->holders[set->nholders++] = contact_id;
}

/* The batch that looks the identifiers up. */
static Batch *
look_up_batch(const DirectoryQuery *query, SeenList *list, PersonSet *sets)
{
	Batch	   *batch = batch_create(query, list->n);
	int			i;

	for (i = 0; i < list->n; i++)
	{
		Seen	   *seen = list->seen[i];
		Datum		values[3];

		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&seen->key);
		values[2] = Int64GetDatum(seen->type->is_exclusive ? 0 :
								  sets[seen->set].holders[0]);
		batch_add(batch, values, NULL);
	}
	return batch;
}

/* Note who holds the identifiers that the batch found. */
static void
note_found(SeenList *list, uint64 found)
{
	SPITupleTable *rows = SPI_tuptable;
	uint64		row;

	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = rows->vals[row];
		bool		isnull;
		Seen	   *seen;
		Datum		value;

		seen = list->seen[DatumGetInt32(SPI_getbinval(tuple, rows->tupdesc, 1,
													  &isnull))];
		(void) SPI_getbinval(tuple, rows->tupdesc, 4, &isnull);
		if (isnull)
			continue;
		seen->has_row = true;
		value = SPI_getbinval(tuple, rows->tupdesc, 2, &isnull);
		seen->contact_id = isnull ? 0 : DatumGetInt64(value);
		if (seen->slug == NULL)
			continue;
		value = SPI_getbinval(tuple, rows->tupdesc, 3, &isnull);
		seen->held_slug = isnull ? NULL : TextDatumGetCString(value);
	}
	if (found > 0)
		SPI_freetuptable(rows);
}

/* Does the transaction's snapshot show what is committed now? */
static bool
is_same_in_snapshot(Identification *id, SeenList *list, Batch *batch)
{
	bool		result = true;
	Oid			save_userid;
	int			save_sec_context;
	uint64		found;
	uint64		row;

	become_owner(&id->dir, &save_userid, &save_sec_context);
	batch->query = &look_up_seen;
	found = batch_run(&id->dir, batch);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		n = SPI_getbinval(tuple, desc, 1, &isnull);
		Datum		contact = SPI_getbinval(tuple, desc, 2, &isnull);
		Seen	   *seen = list->seen[DatumGetInt32(n)];

		result = result &&
			seen->contact_id == (isnull ? 0 : DatumGetInt64(contact));
		(void) SPI_getbinval(tuple, desc, 4, &isnull);
		result = result && seen->has_row == !isnull;
	}
	return result;
}

/* Look the identifiers up, each by its key and the holder that it would have. */
static void
look_up_rows(Identification *id, SeenList *list)
{
	Batch	   *batch;

	if (list->n == 0)
		return;
	batch = look_up_batch(&look_up, list, id->sets);
	note_found(list, batch_run(&id->dir, batch));
	if (IsolationUsesXactSnapshot() && !is_same_in_snapshot(id, list, batch))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errtable(id->dir.identifier)));
}

/* Look up who holds the shared values of sets that have no others. */
static void
look_up_shared_holders(Identification *id, int first, int n, SeenList *list)
{
	Batch	   *batch;
	uint64		found;
	uint64		row;
	int			i;
	int			j;

	list->n = 0;
	for (i = first; i < first + n; i++)
	{
		for (j = 0; !id->sets[i].is_exclusive && j < id->sets[i].nseen; j++)
			list->seen[list->n++] = &id->sets[i].seen[j];
	}
	if (list->n == 0)
		return;
	batch = batch_create(&look_up_sharers, list->n);
	for (i = 0; i < list->n; i++)
	{
		Datum		values[2];

		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&list->seen[i]->key);
		batch_add(batch, values, NULL);
	}
	found = batch_run(&id->dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Seen	   *seen;

		Datum		holder;

		seen = list->seen[DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull))];
		holder = SPI_getbinval(tuple, desc, 2, &isnull);
		if (!isnull)
			add_holder(&id->sets[seen->set], DatumGetInt64(holder));
	}
}

/* Collect the identifiers that decide, or those that do not. */
static void
collect_seen(Identification *id, int first, int n, bool that_decide,
			 SeenList *list)
{
	int			i;
	int			j;

	list->n = 0;
	for (i = first; i < first + n; i++)
	{
		PersonSet  *set = &id->sets[i];

		for (j = 0; j < set->nseen; j++)
		{
			/* the rest belongs to the one holder, if there is one */
			if (that_decide ? set->is_exclusive && decides(set, &set->seen[j]) :
				set->nholders == 1 && !set->seen[j].type->is_exclusive)
				list->seen[list->n++] = &set->seen[j];
		}
	}
}

/* Which contacts would take attributes? */
static void
look_up_attributes(Identification *id, int first, int n)
{
	Batch	   *batch = batch_create(&look_up_wanting, n);
	uint64		found;
	uint64		row;
	int			i;

	for (i = first; i < first + n; i++)
	{
		PersonSet  *set = &id->sets[i];
		Datum		values[4];

		if (!set->has_attributes || set->nholders != 1)
			continue;
		set->is_incomplete = set->is_incomplete || set->nothers > 0;
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(set->holders[0]);
		values[2] = set->attributes;
		values[3] = BoolGetDatum(id->overwrite);
		batch_add(batch, values, NULL);
	}
	found = batch_run(&id->dir, batch);
	for (row = 0; row < found; row++)
	{
		bool		isnull;
		Datum		i_datum = SPI_getbinval(SPI_tuptable->vals[row],
											SPI_tuptable->tupdesc, 1, &isnull);

		id->sets[DatumGetInt32(i_datum)].is_incomplete = true;
	}
}

/* Does the one holder lack an identifier of the set, or its label? */
static void
compare_identifiers(PersonSet *set)
{
	int			i;

	for (i = 0; set->nholders == 1 && i < set->nseen; i++)
	{
		const Seen *seen = &set->seen[i];

		if (!is_held(seen, set->holders[0]) ||
			(seen->slug != NULL &&
			 (seen->held_slug == NULL ||
			  strcmp(seen->slug, seen->held_slug) != 0)))
			set->is_incomplete = true;
	}
}

/*
 * Look up n sets from the first on: who holds what decides, and whether a
 * single holder has all of the rest.
 */
void
look_up_sets(Identification *id, int first, int n)
{
	SeenList	list;
	int			total = 0;
	int			i;
	int			j;

	for (i = first; i < first + n; i++)
	{
		PersonSet  *set = &id->sets[i];

		set->nholders = 0;
		set->holders = NULL;
		set->is_incomplete = false;
		total += set->nseen;
		for (j = 0; j < set->nseen; j++)
		{
			set->seen[j].has_row = false;
			set->seen[j].contact_id = 0;
		}
	}
	list.seen = palloc(sizeof(Seen *) * (total + 1));
	collect_seen(id, first, n, true, &list);
	look_up_rows(id, &list);
	for (i = 0; i < list.n; i++)
	{
		if (list.seen[i]->contact_id != 0)
			add_holder(&id->sets[list.seen[i]->set], list.seen[i]->contact_id);
	}
	look_up_shared_holders(id, first, n, &list);
	collect_seen(id, first, n, false, &list);
	look_up_rows(id, &list);
	for (i = first; i < first + n; i++)
		compare_identifiers(&id->sets[i]);
	look_up_attributes(id, first, n);
}
