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
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"

const Column contact_columns[CONTACT_NCOLUMNS] = {
	{"id", INT8OID}, {"first_name", TEXTOID}, {"last_name", TEXTOID},
	{"mononym", BOOLOID}, {"email", TEXTOID}, {"email_status", TEXTOID},
	{"mobile_phone", TEXTOID}, {"time_zone", TEXTOID}, {"is_vendor", BOOLOID},
	{"is_reachable", BOOLOID}, {"is_validated", BOOLOID},
	{"contact_type", TEXTOID}, {"organization_id", INT8OID},
	{"organization_name", TEXTOID}, {"created_at", TIMESTAMPTZOID},
	{"updated_at", TIMESTAMPTZOID}
};

const Column identifier_columns[IDENTIFIER_NCOLUMNS] = {
	{"id", INT8OID}, {"contact_id", INT8OID}, {"semantic_type", TEXTOID},
	{"slug", TEXTOID}, {"value", TEXTOID}, {"key", UUIDOID},
	{"holder", INT8OID}, {"validated_at", TIMESTAMPTZOID},
	{"validation_method", TEXTOID}, {"is_validated", BOOLOID},
	{"source", TEXTOID}, {"is_outreach", BOOLOID}, {"status", TEXTOID},
	{"status_reason", TEXTOID}, {"status_changed_at", TIMESTAMPTZOID},
	{"created_at", TIMESTAMPTZOID}
};

static const char *const state_names[] = {
	"not_opted_in", "opted_in", "unsubscribed", "suppressed"
};

/* Are the column's values those of the type, or of a string type for text? */
static bool
has_type(Form_pg_attribute att, Oid type)
{
	char		category;
	bool		is_preferred;

	if (att->atttypid == type)
		return true;
	if (type != TEXTOID)
		return getBaseType(att->atttypid) == type;
	get_type_category_preferred(att->atttypid, &category, &is_preferred);
	return category == TYPCATEGORY_STRING && att->attlen == -1;
}

/* The number of the column of that name, looked for from guess on. */
static AttrNumber
find_column(Relation rel, const Column *column, int guess)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc,
											  (guess + i) % desc->natts);

		if (att->attisdropped ||
			strcmp(NameStr(att->attname), column->name) != 0)
			continue;
		if (!has_type(att, column->type))
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("column \"%s\" of table \"%s\" has type %s",
							column->name, RelationGetRelationName(rel),
							format_type_be(att->atttypid)),
					 errdetail("A contact directory has %s there.",
							   format_type_be(column->type)),
					 errtablecol(rel, att->attnum)));
		return att->attnum;
	}
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" has no column \"%s\"",
					RelationGetRelationName(rel), column->name),
			 errdetail("The triggers of contacts belong on the tables of a contact directory."),
			 errtable(rel)));
	return InvalidAttrNumber;
}

/*
 * Find columns by name, dropped columns and other orders allowed for; 39P01 if
 * one is missing or of another type, whose values would be taken for what they
 * are not.  Names in the table's order are found at once.
 */
void
find_columns(Relation rel, const Column *columns, int ncols,
			 AttrNumber *attnums)
{
	int			guess = 0;
	int			i;

	for (i = 0; i < ncols; i++)
	{
		attnums[i] = find_column(rel, &columns[i], guess);
		guess = attnums[i];		/* the next column's zero-based number */
	}
}

/* Take the tuple apart; the row's values point into it. */
void
row_read(Row *row, Relation rel, HeapTuple tuple,
		 const Column *columns, int ncols)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	int			i;

	row->rel = rel;
	row->tuple = tuple;
	row->ncols = ncols;
	find_columns(rel, columns, ncols, row->attnums);
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
