/*-------------------------------------------------------------------------
 *
 * record.c
 *	  links to records of any table: the record exists (rule R3)
 *
 * A table is registered by two sides that name each other: a row of
 * object_type names the table, and triggers on the table name the directory.
 * The owner of either side alone can neither have links deleted nor look into
 * the table.  The triggers name the directory, and the key, in their WHEN
 * clause,
 *
 *		WHEN (OLD.id IS NOT NULL AND 'crm.object_type'::regclass IS NOT NULL)
 *
 * as objects that the server knows they depend on: so a rename of schema, table
 * or column is followed, a dump restores them, and they go with the directory.
 * Only the trigger of a directory's own table, organization, names none.
 *
 * That a record exists is looked up as foreign keys do it: as the owner of the
 * table, with the latest snapshot, and under a key share lock.
 *
 * Everybody may make triggers of record_change() on his tables, for a partition
 * that is added to a registered table gets its triggers from whoever adds it.
 * So such a trigger is not to be trusted in anything: what it names is looked
 * at first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "columns.h"
#include "link_type.h"
#include "record.h"
#include "relationship.h"

static const DirectoryQuery find_type = {
	"SELECT o.id, o.api_name, o.relation::pg_catalog.oid"
	" FROM ONLY @relationship_type@ t JOIN ONLY @object_type@ o"
	"  ON o.id OPERATOR(pg_catalog.=) t.object_type_id"
	" WHERE t.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

#define FIND_RECORDS \
	"SELECT n.key FROM @rows@" \
	" JOIN @record@ r ON r.@key@ OPERATOR(pg_catalog.=) n.key"

static const DirectoryQuery find_by_id = {
	FIND_RECORDS, 1, {INT8OID}, "key"
};

static const DirectoryQuery find_by_uuid = {
	FIND_RECORDS, 1, {UUIDOID}, "key"
};

static const DirectoryQuery lock_by_id = {
	FIND_RECORDS " FOR KEY SHARE OF r", 1, {INT8OID}, "key"
};

static const DirectoryQuery lock_by_uuid = {
	FIND_RECORDS " FOR KEY SHARE OF r", 1, {UUIDOID}, "key"
};

/* A link to a record, as far as it is checked. */
typedef struct RecordLink
{
	int64		type;
	bool		is_uuid;
	int64		id;
	pg_uuid_t	uuid;
} RecordLink;

typedef struct RecordLinks
{
	RecordLink *links;
	int			n;
} RecordLinks;

typedef struct NamedInClause
{
	Oid			object_type;
	AttrNumber	key;
} NamedInClause;

/* Find the table object_type and the key column that a WHEN clause names. */
static bool
find_named(Node *node, void *context)
{
	NamedInClause *named = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
		named->key = ((Var *) node)->varattno;
	else if (IsA(node, Const) &&
			 ((Const *) node)->consttype == REGCLASSOID &&
			 !((Const *) node)->constisnull)
		named->object_type = DatumGetObjectId(((Const *) node)->constvalue);
	return expression_tree_walker(node, find_named, context);
}

/*
 * What a trigger of contacts.record_change() says: the table object_type of its
 * directory, 0 for the directory's own tables, and the key column, 0 if it is a
 * statement trigger.
 */
void
read_record_trigger(const Trigger *trigger, Oid *object_type, AttrNumber *key)
{
	NamedInClause named = {InvalidOid, InvalidAttrNumber};

	if (trigger->tgqual != NULL)
		(void) find_named(stringToNode(trigger->tgqual), &named);
	*object_type = named.object_type;
	*key = named.key;
}

/* Can the column be a key, by its type?  Whoever wrote the trigger chose it. */
bool
is_record_key(Relation rel, AttrNumber key)
{
	Oid			type = key > 0 ?
	TupleDescAttr(RelationGetDescr(rel), key - 1)->atttypid : InvalidOid;

	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == UUIDOID;
}

/*
 * Does the table know that its records are related in the directory?  Then it
 * has the trigger that removes their links, which names the key column.
 */
bool
find_record_key(Relation rel, Oid object_type, AttrNumber *key)
{
	Oid			function = LookupFuncName(list_make2(makeString("contacts"),
													 makeString("record_change")),
										  0, NULL, false);
	bool		is_own = RelationGetNamespace(rel) ==
	get_rel_namespace(object_type);
	TriggerDesc *desc = rel->trigdesc;
	int			i;

	*key = InvalidAttrNumber;
	for (i = 0; desc != NULL && i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];
		Oid			named;

		if (trigger->tgfoid != function ||
			!TRIGGER_FOR_ROW(trigger->tgtype) ||
			!TRIGGER_FOR_DELETE(trigger->tgtype))
			continue;
		read_record_trigger(trigger, &named, key);
		if (is_record_key(rel, *key) &&
			(named == object_type || (is_own && !OidIsValid(named))))
			return true;
	}
	return false;
}

/*
 * Open the table of records; false if it does not exist or does not know the
 * directory.  The lock is kept.
 */
bool
open_records(RecordTable *table, Oid relid, Oid object_type)
{
	Form_pg_attribute att;

	table->rel = OidIsValid(relid) ?
		try_relation_open(relid, RowShareLock) : NULL;
	if (table->rel == NULL)
		return false;
	if (!find_record_key(table->rel, object_type, &table->key))
	{
		relation_close(table->rel, NoLock);
		return false;
	}
	att = TupleDescAttr(RelationGetDescr(table->rel), table->key - 1);
	table->is_uuid = att->atttypid == UUIDOID;
	return true;
}

/* The value of a key column as links hold it: uuid or bigint. */
Datum
key_datum(Relation rel, AttrNumber key, Datum value)
{
	switch (TupleDescAttr(RelationGetDescr(rel), key - 1)->atttypid)
	{
		case INT2OID:
			return Int64GetDatum((int64) DatumGetInt16(value));
		case INT4OID:
			return Int64GetDatum((int64) DatumGetInt32(value));
		default:
			return value;
	}
}

static int
compare_keys(Datum a, Datum b, bool is_uuid)
{
	int64		x;
	int64		y;

	if (is_uuid)
		return memcmp(DatumGetUUIDP(a)->data, DatumGetUUIDP(b)->data, UUID_LEN);
	x = DatumGetInt64(a);
	y = DatumGetInt64(b);
	return x < y ? -1 : x > y;
}

/*
 * Which of the keys, sorted and distinct, have no record?  Returns how many;
 * with lock, those that have one are locked as foreign keys do.  Within
 * SPI_connect().
 */
int
find_missing(const RecordTable *table, Datum *keys, int n, bool lock,
			 bool *is_missing)
{
	const DirectoryQuery *query = table->is_uuid ?
	(lock ? &lock_by_uuid : &find_by_uuid) :
	(lock ? &lock_by_id : &find_by_id);
	Batch	   *batch = batch_create(query, n);
	Directory	records;
	uint64		found;
	uint64		row;
	int			nmissing = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		is_missing[i] = true;
		batch_add(batch, &keys[i], NULL);
	}
	records_open(&records, table->rel, table->key);
	found = batch_run(&records, batch);
	for (row = 0; row < found; row++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(SPI_tuptable->vals[row],
										SPI_tuptable->tupdesc, 1, &isnull);
		int			low = 0;
		int			high = n - 1;

		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (compare_keys(keys[middle], key, table->is_uuid) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		is_missing[low] = false;
	}
	SPI_freetuptable(SPI_tuptable);
	for (i = 0; i < n; i++)
		nmissing += is_missing[i];
	return nmissing;
}

/* The type leads to a table that is not there, or not registered from there. */
static void
report_unregistered(Relation rel, char *api_name, bool exists)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 exists ?
			 errmsg("the table of object type \"%s\" is not registered", api_name) :
			 errmsg("the table of object type \"%s\" does not exist", api_name),
			 errhint("See contacts.register_object()."),
			 errtable(rel)));
}

static void
report_unfit(Relation rel, const RecordTable *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("keys of table \"%s\" are of another type",
					RelationGetRelationName(table->rel)),
			 table->is_uuid ? errhint("Set record_uuid.") :
			 errhint("Set record_id."),
			 errtableconstraint(rel, "relationship_fits_type")));
}

static void
report_missing(Relation rel, const RecordTable *table, Datum key)
{
	const char *column = table->is_uuid ? "record_uuid" : "record_id";
	char	   *value = table->is_uuid ?
	DatumGetCString(DirectFunctionCall1(uuid_out, key)) :
	psprintf("%lld", (long long) DatumGetInt64(key));

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("insert or update on table \"%s\" violates foreign key constraint \"relationship_record_exists\"",
					RelationGetRelationName(rel)),
			 errdetail("Key (%s)=(%s) is not present in table \"%s\".",
					   column, value, RelationGetRelationName(table->rel)),
			 errtableconstraint(rel, "relationship_record_exists"),
			 err_generic_string(PG_DIAG_COLUMN_NAME, column)));
}

/* The link's key as a datum that points into it. */
static Datum
link_key(RecordLink *link)
{
	return link->is_uuid ? UUIDPGetDatum(&link->uuid) :
		Int64GetDatum(link->id);
}

static int
compare_links(const void *a, const void *b)
{
	RecordLink *x = (RecordLink *) a;
	RecordLink *y = (RecordLink *) b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->is_uuid != y->is_uuid)
		return x->is_uuid ? 1 : -1;
	return compare_keys(link_key(x), link_key(y), x->is_uuid);
}

/* Open the table that links of the type lead to, for rel, table relationship. */
static void
open_records_of(Directory *dir, Relation rel, int64 type, RecordTable *table)
{
	Datum		id = Int64GetDatum(type);
	Oid			object_type = get_relname_relid("object_type", dir->nspid);
	HeapTuple	tuple;
	TupleDesc	desc;
	Oid			relid;
	bool		isnull;

	if (query_run(dir, &find_type, &id, NULL) == 0)
		elog(ERROR, "relationship type %lld does not exist", (long long) type);
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	relid = DatumGetObjectId(SPI_getbinval(tuple, desc, 3, &isnull));
	if (!open_records(table, relid, object_type))
		report_unregistered(rel, SPI_getvalue(tuple, desc, 2),
							get_rel_name(relid) != NULL);
}

/* The links, sorted and all of one type, lead to records that exist. */
static void
check_records(Directory *dir, Relation rel, RecordLink *links, int n)
{
	Datum	   *keys = palloc(sizeof(Datum) * n);
	bool	   *is_missing = palloc(sizeof(bool) * n);
	RecordTable table;
	int			nkeys = 0;
	int			i;

	open_records_of(dir, rel, links[0].type, &table);
	for (i = 0; i < n; i++)
	{
		if (links[i].is_uuid != table.is_uuid)
			report_unfit(rel, &table);
		if (i == 0 || compare_links(&links[i - 1], &links[i]) != 0)
			keys[nkeys++] = link_key(&links[i]);
	}
	if (find_missing(&table, keys, nkeys, true, is_missing) > 0)
	{
		for (i = 0; !is_missing[i];)
			i++;
		report_missing(rel, &table, keys[i]);
	}
	relation_close(table.rel, NoLock);
}

/* Check the collected links, type by type, and begin anew. */
static void
check_all_records(Directory *dir, Relation rel, RecordLinks *all)
{
	int			start = 0;
	int			i;

	if (all->n > 1)
		qsort(all->links, all->n, sizeof(RecordLink), compare_links);
	for (i = 1; i <= all->n; i++)
	{
		if (i < all->n && all->links[i].type == all->links[start].type)
			continue;
		check_records(dir, rel, &all->links[start], i - start);
		start = i;
	}
	all->n = 0;
}

/* Collect the row, if it is a link to a record. */
static void
collect_link(RecordLinks *all, TupleTableSlot *slot, const AttrNumber *attnums)
{
	RecordLink *link = &all->links[all->n];
	bool		isnull;
	Datum		value;

	memset(link, 0, sizeof(*link));
	link->type = DatumGetInt64(slot_getattr(slot,
											attnums[RELATIONSHIP_TYPE_ID],
											&isnull));
	value = slot_getattr(slot, attnums[RELATIONSHIP_RECORD_ID], &isnull);
	if (!isnull)
	{
		link->id = DatumGetInt64(value);
		all->n++;
		return;
	}
	value = slot_getattr(slot, attnums[RELATIONSHIP_RECORD_UUID], &isnull);
	if (!isnull)
	{
		link->is_uuid = true;
		link->uuid = *DatumGetUUIDP(value);
		all->n++;
	}
}

/* Check the links to records among the inserted rows. */
static void
check_inserted(Directory *dir, Relation rel, RecordLinks *all,
			   Tuplestorestate *inserted, const AttrNumber *attnums)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);

	tuplestore_select_read_pointer(inserted, 0);
	tuplestore_rescan(inserted);
	while (tuplestore_gettupleslot(inserted, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		collect_link(all, slot, attnums);
		if (all->n == RECORD_CHUNK)
			check_all_records(dir, rel, all);
	}
	ExecDropSingleTupleTableSlot(slot);
}

PG_FUNCTION_INFO_V1(relationship_record);

/* AFTER INSERT STATEMENT, AFTER UPDATE ROW: the record exists (rule R3). */
Datum
relationship_record(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_record",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_INSERT |
										  CALL_UPDATE);
	Relation	rel = trigdata->tg_relation;
	RecordLinks all;
	AttrNumber	attnums[RELATIONSHIP_NCOLUMNS];
	Directory	dir;

	if (TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) &&
		(trigdata->tg_newtable == NULL ||
		 tuplestore_tuple_count(trigdata->tg_newtable) == 0))
		return PointerGetDatum(NULL);
	SPI_connect();
	directory_open(&dir, rel);
	find_columns(rel, relationship_columns, RELATIONSHIP_NCOLUMNS, attnums);
	all.n = 0;
	all.links = palloc(sizeof(RecordLink) * RECORD_CHUNK);
	if (TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		check_inserted(&dir, rel, &all, trigdata->tg_newtable, attnums);
	else
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
														&TTSOpsHeapTuple);

		ExecStoreHeapTuple(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
						   trigdata->tg_newtuple : trigdata->tg_trigtuple,
						   slot, false);
		collect_link(&all, slot, attnums);
		ExecDropSingleTupleTableSlot(slot);
	}
	check_all_records(&dir, rel, &all);
	directory_close(&dir);
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(missing_records);

/*
 * missing_records(object_type regclass, relation regclass, keys anyarray)
 * RETURNS anyarray
 *
 * The keys, of bigint or uuid, of which the registered table has no record; NULL
 * for a table that does not know the directory.  For those who may read all of
 * the directory, the secret included, as check_directory() wants it: they learn
 * of keys of links alone.
 */
Datum
missing_records(PG_FUNCTION_ARGS)
{
	Oid			object_type = PG_GETARG_OID(0);
	Oid			relid = PG_GETARG_OID(1);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);
	Oid			type = ARR_ELEMTYPE(array);
	Oid			secret = get_relname_relid("secret",
										   get_rel_namespace(object_type));
	RecordTable table;
	Datum	   *keys;
	bool	   *is_missing;
	int			n;
	int			nmissing = 0;
	int			i;

	if (!OidIsValid(secret) ||
		pg_class_aclcheck(secret, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "secret");
	if (!open_records(&table, relid, object_type) ||
		(type != INT8OID && type != UUIDOID))
		PG_RETURN_NULL();
	if (table.is_uuid != (type == UUIDOID))
		PG_RETURN_ARRAYTYPE_P(array);	/* none fits */

	deconstruct_array(array, type, table.is_uuid ? UUID_LEN : sizeof(int64),
					  !table.is_uuid, table.is_uuid ? TYPALIGN_CHAR :
					  TYPALIGN_DOUBLE, &keys, NULL, &n);
	is_missing = palloc(sizeof(bool) * (n + 1));
	SPI_connect();
	for (i = 0; i < n; i += RECORD_CHUNK)
		find_missing(&table, &keys[i], Min(n - i, RECORD_CHUNK), false,
					 &is_missing[i]);
	SPI_finish();
	for (i = 0; i < n; i++)
	{
		if (is_missing[i])
			keys[nmissing++] = keys[i];
	}
	relation_close(table.rel, NoLock);
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, nmissing, type,
										  table.is_uuid ? UUID_LEN :
										  sizeof(int64), !table.is_uuid,
										  table.is_uuid ? TYPALIGN_CHAR :
										  TYPALIGN_DOUBLE));
}
