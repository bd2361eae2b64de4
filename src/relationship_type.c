/*-------------------------------------------------------------------------
 *
 * relationship_type.c
 *	  a type and its inverse: two rows that are one (rule R1)
 *
 * Each row speaks for its own side: its name, its label, how many links its
 * near side may have.  What a client changes on one row, from either side, is
 * carried over to the other; only what changed is, so that saving a whole row,
 * or both rows in one statement, does what it looks like.
 *
 * Writers of the types of a directory wait for each other from the start of
 * the statement on, so that two sessions that make, rename or remove the two
 * sides of a pair neither deadlock nor miss each other.  Writers of links do
 * not wait: they hold a key share lock on the row of their type, and changes
 * that links have a say in lock both rows against that before they look.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "columns.h"
#include "plan_cache.h"

static const char *const type_columns[] = {
	"id", "name", "label", "inverse_id", "inverse_name", "inverse_label",
	"is_symmetric", "source_type_id", "object_type_id", "is_single",
	"inverse_is_single", "is_household", "description", "is_archived"
};
enum
{
	TYPE_ID, TYPE_NAME, TYPE_LABEL, TYPE_INVERSE_ID, TYPE_INVERSE_NAME,
	TYPE_INVERSE_LABEL, TYPE_IS_SYMMETRIC, TYPE_SOURCE_TYPE_ID,
	TYPE_OBJECT_TYPE_ID, TYPE_IS_SINGLE, TYPE_INVERSE_IS_SINGLE,
	TYPE_IS_HOUSEHOLD, TYPE_DESCRIPTION, TYPE_IS_ARCHIVED, TYPE_NCOLUMNS
};

/* Where the type of the object type contact is meant. */
#define CONTACT_TYPE_ID 1

/* The row that is the inverse of a type of these names, if it may be that. */
static const DirectoryQuery find_inverse = {
	"SELECT o.id FROM ONLY @relationship_type@ o"
	" WHERE o.name OPERATOR(pg_catalog.=) $2"
	" AND o.inverse_name OPERATOR(pg_catalog.=) $1"
	" AND o.id OPERATOR(pg_catalog.<>) $3"
	" AND o.source_type_id OPERATOR(pg_catalog.=) $5"
	" AND o.object_type_id OPERATOR(pg_catalog.=) $4"
	" AND (o.inverse_id IS NULL OR o.inverse_id OPERATOR(pg_catalog.=) $3"
	"  OR NOT EXISTS (SELECT 1 FROM ONLY @relationship_type@ x"
	"   WHERE x.id OPERATOR(pg_catalog.=) o.inverse_id))",
	5, {TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID}, NULL
};

static const DirectoryQuery lock_pair = {
	"SELECT 1 FROM ONLY @relationship_type@"
	" WHERE id OPERATOR(pg_catalog.=) ANY (ARRAY[$1, $2]) FOR UPDATE",
	2, {INT8OID, INT8OID}, NULL
};

static const DirectoryQuery find_links = {
	"SELECT 1 FROM ONLY @relationship@"
	" WHERE relationship_type_id OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY[$1, $2]) LIMIT 1",
	2, {INT8OID, INT8OID}, NULL
};

/* Who has several links of a type that have not ended: how many, and ten. */
static const DirectoryQuery crowded_contacts = {
	"SELECT pg_catalog.count(*),"
	" pg_catalog.string_agg(s.who::pg_catalog.text, ', ' ORDER BY s.n)"
	"  FILTER (WHERE s.n OPERATOR(pg_catalog.<=) 10)"
	" FROM (SELECT r.contact_id AS who,"
	"   pg_catalog.row_number() OVER (ORDER BY r.contact_id) AS n"
	"  FROM ONLY @relationship@ r"
	"  WHERE r.relationship_type_id OPERATOR(pg_catalog.=) $1"
	"  AND r.ended_on IS NULL"
	"  GROUP BY r.contact_id"
	"  HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) s",
	1, {INT8OID}, NULL
};

static const DirectoryQuery crowded_records = {
	"SELECT pg_catalog.count(*), pg_catalog.string_agg("
	"  coalesce(s.record_id::pg_catalog.text, s.record_uuid::pg_catalog.text),"
	"  ', ' ORDER BY s.n) FILTER (WHERE s.n OPERATOR(pg_catalog.<=) 10)"
	" FROM (SELECT r.record_id, r.record_uuid, pg_catalog.row_number()"
	"   OVER (ORDER BY r.record_id, r.record_uuid) AS n"
	"  FROM ONLY @relationship@ r"
	"  WHERE r.relationship_type_id OPERATOR(pg_catalog.=) $1"
	"  AND r.ended_on IS NULL"
	"  GROUP BY r.record_id, r.record_uuid"
	"  HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) s",
	1, {INT8OID}, NULL
};

static const DirectoryQuery insert_inverse = {
	"INSERT INTO @relationship_type@ (name, label, inverse_name,"
	" inverse_label, source_type_id, object_type_id, is_single,"
	" inverse_is_single, is_household, description, is_archived)"
	" SELECT t.inverse_name, t.inverse_label, t.name,"
	" t.label, t.object_type_id, t.source_type_id, t.inverse_is_single,"
	" t.is_single, t.is_household, t.description, t.is_archived"
	" FROM ONLY @relationship_type@ t"
	" WHERE t.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

/* The trigger looks the inverse up; it only has to fire. */
static const DirectoryQuery pair_row = {
	"UPDATE ONLY @relationship_type@ SET inverse_id = NULL"
	" WHERE id OPERATOR(pg_catalog.=) $1 AND (inverse_id IS NULL"
	"  OR inverse_id OPERATOR(pg_catalog.<>) $2)",
	2, {INT8OID, INT8OID}, NULL
};

/* Two rows become a pair: each keeps its own side, $1 what they share. */
static const DirectoryQuery join_pair = {
	"UPDATE ONLY @relationship_type@ t SET inverse_label = o.label,"
	" inverse_is_single = o.is_single, is_household = f.is_household,"
	" description = f.description, is_archived = f.is_archived"
	" FROM ONLY @relationship_type@ o, ONLY @relationship_type@ f"
	" WHERE t.id OPERATOR(pg_catalog.=) ANY (ARRAY[$1, $2])"
	" AND o.id OPERATOR(pg_catalog.=) t.inverse_id"
	" AND f.id OPERATOR(pg_catalog.=) $1 AND NOT ("
	"  t.inverse_label OPERATOR(pg_catalog.=) o.label"
	"  AND t.inverse_is_single OPERATOR(pg_catalog.=) o.is_single"
	"  AND t.is_household OPERATOR(pg_catalog.=) f.is_household"
	"  AND coalesce(t.description, '') OPERATOR(pg_catalog.=)"
	"   coalesce(f.description, '')"
	"  AND t.is_archived OPERATOR(pg_catalog.=) f.is_archived)",
	2, {INT8OID, INT8OID}, NULL
};

/* A row that became its own inverse needs the one that it had no more. */
static const DirectoryQuery delete_inverse = {
	"DELETE FROM ONLY @relationship_type@"
	" WHERE id OPERATOR(pg_catalog.=) $1"
	" AND inverse_id OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, INT8OID}, NULL
};

/*
 * Carry over to the inverse what the row is now, where it changed.  First names
 * and cardinalities, of the near side ($2, $3) and the far one: they are keys,
 * for whose change links are waited for.
 */
static const DirectoryQuery carry_keys = {
	"UPDATE ONLY @relationship_type@ o SET"
	" inverse_name = CASE WHEN $2 THEN t.name ELSE o.inverse_name END,"
	" inverse_is_single = CASE WHEN $3 THEN t.is_single"
	"  ELSE o.inverse_is_single END,"
	" name = CASE WHEN $4 THEN t.inverse_name ELSE o.name END,"
	" is_single = CASE WHEN $5 THEN t.inverse_is_single"
	"  ELSE o.is_single END"
	" FROM ONLY @relationship_type@ t"
	" WHERE t.id OPERATOR(pg_catalog.=) $1"
	" AND o.id OPERATOR(pg_catalog.=) t.inverse_id"
	" AND o.id OPERATOR(pg_catalog.<>) t.id AND NOT ("
	"  o.inverse_name OPERATOR(pg_catalog.=) t.name"
	"  AND o.inverse_is_single OPERATOR(pg_catalog.=) t.is_single"
	"  AND o.name OPERATOR(pg_catalog.=) t.inverse_name"
	"  AND o.is_single OPERATOR(pg_catalog.=) t.inverse_is_single)",
	5, {INT8OID, BOOLOID, BOOLOID, BOOLOID, BOOLOID}, NULL
};

/* Then the labels ($2, $3), the objects ($4) and what both sides share ($5). */
static const DirectoryQuery carry_rest = {
	"UPDATE ONLY @relationship_type@ o SET"
	" inverse_label = CASE WHEN $2 THEN t.label ELSE o.inverse_label END,"
	" label = CASE WHEN $3 THEN t.inverse_label ELSE o.label END,"
	" source_type_id = CASE WHEN $4 THEN t.object_type_id"
	"  ELSE o.source_type_id END,"
	" object_type_id = CASE WHEN $4 THEN t.source_type_id"
	"  ELSE o.object_type_id END,"
	" is_household = CASE WHEN $5 THEN t.is_household"
	"  ELSE o.is_household END,"
	" description = CASE WHEN $5 THEN t.description ELSE o.description END,"
	" is_archived = CASE WHEN $5 THEN t.is_archived ELSE o.is_archived END"
	" FROM ONLY @relationship_type@ t"
	" WHERE t.id OPERATOR(pg_catalog.=) $1"
	" AND o.id OPERATOR(pg_catalog.=) t.inverse_id"
	" AND o.id OPERATOR(pg_catalog.<>) t.id AND NOT ("
	"  o.inverse_label OPERATOR(pg_catalog.=) t.label"
	"  AND o.label OPERATOR(pg_catalog.=) t.inverse_label"
	"  AND o.source_type_id OPERATOR(pg_catalog.=) t.object_type_id"
	"  AND o.object_type_id OPERATOR(pg_catalog.=) t.source_type_id"
	"  AND o.is_household OPERATOR(pg_catalog.=) t.is_household"
	"  AND coalesce(o.description, '') OPERATOR(pg_catalog.=)"
	"   coalesce(t.description, '')"
	"  AND o.is_archived OPERATOR(pg_catalog.=) t.is_archived)",
	5, {INT8OID, BOOLOID, BOOLOID, BOOLOID, BOOLOID}, NULL
};

/* The row now: its inverse, and the row that is or could be that. */
static const DirectoryQuery find_pair = {
	"SELECT o.id FROM ONLY @relationship_type@ t"
	" LEFT JOIN ONLY @relationship_type@ o"
	"  ON o.name OPERATOR(pg_catalog.=) t.inverse_name"
	"  AND o.inverse_name OPERATOR(pg_catalog.=) t.name"
	"  AND o.source_type_id OPERATOR(pg_catalog.=) t.object_type_id"
	"  AND o.object_type_id OPERATOR(pg_catalog.=) t.source_type_id"
	"  AND (o.inverse_id IS NULL"
	"   OR o.inverse_id OPERATOR(pg_catalog.=) t.id)"
	" WHERE t.id OPERATOR(pg_catalog.=) $1 AND NOT t.is_symmetric",
	1, {INT8OID}, NULL
};

/* Read the row, before and, if the trigger fires for an update, after. */
static void
read_rows(TriggerData *trigdata, Row *before, Row *after)
{
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);

	row_read(after, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 type_columns, TYPE_NCOLUMNS);
	if (is_update)
		row_read(before, trigdata->tg_relation, trigdata->tg_trigtuple,
				 type_columns, TYPE_NCOLUMNS);
}

/* A label that says nothing is the name: household_head, Household head. */
static void
default_label(Row *row, int label, int name)
{
	char	   *p;
	char	   *words;

	if (row->nulls[name] ||
		(!row->nulls[label] && !is_blank(row->values[label])))
		return;
	words = TextDatumGetCString(row->values[name]);
	for (p = words; *p != '\0'; p++)
	{
		if (*p == '_')
			*p = ' ';
	}
	if (*words >= 'a' && *words <= 'z')
		*words += 'A' - 'a';
	row_set(row, label, CStringGetTextDatum(words));
}

/* Is the column distinct in the two rows? */
static bool
differs(const Row *a, const Row *b, int column)
{
	switch (column)
	{
		case TYPE_NAME:
		case TYPE_LABEL:
		case TYPE_INVERSE_NAME:
		case TYPE_INVERSE_LABEL:
		case TYPE_DESCRIPTION:
			return row_text_differs(a, b, column);
		default:
			return row_bytes_differ(a, b, column);
	}
}

/*
 * Both sides of a symmetric type are the same: the far one follows the near
 * one, unless it is the far one that changed.
 */
static void
mirror_column(Row *row, const Row *before, int near, int far)
{
	bool		far_only = before != NULL &&
	row_bool(before, TYPE_IS_SYMMETRIC) && !differs(before, row, near);

	if (far_only && !row->nulls[far])
		row_set(row, near, row->values[far]);
	else if (row->nulls[near])
		row_set_null(row, far);
	else
		row_set(row, far, row->values[near]);
}

/* Names and labels of both sides; a blank one counts as missing. */
static void
derive_sides(Row *row, const Row *before)
{
	bool		is_symmetric = row_bool(row, TYPE_IS_SYMMETRIC);

	if (is_symmetric)
		mirror_column(row, before, TYPE_NAME, TYPE_INVERSE_NAME);
	else if (!row->nulls[TYPE_INVERSE_NAME] &&
			 is_blank(row->values[TYPE_INVERSE_NAME]))
		row_set_null(row, TYPE_INVERSE_NAME);	/* refused as missing */
	default_label(row, TYPE_LABEL, TYPE_NAME);
	default_label(row, TYPE_INVERSE_LABEL, TYPE_INVERSE_NAME);
	if (is_symmetric)
	{
		mirror_column(row, before, TYPE_LABEL, TYPE_INVERSE_LABEL);
		mirror_column(row, before, TYPE_IS_SINGLE, TYPE_INVERSE_IS_SINGLE);
	}
}

/*
 * The row's inverse, whatever a client wrote: itself if it is symmetric; the
 * one that it has; else the row, if there is one, that it is the inverse of
 * by name.  An update may rename both sides, so the old names count.
 */
static void
derive_inverse(Row *row, const Row *before)
{
	bool		was_paired = before != NULL &&
	!row_bool(before, TYPE_IS_SYMMETRIC);
	const Row  *names = was_paired ? before : row;
	Directory	dir;
	Datum		values[5];
	Datum		inverse;
	bool		isnull;

	if (row_bool(row, TYPE_IS_SYMMETRIC))
	{
		row_set(row, TYPE_INVERSE_ID, row->values[TYPE_ID]);
		return;
	}
	if (was_paired && !row->nulls[TYPE_INVERSE_ID] &&
		!differs(before, row, TYPE_INVERSE_ID))
		return;
	row_set_null(row, TYPE_INVERSE_ID);
	if (names->nulls[TYPE_NAME] || names->nulls[TYPE_INVERSE_NAME])
		return;					/* to be refused */

	values[0] = names->values[TYPE_NAME];
	values[1] = names->values[TYPE_INVERSE_NAME];
	values[2] = names->values[TYPE_ID];
	values[3] = names->values[TYPE_SOURCE_TYPE_ID];
	values[4] = names->values[TYPE_OBJECT_TYPE_ID];
	directory_open(&dir, row->rel);
	inverse = query_value(&dir, &find_inverse, values, &isnull);
	directory_close(&dir);
	if (!isnull)
		row_set(row, TYPE_INVERSE_ID, inverse);
}

/* The table relationship of the directory, open. */
static Relation
open_links(Directory *dir)
{
	Oid			relid = get_relname_relid("relationship", dir->nspid);

	if (!OidIsValid(relid))
		elog(ERROR, "directory %u has no table relationship", dir->nspid);
	return table_open(relid, AccessShareLock);
}

/* Links exist that the type, or its inverse, may not change under. */
static void
refuse_in_use(Directory *dir, const Row *before, const char *what)
{
	Relation	links = open_links(dir);

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("%s of relationship type \"%s\" cannot change while links use it",
					what, TextDatumGetCString(before->values[TYPE_NAME])),
			 errhint("Remove the links first, or archive the type and make another."),
			 errtableconstraint(links, "relationship_type_fkey")));
}

/*
 * Refuse "at most one" where somebody has several that have not ended (R1).
 * The ids are told to those who may read the links.
 */
static void
check_single(Directory *dir, const Row *before, Datum type,
			 const DirectoryQuery *crowded)
{
	bool		is_records = crowded == &crowded_records;
	const char *constraint = is_records ?
	"relationship_record_single_key" : "relationship_single_key";
	TupleDesc	desc;
	HeapTuple	tuple;
	int64		count;
	Relation	links;
	bool		isnull;

	query_run(dir, crowded, &type, NULL);
	desc = SPI_tuptable->tupdesc;
	tuple = SPI_tuptable->vals[0];
	count = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
	if (count == 0)
		return;
	links = open_links(dir);
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg(is_records ?
					"records have several links of type \"%s\" that have not ended" :
					"contacts have several links of type \"%s\" that have not ended",
					TextDatumGetCString(before->values[TYPE_NAME])),
			 !caller_may_read(RelationGetRelid(links)) ? 0 :
			 errdetail(is_records ? "Records: %s (%lld in all)." :
					   "Contacts: %s (%lld in all).",
					   SPI_getvalue(tuple, desc, 2), (long long) count),
			 errhint("End or remove the others first."),
			 errtableconstraint(links, constraint)));
}

/* Who may have one link only, by the new row, but had no such limit before? */
static void
check_cardinality(Directory *dir, const Row *row, const Row *before)
{
	Datum		own = before->values[TYPE_ID];
	Datum		other = before->values[TYPE_INVERSE_ID];
	bool		from_contact = DatumGetInt64(row->values[TYPE_SOURCE_TYPE_ID]) == CONTACT_TYPE_ID;
	bool		to_contact = DatumGetInt64(row->values[TYPE_OBJECT_TYPE_ID]) == CONTACT_TYPE_ID;

	if (row_bool(row, TYPE_IS_SINGLE) && !row_bool(before, TYPE_IS_SINGLE))
		check_single(dir, before, from_contact ? own : other,
					 from_contact ? &crowded_contacts : &crowded_records);
	if (row_bool(row, TYPE_INVERSE_IS_SINGLE) &&
		!row_bool(before, TYPE_INVERSE_IS_SINGLE))
		check_single(dir, before, to_contact ? other : own,
					 to_contact ? &crowded_contacts : &crowded_records);
}

/*
 * Changes that the links have a say in.  Both rows are locked first: a session
 * that writes a link of the type holds them until it has committed.
 */
static void
check_links(const Row *row, const Row *before)
{
	const char *what = NULL;
	Directory	dir;
	Datum		pair[2];

	if (differs(before, row, TYPE_IS_SYMMETRIC))
		what = "the symmetry";
	else if (differs(before, row, TYPE_SOURCE_TYPE_ID) ||
			 differs(before, row, TYPE_OBJECT_TYPE_ID))
		what = "the object";
	else if (!differs(before, row, TYPE_IS_SINGLE) &&
			 !differs(before, row, TYPE_INVERSE_IS_SINGLE))
		return;
	if (before->nulls[TYPE_INVERSE_ID])
		return;					/* not a pair yet */

	pair[0] = before->values[TYPE_ID];
	pair[1] = before->values[TYPE_INVERSE_ID];
	SPI_connect();
	directory_open(&dir, row->rel);
	query_run(&dir, &lock_pair, pair, NULL);
	if (what == NULL)
		check_cardinality(&dir, row, before);
	else if (query_run(&dir, &find_links, pair, NULL) > 0)
		refuse_in_use(&dir, before, what);
	directory_close(&dir);
	SPI_finish();
}

PG_FUNCTION_INFO_V1(relationship_type_derive);

/* BEFORE INSERT OR UPDATE ROW: what follows from the row, and from links. */
Datum
relationship_type_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_type_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Row			before;
	Row			row;

	read_rows(trigdata, &before, &row);
	derive_sides(&row, is_update ? &before : NULL);
	derive_inverse(&row, is_update ? &before : NULL);
	if (is_update)
		check_links(&row, &before);
	return PointerGetDatum(row_tuple(&row));
}

/* Make the row's inverse, or pair the two if there is one already. */
static void
complete_pair(Directory *dir, Datum id)
{
	Datum		pair[2];
	Datum		reverse[2];
	Datum		inverse;
	bool		isnull;

	if (query_run(dir, &find_pair, &id, NULL) == 0)
		return;					/* another trigger was at it */
	inverse = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
							&isnull);
	if (isnull)
	{
		query_run(dir, &insert_inverse, &id, NULL);
		return;					/* its own trigger pairs the two */
	}
	pair[0] = reverse[1] = id;
	pair[1] = reverse[0] = inverse;
	query_run(dir, &pair_row, pair, NULL);
	query_run(dir, &pair_row, reverse, NULL);
	query_run(dir, &join_pair, pair, NULL);
}

/* Write what changed in the row into its inverse. */
static void
carry_over(Directory *dir, const Row *before, const Row *after)
{
	Datum		keys[5];
	Datum		rest[5];

	keys[0] = rest[0] = after->values[TYPE_ID];
	keys[1] = BoolGetDatum(differs(before, after, TYPE_NAME));
	keys[2] = BoolGetDatum(differs(before, after, TYPE_IS_SINGLE));
	keys[3] = BoolGetDatum(differs(before, after, TYPE_INVERSE_NAME));
	keys[4] = BoolGetDatum(differs(before, after, TYPE_INVERSE_IS_SINGLE));
	rest[1] = BoolGetDatum(differs(before, after, TYPE_LABEL));
	rest[2] = BoolGetDatum(differs(before, after, TYPE_INVERSE_LABEL));
	rest[3] = BoolGetDatum(differs(before, after, TYPE_SOURCE_TYPE_ID) ||
						   differs(before, after, TYPE_OBJECT_TYPE_ID));
	rest[4] = BoolGetDatum(differs(before, after, TYPE_IS_HOUSEHOLD) ||
						   differs(before, after, TYPE_DESCRIPTION) ||
						   differs(before, after, TYPE_IS_ARCHIVED));
	if (keys[1] || keys[2] || keys[3] || keys[4])
		query_run(dir, &carry_keys, keys, NULL);
	if (rest[1] || rest[2] || rest[3] || rest[4])
		query_run(dir, &carry_rest, rest, NULL);
}

PG_FUNCTION_INFO_V1(relationship_type_pair);

/* AFTER INSERT OR UPDATE ROW: the inverse follows (rule R1). */
Datum
relationship_type_pair(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_type_pair",
										  CALL_AFTER | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Directory	dir;
	Row			before;
	Row			row;

	read_rows(trigdata, &before, &row);
	SPI_connect();
	directory_open(&dir, trigdata->tg_relation);
	if (row_bool(&row, TYPE_IS_SYMMETRIC))
	{
		Datum		values[2];

		values[0] = is_update ? before.values[TYPE_INVERSE_ID] : (Datum) 0;
		values[1] = row.values[TYPE_ID];
		if (is_update && differs(&before, &row, TYPE_IS_SYMMETRIC))
			query_run(&dir, &delete_inverse, values, NULL);
	}
	else if (is_update && !row.nulls[TYPE_INVERSE_ID])
		carry_over(&dir, &before, &row);
	else
		complete_pair(&dir, row.values[TYPE_ID]);
	directory_close(&dir);
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(relationship_type_lock);

/* BEFORE each statement: writers of the types wait for each other. */
Datum
relationship_type_lock(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_type_lock",
										  CALL_BEFORE | CALL_STATEMENT |
										  CALL_INSERT | CALL_UPDATE |
										  CALL_DELETE);

	LockDatabaseObject(RelationRelationId,
					   RelationGetRelid(trigdata->tg_relation), 0,
					   ExclusiveLock);
	return PointerGetDatum(NULL);
}
