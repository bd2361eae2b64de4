/*-------------------------------------------------------------------------
 *
 * relationship_mirror.c
 *	  the AFTER triggers of relationship: links between contacts have two rows
 *
 * Row n is a link as it was entered, row -n the same link from the other side
 * (rule R2).  Inserted links get their mirrors, changed rows are followed by
 * their partners, deleted ones take them along, always set-based and from the
 * rows as they are now.  Who writes both rows himself, as COPY of an export
 * does, finds that nothing is left to do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "main_identifier.h"
#include "mirror_insert.h"
#include "pending.h"
#include "plan_cache.h"
#include "relationship.h"

#define MIRROR_CHUNK 65536		/* links looked at by one statement */

/* Is m the other side of r, whose id is its own with the other sign? */
#define MIRRORS(m, r) \
	"(" m ".relationship_type_id OPERATOR(pg_catalog.=) " r ".inverse_type_id" \
	" AND " m ".contact_id OPERATOR(pg_catalog.=) " r ".related_contact_id" \
	" AND " m ".related_contact_id OPERATOR(pg_catalog.=) " r ".contact_id" \
	" AND " m ".is_primary OPERATOR(pg_catalog.=) " r ".is_primary" \
	" AND (" m ".started_on OPERATOR(pg_catalog.=) " r ".started_on" \
	"  OR " m ".started_on IS NULL AND " r ".started_on IS NULL)" \
	" AND (" m ".ended_on OPERATOR(pg_catalog.=) " r ".ended_on" \
	"  OR " m ".ended_on IS NULL AND " r ".ended_on IS NULL)" \
	" AND (" m ".note OPERATOR(pg_catalog.=) " r ".note" \
	"  OR " m ".note IS NULL AND " r ".note IS NULL))"

/* The links that lack their mirrors get them. */
static const DirectoryQuery make_mirrors = {
	"INSERT INTO @relationship@ (id, relationship_type_id, contact_id,"
	" related_contact_id, started_on, ended_on, note, is_primary, created_at)"
	" SELECT OPERATOR(pg_catalog.-) r.id, r.inverse_type_id,"
	" r.related_contact_id, r.contact_id, r.started_on, r.ended_on, r.note,"
	" r.is_primary, r.created_at"
	" FROM @rows@ JOIN ONLY @relationship@ r"
	"  ON r.id OPERATOR(pg_catalog.=) n.id"
	" WHERE r.id OPERATOR(pg_catalog.>) 0 AND r.related_contact_id IS NOT NULL"
	" AND NOT EXISTS (SELECT FROM ONLY @relationship@ m"
	"  WHERE m.id OPERATOR(pg_catalog.=) OPERATOR(pg_catalog.-) n.id)"
	" ORDER BY r.related_contact_id, r.inverse_type_id",
	1, {INT8OID}, "id"
};

/* Links between contacts that do not have an equal mirror after all. */
static const DirectoryQuery find_unmirrored = {
	"SELECT r.id FROM @rows@ JOIN ONLY @relationship@ r"
	"  ON r.id OPERATOR(pg_catalog.=) n.id"
	" WHERE r.related_contact_id IS NOT NULL"
	" AND NOT EXISTS (SELECT FROM ONLY @relationship@ m"
	"  WHERE m.id OPERATOR(pg_catalog.=) OPERATOR(pg_catalog.-) r.id"
	"  AND " MIRRORS("m", "r") ")"
	" LIMIT 1",
	1, {INT8OID}, "id"
};

/* The partners of changed rows take over what differs (compare-and-set). */
static const DirectoryQuery follow_rows = {
	"UPDATE ONLY @relationship@ m SET relationship_type_id = r.inverse_type_id,"
	" contact_id = r.related_contact_id, related_contact_id = r.contact_id,"
	" started_on = r.started_on, ended_on = r.ended_on, note = r.note,"
	" is_primary = r.is_primary"
	" FROM @rows@, ONLY @relationship@ r"
	" WHERE r.id OPERATOR(pg_catalog.=) n.id"
	" AND m.id OPERATOR(pg_catalog.=) OPERATOR(pg_catalog.-) n.id"
	" AND r.related_contact_id IS NOT NULL"
	" AND " MIRRORS("m", "r") " IS NOT TRUE",
	1, {INT8OID}, "id"
};

/* Rows take their places, now that their partners have left them (R1). */
static const DirectoryQuery end_moves = {
	"UPDATE ONLY @relationship@ r SET is_moving = false FROM @rows@"
	" WHERE r.id OPERATOR(pg_catalog.=) n.id AND r.is_moving",
	1, {INT8OID}, "id"
};

/* Mirrors go with the links they mirror, and where those lead to records. */
static const DirectoryQuery remove_partners = {
	"DELETE FROM ONLY @relationship@ m USING @rows@"
	" WHERE m.id OPERATOR(pg_catalog.=) OPERATOR(pg_catalog.-) n.id"
	" AND m.related_contact_id IS NOT NULL"
	" AND NOT EXISTS (SELECT FROM ONLY @relationship@ r"
	"  WHERE r.id OPERATOR(pg_catalog.=) n.id"
	"  AND r.related_contact_id IS NOT NULL)",
	1, {INT8OID}, "id"
};

/*
 * The transaction that last changed or deleted links, or wrote mirrors itself.
 * Otherwise the rows that a statement inserted are as they came when their
 * mirrors are made.  This errs on the safe side after a savepoint is rolled
 * back, or if it was another statement.
 */
static TransactionId unsettled_in = InvalidTransactionId;

/* Have mirrors be made from the rows as they are, in this transaction. */
void
note_unsettled_links(void)
{
	unsettled_in = GetTopTransactionId();
}

static bool
links_are_unsettled(void)
{
	return TransactionIdIsValid(unsettled_in) &&
		unsettled_in == GetTopTransactionIdIfAny();
}

/* Locks a row of each link of the contact: the one that is no mirror. */
static const DirectoryQuery lock_links = {
	"SELECT FROM ONLY @relationship@ r JOIN ONLY @relationship@ p"
	"  ON p.id OPERATOR(pg_catalog.=) pg_catalog.abs(r.id)"
	" WHERE r.contact_id OPERATOR(pg_catalog.=) $1"
	" ORDER BY p.id FOR UPDATE OF p",
	1, {INT8OID}, NULL
};

/* Rows of a statement, by what is to be done about them. */
typedef struct LinkIds
{
	int64	   *ids;
	int			n;
} LinkIds;

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

static LinkIds
link_ids_create(int capacity)
{
	LinkIds		ids;

	ids.ids = palloc(sizeof(int64) * Max(capacity, 1));
	ids.n = 0;
	return ids;
}

/* Run a query over the ids, each once, in their order. */
static uint64
link_ids_run(Directory *dir, LinkIds *ids, const DirectoryQuery *query)
{
	Batch	   *batch = batch_create(query, ids->n);
	int			i;

	if (ids->n > 1)
		qsort(ids->ids, ids->n, sizeof(int64), compare_ids);
	for (i = 0; i < ids->n; i++)
	{
		Datum		id = Int64GetDatum(ids->ids[i]);

		if (i == 0 || ids->ids[i] != ids->ids[i - 1])
			batch_add(batch, &id, NULL);
	}
	return batch_run(dir, batch);
}

/* A row that says it is a mirror, and is not. */
static void
report_no_partner(Relation rel, int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("relationship %lld does not mirror relationship %lld",
					(long long) id, (long long) -id),
			 errdetail("A row with a negative id is the other side of the row with the positive one."),
			 errhint("Leave mirrors to the directory, which makes them."),
			 errtableconstraint(rel, "relationship_mirror_has_partner")));
}

/* Triggers of users did away with mirrors, or changed them. */
static void
report_unmirrored(Relation rel, int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
			 errmsg("relationship %lld could not be mirrored", (long long) id),
			 errhint("A trigger on table \"%s\" drops or changes the rows.",
					 RelationGetRelationName(rel)),
			 errtable(rel)));
}

/* All the rows, links or mirrors, have equal partners, else report. */
static void
check_partners(Directory *dir, Relation rel, LinkIds *ids,
			   void (*report) (Relation, int64))
{
	bool		isnull;

	if (link_ids_run(dir, ids, &find_unmirrored) > 0)
		report(rel, DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc, 1,
												&isnull)));
}

/* Make mirrors by a statement that fires triggers, from the rows as they are. */
static void
mirror_by_statement(Directory *dir, Relation rel, LinkIds *links)
{
	link_ids_run(dir, links, &make_mirrors);
	if (has_user_triggers(rel))
		check_partners(dir, rel, links, report_unmirrored);
}

/* The inserted rows of a statement, a chunk at a time. */
typedef struct LinkChunk
{
	Directory  *dir;
	Relation	rel;
	AttrNumber	attnums[RELATIONSHIP_NCOLUMNS];
	int			capacity;
	Link	   *links;			/* between contacts, to be mirrored */
	int			nlinks;
	LinkIds		mirrors;		/* mirrors that the client brought */
	MemoryContext context;		/* holds notes; reset after each chunk */
} LinkChunk;

/*
 * Mirror the links, straight into the table if nothing but this statement can
 * have written the rows, and none of them is a mirror; those that are mirrors
 * must have their partners.
 */
static void
flush_links(LinkChunk *chunk)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(chunk->context);

	if (chunk->nlinks > 0 && !links_are_unsettled() &&
		can_insert_mirrors(chunk->rel))
		insert_mirrors_directly(chunk->dir, chunk->rel, chunk->links,
								chunk->nlinks);
	else
	{
		LinkIds		ids = link_ids_create(chunk->nlinks);
		int			i;

		for (i = 0; i < chunk->nlinks; i++)
			ids.ids[ids.n++] = chunk->links[i].id;
		mirror_by_statement(chunk->dir, chunk->rel, &ids);
	}
	check_partners(chunk->dir, chunk->rel, &chunk->mirrors,
				   report_no_partner);
	chunk->nlinks = chunk->mirrors.n = 0;
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(chunk->context);
}

/* A column of the slot; of type bigint or boolean, never null. */
static Datum
chunk_value(LinkChunk *chunk, TupleTableSlot *slot, RelationshipColumn column)
{
	bool		isnull;

	return slot_getattr(slot, chunk->attnums[column], &isnull);
}

/* Add an inserted row; one that leads to a record has no other side. */
static void
add_link(LinkChunk *chunk, TupleTableSlot *slot)
{
	Link	   *link = &chunk->links[chunk->nlinks];
	const AttrNumber *attnums = chunk->attnums;
	Datum		note;
	bool		isnull;

	link->id = DatumGetInt64(chunk_value(chunk, slot, RELATIONSHIP_ID));
	if (link->id < 0)
	{
		chunk->mirrors.ids[chunk->mirrors.n++] = link->id;
		return;
	}
	link->related_contact_id =
		DatumGetInt64(slot_getattr(slot, attnums[RELATIONSHIP_RELATED_CONTACT_ID],
								   &isnull));
	if (isnull)
		return;
	link->contact_id =
		DatumGetInt64(chunk_value(chunk, slot, RELATIONSHIP_CONTACT_ID));
	link->type_id =
		DatumGetInt64(chunk_value(chunk, slot, RELATIONSHIP_TYPE_ID));
	link->inverse_type_id =
		DatumGetInt64(chunk_value(chunk, slot, RELATIONSHIP_INVERSE_TYPE_ID));
	link->is_single =
		DatumGetBool(chunk_value(chunk, slot, RELATIONSHIP_IS_SINGLE));
	link->inverse_is_single =
		DatumGetBool(chunk_value(chunk, slot, RELATIONSHIP_INVERSE_IS_SINGLE));
	link->is_primary =
		DatumGetBool(chunk_value(chunk, slot, RELATIONSHIP_IS_PRIMARY));
	link->created_at = chunk_value(chunk, slot, RELATIONSHIP_CREATED_AT);
	link->started_on = slot_getattr(slot, attnums[RELATIONSHIP_STARTED_ON],
									&isnull);
	link->has_start = !isnull;
	link->ended_on = slot_getattr(slot, attnums[RELATIONSHIP_ENDED_ON],
								  &isnull);
	link->has_end = !isnull;
	note = slot_getattr(slot, attnums[RELATIONSHIP_NOTE], &isnull);
	link->note = isnull ? (Datum) 0 :
		PointerGetDatum(PG_DETOAST_DATUM_COPY(note));
	chunk->nlinks++;
}

/* Mirror the rows in the transition table. */
static void
mirror_inserted(Relation rel, Tuplestorestate *inserted)
{
	Directory	dir;
	LinkChunk	chunk;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);

	SPI_connect();
	directory_open(&dir, rel);
	memset(&chunk, 0, sizeof(chunk));
	chunk.dir = &dir;
	chunk.rel = rel;
	find_columns(rel, relationship_columns, RELATIONSHIP_NCOLUMNS,
				 chunk.attnums);
	chunk.capacity = (int) Min(tuplestore_tuple_count(inserted), MIRROR_CHUNK);
	chunk.links = palloc(sizeof(Link) * chunk.capacity);
	chunk.mirrors = link_ids_create(chunk.capacity);
	chunk.context = AllocSetContextCreate(CurrentMemoryContext,
										  "contacts links",
										  ALLOCSET_DEFAULT_SIZES);
	/* others may have read the transition table before us */
	tuplestore_select_read_pointer(inserted, 0);
	tuplestore_rescan(inserted);
	while (tuplestore_gettupleslot(inserted, true, false, slot))
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(chunk.context);

		CHECK_FOR_INTERRUPTS();
		add_link(&chunk, slot);
		MemoryContextSwitchTo(oldcontext);
		if (Max(chunk.nlinks, chunk.mirrors.n) == chunk.capacity)
			flush_links(&chunk);
	}
	flush_links(&chunk);
	ExecDropSingleTupleTableSlot(slot);
	directory_close(&dir);
	SPI_finish();
}

PG_FUNCTION_INFO_V1(relationship_mirror);

/* AFTER INSERT STATEMENT: mirror the links between contacts, set-based. */
Datum
relationship_mirror(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_mirror",
										  CALL_AFTER | CALL_STATEMENT |
										  CALL_INSERT);

	if (trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" needs a transition table",
						trigdata->tg_trigger->tgname),
				 errtable(trigdata->tg_relation)));
	if (tuplestore_tuple_count(trigdata->tg_newtable) > 0)
		mirror_inserted(trigdata->tg_relation, trigdata->tg_newtable);
	return PointerGetDatum(NULL);
}

/*
 * Settle what row triggers collected.  Where both rows of a link changed, the
 * one that is no mirror is followed first, and then nothing differs; of a
 * statement that fills several lists this holds for each list.
 */
static void
settle_changes(Relation rel)
{
	Change	   *changes;
	Directory	dir;
	LinkIds		links;
	LinkIds		mirrors;
	LinkIds		deleted;
	LinkIds		moving;
	int			n = pending_take(rel, &changes);
	int			i;

	if (n == 0)
		return;
	directory_open(&dir, rel);
	links = link_ids_create(n);
	mirrors = link_ids_create(n);
	deleted = link_ids_create(n);
	moving = link_ids_create(n);
	for (i = 0; i < n; i++)
	{
		Row			row;
		int64		id;

		row_read(&row, rel, changes[i].after != NULL ? changes[i].after :
				 changes[i].before, relationship_columns,
				 RELATIONSHIP_NCOLUMNS);
		row_require(&row, RELATIONSHIP_ID);
		id = DatumGetInt64(row.values[RELATIONSHIP_ID]);
		if (changes[i].after == NULL ||
			row.nulls[RELATIONSHIP_RELATED_CONTACT_ID])
			deleted.ids[deleted.n++] = id;
		else if (id < 0)
			mirrors.ids[mirrors.n++] = id;
		else
			links.ids[links.n++] = id;
		if (changes[i].after != NULL && row_bool(&row, RELATIONSHIP_IS_MOVING))
			moving.ids[moving.n++] = id;
	}
	link_ids_run(&dir, &deleted, &remove_partners);
	link_ids_run(&dir, &links, &follow_rows);
	link_ids_run(&dir, &links, &make_mirrors);
	link_ids_run(&dir, &mirrors, &follow_rows);
	link_ids_run(&dir, &moving, &end_moves);
	if (has_user_triggers(rel))
	{
		check_partners(&dir, rel, &links, report_unmirrored);
		check_partners(&dir, rel, &mirrors, report_unmirrored);
	}
	directory_close(&dir);
}

PG_FUNCTION_INFO_V1(relationship_change);

/* AFTER ROW collects, AFTER STATEMENT settles. */
Datum
relationship_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_change",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_UPDATE |
										  CALL_DELETE);

	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		note_unsettled_links();
		if (pending_collect(fcinfo))
			return PointerGetDatum(NULL);
	}
	SPI_connect();
	settle_changes(trigdata->tg_relation);
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(relationship_lock);

/*
 * BEFORE DELETE ROW on contact: the foreign keys are about to delete the links,
 * the rows of each in no order.  Who deletes the other end of one meanwhile is
 * met at the row that is no mirror, of several links in the order of ids.
 */
Datum
relationship_lock(PG_FUNCTION_ARGS)
{
	static const char *const id[] = {"id"};
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_lock",
										  CALL_BEFORE | CALL_ROW |
										  CALL_DELETE);
	Directory	dir;
	Relation	links;
	Row			row;

	row_read(&row, trigdata->tg_relation, trigdata->tg_trigtuple, id, 1);
	SPI_connect();
	directory_open(&dir, trigdata->tg_relation);
	links = directory_sibling(&dir, trigdata->tg_relation, "relationship");
	query_run(&dir, &lock_links, row.values, NULL);
	table_close(links, NoLock);
	directory_close(&dir);
	SPI_finish();
	return PointerGetDatum(trigdata->tg_trigtuple);
}
