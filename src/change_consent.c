/*-------------------------------------------------------------------------
 *
 * change_consent.c
 *	  suppress(), unsubscribe() and opt_in() for many addresses at once
 *
 * The lock order is that of the triggers: contacts by id, then identifiers by
 * key.  So the holders are looked up, locked, and looked up again: if one
 * changed meanwhile, once more.  Whoever calls needs UPDATE on
 * identifier.status (rule C9); the work runs as the owner of the directory,
 * for a suppression must not depend on what else the caller may see.
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

#include "columns.h"
#include "consent.h"
#include "directory.h"
#include "identifier_key.h"
#include "plan_cache.h"

static const DirectoryQuery lock_holders = {
	"SELECT c.id FROM ONLY @contact@ c WHERE c.id OPERATOR(pg_catalog.=) ANY"
	" (SELECT i.contact_id FROM @rows@ JOIN ONLY @identifier@ i"
	"  ON i.key OPERATOR(pg_catalog.=) n.key"
	"  AND i.holder OPERATOR(pg_catalog.=) 0"
	"  WHERE i.contact_id IS NOT NULL)"
	" ORDER BY c.id FOR NO KEY UPDATE",
	1, {UUIDOID}, "key"
};

static const DirectoryQuery lock_states = {
	"SELECT n.n, i.id, i.contact_id, i.status::pg_catalog.text"
	" FROM @rows@ JOIN ONLY @identifier@ i"
	"  ON i.key OPERATOR(pg_catalog.=) n.key"
	"  AND i.holder OPERATOR(pg_catalog.=) 0"
	" ORDER BY n.n FOR UPDATE OF i",
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
	" status_reason = n.reason"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	3, {INT8OID, TEXTOID, TEXTOID}, "id, status, reason"
};

static const DirectoryQuery insert_states = {
	"INSERT INTO @identifier@ (semantic_type, value, status, status_reason,"
	" source) SELECT n.semantic_type, n.value, n.status, n.reason, n.source"
	" FROM @rows@ ON CONFLICT (key, holder) DO NOTHING",
	5, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID},
	"semantic_type, value, status, reason, source"
};

/* An address whose state is to change. */
typedef struct Address
{
	Datum		value;			/* canonical, text */
	const SemanticType *type;
	pg_uuid_t	key;
	bool		is_known;		/* has a row */
	Datum		id;
	int64		contact_id;		/* 0: nobody */
	ConsentState before;
	bool		is_done;
} Address;

/* What is wanted of all of them. */
typedef struct Wish
{
	ConsentState state;
	Datum		reason;
	Datum		source;
	Datum		evidence;
	Address    *addresses;
	int			n;
} Wish;

static int
compare_addresses(const void *a, const void *b)
{
	return memcmp(((const Address *) a)->key.data,
				  ((const Address *) b)->key.data, UUID_LEN);
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

/* Read the addresses; 22P02 for one that is none.  Each value counts once. */
static void
read_addresses(Wish *wish, DirectoryInfo *info, ArrayType *array)
{
	Datum	   *elems;
	bool	   *nulls;
	KeyMaker   *maker;
	int			nelems;
	int			n = 0;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elems, &nulls, &nelems);
	wish->addresses = palloc0(sizeof(Address) * (nelems + 1));
	maker = key_maker_create(info);
	for (i = 0; i < nelems; i++)
	{
		Address    *a = &wish->addresses[n];
		struct varlena *value;

		if (nulls[i])
			continue;
		a->type = address_type(info, elems[i]);
		if (a->type == NULL || !canonical_value(a->type, elems[i], &a->value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("\"%s\" is neither an email address nor a phone number in international form",
							TextDatumGetCString(elems[i]))));
		value = PG_DETOAST_DATUM_PACKED(a->value);
		compute_key(maker, a->type, VARDATA_ANY(value),
					VARSIZE_ANY_EXHDR(value), &a->key);
		n++;
	}
	key_maker_free(maker);
	qsort(wish->addresses, n, sizeof(Address), compare_addresses);
	for (i = 0; i < n; i++)
	{
		if (wish->n == 0 ||
			compare_addresses(&wish->addresses[wish->n - 1],
							  &wish->addresses[i]) != 0)
			wish->addresses[wish->n++] = wish->addresses[i];
	}
}

/* Lock the contacts that hold the addresses, in the order of ids. */
static void
lock_contacts(Directory *dir, Wish *wish)
{
	Batch	   *batch = batch_create(&lock_holders, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Datum		key = UUIDPGetDatum(&wish->addresses[i].key);

		batch_add(batch, &key, NULL);
	}
	batch_run(dir, batch);
}

/*
 * Lock the addresses' rows and read their states.  True if every holder is the
 * same as the last time.
 */
static bool
lock_rows(Directory *dir, Wish *wish)
{
	Batch	   *batch = batch_create(&lock_states, wish->n);
	bool		is_same = true;
	uint64		found;
	uint64		row;
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Datum		values[2];

		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&wish->addresses[i].key);
		batch_add(batch, values, NULL);
		wish->addresses[i].is_known = false;
	}
	found = batch_run(dir, batch);
	for (row = 0; row < found; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		value;
		int64		contact_id;
		Address    *a;

		a = &wish->addresses[DatumGetInt32(SPI_getbinval(tuple, desc, 1,
														 &isnull))];
		a->is_known = true;
		a->id = SPI_getbinval(tuple, desc, 2, &isnull);
		value = SPI_getbinval(tuple, desc, 3, &isnull);
		contact_id = isnull ? 0 : DatumGetInt64(value);
		is_same = is_same && contact_id == a->contact_id;
		a->contact_id = contact_id;
		value = SPI_getbinval(tuple, desc, 4, &isnull);
		a->before = parse_state(value, isnull);
	}
	return is_same;
}

/* An opt-in is given to somebody: P0002 for an address that nobody holds. */
static void
check_held(Directory *dir, const Wish *wish)
{
	Batch	   *batch = batch_create(&find_unheld, wish->n);
	bool		isnull;
	Datum		n;
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Datum		values[2];

		values[0] = Int32GetDatum(i);
		values[1] = UUIDPGetDatum(&wish->addresses[i].key);
		batch_add(batch, values, NULL);
	}
	if (batch_run(dir, batch) == 0)
		return;
	n = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no contact holds \"%s\"",
					TextDatumGetCString(wish->addresses[DatumGetInt32(n)].value)),
			 errhint("An opt-in belongs to an address that a contact holds.")));
}

/* Leading out of a suppression is refused for any role (rule C2). */
static void
check_wish(Directory *dir, const Wish *wish)
{
	int			i;

	if (wish->state != STATE_OPTED_IN)
		return;
	for (i = 0; i < wish->n; i++)
	{
		const Address *a = &wish->addresses[i];

		if (a->is_known && a->before == STATE_SUPPRESSED)
			ereport(ERROR,
					(errcode(ERRCODE_RESTRICT_VIOLATION),
					 errmsg("the suppression of an address cannot be lifted"),
					 errdetail("\"%s\" is suppressed.",
							   TextDatumGetCString(a->value)),
					 errtableconstraint(dir->identifier,
										"suppression_is_permanent")));
	}
	check_held(dir, wish);
}

/*
 * Write the events first: they carry source and evidence, and the check of
 * rule C3 looks for them.  A suppression stays what it is, also if the wish is
 * less; that it was expressed again is logged.
 */
static void
log_wishes(Directory *dir, Wish *wish)
{
	StateChange *changes = palloc(sizeof(StateChange) * (wish->n + 1));
	int			n = 0;
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Address    *a = &wish->addresses[i];

		/* of a state that is new, the row that bears it tells all but evidence */
		if (a->is_done || (!a->is_known && wish->evidence == (Datum) 0))
			continue;
		changes[n].key = UUIDPGetDatum(&a->key);
		changes[n].before = a->is_known ? a->before : STATE_NONE;
		changes[n].after = changes[n].before == STATE_SUPPRESSED ?
			STATE_SUPPRESSED : wish->state;
		changes[n].reason = wish->reason;
		changes[n].source = wish->source;
		changes[n].evidence = wish->evidence;
		n++;
	}
	if (n > 0)
		log_events(dir, changes, n);
}

/* Change the states of the addresses that have a row. */
static void
update_states(Directory *dir, Wish *wish)
{
	Batch	   *batch = batch_create(&set_states, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Address    *a = &wish->addresses[i];
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		if (!a->is_known || a->is_done)
			continue;
		a->is_done = true;
		if (a->before == wish->state || a->before == STATE_SUPPRESSED)
			continue;
		values[0] = a->id;
		values[1] = state_text(wish->state);
		nulls[2] = wish->reason == (Datum) 0;
		values[2] = wish->reason;
		batch_add(batch, values, nulls);
	}
	batch_run(dir, batch);
}

/*
 * Insert the addresses that nobody ever knew; true if another session was
 * quicker with one of them.
 */
static bool
insert_unknown(Directory *dir, Wish *wish)
{
	Batch	   *batch = batch_create(&insert_states, wish->n);
	int			i;

	for (i = 0; i < wish->n; i++)
	{
		Address    *a = &wish->addresses[i];
		Datum		values[5];
		bool		nulls[5] = {false, false, false, false, false};

		if (a->is_known || a->is_done)
			continue;
		values[0] = CStringGetTextDatum(a->type->name);
		values[1] = a->value;
		values[2] = state_text(wish->state);
		nulls[3] = wish->reason == (Datum) 0;
		values[3] = wish->reason;
		nulls[4] = wish->source == (Datum) 0;
		values[4] = wish->source;
		batch_add(batch, values, nulls);
	}
	return batch_run(dir, batch) < (uint64) batch->nrows;
}

/* Bring the wish about; return the number of addresses it is about. */
static int
fulfil(Directory *dir, Wish *wish)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		/* a first look only tells whom to lock */
		do
			lock_contacts(dir, wish);
		while (!lock_rows(dir, wish));
		check_wish(dir, wish);
		log_wishes(dir, wish);
		update_states(dir, wish);
	} while (insert_unknown(dir, wish));
	return wish->n;
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
	DirectoryInfo *info;
	Wish		wish;
	int			result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_INT32(0);
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	directory_open(&dir, rel);
	if (RelationGetRelid(dir.identifier) != RelationGetRelid(rel))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not the table identifier of a contact directory",
						RelationGetRelationName(rel))));
	require_consent_privilege(dir.identifier);
	info = directory_info(rel);

	memset(&wish, 0, sizeof(wish));
	wish.state = parse_state(PG_GETARG_DATUM(2), false);
	wish.reason = text_argument(fcinfo, 3);
	wish.source = text_argument(fcinfo, 4);
	wish.evidence = text_argument(fcinfo, 5);
	if (wish.state == STATE_OPTED_IN && wish.evidence == (Datum) 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an opt-in needs evidence"),
				 errhint("Say what was agreed to, where and when."),
				 errtable(rel)));
	read_addresses(&wish, info, PG_GETARG_ARRAYTYPE_P(1));
	SPI_connect();
	result = fulfil(&dir, &wish);
	SPI_finish();
	directory_close(&dir);
	table_close(rel, NoLock);
	PG_RETURN_INT32(result);
}
