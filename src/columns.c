/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  rows of a directory's tables by column, and checks of trigger calls
 *
 * Users add columns to a directory's tables and drop them again, and dumps
 * close the gaps: columns are found by name, with a guess at the number that
 * makes the common case one comparison.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"

const char *const contact_columns[CONTACT_NCOLUMNS] = {
	"id", "first_name", "last_name", "mononym", "email", "email_status",
	"mobile_phone", "time_zone", "is_vendor", "is_reachable", "is_validated",
	"contact_type", "organization_id", "organization_name", "created_at",
	"updated_at"
};

const char *const identifier_columns[IDENTIFIER_NCOLUMNS] = {
	"id", "contact_id", "semantic_type", "slug", "value", "key", "holder",
	"validated_at", "validation_method", "is_validated", "source",
	"is_outreach", "status", "status_reason", "status_changed_at",
	"created_at"
};

static const char *const state_names[] = {
	"not_opted_in", "opted_in", "unsubscribed", "suppressed"
};

/* What a column must hold; for the extension's own types, their names. */
typedef struct ColumnType
{
	const char *column;
	Oid			type;			/* or the type that a domain is over */
	const char *own_type;
} ColumnType;

static const ColumnType column_types[] = {
	{"address", TEXTOID}, {"at", TIMESTAMPTZOID}, {"body", TEXTOID},
	{"body_format", TEXTOID}, {"diagnostic", TEXTOID}, {"evidence", JSONBOID}, {"kind", TEXTOID},
	{"since", TIMESTAMPTZOID}, {"state", TEXTOID}, {"subject", TEXTOID},
	{"topic_id", INT8OID}, {"provider_id", TEXTOID},
	{"contact_id", INT8OID}, {"contact_type", TEXTOID},
	{"created_at", TIMESTAMPTZOID}, {"default_time_zone", TEXTOID},
	{"description", TEXTOID},
	{"email", InvalidOid, "email"}, {"email_status", TEXTOID},
	{"ended_on", DATEOID}, {"error", TEXTOID}, {"first_name", TEXTOID}, {"holder", INT8OID},
	{"id", INT8OID}, {"inverse_id", INT8OID}, {"inverse_is_single", BOOLOID},
	{"inverse_label", TEXTOID}, {"inverse_name", TEXTOID},
	{"inverse_type_id", INT8OID}, {"is_archived", BOOLOID},
	{"is_contactable", BOOLOID}, {"is_exclusive", BOOLOID},
	{"is_household", BOOLOID}, {"is_mirror", BOOLOID}, {"is_moving", BOOLOID},
	{"is_outreach", BOOLOID}, {"is_primary", BOOLOID},
	{"is_reachable", BOOLOID}, {"is_single", BOOLOID},
	{"is_symmetric", BOOLOID}, {"is_validated", BOOLOID},
	{"is_vendor", BOOLOID}, {"key", UUIDOID}, {"key_column", NAMEOID},
	{"label", TEXTOID}, {"last_name", TEXTOID},
	{"leased_until", TIMESTAMPTZOID},
	{"mobile_phone", InvalidOid, "phone"}, {"mononym", BOOLOID},
	{"name", TEXTOID}, {"name_rule", TEXTOID}, {"note", TEXTOID},
	{"object_type_id", INT8OID}, {"organization_id", INT8OID},
	{"organization_name", TEXTOID}, {"other_id", INT8OID},
	{"record_id", INT8OID},
	{"record_uuid", UUIDOID}, {"related_contact_id", INT8OID},
	{"relation", InvalidOid, "relation"}, {"relationship_type_id", INT8OID},
	{"role", TEXTOID}, {"secret_fingerprint", BYTEAOID}, {"semantic_type", TEXTOID},
	{"slug", TEXTOID}, {"source", TEXTOID}, {"source_type_id", INT8OID},
	{"started_on", DATEOID}, {"status", TEXTOID},
	{"status_changed_at", TIMESTAMPTZOID}, {"status_reason", TEXTOID},
	{"time_zone", TEXTOID}, {"updated_at", TIMESTAMPTZOID},
	{"validated_at", TIMESTAMPTZOID}, {"validation_method", TEXTOID},
	{"value", TEXTOID}, {"value", BYTEAOID}, {"value_type", TEXTOID},
	{"verifier", TEXTOID}
};

/* Sets of columns whose types have been found right; the hash holds these. */
typedef struct CheckedColumns
{
	Oid			relid;
	int32		ncols;
	const char *const *names;	/* static, so its address is its name */
} CheckedColumns;

static HTAB *checked_columns = NULL;

/* A table changed: its columns are looked at again. */
static void
forget_checked(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	CheckedColumns *entry;

	hash_seq_init(&seq, checked_columns);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		if (!OidIsValid(relid) || entry->relid == relid)
			hash_search(checked_columns, entry, HASH_REMOVE, NULL);
	}
}

/* Have these columns been found right, or, by HASH_ENTER, note that they are. */
static bool
are_checked(Relation rel, const char *const *names, int ncols,
			HASHACTION action)
{
	CheckedColumns key;
	bool		found;

	if (checked_columns == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(CheckedColumns);
		ctl.entrysize = sizeof(CheckedColumns);
		checked_columns = hash_create("contacts columns", 64, &ctl,
									  HASH_ELEM | HASH_BLOBS);
		CacheRegisterRelcacheCallback(forget_checked, (Datum) 0);
	}
	memset(&key, 0, sizeof(key));
	key.relid = RelationGetRelid(rel);
	key.ncols = ncols;
	key.names = names;
	hash_search(checked_columns, &key, action, &found);
	return found;
}

/* Is type what the column must hold? */
static bool
is_column_type(const ColumnType *expected, Oid type)
{
	Oid			nspid;

	if (expected->own_type == NULL)
		return getBaseType(type) == expected->type;
	nspid = get_namespace_oid("contacts", false);
	return type == GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
								   CStringGetDatum(expected->own_type),
								   ObjectIdGetDatum(nspid));
}

/*
 * Values are taken for what the columns of a directory hold, so an owner who
 * altered a column's type must not get any further.
 */
static void
check_column_type(Relation rel, Form_pg_attribute att)
{
	int			i;

	for (i = 0; i < lengthof(column_types); i++)
	{
		if (strcmp(column_types[i].column, NameStr(att->attname)) == 0 &&
			is_column_type(&column_types[i], att->atttypid))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("column \"%s\" of table \"%s\" has the wrong type",
					NameStr(att->attname), RelationGetRelationName(rel)),
			 errdetail("The tables of a contact directory keep the types of their columns."),
			 errtablecol(rel, att->attnum)));
}

/* The number of the column of that name, looked for from guess on. */
static AttrNumber
find_column(Relation rel, const char *name, int guess)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc,
											  (guess + i) % desc->natts);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att->attnum;
	}
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" has no column \"%s\"",
					RelationGetRelationName(rel), name),
			 errdetail("The triggers of contacts belong on the tables of a contact directory."),
			 errtable(rel)));
	return InvalidAttrNumber;
}

/*
 * Find columns by name, dropped columns and other orders allowed for; 39P01 if
 * one is missing or of another type than a directory's.  Names in the table's
 * order are found at once; types are looked at once per change of the table.
 */
void
find_columns(Relation rel, const char *const *names, int ncols,
			 AttrNumber *attnums)
{
	int			guess = 0;
	int			i;

	for (i = 0; i < ncols; i++)
	{
		attnums[i] = find_column(rel, names[i], guess);
		guess = attnums[i];		/* the next column's zero-based number */
	}

	if (are_checked(rel, names, ncols, HASH_FIND))
		return;
	for (i = 0; i < ncols; i++)
		check_column_type(rel, TupleDescAttr(RelationGetDescr(rel),
											 attnums[i] - 1));
	are_checked(rel, names, ncols, HASH_ENTER);
}

/* Raise 39P01 if the table lacks a column or has it in another type. */
void
check_columns(Relation rel, const char *const *names, int ncols)
{
	AttrNumber	attnums[IDENTIFIER_NCOLUMNS];

	Assert(ncols <= lengthof(attnums));
	if (!are_checked(rel, names, ncols, HASH_FIND))
		find_columns(rel, names, ncols, attnums);
}

/* Take the tuple apart; the row's values point into it. */
void
row_read(Row *row, Relation rel, HeapTuple tuple,
		 const char *const *names, int ncols)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	int			i;

	row->rel = rel;
	row->tuple = tuple;
	row->ncols = ncols;
	find_columns(rel, names, ncols, row->attnums);
	heap_deform_tuple(tuple, desc, values, nulls);
	for (i = 0; i < ncols; i++)
	{
		row->values[i] = values[row->attnums[i] - 1];
		row->nulls[i] = nulls[row->attnums[i] - 1];
		row->changed[i] = false;
	}
	pfree(values);
	pfree(nulls);
}

/* Refuse a NULL where the directory's tables, as they were made, have none. */
void
row_require(const Row *row, int column)
{
	if (row->nulls[column])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("table \"%s\" holds a null that a contact directory has not",
						RelationGetRelationName(row->rel)),
				 errhint("See contacts.check_directory()."),
				 errtablecol(row->rel, row->attnums[column])));
}

/* The server must know the zone, when it is written: zones come and go. */
void
row_check_time_zone(const Row *new, const Row *old, int column)
{
	char	   *name;

	if (new->nulls[column] ||
		(old != NULL && !row_text_differs(old, new, column)))
		return;
	name = TextDatumGetCString(new->values[column]);
	if (pg_tzset(name) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("The view pg_timezone_names lists the zones."),
				 errtablecol(new->rel, new->attnums[column])));
	pfree(name);
}

void
row_set(Row *row, int column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
	row->changed[column] = true;
}

void
row_set_null(Row *row, int column)
{
	if (row->nulls[column])
		return;
	row->nulls[column] = true;
	row->values[column] = (Datum) 0;
	row->changed[column] = true;
}

void
row_set_bool(Row *row, int column, bool value)
{
	if (row->nulls[column] || DatumGetBool(row->values[column]) != value)
		row_set(row, column, BoolGetDatum(value));
}

/* Take a column over from another row of the same table. */
void
row_copy(Row *row, const Row *from, int column)
{
	if (from->nulls[column])
		row_set_null(row, column);
	else
		row_set(row, column, from->values[column]);
}

/* The value of a boolean column; NULL is false. */
bool
row_bool(const Row *row, int column)
{
	return !row->nulls[column] && DatumGetBool(row->values[column]);
}

/* The value, or (Datum) 0 for NULL, which no varlena or pointer is. */
Datum
row_value_or_null(const Row *row, int column)
{
	return row->nulls[column] ? (Datum) 0 : row->values[column];
}

/* The consent state in a column. */
ConsentState
row_state(const Row *row, int column)
{
	return parse_state(row->values[column], row->nulls[column]);
}

bool
row_text_is(const Row *row, int column, const char *text)
{
	return !row->nulls[column] && text_is(row->values[column], text);
}

/* Is the column, a varlena, distinct in the two rows? */
bool
row_text_differs(const Row *a, const Row *b, int column)
{
	if (a->nulls[column] || b->nulls[column])
		return a->nulls[column] != b->nulls[column];
	return !texts_equal(a->values[column], b->values[column]);
}

/* Is the column, passed by value, distinct in the two rows? */
bool
row_bytes_differ(const Row *a, const Row *b, int column)
{
	if (a->nulls[column] || b->nulls[column])
		return a->nulls[column] != b->nulls[column];
	return a->values[column] != b->values[column];
}

/* Is the column, a uuid, distinct in the two rows? */
bool
row_uuid_differs(const Row *a, const Row *b, int column)
{
	if (a->nulls[column] || b->nulls[column])
		return a->nulls[column] != b->nulls[column];
	return memcmp(DatumGetPointer(a->values[column]),
				  DatumGetPointer(b->values[column]), UUID_LEN) != 0;
}

/* The row as a tuple, with the columns that were set. */
HeapTuple
row_tuple(Row *row)
{
	int			cols[IDENTIFIER_NCOLUMNS];
	Datum		values[IDENTIFIER_NCOLUMNS];
	bool		nulls[IDENTIFIER_NCOLUMNS];
	int			n = 0;
	int			i;

	for (i = 0; i < row->ncols; i++)
	{
		if (!row->changed[i])
			continue;
		cols[n] = row->attnums[i];
		values[n] = row->values[i];
		nulls[n] = row->nulls[i];
		n++;
	}
	if (n == 0)
		return row->tuple;
	return heap_modify_tuple_by_cols(row->tuple, RelationGetDescr(row->rel),
									 n, cols, values, nulls);
}

/* Refuse, with 22023, what a caller wrongly gave as a table identifier. */
void
require_identifier(Relation rel)
{
	if (strcmp(RelationGetRelationName(rel), "identifier") != 0 ||
		rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not the table identifier of a contact directory",
						RelationGetRelationName(rel)),
				 errtable(rel)));
}

/*
 * The caller has the right on the table or its column, else 42501.  To be asked
 * before the table is locked: who has no right must not hold others up.
 */
void
require_column_privilege(Oid relid, const char *column, AclMode mode)
{
	AttrNumber	attnum = get_attnum(relid, column);

	if (pg_class_aclcheck(relid, GetUserId(), mode) != ACLCHECK_OK &&
		(attnum == InvalidAttrNumber ||
		 pg_attribute_aclcheck(relid, attnum, GetUserId(),
							   mode) != ACLCHECK_OK))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
}

/*
 * May the caller of the statement read the whole table?  Not where row security
 * hides rows.  For errors of maintenance, which runs as the owner: they must
 * not tell what the caller could not look up.
 */
bool
caller_may_read(Oid relid)
{
	return pg_class_aclcheck(relid, GetOuterUserId(),
							 ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, GetOuterUserId(), true) != RLS_ENABLED;
}

/* Is the varlena value these bytes? */
bool
text_is(Datum value, const char *text)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(value);
	size_t		len = strlen(text);

	return VARSIZE_ANY_EXHDR(t) == len && memcmp(VARDATA_ANY(t), text, len) == 0;
}

/* Are the two varlena values the same bytes? */
bool
texts_equal(Datum a, Datum b)
{
	struct varlena *s = PG_DETOAST_DATUM_PACKED(a);
	struct varlena *t = PG_DETOAST_DATUM_PACKED(b);

	return VARSIZE_ANY_EXHDR(s) == VARSIZE_ANY_EXHDR(t) &&
		memcmp(VARDATA_ANY(s), VARDATA_ANY(t), VARSIZE_ANY_EXHDR(s)) == 0;
}

/* Is the text empty or nothing but ASCII white space? */
bool
is_blank(Datum value)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(value);
	const char *p = VARDATA_ANY(t);
	const char *end = p + VARSIZE_ANY_EXHDR(t);

	while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		p++;
	return p == end;
}

/* The state that a text of the domain consent_state means. */
ConsentState
parse_state(Datum value, bool isnull)
{
	int			state;

	if (isnull)
		return STATE_NONE;
	for (state = 0; state < lengthof(state_names); state++)
	{
		if (text_is(value, state_names[state]))
			return (ConsentState) state;
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"%s\" is no consent state", TextDatumGetCString(value))));
	return STATE_NONE;
}

/* The text of a state. */
Datum
state_text(ConsentState state)
{
	Assert(state >= 0 && state < lengthof(state_names));
	return CStringGetTextDatum(state_names[state]);
}

/* The CALL_ flags of a trigger event. */
static int
call_flags(TriggerEvent event)
{
	int			flags = 0;

	flags |= TRIGGER_FIRED_BEFORE(event) ? CALL_BEFORE : 0;
	flags |= TRIGGER_FIRED_AFTER(event) ? CALL_AFTER : 0;
	flags |= TRIGGER_FIRED_FOR_ROW(event) ? CALL_ROW : CALL_STATEMENT;
	flags |= TRIGGER_FIRED_BY_INSERT(event) ? CALL_INSERT : 0;
	flags |= TRIGGER_FIRED_BY_UPDATE(event) ? CALL_UPDATE : 0;
	flags |= TRIGGER_FIRED_BY_DELETE(event) ? CALL_DELETE : 0;
	flags |= TRIGGER_FIRED_BY_TRUNCATE(event) ? CALL_TRUNCATE : 0;
	return flags;
}

/*
 * Refuse, with 39P01, any call but as a trigger with the timing, level and
 * event that calls allows; return the call's data.
 */
TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *name, int calls)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	int			flags;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"contacts.%s\" is called as a trigger only",
						name)));
	flags = call_flags(trigdata->tg_event);
	if ((flags & ~calls) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"contacts.%s\" is not made for trigger \"%s\"",
						name, trigdata->tg_trigger->tgname),
				 errhint("contacts.attach_triggers() makes the triggers of a directory."),
				 errtable(trigdata->tg_relation)));
	return trigdata;
}
