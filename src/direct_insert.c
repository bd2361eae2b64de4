/*-------------------------------------------------------------------------
 *
 * direct_insert.c
 *	  rows that triggers make, written straight into table and indexes
 *
 * An INSERT of a million contacts claims two million identifiers, one of a
 * million links makes a million mirrors.  Written by a statement, each of these
 * rows would fire the triggers that look after rows of clients and the foreign
 * keys' checks, although all that those would find or derive is known.  So such
 * rows are inserted as the server does it, but without the statement around it.
 *
 * That is allowed only while the table is as create_directory() made it: a
 * trigger, rule, foreign key or deferrable constraint of a user, or a generated
 * column, sends the rows the long way through a statement.  Columns of users
 * get their defaults, and their NOT NULLs and checks are tested.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "columns.h"
#include "direct_insert.h"
#include "main_identifier.h"

#define INSERT_BATCH 1000		/* rows that share a visit of the heap */

/*
 * What a session remembers of a table: whether rows may be written into it
 * directly, and the defaults of the columns that they do not give.
 */
typedef struct InsertPlan
{
	Oid			relid;			/* hash key, must be first */
	bool		is_valid;		/* false: make it again before use */
	bool		is_allowed;
	bool		has_user_parts; /* columns or checks of users: test each row */
	MemoryContext context;		/* holds what follows */
	Expr	  **defaults;		/* by attribute; NULL: given or none */
	bool	   *is_volatile;
} InsertPlan;

static HTAB *insert_plans = NULL;

/* An insertion in progress. */
struct DirectInsert
{
	Relation	rel;
	bool		has_user_parts;
	EState	   *estate;
	ResultRelInfo *result;
	CommandId	cid;
	AttrNumber	attnums[DIRECT_MAX_COLUMNS];
	Datum	   *values;			/* defaults, by attribute */
	bool	   *nulls;
	ExprState **volatiles;		/* defaults evaluated for each row, or NULL */
	List	   *arbiters;		/* index that rows may meet others on */
	TupleTableSlot *slot;		/* the row that is being made */
	TupleTableSlot *slots[INSERT_BATCH];	/* rows not written yet */
	int			nslots;			/* slots made */
	int			nrows;			/* slots filled */
	MemoryContext batch_context;	/* holds volatile defaults of those */
	Oid			save_userid;
	int			save_sec_context;
};

/* The table changed or went away.  Only mark. */
static void
mark_invalid(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	InsertPlan *plan;

	hash_seq_init(&seq, insert_plans);
	while ((plan = hash_seq_search(&seq)) != NULL)
	{
		if (!OidIsValid(relid) || plan->relid == relid)
			plan->is_valid = false;
	}
}

/* Does an index of the table wait for a trigger to be enforced? */
static bool
has_deferrable_index(Relation rel)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		found = found || !index->rd_index->indimmediate;
		index_close(index, NoLock);
	}
	return found;
}

/* Is the table as create_directory() made it, but for columns? */
static bool
is_plain_table(Relation rel, const DirectTable *table)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	ListCell   *lc;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rules != NULL ||
		rel->rd_rel->relispartition ||
		(constr != NULL && constr->has_generated_stored) ||
		has_user_triggers(rel) || has_deferrable_index(rel))
		return false;
	foreach(lc, RelationGetFKeyList(rel))
	{
		if (!table->is_own_foreign_key(rel, lfirst(lc)))
			return false;
	}
	return true;
}

/* May the column be NULL in the rows? */
static bool
is_optional(const DirectTable *table, const char *name)
{
	int			i;

	for (i = 0; i < table->noptional; i++)
	{
		if (strcmp(table->columns[table->optional[i]], name) == 0)
			return true;
	}
	return false;
}

/* Does the table have columns, NOT NULLs or checks that are not ours? */
static bool
has_user_parts(Relation rel, const DirectTable *table)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;
	int			j;

	if (desc->natts != table->ncolumns)
		return true;
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attnotnull && is_optional(table, NameStr(att->attname)))
			return true;
	}
	for (i = 0; desc->constr != NULL && i < desc->constr->num_check; i++)
	{
		bool		is_own = false;

		for (j = 0; j < table->nchecks; j++)
			is_own = is_own ||
				strcmp(desc->constr->check[i].ccname, table->checks[j]) == 0;
		if (!is_own)
			return true;
	}
	return false;
}

/* Find the defaults of the columns that the rows do not give. */
static void
plan_defaults(InsertPlan *plan, Relation rel, const DirectTable *table)
{
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	attnums[DIRECT_MAX_COLUMNS];
	Bitmapset  *given = NULL;
	int			i;

	find_columns(rel, table->columns, table->ncolumns, attnums);
	for (i = 0; i < table->ngiven; i++)
		given = bms_add_member(given, attnums[table->given[i]]);
	plan->defaults = palloc0(sizeof(Expr *) * desc->natts);
	plan->is_volatile = palloc0(sizeof(bool) * desc->natts);
	for (i = 0; i < desc->natts; i++)
	{
		Node	   *expr;

		if (TupleDescAttr(desc, i)->attisdropped || bms_is_member(i + 1, given))
			continue;
		expr = build_column_default(rel, i + 1);
		if (expr == NULL)
			continue;
		plan->is_volatile[i] = contain_volatile_functions(expr);
		plan->defaults[i] = expression_planner((Expr *) expr);
	}
}

/* The plan for the table, which is open and locked. */
static InsertPlan *
insert_plan(Relation rel, const DirectTable *table)
{
	Oid			relid = RelationGetRelid(rel);
	InsertPlan *plan;
	MemoryContext oldcontext;
	bool		found;

	if (insert_plans == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(InsertPlan);
		insert_plans = hash_create("contacts insert plans", 16, &ctl,
								   HASH_ELEM | HASH_BLOBS);
		CacheRegisterRelcacheCallback(mark_invalid, (Datum) 0);
	}
	plan = hash_search(insert_plans, &relid, HASH_ENTER, &found);
	if (!found)
	{
		plan->is_valid = false;
		plan->context = NULL;
	}
	if (plan->is_valid)
		return plan;

	if (plan->context == NULL)
		plan->context = AllocSetContextCreate(TopMemoryContext,
											  "contacts insert plan",
											  ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(plan->context);
	oldcontext = MemoryContextSwitchTo(plan->context);
	plan_defaults(plan, rel, table);
	plan->is_allowed = is_plain_table(rel, table);
	plan->has_user_parts = has_user_parts(rel, table);
	MemoryContextSwitchTo(oldcontext);
	plan->is_valid = true;
	return plan;
}

/* May rows be written into the table directly? */
bool
can_insert_directly(Relation rel, const DirectTable *table)
{
	return insert_plan(rel, table)->is_allowed;
}

/*
 * Have insert_unless_met() look for rows that are met on the unique index over
 * these two columns; 55000 if there is none.
 */
void
direct_set_arbiter(DirectInsert *ins, int column1, int column2)
{
	ResultRelInfo *result = ins->result;
	int			i;

	for (i = 0; i < result->ri_NumIndices; i++)
	{
		IndexInfo  *info = result->ri_IndexRelationInfo[i];

		if (info->ii_Unique && info->ii_NumIndexKeyAttrs == 2 &&
			info->ii_Predicate == NIL &&
			info->ii_IndexAttrNumbers[0] == ins->attnums[column1] &&
			info->ii_IndexAttrNumbers[1] == ins->attnums[column2])
		{
			ins->arbiters = list_make1_oid(RelationGetRelid(result->ri_IndexRelationDescs[i]));
			return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no unique index over %s and %s",
					RelationGetRelationName(ins->rel),
					get_attname(RelationGetRelid(ins->rel),
								ins->attnums[column1], false),
					get_attname(RelationGetRelid(ins->rel),
								ins->attnums[column2], false)),
			 errtable(ins->rel)));
}

/* Evaluate the defaults, once; volatile ones are left for each row. */
static void
prepare_defaults(DirectInsert *ins, const InsertPlan *plan)
{
	int			natts = RelationGetDescr(ins->rel)->natts;
	ExprContext *context = CreateExprContext(ins->estate);
	int			i;

	ins->values = palloc0(sizeof(Datum) * natts);
	ins->nulls = palloc(sizeof(bool) * natts);
	ins->volatiles = palloc0(sizeof(ExprState *) * natts);
	memset(ins->nulls, true, sizeof(bool) * natts);
	for (i = 0; i < natts; i++)
	{
		ExprState  *state;

		if (plan->defaults[i] == NULL)
			continue;
		/* a copy: a message may reset the plan while the rows are written */
		state = ExecInitExpr(copyObject(plan->defaults[i]), NULL);
		if (plan->is_volatile[i])
			ins->volatiles[i] = state;
		else
			ins->values[i] = ExecEvalExpr(state, context, &ins->nulls[i]);
	}
}

/*
 * Begin to insert rows, as the owner of the directory, whose table rel is.  The
 * caller has asked can_insert_directly(), and ends what it began.
 */
DirectInsert *
direct_begin(Directory *dir, Relation rel, const DirectTable *table)
{
	DirectInsert *ins = palloc0(sizeof(DirectInsert));
	InsertPlan *plan = insert_plan(rel, table);

	become_owner(dir, &ins->save_userid, &ins->save_sec_context);
	ins->rel = rel;
	ins->has_user_parts = plan->has_user_parts;
	ins->estate = CreateExecutorState();
	ins->result = makeNode(ResultRelInfo);
	InitResultRelInfo(ins->result, rel, 0, NULL, 0);
	prepare_defaults(ins, plan);
	ExecOpenIndices(ins->result, true);
	ins->cid = GetCurrentCommandId(true);
	find_columns(rel, table->columns, table->ncolumns, ins->attnums);
	ins->batch_context = AllocSetContextCreate(CurrentMemoryContext,
											   "contacts direct insert",
											   ALLOCSET_DEFAULT_SIZES);
	return ins;
}

/*
 * Begin the next row: defaults everywhere.  What direct_put() then gives must
 * live until the row is written, by direct_end() at the latest.
 */
void
direct_begin_row(DirectInsert *ins)
{
	int			natts = RelationGetDescr(ins->rel)->natts;
	MemoryContext oldcontext;
	int			i;

	if (ins->nrows == ins->nslots)
	{
		oldcontext = MemoryContextSwitchTo(ins->estate->es_query_cxt);
		ins->slots[ins->nslots++] = table_slot_create(ins->rel, NULL);
		MemoryContextSwitchTo(oldcontext);
	}
	ins->slot = ins->slots[ins->nrows];
	ExecClearTuple(ins->slot);
	memcpy(ins->slot->tts_values, ins->values, sizeof(Datum) * natts);
	memcpy(ins->slot->tts_isnull, ins->nulls, sizeof(bool) * natts);
	oldcontext = MemoryContextSwitchTo(ins->batch_context);
	for (i = 0; i < natts; i++)
	{
		if (ins->volatiles[i] != NULL)
			ins->slot->tts_values[i] =
				ExecEvalExpr(ins->volatiles[i],
							 GetPerTupleExprContext(ins->estate),
							 &ins->slot->tts_isnull[i]);
	}
	MemoryContextSwitchTo(oldcontext);
}

/* Give the row a value. */
void
direct_put(DirectInsert *ins, int column, Datum value)
{
	int			i = ins->attnums[column] - 1;

	ins->slot->tts_values[i] = value;
	ins->slot->tts_isnull[i] = false;
}

/* The row is complete: what users demand of it is tested. */
static void
end_row(DirectInsert *ins)
{
	ExecStoreVirtualTuple(ins->slot);
	ins->slot->tts_tableOid = RelationGetRelid(ins->rel);
	if (ins->has_user_parts)
		ExecConstraints(ins->result, ins->slot, ins->estate);
}

/*
 * Write the row, unless another is there that it would meet on the arbiter
 * index, or comes meanwhile; a session that is about to insert one is waited
 * for.  This is INSERT ON CONFLICT DO NOTHING.  False if it was not written.
 */
bool
direct_insert_unless_met(DirectInsert *ins)
{
	ItemPointerData conflict;
	bool		is_taken;

	end_row(ins);
	do
	{
		uint32		token;

		CHECK_FOR_INTERRUPTS();
		is_taken = !compat_check_index_constraints(ins->result, ins->slot,
												   ins->estate, &conflict,
												   ins->arbiters);
		if (is_taken)
			break;
		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		table_tuple_insert_speculative(ins->rel, ins->slot, ins->cid, 0, NULL,
									   token);
		list_free(compat_insert_index_tuples(ins->result, ins->slot,
											 ins->estate, true, &is_taken,
											 ins->arbiters));
		table_tuple_complete_speculative(ins->rel, ins->slot, token,
										 !is_taken);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	} while (is_taken);
	ResetPerTupleExprContext(ins->estate);
	MemoryContextReset(ins->batch_context);
	return !is_taken;
}

/* Where direct_insert_unless_met() has written the row. */
ItemPointerData
direct_position(const DirectInsert *ins)
{
	return ins->slot->tts_tid;
}

/* Write the rows that wait, into the heap together, then into the indexes. */
static void
flush_rows(DirectInsert *ins)
{
	int			i;

	if (ins->nrows == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	table_multi_insert(ins->rel, ins->slots, ins->nrows, ins->cid, 0, NULL);
	for (i = 0; i < ins->nrows; i++)
	{
		list_free(compat_insert_index_tuples(ins->result, ins->slots[i],
											 ins->estate, false, NULL, NIL));
		ResetPerTupleExprContext(ins->estate);
	}
	ins->nrows = 0;
	MemoryContextReset(ins->batch_context);
}

/*
 * Have the row written, with others, by direct_end() at the latest.  Raises
 * 23505 where a unique index holds its like.
 */
void
direct_insert(DirectInsert *ins)
{
	end_row(ins);
	if (++ins->nrows == INSERT_BATCH)
		flush_rows(ins);
}

/* End the insertion; queries that follow see the rows. */
void
direct_end(DirectInsert *ins)
{
	int			i;

	flush_rows(ins);
	ExecCloseIndices(ins->result);
	for (i = 0; i < ins->nslots; i++)
		ExecDropSingleTupleTableSlot(ins->slots[i]);
	FreeExecutorState(ins->estate);
	MemoryContextDelete(ins->batch_context);
	/* no PG_TRY: an error exit restores the user with the transaction */
	SetUserIdAndSecContext(ins->save_userid, ins->save_sec_context);
	CommandCounterIncrement();
}
