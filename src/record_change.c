/*-------------------------------------------------------------------------
 *
 * record_change.c
 *	  the triggers on registered tables: links follow the records (rule R3)
 *
 * What is deleted of a table takes its links and shares along, what gets
 * another key keeps them.  They are the directory's, and change as its owner;
 * where the directory's table object_type does not name this table, or the
 * partitioned table that it is part of, nothing is touched.
 *
 * Rows of a partitioned table that get another key may move to another
 * partition, of which no trigger tells: so their key cannot change while
 * contacts are related to them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "columns.h"
#include "directory.h"
#include "record.h"

/*
 * What belongs to records of the object type $1, r: the links of its types, and
 * the shares; FROM is for what USING and a join need, too.
 */
#define LINKS "@relationship@ r"
#define LINKS_FROM ", ONLY @relationship_type@ t"
#define LINKS_OF(object) \
	" WHERE t.object_type_id OPERATOR(pg_catalog.=) " object \
	" AND r.relationship_type_id OPERATOR(pg_catalog.=) t.id"
#define SHARES "@record_share@ r"
#define SHARES_FROM ""
#define SHARES_OF(object) \
	" WHERE r.object_type_id OPERATOR(pg_catalog.=) " object

/* The queries on either of them, by the kind of keys: integer, uuid. */
typedef struct RecordQueries
{
	DirectoryQuery remove[2];	/* of the record $2 */
	DirectoryQuery move[2];		/* from the record $2 to $3 */
	DirectoryQuery find[2];		/* of the record $2 */
	DirectoryQuery remove_all;
	DirectoryQuery remove_many[2];	/* of the records key, likewise */
	DirectoryQuery next_keys[2];	/* after $2, at most $3 */
} RecordQueries;

#define REMOVE(table, using, of, column, type) \
	{"DELETE FROM ONLY " table using of("$1") \
	 " AND r." column " OPERATOR(pg_catalog.=) $2", \
	 2, {INT8OID, type}, NULL}
#define MOVE(table, from, of, column, type) \
	{"UPDATE ONLY " table " SET " column " = $3" from of("$1") \
	 " AND r." column " OPERATOR(pg_catalog.=) $2", \
	 3, {INT8OID, type, type}, NULL}
#define FIND(table, from, of, column, type) \
	{"SELECT 1 FROM ONLY " table from of("$1") \
	 " AND r." column " OPERATOR(pg_catalog.=) $2 LIMIT 1", \
	 2, {INT8OID, type}, NULL}
#define REMOVE_MANY(table, from, of, column, type) \
	{"DELETE FROM ONLY " table " USING @rows@" from of("n.object") \
	 " AND r." column " OPERATOR(pg_catalog.=) n.key", \
	 2, {INT8OID, type}, "object, key"}
#define NEXT_KEYS(table, from, of, column, type) \
	{"SELECT DISTINCT r." column " FROM ONLY " table from of("$1") \
	 " AND r." column " IS NOT NULL AND ($2 IS NULL" \
	 "  OR r." column " OPERATOR(pg_catalog.>) $2) ORDER BY 1 LIMIT $3", \
	 3, {INT8OID, type, INT8OID}, NULL}
#define BOTH_KINDS(query, table, from, of) \
	{query(table, from, of, "record_id", INT8OID), \
	 query(table, from, of, "record_uuid", UUIDOID)}

static const RecordQueries of_records[] = {
	{
		BOTH_KINDS(REMOVE, LINKS, " USING ONLY @relationship_type@ t",
				   LINKS_OF),
		BOTH_KINDS(MOVE, LINKS, " FROM ONLY @relationship_type@ t", LINKS_OF),
		BOTH_KINDS(FIND, LINKS, LINKS_FROM, LINKS_OF),
		{"DELETE FROM ONLY " LINKS " USING ONLY @relationship_type@ t"
		LINKS_OF("$1"), 1, {INT8OID}, NULL},
		BOTH_KINDS(REMOVE_MANY, LINKS, LINKS_FROM, LINKS_OF),
		BOTH_KINDS(NEXT_KEYS, LINKS, LINKS_FROM, LINKS_OF)
	},
	{
		BOTH_KINDS(REMOVE, SHARES, "", SHARES_OF),
		BOTH_KINDS(MOVE, SHARES, "", SHARES_OF),
		BOTH_KINDS(FIND, SHARES, SHARES_FROM, SHARES_OF),
		{"DELETE FROM ONLY " SHARES SHARES_OF("$1"), 1, {INT8OID}, NULL},
		BOTH_KINDS(REMOVE_MANY, SHARES, SHARES_FROM, SHARES_OF),
		BOTH_KINDS(NEXT_KEYS, SHARES, SHARES_FROM, SHARES_OF)
	}
};

/* What a record trigger is for, kept for the rows of a statement. */
typedef struct Registration
{
	Oid			object_type;	/* table of the directory */
	AttrNumber	key;
	int64		id;				/* of the row there; 0: not trusted */
	Oid			table;			/* that the row names */
	List	   *tables;			/* that it may name */
} Registration;

/* Open the directory by its table object_type; close with close_directory(). */
static void
open_directory(Directory *dir, Oid object_type)
{
	Relation	rel = table_open(object_type, AccessShareLock);

	SPI_connect();
	directory_open(dir, rel);
	table_close(rel, NoLock);
}

static void
close_directory(Directory *dir)
{
	directory_close(dir);
	SPI_finish();
}

/* Columns: id, relation.  Does the row name one of the tables sought? */
static void
look_for_table(void *arg, const Datum *values, const bool *nulls)
{
	Registration *found = arg;

	if (!nulls[0] && !nulls[1] &&
		list_member_oid(found->tables, DatumGetObjectId(values[1])))
	{
		found->id = DatumGetInt64(values[0]);
		found->table = DatumGetObjectId(values[1]);
	}
}

/*
 * Find the row of the directory's object_type that names the table, or one that
 * it is a partition of.  Nothing is locked of a directory that does not.
 */
static void
find_object_type(Registration *found, Oid relid)
{
	static const char *const columns[] = {"id", "relation"};
	char	   *name = get_rel_name(found->object_type);

	found->tables = list_make1_oid(relid);
	if (get_rel_relispartition(relid))
		found->tables = list_concat(found->tables,
									get_partition_ancestors(relid));
	if (name != NULL && strcmp(name, "object_type") == 0 &&
		get_rel_relkind(found->object_type) == RELKIND_RELATION)
		read_rows(found->object_type, columns, 2, look_for_table, found);
	list_free(found->tables);
}

/* What the trigger is for, looked up once for the rows of a statement. */
static Registration *
find_registration(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	Registration *found = fcinfo->flinfo->fn_extra;

	if (found != NULL)
		return found;
	found = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
								   sizeof(Registration));
	read_record_trigger(trigdata->tg_trigger, &found->object_type,
						&found->key);
	if (!OidIsValid(found->object_type))
		found->object_type = get_relname_relid("object_type",
											   RelationGetNamespace(rel));
	if (OidIsValid(found->object_type))
		find_object_type(found, RelationGetRelid(rel));
	fcinfo->flinfo->fn_extra = found;
	return found;
}

/* The key of a row; false if it is NULL. */
static bool
read_key(Relation rel, AttrNumber key, HeapTuple tuple, Datum *value)
{
	bool		isnull;

	*value = heap_getattr(tuple, key, RelationGetDescr(rel), &isnull);
	if (!isnull)
		*value = key_datum(rel, key, *value);
	return !isnull;
}

/* A key changes that links lead to, and that they cannot follow. */
static void
refuse_move(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("key of table \"%s\" cannot change while contacts are related to the record",
					RelationGetRelationName(rel)),
			 errdetail("The record could move to another partition."),
			 errhint("Relate the contacts to a new record."),
			 errtableconstraint(rel, "relationship_record_exists")));
}

/* The row was deleted, or gets another key. */
static void
follow_row(TriggerData *trigdata, const Registration *found)
{
	Relation	rel = trigdata->tg_relation;
	Oid			type = TupleDescAttr(RelationGetDescr(rel),
									 found->key - 1)->atttypid;
	int			kind = type == UUIDOID ? 1 : 0;
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Datum		values[3];
	Directory	dir;
	int			i;

	values[0] = Int64GetDatum(found->id);
	if (!read_key(rel, found->key, trigdata->tg_trigtuple, &values[1]) ||
		(is_update &&
		 !read_key(rel, found->key, trigdata->tg_newtuple, &values[2])))
		return;
	open_directory(&dir, found->object_type);
	for (i = 0; i < lengthof(of_records); i++)
	{
		const RecordQueries *queries = &of_records[i];

		if (!is_update)
			query_run(&dir, &queries->remove[kind], values, NULL);
		else if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event))
			query_run(&dir, &queries->move[kind], values, NULL);
		else if (query_run(&dir, &queries->find[kind], values, NULL) > 0)
			refuse_move(rel);
	}
	close_directory(&dir);
}

/* Remove what belongs to those of the keys that have no record any more. */
static void
remove_missing(Directory *dir, const RecordQueries *queries,
			   const Registration *found, const RecordTable *table,
			   Datum *keys, int n)
{
	bool	   *is_missing = palloc(sizeof(bool) * n);
	Batch	   *batch = batch_create(&queries->remove_many[table->is_uuid], n);
	int			i;

	find_missing(table, keys, n, false, is_missing);
	for (i = 0; i < n; i++)
	{
		Datum		values[2];

		values[0] = Int64GetDatum(found->id);
		values[1] = keys[i];
		if (is_missing[i])
			batch_add(batch, values, NULL);
	}
	batch_run(dir, batch);
}

/* A partition was truncated: what belongs to records that are gone goes. */
static void
remove_all_missing(Directory *dir, const RecordQueries *queries,
				   const Registration *found, const RecordTable *table)
{
	Datum		values[3];
	char		nulls[] = {' ', 'n', ' ', '\0'};
	Datum	   *keys = palloc(sizeof(Datum) * RECORD_CHUNK);
	uint64		n;
	uint64		i;

	values[0] = Int64GetDatum(found->id);
	values[1] = (Datum) 0;
	values[2] = Int64GetDatum(RECORD_CHUNK);
	while ((n = query_run(dir, &queries->next_keys[table->is_uuid], values,
						  nulls)) > 0)
	{
		SPITupleTable *rows = SPI_tuptable;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < n; i++)
			keys[i] = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);
		remove_missing(dir, queries, found, table, keys, (int) n);
		values[1] = keys[n - 1];
		nulls[1] = ' ';
	}
}

/* The table, or a partition of it, was truncated. */
static void
follow_truncate(TriggerData *trigdata, const Registration *found)
{
	Datum		id = Int64GetDatum(found->id);
	RecordTable table;
	Directory	dir;
	int			i;

	open_directory(&dir, found->object_type);
	for (i = 0; i < lengthof(of_records); i++)
	{
		if (found->table == RelationGetRelid(trigdata->tg_relation))
			query_run(&dir, &of_records[i].remove_all, &id, NULL);
		else if (open_records(&table, found->table, found->object_type))
		{
			remove_all_missing(&dir, &of_records[i], found, &table);
			relation_close(table.rel, NoLock);
		}
	}
	close_directory(&dir);
}

PG_FUNCTION_INFO_V1(record_change);

/*
 * AFTER DELETE and UPDATE ROW, AFTER TRUNCATE on a registered table; BEFORE
 * UPDATE ROW where it is partitioned.
 */
Datum
record_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "record_change",
										  CALL_BEFORE | CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_UPDATE |
										  CALL_DELETE | CALL_TRUNCATE);
	Registration *found = find_registration(fcinfo);

	if (found->id == 0)
		;						/* nobody knows this table */
	else if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		follow_truncate(trigdata, found);
	else if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) &&
			 is_record_key(trigdata->tg_relation, found->key))
		follow_row(trigdata, found);
	if (TRIGGER_FIRED_BEFORE(trigdata->tg_event) &&
		TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return PointerGetDatum(trigdata->tg_newtuple);
	return PointerGetDatum(NULL);
}
