/*-------------------------------------------------------------------------
 *
 * plan_cache.c
 *	  saved plans over the tables of a directory
 *
 * Maintenance runs a small set of queries over the tables of the directory
 * whose trigger fired.  Their plans are saved per directory and query, and
 * these things keep a saved plan honest:
 *
 *	- the caller holds locks on the tables, so that SPI_plan_is_valid() cannot
 *	  be overtaken by a concurrent ALTER or DROP;
 *	- a plan found invalid is never repaired but rebuilt from the names that
 *	  the tables bear now;
 *	- a discarded plan is freed at end of transaction, not at once, because an
 *	  outer call may still be executing it;
 *	- it is a generic plan of index nested loops whatever the tables' sizes
 *	  were when it was made: it outlives them, and work is always a number of
 *	  changed rows, never a table.
 *
 * Nothing in a query is found through search_path: tables, types, functions
 * and operators are qualified, and IS DISTINCT FROM, IN, NULLIF and the simple
 * CASE, which look for an operator =, are not used.  The path is not pinned,
 * since triggers of users run within the queries.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "columns.h"
#include "plan_cache.h"

typedef struct PlanKey
{
	const DirectoryQuery *query;	/* static, so its address is its name */
	Oid			nspid;			/* schema of the directory */
	Oid			record;			/* or the table of records */
	int32		record_key;
	int32		is_single;		/* planned for one row */
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;			/* hash key, must be first */
	SPIPlanPtr	plan;			/* NULL until built */
	uint32		path_hash;		/* search_path that it was planned under */
} PlanEntry;

static HTAB *plan_cache = NULL;
static List *expired_plans = NIL;	/* freed at end of transaction */

/* Free the plans that were given up in this transaction. */
static void
free_expired_plans(XactEvent event, void *arg)
{
	ListCell   *lc;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	foreach(lc, expired_plans)
		SPI_freeplan((SPIPlanPtr) lfirst(lc));
	list_free(expired_plans);
	expired_plans = NIL;
}

/* Queue the entry's plan to be freed at end of transaction. */
static void
expire_plan(PlanEntry *entry)
{
	MemoryContext oldcontext;

	if (entry->plan == NULL)
		return;
	oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	expired_plans = lappend(expired_plans, entry->plan);
	MemoryContextSwitchTo(oldcontext);
	entry->plan = NULL;
}

/* Forget the plans that are no longer valid, those of dropped schemas, too. */
static void
sweep_dropped(void)
{
	HASH_SEQ_STATUS seq;
	PlanEntry  *entry;

	hash_seq_init(&seq, plan_cache);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		if (entry->plan != NULL && SPI_plan_is_valid(entry->plan))
			continue;
		expire_plan(entry);
		hash_search(plan_cache, &entry->key, HASH_REMOVE, NULL);
	}
}

static void
init_plan_cache(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(PlanKey);
	ctl.entrysize = sizeof(PlanEntry);
	plan_cache = hash_create("contacts plans", 64, &ctl,
							 HASH_ELEM | HASH_BLOBS);
	RegisterXactCallback(free_expired_plans, NULL);
}

/*
 * Open and lock the table of that name in the schema nspid, and check that it
 * belongs to the owner: maintenance runs as the owner of the table that fired
 * and touches only that owner's tables.
 */
static Relation
open_sibling(Relation fired, Oid nspid, const char *name, Oid owner)
{
	char	   *nspname = get_namespace_name(nspid);
	Oid			relid;
	Relation	sibling;

	if (nspname == NULL)
		elog(ERROR, "cache lookup failed for namespace %u", nspid);

	/* this copes with a concurrent rename or drop, a plain lookup would not */
	relid = RangeVarGetRelid(makeRangeVar(nspname, pstrdup(name), -1),
							 RowExclusiveLock, true);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", nspname, name),
				 errdetail("Table \"%s\" is part of a contact directory and needs it.",
						   RelationGetRelationName(fired)),
				 errhint("Give the directory's tables their original names, in one schema."),
				 errtable(fired)));
	sibling = table_open(relid, NoLock);
	if (RelationGetForm(sibling)->relowner != owner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("tables \"%s\" and \"%s\" have different owners",
						RelationGetRelationName(fired),
						RelationGetRelationName(sibling)),
				 errhint("All tables of a contact directory must have one owner."),
				 errtable(fired)));
	return sibling;
}

/*
 * Open the tables that maintenance works on, for a trigger on fired, a table
 * of the same directory.  Siblings are found in fired's own schema.
 */
void
directory_open(Directory *dir, Relation fired)
{
	dir->nspid = RelationGetNamespace(fired);
	dir->owner = RelationGetForm(fired)->relowner;
	dir->record = NULL;
	dir->record_key = InvalidAttrNumber;
	dir->contact = open_sibling(fired, dir->nspid, "contact", dir->owner);
	dir->identifier = open_sibling(fired, dir->nspid, "identifier",
								   dir->owner);
	check_columns(dir->contact, contact_columns, CONTACT_NCOLUMNS);
	check_columns(dir->identifier, identifier_columns, IDENTIFIER_NCOLUMNS);
}

/*
 * Open and lock another table of the directory, which has the same owner; to be
 * closed by the caller, who keeps the lock.
 */
Relation
directory_sibling(Directory *dir, Relation fired, const char *name)
{
	return open_sibling(fired, dir->nspid, name, dir->owner);
}

/* Close the tables; the locks are kept to the end of the transaction. */
void
directory_close(Directory *dir)
{
	table_close(dir->identifier, NoLock);
	table_close(dir->contact, NoLock);
}

/*
 * For queries on a registered table, which the caller has opened and closes.
 * They run as its owner (rule R3).
 */
void
records_open(Directory *dir, Relation record, AttrNumber key)
{
	memset(dir, 0, sizeof(*dir));
	dir->nspid = RelationGetNamespace(record);
	dir->owner = RelationGetForm(record)->relowner;
	dir->record = record;
	dir->record_key = key;
}

/* Append the FROM item that stands for the rows of a batch. */
static void
append_rows(StringInfo sql, const DirectoryQuery *query, bool is_single)
{
	int			i;

	appendStringInfoString(sql, is_single ? "(VALUES (" : "ROWS FROM (");
	for (i = 1; i <= query->ncols; i++)
	{
		if (i > 1)
			appendStringInfoString(sql, ", ");
		appendStringInfo(sql, is_single ? "$%d" : "pg_catalog.unnest($%d)", i);
	}
	appendStringInfo(sql, is_single ? ")) AS n(%s)" : ") AS n(%s)",
					 query->columns);
}

/* Append what stands for the table of that name. */
static void
append_table(StringInfo sql, Directory *dir, const char *nspname,
			 const char *name)
{
	Relation	record = dir->record;

	if (record == NULL)
		appendStringInfoString(sql, quote_qualified_identifier(nspname, name));
	else if (strcmp(name, "key") == 0)
		appendStringInfoString(sql,
							   quote_identifier(get_attname(RelationGetRelid(record),
															dir->record_key,
															false)));
	else
		appendStringInfo(sql, "%s%s",
						 record->rd_rel->relkind == RELKIND_RELATION ? "ONLY " : "",
						 quote_qualified_identifier(nspname,
													RelationGetRelationName(record)));
}

/* The text of the query, with the names the tables bear now. */
static char *
query_text(Directory *dir, const DirectoryQuery *query, bool is_single)
{
	StringInfoData sql;
	const char *p = query->sql;
	char	   *nspname = get_namespace_name(dir->nspid);

	initStringInfo(&sql);
	while (*p != '\0')
	{
		const char *start = strchr(p, '@');
		const char *end = start ? strchr(start + 1, '@') : NULL;

		if (end == NULL)
		{
			appendStringInfoString(&sql, p);
			break;
		}
		appendBinaryStringInfo(&sql, p, start - p);
		if (strncmp(start, "@rows@", 6) == 0)
			append_rows(&sql, query, is_single);
		else
			append_table(&sql, dir, nspname,
						 pnstrdup(start + 1, end - start - 1));
		p = end + 1;
	}
	return sql.data;
}

/* Run as the owner of the directory's tables, as foreign keys do. */
void
become_owner(Directory *dir, Oid *save_userid, int *save_sec_context)
{
	GetUserIdAndSecContext(save_userid, save_sec_context);
	SetUserIdAndSecContext(dir->owner,
						   *save_sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
}

/* Have the planner use indexes and nested loops, until the nest level ends. */
static int
begin_index_planning(void)
{
	static const char *const off[] = {
		"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"
	};
	int			nestlevel = NewGUCNestLevel();
	int			i;

	for (i = 0; i < lengthof(off); i++)
		(void) set_config_option(off[i], "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

/*
 * Make the generic plan here, and not when first executed, so that the planner
 * settings hold for it alone and not for what triggers of users run meanwhile.
 */
static void
make_generic_plan(SPIPlanPtr plan)
{
	int			nestlevel = begin_index_planning();
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);

	if (cached != NULL)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
	AtEOXact_GUC(true, nestlevel);
}

/* Prepare, plan and save the query. */
static SPIPlanPtr
build_plan(Directory *dir, const DirectoryQuery *query, bool is_single)
{
	Oid			argtypes[QUERY_MAX_COLUMNS];
	char	   *sql = query_text(dir, query, is_single);
	SPIPlanPtr	plan;
	Oid			save_userid;
	int			save_sec_context;
	int			i;

	for (i = 0; i < query->ncols; i++)
		argtypes[i] = query->columns != NULL && !is_single ?
			get_array_type(query->types[i]) : query->types[i];

	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	if (!query->as_caller)
		become_owner(dir, &save_userid, &save_sec_context);
	plan = SPI_prepare_cursor(sql, query->ncols, argtypes,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s for %s",
			 SPI_result_code_string(SPI_result), sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed for %s", sql);
	make_generic_plan(plan);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	return plan;
}

/*
 * The saved plan of the query.  The server plans again when search_path is
 * another one; we do it first, with our settings.  The caller holds locks on the directory's
 * tables, else the validity check proves nothing.
 */
static SPIPlanPtr
fetch_plan(Directory *dir, const DirectoryQuery *query, bool is_single)
{
	PlanKey		key;
	PlanEntry  *entry;
	SPIPlanPtr	plan;
	uint32		path_hash;
	bool		found;

	if (plan_cache == NULL)
		init_plan_cache();
	memset(&key, 0, sizeof(key));
	key.query = query;
	key.nspid = dir->nspid;
	key.record = dir->record == NULL ? InvalidOid :
		RelationGetRelid(dir->record);
	key.record_key = dir->record_key;
	key.is_single = is_single;

	entry = hash_search(plan_cache, &key, HASH_FIND, NULL);
	path_hash = hash_bytes((const unsigned char *) namespace_search_path,
						   strlen(namespace_search_path));
	if (entry != NULL && entry->plan != NULL &&
		SPI_plan_is_valid(entry->plan) && entry->path_hash == path_hash)
		return entry->plan;

	/* the plans of dropped directories go when a new one is made */
	sweep_dropped();
	plan = build_plan(dir, query, is_single);
	entry = hash_search(plan_cache, &key, HASH_ENTER, &found);
	if (found)
		expire_plan(entry);
	entry->plan = plan;
	entry->path_hash = path_hash;
	return plan;
}

/*
 * Run the plan as the owner of the directory, or as any statement of the
 * caller's where the query says so; return the number of rows.
 *
 * Under REPEATABLE READ and SERIALIZABLE the query must see what is committed
 * now, as a foreign key check does, and fail with 40001 where a row it is to
 * change is newer than the transaction.  The crosscheck protects the rows that
 * the query updates or deletes, not those that it only reads.
 */
static uint64
execute_plan(Directory *dir, const DirectoryQuery *query, SPIPlanPtr plan,
			 Datum *values, const char *nulls)
{
	Oid			save_userid;
	int			save_sec_context;
	Snapshot	test_snapshot = InvalidSnapshot;
	Snapshot	crosscheck_snapshot = InvalidSnapshot;
	int			rc;

	if (IsolationUsesXactSnapshot() && !query->as_caller)
	{
		CommandCounterIncrement();	/* see our own changes, too */
		test_snapshot = GetLatestSnapshot();
		crosscheck_snapshot = GetTransactionSnapshot();
	}

	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	if (!query->as_caller)
		become_owner(dir, &save_userid, &save_sec_context);
	/* fire_triggers: else events of all chunks pile up in the outer query */
	rc = SPI_execute_snapshot(plan, values, nulls, test_snapshot,
							  crosscheck_snapshot, false, true, 0);
	/* no PG_TRY: an error exit restores the user with the transaction */
	SetUserIdAndSecContext(save_userid, save_sec_context);
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot returned %s",
			 SPI_result_code_string(rc));
	return SPI_processed;
}

/* Run a query with plain parameters; within SPI_connect(). */
uint64
query_run(Directory *dir, const DirectoryQuery *query, Datum *values, const char *nulls)
{
	Assert(query->columns == NULL);
	return execute_plan(dir, query, fetch_plan(dir, query, false), values,
						nulls);
}

/*
 * Run a query with plain parameters outside SPI, and return the first column
 * of its first row, copied into the caller's context; NULL if there is none.
 */
Datum
query_value(Directory *dir, const DirectoryQuery *query, Datum *values, bool *isnull)
{
	Datum		result = (Datum) 0;
	MemoryContext caller = CurrentMemoryContext;

	SPI_connect();
	*isnull = true;
	if (query_run(dir, query, values, NULL) > 0)
	{
		TupleDesc	desc = SPI_tuptable->tupdesc;

		result = SPI_getbinval(SPI_tuptable->vals[0], desc, 1, isnull);
		if (!*isnull)
		{
			MemoryContext spi = MemoryContextSwitchTo(caller);

			result = SPI_datumTransfer(result, TupleDescAttr(desc, 0)->attbyval,
									   TupleDescAttr(desc, 0)->attlen);
			MemoryContextSwitchTo(spi);
		}
	}
	SPI_finish();
	return result;
}

/* An empty batch in the caller's memory context. */
Batch *
batch_create(const DirectoryQuery *query, int capacity)
{
	Batch	   *batch = palloc0(sizeof(Batch));
	int			i;

	batch->query = query;
	batch->capacity = Max(capacity, 1);
	for (i = 0; i < query->ncols; i++)
	{
		batch->values[i] = palloc(sizeof(Datum) * batch->capacity);
		batch->nulls[i] = palloc(sizeof(bool) * batch->capacity);
	}
	return batch;
}

/*
 * Add a row.  By-reference values are not copied: they must live until the
 * batch has run.  nulls may be NULL if there are none.
 */
void
batch_add(Batch *batch, const Datum *values, const bool *nulls)
{
	int			i;

	Assert(batch->nrows < batch->capacity);
	for (i = 0; i < batch->query->ncols; i++)
	{
		batch->values[i][batch->nrows] = values[i];
		batch->nulls[i][batch->nrows] = nulls != NULL && nulls[i];
	}
	batch->nrows++;
}

/* A column of the batch as an array, for a statement made elsewhere. */
Datum
batch_column(const Batch *batch, int column)
{
	Oid			type = batch->query->types[column];
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			dims[1];
	int			lbs[1] = {1};

	dims[0] = batch->nrows;
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(batch->values[column],
											  batch->nulls[column],
											  1, dims, lbs, type,
											  typlen, typbyval, typalign));
}

/*
 * Run the query over the rows of the batch, within SPI_connect(), and return
 * the number of rows it processed; nothing is run for no rows.  One row has a
 * plan of its own, which is 10 to 20 us cheaper than unnest of one element.
 */
uint64
batch_run(Directory *dir, Batch *batch)
{
	Datum		values[QUERY_MAX_COLUMNS];
	char		nulls[QUERY_MAX_COLUMNS + 1];
	bool		is_single = batch->nrows == 1;
	int			i;

	if (batch->nrows == 0)
		return 0;
	for (i = 0; i < batch->query->ncols; i++)
	{
		nulls[i] = is_single && batch->nulls[i][0] ? 'n' : ' ';
		values[i] = is_single ? batch->values[i][0] : batch_column(batch, i);
	}
	nulls[batch->query->ncols] = '\0';
	return execute_plan(dir, batch->query,
						fetch_plan(dir, batch->query, is_single),
						values, nulls);
}
