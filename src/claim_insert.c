/*-------------------------------------------------------------------------
 *
 * claim_insert.c
 *	  claims written straight into identifier, and values kept free
 *
 * The contact of a claim is the caller's own row, kinds and the slug main
 * cannot go away, and what identifier_derive() would compute is known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "claim_insert.h"
#include "direct_insert.h"
#include "reserved.h"

/* The columns that a claim gives; all others get their defaults. */
static const int given[] = {
	IDENTIFIER_CONTACT_ID, IDENTIFIER_SEMANTIC_TYPE, IDENTIFIER_SLUG,
	IDENTIFIER_VALUE, IDENTIFIER_KEY, IDENTIFIER_HOLDER, IDENTIFIER_STATUS,
	IDENTIFIER_STATUS_REASON, IDENTIFIER_STATUS_CHANGED_AT
};

static const int optional[] = {
	IDENTIFIER_VALIDATED_AT, IDENTIFIER_VALIDATION_METHOD, IDENTIFIER_SOURCE,
	IDENTIFIER_STATUS, IDENTIFIER_STATUS_REASON, IDENTIFIER_STATUS_CHANGED_AT
};

static const char *const checks[] = {
	"identifier_state_is_in_one_row", "identifier_without_value",
	"identifier_is_validated"
};

/* May the foreign key be taken as fulfilled by every claim? */
static bool
is_own_foreign_key(Relation rel, const ForeignKeyCacheInfo *fk)
{
	Oid			nspid = RelationGetNamespace(rel);
	int			i;

	if (fk->confrelid == get_relname_relid("contact", nspid))
		return fk->nkeys == 1 &&
			fk->conkey[0] == get_attnum(fk->conrelid, "contact_id");
	if (fk->confrelid != get_relname_relid("semantic_type", nspid) &&
		fk->confrelid != get_relname_relid("identifier_slug", nspid))
		return false;
	for (i = 0; i < fk->nkeys; i++)
	{
		if (fk->conkey[i] != get_attnum(fk->conrelid, "semantic_type") &&
			fk->conkey[i] != get_attnum(fk->conrelid, "slug"))
			return false;
	}
	return true;
}

static const DirectTable claims_table = {
	identifier_columns, IDENTIFIER_NCOLUMNS, given, lengthof(given),
	optional, lengthof(optional), checks, lengthof(checks), is_own_foreign_key
};

/* May claims be written into the table directly? */
bool
can_insert_claims(Directory *dir)
{
	return can_insert_directly(dir->identifier, &claims_table);
}

/* Fill the row of a claim, as identifier_derive() would. */
static void
put_claim(DirectInsert *ins, Claim *claim, Datum type_name, Datum main_slug,
		  Datum now)
{
	direct_begin_row(ins);
	direct_put(ins, IDENTIFIER_CONTACT_ID, Int64GetDatum(claim->contact_id));
	direct_put(ins, IDENTIFIER_SEMANTIC_TYPE, type_name);
	if (!claim->is_unlabelled)
		direct_put(ins, IDENTIFIER_SLUG, main_slug);
	direct_put(ins, IDENTIFIER_VALUE, claim->value);
	direct_put(ins, IDENTIFIER_KEY, UUIDPGetDatum(&claim->key));
	direct_put(ins, IDENTIFIER_HOLDER, Int64GetDatum(claim_holder(claim)));
	if (claim->status != STATE_NONE)
		direct_put(ins, IDENTIFIER_STATUS, state_text(claim->status));
	if (claim->status > STATE_NOT_OPTED_IN)
	{
		direct_put(ins, IDENTIFIER_STATUS_REASON,
				   CStringGetTextDatum(claim->reason));
		direct_put(ins, IDENTIFIER_STATUS_CHANGED_AT, now);
	}
}

/*
 * Insert the claims that meet no row, as the owner of the table, and mark
 * them; return how many did meet one.  Claims come sorted by key.
 */
int
insert_claims_directly(Directory *dir, Claim *claims, int n)
{
	DirectInsert *ins = direct_begin(dir, dir->identifier, &claims_table);
	Datum		main_slug = CStringGetTextDatum("main");
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "contacts claim",
												  ALLOCSET_SMALL_SIZES);
	const SemanticType *type = NULL;
	Datum		type_name = (Datum) 0;
	int			nmet = 0;
	int			i;

	direct_set_arbiter(ins, IDENTIFIER_KEY, IDENTIFIER_HOLDER);
	for (i = 0; i < n; i++)
	{
		MemoryContext oldcontext;

		if (claims[i].type != type)
		{
			type = claims[i].type;
			type_name = CStringGetTextDatum(type->name);
		}
		oldcontext = MemoryContextSwitchTo(context);
		put_claim(ins, &claims[i], type_name, main_slug, now);
		claims[i].is_new = direct_insert_unless_met(ins);
		MemoryContextSwitchTo(oldcontext);
		MemoryContextReset(context);
		if (!claims[i].is_new)
			nmet++;
	}
	direct_end(ins);
	MemoryContextDelete(context);
	return nmet;
}

/* Delete the rows that this transaction inserted. */
static void
delete_rows(Relation rel, ItemPointerData *tids, int n)
{
	int			i;

	for (i = 0; i < n; i++)
		simple_table_tuple_delete(rel, &tids[i], GetActiveSnapshot());
	CommandCounterIncrement();
}

/*
 * Take the index entries of values that no row bears: until the transaction
 * ends, whoever wants to insert such a value waits.  For that a row is inserted
 * and at once deleted, past all triggers: no other session ever sees it, but
 * who inserts its like waits for the transaction that may yet keep it.  Where
 * there is a row already, is_reserved becomes false.  Values come sorted by key,
 * each once.
 */
void
reserve_values(Directory *dir, const SemanticType *type,
			   Reservation *reservations, int n)
{
	DirectInsert *ins = direct_begin(dir, dir->identifier, &claims_table);
	Datum		type_name = CStringGetTextDatum(type->name);
	Datum		state = state_text(STATE_NOT_OPTED_IN);
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) * (n + 1));
	int			ntids = 0;
	int			i;

	direct_set_arbiter(ins, IDENTIFIER_KEY, IDENTIFIER_HOLDER);
	for (i = 0; i < n; i++)
	{
		Reservation *r = &reservations[i];

		direct_begin_row(ins);
		direct_put(ins, IDENTIFIER_SEMANTIC_TYPE, type_name);
		direct_put(ins, IDENTIFIER_VALUE, r->value);
		direct_put(ins, IDENTIFIER_KEY, UUIDPGetDatum(&r->key));
		direct_put(ins, IDENTIFIER_HOLDER, Int64GetDatum(0));
		direct_put(ins, IDENTIFIER_STATUS, state);
		r->is_reserved = direct_insert_unless_met(ins);
		if (!r->is_reserved)
			continue;
		tids[ntids++] = direct_position(ins);
		note_reserved(dir->identifier, &r->key);
	}
	direct_end(ins);
	delete_rows(dir->identifier, tids, ntids);
}
