/*-------------------------------------------------------------------------
 *
 * direct_insert.c
 *	  claims written straight into table and indexes
 *
 * An INSERT of a million contacts claims two million identifiers.  Written by
 * a statement, each would fire the triggers that look after rows of clients
 * and the foreign keys' checks, although the contact is the caller's own row,
 * kinds and the slug main cannot go away, and everything that the triggers
 * derive is known.  So claims are inserted as ON CONFLICT DO NOTHING does it,
 * speculatively, but without the statement around it.
 *
 * That is allowed only while the table is as create_directory() made it: a
 * trigger, rule, foreign key or deferrable constraint of a user, or a generated
 * column, sends claims the long way through a statement.  Columns of users get
 * their defaults, and their NOT NULLs and checks are tested.
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
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "direct_insert.h"
#include "main_identifier.h"

/* The columns that a claim gives; all others get their defaults. */
static const IdentifierColumn given_columns[] = {
	IDENTIFIER_CONTACT_ID, IDENTIFIER_SEMANTIC_TYPE, IDENTIFIER_SLUG,
	IDENTIFIER_VALUE, IDENTIFIER_KEY, IDENTIFIER_HOLDER, IDENTIFIER_STATUS,
	IDENTIFIER_STATUS_REASON, IDENTIFIER_STATUS_CHANGED_AT
};

/*
 * What a session remembers of a table identifier: whether claims may be
 * written into it directly, and the defaults of the columns they do not give.
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
typedef struct Insertion
{
	Relation	rel;
	InsertPlan *plan;
	bool		has_user_parts;
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slot;
	List	   *arbiters;		/* the index over (key, holder) */
	CommandId	cid;
	AttrNumber	attnums[IDENTIFIER_NCOLUMNS];
	Datum	   *values;			/* defaults, by attribute */
	bool	   *nulls;
	ExprState **volatiles;		/* defaults evaluated for each row, or NULL */
	Datum		main_slug;
	Datum		now;
} Insertion;

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

/* May the foreign key be taken as fulfilled by every claim? */
static bool
is_own_foreign_key(Directory *dir, const ForeignKeyCacheInfo *fk)
{
	int			i;

	if (fk->confrelid == RelationGetRelid(dir->contact))
		return fk->nkeys == 1 &&
			fk->conkey[0] == get_attnum(fk->conrelid, "contact_id");
	if (fk->confrelid != get_relname_relid("semantic_type", dir->nspid) &&
		fk->confrelid != get_relname_relid("identifier_slug", dir->nspid))
		return false;
	for (i = 0; i < fk->nkeys; i++)
	{
		if (fk->conkey[i] != get_attnum(fk->conrelid, "semantic_type") &&
			fk->conkey[i] != get_attnum(fk->conrelid, "slug"))
			return false;
	}
	return true;
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

/* Is the table identifier as create_directory() made it, but for columns? */
static bool
is_plain_table(Directory *dir)
{
	Relation	rel = dir->identifier;
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	ListCell   *lc;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rules != NULL ||
		rel->rd_rel->relispartition ||
		(constr != NULL && constr->has_generated_stored) ||
		has_user_triggers(rel) || has_deferrable_index(rel))
		return false;
	foreach(lc, RelationGetFKeyList(rel))
	{
		if (!is_own_foreign_key(dir, lfirst(lc)))
			return false;
	}
	return true;
}

/* May the column be NULL in the row of a claim? */
static bool
is_optional(const char *name)
{
	static const IdentifierColumn optional[] = {
		IDENTIFIER_VALIDATED_AT, IDENTIFIER_VALIDATION_METHOD,
		IDENTIFIER_SOURCE, IDENTIFIER_STATUS, IDENTIFIER_STATUS_REASON,
		IDENTIFIER_STATUS_CHANGED_AT
	};
	int			i;

	for (i = 0; i < lengthof(optional); i++)
	{
		if (strcmp(identifier_columns[optional[i]], name) == 0)
			return true;
	}
	return false;
}

/* Does the table have columns, NOT NULLs or checks that are not ours? */
static bool
has_user_parts(Relation rel)
{
	static const char *const own[] = {
		"identifier_state_is_in_one_row", "identifier_without_value",
		"identifier_is_validated"
	};
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;
	int			j;

	if (desc->natts != IDENTIFIER_NCOLUMNS)
		return true;
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attnotnull && is_optional(NameStr(att->attname)))
			return true;
	}
	for (i = 0; desc->constr != NULL && i < desc->constr->num_check; i++)
	{
		bool		is_own = false;

		for (j = 0; j < lengthof(own); j++)
			is_own = is_own ||
				strcmp(desc->constr->check[i].ccname, own[j]) == 0;
		if (!is_own)
			return true;
	}
	return false;
}

/* Find the defaults of the columns that claims do not give. */
static void
plan_defaults(InsertPlan *plan, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	attnums[IDENTIFIER_NCOLUMNS];
	Bitmapset  *given = NULL;
	int			i;

	find_columns(rel, identifier_columns, IDENTIFIER_NCOLUMNS, attnums);
	for (i = 0; i < lengthof(given_columns); i++)
		given = bms_add_member(given, attnums[given_columns[i]]);
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

/* The plan for the directory's table identifier, which is open and locked. */
static InsertPlan *
insert_plan(Directory *dir)
{
	Oid			relid = RelationGetRelid(dir->identifier);
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
	plan_defaults(plan, dir->identifier);
	plan->is_allowed = is_plain_table(dir);
	plan->has_user_parts = has_user_parts(dir->identifier);
	MemoryContextSwitchTo(oldcontext);
	plan->is_valid = true;
	return plan;
}

/* May claims be written into the table directly? */
bool
can_insert_directly(Directory *dir)
{
	return insert_plan(dir)->is_allowed;
}

/* The unique index over (key, holder), on which all claims meet. */
static List *
find_arbiter(ResultRelInfo *result, const AttrNumber *attnums)
{
	int			i;

	for (i = 0; i < result->ri_NumIndices; i++)
	{
		IndexInfo  *info = result->ri_IndexRelationInfo[i];

		if (info->ii_Unique && info->ii_NumIndexKeyAttrs == 2 &&
			info->ii_Predicate == NIL &&
			info->ii_IndexAttrNumbers[0] == attnums[IDENTIFIER_KEY] &&
			info->ii_IndexAttrNumbers[1] == attnums[IDENTIFIER_HOLDER])
			return list_make1_oid(RelationGetRelid(result->ri_IndexRelationDescs[i]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no unique index over key and holder",
					RelationGetRelationName(result->ri_RelationDesc)),
			 errtable(result->ri_RelationDesc)));
	return NIL;
}

/* Evaluate the defaults, once; volatile ones are left for each row. */
static void
prepare_defaults(Insertion *ins)
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

		if (ins->plan->defaults[i] == NULL)
			continue;
		/* a copy: a message may reset the plan while the rows are written */
		state = ExecInitExpr(copyObject(ins->plan->defaults[i]), NULL);
		if (ins->plan->is_volatile[i])
			ins->volatiles[i] = state;
		else
			ins->values[i] = ExecEvalExpr(state, context, &ins->nulls[i]);
	}
}

static void
begin_insertion(Insertion *ins, Directory *dir)
{
	ins->rel = dir->identifier;
	ins->plan = insert_plan(dir);
	ins->has_user_parts = ins->plan->has_user_parts;
	ins->estate = CreateExecutorState();
	ins->result = makeNode(ResultRelInfo);
	InitResultRelInfo(ins->result, ins->rel, 0, NULL, 0);
	prepare_defaults(ins);
	ExecOpenIndices(ins->result, true);
	ins->slot = table_slot_create(ins->rel, NULL);
	ins->cid = GetCurrentCommandId(true);
	find_columns(ins->rel, identifier_columns, IDENTIFIER_NCOLUMNS,
				 ins->attnums);
	ins->arbiters = find_arbiter(ins->result, ins->attnums);
	ins->main_slug = CStringGetTextDatum("main");
	ins->now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
}

static void
end_insertion(Insertion *ins)
{
	ExecCloseIndices(ins->result);
	ExecDropSingleTupleTableSlot(ins->slot);
	FreeExecutorState(ins->estate);
}

static void
put(Insertion *ins, IdentifierColumn column, Datum value)
{
	int			i = ins->attnums[column] - 1;

	ins->slot->tts_values[i] = value;
	ins->slot->tts_isnull[i] = false;
}

/* Fill the slot with the columns' defaults. */
static void
fill_defaults(Insertion *ins)
{
	TupleTableSlot *slot = ins->slot;
	ExprContext *context = GetPerTupleExprContext(ins->estate);
	int			natts = slot->tts_tupleDescriptor->natts;
	int			i;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, ins->values, sizeof(Datum) * natts);
	memcpy(slot->tts_isnull, ins->nulls, sizeof(bool) * natts);
	for (i = 0; i < natts; i++)
	{
		if (ins->volatiles[i] != NULL)
			slot->tts_values[i] =
				ExecEvalExprSwitchContext(ins->volatiles[i], context,
										  &slot->tts_isnull[i]);
	}
}

/* Fill the slot with the row of a claim, as identifier_derive() would. */
static void
fill_slot(Insertion *ins, Claim *claim, Datum type_name)
{
	TupleTableSlot *slot = ins->slot;

	fill_defaults(ins);
	put(ins, IDENTIFIER_CONTACT_ID, Int64GetDatum(claim->contact_id));
	put(ins, IDENTIFIER_SEMANTIC_TYPE, type_name);
	put(ins, IDENTIFIER_SLUG, ins->main_slug);
	put(ins, IDENTIFIER_VALUE, claim->value);
	put(ins, IDENTIFIER_KEY, UUIDPGetDatum(&claim->key));
	put(ins, IDENTIFIER_HOLDER, Int64GetDatum(claim_holder(claim)));
	if (claim->status != STATE_NONE)
		put(ins, IDENTIFIER_STATUS, state_text(claim->status));
	if (claim->status > STATE_NOT_OPTED_IN)
	{
		put(ins, IDENTIFIER_STATUS_REASON,
			CStringGetTextDatum(claim->reason));
		put(ins, IDENTIFIER_STATUS_CHANGED_AT, ins->now);
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(ins->rel);
}

/*
 * Insert the row in the slot, unless another with its key and holder is there
 * or comes meanwhile; a session that is about to insert one is waited for.
 */
static bool
insert_slot(Insertion *ins)
{
	ItemPointerData conflict;
	bool		is_taken;

	do
	{
		uint32		token;

		CHECK_FOR_INTERRUPTS();
		if (!compat_check_index_constraints(ins->result, ins->slot,
											ins->estate, &conflict,
											ins->arbiters))
			return false;
		is_taken = false;
		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		table_tuple_insert_speculative(ins->rel, ins->slot, ins->cid, 0, NULL,
									   token);
		list_free(compat_insert_index_tuples(ins->result, ins->slot,
											 ins->estate, &is_taken,
											 ins->arbiters));
		table_tuple_complete_speculative(ins->rel, ins->slot, token,
										 !is_taken);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	} while (is_taken);
	return true;
}

/*
 * Insert the claims that meet no row, as the owner of the table, and mark
 * them; return how many did meet one.  Claims come sorted by key.
 */
int
insert_directly(Directory *dir, Claim *claims, int n)
{
	Insertion	ins;
	const SemanticType *type = NULL;
	Datum		type_name = (Datum) 0;
	Oid			save_userid;
	int			save_sec_context;
	int			nmet = 0;
	int			i;

	become_owner(dir, &save_userid, &save_sec_context);
	begin_insertion(&ins, dir);
	for (i = 0; i < n; i++)
	{
		MemoryContext oldcontext;

		if (claims[i].type != type)
		{
			type = claims[i].type;
			type_name = CStringGetTextDatum(type->name);
		}
		ResetPerTupleExprContext(ins.estate);
		oldcontext = MemoryContextSwitchTo(GetPerTupleMemoryContext(ins.estate));
		fill_slot(&ins, &claims[i], type_name);
		if (ins.has_user_parts)
			ExecConstraints(ins.result, ins.slot, ins.estate);
		claims[i].is_new = insert_slot(&ins);
		MemoryContextSwitchTo(oldcontext);
		if (!claims[i].is_new)
			nmet++;
	}
	end_insertion(&ins);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	/* let the queries that follow see the rows */
	CommandCounterIncrement();
	return nmet;
}

/* Fill the slot with a row for a value that nobody holds. */
static void
fill_reservation(Insertion *ins, Reservation *reservation, Datum type_name)
{
	fill_defaults(ins);
	put(ins, IDENTIFIER_SEMANTIC_TYPE, type_name);
	put(ins, IDENTIFIER_VALUE, reservation->value);
	put(ins, IDENTIFIER_KEY, UUIDPGetDatum(&reservation->key));
	put(ins, IDENTIFIER_HOLDER, Int64GetDatum(0));
	put(ins, IDENTIFIER_STATUS, state_text(STATE_NOT_OPTED_IN));
	ExecStoreVirtualTuple(ins->slot);
	ins->slot->tts_tableOid = RelationGetRelid(ins->rel);
	if (RelationGetDescr(ins->rel)->constr != NULL &&
		RelationGetDescr(ins->rel)->constr->has_generated_stored)
		ExecComputeStoredGenerated(ins->result, ins->estate, ins->slot,
								   CMD_INSERT);
	ExecConstraints(ins->result, ins->slot, ins->estate);
}

/* Delete the rows that were inserted, which nobody has seen. */
static void
delete_reservations(Directory *dir, ItemPointerData *tids, int n)
{
	int			i;

	CommandCounterIncrement();
	for (i = 0; i < n; i++)
		simple_table_tuple_delete(dir->identifier, &tids[i],
								  GetActiveSnapshot());
	CommandCounterIncrement();
}

/*
 * Take the index entries of values that no row bears, until the transaction
 * ends: whoever wants to insert such a value waits for it.  For that a row is
 * inserted and at once deleted, past all triggers: no other session ever sees
 * it, but the index entry of its transaction holds up whoever inserts the same.
 * Where there is a row already, is_reserved stays false.  Values come sorted by
 * key, each once.
 */
void
reserve_entries(Directory *dir, const SemanticType *type,
				Reservation *reservations, int n)
{
	Insertion	ins;
	Datum		type_name = CStringGetTextDatum(type->name);
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) * (n + 1));
	Oid			save_userid;
	int			save_sec_context;
	int			ntids = 0;
	int			i;

	become_owner(dir, &save_userid, &save_sec_context);
	begin_insertion(&ins, dir);
	for (i = 0; i < n; i++)
	{
		MemoryContext oldcontext;

		ResetPerTupleExprContext(ins.estate);
		oldcontext = MemoryContextSwitchTo(GetPerTupleMemoryContext(ins.estate));
		fill_reservation(&ins, &reservations[i], type_name);
		reservations[i].is_reserved = insert_slot(&ins);
		if (reservations[i].is_reserved)
			tids[ntids++] = ins.slot->tts_tid;
		MemoryContextSwitchTo(oldcontext);
	}
	end_insertion(&ins);
	delete_reservations(dir, tids, ntids);
	SetUserIdAndSecContext(save_userid, save_sec_context);
}
