/*-------------------------------------------------------------------------
 *
 * message_gate.c
 *	  who may not be written to (rule C8), and what is cancelled (C7)
 *
 * No message may be accepted for an address after its suppression has been
 * acknowledged.  So whoever wants to send takes the row of the address, (key,
 * holder 0), FOR SHARE, or, where there is none, its entry in that index, and
 * looks only then; both are kept to the end of the transaction.  Whoever
 * changes the state of an address needs the same row or entry for himself: he
 * waits, and then finds the message and cancels it.  New entries are taken
 * before rows that are there, each in the order of keys, as change_consent.c
 * does it; the contacts, which come first, have been locked by the foreign
 * key, and the trigger comes after it.
 *
 * A message that waits already, or that a worker has, needs no lock on its
 * address to change hands: its own row is locked, and who changes the state of
 * the address waits for that, in order to cancel it.  So workers never wait.
 *
 * What the contact and the topic say is looked up without a lock: it is looked
 * at again when the message is handed out.
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

#include "attempt.h"
#include "claim_insert.h"
#include "identifier_key.h"
#include "main_identifier.h"
#include "message.h"
#include "pending.h"
#include "reserved.h"

#define GATE_CHUNK 65536		/* messages judged together */

#define FIND_STATES \
	"SELECT n.n, i.status::pg_catalog.text, i.contact_id, i.is_outreach" \
	" FROM @rows@ JOIN ONLY @identifier@ i" \
	"  ON i.key OPERATOR(pg_catalog.=) n.key" \
	"  AND i.holder OPERATOR(pg_catalog.=) 0"

static const DirectoryQuery find_states = {
	FIND_STATES, 2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery lock_states = {
	FIND_STATES " ORDER BY i.key FOR SHARE OF i",
	2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery find_contacts = {
	"SELECT n.n, " MESSAGE_CONTACT
	" FROM @rows@ JOIN ONLY @contact@ c ON c.id OPERATOR(pg_catalog.=) n.id",
	2, {INT4OID, INT8OID}, "n, id"
};

/* What the rows of those who hold a shared number say. */
static const DirectoryQuery find_holders = {
	"SELECT n.n, i.is_outreach FROM @rows@ JOIN ONLY @identifier@ i"
	" ON i.key OPERATOR(pg_catalog.=) n.key"
	" AND i.holder OPERATOR(pg_catalog.=) n.contact_id",
	3, {INT4OID, UUIDOID, INT8OID}, "n, key, contact_id"
};

/*
 * Who left a topic with an address is not sent it there again, but for a later
 * subscription, whoever holds the address now.
 */
static const DirectoryQuery find_topics = {
	"SELECT n.n, CASE WHEN t.archived_at IS NOT NULL THEN 'topic_is_archived'"
	" WHEN s.state OPERATOR(pg_catalog.=) 'unsubscribed'"
	"  OR (SELECT e.new_state FROM ONLY @subscription_event@ e"
	"   WHERE e.topic_id OPERATOR(pg_catalog.=) n.topic_id"
	"   AND e.key OPERATOR(pg_catalog.=) n.key AND e.new_state IS NOT NULL"
	"   ORDER BY e.id DESC LIMIT 1) OPERATOR(pg_catalog.=) 'unsubscribed'"
	"  THEN 'topic_is_unsubscribed'"
	" WHEN s.state IS NULL AND t.needs_subscription"
	"  THEN 'topic_is_not_subscribed' END"
	" FROM @rows@ JOIN ONLY @subscription_topic@ t"
	"  ON t.id OPERATOR(pg_catalog.=) n.topic_id"
	" LEFT JOIN ONLY @subscription@ s"
	"  ON s.contact_id OPERATOR(pg_catalog.=) n.contact_id"
	"  AND s.topic_id OPERATOR(pg_catalog.=) n.topic_id",
	4, {INT4OID, INT8OID, UUIDOID, INT8OID}, "n, contact_id, key, topic_id"
};

static const DirectoryQuery find_settings = {
	"SELECT s.marketing_needs_opt_in, s.is_texting_enabled"
	" FROM ONLY @setting@ s",
	0, {InvalidOid}, NULL
};

/* Why a message is refused; for emails and for texts. */
const char *const message_is_suppressed[] = {
	"email_is_suppressed", "phone_is_suppressed"
};
const char *const message_is_unsubscribed[] = {
	"email_is_unsubscribed", "phone_is_unsubscribed"
};
static const char *const is_not_opted_in[] = {
	"email_is_not_opted_in", "phone_is_not_opted_in"
};

/* Messages of one channel, being judged. */
typedef struct Judgement
{
	Directory  *dir;
	const Channel *channel;
	const SemanticType *type;
	Outgoing   *messages;
	int			n;
	bool		is_new;			/* new work: addresses are locked */
	int		   *order;			/* of the messages by key */
	bool	   *is_missing;		/* a row of the address was looked for in vain */
} Judgement;

/* A refusal stands; the first one is told. */
static void
refuse(Outgoing *m, const char *constraint)
{
	if (m->refusal == NULL)
		m->refusal = constraint;
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	const Outgoing *messages = arg;

	return memcmp(messages[*(const int *) a].key.data,
				  messages[*(const int *) b].key.data, UUID_LEN);
}

/* Look at the rows of the addresses that are not known yet, in index order. */
static void
find_rows(Judgement *j)
{
	Batch	   *batch = batch_create(j->is_new ? &lock_states : &find_states,
									 j->n);
	uint64		found;
	uint64		row;
	int			k;

	for (k = 0; k < j->n; k++)
	{
		int			i = j->order[k];
		Datum		values[2];

		if (j->messages[i].is_known)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&j->messages[i].key);
		batch_add(batch, values, NULL);
	}
	found = batch_run(j->dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, desc, 1, &isnull);
		Outgoing   *m = &j->messages[DatumGetInt32(value)];

		m->is_known = true;
		value = SPI_getbinval(tuple, desc, 2, &isnull);
		m->state = parse_state(value, isnull);
		value = SPI_getbinval(tuple, desc, 3, &isnull);
		m->holder = isnull ? 0 : DatumGetInt64(value);
		value = SPI_getbinval(tuple, desc, 4, &isnull);
		m->is_outreach = isnull || DatumGetBool(value);
	}
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);
}

static int
compare_reservations(const void *a, const void *b)
{
	return memcmp(((const Reservation *) a)->key.data,
				  ((const Reservation *) b)->key.data, UUID_LEN);
}

/* Take the index entries of the addresses that have no row. */
static void
reserve_missing(Judgement *j)
{
	Reservation *r = palloc(sizeof(Reservation) * (j->n + 1));
	int			nall = 0;
	int			n = 0;
	int			i;

	for (i = 0; i < j->n; i++)
	{
		if (!j->is_missing[i])
			continue;
		r[nall].value = j->messages[i].address;
		r[nall].is_reserved = false;
		r[nall++].key = j->messages[i].key;
	}
	if (nall == 0)
		return;
	qsort(r, nall, sizeof(Reservation), compare_reservations);
	for (i = 0; i < nall; i++)
	{
		if (n == 0 || compare_reservations(&r[n - 1], &r[i]) != 0)
			r[n++] = r[i];
	}
	reserve_values(j->dir, j->type, r, n);
	for (i = 0; i < j->n; i++)
	{
		Reservation wanted;
		Reservation *taken;

		if (!j->is_missing[i])
			continue;
		wanted.key = j->messages[i].key;
		taken = bsearch(&wanted, r, n, sizeof(Reservation),
						compare_reservations);
		j->messages[i].is_known = taken != NULL && taken->is_reserved;
	}
}

/*
 * Take what stands for the addresses, and look at their states.  False if an
 * address has turned out to have no row: its entry is to be taken first.
 */
static bool
take_addresses(void *arg)
{
	Judgement  *j = arg;
	bool		is_complete = true;
	int			i;

	for (i = 0; i < j->n; i++)
	{
		j->messages[i].is_known = false;
		j->messages[i].state = STATE_NOT_OPTED_IN;
		j->messages[i].holder = 0;
		j->messages[i].is_outreach = true;
	}
	reserve_missing(j);
	find_rows(j);
	for (i = 0; i < j->n; i++)
	{
		if (j->messages[i].is_known ||
			is_reserved(j->dir->identifier, &j->messages[i].key))
			continue;
		j->is_missing[i] = true;
		is_complete = false;
	}
	return is_complete || !j->is_new;
}

/* What the state of the address says. */
static void
judge_states(Judgement *j)
{
	int			sms = j->channel->is_sms ? 1 : 0;
	bool		needs_opt_in = false;
	bool		is_texting_enabled = false;
	int			i;

	if (query_run(j->dir, &find_settings, NULL, NULL) > 0)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		needs_opt_in = DatumGetBool(SPI_getbinval(tuple, desc, 1, &isnull));
		is_texting_enabled = DatumGetBool(SPI_getbinval(tuple, desc, 2,
														&isnull));
	}
	for (i = 0; i < j->n; i++)
	{
		Outgoing   *m = &j->messages[i];

		if (sms && !is_texting_enabled)
			refuse(m, "texting_is_enabled");
		if (m->state == STATE_SUPPRESSED)
			refuse(m, message_is_suppressed[sms]);
		if (m->is_marketing && m->state == STATE_UNSUBSCRIBED)
			refuse(m, message_is_unsubscribed[sms]);
		if (m->is_marketing && needs_opt_in && m->state != STATE_OPTED_IN)
			refuse(m, is_not_opted_in[sms]);
		if (!m->is_outreach)
			refuse(m, "identifier_is_not_outreach");
	}
}

/*
 * What the contact says whom the message is to, columns 2 and 3 of the tuple.
 * Texts go to the mobile phone of their contact only.
 */
void
judge_contact(const Channel *channel, Outgoing *m, HeapTuple tuple,
			  TupleDesc desc)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, 2, &isnull);

	if (DatumGetBool(value))
		m->is_archived = true;
	value = SPI_getbinval(tuple, desc, 3, &isnull);
	m->is_mobile = channel->is_sms && !isnull &&
		texts_equal(value, m->address);
	m->is_contact_known = true;
}

/*
 * Look at the contacts whom the messages are to, or, if holders, at those that
 * hold the addresses where these are others.
 */
static void
find_recipients(Judgement *j, bool holders)
{
	Batch	   *batch = batch_create(&find_contacts, j->n);
	uint64		found;
	uint64		row;
	int			i;

	for (i = 0; i < j->n; i++)
	{
		Outgoing   *m = &j->messages[i];
		int64		id = holders ? m->holder : m->contact_id;
		Datum		values[2];

		if (id == 0 || (holders ? id == m->contact_id : m->is_contact_known))
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(id);
		batch_add(batch, values, NULL);
	}
	found = batch_run(j->dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		n = SPI_getbinval(tuple, desc, 1, &isnull);
		Outgoing   *m = &j->messages[DatumGetInt32(n)];
		bool		was_mobile = m->is_mobile;

		judge_contact(j->channel, m, tuple, desc);
		if (holders)
			m->is_mobile = was_mobile;
	}
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);
}

/* What the contacts say. */
static void
judge_contacts(Judgement *j)
{
	int			i;

	find_recipients(j, false);
	find_recipients(j, true);
	for (i = 0; i < j->n; i++)
	{
		Outgoing   *m = &j->messages[i];

		if (m->is_archived)
			refuse(m, "contact_is_archived");
		if (j->channel->is_sms && !m->is_mobile)
			refuse(m, "phone_is_not_mobile");
	}
}

/* What the contact's own row of a number says that several may hold. */
static void
judge_holders(Judgement *j)
{
	Batch	   *batch = batch_create(&find_holders, j->n);
	uint64		found;
	uint64		row;
	int			i;

	if (j->type->is_exclusive)
		return;
	for (i = 0; i < j->n; i++)
	{
		Datum		values[3];

		if (j->messages[i].contact_id == 0)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&j->messages[i].key);
		values[2] = Int64GetDatum(j->messages[i].contact_id);
		batch_add(batch, values, NULL);
	}
	found = batch_run(j->dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		int			n = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));

		if (!DatumGetBool(SPI_getbinval(tuple, desc, 2, &isnull)) && !isnull)
			refuse(&j->messages[n], "identifier_is_not_outreach");
	}
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);
}

/* What the topic of marketing says. */
static void
judge_topics(Judgement *j)
{
	static const char *const refusals[] = {
		"topic_is_archived", "topic_is_unsubscribed", "topic_is_not_subscribed"
	};
	Batch	   *batch = batch_create(&find_topics, j->n);
	uint64		found;
	uint64		row;
	int			i;

	for (i = 0; i < j->n; i++)
	{
		Outgoing   *m = &j->messages[i];
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		if (!m->is_marketing || m->topic_id == 0)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(m->contact_id);
		nulls[1] = m->contact_id == 0;
		values[2] = UUIDPGetDatum(&m->key);
		values[3] = Int64GetDatum(m->topic_id);
		batch_add(batch, values, nulls);
	}
	found = batch_run(j->dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		int			n = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));
		Datum		value = SPI_getbinval(tuple, desc, 2, &isnull);

		for (i = 0; !isnull && i < lengthof(refusals); i++)
		{
			if (text_is(value, refusals[i]))
				refuse(&j->messages[n], refusals[i]);
		}
	}
	if (found > 0)
		SPI_freetuptable(SPI_tuptable);
}

/*
 * Find out which of the messages may not go, within SPI_connect().  If they are
 * new work, their addresses are locked to the end of the transaction, and what
 * their states say stands until then; else the caller holds their rows locked.
 */
void
judge_messages(Directory *dir, const Channel *channel, Outgoing *messages,
			   int n, bool is_new)
{
	Judgement	j;
	int			i;

	if (n == 0)
		return;
	j.dir = dir;
	j.channel = channel;
	j.type = find_semantic_type(directory_info(messages[0].rel),
								channel->type, strlen(channel->type));
	j.messages = messages;
	j.n = n;
	j.is_new = is_new;
	j.is_missing = palloc0(sizeof(bool) * n);
	j.order = palloc(sizeof(int) * n);
	for (i = 0; i < n; i++)
		j.order[i] = i;
	qsort_arg(j.order, n, sizeof(int), compare_keys, messages);
	/* one address cannot be locked in the wrong order */
	if (is_new && n > 1)
		attempt_until_done(take_addresses, &j);
	else
		while (!take_addresses(&j))
			CHECK_FOR_INTERRUPTS();
	judge_states(&j);
	judge_contacts(&j);
	judge_holders(&j);
	judge_topics(&j);
}

/* Raise 23514 for a message that may not go, with what refused it. */
void
report_refused(const Outgoing *m)
{
	static const struct
	{
		const char *constraint;
		const char *detail;
	}			details[] = {
		{"texting_is_enabled", "The settings of the directory do not enable text messages."},
		{"email_is_suppressed", "The address is suppressed for ever."},
		{"phone_is_suppressed", "The number is suppressed for ever."},
		{"email_is_unsubscribed", "The address is unsubscribed from marketing."},
		{"phone_is_unsubscribed", "The number is unsubscribed from marketing."},
		{"email_is_not_opted_in", "Marketing needs an opt-in here."},
		{"phone_is_not_opted_in", "Marketing needs an opt-in here."},
		{"contact_is_archived", "The contact is archived."},
		{"identifier_is_not_outreach", "The address is not for outreach."},
		{"phone_is_not_mobile", "Text messages go to the mobile phone of their contact only."},
		{"topic_is_archived", "The topic is archived."},
		{"topic_is_unsubscribed", "The contact has left the topic."},
		{"topic_is_not_subscribed", "The contact has not subscribed to the topic."}
	};
	const char *detail = "";
	int			i;

	for (i = 0; i < lengthof(details); i++)
	{
		if (strcmp(details[i].constraint, m->refusal) == 0)
			detail = details[i].detail;
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("no message is sent to \"%s\"",
					TextDatumGetCString(m->address)),
			 errdetail_internal("%s", detail),
			 errtableconstraint(m->rel, m->refusal)));
}

/* Read a message to be judged; its address and key have been derived. */
static void
read_outgoing(Outgoing *m, Relation rel, const Row *row)
{
	memset(m, 0, sizeof(*m));
	m->rel = rel;
	row_require(row, MESSAGE_ADDRESS);
	row_require(row, MESSAGE_KEY);
	if (!row->nulls[MESSAGE_CONTACT_ID])
		m->contact_id = DatumGetInt64(row->values[MESSAGE_CONTACT_ID]);
	if (!row->nulls[MESSAGE_TOPIC_ID])
		m->topic_id = DatumGetInt64(row->values[MESSAGE_TOPIC_ID]);
	m->address = row->values[MESSAGE_ADDRESS];
	memcpy(m->key.data, DatumGetPointer(row->values[MESSAGE_KEY]), UUID_LEN);
	m->is_marketing = !row_text_is(row, MESSAGE_KIND, "transactional");
}

/*
 * The key is derived; a trigger of a user that fires later could write another
 * one, past the state of the address.
 */
static void
check_keys(Relation rel, const Channel *channel, Outgoing *messages, int n)
{
	DirectoryInfo *info = directory_info(rel);
	SemanticType *type = find_semantic_type(info, channel->type,
											strlen(channel->type));
	int			i;

	if (!has_user_triggers(rel))
		return;
	for (i = 0; i < n; i++)
	{
		Datum		canonical;

		if (canonical_value(type, messages[i].address, &canonical) &&
			memcmp(DatumGetPointer(identifier_value_key(info, type, canonical)),
				   messages[i].key.data, UUID_LEN) == 0)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_RESTRICT_VIOLATION),
				 errmsg("column \"key\" of table \"%s\" is derived",
						RelationGetRelationName(rel)),
				 errtableconstraint(rel, "message_key_is_derived")));
	}
}

/* Judge messages and refuse the statement for the first that may not go. */
static void
pass_gate(Directory *dir, Relation rel, Outgoing *messages, int n, bool is_new)
{
	const Channel *channel = find_channel(rel);
	int			i;

	check_keys(rel, channel, messages, n);
	judge_messages(dir, channel, messages, n, is_new);
	for (i = 0; i < n; i++)
	{
		if (messages[i].refusal != NULL)
			report_refused(&messages[i]);
	}
}

/* Is the row one that is to go out? */
static bool
is_open(const Row *row)
{
	return row_text_is(row, MESSAGE_STATE, "queued") ||
		row_text_is(row, MESSAGE_STATE, "sending");
}

/* The inserted messages that are to go out, a chunk at a time. */
static void
gate_inserted(Relation rel, Tuplestorestate *inserted)
{
	Directory	dir;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);
	MemoryContext context;
	Outgoing   *messages;
	int			n = 0;

	SPI_connect();
	directory_open(&dir, rel);
	messages = palloc(sizeof(Outgoing) *
					  Min(GATE_CHUNK, tuplestore_tuple_count(inserted)));
	context = AllocSetContextCreate(CurrentMemoryContext,
									"contacts messages",
									ALLOCSET_DEFAULT_SIZES);
	/* others may have read the transition table before us */
	tuplestore_select_read_pointer(inserted, 0);
	tuplestore_rescan(inserted);
	while (tuplestore_gettupleslot(inserted, true, false, slot))
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		Row			row;

		CHECK_FOR_INTERRUPTS();
		row_read(&row, rel, ExecCopySlotHeapTuple(slot),
				 message_columns, MESSAGE_NCOLUMNS);
		if (is_open(&row))
			read_outgoing(&messages[n++], rel, &row);
		if (n == GATE_CHUNK)
		{
			pass_gate(&dir, rel, messages, n, true);
			n = 0;
			MemoryContextReset(context);
		}
		MemoryContextSwitchTo(oldcontext);
	}
	pass_gate(&dir, rel, messages, n, true);
	ExecDropSingleTupleTableSlot(slot);
	directory_close(&dir);
	SPI_finish();
}

/*
 * Is it new work?  Else the row was on its way before and goes to the same
 * address in the same manner: who changes the state of that waits for the row.
 */
static bool
is_new_work(const Row *old, const Row *new)
{
	return !is_open(old) || row_uuid_differs(old, new, MESSAGE_KEY) ||
		row_text_differs(old, new, MESSAGE_KIND);
}

/* The updated messages that were collected. */
static void
gate_updated(Relation rel)
{
	Directory	dir;
	Change	   *changes;
	Outgoing   *messages[2];
	int			n[2] = {0, 0};
	int			nchanges;
	int			i;

	SPI_connect();
	nchanges = pending_take(rel, &changes);
	if (nchanges > 0)
	{
		directory_open(&dir, rel);
		messages[0] = palloc(sizeof(Outgoing) * nchanges);
		messages[1] = palloc(sizeof(Outgoing) * nchanges);
		for (i = 0; i < nchanges; i++)
		{
			Row			old;
			Row			new;
			int			is_new;

			row_read(&old, rel, changes[i].before,
					 message_columns, MESSAGE_NCOLUMNS);
			row_read(&new, rel, changes[i].after,
					 message_columns, MESSAGE_NCOLUMNS);
			is_new = is_new_work(&old, &new) ? 1 : 0;
			read_outgoing(&messages[is_new][n[is_new]++], rel, &new);
		}
		pass_gate(&dir, rel, messages[1], n[1], true);
		pass_gate(&dir, rel, messages[0], n[0], false);
		directory_close(&dir);
	}
	SPI_finish();
}

PG_FUNCTION_INFO_V1(message_gate);

/*
 * AFTER INSERT STATEMENT judges what is in the transition table; AFTER UPDATE
 * ROW collects, STATEMENT judges.
 */
Datum
message_gate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "message_gate",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_INSERT |
										  CALL_UPDATE);
	bool		is_row = TRIGGER_FIRED_FOR_ROW(trigdata->tg_event);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		if (!is_row || !pending_collect(fcinfo))
			gate_updated(trigdata->tg_relation);
	}
	else if (is_row || trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" needs a transition table",
						trigdata->tg_trigger->tgname),
				 errtable(trigdata->tg_relation)));
	else if (tuplestore_tuple_count(trigdata->tg_newtable) > 0)
		gate_inserted(trigdata->tg_relation, trigdata->tg_newtable);
	return PointerGetDatum(NULL);
}
