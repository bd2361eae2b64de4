/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  claiming values for contacts (rules I1, I4, I7)
 *
 * Whoever makes a value the main identifier of a contact comes here: the
 * INSERT of contacts, a change of email or mobile phone.  A value that nobody
 * knows is inserted; one that was left behind is taken with the state it has;
 * one that another contact holds is refused.  Everybody meets on the unique
 * index over (key, holder), so whatever the order of two sessions, one waits
 * for the other and then sees what it did.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "claim.h"
#include "claim_insert.h"
#include "columns.h"
#include "consent.h"
#include "identifier_key.h"

/* Other sessions cause a few rounds; only a trigger can cause that many. */
#define CLAIM_ROUNDS 1000

static const DirectoryQuery insert_claims = {
	"INSERT INTO @identifier@"
	" (contact_id, semantic_type, slug, value, status, status_reason)"
	" SELECT n.contact_id, n.semantic_type, 'main', n.value, n.status, n.reason"
	" FROM @rows@ ON CONFLICT (key, holder) DO NOTHING",
	5, {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID},
	"contact_id, semantic_type, value, status, reason"
};

/*
 * The claims that the insertion did not fulfil, with the row in their way.  It
 * may be taken if nobody holds it, if the claimer does, or if it is a main
 * identifier that its holder's contact row has given up: within a statement
 * that moves addresses between contacts, that one is settled later.
 */
static const DirectoryQuery find_unfulfilled = {
	"SELECT n.n, i.id, i.contact_id, i.status::pg_catalog.text,"
	" i.contact_id IS NULL OR i.contact_id OPERATOR(pg_catalog.=) n.contact_id"
	" OR (i.slug OPERATOR(pg_catalog.=) 'main' AND c.id IS NOT NULL AND"
	"  (CASE WHEN i.semantic_type OPERATOR(pg_catalog.=) 'email'"
	"   THEN c.email::pg_catalog.text"
	"  WHEN i.semantic_type OPERATOR(pg_catalog.=) 'phone'"
	"   THEN c.mobile_phone::pg_catalog.text"
	"  ELSE i.value END OPERATOR(pg_catalog.=) i.value) IS NOT TRUE),"
	" c.archived_at IS NOT NULL"
	" FROM @rows@"
	" LEFT JOIN ONLY @identifier@ i ON i.key OPERATOR(pg_catalog.=) n.key"
	"  AND i.holder OPERATOR(pg_catalog.=) n.holder"
	" LEFT JOIN ONLY @contact@ c ON c.id OPERATOR(pg_catalog.=) i.contact_id"
	" WHERE (i.contact_id OPERATOR(pg_catalog.=) n.contact_id"
	"  AND i.semantic_type OPERATOR(pg_catalog.=) n.semantic_type"
	"  AND i.slug OPERATOR(pg_catalog.=) 'main') IS NOT TRUE"
	" ORDER BY n.n",
	5, {INT4OID, INT8OID, TEXTOID, UUIDOID, INT8OID},
	"n, contact_id, semantic_type, key, holder"
};

static const DirectoryQuery take_rows = {
	"UPDATE ONLY @identifier@ i SET contact_id = n.contact_id,"
	" semantic_type = n.semantic_type, slug = 'main', value = n.value,"
	" status = n.status"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id"
	" AND (i.contact_id OPERATOR(pg_catalog.=) n.seen_holder"
	"  OR i.contact_id IS NULL AND n.seen_holder IS NULL)"
	" AND (i.status OPERATOR(pg_catalog.=) n.seen_status"
	"  OR i.status IS NULL AND n.seen_status IS NULL)",
	7, {INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID},
	"id, contact_id, semantic_type, value, status, seen_holder, seen_status"
};

/* The holder column of a claim: 0 makes the value exclusive (rule I10). */
int64
claim_holder(const Claim *claim)
{
	return claim->type->is_exclusive ? 0 : claim->contact_id;
}

static int
compare_claims(const void *a, const void *b)
{
	const Claim *c = a;
	const Claim *d = b;
	int			cmp = memcmp(c->key.data, d->key.data, UUID_LEN);

	if (cmp != 0)
		return cmp;
	return c->contact_id < d->contact_id ? -1 : c->contact_id > d->contact_id;
}

/* Compute the keys of the claims. */
void
claim_keys(DirectoryInfo *info, Claim *claims, int n)
{
	KeyMaker   *maker = key_maker_create(info);
	int			i;

	for (i = 0; i < n; i++)
	{
		struct varlena *value = PG_DETOAST_DATUM_PACKED(claims[i].value);

		compute_key(maker, claims[i].type, VARDATA_ANY(value),
					VARSIZE_ANY_EXHDR(value), &claims[i].key);
	}
	key_maker_free(maker);
}

/* Another contact holds the value (rule I1). */
static void
report_taken(Directory *dir, const Claim *claim, int64 holder,
			 bool is_archived)
{
	bool		is_visible = caller_may_read(RelationGetRelid(dir->contact));

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("duplicate key value violates unique constraint \"identifier_key_holder_key\""),
			 errdetail("Key (semantic_type, value)=(%s, %s) already exists.",
					   claim->type->name,
					   TextDatumGetCString(claim->value)),
			 is_visible ? errhint(is_archived ?
								  "Contact %lld holds it; that contact is archived." :
								  "Contact %lld holds it.",
								  (long long) holder) : 0,
			 errtableconstraint(dir->identifier,
								"identifier_key_holder_key")));
}

/* Insert the claims that meet no row, by a statement that fires triggers. */
static int
insert_by_statement(Directory *dir, Claim *claims, int n)
{
	Batch	   *batch = batch_create(&insert_claims, n);
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {false, false, false, false, false};

		values[0] = Int64GetDatum(claims[i].contact_id);
		values[1] = CStringGetTextDatum(claims[i].type->name);
		values[2] = claims[i].value;
		nulls[3] = claims[i].status == STATE_NONE;
		values[3] = nulls[3] ? (Datum) 0 : state_text(claims[i].status);
		nulls[4] = claims[i].status <= STATE_NOT_OPTED_IN;
		values[4] = nulls[4] ? (Datum) 0 :
			CStringGetTextDatum(claims[i].reason);
		batch_add(batch, values, nulls);
	}
	return n - (int) batch_run(dir, batch);
}

/* The triggers did not see these rows: log the states that came with them. */
static void
log_new_states(Directory *dir, Claim *claims, int n)
{
	StateChange *changes = palloc(sizeof(StateChange) * n);
	int			nchanges = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		StateChange *change = &changes[nchanges];

		if (!claims[i].is_new || claims[i].status <= STATE_NOT_OPTED_IN)
			continue;
		memset(change, 0, sizeof(*change));
		change->key = UUIDPGetDatum(&claims[i].key);
		change->before = STATE_NONE;
		change->after = claims[i].status;
		change->reason = CStringGetTextDatum(claims[i].reason);
		nchanges++;
	}
	check_and_log(dir, changes, nchanges);
}

/*
 * Insert the claims that meet no row; return how many met one.  Rows that come
 * by a statement inherit states on their own, so the contacts are to be asked.
 */
static int
insert_new(Directory *dir, Claim *claims, int n)
{
	int			nmet;
	int			i;

	if (can_insert_claims(dir))
	{
		nmet = insert_claims_directly(dir, claims, n);
		log_new_states(dir, claims, n);
		return nmet;
	}
	for (i = 0; i < n; i++)
		claims[i].inherits = claims[i].type->value_type == VALUE_EMAIL;
	return insert_by_statement(dir, claims, n);
}

/* Find what stands in the way of the unfulfilled claims; see the query. */
static uint64
find_obstacles(Directory *dir, Claim *claims, int n)
{
	Batch	   *batch = batch_create(&find_unfulfilled, n);
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		values[5];

		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(claims[i].contact_id);
		values[2] = CStringGetTextDatum(claims[i].type->name);
		values[3] = UUIDPGetDatum(&claims[i].key);
		values[4] = Int64GetDatum(claim_holder(&claims[i]));
		batch_add(batch, values, NULL);
	}
	return batch_run(dir, batch);
}

/* Add the row in the way of the claim to those that are taken. */
static void
add_taken(Batch *batch, const Claim *claim, HeapTuple tuple, TupleDesc desc,
		  ConsentState known)
{
	Datum		values[7];
	bool		nulls[7];

	memset(nulls, false, sizeof(nulls));
	values[0] = SPI_getbinval(tuple, desc, 2, &nulls[0]);
	values[1] = Int64GetDatum(claim->contact_id);
	values[2] = CStringGetTextDatum(claim->type->name);
	values[3] = claim->value;
	nulls[4] = claim->status == STATE_NONE;
	values[4] = nulls[4] ? (Datum) 0 :
		state_text(stricter_state(claim->status, known));
	values[5] = SPI_getbinval(tuple, desc, 3, &nulls[5]);
	values[6] = SPI_getbinval(tuple, desc, 4, &nulls[6]);
	batch_add(batch, values, nulls);
}

/*
 * Take the rows that may be taken, each with the stricter of its state and the
 * claimed one; refuse the claim if a row may not.  True if a row went away or
 * changed meanwhile: then the claims want another round.
 */
static bool
take_existing(Directory *dir, Claim *claims, int n)
{
	uint64		found = find_obstacles(dir, claims, n);
	SPITupleTable *obstacles = SPI_tuptable;
	Batch	   *batch = batch_create(&take_rows, found);
	bool		retry = false;
	uint64		row;

	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = obstacles->vals[row];
		TupleDesc	desc = obstacles->tupdesc;
		bool		isnull;
		Claim	   *claim;
		Datum		state;
		ConsentState known;

		claim = &claims[DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull))];
		(void) SPI_getbinval(tuple, desc, 2, &isnull);
		if (isnull)
		{
			retry = true;
			continue;
		}
		if (!DatumGetBool(SPI_getbinval(tuple, desc, 5, &isnull)))
			report_taken(dir, claim,
						 DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull)),
						 DatumGetBool(SPI_getbinval(tuple, desc, 6, &isnull)));
		state = SPI_getbinval(tuple, desc, 4, &isnull);
		known = parse_state(state, isnull);
		claim->inherits = known != claim->status;
		add_taken(batch, claim, tuple, desc, known);
	}
	if (batch_run(dir, batch) < (uint64) batch->nrows)
		retry = true;
	return retry;
}

/*
 * Make each value the main identifier of its contact, within SPI_connect().
 * The contacts are locked by the caller and have no main identifier of that
 * kind.  Raises 23505 where another contact holds the value.
 */
void
claim_main(Directory *dir, DirectoryInfo *info, Claim *claims, int n)
{
	int			rounds = 0;

	if (n == 0)
		return;
	claim_keys(info, claims, n);
	/* in the order of the index, for speed and against deadlocks */
	qsort(claims, n, sizeof(Claim), compare_claims);
	while (insert_new(dir, claims, n) > 0 &&
		   take_existing(dir, claims, n))
	{
		CHECK_FOR_INTERRUPTS();
		if (++rounds == CLAIM_ROUNDS)
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
					 errmsg("main identifiers of contacts could not be inserted"),
					 errhint("A trigger on table \"%s\" drops or changes the rows.",
							 RelationGetRelationName(dir->identifier)),
					 errtable(dir->identifier)));
	}
}
