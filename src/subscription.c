/*-------------------------------------------------------------------------
 *
 * subscription.c
 *	  subscriptions to topics: since when, and the log of their changes
 *
 * Every change of a subscription is an event of an append-only log, with the
 * key of the contact's main address at that time.  The log is also the memory:
 * who left a topic is known by that key when the contact is long gone, and
 * whoever claims the address later is not sent the topic until he subscribes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "columns.h"
#include "pending.h"
#include "plan_cache.h"

static const char *const subscription_columns[] = {
	"contact_id", "topic_id", "state", "since", "source", "evidence"
};
enum
{
	SUBSCRIPTION_CONTACT_ID, SUBSCRIPTION_TOPIC_ID, SUBSCRIPTION_STATE,
	SUBSCRIPTION_SINCE, SUBSCRIPTION_SOURCE, SUBSCRIPTION_EVIDENCE,
	SUBSCRIPTION_NCOLUMNS
};

/* What goes with a contact that is deleted is no change of his mind. */
static const DirectoryQuery insert_events = {
	"INSERT INTO @subscription_event@ (topic_id, contact_id, key, old_state,"
	" new_state, source, evidence, role)"
	" SELECT n.topic_id, n.contact_id, i.key, n.before, n.after, n.source,"
	" n.evidence, n.role"
	" FROM @rows@ JOIN ONLY @contact@ c"
	"  ON c.id OPERATOR(pg_catalog.=) n.contact_id"
	" LEFT JOIN ONLY @identifier@ i"
	"  ON i.contact_id OPERATOR(pg_catalog.=) c.id"
	"  AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	"  AND i.slug OPERATOR(pg_catalog.=) 'main'",
	7, {INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID},
	"topic_id, contact_id, before, after, source, evidence, role"
};

static void
read_subscription(Row *row, Relation rel, HeapTuple tuple)
{
	row_read(row, rel, tuple, subscription_columns, SUBSCRIPTION_NCOLUMNS);
}

PG_FUNCTION_INFO_V1(subscription_derive);

/* BEFORE INSERT OR UPDATE: since goes with the state. */
Datum
subscription_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "subscription_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	Row			new;
	Row			old;

	read_subscription(&new, trigdata->tg_relation,
					  is_update ? trigdata->tg_newtuple :
					  trigdata->tg_trigtuple);
	if (is_update)
	{
		read_subscription(&old, trigdata->tg_relation, trigdata->tg_trigtuple);
		if (row_text_differs(&old, &new, SUBSCRIPTION_STATE))
			row_set(&new, SUBSCRIPTION_SINCE, now);
		else
			row_copy(&new, &old, SUBSCRIPTION_SINCE);
	}
	else if (new.nulls[SUBSCRIPTION_SINCE])
		row_set(&new, SUBSCRIPTION_SINCE, now);
	return PointerGetDatum(row_tuple(&new));
}

/*
 * Add the event of a subscription that goes from before to after, one of which
 * may be NULL: it came, or it went.
 */
static void
add_event(Batch *batch, const Row *before, const Row *after, Datum role)
{
	const Row  *row = after != NULL ? after : before;
	Datum		values[7];
	bool		nulls[7] = {false, false, false, false, false, false, false};

	values[0] = row->values[SUBSCRIPTION_TOPIC_ID];
	values[1] = row->values[SUBSCRIPTION_CONTACT_ID];
	nulls[2] = before == NULL || before->nulls[SUBSCRIPTION_STATE];
	values[2] = nulls[2] ? (Datum) 0 : before->values[SUBSCRIPTION_STATE];
	nulls[3] = after == NULL || after->nulls[SUBSCRIPTION_STATE];
	values[3] = nulls[3] ? (Datum) 0 : after->values[SUBSCRIPTION_STATE];
	nulls[4] = after == NULL || after->nulls[SUBSCRIPTION_SOURCE];
	values[4] = nulls[4] ? (Datum) 0 : after->values[SUBSCRIPTION_SOURCE];
	nulls[5] = after == NULL || after->nulls[SUBSCRIPTION_EVIDENCE];
	values[5] = nulls[5] ? (Datum) 0 : after->values[SUBSCRIPTION_EVIDENCE];
	values[6] = role;
	batch_add(batch, values, nulls);
}

/* The events of one change: a subscription that moved ends and begins. */
static void
add_change(Batch *batch, Relation rel, const Change *change, Datum role)
{
	Row			before;
	Row			after;

	if (change->before != NULL)
		read_subscription(&before, rel, change->before);
	if (change->after != NULL)
		read_subscription(&after, rel, change->after);
	if (change->before == NULL)
		add_event(batch, NULL, &after, role);
	else if (change->after == NULL)
		add_event(batch, &before, NULL, role);
	else if (row_bytes_differ(&before, &after, SUBSCRIPTION_CONTACT_ID) ||
			 row_bytes_differ(&before, &after, SUBSCRIPTION_TOPIC_ID))
	{
		add_event(batch, &before, NULL, role);
		add_event(batch, NULL, &after, role);
	}
	else
		add_event(batch, &before, &after, role);
}

/* Log what row triggers collected. */
static void
log_changes(Relation rel)
{
	char	   *name = GetUserNameFromId(GetOuterUserId(), true);
	Datum		role = CStringGetTextDatum(name ? name : "unknown");
	Change	   *changes;
	Directory	dir;
	Batch	   *batch;
	int			n = pending_take(rel, &changes);
	int			i;

	if (n == 0)
		return;
	directory_open(&dir, rel);
	batch = batch_create(&insert_events, 2 * n);
	for (i = 0; i < n; i++)
		add_change(batch, rel, &changes[i], role);
	batch_run(&dir, batch);
	directory_close(&dir);
}

PG_FUNCTION_INFO_V1(subscription_change);

/* AFTER ROW collects, AFTER STATEMENT logs. */
Datum
subscription_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "subscription_change",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_INSERT |
										  CALL_UPDATE | CALL_DELETE);

	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) && pending_collect(fcinfo))
		return PointerGetDatum(NULL);
	SPI_connect();
	log_changes(trigdata->tg_relation);
	SPI_finish();
	return PointerGetDatum(NULL);
}
