/*-------------------------------------------------------------------------
 *
 * identify_write.c
 *	  contacts that identify() makes, what it attaches and fills
 *
 * Rows are written with the caller's rights, as plain statements; those of new
 * contacts straight into the table where that comes to the same.  Locks are
 * taken in the order in which all who write addresses take them: contact.email,
 * then emails by key, then other values by key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "compat.h"
#include "claim.h"
#include "claim_insert.h"
#include "columns.h"
#include "identify.h"

static const DirectoryQuery insert_bare = {
	"INSERT INTO @contact@ (email, mobile_phone)"
	" SELECT n.email::contacts.email, n.phone::contacts.phone FROM @rows@"
	" RETURNING id",
	2, {TEXTOID, TEXTOID}, "email, phone", true
};

static const DirectoryQuery insert_described = {
	"INSERT INTO @contact@ (email, mobile_phone, first_name, last_name,"
	" mononym, titles, home_phone, business_phone, time_zone, is_vendor,"
	" organization_id, archived_at, last_seen_at)"
	" SELECT n.email::contacts.email, n.phone::contacts.phone, a.first_name,"
	" a.last_name, coalesce(a.mononym, false), a.titles, a.home_phone,"
	" a.business_phone, a.time_zone, coalesce(a.is_vendor, false),"
	" a.organization_id, a.archived_at, a.last_seen_at"
	" FROM @rows@ CROSS JOIN LATERAL pg_catalog.jsonb_populate_record("
	"  NULL::@contact@, n.attributes) a RETURNING id",
	3, {TEXTOID, TEXTOID, JSONBOID}, "email, phone, attributes", true
};

static const DirectoryQuery insert_identifiers = {
	"INSERT INTO @identifier@ (contact_id, semantic_type, slug, value)"
	" SELECT n.contact_id, n.semantic_type, n.slug, n.value FROM @rows@",
	4, {INT8OID, TEXTOID, TEXTOID, TEXTOID},
	"contact_id, semantic_type, slug, value", true
};

/* What is there stays, or is replaced; what is not given stays. */
#define FILL(column) \
	column " = CASE WHEN n.overwrite THEN coalesce(a." column ", c." column ")" \
	" ELSE coalesce(c." column ", a." column ") END"

static const DirectoryQuery fill_contact = {
	"UPDATE ONLY @contact@ c SET " FILL("first_name") ", " FILL("last_name")
	", " FILL("mononym") ", " FILL("titles") ", " FILL("home_phone")
	", " FILL("business_phone") ", " FILL("time_zone") ", " FILL("is_vendor")
	", " FILL("organization_id") ", " FILL("archived_at")
	", " FILL("last_seen_at")
	" FROM @rows@ CROSS JOIN LATERAL pg_catalog.jsonb_populate_record("
	"  NULL::@contact@, n.attributes) a"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id",
	3, {INT8OID, JSONBOID, BOOLOID}, "id, attributes, overwrite", true
};

/* A set whose contact is made, with the identifiers that it begins with. */
typedef struct NewContact
{
	PersonSet  *set;
	Seen	   *email;
	Seen	   *phone;
} NewContact;

/* An identifier to be inserted. */
typedef struct NewIdentifier
{
	Seen	   *seen;
	int64		contact_id;
	const char *slug;			/* NULL: main where free, else none */
	bool		is_main;		/* known to get main */
} NewIdentifier;

/* The main identifier of that kind: what says so, else the first unlabelled. */
static Seen *
main_of(PersonSet *set, const char *type)
{
	Seen	   *found = NULL;
	int			i;

	for (i = 0; i < set->nseen; i++)
	{
		Seen	   *seen = &set->seen[i];

		if (strcmp(seen->type->name, type) != 0)
			continue;
		if (seen->slug != NULL && strcmp(seen->slug, "main") == 0)
			return seen;
		if (seen->slug == NULL && found == NULL)
			found = seen;
	}
	return found;
}

static int
compare_new_contacts(const void *a, const void *b)
{
	const NewContact *c = a;
	const NewContact *d = b;
	int			cmp;

	if (c->set->has_attributes != d->set->has_attributes)
		return c->set->has_attributes ? 1 : -1;
	if (c->email == NULL || d->email == NULL)
		return (c->email != NULL) - (d->email != NULL);
	cmp = memcmp(c->email->key.data, d->email->key.data, UUID_LEN);
	return cmp;
}

/* Insert contacts, all with attributes or all without. */
static void
insert_contacts(Identification *id, NewContact *contacts, int n)
{
	bool		is_described = n > 0 && contacts[0].set->has_attributes;
	Batch	   *batch = batch_create(is_described ? &insert_described :
									 &insert_bare, n);
	int			i;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		nulls[0] = contacts[i].email == NULL;
		values[0] = nulls[0] ? (Datum) 0 : contacts[i].email->value;
		nulls[1] = contacts[i].phone == NULL;
		values[1] = nulls[1] ? (Datum) 0 : contacts[i].phone->value;
		values[2] = contacts[i].set->attributes;
		batch_add(batch, values, nulls);
	}
	if (batch_run(&id->dir, batch) != (uint64) n)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("contacts could not be inserted"),
				 errhint("A trigger on table \"%s\" drops the rows.",
						 RelationGetRelationName(id->dir.contact)),
				 errtable(id->dir.contact)));
	for (i = 0; i < n; i++)
	{
		bool		isnull;

		contacts[i].set->contact_id =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1, &isnull));
		contacts[i].set->outcome = OUTCOME_CREATED;
		add_locked(id, contacts[i].set->contact_id);
	}
	SPI_freetuptable(SPI_tuptable);
}

static int
compare_new_identifiers(const void *a, const void *b)
{
	const Seen *s = ((const NewIdentifier *) a)->seen;
	const Seen *t = ((const NewIdentifier *) b)->seen;
	bool		is_email = s->type->value_type == VALUE_EMAIL;

	if (is_email != (t->type->value_type == VALUE_EMAIL))
		return is_email ? -1 : 1;
	return memcmp(s->key.data, t->key.data, UUID_LEN);
}

/* Insert identifiers by a statement, which fires triggers. */
static void
insert_by_statement(Identification *id, NewIdentifier *rows, int n)
{
	Batch	   *batch = batch_create(&insert_identifiers, n);
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		values[0] = Int64GetDatum(rows[i].contact_id);
		values[1] = CStringGetTextDatum(rows[i].seen->type->name);
		nulls[2] = rows[i].slug == NULL;
		values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(rows[i].slug);
		values[3] = rows[i].seen->value;
		batch_add(batch, values, nulls);
	}
	(void) batch_run(&id->dir, batch);
}

/* May the caller's rows be written past the statement and its checks? */
static bool
may_insert_directly(Identification *id)
{
	Oid			relid = RelationGetRelid(id->dir.identifier);

	return can_insert_claims(&id->dir) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

/*
 * Insert further identifiers of new contacts: main ones and unlabelled ones
 * that nobody has left behind directly.  False if one met a row.
 */
static bool
insert_further(Identification *id, NewIdentifier *rows, int n)
{
	bool		is_direct = n > 0 && may_insert_directly(id);
	Claim	   *claims = palloc0(sizeof(Claim) * (n + 1));
	int			nclaims = 0;
	int			nrest = 0;
	int			i;

	qsort(rows, n, sizeof(NewIdentifier), compare_new_identifiers);
	for (i = 0; i < n; i++)
	{
		Claim	   *claim = &claims[nclaims];

		if (!is_direct || rows[i].seen->has_row || rows[i].slug != NULL ||
			rows[i].seen->type->is_contactable)
		{
			rows[nrest++] = rows[i];
			continue;
		}
		claim->contact_id = rows[i].contact_id;
		claim->type = rows[i].seen->type;
		claim->value = rows[i].seen->value;
		claim->key = rows[i].seen->key;
		claim->is_unlabelled = !rows[i].is_main;
		claim->status = claim->type->is_exclusive ?
			STATE_NOT_OPTED_IN : STATE_NONE;
		nclaims++;
	}
	insert_by_statement(id, rows, nrest);
	return nclaims == 0 ||
		insert_claims_directly(&id->dir, claims, nclaims) == 0;
}

/* Is it the first of its kind in the set, where none is labelled main? */
static bool
gets_main(PersonSet *set, int n)
{
	return main_of(set, set->seen[n].type->name) == &set->seen[n];
}

/* The identifiers that the contacts do not have yet. */
static int
collect_further(NewContact *contacts, int n, NewIdentifier *rows)
{
	int			nrows = 0;
	int			i;
	int			j;

	for (i = 0; i < n; i++)
	{
		PersonSet  *set = contacts[i].set;

		for (j = 0; j < set->nseen; j++)
		{
			Seen	   *seen = &set->seen[j];
			NewIdentifier *row = &rows[nrows];

			if (seen == contacts[i].email || seen == contacts[i].phone)
				continue;
			row->seen = seen;
			row->contact_id = set->contact_id;
			row->is_main = gets_main(set, j);
			row->slug = row->is_main ? NULL : seen->slug;
			nrows++;
		}
	}
	return nrows;
}

/*
 * Make a contact of each of the sets, whose identifiers nobody holds.  False if
 * somebody does by now.
 */
bool
create_contacts(Identification *id, const int *sets, int n)
{
	NewContact *contacts = palloc(sizeof(NewContact) * (n + 1));
	NewIdentifier *rows;
	int			ndescribed = 0;
	int			nseen = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		contacts[i].set = &id->sets[sets[i]];
		contacts[i].email = main_of(contacts[i].set, "email");
		contacts[i].phone = main_of(contacts[i].set, "phone");
		ndescribed += contacts[i].set->has_attributes;
		nseen += contacts[i].set->nseen;
	}
	qsort(contacts, n, sizeof(NewContact), compare_new_contacts);
	insert_contacts(id, contacts, n - ndescribed);
	insert_contacts(id, contacts + n - ndescribed, ndescribed);
	rows = palloc(sizeof(NewIdentifier) * (nseen + 1));
	if (!insert_further(id, rows, collect_further(contacts, n, rows)))
		return false;
	for (i = 0; i < n; i++)
	{
		if (contacts[i].set->has_other_attributes)
			fill_attributes(id, contacts[i].set);
	}
	return true;
}

/*
 * Give the set's contact, which is locked, the identifiers of the set that it
 * lacks.  A shared value whose label is taken gets none.
 */
void
attach_missing(Identification *id, PersonSet *set)
{
	NewIdentifier *rows = palloc(sizeof(NewIdentifier) * set->nseen);
	int			n = 0;
	int			i;

	for (i = 0; i < set->nseen; i++)
	{
		if (is_held(&set->seen[i], set->contact_id))
			continue;
		rows[n].seen = &set->seen[i];
		rows[n].contact_id = set->contact_id;
		rows[n].slug = set->seen[i].slug;
		n++;
	}
	qsort(rows, n, sizeof(NewIdentifier), compare_new_identifiers);
	/* one by one: the first of a kind takes the label main, if it is free */
	for (i = 0; i < n; i++)
		insert_by_statement(id, &rows[i], 1);
}

/* Fill columns of users, or overwrite them. */
static void
fill_others(Identification *id, PersonSet *set)
{
	char	   *contact = quote_qualified_identifier(get_namespace_name(id->dir.nspid),
													 RelationGetRelationName(id->dir.contact));
	Oid			types[2] = {INT8OID, JSONBOID};
	Datum		values[2];
	StringInfoData sql;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	const char *separator = "";

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE ONLY %s c SET ", contact);
	it = JsonbIteratorInit(&DatumGetJsonbP(set->attributes)->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		const char *name;

		if (token != WJB_KEY)
			continue;
		name = quote_identifier(pnstrdup(v.val.string.val, v.val.string.len));
		appendStringInfo(&sql, "%s%s = coalesce(%s.%s, %s.%s)", separator, name,
						 id->overwrite ? "a" : "c", name,
						 id->overwrite ? "c" : "a", name);
		separator = ", ";
	}
	appendStringInfo(&sql, " FROM pg_catalog.jsonb_populate_record(NULL::%s, $2) a"
					 " WHERE c.id OPERATOR(pg_catalog.=) $1", contact);
	values[0] = Int64GetDatum(set->contact_id);
	values[1] = set->attributes;
	if (SPI_execute_with_args(sql.data, 2, types, values, NULL, false,
							  0) != SPI_OK_UPDATE)
		elog(ERROR, "could not run \"%s\"", sql.data);
}

/* Fill what the set's contact, which is locked, lacks of the attributes. */
void
fill_attributes(Identification *id, PersonSet *set)
{
	Batch	   *batch;
	Datum		values[3];

	if (!set->has_attributes)
		return;
	if (set->has_other_attributes)
	{
		fill_others(id, set);
		return;
	}
	batch = batch_create(&fill_contact, 1);
	values[0] = Int64GetDatum(set->contact_id);
	values[1] = set->attributes;
	values[2] = BoolGetDatum(id->overwrite);
	batch_add(batch, values, NULL);
	(void) batch_run(&id->dir, batch);
}
