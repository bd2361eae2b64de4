/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  rows that changed in a statement, collected to be settled together
 *
 * A row trigger that runs a query costs as much as PL/pgSQL; settling the rows
 * of a statement together is several times cheaper.  Transition tables would
 * do it, but on UPDATE they slow down every statement, changed or not.  So a
 * row trigger with a WHEN clause collects the few rows that matter, and the
 * statement trigger with the same function, which fires after it, takes them.
 * At most PENDING_LIMIT rows are collected before they are settled anyway.
 *
 * Lists belong to a table and a subtransaction: when a subtransaction rolls
 * back, what it collected goes, and what was collected outside stays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "nodes/bitmapset.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pending.h"

#define PENDING_LIMIT 8192

/* Ids that a running INSERT keeps in mind, in TopTransactionContext. */
typedef struct IdList
{
	int64	   *ids;
	int			n;
	int			capacity;
} IdList;

typedef struct Pending
{
	Oid			relid;
	SubTransactionId subid;
	MemoryContext context;		/* holds the changes and their tuples */
	Change	   *changes;
	int			nchanges;
	IdList		aside;			/* rows set aside */
	IdList		ahead;			/* contacts that got their email ahead */
	struct Pending *next;
} Pending;

static Pending *pendings = NULL;	/* in TopTransactionContext */
static bool callbacks_registered = false;

/* Forget everything with the transaction; at commit nothing may be left. */
static void
end_transaction(XactEvent event, void *arg)
{
	Pending    *p;

	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		for (p = pendings; p != NULL; p = p->next)
		{
			if (p->nchanges > 0 || p->aside.n > 0 || p->ahead.n > 0)
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("changes of a contact directory were left unsettled"),
						 errhint("A trigger of the directory is missing or disabled: see contacts.check_directory().")));
		}
	}
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
			 event == XACT_EVENT_PREPARE)
		pendings = NULL;
}

/*
 * Drop what a rolled back subtransaction collected; else hand it up.  A list
 * that is empty goes, too: there may be any number of subtransactions.
 */
static void
end_subtransaction(SubXactEvent event, SubTransactionId subid,
				   SubTransactionId parent, void *arg)
{
	Pending   **link = &pendings;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	while (*link != NULL)
	{
		Pending    *p = *link;

		if (p->subid == subid &&
			(event == SUBXACT_EVENT_ABORT_SUB ||
			 (p->nchanges == 0 && p->aside.n == 0 && p->ahead.n == 0)))
		{
			*link = p->next;
			if (p->context != NULL)
				MemoryContextDelete(p->context);
			if (p->aside.ids != NULL)
				pfree(p->aside.ids);
			if (p->ahead.ids != NULL)
				pfree(p->ahead.ids);
			pfree(p);
			continue;
		}
		if (p->subid == subid)
			p->subid = parent;
		link = &p->next;
	}
}

/* The list of this table in this subtransaction, made if create. */
static Pending *
find_pending(Oid relid, bool create)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	Pending    *p;

	for (p = pendings; p != NULL; p = p->next)
	{
		if (p->relid == relid && p->subid == subid)
			return p;
	}
	if (!create)
		return NULL;

	if (!callbacks_registered)
	{
		RegisterXactCallback(end_transaction, NULL);
		RegisterSubXactCallback(end_subtransaction, NULL);
		callbacks_registered = true;
	}
	p = MemoryContextAllocZero(TopTransactionContext, sizeof(Pending));
	p->relid = relid;
	p->subid = subid;
	p->next = pendings;
	pendings = p;
	return p;
}

/* Does a statement trigger of this function and table follow the row's? */
static bool
statement_trigger_follows(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TriggerDesc *desc = trigdata->tg_relation->trigdesc;
	int			i;
	int			j;

	/* without a column list it fires for every INSERT and DELETE */
	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return true;
	for (i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *t = &desc->triggers[i];

		if (t->tgfoid != fcinfo->flinfo->fn_oid ||
			t->tgenabled == TRIGGER_DISABLED ||
			!TRIGGER_TYPE_MATCHES(t->tgtype, TRIGGER_TYPE_STATEMENT,
								  TRIGGER_TYPE_AFTER, TRIGGER_TYPE_UPDATE))
			continue;
		for (j = 0; j < t->tgnattr; j++)
		{
			if (bms_is_member(t->tgattr[j] - FirstLowInvalidHeapAttributeNumber,
							  trigdata->tg_updatedcols))
				return true;
		}
	}
	return false;
}

/*
 * Collect the row of an AFTER ROW trigger.  True: a statement trigger of the
 * same function will settle it; false: the caller must settle now.
 */
bool
pending_collect(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Pending    *p = find_pending(RelationGetRelid(trigdata->tg_relation), true);
	MemoryContext oldcontext;
	Change	   *change;

	if (p->context == NULL)
		p->context = AllocSetContextCreate(TopTransactionContext,
										   "contacts pending changes",
										   ALLOCSET_DEFAULT_SIZES);
	oldcontext = MemoryContextSwitchTo(p->context);
	if (p->changes == NULL)
		p->changes = palloc(sizeof(Change) * PENDING_LIMIT);
	change = &p->changes[p->nchanges];
	change->before = change->after = NULL;
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		change->after = heap_copytuple(trigdata->tg_trigtuple);
	else
	{
		change->before = heap_copytuple(trigdata->tg_trigtuple);
		if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
			change->after = heap_copytuple(trigdata->tg_newtuple);
	}
	p->nchanges++;
	MemoryContextSwitchTo(oldcontext);
	return p->nchanges < PENDING_LIMIT && statement_trigger_follows(fcinfo);
}

/*
 * Take what was collected for the table in this subtransaction.  The changes
 * live in the current memory context's parent chain as a child of it: they go
 * when the caller's context goes.
 */
int
pending_take(Relation rel, Change **changes)
{
	Pending    *p = find_pending(RelationGetRelid(rel), false);
	int			n;

	if (p == NULL || p->nchanges == 0)
		return 0;
	*changes = p->changes;
	n = p->nchanges;
	MemoryContextSetParent(p->context, CurrentMemoryContext);
	p->context = NULL;
	p->changes = NULL;
	p->nchanges = 0;
	return n;
}

static void
add_id(IdList *list, int64 id)
{
	if (list->n == list->capacity)
	{
		list->capacity = Max(16, list->capacity * 2);
		if (list->ids == NULL)
			list->ids = MemoryContextAlloc(TopTransactionContext,
										   sizeof(int64) * list->capacity);
		else
			list->ids = repalloc(list->ids, sizeof(int64) * list->capacity);
	}
	list->ids[list->n++] = id;
}

/* What is asked for is mostly what was added last. */
static bool
has_id(const IdList *list, int64 id)
{
	int			i;

	for (i = list->n - 1; i >= 0; i--)
	{
		if (list->ids[i] == id)
			return true;
	}
	return false;
}

/* Give the ids away and begin a new list. */
static int
take_ids(IdList *list, int64 **ids)
{
	int			n = list->n;

	*ids = list->ids;
	memset(list, 0, sizeof(*list));
	return n;
}

/* Remember that the unheld row id is set aside in favour of a new one (I7). */
void
pending_set_aside(Relation rel, int64 id)
{
	add_id(&find_pending(RelationGetRelid(rel), true)->aside, id);
}

/* Was this row set aside by the running statement?  No client can do it. */
bool
pending_is_aside(Relation rel, int64 id)
{
	Pending    *p;

	for (p = pendings; p != NULL; p = p->next)
	{
		if (p->relid == RelationGetRelid(rel) && has_id(&p->aside, id))
			return true;
	}
	return false;
}

/* Take the ids of the rows set aside in this subtransaction. */
int
pending_take_aside(Relation rel, int64 **ids)
{
	Pending    *p = find_pending(RelationGetRelid(rel), false);

	return p == NULL ? 0 : take_ids(&p->aside, ids);
}

/* Remember that the contact gets its email before the identifier comes. */
void
pending_set_ahead(Relation rel, int64 contact_id)
{
	add_id(&find_pending(RelationGetRelid(rel), true)->ahead, contact_id);
}

/* Is an identifier being inserted that the contact's email is ahead of? */
bool
pending_is_ahead(Relation rel, int64 contact_id)
{
	Pending    *p = find_pending(RelationGetRelid(rel), false);

	return p != NULL && has_id(&p->ahead, contact_id);
}

/* Take the contacts that got their email ahead in this subtransaction. */
int
pending_take_ahead(Relation rel, int64 **ids)
{
	Pending    *p = find_pending(RelationGetRelid(rel), false);

	return p == NULL ? 0 : take_ids(&p->ahead, ids);
}
