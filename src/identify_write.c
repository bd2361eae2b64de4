/*-------------------------------------------------------------------------
 *
 * identify_write.c
 *	  contacts that identify() makes, what it attaches and fills
 *
 * Rows are written with the caller's rights, as plain statements; those of new
 * contacts straight into the table where that comes to the same.  Locks are
 * taken in the order in which all who write addresses take them: contact.email,
 * then emails by key, then other values by key.  So rows that are written in
 * different ways are written in turns, each as far as the order allows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
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
	"INSERT INTO @contact@ (id, email, mobile_phone)"
	" SELECT n.id, n.email::contacts.email, n.phone::contacts.phone FROM @rows@"
	" RETURNING id",
	3, {INT8OID, TEXTOID, TEXTOID}, "id, email, phone", true
};

#define DESCRIBED_COLUMNS \
	"id, email, mobile_phone, first_name, last_name, mononym, titles," \
	" home_phone, business_phone, time_zone, is_vendor, organization_id," \
	" archived_at, last_seen_at"
#define DESCRIBED_VALUES \
	"n.id, n.email::contacts.email, n.phone::contacts.phone, a.first_name," \
	" a.last_name, coalesce(a.mononym, false), a.titles, a.home_phone," \
	" a.business_phone, a.time_zone, coalesce(a.is_vendor, false)," \
	" a.organization_id, a.archived_at, a.last_seen_at"

static const DirectoryQuery insert_described = {
	"INSERT INTO @contact@ (" DESCRIBED_COLUMNS ") SELECT " DESCRIBED_VALUES
	" FROM @rows@ CROSS JOIN LATERAL " ATTRIBUTES " RETURNING id",
	4, {INT8OID, TEXTOID, TEXTOID, JSONBOID}, "id, email, phone, attributes",
	true
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

/* A name is filled where it fits. */
#define FILL_NAME(column) \
	column " = CASE WHEN n.overwrite THEN coalesce(a." column ", c." column ")" \
	" WHEN " NAME_FITS " THEN coalesce(c." column ", a." column ")" \
	" ELSE c." column " END"

static const DirectoryQuery fill_contact = {
	"UPDATE ONLY @contact@ c SET " FILL_NAME("first_name")
	", " FILL_NAME("last_name")
	", mononym = CASE WHEN n.overwrite THEN coalesce(a.mononym, c.mononym)"
	"  ELSE c.mononym OR " GETS_MONONYM " IS TRUE END"
	", " FILL("titles") ", " FILL("home_phone") ", " FILL("business_phone")
	", " FILL("time_zone") ", " FILL("is_vendor") ", " FILL("organization_id")
	", " FILL("archived_at") ", " FILL("last_seen_at")
	" FROM @rows@ CROSS JOIN LATERAL " ATTRIBUTES
	" WHERE c.id OPERATOR(pg_catalog.=) n.id AND (" WANTS_ATTRIBUTES ")",
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
	int			cmp = (c->email != NULL) - (d->email != NULL);

	if (cmp == 0 && c->email != NULL)
		cmp = memcmp(c->email->key.data, d->email->key.data, UUID_LEN);
	if (cmp == 0)
		cmp = c->set < d->set ? -1 : c->set > d->set;
	return cmp;
}

/*
 * Draw ids for the sets that will or may make a contact, in their order, from
 * what column id of contact gets by default; no right on a sequence is needed
 * for that of an identity column, as for an INSERT.
 */
static void
draw_some(Identification *id, PersonSet **sets, int n)
{
	Relation	rel = id->dir.contact;
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), "id");
	Node	   *expr = build_column_default(rel, attnum);
	EState	   *estate = CreateExecutorState();
	ExprState  *state;
	bool		isnull = false;
	int			i;

	if (expr == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"id\" of table \"%s\" has no default",
						RelationGetRelationName(rel)),
				 errtablecol(rel, attnum)));
	state = ExecPrepareExpr((Expr *) expr, estate);
	for (i = 0; i < n; i++)
		sets[i]->new_id =
			DatumGetInt64(ExecEvalExpr(state, GetPerTupleExprContext(estate),
									   &isnull));
	FreeExecutorState(estate);
}

/* Draw ids for the sets that nobody was found for. */
void
draw_ids(Identification *id)
{
	PersonSet **sets = palloc(sizeof(PersonSet *) * (id->nsets + 1));
	int			n = 0;
	int			i;

	for (i = 0; i < id->nsets; i++)
	{
		PersonSet  *set = &id->sets[i];

		set->new_id = 0;
		if (set->plan == SET_NEW ||
			(set->plan == SET_ODD && set->nholders == 0 && !set->will_find))
			sets[n++] = set;
	}
	if (n > 0)
		draw_some(id, sets, n);
}

/* The table contact, as statements name it. */
static char *
contact_name(Identification *id)
{
	return quote_qualified_identifier(get_namespace_name(id->dir.nspid),
									  RelationGetRelationName(id->dir.contact));
}

/*
 * Append the columns of users that the set gives to a list: their names behind
 * the prefix, with their types or without.
 */
static void
append_others(StringInfo sql, Identification *id, const PersonSet *set,
			  const char *prefix, bool is_typed)
{
	Oid			relid = RelationGetRelid(id->dir.contact);
	int			i;

	for (i = 0; i < set->nothers; i++)
	{
		Oid			type;
		int32		typmod;
		Oid			collation;

		appendStringInfo(sql, "%s%s%s",
						 sql->data[sql->len - 1] == '(' ? "" : ", ", prefix,
						 quote_identifier(set->others[i]));
		if (!is_typed)
			continue;
		get_atttypetypmodcoll(relid, get_attnum(relid, set->others[i]),
							  &type, &typmod, &collation);
		appendStringInfo(sql, " %s",
						 format_type_extended(type, typmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
}

/*
 * Insert the contacts of a batch for insert_described, whose sets all give the
 * columns of users that this one gives; such columns that are not named get
 * their defaults.
 */
static uint64
insert_with_others(Identification *id, Batch *batch, const PersonSet *set)
{
	Oid			types[4] = {
		INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID
	};
	Datum		values[4];
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s (" DESCRIBED_COLUMNS,
					 contact_name(id));
	append_others(&sql, id, set, "", false);
	appendStringInfoString(&sql, ") SELECT " DESCRIBED_VALUES);
	append_others(&sql, id, set, "a.", false);
	appendStringInfoString(&sql, " FROM ROWS FROM (pg_catalog.unnest($1),"
						   " pg_catalog.unnest($2), pg_catalog.unnest($3),"
						   " pg_catalog.unnest($4)) AS n(id, email, phone,"
						   " attributes) CROSS JOIN LATERAL"
						   " pg_catalog.jsonb_to_record(n.attributes) AS a("
						   ATTRIBUTE_TYPES);
	append_others(&sql, id, set, "", true);
	appendStringInfoString(&sql, ") RETURNING id");
	for (i = 0; i < 4; i++)
		values[i] = batch_column(batch, i);
	if (SPI_execute_with_args(sql.data, 4, types, values, NULL, false,
							  0) != SPI_OK_INSERT_RETURNING)
		elog(ERROR, "could not run \"%s\"", sql.data);
	return SPI_processed;
}

/* Do the sets give the same columns of users? */
static bool
same_others(const PersonSet *a, const PersonSet *b)
{
	int			i;

	if (a->nothers != b->nothers)
		return false;
	for (i = 0; i < a->nothers; i++)
	{
		if (strcmp(a->others[i], b->others[i]) != 0)
			return false;
	}
	return true;
}

/* Insert contacts that have the same columns. */
static void
insert_contacts(Identification *id, NewContact *contacts, int n,
				bool is_described)
{
	Batch	   *batch = batch_create(is_described ? &insert_described :
									 &insert_bare, n);
	Datum		nothing = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	const PersonSet *first = contacts[0].set;
	uint64		inserted;
	int			i;

	for (i = 0; i < n; i++)
	{
		const NewContact *c = &contacts[i];
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		values[0] = Int64GetDatum(c->set->new_id);
		nulls[1] = c->email == NULL;
		values[1] = nulls[1] ? (Datum) 0 : c->email->value;
		nulls[2] = c->phone == NULL;
		values[2] = nulls[2] ? (Datum) 0 : c->phone->value;
		values[3] = c->set->has_attributes ? c->set->attributes : nothing;
		batch_add(batch, values, nulls);
	}
	inserted = first->nothers > 0 ? insert_with_others(id, batch, first) :
		batch_run(&id->dir, batch);
	if (inserted != (uint64) n)
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

/*
 * Insert all contacts in the order of their emails' keys, by one statement
 * where they give the same columns of users.
 */
static void
insert_all_contacts(Identification *id, NewContact *contacts, int n)
{
	bool		is_described = false;
	int			first = 0;
	int			i;

	qsort(contacts, n, sizeof(NewContact), compare_new_contacts);
	for (i = 0; i < n; i++)
		is_described = is_described || contacts[i].set->has_attributes;
	for (i = 1; i <= n; i++)
	{
		if (i < n && same_others(contacts[first].set, contacts[i].set))
			continue;
		insert_contacts(id, contacts + first, i - first, is_described);
		first = i;
	}
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

/* May the row be written directly: main, or unlabelled and left by nobody? */
static bool
is_plain(const NewIdentifier *row)
{
	return !row->seen->has_row && row->slug == NULL &&
		!row->seen->type->is_contactable;
}

/* Insert identifiers directly.  False if one met a row. */
static bool
insert_directly(Identification *id, const NewIdentifier *rows, int n)
{
	Claim	   *claims = palloc0(sizeof(Claim) * (n + 1));
	int			i;

	for (i = 0; i < n; i++)
	{
		Claim	   *claim = &claims[i];

		claim->contact_id = rows[i].contact_id;
		claim->type = rows[i].seen->type;
		claim->value = rows[i].seen->value;
		claim->key = rows[i].seen->key;
		claim->is_unlabelled = !rows[i].is_main;
		claim->status = claim->type->is_exclusive ?
			STATE_NOT_OPTED_IN : STATE_NONE;
	}
	return insert_claims_directly(&id->dir, claims, n) == 0;
}

/*
 * Insert further identifiers of new contacts in the order of their keys, those
 * directly that are plain.  False if one met a row.
 */
static bool
insert_further(Identification *id, NewIdentifier *rows, int n)
{
	bool		is_direct = n > 0 && may_insert_directly(id);
	int			first = 0;
	int			i;

	qsort(rows, n, sizeof(NewIdentifier), compare_new_identifiers);
	for (i = 1; i <= n; i++)
	{
		if (i < n && (!is_direct || is_plain(&rows[first]) == is_plain(&rows[i])))
			continue;
		if (!is_direct || !is_plain(&rows[first]))
			insert_by_statement(id, rows + first, i - first);
		else if (!insert_directly(id, rows + first, i - first))
			return false;
		first = i;
	}
	return true;
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
	int			nseen = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		contacts[i].set = &id->sets[sets[i]];
		contacts[i].email = main_of(contacts[i].set, "email");
		contacts[i].phone = main_of(contacts[i].set, "phone");
		if (contacts[i].set->new_id == 0)
			draw_some(id, &contacts[i].set, 1);
		nseen += contacts[i].set->nseen;
	}
	insert_all_contacts(id, contacts, n);
	rows = palloc(sizeof(NewIdentifier) * (nseen + 1));
	return insert_further(id, rows, collect_further(contacts, n, rows));
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
	Oid			types[2] = {INT8OID, JSONBOID};
	Datum		values[2];
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE ONLY %s c SET ", contact_name(id));
	for (i = 0; i < set->nothers; i++)
	{
		const char *name = quote_identifier(set->others[i]);

		appendStringInfo(&sql, id->overwrite ? "%s%s = a.%s" :
						 "%s%s = coalesce(c.%s, a.%s)",
						 i == 0 ? "" : ", ", name, name, name);
	}
	appendStringInfoString(&sql, " FROM pg_catalog.jsonb_to_record($2) AS a(");
	append_others(&sql, id, set, "", true);
	appendStringInfo(&sql, ") WHERE c.id OPERATOR(pg_catalog.=) $1 AND (%s",
					 id->overwrite ? "true" : "false");
	for (i = 0; i < set->nothers && !id->overwrite; i++)
		appendStringInfo(&sql, " OR c.%s IS NULL",
						 quote_identifier(set->others[i]));
	appendStringInfoString(&sql, ")");
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
	Batch	   *batch = batch_create(&fill_contact, 1);
	Datum		values[3];

	if (!set->has_attributes)
		return;
	values[0] = Int64GetDatum(set->contact_id);
	values[1] = set->attributes;
	values[2] = BoolGetDatum(id->overwrite);
	batch_add(batch, values, NULL);
	(void) batch_run(&id->dir, batch);
	if (set->nothers > 0)
		fill_others(id, set);
}
