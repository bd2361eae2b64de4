/*-------------------------------------------------------------------------
 *
 * delivery_notice.c
 *	  notices of mail servers and providers, and what follows from them
 *
 * A complaint and a hard bounce suppress their address at once.  Soft bounces
 * suppress it when as many as the setting says fall within the window that the
 * setting says, with no delivery between the first and the last.  A block says
 * something of the sender, not of the address, and is only recorded.  Whoever
 * may insert a notice needs no right on consent states: the notice is the
 * reason.  It also tells the message it is about what became of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "change_consent.h"
#include "columns.h"
#include "pending.h"
#include "plan_cache.h"

static const char *const notice_columns[] = {
	"address", "key", "kind", "at", "source", "diagnostic", "provider_id"
};
enum
{
	NOTICE_ADDRESS, NOTICE_KEY, NOTICE_KIND, NOTICE_AT, NOTICE_SOURCE,
	NOTICE_DIAGNOSTIC, NOTICE_PROVIDER_ID, NOTICE_NCOLUMNS
};

/* Soft bounces of one address are counted by one session at a time. */
#define COUNT_LOCKS 64

/*
 * Notices may come late and in any order: a new one completes a series that
 * ends with itself or with a later one.
 */
static const DirectoryQuery over_limit = {
	"SELECT n.n FROM @rows@, ONLY @setting@ g WHERE EXISTS"
	" (SELECT FROM ONLY @delivery_notice@ m"
	"  WHERE m.key OPERATOR(pg_catalog.=) n.key"
	"  AND m.kind OPERATOR(pg_catalog.=) 'soft_bounce'"
	"  AND m.at OPERATOR(pg_catalog.>=) n.at"
	"  AND m.at OPERATOR(pg_catalog.<)"
	"   (n.at OPERATOR(pg_catalog.+) g.soft_bounce_window)"
	"  AND g.soft_bounce_limit OPERATOR(pg_catalog.=)"
	"   (SELECT pg_catalog.count(*) FROM"
	"    (SELECT FROM ONLY @delivery_notice@ s"
	"     WHERE s.key OPERATOR(pg_catalog.=) n.key"
	"     AND s.kind OPERATOR(pg_catalog.=) 'soft_bounce'"
	"     AND s.at OPERATOR(pg_catalog.<=) m.at"
	"     AND s.at OPERATOR(pg_catalog.>)"
	"      (m.at OPERATOR(pg_catalog.-) g.soft_bounce_window)"
	"     AND NOT EXISTS (SELECT FROM ONLY @delivery_notice@ d"
	"      WHERE d.key OPERATOR(pg_catalog.=) n.key"
	"      AND d.kind OPERATOR(pg_catalog.=) 'delivery'"
	"      AND d.at OPERATOR(pg_catalog.>) s.at"
	"      AND d.at OPERATOR(pg_catalog.<=) m.at)"
	"     LIMIT g.soft_bounce_limit) c))",
	3, {INT4OID, UUIDOID, TIMESTAMPTZOID}, "n, key, at"
};

#define MARK_MESSAGES(table) \
	"UPDATE ONLY @" table "@ m SET state = n.state," \
	" error = coalesce(n.diagnostic, m.error)" \
	" FROM @rows@ WHERE m.provider_id OPERATOR(pg_catalog.=) n.provider_id" \
	" AND m.key OPERATOR(pg_catalog.=) n.key" \
	" AND (m.state OPERATOR(pg_catalog.=) 'sent'" \
	"  OR m.state OPERATOR(pg_catalog.=) 'delivered'" \
	"  AND n.state OPERATOR(pg_catalog.=) 'bounced')", \
	4, {TEXTOID, UUIDOID, TEXTOID, TEXTOID}, \
	"provider_id, key, state, diagnostic"

static const DirectoryQuery mark_emails = {
	MARK_MESSAGES("email_message")
};

static const DirectoryQuery mark_texts = {
	MARK_MESSAGES("sms_message")
};

/* The notices of a statement, and the addresses that they suppress. */
typedef struct Notices
{
	Directory	dir;
	DirectoryInfo *info;
	Row		   *rows;
	int			n;
	ConsentTarget *targets;
	int			ntargets;
} Notices;

/* Without an address comes one that was erased, with its key. */
static void
require_key(const Row *row)
{
	static const pg_uuid_t none;

	if (row->nulls[NOTICE_KEY] ||
		memcmp(DatumGetUUIDP(row->values[NOTICE_KEY])->data, none.data,
			   UUID_LEN) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a notice needs the address that it is about"),
				 errtablecol(row->rel, row->attnums[NOTICE_ADDRESS])));
}

PG_FUNCTION_INFO_V1(notice_derive);

/* BEFORE INSERT: the address in its canonical form, and its key. */
Datum
notice_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "notice_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT);
	Relation	rel = trigdata->tg_relation;
	DirectoryInfo *info;
	ConsentTarget target;
	KeyMaker   *maker;
	pg_uuid_t  *key;
	Row			row;

	row_read(&row, rel, trigdata->tg_trigtuple, notice_columns,
			 NOTICE_NCOLUMNS);
	info = directory_info(rel);
	if (row.nulls[NOTICE_AT])
		row_set(&row, NOTICE_AT,
				TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
	if (row.nulls[NOTICE_ADDRESS])
		require_key(&row);
	else
	{
		maker = key_maker_create(info);
		if (!read_target(info, maker, row.values[NOTICE_ADDRESS], &target))
			report_no_address(row.values[NOTICE_ADDRESS]);
		key_maker_free(maker);
		key = palloc(sizeof(pg_uuid_t));
		*key = target.key;
		row_set(&row, NOTICE_ADDRESS, target.value);
		row_set(&row, NOTICE_KEY, UUIDPGetDatum(key));
	}
	return PointerGetDatum(row_tuple(&row));
}

/*
 * Add the address of the notice to those that are to be suppressed.  An erased
 * one has its row, or is known to the notice only and of no interest.
 */
static void
add_target(Notices *notices, const Row *row, KeyMaker *maker,
		   const char *reason)
{
	ConsentTarget *target = &notices->targets[notices->ntargets];

	if (row->nulls[NOTICE_ADDRESS] ||
		!read_target(notices->info, maker, row->values[NOTICE_ADDRESS],
					 target))
		return;
	target->reason = CStringGetTextDatum(reason);
	target->source = row_value_or_null(row, NOTICE_SOURCE);
	notices->ntargets++;
}

static int
compare_ints(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/*
 * Lock the counts of the keys in the batch.  Two notices at once would both
 * see one too few; a lock for each key would be too many.
 */
static void
lock_counts(Oid relid, const Batch *batch)
{
	int		   *slots = palloc(sizeof(int) * (batch->nrows + 1));
	int			i;

	for (i = 0; i < batch->nrows; i++)
		slots[i] = DatumGetUUIDP(batch->values[1][i])->data[0] % COUNT_LOCKS;
	qsort(slots, batch->nrows, sizeof(int), compare_ints);
	for (i = 0; i < batch->nrows; i++)
	{
		if (i == 0 || slots[i] != slots[i - 1])
			LockDatabaseObject(relid, slots[i], 0, ExclusiveLock);
	}
}

/* The soft bounces that complete a series suppress their addresses. */
static void
count_soft(Notices *notices, Oid relid, KeyMaker *maker)
{
	Batch	   *batch = batch_create(&over_limit, notices->n);
	bool		isnull;
	uint64		found;
	uint64		row;
	int			i;

	for (i = 0; i < notices->n; i++)
	{
		const Row  *r = &notices->rows[i];
		Datum		values[3];

		if (!row_text_is(r, NOTICE_KIND, "soft_bounce"))
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = r->values[NOTICE_KEY];
		values[2] = r->values[NOTICE_AT];
		batch_add(batch, values, NULL);
	}
	lock_counts(relid, batch);
	found = batch_run(&notices->dir, batch);
	for (row = 0; row < found; row++)
	{
		i = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[row],
										SPI_tuptable->tupdesc, 1, &isnull));
		add_target(notices, &notices->rows[i], maker, "bounce");
	}
}

/* By key; of one address, a complaint first. */
static int
compare_targets(const void *a, const void *b)
{
	const ConsentTarget *s = a;
	const ConsentTarget *t = b;
	int			order = memcmp(s->key.data, t->key.data, UUID_LEN);

	if (order != 0)
		return order;
	return (int) text_is(t->reason, "complaint") -
		(int) text_is(s->reason, "complaint");
}

/* Suppress the addresses, each once. */
static void
suppress_targets(Notices *notices)
{
	int			n = 0;
	int			i;

	if (notices->ntargets == 0)
		return;
	qsort(notices->targets, notices->ntargets, sizeof(ConsentTarget),
		  compare_targets);
	for (i = 0; i < notices->ntargets; i++)
	{
		if (n == 0 || memcmp(notices->targets[n - 1].key.data,
							 notices->targets[i].key.data, UUID_LEN) != 0)
			notices->targets[n++] = notices->targets[i];
	}
	change_states(&notices->dir, STATE_SUPPRESSED, (Datum) 0,
				  notices->targets, n);
}

/* What the notice makes of the message that it is about; NULL: nothing. */
static const char *
message_state(const Row *row)
{
	if (row->nulls[NOTICE_PROVIDER_ID] ||
		row_text_is(row, NOTICE_KIND, "complaint"))
		return NULL;
	return row_text_is(row, NOTICE_KIND, "delivery") ? "delivered" : "bounced";
}

/* The messages that the notices are about are told. */
static void
mark_messages(Notices *notices)
{
	Batch	   *batch = batch_create(&mark_emails, notices->n);
	int			i;

	for (i = 0; i < notices->n; i++)
	{
		const Row  *row = &notices->rows[i];
		const char *state = message_state(row);
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		if (state == NULL)
			continue;
		values[0] = row->values[NOTICE_PROVIDER_ID];
		values[1] = row->values[NOTICE_KEY];
		values[2] = CStringGetTextDatum(state);
		nulls[3] = row->nulls[NOTICE_DIAGNOSTIC];
		values[3] = row->values[NOTICE_DIAGNOSTIC];
		batch_add(batch, values, nulls);
	}
	batch_run(&notices->dir, batch);
	batch->query = &mark_texts;
	batch_run(&notices->dir, batch);
}

/* What follows from the notices that row triggers collected. */
static void
settle_notices(Relation rel)
{
	Change	   *changes;
	Notices		notices;
	KeyMaker   *maker;
	int			i;

	memset(&notices, 0, sizeof(notices));
	notices.n = pending_take(rel, &changes);
	if (notices.n == 0)
		return;
	directory_open(&notices.dir, rel);
	notices.info = directory_info(rel);
	notices.rows = palloc(sizeof(Row) * notices.n);
	notices.targets = palloc(sizeof(ConsentTarget) * notices.n);
	maker = key_maker_create(notices.info);
	for (i = 0; i < notices.n; i++)
	{
		Row		   *row = &notices.rows[i];

		row_read(row, rel, changes[i].after, notice_columns, NOTICE_NCOLUMNS);
		if (row_text_is(row, NOTICE_KIND, "complaint"))
			add_target(&notices, row, maker, "complaint");
		else if (row_text_is(row, NOTICE_KIND, "hard_bounce"))
			add_target(&notices, row, maker, "bounce");
	}
	count_soft(&notices, RelationGetRelid(rel), maker);
	key_maker_free(maker);
	suppress_targets(&notices);
	mark_messages(&notices);
	directory_close(&notices.dir);
}

PG_FUNCTION_INFO_V1(notice_settle);

/* AFTER INSERT: ROW collects, STATEMENT settles. */
Datum
notice_settle(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "notice_settle",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_INSERT);

	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) && pending_collect(fcinfo))
		return PointerGetDatum(NULL);
	SPI_connect();
	settle_notices(trigdata->tg_relation);
	SPI_finish();
	return PointerGetDatum(NULL);
}
