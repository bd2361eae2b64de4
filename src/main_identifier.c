/*-------------------------------------------------------------------------
 *
 * main_identifier.c
 *	  contact.email and contact.mobile_phone are identifiers (rule I4)
 *
 * contact.email is the email identifier with slug main, contact.mobile_phone
 * the phone identifier with slug main.  Here the identifiers follow the
 * contact; identifier_change.c does the other direction.  Both only write what
 * does not agree yet, from the rows as they are now, so they end where they
 * meet, whatever triggers of a user do in between.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "claim.h"
#include "consent.h"
#include "directory.h"
#include "main_identifier.h"
#include "pending.h"

#define CLAIM_CHUNK 65536		/* identifiers claimed by one statement */

/* The columns of contact that are main identifiers. */
typedef struct MainColumn
{
	ContactColumn column;
	const char *type;			/* semantic type */
	const DirectoryQuery *current;		/* contacts whose column still is n.now */
	const DirectoryQuery *classify;		/* what is to be done for a new value */
	const DirectoryQuery *adopt;		/* contacts take what the value became */
} MainColumn;

#define CURRENT(column, sqltype) \
	"SELECT n.n FROM @rows@ JOIN ONLY @contact@ c" \
	" ON c.id OPERATOR(pg_catalog.=) n.id" \
	" AND c." column " OPERATOR(pg_catalog.=) n.now::contacts." sqltype

#define CLASSIFY(column, sqltype) \
	"SELECT n.n, m.id, m.value, m.status::pg_catalog.text, t.id, t.slug," \
	" t.contact_id OPERATOR(pg_catalog.=) n.id" \
	" FROM @rows@ JOIN ONLY @contact@ c" \
	"  ON c.id OPERATOR(pg_catalog.=) n.id" \
	"  AND (c." column " OPERATOR(pg_catalog.=) n.now::contacts." sqltype \
	"   OR c." column " IS NULL AND n.now IS NULL)" \
	" LEFT JOIN ONLY @identifier@ m" \
	"  ON m.contact_id OPERATOR(pg_catalog.=) n.id" \
	"  AND " KIND_OF("m") " OPERATOR(pg_catalog.=) '" sqltype "'" \
	"  AND m.slug OPERATOR(pg_catalog.=) 'main'" \
	" LEFT JOIN ONLY @identifier@ t" \
	"  ON t.key OPERATOR(pg_catalog.=) n.key" \
	"  AND t.holder OPERATOR(pg_catalog.=) n.holder" \
	" ORDER BY n.n"

/* A user's trigger on identifier may have made another value of ours. */
#define ADOPT(column, sqltype) \
	"UPDATE ONLY @contact@ c SET " column " = m.value::contacts." sqltype \
	" FROM @rows@, ONLY @identifier@ m" \
	" WHERE c.id OPERATOR(pg_catalog.=) n.id" \
	" AND c." column " OPERATOR(pg_catalog.=) n.now::contacts." sqltype \
	" AND m.contact_id OPERATOR(pg_catalog.=) n.id" \
	" AND m.semantic_type OPERATOR(pg_catalog.=) '" sqltype "'" \
	" AND m.slug OPERATOR(pg_catalog.=) 'main'" \
	" AND m.value OPERATOR(pg_catalog.<>) n.now"

static const DirectoryQuery current_email = {
	CURRENT("email", "email"), 3, {INT4OID, INT8OID, TEXTOID}, "n, id, now"
};
static const DirectoryQuery current_phone = {
	CURRENT("mobile_phone", "phone"), 3, {INT4OID, INT8OID, TEXTOID},
	"n, id, now"
};
static const DirectoryQuery classify_email = {
	CLASSIFY("email", "email"), 5,
	{INT4OID, INT8OID, TEXTOID, UUIDOID, INT8OID}, "n, id, now, key, holder"
};
static const DirectoryQuery classify_phone = {
	CLASSIFY("mobile_phone", "phone"), 5,
	{INT4OID, INT8OID, TEXTOID, UUIDOID, INT8OID}, "n, id, now, key, holder"
};

static const DirectoryQuery adopt_email = {
	ADOPT("email", "email"), 2, {INT8OID, TEXTOID}, "id, now"
};
static const DirectoryQuery adopt_phone = {
	ADOPT("mobile_phone", "phone"), 2, {INT8OID, TEXTOID}, "id, now"
};

static const MainColumn main_columns[] = {
	{CONTACT_EMAIL, "email", &current_email, &classify_email, &adopt_email},
	{CONTACT_MOBILE_PHONE, "phone", &current_phone, &classify_phone,
	&adopt_phone}
};

/* A value that stays behind is released, its state with it (rule I7) ... */
static const DirectoryQuery release_rows = {
	"UPDATE ONLY @identifier@ i SET contact_id = NULL"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	1, {INT8OID}, "id"
};

/* ... and any other goes. */
static const DirectoryQuery delete_rows = {
	"DELETE FROM ONLY @identifier@ i"
	" USING @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	1, {INT8OID}, "id"
};

static const DirectoryQuery rename_rows = {
	"UPDATE ONLY @identifier@ i SET value = n.value, status = n.status,"
	" status_reason = n.reason"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	4, {INT8OID, TEXTOID, TEXTOID, TEXTOID}, "id, value, status, reason"
};

static const DirectoryQuery set_slugs = {
	"UPDATE ONLY @identifier@ i SET slug = n.slug"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	2, {INT8OID, TEXTOID}, "id, slug"
};

/* Where one statement promotes an address and states more, that holds (C4). */
static const DirectoryQuery raise_states = {
	"UPDATE ONLY @identifier@ i SET status = n.status"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id"
	" AND i.status OPERATOR(pg_catalog.<>) 'suppressed'"
	" AND i.status OPERATOR(pg_catalog.<>) n.status",
	2, {INT8OID, TEXTOID}, "id, status"
};

/* A state of its own goes from the value to the contact (C4) ... */
static const DirectoryQuery status_to_contact = {
	"UPDATE ONLY @contact@ c SET email_status = i.status"
	" FROM @rows@, ONLY @identifier@ i"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	" AND i.slug OPERATOR(pg_catalog.=) 'main'"
	" AND i.value OPERATOR(pg_catalog.=) c.email::pg_catalog.text"
	" AND i.status OPERATOR(pg_catalog.<>) 'not_opted_in'"
	" AND i.status OPERATOR(pg_catalog.<>) c.email_status",
	1, {INT8OID}, "id"
};

/* ... and the contact's to a value without one. */
static const DirectoryQuery status_to_value = {
	"UPDATE ONLY @identifier@ i SET status = c.email_status, status_reason ="
	" CASE WHEN c.email_status OPERATOR(pg_catalog.=) 'unsubscribed'"
	" THEN 'own_wish' ELSE 'manual' END"
	" FROM @rows@, ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	" AND i.slug OPERATOR(pg_catalog.=) 'main'"
	" AND i.value OPERATOR(pg_catalog.=) c.email::pg_catalog.text"
	" AND i.status OPERATOR(pg_catalog.=) 'not_opted_in'"
	" AND i.status OPERATOR(pg_catalog.<>) c.email_status",
	1, {INT8OID}, "id"
};

/* A client wrote email_status: its address takes the state (rule C1). */
static const DirectoryQuery written_status = {
	"UPDATE ONLY @identifier@ i SET status = n.status"
	" FROM @rows@, ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND c.email_status OPERATOR(pg_catalog.=) n.status"
	" AND i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	" AND i.slug OPERATOR(pg_catalog.=) 'main'"
	" AND i.value OPERATOR(pg_catalog.=) c.email::pg_catalog.text"
	" AND i.status OPERATOR(pg_catalog.<>) n.status",
	2, {INT8OID, TEXTOID}, "id, status"
};

/* Addresses that keep a state stricter than the one they came with (C3). */
static const DirectoryQuery stricter_states = {
	"SELECT 1 FROM @rows@ JOIN ONLY @identifier@ i"
	" ON i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND i.semantic_type OPERATOR(pg_catalog.=) 'email'"
	" AND i.value OPERATOR(pg_catalog.=) n.value"
	" AND i.status OPERATOR(pg_catalog.<>) n.status"
	" AND i.status OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY['unsubscribed', 'suppressed'])",
	3, {INT8OID, TEXTOID, TEXTOID}, "id, value, status"
};

/* A varlena column as text; the types share its storage. */
static Datum
column_text(const Row *row, int column)
{
	return row->nulls[column] ? (Datum) 0 : row->values[column];
}

/* Add a row to a batch whose later columns may be NULL, given as (Datum) 0. */
static void
add_id_and(Batch *batch, Datum id, Datum second, Datum third)
{
	Datum		values[3];
	bool		nulls[3];

	values[0] = id;
	values[1] = second;
	values[2] = third;
	nulls[0] = false;
	nulls[1] = second == (Datum) 0;
	nulls[2] = third == (Datum) 0;
	batch_add(batch, values, nulls);
}

/*
 * Bring contact.email_status and the state of the main email together, where
 * the address of the contacts is new to them: the value's own state wins, else
 * it takes the contact's (rules C1, C4).
 */
void
settle_email_status(Directory *dir, Datum *contact_ids, int n)
{
	Batch	   *batch = batch_create(&status_to_contact, n);
	int			i;

	for (i = 0; i < n; i++)
		batch_add(batch, &contact_ids[i], NULL);
	batch_run(dir, batch);
	batch->query = &status_to_value;
	batch_run(dir, batch);
}

/* Does a user's own trigger fire when rows of rel are written? */
bool
has_user_triggers(Relation rel)
{
	Oid			contacts = get_namespace_oid("contacts", false);
	int			i;

	for (i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *t = &rel->trigdesc->triggers[i];

		if (!t->tgisinternal && t->tgenabled != TRIGGER_DISABLED &&
			get_func_namespace(t->tgfoid) != contacts)
			return true;
	}
	return false;
}

/*
 * ------------------------------------------------------------------------
 * INSERT of contacts
 * ------------------------------------------------------------------------
 */

/* The claims of a statement, a chunk at a time. */
typedef struct ClaimChunk
{
	Directory  *dir;
	DirectoryInfo *info;
	Row			columns;		/* attribute numbers only */
	SemanticType *types[lengthof(main_columns)];
	Claim	   *claims;
	int			nclaims;
	bool		reread;			/* a user's trigger may have changed rows */
	int			nkept;			/* states kept against what was said (C3) */
	MemoryContext context;		/* reset after each chunk */
} ClaimChunk;

/* The claim's column of contact. */
static const MainColumn *
claim_column(const Claim *claim)
{
	return claim->type->value_type == VALUE_EMAIL ?
		&main_columns[0] : &main_columns[1];
}

/*
 * Drop the claims that the rows, as they are now, no longer make: a user's
 * trigger changed them, and that change has been followed already.
 */
static void
drop_superseded(ClaimChunk *chunk)
{
	Claim	   *kept = palloc(sizeof(Claim) * chunk->nclaims);
	int			nkept = 0;
	int			m;

	for (m = 0; m < lengthof(main_columns); m++)
	{
		Batch	   *batch = batch_create(main_columns[m].current,
										 chunk->nclaims);
		uint64		found;
		uint64		row;
		int			i;

		for (i = 0; i < chunk->nclaims; i++)
		{
			Datum		values[3];

			if (claim_column(&chunk->claims[i]) != &main_columns[m])
				continue;
			values[0] = Int32GetDatum(i);
			values[1] = Int64GetDatum(chunk->claims[i].contact_id);
			values[2] = chunk->claims[i].value;
			batch_add(batch, values, NULL);
		}
		found = batch_run(chunk->dir, batch);
		for (row = 0; row < found; row++)
		{
			bool		isnull;
			Datum		n = SPI_getbinval(SPI_tuptable->vals[row],
										  SPI_tuptable->tupdesc, 1, &isnull);

			kept[nkept++] = chunk->claims[DatumGetInt32(n)];
		}
	}
	chunk->claims = kept;
	chunk->nclaims = nkept;
}

/* Count the claims that stated a consent which their values' states belie. */
static int
count_kept(ClaimChunk *chunk)
{
	Batch	   *batch = batch_create(&stricter_states, chunk->nclaims);
	int			i;

	for (i = 0; i < chunk->nclaims; i++)
	{
		Claim	   *claim = &chunk->claims[i];

		if (claim->inherits && claim->status > STATE_NOT_OPTED_IN)
			add_id_and(batch, Int64GetDatum(claim->contact_id), claim->value,
					   state_text(claim->status));
	}
	return (int) batch_run(chunk->dir, batch);
}

/* The contacts show what triggers of users made of the claimed values. */
static void
adopt_claimed(ClaimChunk *chunk)
{
	int			m;
	int			i;

	for (m = 0; m < lengthof(main_columns); m++)
	{
		Batch	   *batch = batch_create(main_columns[m].adopt,
										 chunk->nclaims);

		for (i = 0; i < chunk->nclaims; i++)
		{
			if (claim_column(&chunk->claims[i]) == &main_columns[m])
				add_id_and(batch, Int64GetDatum(chunk->claims[i].contact_id),
						   chunk->claims[i].value, (Datum) 0);
		}
		batch_run(chunk->dir, batch);
	}
}

/*
 * Claim a chunk, and show the contacts the states that their addresses had.
 * After triggers of users every claim may already be fulfilled: claim_main()
 * leaves such rows alone.
 */
static void
flush_claims(ClaimChunk *chunk)
{
	Claim	   *claims = chunk->claims;
	MemoryContext oldcontext = MemoryContextSwitchTo(chunk->context);
	Datum	   *ids;
	int			nids = 0;
	int			i;

	if (chunk->reread)
		drop_superseded(chunk);
	ids = palloc(sizeof(Datum) * (chunk->nclaims + 1));
	claim_main(chunk->dir, chunk->info, chunk->claims, chunk->nclaims);
	chunk->nkept += count_kept(chunk);
	for (i = 0; i < chunk->nclaims; i++)
	{
		if (chunk->claims[i].inherits)
			ids[nids++] = Int64GetDatum(chunk->claims[i].contact_id);
	}
	settle_email_status(chunk->dir, ids, nids);
	if (has_user_triggers(chunk->dir->identifier))
		adopt_claimed(chunk);
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(chunk->context);
	chunk->claims = claims;
	chunk->nclaims = 0;
}

/* Add the claims of an inserted contact. */
static void
add_claims(ClaimChunk *chunk, TupleTableSlot *slot)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(chunk->context);
	const AttrNumber *attnums = chunk->columns.attnums;
	ConsentState status;
	bool		isnull;
	Datum		id;
	Datum		value;
	int			m;

	value = slot_getattr(slot, attnums[CONTACT_EMAIL_STATUS], &isnull);
	status = parse_state(value, isnull);
	/* stating anything but not_opted_in is a change of consent (C9) */
	if (status > STATE_NOT_OPTED_IN)
		require_consent_privilege(chunk->dir->identifier);
	id = slot_getattr(slot, attnums[CONTACT_ID], &isnull);
	for (m = 0; m < lengthof(main_columns); m++)
	{
		Claim	   *claim = &chunk->claims[chunk->nclaims];

		value = slot_getattr(slot, attnums[main_columns[m].column], &isnull);
		if (isnull)
			continue;
		claim->contact_id = DatumGetInt64(id);
		claim->type = chunk->types[m];
		claim->value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
		claim->status = main_columns[m].column == CONTACT_EMAIL ? status :
			claim->type->is_exclusive ? STATE_NOT_OPTED_IN : STATE_NONE;
		claim->reason = "manual";
		claim->inherits = false;
		chunk->nclaims++;
	}
	MemoryContextSwitchTo(oldcontext);
}

/* Look up the kinds of the main columns; a directory has them. */
static void
find_main_types(DirectoryInfo *info, SemanticType **types)
{
	int			m;

	for (m = 0; m < lengthof(main_columns); m++)
	{
		const char *name = main_columns[m].type;

		types[m] = find_semantic_type(info, name, strlen(name));
		if (types[m] == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("semantic type \"%s\" is missing", name),
					 errhint("Restore the rows of table semantic_type.")));
	}
}

/* Claim the main identifiers of the rows in the transition table. */
static int
claim_inserted(Relation rel, Tuplestorestate *inserted)
{
	Directory	dir;
	ClaimChunk	chunk;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);

	SPI_connect();
	directory_open(&dir, rel);
	memset(&chunk, 0, sizeof(chunk));
	chunk.dir = &dir;
	chunk.info = directory_info(rel);
	chunk.reread = has_user_triggers(rel);
	find_main_types(chunk.info, chunk.types);
	find_columns(rel, contact_columns, CONTACT_NCOLUMNS,
				 chunk.columns.attnums);
	chunk.claims = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(Claim) * CLAIM_CHUNK);
	chunk.context = AllocSetContextCreate(CurrentMemoryContext,
										  "contacts claims",
										  ALLOCSET_DEFAULT_SIZES);

	/* others may have read the transition table before us */
	tuplestore_select_read_pointer(inserted, 0);
	tuplestore_rescan(inserted);
	while (tuplestore_gettupleslot(inserted, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		add_claims(&chunk, slot);
		if (chunk.nclaims + lengthof(main_columns) > CLAIM_CHUNK)
			flush_claims(&chunk);
	}
	flush_claims(&chunk);
	ExecDropSingleTupleTableSlot(slot);
	directory_close(&dir);
	SPI_finish();
	return chunk.nkept;
}

PG_FUNCTION_INFO_V1(contact_claim);

/* AFTER INSERT STATEMENT: claim the main identifiers, set-based. */
Datum
contact_claim(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "contact_claim",
										  CALL_AFTER | CALL_STATEMENT |
										  CALL_INSERT);
	int			nkept;

	if (trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" needs a transition table",
						trigdata->tg_trigger->tgname),
				 errtable(trigdata->tg_relation)));
	if (tuplestore_tuple_count(trigdata->tg_newtable) == 0)
		return PointerGetDatum(NULL);
	nkept = claim_inserted(trigdata->tg_relation, trigdata->tg_newtable);
	if (nkept > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg_plural("%d address keeps a consent state stricter than the one given",
							   "%d addresses keep a consent state stricter than the one given",
							   nkept, nkept),
				 errhint("A new consent needs opt_in(address, evidence).")));
	return PointerGetDatum(NULL);
}

/*
 * ------------------------------------------------------------------------
 * UPDATE of contacts
 * ------------------------------------------------------------------------
 */

/* A contact whose main columns changed. */
typedef struct ContactChange
{
	Row			before;
	Row			after;
	bool		is_explicit;	/* the client stated a state with the email */
	bool		moves_email;
} ContactChange;

/* What is to be done to identifiers; filled from the classification. */
typedef struct MainWork
{
	Directory  *dir;
	DirectoryInfo *info;
	Batch	   *release;
	Batch	   *delete;
	Batch	   *rename;
	Batch	   *unlabel;		/* three steps of an exchange of slugs */
	Batch	   *promote;
	Batch	   *label;
	Batch	   *raise;
	Claim	   *claims;
	int			nclaims;
	Datum	   *unsettled;		/* contacts whose new address had a state */
	int			nunsettled;
} MainWork;

/*
 * Did the client state more than what follows from the change of address?
 * Such a statement is a change of consent (rule C9).
 */
static bool
states_consent(const Row *before, const Row *after)
{
	ConsentState was = parse_state(before->values[CONTACT_EMAIL_STATUS], false);
	ConsentState now = parse_state(after->values[CONTACT_EMAIL_STATUS], false);

	if (!row_text_differs(before, after, CONTACT_EMAIL))
		return was != now;
	return now == STATE_OPTED_IN || now == STATE_SUPPRESSED ||
		(now == STATE_UNSUBSCRIBED && was < STATE_UNSUBSCRIBED);
}

static void
read_contact_change(ContactChange *c, Relation rel, const Change *change)
{
	row_read(&c->before, rel, change->before,
			 contact_columns, CONTACT_NCOLUMNS);
	row_read(&c->after, rel, change->after,
			 contact_columns, CONTACT_NCOLUMNS);
	c->moves_email = row_text_differs(&c->before, &c->after, CONTACT_EMAIL);
	c->is_explicit = states_consent(&c->before, &c->after);
}

static void
begin_work(MainWork *work, Directory *dir, DirectoryInfo *info, int n)
{
	work->dir = dir;
	work->info = info;
	work->release = batch_create(&release_rows, n);
	work->delete = batch_create(&delete_rows, n);
	work->rename = batch_create(&rename_rows, n);
	work->unlabel = batch_create(&set_slugs, n);
	work->promote = batch_create(&set_slugs, n);
	work->label = batch_create(&set_slugs, n);
	work->raise = batch_create(&raise_states, n);
	work->claims = palloc(sizeof(Claim) * n);
	work->nclaims = 0;
	work->unsettled = palloc(sizeof(Datum) * n);
	work->nunsettled = 0;
}

/* Let go of a main identifier: a state that is a wish stays behind (I7). */
static void
add_release(MainWork *work, Datum id, ConsentState status)
{
	batch_add(state_stays_behind(status) ? work->release : work->delete,
			  &id, NULL);
}

/* Why the address bears a state: a client said so, or the person did (C4). */
static const char *
change_reason(const ContactChange *change)
{
	return change->is_explicit ? "manual" : "own_wish";
}

/* Give the main identifier another value, and the state of that one. */
static void
add_rename(MainWork *work, Datum id, Datum value, ConsentState status,
		   const char *reason)
{
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	values[0] = id;
	values[1] = value;
	nulls[2] = status == STATE_NONE;
	values[2] = nulls[2] ? (Datum) 0 : state_text(status);
	nulls[3] = status <= STATE_NOT_OPTED_IN;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(reason);
	batch_add(work->rename, values, nulls);
}

/* The new value is the contact's own: the two exchange slugs (rule I4). */
static void
add_exchange(MainWork *work, Datum main_id, bool has_main, Datum own_id,
			 Datum own_slug)
{
	if (has_main)
		add_id_and(work->unlabel, main_id, (Datum) 0, (Datum) 0);
	add_id_and(work->promote, own_id, CStringGetTextDatum("main"), (Datum) 0);
	if (has_main && own_slug != (Datum) 0)
		add_id_and(work->label, main_id, own_slug, (Datum) 0);
}

/* A row of the classification, taken apart. */
typedef struct Classified
{
	Datum		main_id;
	bool		has_main;
	Datum		main_value;
	ConsentState main_status;
	Datum		target_id;		/* the row of the new value's key */
	bool		has_target;
	Datum		target_slug;
	bool		target_is_own;
} Classified;

static int
read_classified(HeapTuple tuple, TupleDesc desc, Classified *c)
{
	bool		isnull;
	Datum		value;
	int			n = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));

	c->main_id = SPI_getbinval(tuple, desc, 2, &isnull);
	c->has_main = !isnull;
	c->main_value = SPI_getbinval(tuple, desc, 3, &isnull);
	value = SPI_getbinval(tuple, desc, 4, &isnull);
	c->main_status = parse_state(value, isnull);
	c->target_id = SPI_getbinval(tuple, desc, 5, &isnull);
	c->has_target = !isnull;
	value = SPI_getbinval(tuple, desc, 6, &isnull);
	c->target_slug = isnull ? (Datum) 0 : value;
	value = SPI_getbinval(tuple, desc, 7, &isnull);
	c->target_is_own = !isnull && DatumGetBool(value);
	return n;
}

/* Decide what is to be done about one contact and column. */
static void
plan_change(MainWork *work, const ContactChange *change,
			const MainColumn *column, SemanticType *type, const Classified *c)
{
	Datum		now = column_text(&change->after, column->column);
	ConsentState status = column->column == CONTACT_EMAIL ?
		parse_state(change->after.values[CONTACT_EMAIL_STATUS], false) :
		type->is_exclusive ? STATE_NOT_OPTED_IN : STATE_NONE;
	Claim	   *claim;

	if (now == (Datum) 0)
	{
		if (c->has_main)
			add_release(work, c->main_id, c->main_status);
		return;
	}
	if (c->has_main && texts_equal(c->main_value, now))
	{
		/* the identifier moved first; its state is still to be shown */
		if (c->main_status != status && column->column == CONTACT_EMAIL)
			work->unsettled[work->nunsettled++] =
				change->after.values[CONTACT_ID];
		return;
	}
	if (c->target_is_own)
	{
		add_exchange(work, c->main_id, c->has_main, c->target_id,
					 c->target_slug);
		if (column->column == CONTACT_EMAIL)
			work->unsettled[work->nunsettled++] =
				change->after.values[CONTACT_ID];
		if (column->column == CONTACT_EMAIL && change->is_explicit &&
			status >= STATE_UNSUBSCRIBED)
			add_id_and(work->raise, c->target_id, state_text(status),
					   (Datum) 0);
		return;
	}
	if (c->has_main && !c->has_target && !state_stays_behind(c->main_status))
	{
		add_rename(work, c->main_id, now, status, change_reason(change));
		return;
	}
	if (c->has_main)
		add_release(work, c->main_id, c->main_status);
	claim = &work->claims[work->nclaims++];
	claim->contact_id = DatumGetInt64(change->after.values[CONTACT_ID]);
	claim->type = type;
	claim->value = now;
	claim->status = status;
	claim->reason = change_reason(change);
	claim->inherits = false;
}

/* Find out how the identifiers differ from the contacts in one column. */
static void
classify(MainWork *work, ContactChange *changes, int n,
		 const MainColumn *column, SemanticType *type)
{
	Batch	   *batch = batch_create(column->classify, n);
	Claim	   *wanted = palloc0(sizeof(Claim) * n);
	int		   *index = palloc(sizeof(int) * n);
	SPITupleTable *table;
	uint64		found;
	uint64		row;
	int			nwanted = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		Row		   *after = &changes[i].after;

		if (!row_text_differs(&changes[i].before, after, column->column))
			continue;
		wanted[nwanted].type = type;
		wanted[nwanted].contact_id = DatumGetInt64(after->values[CONTACT_ID]);
		wanted[nwanted].value = after->nulls[column->column] ?
			CStringGetTextDatum("") : after->values[column->column];
		index[nwanted++] = i;
	}
	if (nwanted == 0)
		return;
	claim_keys(work->info, wanted, nwanted);
	for (i = 0; i < nwanted; i++)
	{
		Row		   *after = &changes[index[i]].after;
		Datum		values[5];
		bool		nulls[5] = {false, false, false, false, false};

		values[0] = Int32GetDatum(index[i]);
		values[1] = after->values[CONTACT_ID];
		nulls[2] = after->nulls[column->column];
		values[2] = after->values[column->column];
		nulls[3] = nulls[2];
		values[3] = UUIDPGetDatum(&wanted[i].key);
		values[4] = Int64GetDatum(type->is_exclusive ? 0 :
								  wanted[i].contact_id);
		batch_add(batch, values, nulls);
	}
	found = batch_run(work->dir, batch);
	table = SPI_tuptable;
	for (row = 0; row < found; row++)
	{
		Classified	c;

		i = read_classified(table->vals[row], table->tupdesc, &c);
		plan_change(work, &changes[i], column, type, &c);
	}
}

/* Carry the work out: let go first, then take. */
static void
do_work(MainWork *work)
{
	int			i;

	batch_run(work->dir, work->unlabel);
	batch_run(work->dir, work->promote);
	batch_run(work->dir, work->label);
	batch_run(work->dir, work->raise);
	batch_run(work->dir, work->release);
	batch_run(work->dir, work->delete);
	batch_run(work->dir, work->rename);
	claim_main(work->dir, work->info, work->claims, work->nclaims);
	for (i = 0; i < work->nclaims; i++)
	{
		if (work->claims[i].inherits)
			work->unsettled[work->nunsettled++] =
				Int64GetDatum(work->claims[i].contact_id);
	}
	/* the address decides what the contact shows */
	settle_email_status(work->dir, work->unsettled, work->nunsettled);
}

/* A client wrote email_status alone: the address takes the state (C1). */
static void
write_states(Directory *dir, ContactChange *changes, int n)
{
	Batch	   *written = batch_create(&written_status, n);
	int			i;

	for (i = 0; i < n; i++)
	{
		Row		   *after = &changes[i].after;

		if (changes[i].is_explicit && !changes[i].moves_email)
			add_id_and(written, after->values[CONTACT_ID],
					   after->values[CONTACT_EMAIL_STATUS], (Datum) 0);
	}
	batch_run(dir, written);
}

/* The contacts show what triggers of users made of the changed values. */
static void
adopt_changed(Directory *dir, ContactChange *changes, int n)
{
	int			m;
	int			i;

	for (m = 0; m < lengthof(main_columns); m++)
	{
		Batch	   *batch = batch_create(main_columns[m].adopt, n);
		int			column = main_columns[m].column;

		for (i = 0; i < n; i++)
		{
			Row		   *after = &changes[i].after;

			if (!after->nulls[column] &&
				row_text_differs(&changes[i].before, after, column))
				add_id_and(batch, after->values[CONTACT_ID],
						   after->values[column], (Datum) 0);
		}
		batch_run(dir, batch);
	}
}

/*
 * Have the identifiers follow the contacts that changed.  Row triggers of the
 * contacts' own statement come here with what they collected; what they say is
 * compared with the rows as they are now.
 */
static void
settle_contacts(Relation rel)
{
	Change	   *collected;
	ContactChange *changes;
	Directory	dir;
	DirectoryInfo *info;
	SemanticType *types[lengthof(main_columns)];
	MainWork	work;
	int			n;
	int			i;
	int			m;

	SPI_connect();
	n = pending_take(rel, &collected);
	if (n > 0)
	{
		directory_open(&dir, rel);
		info = directory_info(rel);
		find_main_types(info, types);
		changes = MemoryContextAllocHuge(CurrentMemoryContext,
										 sizeof(ContactChange) * n);
		for (i = 0; i < n; i++)
		{
			read_contact_change(&changes[i], rel, &collected[i]);
			if (changes[i].is_explicit)
				require_consent_privilege(dir.identifier);
		}
		begin_work(&work, &dir, info, n * lengthof(main_columns));
		for (m = 0; m < lengthof(main_columns); m++)
			classify(&work, changes, n, &main_columns[m], types[m]);
		do_work(&work);
		write_states(&dir, changes, n);
		if (has_user_triggers(dir.identifier))
			adopt_changed(&dir, changes, n);
		directory_close(&dir);
	}
	SPI_finish();
}

PG_FUNCTION_INFO_V1(contact_change);

/* AFTER UPDATE ROW collects, AFTER UPDATE STATEMENT settles. */
Datum
contact_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "contact_change",
										  CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_UPDATE);

	if (TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) ||
		!pending_collect(fcinfo))
		settle_contacts(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
