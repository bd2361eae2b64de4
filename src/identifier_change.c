/*-------------------------------------------------------------------------
 *
 * identifier_change.c
 *	  what follows from a change of identifiers, set-based
 *
 * - every change of a state is checked and logged (rules C3, C5);
 * - contact.email, mobile_phone and email_status follow the main identifiers
 *   (I4, C1), is_reachable and is_validated follow all of them (I6);
 * - values that lost their contact stay behind or go (I7).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "consent.h"
#include "directory.h"
#include "main_identifier.h"
#include "pending.h"
#include "plan_cache.h"

static const DirectoryQuery lock_contacts = {
	"SELECT c.id FROM @rows@ JOIN ONLY @contact@ c"
	" ON c.id OPERATOR(pg_catalog.=) n.id FOR NO KEY UPDATE OF c",
	1, {INT8OID}, "id"
};

/*
 * The contact follows where it still shows what a main identifier was; what
 * that is now is read again, for triggers of users may have changed it (I4).
 */
#define FOLLOW_VALUE(column, sqltype) \
	"UPDATE ONLY @contact@ c SET " column " = m.value::contacts." sqltype \
	" FROM @rows@, ONLY @identifier@ m" \
	" WHERE c.id OPERATOR(pg_catalog.=) n.id" \
	" AND m.contact_id OPERATOR(pg_catalog.=) n.id" \
	" AND " KIND_OF("m") " OPERATOR(pg_catalog.=) '" sqltype "'" \
	" AND m.slug OPERATOR(pg_catalog.=) 'main'" \
	" AND (c." column " OPERATOR(pg_catalog.=) n.was::contacts." sqltype \
	"   AND c." column "::pg_catalog.text OPERATOR(pg_catalog.<>) m.value" \
	"  OR c." column " IS NULL AND n.was IS NULL)"

#define FOLLOW_LOSS(column, sqltype) \
	"UPDATE ONLY @contact@ c SET " column " = NULL" \
	" FROM @rows@ WHERE c.id OPERATOR(pg_catalog.=) n.id" \
	" AND c." column " OPERATOR(pg_catalog.=) n.was::contacts." sqltype \
	" AND NOT EXISTS (SELECT FROM ONLY @identifier@ m" \
	"  WHERE m.contact_id OPERATOR(pg_catalog.=) n.id" \
	"  AND " KIND_OF("m") " OPERATOR(pg_catalog.=) '" sqltype "'" \
	"  AND m.slug OPERATOR(pg_catalog.=) 'main')"

static const DirectoryQuery follow_values[] = {
	{FOLLOW_VALUE("email", "email"), 2, {INT8OID, TEXTOID}, "id, was"},
	{FOLLOW_VALUE("mobile_phone", "phone"), 2, {INT8OID, TEXTOID}, "id, was"}
};

static const DirectoryQuery follow_losses[] = {
	{FOLLOW_LOSS("email", "email"), 2, {INT8OID, TEXTOID}, "id, was"},
	{FOLLOW_LOSS("mobile_phone", "phone"), 2, {INT8OID, TEXTOID}, "id, was"}
};

static const DirectoryQuery set_email_status = {
	"UPDATE ONLY @contact@ c SET email_status = n.status"
	" FROM @rows@ WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND c.email OPERATOR(pg_catalog.=) n.value::contacts.email"
	" AND c.email_status OPERATOR(pg_catalog.<>) n.status",
	3, {INT8OID, TEXTOID, TEXTOID}, "id, value, status"
};

static const DirectoryQuery set_facts = {
	"UPDATE ONLY @contact@ c"
	" SET is_reachable = f.is_reachable, is_validated = f.is_validated"
	" FROM @rows@ CROSS JOIN LATERAL"
	" (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS is_reachable,"
	"  coalesce(pg_catalog.bool_or(i.is_validated), false) AS is_validated"
	"  FROM ONLY @identifier@ i JOIN ONLY @semantic_type@ s"
	"   ON s.name OPERATOR(pg_catalog.=) " KIND_OF("i")
	"  WHERE i.contact_id OPERATOR(pg_catalog.=) n.id AND s.is_contactable) f"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND (c.is_reachable OPERATOR(pg_catalog.<>) f.is_reachable"
	"  OR c.is_validated OPERATOR(pg_catalog.<>) f.is_validated)",
	1, {INT8OID}, "id"
};

/*
 * Rows that nobody holds are found by what they are; that nobody holds them is
 * a test, in a way that no index can be searched by: those that a statement has
 * just released all stand at one place of the index.
 */
#define IS_UNHELD "(i.contact_id OPERATOR(pg_catalog.+) 0) IS NULL"

/* Rows that nobody holds and that say nothing worth keeping (I7). */
static const DirectoryQuery remove_released = {
	"DELETE FROM ONLY @identifier@ i USING @rows@"
	" WHERE i.id OPERATOR(pg_catalog.=) n.id AND " IS_UNHELD
	" AND i.holder OPERATOR(pg_catalog.>=) 0"
	" AND (i.status IS NULL OR i.status OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY['not_opted_in', 'opted_in']))",
	1, {INT8OID}, "id"
};

/*
 * Likewise the state of a shared value, when its last holder is gone.  Who lets
 * go locks the state first: of two, the second sees that the first is gone.
 */
static const DirectoryQuery lock_shared_states = {
	"SELECT i.id FROM @rows@ JOIN ONLY @identifier@ i"
	" ON i.key OPERATOR(pg_catalog.=) n.key"
	" AND i.holder OPERATOR(pg_catalog.=) 0 AND " IS_UNHELD
	" AND i.status OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY['not_opted_in', 'opted_in'])"
	" ORDER BY i.key FOR UPDATE OF i",
	1, {UUIDOID}, "key"
};

static const DirectoryQuery remove_shared_states = {
	"DELETE FROM ONLY @identifier@ i USING @rows@"
	" WHERE i.key OPERATOR(pg_catalog.=) n.key"
	" AND i.holder OPERATOR(pg_catalog.=) 0 AND " IS_UNHELD
	" AND i.status OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY['not_opted_in', 'opted_in'])"
	" AND NOT EXISTS (SELECT FROM ONLY @identifier@ o"
	"  WHERE o.key OPERATOR(pg_catalog.=) n.key"
	"  AND o.holder OPERATOR(pg_catalog.>) 0)"
	" RETURNING i.key, i.status::pg_catalog.text",
	1, {UUIDOID}, "key"
};

/* A held row was deleted, but its state must stay behind (I7). */
static const DirectoryQuery keep_deleted = {
	"INSERT INTO @identifier@ (id, semantic_type, value, source, is_outreach,"
	" status, status_reason, status_changed_at, created_at)"
	" SELECT n.id, n.semantic_type, n.value, n.source, n.is_outreach,"
	" n.status, n.status_reason, n.status_changed_at, n.created_at"
	" FROM @rows@ ON CONFLICT (key, holder) DO NOTHING",
	9, {INT8OID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, TEXTOID,
	TIMESTAMPTZOID, TIMESTAMPTZOID},
	"id, semantic_type, value, source, is_outreach, status, status_reason,"
	" status_changed_at, created_at"
};

/* Rows set aside by INSERTs that came about (I7) ... */
static const DirectoryQuery remove_aside = {
	"DELETE FROM ONLY @identifier@ i USING @rows@"
	" WHERE i.id OPERATOR(pg_catalog.=) n.id"
	" AND i.holder OPERATOR(pg_catalog.<) 0"
	" AND EXISTS (SELECT FROM ONLY @identifier@ o"
	"  WHERE o.key OPERATOR(pg_catalog.=) i.key"
	"  AND o.holder OPERATOR(pg_catalog.=) 0)",
	1, {INT8OID}, "id"
};

/* ... and that did not. */
static const DirectoryQuery restore_aside = {
	"UPDATE ONLY @identifier@ i SET holder = 0 FROM @rows@"
	" WHERE i.id OPERATOR(pg_catalog.=) n.id"
	" AND i.holder OPERATOR(pg_catalog.<) 0",
	1, {INT8OID}, "id"
};

/*
 * Emails that contacts got ahead of identifiers that did not come, or came with
 * another value (I4).
 */
static const DirectoryQuery take_email_back = {
	"UPDATE ONLY @contact@ c SET email = (SELECT i.value::contacts.email"
	"  FROM ONLY @identifier@ i"
	"  WHERE i.contact_id OPERATOR(pg_catalog.=) n.id"
	"  AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	"  AND i.slug OPERATOR(pg_catalog.=) 'main')"
	" FROM @rows@ WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND c.email IS NOT NULL"
	" AND NOT EXISTS (SELECT FROM ONLY @identifier@ i"
	"  WHERE i.contact_id OPERATOR(pg_catalog.=) n.id"
	"  AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	"  AND i.slug OPERATOR(pg_catalog.=) 'main'"
	"  AND i.value OPERATOR(pg_catalog.=) c.email::pg_catalog.text)",
	1, {INT8OID}, "id"
};

/* A changed identifier, before and after. */
typedef struct IdentifierChange
{
	bool		has_before;
	bool		has_after;
	Row			before;
	Row			after;
} IdentifierChange;

/* A set of ids, made sorted and unique before use. */
typedef struct IdSet
{
	int64	   *ids;
	int			n;
} IdSet;

/* What follows from the changes of a statement. */
typedef struct Consequences
{
	Directory  *dir;
	DirectoryInfo *info;
	StateChange *states;
	int			nstates;
	Batch	   *follows[2];		/* email, mobile_phone: contact, what it was */
	IdSet		locked;			/* contacts to be locked */
	IdSet		facts;			/* contacts whose facts may change */
	IdSet		inserted;		/* contacts that got a main email */
	Batch	   *statuses;
	Batch	   *released;
	Batch	   *kept;
	Batch	   *shared;
} Consequences;

static int64
row_contact(const Row *row)
{
	return DatumGetInt64(row->values[IDENTIFIER_CONTACT_ID]);
}

static bool
is_held(const Row *row)
{
	return !row->nulls[IDENTIFIER_CONTACT_ID];
}

/* Which main column of contact shows this row: 0, 1, or -1 for none. */
static int
main_column(const Row *row)
{
	if (!is_held(row) || !row_text_is(row, IDENTIFIER_SLUG, "main"))
		return -1;
	if (row_text_is(row, IDENTIFIER_SEMANTIC_TYPE, "email"))
		return 0;
	return row_text_is(row, IDENTIFIER_SEMANTIC_TYPE, "phone") ? 1 : -1;
}

static SemanticType *
row_type(DirectoryInfo *info, const Row *row)
{
	return named_semantic_type(info, row->values[IDENTIFIER_SEMANTIC_TYPE]);
}

static bool
is_exclusive(DirectoryInfo *info, const Row *row)
{
	SemanticType *type = row_type(info, row);

	return type != NULL && type->is_exclusive;
}

static void
idset_add(IdSet *set, int64 id)
{
	set->ids[set->n++] = id;
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* Run a query over the ids, each once, in their order. */
static void
idset_run(Directory *dir, IdSet *set, const DirectoryQuery *query)
{
	Batch	   *batch = batch_create(query, set->n);
	int			i;

	if (set->n > 1)
		qsort(set->ids, set->n, sizeof(int64), compare_ids);
	for (i = 0; i < set->n; i++)
	{
		Datum		id = Int64GetDatum(set->ids[i]);

		if (i == 0 || set->ids[i] != set->ids[i - 1])
			batch_add(batch, &id, NULL);
	}
	batch_run(dir, batch);
}

static void
add_state(Consequences *c, const Row *row, ConsentState before,
		  ConsentState after, bool has_source)
{
	StateChange *change = &c->states[c->nstates++];

	change->key = row->values[IDENTIFIER_KEY];
	change->before = before;
	change->after = after;
	change->reason = row_value_or_null(row, IDENTIFIER_STATUS_REASON);
	change->source = has_source ?
		row_value_or_null(row, IDENTIFIER_SOURCE) : (Datum) 0;
	change->evidence = (Datum) 0;
}

/* Did the row, which was there before, keep its value? */
static bool
has_same_key(const IdentifierChange *change)
{
	return memcmp(DatumGetPointer(change->before.values[IDENTIFIER_KEY]),
				  DatumGetPointer(change->after.values[IDENTIFIER_KEY]),
				  UUID_LEN) == 0;
}

/* Changes of states, by value: what ended with a row, what came, what changed. */
static void
note_states(Consequences *c, const IdentifierChange *change)
{
	ConsentState was = change->has_before ? row_state(&change->before, IDENTIFIER_STATUS) : STATE_NONE;
	ConsentState now = change->has_after ? row_state(&change->after, IDENTIFIER_STATUS) : STATE_NONE;
	bool		same_value = change->has_before && change->has_after &&
	has_same_key(change);

	if (same_value && was != STATE_NONE && now != STATE_NONE && was != now)
		add_state(c, &change->after, was, now, false);
	/* an opt-in ends with the row, or with the holder of an exclusive value */
	if (was == STATE_OPTED_IN &&
		(!same_value || (is_held(&change->before) && !is_held(&change->after) &&
						 now == STATE_OPTED_IN &&
						 is_exclusive(c->info, &change->after))))
	{
		add_state(c, &change->before, was, STATE_NOT_OPTED_IN, false);
		c->states[c->nstates - 1].reason = (Datum) 0;	/* of the opt-in */
	}
	if (!same_value && now > STATE_NOT_OPTED_IN)
		add_state(c, &change->after, STATE_NONE, now, true);
}

/* The contact may show the value was, (Datum) 0 is NULL, in a main column. */
static void
add_follow(Consequences *c, int column, int64 contact_id, Datum was)
{
	Datum		values[2];
	bool		nulls[2] = {false, was == (Datum) 0};

	values[0] = Int64GetDatum(contact_id);
	values[1] = was;
	batch_add(c->follows[column], values, nulls);
	idset_add(&c->locked, contact_id);
}

/* The main columns that show the row, or did (I4, C1). */
static void
note_main(Consequences *c, const IdentifierChange *change)
{
	int			before = change->has_before ? main_column(&change->before) : -1;
	int			after = change->has_after ? main_column(&change->after) : -1;
	ConsentState now = change->has_after ? row_state(&change->after, IDENTIFIER_STATUS) : STATE_NONE;
	bool		stays = before >= 0 && before == after &&
	row_contact(&change->before) == row_contact(&change->after);

	if (before >= 0 && !(stays && has_same_key(change)))
		add_follow(c, before, row_contact(&change->before),
				   change->before.values[IDENTIFIER_VALUE]);
	if (after >= 0 && !stays)
		add_follow(c, after, row_contact(&change->after), (Datum) 0);
	if (after != 0)
		return;
	if (!change->has_before)
		idset_add(&c->inserted, row_contact(&change->after));
	if (change->has_before && now != STATE_NONE &&
		row_state(&change->before, IDENTIFIER_STATUS) != now)
	{
		Datum		values[3];

		values[0] = change->after.values[IDENTIFIER_CONTACT_ID];
		values[1] = change->after.values[IDENTIFIER_VALUE];
		values[2] = change->after.values[IDENTIFIER_STATUS];
		batch_add(c->statuses, values, NULL);
	}
}

/* Contacts whose is_reachable or is_validated may change (I6). */
static void
note_facts(Consequences *c, const IdentifierChange *change)
{
	const Row  *before = &change->before;
	const Row  *after = &change->after;
	SemanticType *type = row_type(c->info, change->has_after ? after : before);
	bool		moves = !change->has_before || !change->has_after ||
	row_bytes_differ(before, after, IDENTIFIER_CONTACT_ID) ||
	row_text_differs(before, after, IDENTIFIER_SEMANTIC_TYPE);

	if (!moves && !row_bytes_differ(before, after, IDENTIFIER_IS_VALIDATED))
		return;
	if (type == NULL || (!type->is_contactable && !moves))
		return;
	if (change->has_before && moves && is_held(before))
	{
		idset_add(&c->facts, row_contact(before));
		idset_add(&c->locked, row_contact(before));
	}
	if (change->has_after && is_held(after))
	{
		idset_add(&c->facts, row_contact(after));
		idset_add(&c->locked, row_contact(after));
	}
}

/* A held row that was deleted although its state must stay (I7). */
static void
note_kept(Consequences *c, const Row *before)
{
	static const int columns[] = {
		IDENTIFIER_ID, IDENTIFIER_SEMANTIC_TYPE, IDENTIFIER_VALUE,
		IDENTIFIER_SOURCE, IDENTIFIER_IS_OUTREACH, IDENTIFIER_STATUS,
		IDENTIFIER_STATUS_REASON, IDENTIFIER_STATUS_CHANGED_AT,
		IDENTIFIER_CREATED_AT
	};
	Datum		values[lengthof(columns)];
	bool		nulls[lengthof(columns)];
	int			i;

	for (i = 0; i < lengthof(columns); i++)
	{
		values[i] = before->values[columns[i]];
		nulls[i] = before->nulls[columns[i]];
	}
	batch_add(c->kept, values, nulls);
}

/* Rows that lost their contact: kept or removed. */
static void
note_released(Consequences *c, const IdentifierChange *change)
{
	const Row  *row = change->has_after ? &change->after : &change->before;

	if (change->has_after && is_held(row) &&
		(!change->has_before ||
		 !row_bytes_differ(&change->before, row, IDENTIFIER_CONTACT_ID)))
		return;
	if (!change->has_after)
	{
		if (state_stays_behind(row_state(row, IDENTIFIER_STATUS)))
			note_kept(c, row);
	}
	else if (!is_held(row) &&
			 (change->has_before || row_state(row, IDENTIFIER_STATUS) == STATE_NONE))
	{
		SemanticType *type = row_type(c->info, row);

		/* the state row of a shared value is for the query that prunes */
		if (type == NULL || type->is_exclusive || row_state(row, IDENTIFIER_STATUS) == STATE_NONE)
			batch_add(c->released, &row->values[IDENTIFIER_ID], NULL);
	}
}

/* Shared values that lost a holder, perhaps the last one. */
static void
note_shared(Consequences *c, const IdentifierChange *change)
{
	if (!change->has_before ||
		DatumGetInt64(change->before.values[IDENTIFIER_HOLDER]) <= 0)
		return;
	if (change->has_after && is_held(&change->after) &&
		has_same_key(change))
		return;
	batch_add(c->shared, &change->before.values[IDENTIFIER_KEY], NULL);
}

static void
begin_consequences(Consequences *c, Directory *dir, DirectoryInfo *info, int n)
{
	memset(c, 0, sizeof(*c));
	c->dir = dir;
	c->info = info;
	c->states = palloc(sizeof(StateChange) * n * 2);
	c->follows[0] = batch_create(&follow_losses[0], n * 2);
	c->follows[1] = batch_create(&follow_losses[1], n * 2);
	c->locked.ids = palloc(sizeof(int64) * n * 4);
	c->facts.ids = palloc(sizeof(int64) * n * 2);
	c->inserted.ids = palloc(sizeof(int64) * n);
	c->statuses = batch_create(&set_email_status, n);
	c->released = batch_create(&remove_released, n);
	c->kept = batch_create(&keep_deleted, n);
	c->shared = batch_create(&lock_shared_states, n);
}

/* The settled contacts show the state that came with an inserted address. */
static void
settle_inserted(Consequences *c)
{
	Datum	   *ids = palloc(sizeof(Datum) * (c->inserted.n + 1));
	int			i;

	for (i = 0; i < c->inserted.n; i++)
		ids[i] = Int64GetDatum(c->inserted.ids[i]);
	settle_email_status(c->dir, ids, c->inserted.n);
}

/* Remove states of shared values that nobody holds any more, and log it (C5). */
static void
remove_states(Consequences *c)
{
	StateChange *changes;
	int			nchanges = 0;
	int			n;
	int			i;

	/* of two who let go at once, the second sees that the first is gone */
	batch_run(c->dir, c->shared);
	c->shared->query = &remove_shared_states;
	n = (int) batch_run(c->dir, c->shared);
	changes = palloc0(sizeof(StateChange) * (n + 1));
	for (i = 0; i < n; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		state = SPI_getbinval(tuple, desc, 2, &isnull);

		if (parse_state(state, isnull) != STATE_OPTED_IN)
			continue;
		changes[nchanges].key = SPI_getbinval(tuple, desc, 1, &isnull);
		changes[nchanges].before = STATE_OPTED_IN;
		changes[nchanges++].after = STATE_NOT_OPTED_IN;
	}
	if (nchanges > 0)
		log_events(c->dir, changes, nchanges);
}

/* Carry out what follows: contacts are locked first, in the order of ids. */
static void
carry_out(Consequences *c)
{
	int			column;

	check_and_log(c->dir, c->states, c->nstates);
	idset_run(c->dir, &c->locked, &lock_contacts);
	batch_run(c->dir, c->released);
	batch_run(c->dir, c->kept);
	remove_states(c);
	for (column = 0; column < 2; column++)
	{
		/* an address that moves between contacts leaves the one first */
		batch_run(c->dir, c->follows[column]);
		c->follows[column]->query = &follow_values[column];
		batch_run(c->dir, c->follows[column]);
	}
	batch_run(c->dir, c->statuses);
	settle_inserted(c);
	idset_run(c->dir, &c->facts, &set_facts);
}

/* Read a row whose kind and key are known. */
static void
read_row(Row *row, Relation rel, HeapTuple tuple)
{
	row_read(row, rel, tuple, identifier_columns, IDENTIFIER_NCOLUMNS);
	row_require(row, IDENTIFIER_SEMANTIC_TYPE);
	row_require(row, IDENTIFIER_KEY);
}

static void
read_change(IdentifierChange *c, Relation rel, const Change *change)
{
	c->has_before = change->before != NULL;
	c->has_after = change->after != NULL;
	if (c->has_before)
		read_row(&c->before, rel, change->before);
	if (c->has_after)
		read_row(&c->after, rel, change->after);
}

/*
 * A row is set aside only while a statement inserts its successor; a client
 * that writes a negative holder would open a way around the guards.
 */
static void
check_holder(const IdentifierChange *change)
{
	const Row  *row = &change->after;

	if (!change->has_after ||
		DatumGetInt64(row->values[IDENTIFIER_HOLDER]) >= 0 ||
		pending_is_aside(row->rel, DatumGetInt64(row->values[IDENTIFIER_ID])))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("column \"holder\" of table \"%s\" is derived",
					RelationGetRelationName(row->rel)),
			 errtableconstraint(row->rel, "suppression_is_permanent")));
}

/* Settle what row triggers collected. */
static void
settle_changes(Relation rel)
{
	Change	   *collected;
	IdentifierChange *change;
	Directory	dir;
	Consequences c;
	int			n = pending_take(rel, &collected);
	int			i;

	if (n == 0)
		return;
	directory_open(&dir, rel);
	begin_consequences(&c, &dir, directory_info(rel), n);
	change = palloc(sizeof(IdentifierChange) * n);
	for (i = 0; i < n; i++)
	{
		read_change(&change[i], rel, &collected[i]);
		check_holder(&change[i]);
		note_states(&c, &change[i]);
		note_main(&c, &change[i]);
		note_facts(&c, &change[i]);
		note_released(&c, &change[i]);
		note_shared(&c, &change[i]);
	}
	carry_out(&c);
	directory_close(&dir);
}

/* Settle the emails that INSERTs of this statement sent ahead. */
static void
settle_ahead(Relation rel)
{
	Directory	dir;
	IdSet		contacts;

	contacts.n = pending_take_ahead(rel, &contacts.ids);
	if (contacts.n == 0)
		return;
	directory_open(&dir, rel);
	idset_run(&dir, &contacts, &take_email_back);
	directory_close(&dir);
}

/* Settle the rows that INSERTs of this statement set aside. */
static void
settle_aside(Relation rel)
{
	Directory	dir;
	int64	   *ids;
	Batch	   *batch;
	int			n = pending_take_aside(rel, &ids);
	int			i;

	if (n == 0)
		return;
	directory_open(&dir, rel);
	batch = batch_create(&remove_aside, n);
	for (i = 0; i < n; i++)
	{
		Datum		id = Int64GetDatum(ids[i]);

		batch_add(batch, &id, NULL);
	}
	batch_run(&dir, batch);
	batch->query = &restore_aside;
	batch_run(&dir, batch);
	directory_close(&dir);
}

PG_FUNCTION_INFO_V1(identifier_change);

/* AFTER ROW collects, AFTER STATEMENT settles. */
Datum
identifier_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "identifier_change",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_INSERT |
										  CALL_UPDATE | CALL_DELETE);
	bool		is_statement = TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event);

	if (!is_statement && pending_collect(fcinfo))
		return PointerGetDatum(NULL);
	SPI_connect();
	settle_ahead(trigdata->tg_relation);
	settle_changes(trigdata->tg_relation);
	/* the statement that set rows aside is an INSERT, whatever it did else */
	if (is_statement && TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		settle_aside(trigdata->tg_relation);
	SPI_finish();
	return PointerGetDatum(NULL);
}
