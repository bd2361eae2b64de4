/*-------------------------------------------------------------------------
 *
 * plan_cache.h
 *	  saved plans over the tables of a directory
 *
 *-------------------------------------------------------------------------
 */
#ifndef PLAN_CACHE_H
#define PLAN_CACHE_H

#include "executor/spi.h"
#include "utils/rel.h"

#define QUERY_MAX_COLUMNS 10

/*
 * A query over the tables of a directory, declared once as a static const.
 * @name@ stands for a table of the directory, @record@ and @key@ for a table of
 * records and its key, if dir is records_open()'s.  Where columns is set, the query
 * works on many rows at once: @rows@ stands for a FROM item n(columns), and
 * types are those of the columns; else types are those of plain parameters.
 */
typedef struct DirectoryQuery
{
	const char *sql;
	int			ncols;
	Oid			types[QUERY_MAX_COLUMNS];
	const char *columns;
	bool		as_caller;		/* with the caller's rights and snapshot */
} DirectoryQuery;

/*
 * The kind of an identifier, in a way that no index can be searched by.  The
 * identifiers of a contact are few and are to be found by the contact; while
 * the table is empty, an index that begins with the kind looks as good to the
 * planner, and the plan outlives that.
 */
#define KIND_OF(alias) \
	"(" alias ".semantic_type OPERATOR(pg_catalog.||) '')"

/*
 * The tables that maintenance works on, open and locked, and their owner: those
 * of a directory, or a registered table with its key.
 */
typedef struct Directory
{
	Oid			nspid;
	Oid			owner;
	Relation	contact;
	Relation	identifier;
	Relation	record;			/* NULL for a directory */
	AttrNumber	record_key;
} Directory;

/* The rows that a query with columns is to work on. */
typedef struct Batch
{
	const DirectoryQuery *query;
	int			nrows;
	int			capacity;
	Datum	   *values[QUERY_MAX_COLUMNS];
	bool	   *nulls[QUERY_MAX_COLUMNS];
} Batch;

extern void directory_open(Directory *dir, Relation fired);
extern void directory_close(Directory *dir);
extern Relation directory_sibling(Directory *dir, Relation fired,
								  const char *name);
extern void records_open(Directory *dir, Relation record, AttrNumber key);

extern void become_owner(Directory *dir, Oid *save_userid,
						 int *save_sec_context);

extern uint64 query_run(Directory *dir, const DirectoryQuery *query,
						Datum *values, const char *nulls);
extern Datum query_value(Directory *dir, const DirectoryQuery *query,
						 Datum *values, bool *isnull);

extern Batch *batch_create(const DirectoryQuery *query, int capacity);
extern void batch_add(Batch *batch, const Datum *values, const bool *nulls);
extern Datum batch_column(const Batch *batch, int column);
extern uint64 batch_run(Directory *dir, Batch *batch);

#endif							/* PLAN_CACHE_H */
