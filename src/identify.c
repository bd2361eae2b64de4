/*-------------------------------------------------------------------------
 *
 * identify.c
 *	  whom identifiers that were seen together belong to, many sets at once
 *
 * All sets are looked up at once.  Those that one contact holds need nothing
 * more; those that nobody holds become contacts, in one statement; the odd
 * ones, and those that share something with an earlier one that is not done,
 * are looked at one by one, after their contacts were locked in the order of
 * ids.  Contacts get their ids in the order of the sets, whichever is made
 * first: of those of one transaction the id tells which is older.  So the
 * result is that of one set after another.
 *
 * Races: contacts by id, then contact.email, then identifiers by key, are the
 * order of locks.  Who finds that something changed before it was locked, or
 * meets a row that was not there, starts again from nothing (attempt.c); under
 * REPEATABLE READ and SERIALIZABLE it fails with 40001.  Sets with several new
 * emails wait for each other by advisory locks on their keys, and so do calls
 * with odd ones among many sets.  Keys share a few locks: the table of locks
 * has room for some thousands.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "attempt.h"
#include "columns.h"
#include "identify.h"

#define MAX_ROUNDS 100			/* attempts; only a trigger causes that many */
#define LOCK_CLASS 0x1d			/* of our advisory locks */
#define LOCK_BUCKETS 256		/* so many for values */

static const char *const outcomes[] = {
	"created", "found", "merged", "suggested"
};

static const DirectoryQuery lock_contacts = {
	"SELECT c.id FROM @rows@ CROSS JOIN LATERAL (SELECT c.id FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id FOR NO KEY UPDATE) c",
	1, {INT8OID}, "id"
};

/* Those that go are locked as for that. */
static const DirectoryQuery lock_to_merge = {
	"SELECT c.id FROM @rows@ CROSS JOIN LATERAL (SELECT c.id FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id FOR UPDATE) c",
	1, {INT8OID}, "id"
};

/* A value that an earlier set, which is not done, brings along. */
typedef struct Pending
{
	pg_uuid_t	key;			/* hash key */
	int			set;			/* the last one of those */
	bool		is_made;		/* a new contact of the call will hold it */
} Pending;

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* A hash table in the current memory context. */
static HTAB *
make_hash(const char *name, Size keysize, Size entrysize)
{
	HASHCTL		ctl;

	ctl.keysize = keysize;
	ctl.entrysize = entrysize;
	ctl.hcxt = CurrentMemoryContext;
	return hash_create(name, 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Remember a contact that is locked, or was made by us. */
void
add_locked(Identification *id, int64 contact_id)
{
	if (id->locked == NULL)
		id->locked = make_hash("contacts locked contacts", sizeof(int64),
							   sizeof(int64));
	(void) hash_search(id->locked, &contact_id, HASH_ENTER, NULL);
}

/* Is it one of those? */
bool
is_locked(const Identification *id, int64 contact_id)
{
	return id->locked != NULL &&
		hash_search(id->locked, &contact_id, HASH_FIND, NULL) != NULL;
}

/* Plan for a set that nothing earlier stands in the way of. */
static void
plan_alone(const Identification *id, PersonSet *set)
{
	if (id->only_new ? set->nholders > 0 :
		set->nholders == 1 && !set->is_incomplete)
		set->plan = SET_FOUND;
	else
		set->plan = set->nholders == 0 && set->is_exclusive ? SET_NEW : SET_ODD;
}

/*
 * Plan for a set after others: what shares something with one that is not done
 * waits for it, or is the same contact, if that is new, has all of it and is
 * not met by an odd one in between, which may merge it into another.
 */
static void
plan_after(Identification *id, PersonSet *set, HTAB *pending, HTAB *busy)
{
	int			npending = 0;
	int			twin = -1;
	bool		is_twin = !set->has_attributes && set->nholders == 0;
	int			i;

	for (i = 0; i < set->nseen; i++)
	{
		Pending    *p = hash_search(pending, &set->seen[i].key, HASH_FIND, NULL);

		if (p != NULL)
			npending++;
		/* only what decides finds somebody */
		if (p != NULL && p->is_made &&
			set->seen[i].type->is_exclusive == set->is_exclusive)
			set->will_find = true;
		if (p == NULL || (twin != -1 && twin != p->set) ||
			set->seen[i].slug != NULL)
			is_twin = false;
		else
			twin = p->set;
	}
	plan_alone(id, set);
	if (npending > 0)
		set->plan = is_twin && id->sets[twin].plan == SET_NEW &&
			!id->sets[twin].is_met ? SET_TWIN : SET_ODD;
	set->twin = twin;
	for (i = 0; i < set->nholders; i++)
	{
		if (hash_search(busy, &set->holders[i], HASH_FIND, NULL) != NULL)
			set->plan = SET_ODD;
	}
}

/* Note what a set that is not done brings along, and whom it meets. */
static void
note_pending(Identification *id, PersonSet *set, HTAB *pending, HTAB *busy)
{
	int			i;

	for (i = 0; i < set->nseen; i++)
	{
		bool		found;
		Pending    *p = hash_search(pending, &set->seen[i].key, HASH_ENTER,
									&found);

		if (found && set->plan == SET_ODD)
			id->sets[p->set].is_met = true;
		p->set = set - id->sets;
		p->is_made = set->plan == SET_NEW || (found && p->is_made);
	}
	for (i = 0; i < set->nholders; i++)
		hash_search(busy, &set->holders[i], HASH_ENTER, NULL);
}

/* Plan for all sets; returns how many are odd. */
static int
plan_sets(Identification *id)
{
	HTAB	   *pending;
	HTAB	   *busy;
	int			nodd = 0;
	int			i;

	if (id->nsets == 1)
	{
		plan_alone(id, &id->sets[0]);
		return id->sets[0].plan == SET_ODD;
	}
	pending = make_hash("contacts pending values", sizeof(pg_uuid_t),
						sizeof(Pending));
	busy = make_hash("contacts busy contacts", sizeof(int64), sizeof(int64));
	for (i = 0; i < id->nsets; i++)
	{
		PersonSet  *set = &id->sets[i];

		CHECK_FOR_INTERRUPTS();
		set->is_met = set->will_find = false;
		plan_after(id, set, pending, busy);
		if (set->plan == SET_NEW || set->plan == SET_ODD)
			note_pending(id, set, pending, busy);
		nodd += set->plan == SET_ODD;
	}
	return nodd;
}

static void
lock_number(uint32 hi, uint32 lo)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, hi, lo, LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Note the locks of the values of a set that want some. */
static void
note_buckets(const PersonSet *set, bool *buckets)
{
	int			nemails = 0;
	int			j;

	if (set->plan == SET_FOUND)
		return;
	for (j = 0; j < set->nseen; j++)
		nemails += set->seen[j].type->value_type == VALUE_EMAIL &&
			set->seen[j].contact_id == 0;
	for (j = 0; j < set->nseen; j++)
	{
		const Seen *seen = &set->seen[j];

		if (!set->is_exclusive ||
			(nemails > 1 && seen->type->value_type == VALUE_EMAIL &&
			 seen->contact_id == 0))
			buckets[hash_bytes(seen->key.data, UUID_LEN) % LOCK_BUCKETS] = true;
	}
}

/*
 * Have sets wait for each other whose locks on values have no order: those
 * with several new emails, one of which becomes the main one, and those
 * without an exclusive kind, which no index keeps apart.
 */
static void
lock_values(Identification *id, int nodd)
{
	bool		buckets[LOCK_BUCKETS];
	int			i;

	if (nodd > 0 && id->nsets > 1)
		lock_number(id->dir.nspid, 0);
	memset(buckets, false, sizeof(buckets));
	for (i = 0; i < id->nsets; i++)
		note_buckets(&id->sets[i], buckets);
	for (i = 0; i < LOCK_BUCKETS; i++)
	{
		if (buckets[i])
			lock_number(id->dir.nspid, i + 1);
	}
}

/* Lock contacts in the order of ids, as for a merge of some or not. */
static void
lock_ids(Identification *id, int64 *ids, int n, bool is_merge)
{
	Batch	   *batch = batch_create(is_merge ? &lock_to_merge :
									 &lock_contacts, n);
	int			i;

	qsort(ids, n, sizeof(int64), compare_ids);
	for (i = 0; i < n; i++)
	{
		Datum		contact = Int64GetDatum(ids[i]);

		if (i > 0 && ids[i] == ids[i - 1])
			continue;
		batch_add(batch, &contact, NULL);
		add_locked(id, ids[i]);
	}
	(void) batch_run(&id->dir, batch);
}

/*
 * Lock the holders of a set, which are locked or ours, as for a merge: nobody
 * makes a ghost of them known meanwhile.
 */
void
lock_to_fold(Identification *id, PersonSet *set)
{
	int64	   *ids = palloc(sizeof(int64) * set->nholders);

	memcpy(ids, set->holders, sizeof(int64) * set->nholders);
	lock_ids(id, ids, set->nholders, true);
}

/* Lock the contacts of the odd sets. */
static void
lock_holders(Identification *id)
{
	bool		is_merge = false;
	int64	   *ids;
	int			n = 0;
	int			i;
	int			j;

	for (i = 0; i < id->nsets; i++)
	{
		if (id->sets[i].plan == SET_ODD)
			n += id->sets[i].nholders;
	}
	ids = palloc(sizeof(int64) * (n + 1));
	n = 0;
	for (i = 0; i < id->nsets; i++)
	{
		PersonSet  *set = &id->sets[i];

		is_merge = is_merge || (set->plan == SET_ODD && set->nholders > 1);
		for (j = 0; set->plan == SET_ODD && j < set->nholders; j++)
			ids[n++] = set->holders[j];
	}
	lock_ids(id, ids, n, is_merge);
}

/* Make the contacts of new sets. */
static bool
create_new(Identification *id)
{
	int		   *sets = palloc(sizeof(int) * (id->nsets + 1));
	int			n = 0;
	int			i;

	for (i = 0; i < id->nsets; i++)
	{
		if (id->sets[i].plan == SET_NEW)
			sets[n++] = i;
	}
	return n == 0 || create_contacts(id, sets, n);
}

/* Carry out the plans. */
static bool
carry_out(Identification *id, int nodd)
{
	int			i;

	lock_values(id, nodd);
	lock_holders(id);
	draw_ids(id);
	if (!create_new(id))
		return false;
	for (i = 0; i < id->nsets; i++)
	{
		PersonSet  *set = &id->sets[i];

		CHECK_FOR_INTERRUPTS();
		id->current = id->nsets > 1 ? i : -1;
		if (set->plan == SET_FOUND)
		{
			require_visible(id, set);
			set->contact_id = set->holders[0];
			set->outcome = OUTCOME_FOUND;
		}
		else if (set->plan == SET_TWIN)
		{
			set->contact_id = id->sets[set->twin].contact_id;
			set->outcome = OUTCOME_FOUND;
		}
		else if (set->plan == SET_ODD)
		{
			/* what was looked up may have changed before it was locked */
			look_up_sets(id, i, 1);
			if (!resolve_set(id, set))
				return false;
		}
	}
	id->current = -1;
	return true;
}

/* One attempt; false if something changed before it was locked. */
static bool
try_identify(void *arg)
{
	Identification *id = arg;
	bool		is_done;

	if (id->rounds++ > 0 && IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errtable(id->dir.identifier)));
	id->locked = NULL;
	SPI_connect();
	look_up_sets(id, 0, id->nsets);
	is_done = carry_out(id, plan_sets(id));
	SPI_finish();
	id->locked = NULL;			/* it went with SPI's memory */
	return is_done;
}

/* A row was met that was not there when we looked: look again. */
static bool
is_met(void *arg, const ErrorData *error)
{
	Identification *id = arg;

	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION &&
		!id->is_refused && id->rounds < MAX_ROUNDS &&
		error->constraint_name != NULL &&
		(strcmp(error->constraint_name, "contact_email_key") == 0 ||
		 strcmp(error->constraint_name, "identifier_key_holder_key") == 0);
}

/* Identify the sets that were read. */
void
identify_sets_now(Identification *id)
{
	if (id->nsets > 0)
		attempt_again(try_identify, is_met, id);
}

/* Which set an error is about. */
static void
add_context(void *arg)
{
	Identification *id = arg;

	if (id->current >= 0 && id->nsets > 1)
		errcontext("set %d of %d", id->current + 1, id->nsets);
}

static void
return_sets(Identification *id, ReturnSetInfo * result)
{
	int			i;

	for (i = 0; i < id->nsets; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		values[0] = Int64GetDatum(i + 1);
		values[1] = Int64GetDatum(id->sets[i].contact_id);
		values[2] = CStringGetTextDatum(outcomes[id->sets[i].outcome]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(identify_sets);

/*
 * contacts.identify_sets(identifier regclass, sets, source, overwrite), with
 * the rights of the caller: who may insert identifiers and read them.
 */
Datum
identify_sets(PG_FUNCTION_ARGS)
{
	Identification id;
	ErrorContextCallback callback;
	Relation	rel;
	int			nestlevel = NewGUCNestLevel();

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("identifiers must not be null")));
	require_column_privilege(PG_GETARG_OID(0), "value", ACL_SELECT);
	require_column_privilege(PG_GETARG_OID(0), "value", ACL_INSERT);
	InitMaterializedSRF(fcinfo, 0);
	memset(&id, 0, sizeof(id));
	id.overwrite = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	require_identifier(rel);
	directory_open(&id.dir, rel);
	id.info = directory_info(rel);
	callback.callback = add_context;
	callback.arg = &id;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	/* the default of identifier.source */
	if (!PG_ARGISNULL(2))
		(void) set_config_option("contacts.source",
								 text_to_cstring(PG_GETARG_TEXT_PP(2)),
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	parse_sets(&id, PG_GETARG_JSONB_P(1));
	identify_sets_now(&id);
	AtEOXact_GUC(true, nestlevel);
	error_context_stack = callback.previous;
	directory_close(&id.dir);
	table_close(rel, NoLock);
	return_sets(&id, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
