/*-------------------------------------------------------------------------
 *
 * contact_change.c
 *	  the main identifiers follow contacts that change (rules I4, C1, C4)
 *
 * A new address is claimed, or the contact's own and then exchanges its slug,
 * or takes the place of the old one in its row; the old one is released where
 * its state must stay behind.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "claim.h"
#include "consent.h"
#include "directory.h"
#include "main_identifier.h"
#include "pending.h"

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
	ConsentState was = row_state(before, CONTACT_EMAIL_STATUS);
	ConsentState now = row_state(after, CONTACT_EMAIL_STATUS);

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
	Datum		now = row_value_or_null(&change->after, column->column);
	ConsentState status = column->column == CONTACT_EMAIL ?
	row_state(&change->after, CONTACT_EMAIL_STATUS) :
	type->is_exclusive ? STATE_NOT_OPTED_IN : STATE_NONE;
	Claim	   *claim;

	/* its identifier is being inserted */
	if (column->column == CONTACT_EMAIL &&
		pending_is_ahead(work->dir->identifier,
						 DatumGetInt64(change->after.values[CONTACT_ID])))
		return;
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
	claim->is_unlabelled = false;
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

	for (m = 0; m < MAIN_NCOLUMNS; m++)
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
	SemanticType *types[MAIN_NCOLUMNS];
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
		begin_work(&work, &dir, info, n * MAIN_NCOLUMNS);
		for (m = 0; m < MAIN_NCOLUMNS; m++)
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
