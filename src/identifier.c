/*-------------------------------------------------------------------------
 *
 * identifier.c
 *	  the BEFORE trigger of identifier: one row, made canonical
 *
 * Normalises the value, computes key and holder (rule I10), gives the default
 * slug (I5), keeps validation and state consistent, and lets a value that was
 * left behind be claimed by a plain INSERT (I7).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "consent.h"
#include "email_parse.h"
#include "identifier_key.h"
#include "pending.h"
#include "phone_parse.h"
#include "plan_cache.h"

/* Lock order: the contact, then its identifiers. */
static const DirectoryQuery lock_contact = {
	"SELECT c.email IS NULL FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
	1, {INT8OID}, NULL
};

/* Of no use if somebody holds the address; the INSERT will meet that row. */
static const DirectoryQuery set_email_ahead = {
	"UPDATE ONLY @contact@ c SET email = $2::contacts.email"
	" WHERE c.id OPERATOR(pg_catalog.=) $1"
	" AND NOT EXISTS (SELECT FROM ONLY @identifier@ i"
	"  WHERE i.key OPERATOR(pg_catalog.=) $3"
	"  AND i.holder OPERATOR(pg_catalog.=) 0 AND i.contact_id IS NOT NULL)",
	3, {INT8OID, TEXTOID, UUIDOID}, NULL
};

static const DirectoryQuery main_is_taken = {
	"SELECT 1 FROM ONLY @identifier@ i"
	" WHERE i.contact_id OPERATOR(pg_catalog.=) $1"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) $2"
	" AND i.slug OPERATOR(pg_catalog.=) 'main'",
	2, {INT8OID, TEXTOID}, NULL
};

static const DirectoryQuery find_unheld = {
	"SELECT i.id, i.status::pg_catalog.text,"
	" i.status_reason::pg_catalog.text, i.status_changed_at"
	" FROM ONLY @identifier@ i"
	" WHERE i.key OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.=) 0 AND i.contact_id IS NULL"
	" FOR UPDATE",
	1, {UUIDOID}, NULL
};

static const DirectoryQuery set_aside = {
	"UPDATE ONLY @identifier@ i SET holder = OPERATOR(pg_catalog.-) i.id"
	" WHERE i.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

/*
 * The kind of the row, NULL if it names none.  An unknown one is refused as the
 * foreign key would do it: that looks after the statement, which may have made
 * the kind, when this row can no longer be made canonical.
 */
static SemanticType *
row_type(DirectoryInfo *info, const Row *row)
{
	SemanticType *type;

	if (row->nulls[IDENTIFIER_SEMANTIC_TYPE])
		return NULL;
	type = named_semantic_type(info, row->values[IDENTIFIER_SEMANTIC_TYPE]);
	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("insert or update on table \"%s\" violates foreign key constraint \"identifier_semantic_type_fkey\"",
						RelationGetRelationName(row->rel)),
				 errdetail("Key (semantic_type)=(%s) is not present in table \"semantic_type\".",
						   TextDatumGetCString(row->values[IDENTIFIER_SEMANTIC_TYPE])),
				 errtableconstraint(row->rel,
									"identifier_semantic_type_fkey")));
	return type;
}

/* Does the client write another key? */
static bool
key_differs(const Row *new, const Row *old)
{
	return new->nulls[IDENTIFIER_KEY] ||
		memcmp(DatumGetPointer(new->values[IDENTIFIER_KEY]),
			   DatumGetPointer(old->values[IDENTIFIER_KEY]), UUID_LEN) != 0;
}

/*
 * Value and key.  A row without a value keeps the key it came with (C6).  Who
 * writes another key gets the right one: so a wrong one is put right.
 */
static void
derive_key(Row *new, const Row *old, DirectoryInfo *info,
		   const SemanticType *type)
{
	bool		is_same = old != NULL &&
	!row_text_differs(old, new, IDENTIFIER_VALUE) &&
	!row_text_differs(old, new, IDENTIFIER_SEMANTIC_TYPE);
	Datum		canonical;

	if (new->nulls[IDENTIFIER_VALUE] || (is_same && !key_differs(new, old)))
	{
		if (old != NULL)
			row_copy(new, old, IDENTIFIER_KEY);
		return;
	}
	if (!canonical_value(type, new->values[IDENTIFIER_VALUE], &canonical))
		report_malformed(new->rel, type, new->values[IDENTIFIER_VALUE]);
	if (!is_same)
		row_set(new, IDENTIFIER_VALUE, canonical);
	row_set(new, IDENTIFIER_KEY, identifier_value_key(info, type, canonical));
}

/* holder: 0 for exclusive kinds and the state of a shared value (I10). */
static void
derive_holder(Row *new, const Row *old, const SemanticType *type)
{
	int64		holder = 0;

	if (old != NULL && DatumGetInt64(new->values[IDENTIFIER_HOLDER]) < 0 &&
		pending_is_aside(new->rel, DatumGetInt64(new->values[IDENTIFIER_ID])))
		return;
	if (!type->is_exclusive && !new->nulls[IDENTIFIER_CONTACT_ID])
		holder = DatumGetInt64(new->values[IDENTIFIER_CONTACT_ID]);
	else if (!type->is_exclusive && old != NULL &&
			 !old->nulls[IDENTIFIER_CONTACT_ID])
		holder = DatumGetInt64(old->values[IDENTIFIER_HOLDER]); /* released */
	row_set(new, IDENTIFIER_HOLDER, Int64GetDatum(holder));
}

/* Validation belongs to a value in someone's hands; the columns agree. */
static void
derive_validation(Row *new, const Row *old)
{
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	bool		was_validated = old != NULL &&
	row_bool(old, IDENTIFIER_IS_VALIDATED);
	bool		is_validated;

	if (old != NULL &&
		(row_text_differs(old, new, IDENTIFIER_VALUE) ||
		 row_text_differs(old, new, IDENTIFIER_SEMANTIC_TYPE) ||
		 old->nulls[IDENTIFIER_CONTACT_ID] != new->nulls[IDENTIFIER_CONTACT_ID]))
		is_validated = false;
	else if (old != NULL && row_bytes_differ(old, new, IDENTIFIER_VALIDATED_AT))
		is_validated = !new->nulls[IDENTIFIER_VALIDATED_AT];
	else if (old != NULL)
		is_validated = row_bool(new, IDENTIFIER_IS_VALIDATED);
	else
		is_validated = !new->nulls[IDENTIFIER_CONTACT_ID] &&
			(row_bool(new, IDENTIFIER_IS_VALIDATED) ||
			 !new->nulls[IDENTIFIER_VALIDATED_AT]);

	row_set_bool(new, IDENTIFIER_IS_VALIDATED, is_validated);
	if (!is_validated)
	{
		row_set_null(new, IDENTIFIER_VALIDATED_AT);
		row_set_null(new, IDENTIFIER_VALIDATION_METHOD);
		return;
	}
	if (new->nulls[IDENTIFIER_VALIDATED_AT])
		row_set(new, IDENTIFIER_VALIDATED_AT, now);
	if (new->nulls[IDENTIFIER_VALIDATION_METHOD] && !was_validated)
		row_set(new, IDENTIFIER_VALIDATION_METHOD,
				CStringGetTextDatum("manual"));
}

/*
 * Reason and time go with the state; a suppression keeps its first ones.  An
 * UPDATE gives a reason if it changes it, or, where the new reason may be the
 * old one, status_changed_at.
 */
static void
derive_state_columns(Row *new, const Row *old, ConsentState was,
					 ConsentState now)
{
	if (was == STATE_SUPPRESSED && now == STATE_SUPPRESSED)
	{
		row_copy(new, old, IDENTIFIER_STATUS_REASON);
		row_copy(new, old, IDENTIFIER_STATUS_CHANGED_AT);
		return;
	}
	if (was == now)
		return;
	if (now <= STATE_NOT_OPTED_IN)
		row_set_null(new, IDENTIFIER_STATUS_REASON);
	else if (new->nulls[IDENTIFIER_STATUS_REASON] ||
			 (old != NULL &&
			  !row_text_differs(old, new, IDENTIFIER_STATUS_REASON) &&
			  !row_bytes_differ(old, new, IDENTIFIER_STATUS_CHANGED_AT)))
		row_set(new, IDENTIFIER_STATUS_REASON, CStringGetTextDatum("manual"));
	if (now > STATE_NOT_OPTED_IN &&
		(old != NULL || new->nulls[IDENTIFIER_STATUS_CHANGED_AT]))
		row_set(new, IDENTIFIER_STATUS_CHANGED_AT,
				TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

/*
 * The state belongs to the value (C1): a new value starts without the old
 * one's.  Rows of those who hold a shared value have none (I10).
 */
static void
derive_state(Row *new, const Row *old)
{
	bool		is_shared = DatumGetInt64(new->values[IDENTIFIER_HOLDER]) > 0;
	ConsentState was = STATE_NOT_OPTED_IN;
	ConsentState now = row_state(new, IDENTIFIER_STATUS);

	if (old != NULL)
		was = row_state(old, IDENTIFIER_STATUS);
	if (is_shared)
	{
		if (now == STATE_NOT_OPTED_IN)
			row_set_null(new, IDENTIFIER_STATUS);
		return;
	}
	if (now == STATE_NONE)
		now = STATE_NOT_OPTED_IN;
	if (old != NULL && now == was && was == STATE_OPTED_IN &&
		!old->nulls[IDENTIFIER_VALUE] && !new->nulls[IDENTIFIER_VALUE] &&
		row_text_differs(old, new, IDENTIFIER_VALUE))
		now = STATE_NOT_OPTED_IN;
	if (now != was || new->nulls[IDENTIFIER_STATUS])
		row_set(new, IDENTIFIER_STATUS, state_text(now));
	derive_state_columns(new, old, was, now);
}

/* The default slug is main where free, else none (rule I5). */
static void
derive_slug(Row *new, Directory *dir)
{
	Datum		args[2];
	bool		isnull;

	if (!new->nulls[IDENTIFIER_SLUG])
		return;
	args[0] = new->values[IDENTIFIER_CONTACT_ID];
	args[1] = new->values[IDENTIFIER_SEMANTIC_TYPE];
	query_value(dir, &main_is_taken, args, &isnull);
	if (isnull)
		row_set(new, IDENTIFIER_SLUG, CStringGetTextDatum("main"));
}

/*
 * A value that nobody holds is claimed by a plain INSERT, too: its row is put
 * aside and the new one inherits its state.  Whether the new row really comes
 * is known only after the statement: identifier_change.c removes the old row
 * then, or puts it back.
 */
static void
inherit_unheld(Row *new, Directory *dir)
{
	Datum		key = new->values[IDENTIFIER_KEY];
	ConsentState now = row_state(new, IDENTIFIER_STATUS);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi;
	HeapTuple	tuple;
	TupleDesc	desc;
	Datum		id;
	Datum		value;
	ConsentState known;
	bool		isnull;

	SPI_connect();
	if (query_run(dir, &find_unheld, &key, NULL) == 0)
	{
		SPI_finish();
		return;
	}
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	id = SPI_getbinval(tuple, desc, 1, &isnull);
	pending_set_aside(dir->identifier, DatumGetInt64(id));
	query_run(dir, &set_aside, &id, NULL);

	spi = MemoryContextSwitchTo(caller);
	value = SPI_getbinval(tuple, desc, 2, &isnull);
	known = parse_state(value, isnull);
	if (known >= now)
	{
		row_set(new, IDENTIFIER_STATUS, state_text(known));
		value = SPI_getbinval(tuple, desc, 3, &isnull);
		if (isnull)
			row_set_null(new, IDENTIFIER_STATUS_REASON);
		else
			row_set(new, IDENTIFIER_STATUS_REASON,
					PointerGetDatum(PG_DETOAST_DATUM_COPY(value)));
		value = SPI_getbinval(tuple, desc, 4, &isnull);
		if (isnull)
			row_set_null(new, IDENTIFIER_STATUS_CHANGED_AT);
		else
			row_set(new, IDENTIFIER_STATUS_CHANGED_AT, value);
	}
	MemoryContextSwitchTo(spi);
	SPI_finish();
}

/* Nobody holds the row: it can only say what must not be forgotten (I7). */
static void
check_unheld(const Row *new, const SemanticType *type)
{
	ConsentState state = row_state(new, IDENTIFIER_STATUS);

	if (state_stays_behind(state) ||
		(!type->is_exclusive && state != STATE_NONE))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("an identifier without a contact must be unsubscribed or suppressed"),
			 errdetail("Other states do not outlive the contact that holds the value."),
			 errtableconstraint(new->rel, "identifier_is_held")));
}

/*
 * A main email goes to its contact first.  All who write the address meet on
 * contact.email and then on identifier; the other way round, an INSERT here
 * and one of a contact would wait for each other.  identifier_change.c takes
 * the email back if the new row does not come after all.
 */
static void
send_email_ahead(Row *new, Directory *dir)
{
	Datum		args[3];

	if (!row_text_is(new, IDENTIFIER_SEMANTIC_TYPE, "email") ||
		!row_text_is(new, IDENTIFIER_SLUG, "main"))
		return;
	args[0] = new->values[IDENTIFIER_CONTACT_ID];
	args[1] = new->values[IDENTIFIER_VALUE];
	args[2] = new->values[IDENTIFIER_KEY];
	pending_set_ahead(dir->identifier, DatumGetInt64(args[0]));
	SPI_connect();
	query_run(dir, &set_email_ahead, args, NULL);
	SPI_finish();
}

/* Work of an INSERT that needs the tables: locks, default slug, heritage. */
static void
derive_inserted(Row *new, const SemanticType *type)
{
	Directory	dir;
	bool		has_no_email;
	bool		isnull;

	/* stating anything but not_opted_in is a change of consent (C9) */
	if (row_state(new, IDENTIFIER_STATUS) > STATE_NOT_OPTED_IN)
		require_consent_privilege(new->rel);
	if (new->nulls[IDENTIFIER_CONTACT_ID])
	{
		check_unheld(new, type);
		row_set_null(new, IDENTIFIER_SLUG);
		return;
	}
	directory_open(&dir, new->rel);
	has_no_email = DatumGetBool(query_value(&dir, &lock_contact,
											&new->values[IDENTIFIER_CONTACT_ID],
											&isnull));
	derive_slug(new, &dir);
	if (!isnull && has_no_email)
		send_email_ahead(new, &dir);
	if (type->is_exclusive)
		inherit_unheld(new, &dir);
	directory_close(&dir);
}

/* Work of an UPDATE that moves the row to another contact, or to none. */
static void
derive_moved(Row *new, const Row *old)
{
	Directory	dir;

	if (!row_bytes_differ(old, new, IDENTIFIER_CONTACT_ID))
		return;
	if (new->nulls[IDENTIFIER_CONTACT_ID])
	{
		row_set_null(new, IDENTIFIER_SLUG);
		return;
	}
	directory_open(&dir, new->rel);
	derive_slug(new, &dir);
	directory_close(&dir);
}

/* What a client that writes NULLs means by them. */
static void
derive_defaults(Row *new)
{
	if (new->nulls[IDENTIFIER_HOLDER])
		row_set(new, IDENTIFIER_HOLDER, Int64GetDatum(0));
	if (new->nulls[IDENTIFIER_IS_OUTREACH])
		row_set_bool(new, IDENTIFIER_IS_OUTREACH, true);
	if (new->nulls[IDENTIFIER_CREATED_AT])
		row_set(new, IDENTIFIER_CREATED_AT,
				TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

PG_FUNCTION_INFO_V1(identifier_derive);

Datum
identifier_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "identifier_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	DirectoryInfo *info = directory_info(trigdata->tg_relation);
	SemanticType *type;
	Row			old_row;
	Row			new;
	Row		   *old = NULL;

	row_read(&new, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 identifier_columns, IDENTIFIER_NCOLUMNS);
	if (is_update)
	{
		old = &old_row;
		row_read(old, trigdata->tg_relation, trigdata->tg_trigtuple,
				 identifier_columns, IDENTIFIER_NCOLUMNS);
	}
	type = row_type(info, &new);
	if (type == NULL)
		return PointerGetDatum(row_tuple(&new));
	derive_defaults(&new);
	derive_key(&new, old, info, type);
	derive_holder(&new, old, type);
	derive_validation(&new, old);
	derive_state(&new, old);
	if (is_update)
		derive_moved(&new, old);
	else
		derive_inserted(&new, type);
	return PointerGetDatum(row_tuple(&new));
}
