/*-------------------------------------------------------------------------
 *
 * consent.c
 *	  consent states: what may follow what, who may say so, the log
 *
 * The state belongs to the value (rule C1).  not_opted_in and opted_in change
 * freely, each may become unsubscribed, each of the three suppressed; nothing
 * lowers suppressed (guard.c), and only opt_in() leads out of unsubscribed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "consent.h"
#include "message.h"

/* What the newest event of each value tells. */
static const DirectoryQuery last_events = {
	"SELECT n.n, e.old_state::pg_catalog.text, e.new_state::pg_catalog.text,"
	" e.xmin"
	" FROM @rows@ CROSS JOIN LATERAL"
	" (SELECT v.old_state, v.new_state, v.xmin FROM ONLY @consent_event@ v"
	"  WHERE v.key OPERATOR(pg_catalog.=) n.key ORDER BY v.id DESC LIMIT 1) e",
	2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery insert_events = {
	"INSERT INTO @consent_event@"
	" (key, old_state, new_state, reason, source, evidence, role)"
	" SELECT n.key, n.before, n.after, n.reason, n.source, n.evidence, n.role"
	" FROM @rows@",
	7, {UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID},
	"key, before, after, reason, source, evidence, role"
};

/* The stricter of two states; an explicit opt-in beats having said nothing. */
ConsentState
stricter_state(ConsentState a, ConsentState b)
{
	return Max(a, b);
}

/* Does a value in this state stay behind when nobody holds it (rule I7)? */
bool
state_stays_behind(ConsentState state)
{
	return state == STATE_UNSUBSCRIBED || state == STATE_SUPPRESSED;
}

/* Is the state the person's own wish, which follows him (rule C4)? */
bool
is_own_wish(ConsentState state, Datum reason, bool isnull)
{
	if (state == STATE_UNSUBSCRIBED)
		return true;
	return state == STATE_SUPPRESSED && !isnull &&
		(text_is(reason, "complaint") || text_is(reason, "own_wish"));
}

/* The state a contact takes to an address without one of its own (C4). */
ConsentState
state_after_email_change(ConsentState old_state, bool was_own_wish)
{
	return was_own_wish ? STATE_UNSUBSCRIBED : STATE_NOT_OPTED_IN;
}

/*
 * Whoever changes a consent state needs UPDATE on identifier.status (rule C9).
 * Maintenance runs as the owner, who has it.
 */
void
require_consent_privilege(Relation identifier)
{
	Oid			relid = RelationGetRelid(identifier);
	AttrNumber	status;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) == ACLCHECK_OK)
		return;
	status = get_attnum(relid, "status");
	if (pg_attribute_aclcheck(relid, status, GetUserId(),
							  ACL_UPDATE) == ACLCHECK_OK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to change consent"),
			 errdetail("Changing a consent state needs the privilege UPDATE on column \"status\" of table \"%s\".",
					   RelationGetRelationName(identifier)),
			 errtablecol(identifier, status)));
}

/* Only opt_in() leads out of unsubscribed (rule C3). */
void
report_unsubscribe(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("an unsubscribed address is opted in by opt_in() only"),
			 errdetail("The person has unsubscribed; a new consent needs its evidence."),
			 errhint("Use opt_in(address, evidence)."),
			 errtableconstraint(rel, "unsubscribe_needs_opt_in")));
}

/* Text columns may be NULL, which is (Datum) 0 here. */
static void
add_event(Batch *batch, const StateChange *change, Datum role)
{
	Datum		values[7];
	bool		nulls[7];

	values[0] = change->key;
	nulls[0] = false;
	nulls[1] = change->before == STATE_NONE;
	values[1] = nulls[1] ? (Datum) 0 : state_text(change->before);
	values[2] = state_text(change->after);
	nulls[2] = false;
	values[3] = change->reason;
	nulls[3] = change->reason == (Datum) 0;
	values[4] = change->source;
	nulls[4] = change->source == (Datum) 0;
	values[5] = change->evidence;
	nulls[5] = change->evidence == (Datum) 0;
	values[6] = role;
	nulls[6] = false;
	batch_add(batch, values, nulls);
}

/* Append events to the log; the role is the one the session acts as. */
void
log_events(Directory *dir, StateChange *changes, int n)
{
	Batch	   *batch = batch_create(&insert_events, n);
	char	   *name = GetUserNameFromId(GetOuterUserId(), true);
	Datum		role = CStringGetTextDatum(name ? name : "unknown");
	int			i;

	for (i = 0; i < n; i++)
		add_event(batch, &changes[i], role);
	batch_run(dir, batch);
}

/*
 * The newest event of a value tells its change: remember whether it needs one
 * written, and whether opt_in() wrote it in this transaction.
 */
static void
read_last_event(HeapTuple tuple, TupleDesc desc, StateChange *changes,
				bool *is_told, bool *is_opt_in)
{
	bool		isnull;
	int			n = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));
	ConsentState before;
	ConsentState after;
	TransactionId xmin;
	Datum		value;

	value = SPI_getbinval(tuple, desc, 2, &isnull);
	before = parse_state(value, isnull);
	value = SPI_getbinval(tuple, desc, 3, &isnull);
	after = parse_state(value, isnull);
	xmin = DatumGetTransactionId(SPI_getbinval(tuple, desc, 4, &isnull));
	is_told[n] = after == changes[n].after;
	is_opt_in[n] = before == STATE_UNSUBSCRIBED && after == STATE_OPTED_IN &&
		TransactionIdIsCurrentTransactionId(xmin);
}

/*
 * Refuse a change out of unsubscribed that opt_in() did not announce by an
 * event of this transaction (rule C3), log every change that the newest event
 * of its value does not tell already (rule C5), and cancel the messages that
 * may not go to the value any more (rule C7).  The values' rows are locked.
 */
void
check_and_log(Directory *dir, StateChange *changes, int n)
{
	Batch	   *batch = batch_create(&last_events, n);
	bool	   *is_told = palloc0(sizeof(bool) * n);
	bool	   *is_opt_in = palloc0(sizeof(bool) * n);
	int			nlogged = 0;
	uint64		found;
	uint64		row;
	int			i;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
	{
		Datum		values[2];

		values[0] = Int32GetDatum(i);
		values[1] = changes[i].key;
		batch_add(batch, values, NULL);
	}
	found = batch_run(dir, batch);
	for (row = 0; row < found; row++)
		read_last_event(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						changes, is_told, is_opt_in);
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);

	cancel_messages(dir, changes, n);
	for (i = 0; i < n; i++)
	{
		if (changes[i].before == STATE_UNSUBSCRIBED &&
			changes[i].after < STATE_UNSUBSCRIBED && !is_opt_in[i])
			report_unsubscribe(dir->identifier);
		if (!is_told[i])
			changes[nlogged++] = changes[i];
	}
	if (nlogged > 0)
		log_events(dir, changes, nlogged);
}
