/*-------------------------------------------------------------------------
 *
 * look_up.c
 *	  reading rows of a directory's tables by the first columns of an index
 *
 * As the server looks its own catalogue up: without a query, without rights of
 * the reader, within the snapshot of the query that asks.  What is found here
 * is for the extension to decide by, never to be shown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "look_up.h"

/* The function that tells whether two values of the type are equal. */
static Oid
equality_of(Oid type)
{
	return type == INT8OID ? F_INT8EQ : type == UUIDOID ? F_UUID_EQ : F_NAMEEQ;
}

/* Does the index find rows by the first nkeys columns of the source? */
static bool
is_index_over(Oid index, const Source *source, const SourceShape *shape)
{
	Relation	rel = index_open(index, AccessShareLock);
	Form_pg_index form = rel->rd_index;
	bool		result;
	int			i;

	result = form->indisvalid && form->indnkeyatts >= shape->nkeys &&
		rel->rd_rel->relam == BTREE_AM_OID &&
		heap_attisnull(rel->rd_indextuple, Anum_pg_index_indpred, NULL);
	for (i = 0; result && i < shape->nkeys; i++)
	{
		Oid			type = shape->columns[i].type;
		Oid			opr = get_opfamily_member(rel->rd_opfamily[i], type, type,
											  BTEqualStrategyNumber);

		result = form->indkey.values[i] == source->columns[i] &&
			OidIsValid(opr) && get_opcode(opr) == equality_of(type);
	}
	index_close(rel, AccessShareLock);
	return result;
}

/* Find the columns of the source. */
static void
find_source_columns(Source *source, const SourceShape *shape)
{
	int			i;

	for (i = 0; i < MAX_SOURCE_COLUMNS && shape->columns[i].name != NULL; i++)
	{
		const SourceColumn *column = &shape->columns[i];
		AttrNumber	attnum = get_attnum(source->relid, column->name);
		Oid			type = attnum == InvalidAttrNumber ? InvalidOid :
		get_atttype(source->relid, attnum);

		if (!OidIsValid(type) ||
			(OidIsValid(column->type) ? type != column->type :
			 get_typlen(type) != sizeof(Oid) || !get_typbyval(type)))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("column \"%s\" of table \"%s\" is not the one that a directory has",
							column->name, shape->table)));
		source->columns[i] = attnum;
	}
}

/*
 * Find the table in the schema, its columns and an index, unless they are
 * known.  The table is locked to the end of the transaction.
 */
void
find_source(Source *source, const SourceShape *shape, Oid nspid)
{
	Relation	rel;
	List	   *indexes;
	ListCell   *cell;

	if (OidIsValid(source->relid))
		return;
	source->relid = get_relname_relid(shape->table, nspid);
	if (!OidIsValid(source->relid) ||
		get_rel_relkind(source->relid) != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("schema \"%s\" is no contact directory with a table \"%s\"",
						get_namespace_name(nspid), shape->table)));
	rel = table_open(source->relid, AccessShareLock);
	find_source_columns(source, shape);
	source->index = InvalidOid;
	indexes = shape->nkeys > 0 ? RelationGetIndexList(rel) : NIL;
	foreach(cell, indexes)
	{
		if (is_index_over(lfirst_oid(cell), source, shape))
		{
			source->index = lfirst_oid(cell);
			break;
		}
	}
	list_free(indexes);
	table_close(rel, NoLock);
}

/* Begin to read the rows whose leading columns have these values. */
void
begin_look_up(LookUp *look_up, const Source *source, const SourceShape *shape,
			  Snapshot snapshot, const Datum *values)
{
	ScanKeyData keys[MAX_SOURCE_COLUMNS];
	int			i;

	for (i = 0; i < shape->nkeys; i++)
		ScanKeyInit(&keys[i], source->columns[i], BTEqualStrategyNumber,
					equality_of(shape->columns[i].type), values[i]);
	look_up->source = source;
	look_up->rel = table_open(source->relid, AccessShareLock);
	look_up->scan = systable_beginscan(look_up->rel, source->index,
									   OidIsValid(source->index), snapshot,
									   shape->nkeys, keys);
}

/*
 * Begin to read, by the index that there is, the rows whose last key, a
 * bigint, is from its value to high, and whose other keys have these values.
 */
void
begin_range(LookUp *look_up, const Source *source, const SourceShape *shape,
			Snapshot snapshot, const Datum *values, int64 high)
{
	ScanKeyData keys[MAX_SOURCE_COLUMNS + 1];
	int			last = shape->nkeys - 1;
	int			i;

	Assert(shape->columns[last].type == INT8OID);
	for (i = 0; i < last; i++)
		ScanKeyInit(&keys[i], source->columns[i], BTEqualStrategyNumber,
					equality_of(shape->columns[i].type), values[i]);
	ScanKeyInit(&keys[last], source->columns[last],
				BTGreaterEqualStrategyNumber, F_INT8GE, values[last]);
	ScanKeyInit(&keys[last + 1], source->columns[last],
				BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(high));
	look_up->source = source;
	look_up->rel = table_open(source->relid, AccessShareLock);
	look_up->scan = systable_beginscan(look_up->rel, source->index, true,
									   snapshot, last + 2, keys);
}

/* The next of them, valid until the one after; NULL if there is none. */
HeapTuple
next_row(LookUp *look_up)
{
	return systable_getnext(look_up->scan);
}

/* A column of a row, by its place in the shape. */
Datum
column_of(LookUp *look_up, HeapTuple tuple, int column, bool *isnull)
{
	return heap_getattr(tuple, look_up->source->columns[column],
						RelationGetDescr(look_up->rel), isnull);
}

/* Done with the rows and what they refer to. */
void
end_look_up(LookUp *look_up)
{
	systable_endscan(look_up->scan);
	table_close(look_up->rel, AccessShareLock);
}

/* The snapshot of the query that asks. */
Snapshot
asking_snapshot(void)
{
	return ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot();
}

/* Is there a row with these keys? */
bool
exists_row(const Source *source, const SourceShape *shape, const Datum *keys)
{
	LookUp		look_up;
	bool		result;

	begin_look_up(&look_up, source, shape, asking_snapshot(), keys);
	result = next_row(&look_up) != NULL;
	end_look_up(&look_up);
	return result;
}

/* One column of the row with that key; false if there is none, or NULL. */
bool
read_column(const Source *source, const SourceShape *shape, Datum key,
			int column, Datum *value)
{
	LookUp		look_up;
	HeapTuple	tuple;
	bool		isnull = true;

	begin_look_up(&look_up, source, shape, asking_snapshot(), &key);
	tuple = next_row(&look_up);
	if (tuple != NULL)
		*value = column_of(&look_up, tuple, column, &isnull);
	end_look_up(&look_up);
	return !isnull;
}
