/*-------------------------------------------------------------------------
 *
 * change_consent.c
 *	  suppress(), unsubscribe() and opt_in() for many addresses at once
 *
 * The lock order is that of the triggers: contacts by id, then identifiers by
 * key, new ones before those that are there.  So the holders are looked up and
 * locked, and if an address changed hands meanwhile, all starts again.  Whoever
 * calls needs UPDATE on identifier.status (rule C9); the work runs as the owner
 * of the directory, for a suppression must not depend on what else the caller
 * may see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "attempt.h"
#include "change_consent.h"
#include "columns.h"
#include "consent.h"
#include "directory.h"
#include "identifier_key.h"
#include "plan_cache.h"
#include "visibility.h"

#define FIND_STATES \
	"SELECT n.n, i.id, i.contact_id, i.status::pg_catalog.text" \
	" FROM @rows@ JOIN ONLY @identifier@ i" \
	"  ON i.key OPERATOR(pg_catalog.=) n.key" \
	"  AND i.holder OPERATOR(pg_catalog.=) 0" \
	" ORDER BY n.n"

static const DirectoryQuery find_states = {
	FIND_STATES, 2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery lock_states = {
	FIND_STATES " FOR UPDATE OF i", 2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery lock_holders = {
	"SELECT c.id FROM @rows@ JOIN ONLY @contact@ c"
	" ON c.id OPERATOR(pg_catalog.=) n.id ORDER BY c.id"
	" FOR NO KEY UPDATE OF c",
	1, {INT8OID}, "id"
};

/*
 * Who lets a shared value go as its last holder takes its opt-in along: that
 * holder, or an opt-in at the same time, is to wait for the other.
 */
static const DirectoryQuery lock_shared_holders = {
	"SELECT h.id FROM @rows@ CROSS JOIN LATERAL"
	" (SELECT i.id FROM ONLY @identifier@ i"
	"  WHERE i.key OPERATOR(pg_catalog.=) n.key"
	"  AND i.holder OPERATOR(pg_catalog.>) 0"
	"  ORDER BY i.holder LIMIT 1 FOR KEY SHARE) h",
	2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery find_unheld = {
	"SELECT n.n FROM @rows@ WHERE NOT EXISTS"
	" (SELECT FROM ONLY @identifier@ i"
	"  WHERE i.key OPERATOR(pg_catalog.=) n.key AND i.contact_id IS NOT NULL)"
	" ORDER BY n.n LIMIT 1",
	2, {INT4OID, UUIDOID}, "n, key"
};

static const DirectoryQuery set_states = {
	"UPDATE ONLY @identifier@ i SET status = n.status,"
	" status_reason = n.reason,"
	" status_changed_at = pg_catalog.clock_timestamp()"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	3, {INT8OID, TEXTOID, TEXTOID}, "id, status, reason"
};

static const DirectoryQuery insert_states = {
	"INSERT INTO @identifier@ (semantic_type, value, key, status,"
	" status_reason, source) SELECT n.semantic_type, n.value, n.key, n.status,"
	" n.reason, n.source FROM @rows@ ON CONFLICT (key, holder) DO NOTHING",
	6, {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID},
	"semantic_type, value, key, status, reason, source"
};

/* An address, and what is found of it. */
typedef struct Address
{
	ConsentTarget target;		/* must be first */
	bool		is_known;		/* has a row */
	Datum		id;
	int64		contact_id;		/* 0: nobody */
	ConsentState before;
	bool		is_new;			/* its row was inserted by this attempt */
} Address;

/* What is wanted of all of them. */
typedef struct Wish
{
	Directory  *dir;
	ConsentState state;
	Datum		evidence;
	Address    *addresses;		/* in the order of keys, each once */
	int			n;
} Wish;

static int
compare_addresses(const void *a, const void *b)
{
	return memcmp(((const Address *) a)->target.key.data,
				  ((const Address *) b)->target.key.data, UUID_LEN);
}

/* The kind of an address: with an @ it is an email, else a phone number. */
static const SemanticType *
address_type(DirectoryInfo *info, Datum address)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(address);
	bool		is_email = memchr(VARDATA_ANY(t), '@',
								  VARSIZE_ANY_EXHDR(t)) != NULL;

	return is_email ? find_semantic_type(info, "email", 5) :
		find_semantic_type(info, "phone", 5);
}

/* The text is neither an email address nor a phone number. */
void
report_no_address(Datum address)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("\"%s\" is neither an email address nor a phone number in international form",
					TextDatumGetCString(address))));
}

/*
 * The address, as a target without reason and source; false if the text is no
 * address.
 */
bool
read_target(DirectoryInfo *info, KeyMaker *maker, Datum address,
			ConsentTarget *target)
{
	struct varlena *value;

	memset(target, 0, sizeof(*target));
	target->type = address_type(info, address);
	if (target->type == NULL ||
		!canonical_value(target->type, address, &target->value))
		return false;
	value = PG_DETOAST_DATUM_PACKED(target->value);
	compute_key(maker, target->type, VARDATA_ANY(value),
				VARSIZE_ANY_EXHDR(value), &target->key);
	return true;
}

/*
 * Read the addresses, all for the same reason; 22P02 for one that is none.
 * Returns how many there are.
 */
static int
read_targets(DirectoryInfo *info, ArrayType *array, Datum reason, Datum source,
			 ConsentTarget **targets)
{
	Datum	   *elems;
	bool	   *nulls;
	KeyMaker   *maker;
	int			nelems;
	int			n = 0;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elems, &nulls, &nelems);
	*targets = palloc(sizeof(ConsentTarget) * (nelems + 1));
	maker = key_maker_create(info);
	for (i = 0; i < nelems; i++)
	{
		ConsentTarget *target = &(*targets)[n];

		if (nulls[i])
			continue;
		if (!read_target(info, maker, elems[i], target))
			report_no_address(elems[i]);
		target->reason = reason;
		target->source = source;
		n++;
	}
	key_maker_free(maker);
	return n;
}

/* Take the targets on, in the order of keys; each value counts once. */
static void
sort_targets(Wish *wish, const ConsentTarget *targets, int n)
{
	int			i;

	wish->addresses = palloc0(sizeof(Address) * (n + 1));
	for (i = 0; i < n; i++)
		wish->addresses[i].target = targets[i];
	qsort(wish->addresses, n, sizeof(Address), compare_addresses);
	for (i = 0; i < n; i++)
	{
		if (wish->n == 0 ||
			compare_addresses(&wish->addresses[wish->n - 1],
							  &wish->addresses[i]) != 0)
			wish->addresses[wish->n++] = wish->addresses[i];
	}
}

/*
 * Run find_states or lock_states over the addresses that are not new; returns
 * the number of rows, which read_state() reads.
 */
static uint64
look_up_states(Wish *wish, const DirectoryQuery *query)
{
	Batch	   *batch = batch_create(query, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Datum		values[2];

		if (wish->addresses[i].is_new)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&wish->addresses[i].target.key);
		batch_add(batch, values, NULL);
	}
	return batch_run(wish->dir, batch);
}

/* A row that was looked up, as the address will be; returns which it is. */
static Address *
read_state(Wish *wish, uint64 row, Address *state)
{
	HeapTuple	tuple = SPI_tuptable->vals[row];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;
	Datum		value;
	Address    *a;

	a = &wish->addresses[DatumGetInt32(SPI_getbinval(tuple, desc, 1,
													 &isnull))];
	*state = *a;
	state->is_known = true;
	state->id = SPI_getbinval(tuple, desc, 2, &isnull);
	value = SPI_getbinval(tuple, desc, 3, &isnull);
	state->contact_id = isnull ? 0 : DatumGetInt64(value);
	value = SPI_getbinval(tuple, desc, 4, &isnull);
	state->before = parse_state(value, isnull);
	return a;
}

/* A first look, without locks, tells whom to lock. */
static void
find_rows(Wish *wish)
{
	uint64		found;
	uint64		row;
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		wish->addresses[i].is_known = false;
		wish->addresses[i].is_new = false;
	}
	found = look_up_states(wish, &find_states);
	for (row = 0; row < found; row++)
	{
		Address		state;
		Address    *a = read_state(wish, row, &state);

		*a = state;
	}
}

/* Lock the contacts that hold the addresses, in the order of ids. */
static void
lock_contacts(Wish *wish)
{
	Batch	   *batch = batch_create(&lock_holders, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Datum		id = Int64GetDatum(wish->addresses[i].contact_id);

		if (wish->addresses[i].is_known && wish->addresses[i].contact_id != 0)
			batch_add(batch, &id, NULL);
	}
	batch_run(wish->dir, batch);
}

/*
 * Lock the rows of the addresses that are known.  False if they are not the
 * ones that were found, in the same hands.
 */
static bool
lock_rows(Wish *wish)
{
	uint64		found = look_up_states(wish, &lock_states);
	uint64		row;
	int			nknown = 0;
	int			i;

	for (row = 0; row < found; row++)
	{
		Address		state;
		Address    *a = read_state(wish, row, &state);

		if (!a->is_known || a->id != state.id ||
			a->contact_id != state.contact_id)
			return false;
		*a = state;
	}
	for (i = 0; i < wish->n; i++)
		nknown += wish->addresses[i].is_known ? 1 : 0;
	return found == (uint64) nknown;
}

static void
report_unheld(const Address *address)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no contact holds \"%s\"",
					TextDatumGetCString(address->target.value)),
			 errhint("An opt-in belongs to an address that a contact holds.")));
}

/* An opt-in is given to somebody: P0002 for an address that nobody holds. */
static void
check_held(const Wish *wish)
{
	Batch	   *batch = batch_create(&lock_shared_holders, wish->n);
	bool		isnull;
	Datum		n;
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Datum		values[2];

		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&wish->addresses[i].target.key);
		batch_add(batch, values, NULL);
	}
	batch_run(wish->dir, batch);
	batch->query = &find_unheld;
	if (batch_run(wish->dir, batch) == 0)
		return;
	n = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	report_unheld(&wish->addresses[DatumGetInt32(n)]);
}

/* Nor is it given to somebody whom row security hides from the caller. */
static void
check_visible(const Wish *wish)
{
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		const Address *a = &wish->addresses[i];

		if (!may_update_rows(wish->dir->identifier,
							 "key OPERATOR(pg_catalog.=) $1 AND contact_id IS NOT NULL",
							 UUIDOID, UUIDPGetDatum(&a->target.key)))
			report_unheld(a);
	}
}

/* Leading out of a suppression is refused for any role (rule C2). */
static void
check_wish(const Wish *wish)
{
	int			i;

	if (wish->state != STATE_OPTED_IN)
		return;
	check_visible(wish);
	for (i = 0; i < wish->n; i++)
	{
		const Address *a = &wish->addresses[i];

		if (a->is_known && a->before == STATE_SUPPRESSED)
			ereport(ERROR,
					(errcode(ERRCODE_RESTRICT_VIOLATION),
					 errmsg("the suppression of an address cannot be lifted"),
					 errdetail("\"%s\" is suppressed.",
							   TextDatumGetCString(a->target.value)),
					 errtableconstraint(wish->dir->identifier,
										"suppression_is_permanent")));
	}
	check_held(wish);
}

/*
 * Write the events of the addresses that are known, or of the others, before
 * their states: they carry source and evidence, and the check of rule C3 looks
 * for them.  A suppression stays what it is, also if the wish is
 * less; that it was expressed again is logged.
 */
static void
log_wishes(Wish *wish, bool known)
{
	StateChange *changes = palloc(sizeof(StateChange) * (wish->n + 1));
	int			n = 0;
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Address    *a = &wish->addresses[i];

		if (a->is_known != known)
			continue;
		changes[n].key = UUIDPGetDatum(&a->target.key);
		changes[n].before = a->is_known ? a->before : STATE_NONE;
		changes[n].after = changes[n].before == STATE_SUPPRESSED ?
			STATE_SUPPRESSED : wish->state;
		changes[n].reason = a->target.reason;
		changes[n].source = a->target.source;
		changes[n].evidence = wish->evidence;
		n++;
	}
	if (n > 0)
		log_events(wish->dir, changes, n);
}

/* Change the states of the addresses that have a row. */
static void
update_states(Wish *wish)
{
	Batch	   *batch = batch_create(&set_states, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Address    *a = &wish->addresses[i];
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		if (!a->is_known || a->before == wish->state ||
			a->before == STATE_SUPPRESSED)
			continue;
		values[0] = a->id;
		values[1] = state_text(wish->state);
		nulls[2] = a->target.reason == (Datum) 0;
		values[2] = a->target.reason;
		batch_add(batch, values, nulls);
	}
	batch_run(wish->dir, batch);
}

/*
 * Insert the addresses that nobody ever knew; false if another session was
 * quicker with one of them.
 */
static bool
insert_unknown(Wish *wish)
{
	Batch	   *batch = batch_create(&insert_states, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Address    *a = &wish->addresses[i];
		const ConsentTarget *t = &a->target;
		Datum		values[6];
		bool		nulls[6] = {false, false, false, false, false, false};

		if (a->is_known)
			continue;
		a->is_new = true;
		values[0] = CStringGetTextDatum(t->type->name);
		nulls[1] = t->value == (Datum) 0;
		values[1] = t->value;
		values[2] = UUIDPGetDatum(&t->key);
		values[3] = state_text(wish->state);
		nulls[4] = t->reason == (Datum) 0;
		values[4] = t->reason;
		nulls[5] = t->source == (Datum) 0;
		values[5] = t->source;
		batch_add(batch, values, nulls);
	}
	return batch_run(wish->dir, batch) == (uint64) batch->nrows;
}

/* Bring the wish about; false if an address changed hands meanwhile. */
static bool
fulfil(void *arg)
{
	Wish	   *wish = arg;

	find_rows(wish);
	check_wish(wish);
	lock_contacts(wish);
	/* of a new state, the row that bears it tells all but the evidence */
	if (wish->evidence != (Datum) 0)
		log_wishes(wish, false);
	if (!insert_unknown(wish) || !lock_rows(wish))
		return false;
	check_wish(wish);
	log_wishes(wish, true);
	update_states(wish);
	return true;
}

/*
 * Change the state of the targets, as the owner of the directory, who need not
 * be asked whether the caller may; within SPI_connect().  Of several targets
 * with one key, one counts.  Returns the number of distinct addresses.
 */
int
change_states(Directory *dir, ConsentState state, Datum evidence,
			  const ConsentTarget *targets, int n)
{
	Wish		wish;

	memset(&wish, 0, sizeof(wish));
	wish.dir = dir;
	wish.state = state;
	wish.evidence = evidence;
	sort_targets(&wish, targets, n);
	attempt_until_done(fulfil, &wish);
	return wish.n;
}

static Datum
text_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? (Datum) 0 : PG_GETARG_DATUM(arg);
}

PG_FUNCTION_INFO_V1(change_consent);

/*
 * contacts.change_consent(identifier regclass, addresses text[], state, reason,
 * source, evidence): what a directory's suppress(), unsubscribe() and opt_in()
 * call.  Returns the number of distinct addresses.
 */
Datum
change_consent(PG_FUNCTION_ARGS)
{
	Relation	rel;
	Directory	dir;
	ConsentState state;
	Datum		evidence;
	ConsentTarget *targets;
	int			n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_INT32(0);
	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	require_identifier(rel);
	require_consent_privilege(rel);
	directory_open(&dir, rel);

	state = parse_state(PG_GETARG_DATUM(2), false);
	evidence = text_argument(fcinfo, 5);
	if (state == STATE_OPTED_IN && evidence == (Datum) 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an opt-in needs evidence"),
				 errhint("Say what was agreed to, where and when."),
				 errtable(rel)));
	n = read_targets(directory_info(rel), PG_GETARG_ARRAYTYPE_P(1),
					 text_argument(fcinfo, 3), text_argument(fcinfo, 4),
					 &targets);
	SPI_connect();
	n = change_states(&dir, state, evidence, targets, n);
	SPI_finish();
	directory_close(&dir);
	table_close(rel, NoLock);
	PG_RETURN_INT32(n);
}
