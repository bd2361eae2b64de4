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

/* Links of the object type $1 to the record $2, in either kind of keys. */
#define OF_RECORD(column) \
	" WHERE t.object_type_id OPERATOR(pg_catalog.=) $1" \
	" AND r.relationship_type_id OPERATOR(pg_catalog.=) t.id" \
	" AND r." column " OPERATOR(pg_catalog.=) $2"

#define DELETE_LINKS(column) \
	"DELETE FROM ONLY @relationship@ r USING ONLY @relationship_type@ t" \
	OF_RECORD(column)
#define MOVE_LINKS(column) \
	"UPDATE ONLY @relationship@ r SET " column " = $3" \
	" FROM ONLY @relationship_type@ t" OF_RECORD(column)
#define FIND_LINKS(column) \
	"SELECT 1 FROM ONLY @relationship@ r, ONLY @relationship_type@ t" \
	OF_RECORD(column) " LIMIT 1"

static const DirectoryQuery delete_links[] = {
	{DELETE_LINKS("record_id"), 2, {INT8OID, INT8OID}, NULL},
	{DELETE_LINKS("record_uuid"), 2, {INT8OID, UUIDOID}, NULL}
};

static const DirectoryQuery move_links[] = {
	{MOVE_LINKS("record_id"), 3, {INT8OID, INT8OID, INT8OID}, NULL},
	{MOVE_LINKS("record_uuid"), 3, {INT8OID, UUIDOID, UUIDOID}, NULL}
};

static const DirectoryQuery find_links[] = {
	{FIND_LINKS("record_id"), 2, {INT8OID, INT8OID}, NULL},
	{FIND_LINKS("record_uuid"), 2, {INT8OID, UUIDOID}, NULL}
};

static const DirectoryQuery delete_all_links = {
	"DELETE FROM ONLY @relationship@ r USING ONLY @relationship_type@ t"
	" WHERE t.object_type_id OPERATOR(pg_catalog.=) $1"
	" AND r.relationship_type_id OPERATOR(pg_catalog.=) t.id",
	1, {INT8OID}, NULL
};

#define DELETE_LINKS_TO(column) \
	"DELETE FROM ONLY @relationship@ r" \
	" USING @rows@, ONLY @relationship_type@ t" \
	" WHERE t.object_type_id OPERATOR(pg_catalog.=) n.object" \
	" AND r.relationship_type_id OPERATOR(pg_catalog.=) t.id" \
	" AND r." column " OPERATOR(pg_catalog.=) n.key"

static const DirectoryQuery delete_links_to[] = {
	{DELETE_LINKS_TO("record_id"), 2, {INT8OID, INT8OID}, "object, key"},
	{DELETE_LINKS_TO("record_uuid"), 2, {INT8OID, UUIDOID}, "object, key"}
};

/* The next keys, of those after $2, that links of the object type lead to. */
#define NEXT_KEYS(column) \
	"SELECT DISTINCT r." column \
	" FROM ONLY @relationship@ r, ONLY @relationship_type@ t" \
	" WHERE t.object_type_id OPERATOR(pg_catalog.=) $1" \
	" AND r.relationship_type_id OPERATOR(pg_catalog.=) t.id" \
	" AND r." column " IS NOT NULL" \
	" AND ($2 IS NULL OR r." column " OPERATOR(pg_catalog.>) $2)" \
	" ORDER BY 1 LIMIT $3"

static const DirectoryQuery next_keys[] = {
	{NEXT_KEYS("record_id"), 3, {INT8OID, INT8OID, INT8OID}, NULL},
	{NEXT_KEYS("record_uuid"), 3, {INT8OID, UUIDOID, INT8OID}, NULL}
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
	int			kind = type == UUIDOID;
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Datum		values[3];
	Directory	dir;

	values[0] = Int64GetDatum(found->id);
	if (!read_key(rel, found->key, trigdata->tg_trigtuple, &values[1]) ||
		(is_update &&
		 !read_key(rel, found->key, trigdata->tg_newtuple, &values[2])))
		return;
	open_directory(&dir, found->object_type);
	if (!is_update)
		query_run(&dir, &delete_links[kind], values, NULL);
	else if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event))
		query_run(&dir, &move_links[kind], values, NULL);
	else if (query_run(&dir, &find_links[kind], values, NULL) > 0)
		refuse_move(rel);
	close_directory(&dir);
}

/* Delete the links to those of the keys that have no record any more. */
static void
delete_missing(Directory *dir, const Registration *found,
			   const RecordTable *table, Datum *keys, int n)
{
	bool	   *is_missing = palloc(sizeof(bool) * n);
	Batch	   *batch = batch_create(&delete_links_to[table->is_uuid], n);
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

/* A partition was truncated: links to records that are gone go. */
static void
delete_all_missing(Directory *dir, const Registration *found,
				   const RecordTable *table)
{
	Datum		values[3];
	char		nulls[] = {' ', 'n', ' ', '\0'};
	Datum	   *keys = palloc(sizeof(Datum) * RECORD_CHUNK);
	uint64		n;
	uint64		i;

	values[0] = Int64GetDatum(found->id);
	values[1] = (Datum) 0;
	values[2] = Int64GetDatum(RECORD_CHUNK);
	while ((n = query_run(dir, &next_keys[table->is_uuid], values,
						  nulls)) > 0)
	{
		SPITupleTable *rows = SPI_tuptable;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < n; i++)
			keys[i] = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);
		delete_missing(dir, found, table, keys, (int) n);
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

	open_directory(&dir, found->object_type);
	if (found->table == RelationGetRelid(trigdata->tg_relation))
		query_run(&dir, &delete_all_links, &id, NULL);
	else if (open_records(&table, found->table, found->object_type))
	{
		delete_all_missing(&dir, found, &table);
		relation_close(table.rel, NoLock);
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
