/*-------------------------------------------------------------------------
 *
 * reserved.c
 *	  values whose index entries this transaction holds
 *
 * A reservation (claim_insert.c) leaves a dead row behind.  A transaction that
 * asks whether a message may go and then queues it, or that sends to one number
 * again and again, is to make one only.  What a subtransaction has reserved
 * goes when that rolls back: as its id is less than that of any that began
 * later, it and those within it are the last ones of the list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "reserved.h"

/* A value of a table identifier; what the hash holds, too. */
typedef struct ReservedKey
{
	Oid			relid;
	pg_uuid_t	key;
} ReservedKey;

typedef struct ReservedValue
{
	ReservedKey key;
	SubTransactionId subid;
} ReservedValue;

/* In TopTransactionContext. */
static HTAB *reserved = NULL;
static ReservedValue *values = NULL;
static int	nvalues = 0;
static int	capacity = 0;
static bool callbacks_registered = false;

static void
end_transaction(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	reserved = NULL;
	values = NULL;
	nvalues = capacity = 0;
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid,
				   SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (nvalues > 0 && values[nvalues - 1].subid >= subid)
		hash_search(reserved, &values[--nvalues].key, HASH_REMOVE, NULL);
}

static void
begin_list(void)
{
	HASHCTL		ctl;

	if (!callbacks_registered)
	{
		RegisterXactCallback(end_transaction, NULL);
		RegisterSubXactCallback(end_subtransaction, NULL);
		callbacks_registered = true;
	}
	ctl.keysize = ctl.entrysize = sizeof(ReservedKey);
	ctl.hcxt = TopTransactionContext;
	reserved = hash_create("contacts reserved values", 64, &ctl,
						   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	capacity = 64;
	values = MemoryContextAlloc(TopTransactionContext,
								sizeof(ReservedValue) * capacity);
}

static ReservedKey
reserved_key(Relation identifier, const pg_uuid_t *key)
{
	ReservedKey result;

	memset(&result, 0, sizeof(result));
	result.relid = RelationGetRelid(identifier);
	result.key = *key;
	return result;
}

/* Does this transaction hold the index entry of the value? */
bool
is_reserved(Relation identifier, const pg_uuid_t *key)
{
	ReservedKey wanted = reserved_key(identifier, key);

	return reserved != NULL &&
		hash_search(reserved, &wanted, HASH_FIND, NULL) != NULL;
}

/* Remember that it does. */
void
note_reserved(Relation identifier, const pg_uuid_t *key)
{
	ReservedKey new = reserved_key(identifier, key);
	bool		found;

	if (reserved == NULL)
		begin_list();
	if (nvalues == capacity)
	{
		capacity *= 2;
		values = repalloc_huge(values, sizeof(ReservedValue) * capacity);
	}
	hash_search(reserved, &new, HASH_ENTER, &found);
	if (found)
		return;
	values[nvalues].key = new;
	values[nvalues++].subid = GetCurrentSubTransactionId();
}
