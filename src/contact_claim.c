/*-------------------------------------------------------------------------
 *
 * contact_claim.c
 *	  inserted contacts claim their main identifiers, set-based (I1, I4)
 *
 * The rows of a statement are read from its transition table a chunk at a
 * time, so that a COPY of any size needs bounded memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "claim.h"
#include "consent.h"
#include "directory.h"
#include "main_identifier.h"

#define CLAIM_CHUNK 65536		/* identifiers claimed by one statement */

/* Addresses that keep a state stricter than the one they came with (C3). */
static const DirectoryQuery stricter_states = {
	"SELECT 1 FROM @rows@ JOIN ONLY @identifier@ i"
	" ON i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND i.semantic_type OPERATOR(pg_catalog.=) 'email'"
	" AND i.value OPERATOR(pg_catalog.=) n.value"
	" AND i.status OPERATOR(pg_catalog.<>) n.status"
	" AND i.status OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY['unsubscribed', 'suppressed'])",
	3, {INT8OID, TEXTOID, TEXTOID}, "id, value, status"
};

/* The claims of a statement, a chunk at a time. */
typedef struct ClaimChunk
{
	Directory  *dir;
	DirectoryInfo *info;
	Row			columns;		/* attribute numbers only */
	SemanticType *types[MAIN_NCOLUMNS];
	Claim	   *claims;
	int			nclaims;
	int			nkept;			/* states kept against what was said (C3) */
	MemoryContext context;		/* reset after each chunk */
} ClaimChunk;

/* The claim's column of contact. */
static const MainColumn *
claim_column(const Claim *claim)
{
	return claim->type->value_type == VALUE_EMAIL ?
		&main_columns[0] : &main_columns[1];
}

/*
 * Drop the claims that the rows, as they are now, no longer make: something
 * else that the statement set off, if only a trigger of another table, changed
 * or deleted them, and that has been followed already.
 */
static void
drop_superseded(ClaimChunk *chunk)
{
	MemoryContext context = AllocSetContextCreate(chunk->context,
												  "contacts superseded claims",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(context);
	bool	   *is_superseded = palloc0(sizeof(bool) * (chunk->nclaims + 1));
	int			nkept = 0;
	int			m;
	int			i;

	for (m = 0; m < MAIN_NCOLUMNS; m++)
	{
		Batch	   *batch = batch_create(main_columns[m].superseded,
										 chunk->nclaims);
		uint64		found;
		uint64		row;

		for (i = 0; i < chunk->nclaims; i++)
		{
			Datum		values[3];

			if (claim_column(&chunk->claims[i]) != &main_columns[m])
				continue;
			values[0] = Int32GetDatum(i);
			values[1] = Int64GetDatum(chunk->claims[i].contact_id);
			values[2] = chunk->claims[i].value;
			batch_add(batch, values, NULL);
		}
		found = batch_run(chunk->dir, batch);
		for (row = 0; row < found; row++)
		{
			bool		isnull;
			Datum		n = SPI_getbinval(SPI_tuptable->vals[row],
										  SPI_tuptable->tupdesc, 1, &isnull);

			is_superseded[DatumGetInt32(n)] = true;
		}
	}
	for (i = 0; i < chunk->nclaims; i++)
	{
		if (!is_superseded[i])
			chunk->claims[nkept++] = chunk->claims[i];
	}
	chunk->nclaims = nkept;
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(context);
}

/* Count the claims that stated a consent which their values' states belie. */
static int
count_kept(ClaimChunk *chunk)
{
	Batch	   *batch = batch_create(&stricter_states, chunk->nclaims);
	uint64		found;
	int			i;

	for (i = 0; i < chunk->nclaims; i++)
	{
		Claim	   *claim = &chunk->claims[i];

		if (claim->inherits && claim->status > STATE_NOT_OPTED_IN)
			add_id_and(batch, Int64GetDatum(claim->contact_id), claim->value,
					   state_text(claim->status));
	}
	found = batch_run(chunk->dir, batch);
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);
	return (int) found;
}

/* The contacts show what triggers of users made of the claimed values. */
static void
adopt_claimed(ClaimChunk *chunk)
{
	int			m;
	int			i;

	for (m = 0; m < MAIN_NCOLUMNS; m++)
	{
		Batch	   *batch = batch_create(main_columns[m].adopt,
										 chunk->nclaims);

		for (i = 0; i < chunk->nclaims; i++)
		{
			if (claim_column(&chunk->claims[i]) == &main_columns[m])
				add_id_and(batch, Int64GetDatum(chunk->claims[i].contact_id),
						   chunk->claims[i].value, (Datum) 0);
		}
		batch_run(chunk->dir, batch);
	}
}

/*
 * Claim a chunk, and show the contacts the states that their addresses had.
 * After triggers of users every claim may already be fulfilled: claim_main()
 * leaves such rows alone.
 */
static void
flush_claims(ClaimChunk *chunk)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(chunk->context);
	Datum	   *ids;
	int			nids = 0;
	int			i;

	drop_superseded(chunk);
	ids = palloc(sizeof(Datum) * (chunk->nclaims + 1));
	claim_main(chunk->dir, chunk->info, chunk->claims, chunk->nclaims);
	chunk->nkept += count_kept(chunk);
	for (i = 0; i < chunk->nclaims; i++)
	{
		if (chunk->claims[i].inherits)
			ids[nids++] = Int64GetDatum(chunk->claims[i].contact_id);
	}
	settle_email_status(chunk->dir, ids, nids);
	if (has_user_triggers(chunk->dir->identifier))
		adopt_claimed(chunk);
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(chunk->context);
	chunk->nclaims = 0;
}

/* Add the claims of an inserted contact. */
static void
add_claims(ClaimChunk *chunk, TupleTableSlot *slot)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(chunk->context);
	const AttrNumber *attnums = chunk->columns.attnums;
	ConsentState status;
	bool		isnull;
	Datum		id;
	Datum		value;
	int			m;

	value = slot_getattr(slot, attnums[CONTACT_EMAIL_STATUS], &isnull);
	status = parse_state(value, isnull);
	/* stating anything but not_opted_in is a change of consent (C9) */
	if (status > STATE_NOT_OPTED_IN)
		require_consent_privilege(chunk->dir->identifier);
	id = slot_getattr(slot, attnums[CONTACT_ID], &isnull);
	for (m = 0; m < MAIN_NCOLUMNS; m++)
	{
		Claim	   *claim = &chunk->claims[chunk->nclaims];

		value = slot_getattr(slot, attnums[main_columns[m].column], &isnull);
		if (isnull)
			continue;
		claim->contact_id = DatumGetInt64(id);
		claim->type = chunk->types[m];
		claim->value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
		claim->status = main_columns[m].column == CONTACT_EMAIL ? status :
			claim->type->is_exclusive ? STATE_NOT_OPTED_IN : STATE_NONE;
		claim->reason = "manual";
		claim->inherits = false;
		claim->is_unlabelled = false;
		chunk->nclaims++;
	}
	MemoryContextSwitchTo(oldcontext);
}

/* Claim the main identifiers of the rows in the transition table. */
static int
claim_inserted(Relation rel, Tuplestorestate *inserted)
{
	Directory	dir;
	ClaimChunk	chunk;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);

	SPI_connect();
	directory_open(&dir, rel);
	memset(&chunk, 0, sizeof(chunk));
	chunk.dir = &dir;
	chunk.info = directory_info(rel);
	find_main_types(chunk.info, chunk.types);
	find_columns(rel, contact_columns, CONTACT_NCOLUMNS,
				 chunk.columns.attnums);
	chunk.claims = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(Claim) * CLAIM_CHUNK);
	chunk.context = AllocSetContextCreate(CurrentMemoryContext,
										  "contacts claims",
										  ALLOCSET_DEFAULT_SIZES);

	/* others may have read the transition table before us */
	tuplestore_select_read_pointer(inserted, 0);
	tuplestore_rescan(inserted);
	while (tuplestore_gettupleslot(inserted, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		add_claims(&chunk, slot);
		if (chunk.nclaims + MAIN_NCOLUMNS > CLAIM_CHUNK)
			flush_claims(&chunk);
	}
	flush_claims(&chunk);
	ExecDropSingleTupleTableSlot(slot);
	directory_close(&dir);
	SPI_finish();
	return chunk.nkept;
}

PG_FUNCTION_INFO_V1(contact_claim);

/* AFTER INSERT STATEMENT: claim the main identifiers, set-based. */
Datum
contact_claim(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "contact_claim",
										  CALL_AFTER | CALL_STATEMENT |
										  CALL_INSERT);
	int			nkept;

	if (trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" needs a transition table",
						trigdata->tg_trigger->tgname),
				 errtable(trigdata->tg_relation)));
	if (tuplestore_tuple_count(trigdata->tg_newtable) == 0)
		return PointerGetDatum(NULL);
	nkept = claim_inserted(trigdata->tg_relation, trigdata->tg_newtable);
	if (nkept > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("%d address keeps a consent state stricter than the one given",
							   "%d addresses keep a consent state stricter than the one given",
							   nkept, nkept),
				 errhint("A new consent needs opt_in(address, evidence).")));
	return PointerGetDatum(NULL);
}
