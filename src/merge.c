/*-------------------------------------------------------------------------
 *
 * merge.c
 *	  what merging contacts needs of the server (sql/merge.sql does the rest)
 *
 * A merge writes tables of all kinds, with statements made from the catalogue.
 * They must meet all rows that are committed, in every isolation level, and
 * triggers of users must find what they find when their owner writes: so the
 * statements name everything in full and run with the caller's search_path.
 * Their text is the same for every merge, so a session keeps their plans.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "merge.h"

#define MERGE_NARGS 4			/* lose, keep, merge_id, survivor_id */
#define PLAN_SLOTS 1024

/* A plan that is kept: its text, and how many executions are under way. */
typedef struct PlanSlot
{
	char	   *statement;
	SPIPlanPtr	plan;
	int			nrunning;
} PlanSlot;

static PlanSlot *slots = NULL;

/* What an error left behind as running is not. */
static void
end_of_transaction(XactEvent event, void *arg)
{
	int			i;

	for (i = 0; slots != NULL && i < PLAN_SLOTS; i++)
		slots[i].nrunning = 0;
}

/* What a session remembers of who refers to the rows of a table. */
typedef struct KnownReferences
{
	Oid			parent;			/* hash key */
	Datum		references;
	bool		is_valid;
} KnownReferences;

static HTAB *known = NULL;
static uint64 nforgotten = 0;	/* messages that made them invalid */

/* Foreign keys and indexes come and go with messages about their tables. */
static void
forget_references(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	KnownReferences *entry;

	nforgotten++;
	if (known == NULL)
		return;
	hash_seq_init(&status, known);
	while ((entry = hash_seq_search(&status)) != NULL)
		entry->is_valid = false;
}

/* So may namespaces, types, operators and collations be renamed. */
static void
forget_names(Datum arg, int cacheid, uint32 hashvalue)
{
	forget_references(arg, InvalidOid);
}

/* The library is loaded. */
void
merge_init(void)
{
	RegisterXactCallback(end_of_transaction, NULL);
	CacheRegisterRelcacheCallback(forget_references, (Datum) 0);
	/* what the statements name may get another name */
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_names, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, forget_names, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, forget_names, (Datum) 0);
	CacheRegisterSyscacheCallback(COLLOID, forget_names, (Datum) 0);
}

/* The entry of a table, made if it is not there. */
static KnownReferences *
find_references(Oid parent)
{
	KnownReferences *entry;
	bool		found;

	if (known == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(KnownReferences);
		known = hash_create("contacts references", 64, &ctl,
							HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(known, &parent, HASH_ENTER, &found);
	if (!found)
	{
		entry->references = (Datum) 0;
		entry->is_valid = false;
	}
	return entry;
}

/* Read the references of a table and remember them. */
static void
read_references(KnownReferences *entry)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1];
	Datum		references;
	MemoryContext oldcontext;
	bool		isnull;
	uint64		before = nforgotten;

	values[0] = ObjectIdGetDatum(entry->parent);
	SPI_connect();
	if (SPI_execute_with_args("SELECT coalesce(pg_catalog.array_agg(r), '{}')"
							  " FROM contacts.references_to($1) r",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "references to table %u could not be read", entry->parent);
	references = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
							   1, &isnull);
	oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	references = PointerGetDatum(PG_DETOAST_DATUM_COPY(references));
	MemoryContextSwitchTo(oldcontext);
	if (entry->references != (Datum) 0)
		pfree(DatumGetPointer(entry->references));
	entry->references = references;
	/* not if a message came while the catalogue was read */
	entry->is_valid = nforgotten == before;
	SPI_finish();
}

PG_FUNCTION_INFO_V1(known_references);

/* contacts.known_references(parent): what references_to() says, remembered. */
Datum
known_references(PG_FUNCTION_ARGS)
{
	KnownReferences *entry = find_references(PG_GETARG_OID(0));

	AcceptInvalidationMessages();
	if (!entry->is_valid)
		read_references(entry);
	PG_RETURN_DATUM(datumCopy(entry->references, false, -1));
}

static SPIPlanPtr
prepare(const char *statement)
{
	static Oid	types[MERGE_NARGS] = {JSONBOID, JSONBOID, INT8OID, INT8OID};
	SPIPlanPtr	plan;

	/* a plan for these very values costs more than it brings */
	plan = SPI_prepare_cursor(statement, MERGE_NARGS, types,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * The plan of a statement: kept, or kept from now on, in the place of another
 * one.  *slot is NULL where the place is that of a plan which is running.
 */
static SPIPlanPtr
find_plan(const char *statement, PlanSlot **slot)
{
	uint32		hash = hash_bytes((const unsigned char *) statement,
								  strlen(statement));
	PlanSlot   *place;
	SPIPlanPtr	plan;

	if (slots == NULL)
		slots = MemoryContextAllocZero(TopMemoryContext,
									   sizeof(PlanSlot) * PLAN_SLOTS);
	place = &slots[hash % PLAN_SLOTS];
	*slot = place;
	if (place->statement != NULL && strcmp(place->statement, statement) == 0)
		return place->plan;
	plan = prepare(statement);
	if (place->nrunning > 0)
	{
		*slot = NULL;
		return plan;
	}
	if (place->statement != NULL)
	{
		char	   *old = place->statement;

		place->statement = NULL;
		SPI_freeplan(place->plan);
		pfree(old);
	}
	SPI_keepplan(plan);
	place->plan = plan;
	place->statement = MemoryContextStrdup(TopMemoryContext, statement);
	return plan;
}

/*
 * Run a plan over what is committed now.  Under REPEATABLE READ and
 * SERIALIZABLE that fails with 40001 where it is more than the transaction
 * sees, as the server's foreign keys do.
 */
static void
execute_latest(SPIPlanPtr plan, Datum *values, const char *nulls,
			   bool read_only)
{
	Snapshot	latest = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;

	if (IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		latest = RegisterSnapshot(GetLatestSnapshot());
		crosscheck = GetTransactionSnapshot();
	}
	if (SPI_execute_snapshot(plan, values, nulls, latest, crosscheck,
							 read_only, true, 0) < 0)
		elog(ERROR, "SPI_execute_snapshot failed");
	if (latest != InvalidSnapshot)
		UnregisterSnapshot(latest);
}

PG_FUNCTION_INFO_V1(merge_rows);

/*
 * contacts.merge_rows(statement, lose, keep, merge_id, survivor_id, path): run
 * a statement with the parameters $1 to $4, as whoever calls, with that
 * search_path.  Returns the number of rows.
 */
Datum
merge_rows(PG_FUNCTION_ARGS)
{
	Datum		values[MERGE_NARGS];
	char		nulls[MERGE_NARGS];
	char	   *statement;
	SPIPlanPtr	plan;
	PlanSlot   *slot;
	int			level;
	int64		nrows;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	statement = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (i = 0; i < MERGE_NARGS; i++)
	{
		nulls[i] = PG_ARGISNULL(i + 1) ? 'n' : ' ';
		values[i] = PG_ARGISNULL(i + 1) ? (Datum) 0 : PG_GETARG_DATUM(i + 1);
	}
	level = NewGUCNestLevel();
	(void) set_config_option("search_path",
							 text_to_cstring(PG_GETARG_TEXT_PP(5)),
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	plan = find_plan(statement, &slot);
	if (slot != NULL)
		slot->nrunning++;
	execute_latest(plan, values, nulls, false);
	if (slot != NULL)
		slot->nrunning--;
	nrows = (int64) SPI_processed;
	SPI_finish();
	AtEOXact_GUC(true, level);
	PG_RETURN_INT64(nrows);
}

/*
 * The table that a foreign key is on and the one it leads to; whoever asks may
 * delete from the latter, which would tell him as much.
 */
static void
read_constraint(Oid constraint, Oid *referring, Oid *referred)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(constraint));
	Form_pg_constraint form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	*referring = form->conrelid;
	*referred = form->confrelid;
	ReleaseSysCache(tuple);
	if (!OidIsValid(*referred) ||
		pg_class_aclcheck(*referred, GetUserId(), ACL_DELETE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
					   get_rel_name(OidIsValid(*referred) ? *referred :
									*referring));
}

/* The query that a foreign key of the parent is checked with. */
static char *
reference_query(Oid constraint, Oid parent)
{
	Oid			types[2] = {OIDOID, OIDOID};
	Datum		values[2];
	char	   *query;

	values[0] = ObjectIdGetDatum(constraint);
	values[1] = ObjectIdGetDatum(parent);
	if (SPI_execute_with_args("SELECT pg_catalog.format('SELECT 1 FROM %s t WHERE %s LIMIT 1',"
							  " r.target, r.match)"
							  " FROM contacts.references_to($2) r"
							  " WHERE r.id OPERATOR(pg_catalog.=) $1",
							  2, types, values, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "foreign key %u was not found", constraint);
	query = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return query;
}

PG_FUNCTION_INFO_V1(still_refers);

/*
 * contacts.still_refers(constraint_id, lose): do rows refer, by that foreign
 * key, to the row of which lose is the image?  Looks as the owner of the
 * referring table, row security aside, as the server does before it deletes.
 */
Datum
still_refers(PG_FUNCTION_ARGS)
{
	Oid			constraint = PG_GETARG_OID(0);
	Oid			types[1] = {JSONBOID};
	Datum		values[1];
	Oid			referring;
	Oid			referred;
	Oid			user;
	int			context;
	Relation	rel;
	SPIPlanPtr	plan;
	char	   *query;
	bool		found;

	values[0] = PG_GETARG_DATUM(1);
	read_constraint(constraint, &referring, &referred);
	SPI_connect();
	query = reference_query(constraint, referred);
	rel = table_open(referring, AccessShareLock);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	plan = SPI_prepare(query, 1, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	execute_latest(plan, values, " ", false);
	found = SPI_processed > 0;
	SetUserIdAndSecContext(user, context);
	table_close(rel, AccessShareLock);
	SPI_finish();
	PG_RETURN_BOOL(found);
}
