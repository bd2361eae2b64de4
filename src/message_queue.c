/*-------------------------------------------------------------------------
 *
 * message_queue.c
 *	  messages asked about before they are queued, handed out, cancelled
 *
 * Delivery workers take what is due with SKIP LOCKED and have it on a lease:
 * what is not marked as sent or failed until then is handed out again.  What
 * may not go any more is cancelled at that moment, without an error, for one
 * message must not keep the others back.  Workers need no right but UPDATE on
 * leased_until; the work runs as the owner of the directory, so that they see
 * what they are handed and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "identifier_key.h"
#include "message.h"

#define OPEN_STATES \
	"m.state OPERATOR(pg_catalog.=) ANY (ARRAY['queued', 'sending'])"

static const DirectoryQuery lock_contacts = {
	"SELECT n.n, " MESSAGE_CONTACT " FROM @rows@ JOIN ONLY @contact@ c"
	" ON c.id OPERATOR(pg_catalog.=) n.id ORDER BY c.id FOR SHARE OF c",
	2, {INT4OID, INT8OID}, "n, id"
};

#define PICK_DUE(table) \
	"SELECT m.id, m.kind, m.contact_id, m.address, m.key, m.topic_id" \
	" FROM ONLY @" table "@ m" \
	" WHERE " OPEN_STATES \
	" AND coalesce(m.leased_until, m.send_at)" \
	"  OPERATOR(pg_catalog.<=) pg_catalog.statement_timestamp()" \
	" ORDER BY coalesce(m.leased_until, m.send_at), m.id" \
	" LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED"

static const DirectoryQuery pick_due[] = {
	{PICK_DUE("email_message"), 1, {INT8OID}, NULL},
	{PICK_DUE("sms_message"), 1, {INT8OID}, NULL}
};

#define HAND_OUT(table, columns) \
	"UPDATE ONLY @" table "@ m SET state = 'sending'," \
	" leased_until = pg_catalog.statement_timestamp()" \
	"  OPERATOR(pg_catalog.+) s.lease_duration," \
	" attempts = m.attempts OPERATOR(pg_catalog.+) 1" \
	" FROM @rows@, ONLY @setting@ s" \
	" WHERE m.id OPERATOR(pg_catalog.=) n.id" \
	" RETURNING m.id, m.contact_id, m.address, " columns \
	" m.kind, m.attempts, m.leased_until"

static const DirectoryQuery hand_out[] = {
	{HAND_OUT("email_message", "m.subject, m.body, m.body_format,"),
	1, {INT8OID}, "id"},
	{HAND_OUT("sms_message", "m.body,"), 1, {INT8OID}, "id"}
};

#define CANCEL(table) \
	"UPDATE ONLY @" table "@ m SET state = 'cancelled'," \
	" leased_until = NULL, error = n.error" \
	" FROM @rows@ WHERE m.id OPERATOR(pg_catalog.=) n.id"

static const DirectoryQuery cancel_picked[] = {
	{CANCEL("email_message"), 2, {INT8OID, TEXTOID}, "id, error"},
	{CANCEL("sms_message"), 2, {INT8OID, TEXTOID}, "id, error"}
};

/* Texts with marketing wait while it is night where their contact lives. */
static const DirectoryQuery postpone = {
	"UPDATE ONLY @sms_message@ m SET state = 'queued', leased_until = NULL,"
	" send_at = q.at"
	" FROM @rows@ CROSS JOIN ONLY @setting@ s"
	" LEFT JOIN ONLY @contact@ c ON c.id OPERATOR(pg_catalog.=) n.contact_id"
	" CROSS JOIN LATERAL (SELECT contacts.after_quiet_hours("
	"  pg_catalog.statement_timestamp(), s.sms_quiet_from,"
	"  s.sms_quiet_until, c.time_zone::pg_catalog.text,"
	"  s.default_time_zone::pg_catalog.text) AS at) q"
	" WHERE m.id OPERATOR(pg_catalog.=) n.id"
	" AND q.at OPERATOR(pg_catalog.>) pg_catalog.statement_timestamp()"
	" RETURNING n.n",
	3, {INT4OID, INT8OID, INT8OID}, "n, id, contact_id"
};

#define CANCEL_ADDRESS(table) \
	"UPDATE ONLY @" table "@ m SET state = 'cancelled'," \
	" leased_until = NULL, error = n.error" \
	" FROM @rows@ WHERE m.key OPERATOR(pg_catalog.=) n.key AND " OPEN_STATES \
	" AND (NOT n.marketing_only" \
	"  OR m.kind OPERATOR(pg_catalog.=) 'marketing')"

static const DirectoryQuery cancel_address[] = {
	{CANCEL_ADDRESS("email_message"), 3, {UUIDOID, BOOLOID, TEXTOID},
	"key, marketing_only, error"},
	{CANCEL_ADDRESS("sms_message"), 3, {UUIDOID, BOOLOID, TEXTOID},
	"key, marketing_only, error"}
};

/* A worker that was late, or whose message was cancelled meanwhile, is heard. */
#define MARK_SENT(table) \
	"UPDATE ONLY @" table "@ m SET state = 'sent', leased_until = NULL," \
	" sent_at = pg_catalog.statement_timestamp(), provider_id = $2," \
	" error = CASE WHEN m.state OPERATOR(pg_catalog.=) 'cancelled'" \
	"  THEN m.error END" \
	" WHERE m.id OPERATOR(pg_catalog.=) $1" \
	" AND m.attempts OPERATOR(pg_catalog.>) 0" \
	" AND m.state OPERATOR(pg_catalog.=)" \
	"  ANY (ARRAY['queued', 'sending', 'failed', 'cancelled'])"

static const DirectoryQuery mark_sent[] = {
	{MARK_SENT("email_message"), 2, {INT8OID, TEXTOID}, NULL},
	{MARK_SENT("sms_message"), 2, {INT8OID, TEXTOID}, NULL}
};

#define MARK_FAILED(table) \
	"UPDATE ONLY @" table "@ m SET leased_until = NULL, error = $2," \
	" state = CASE WHEN $3 THEN 'queued' ELSE 'failed' END," \
	" send_at = CASE WHEN $3 THEN coalesce($4," \
	"  pg_catalog.statement_timestamp() OPERATOR(pg_catalog.+)" \
	"  (s.lease_duration OPERATOR(pg_catalog.*)" \
	"   m.attempts::pg_catalog.float8)) ELSE m.send_at END" \
	" FROM ONLY @setting@ s WHERE m.id OPERATOR(pg_catalog.=) $1" \
	" AND m.state OPERATOR(pg_catalog.=) 'sending'"

static const DirectoryQuery mark_failed[] = {
	{MARK_FAILED("email_message"), 4,
	{INT8OID, TEXTOID, BOOLOID, TIMESTAMPTZOID}, NULL},
	{MARK_FAILED("sms_message"), 4,
	{INT8OID, TEXTOID, BOOLOID, TIMESTAMPTZOID}, NULL}
};

/*
 * Cancel what waits to go to addresses that became unsubscribed, if it is
 * marketing, or suppressed (rule C7), and what workers have at the moment, which
 * they may have sent.  The caller holds the rows of the addresses locked, so no
 * other message can come; see message_gate.c.
 */
void
cancel_messages(Directory *dir, const StateChange *changes, int n)
{
	int			sms;
	int			i;

	for (sms = 0; sms < 2; sms++)
	{
		Batch	   *batch = batch_create(&cancel_address[sms], n);
		Datum		suppressed = CStringGetTextDatum(message_is_suppressed[sms]);
		Datum		unsubscribed = CStringGetTextDatum(message_is_unsubscribed[sms]);

		for (i = 0; i < n; i++)
		{
			Datum		values[3];

			if (changes[i].after < STATE_UNSUBSCRIBED ||
				changes[i].after == changes[i].before)
				continue;
			values[0] = changes[i].key;
			values[1] = BoolGetDatum(changes[i].after != STATE_SUPPRESSED);
			values[2] = changes[i].after == STATE_SUPPRESSED ?
				suppressed : unsubscribed;
			batch_add(batch, values, NULL);
		}
		batch_run(dir, batch);
	}
}

/* Open a table of messages for who has the right on its column. */
static Relation
open_messages(Oid relid, const char *column, AclMode mode)
{
	Relation	rel;

	require_column_privilege(relid, column, mode);
	rel = table_open(relid, RowExclusiveLock);
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no table of messages of a contact directory",
						RelationGetRelationName(rel)),
				 errtable(rel)));
	(void) find_channel(rel);
	return rel;
}

/*
 * Lock the contacts, in the order of ids, and look at them; one may have gone
 * meanwhile.
 */
static void
lock_recipients(Directory *dir, const Channel *channel, Outgoing *messages,
				int n)
{
	Batch	   *batch = batch_create(&lock_contacts, n);
	uint64		found;
	uint64		row;
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		values[2];

		messages[i].refusal = channel->is_sms ?
			"sms_message_contact_id_fkey" : "email_message_contact_id_fkey";
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(messages[i].contact_id);
		batch_add(batch, values, NULL);
	}
	found = batch_run(dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, desc, 1, &isnull);
		Outgoing   *m = &messages[DatumGetInt32(value)];

		m->refusal = NULL;
		judge_contact(channel, m, tuple, desc);
	}
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);
}

/* What message_refusals() was asked about. */
typedef struct Question
{
	Relation	rel;
	const Channel *channel;
	bool		is_marketing;
	int64		topic_id;
	int			n;
	Datum	   *answers;		/* text or (Datum) 0, one for each */
	Outgoing   *messages;
	int		   *positions;		/* of the messages among the answers */
	int			nmessages;
} Question;

/* Read the messages asked about; those without an address are answered. */
static void
read_question(Question *q, ArrayType *contacts, ArrayType *addresses)
{
	DirectoryInfo *info = directory_info(q->rel);
	SemanticType *type = find_semantic_type(info, q->channel->type,
											strlen(q->channel->type));
	Datum	   *ids;
	Datum	   *values;
	bool	   *nulls[2];
	int			nvalues;
	int			i;

	deconstruct_array(contacts, INT8OID, 8, true, TYPALIGN_DOUBLE,
					  &ids, &nulls[0], &q->n);
	deconstruct_array(addresses, TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &nulls[1], &nvalues);
	if (nvalues != q->n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("as many addresses as contacts must be given")));
	q->answers = palloc0(sizeof(Datum) * (q->n + 1));
	q->messages = palloc0(sizeof(Outgoing) * (q->n + 1));
	q->positions = palloc(sizeof(int) * (q->n + 1));
	for (i = 0; i < q->n; i++)
	{
		Outgoing   *m = &q->messages[q->nmessages];

		if (nulls[1][i] || !canonical_value(type, values[i], &m->address))
		{
			q->answers[i] = CStringGetTextDatum(q->channel->is_sms ?
												"contact_has_no_mobile_phone" :
												"contact_has_no_email");
			continue;
		}
		m->rel = q->rel;
		m->contact_id = nulls[0][i] ? 0 : DatumGetInt64(ids[i]);
		m->is_marketing = q->is_marketing;
		m->topic_id = q->topic_id;
		memcpy(m->key.data,
			   DatumGetPointer(identifier_value_key(info, type, m->address)),
			   UUID_LEN);
		q->positions[q->nmessages++] = i;
	}
}

/* The answers as an array of text. */
static Datum
answer_array(const Question *q)
{
	bool	   *nulls = palloc(sizeof(bool) * (q->n + 1));
	int			dims[1];
	int			lbs[1] = {1};
	int			i;

	for (i = 0; i < q->n; i++)
		nulls[i] = q->answers[i] == (Datum) 0;
	dims[0] = q->n;
	return PointerGetDatum(construct_md_array(q->answers, nulls,
											  1, dims, lbs, TEXTOID,
											  -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(message_refusals);

/*
 * contacts.message_refusals(message regclass, contacts bigint[], addresses
 * text[], kind text, topic_id bigint): for each, why no message may be queued
 * to it, as the name of a constraint, or NULL.  Contacts and addresses are
 * locked, so that a message which may be queued may be until the transaction
 * ends.  For those who may insert messages.
 */
Datum
message_refusals(PG_FUNCTION_ARGS)
{
	Question	q;
	Directory	dir;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	memset(&q, 0, sizeof(q));
	q.rel = open_messages(PG_GETARG_OID(0), "address", ACL_INSERT);
	q.channel = find_channel(q.rel);
	q.is_marketing = PG_ARGISNULL(3) ||
		!text_is(PG_GETARG_DATUM(3), "transactional");
	q.topic_id = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT64(4);
	read_question(&q, PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2));

	directory_open(&dir, q.rel);
	SPI_connect();
	lock_recipients(&dir, q.channel, q.messages, q.nmessages);
	judge_messages(&dir, q.channel, q.messages, q.nmessages, true);
	SPI_finish();
	directory_close(&dir);
	table_close(q.rel, NoLock);
	for (i = 0; i < q.nmessages; i++)
	{
		if (q.messages[i].refusal != NULL)
			q.answers[q.positions[i]] =
				CStringGetTextDatum(q.messages[i].refusal);
	}
	PG_RETURN_DATUM(answer_array(&q));
}

/* Messages that a worker picked. */
typedef struct Picked
{
	Directory  *dir;
	const Channel *channel;
	Outgoing   *messages;
	int64	   *ids;
	int			n;
	uint64		nmoved;			/* not due any more */
} Picked;

/* Pick what is due, at most limit, and leave what others have picked. */
static void
pick_messages(Picked *p, Relation rel, int64 limit)
{
	Datum		arg = Int64GetDatum(limit);
	SPITupleTable *found;
	int			i;

	p->n = (int) query_run(p->dir, &pick_due[p->channel->is_sms], &arg, NULL);
	found = SPI_tuptable;
	p->messages = palloc0(sizeof(Outgoing) * (p->n + 1));
	p->ids = palloc(sizeof(int64) * (p->n + 1));
	for (i = 0; i < p->n; i++)
	{
		HeapTuple	tuple = found->vals[i];
		TupleDesc	desc = found->tupdesc;
		Outgoing   *m = &p->messages[i];
		bool		isnull;
		bool		is_lost;
		Datum		value;

		m->rel = rel;
		p->ids[i] = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
		value = SPI_getbinval(tuple, desc, 2, &isnull);
		m->is_marketing = !text_is(value, "transactional");
		value = SPI_getbinval(tuple, desc, 3, &isnull);
		m->contact_id = isnull ? 0 : DatumGetInt64(value);
		m->address = SPI_getbinval(tuple, desc, 4, &is_lost);
		value = SPI_getbinval(tuple, desc, 5, &isnull);
		if (!isnull)
			memcpy(m->key.data, DatumGetPointer(value), UUID_LEN);
		if (is_lost || isnull)
			m->refusal = "message_has_no_address";
		if (is_lost)
			m->address = CStringGetTextDatum("");
		value = SPI_getbinval(tuple, desc, 6, &isnull);
		m->topic_id = isnull ? 0 : DatumGetInt64(value);
	}
}

/* Put off the texts that would go out at night. */
static void
postpone_quiet(Picked *p)
{
	Batch	   *batch = batch_create(&postpone, p->n);
	uint64		found;
	uint64		row;
	int			i;

	if (!p->channel->is_sms)
		return;
	for (i = 0; i < p->n; i++)
	{
		Datum		values[3];

		if (!p->messages[i].is_marketing || p->messages[i].refusal != NULL)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(p->ids[i]);
		values[2] = Int64GetDatum(p->messages[i].contact_id);
		batch_add(batch, values, NULL);
	}
	found = batch_run(p->dir, batch);
	p->nmoved += found;
	for (row = 0; row < found; row++)
	{
		bool		isnull;
		Datum		n = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, 1, &isnull);

		p->ids[DatumGetInt32(n)] = 0;
	}
}

/* Cancel what may not go any more. */
static void
cancel_refused(Picked *p)
{
	Batch	   *batch = batch_create(&cancel_picked[p->channel->is_sms], p->n);
	int			i;

	for (i = 0; i < p->n; i++)
	{
		Datum		values[2];

		if (p->messages[i].refusal == NULL)
			continue;
		values[0] = Int64GetDatum(p->ids[i]);
		values[1] = CStringGetTextDatum(p->messages[i].refusal);
		batch_add(batch, values, NULL);
	}
	p->nmoved += batch_run(p->dir, batch);
}

/*
 * Hand out the picked messages that may go, as rows of the result; returns how
 * many there were.
 */
static int
hand_out_picked(Picked *p, ReturnSetInfo * result)
{
	Batch	   *batch = batch_create(&hand_out[p->channel->is_sms], p->n);
	uint64		found;
	uint64		row;
	int			i;

	judge_messages(p->dir, p->channel, p->messages, p->n, false);
	cancel_refused(p);
	postpone_quiet(p);
	for (i = 0; i < p->n; i++)
	{
		Datum		id = Int64GetDatum(p->ids[i]);

		if (p->messages[i].refusal == NULL && p->ids[i] != 0)
			batch_add(batch, &id, NULL);
	}
	found = batch_run(p->dir, batch);
	p->nmoved += found;
	for (row = 0; row < found; row++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[row]);
	return (int) found;
}

PG_FUNCTION_INFO_V1(hand_out_messages);

/*
 * contacts.hand_out_emails(message regclass, n integer) and hand_out_texts():
 * give the caller up to n messages that are due, on a lease.  Fewer than n mean
 * that no more are due, or that other workers have them.
 */
Datum
hand_out_messages(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		wanted = PG_GETARG_INT32(1);
	Relation	rel = open_messages(PG_GETARG_OID(0), "leased_until",
									ACL_UPDATE);
	Directory	dir;
	Picked		picked;

	InitMaterializedSRF(fcinfo, 0);
	directory_open(&dir, rel);
	picked.dir = &dir;
	picked.channel = find_channel(rel);
	SPI_connect();
	while (wanted > 0)
	{
		CHECK_FOR_INTERRUPTS();
		pick_messages(&picked, rel, wanted);
		if (picked.n == 0)
			break;
		picked.nmoved = 0;
		wanted -= hand_out_picked(&picked, result);
		/* a trigger of a user may swallow what is done to them */
		if (picked.nmoved == 0)
			break;
	}
	SPI_finish();
	directory_close(&dir);
	table_close(rel, NoLock);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mark_message);

/*
 * contacts.mark_message(message regclass, id bigint, provider_id text, error
 * text, retry boolean, retry_at timestamptz): what became of a message that was
 * handed out; it was sent if error is NULL.  False if there was nothing to be
 * changed.
 */
Datum
mark_message(PG_FUNCTION_ARGS)
{
	Relation	rel;
	Directory	dir;
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	bool		is_sent = PG_ARGISNULL(3);
	int			sms;
	uint64		n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	rel = open_messages(PG_GETARG_OID(0), "leased_until", ACL_UPDATE);
	directory_open(&dir, rel);
	sms = find_channel(rel)->is_sms ? 1 : 0;
	values[0] = PG_GETARG_DATUM(1);
	values[1] = PG_GETARG_DATUM(is_sent ? 2 : 3);
	nulls[1] = PG_ARGISNULL(is_sent ? 2 : 3) ? 'n' : ' ';
	values[2] = BoolGetDatum(!PG_ARGISNULL(4) && PG_GETARG_BOOL(4));
	values[3] = PG_GETARG_DATUM(5);
	nulls[3] = PG_ARGISNULL(5) ? 'n' : ' ';
	SPI_connect();
	n = query_run(&dir, is_sent ? &mark_sent[sms] : &mark_failed[sms],
				  values, nulls);
	SPI_finish();
	directory_close(&dir);
	table_close(rel, NoLock);
	PG_RETURN_BOOL(n > 0);
}
