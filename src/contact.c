/*-------------------------------------------------------------------------
 *
 * contact.c
 *	  the BEFORE trigger of contact: checks and derived columns of one row
 *
 * Whatever a client writes into a derived column is replaced, never refused:
 * ORMs save whole rows.  In the common case no query is run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "columns.h"
#include "consent.h"
#include "contact_type.h"
#include "directory.h"
#include "plan_cache.h"

/* The lock makes a rename wait for this row, or this row for the rename (I9). */
static const DirectoryQuery organization_name_locked = {
	"SELECT o.name::pg_catalog.text FROM ONLY @organization@ o"
	" WHERE o.id OPERATOR(pg_catalog.=) $1 FOR SHARE",
	1, {INT8OID}, NULL
};

static const DirectoryQuery organization_name = {
	"SELECT o.name::pg_catalog.text FROM ONLY @organization@ o"
	" WHERE o.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

static const DirectoryQuery email_is_taken = {
	"SELECT c.id FROM ONLY @contact@ c"
	" WHERE c.email OPERATOR(pg_catalog.=) $1::contacts.email"
	" AND c.id OPERATOR(pg_catalog.<>) $2",
	2, {TEXTOID, INT8OID}, NULL
};

/* By value: the identifier may have lost its slug or its contact already. */
static const DirectoryQuery email_reason = {
	"SELECT i.status_reason::pg_catalog.text FROM ONLY @identifier@ i"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) 'email'"
	" AND i.value OPERATOR(pg_catalog.=) $1",
	1, {TEXTOID}, NULL
};

/*
 * Does the contact hold, besides the main identifiers that $2 and $3 replace,
 * one of a contactable kind (not NULL), and is one of those validated (true)?
 * A main identifier stays where the new value is the contact's own already:
 * then the two exchange their slugs.
 */
static const DirectoryQuery other_identifiers = {
	"SELECT pg_catalog.bool_or(i.is_validated) FROM ONLY @identifier@ i"
	" JOIN ONLY @semantic_type@ s"
	"  ON s.name OPERATOR(pg_catalog.=) " KIND_OF("i")
	" WHERE i.contact_id OPERATOR(pg_catalog.=) $1 AND s.is_contactable"
	" AND NOT ((i.slug OPERATOR(pg_catalog.=) 'main') IS TRUE"
	"  AND (i.semantic_type OPERATOR(pg_catalog.=) 'email' AND $2"
	"   OR i.semantic_type OPERATOR(pg_catalog.=) 'phone' AND $3)"
	"  AND NOT EXISTS (SELECT FROM ONLY @identifier@ o"
	"   WHERE o.contact_id OPERATOR(pg_catalog.=) $1"
	"   AND " KIND_OF("o") " OPERATOR(pg_catalog.=) i.semantic_type"
	"   AND o.value OPERATOR(pg_catalog.=)"
	"    CASE WHEN i.semantic_type OPERATOR(pg_catalog.=) 'email'"
	"     THEN $4 ELSE $5 END))",
	5, {INT8OID, BOOLOID, BOOLOID, TEXTOID, TEXTOID}, NULL
};

/* Blank names count as missing (rule I3). */
static void
derive_names(Row *new)
{
	static const int names[] = {CONTACT_FIRST_NAME, CONTACT_LAST_NAME};
	int			i;

	for (i = 0; i < lengthof(names); i++)
	{
		if (!new->nulls[names[i]] && is_blank(new->values[names[i]]))
			row_set_null(new, names[i]);
	}
}

/* Run a query on the directory of rel for a single value. */
static Datum
look_up(Relation rel, const DirectoryQuery *query, Datum *values, bool *isnull)
{
	Directory	dir;
	Datum		result;

	directory_open(&dir, rel);
	result = query_value(&dir, query, values, isnull);
	directory_close(&dir);
	return result;
}

/*
 * Two contacts that take each other's email at once would each wait in the
 * unique index for the other to give it up.  So who gives an address up does
 * not wait for another, not even for one that is being given up: it is taken.
 * Of several, the last one to look sees that.  Further rows of a statement are
 * not looked after: fn_extra tells, which lives as long as the statement.
 */
static void
check_exchange(const Row *new, const Row *old, FmgrInfo *flinfo)
{
	Datum		args[2];
	bool		isnull;

	if (old == NULL || flinfo->fn_extra != NULL ||
		old->nulls[CONTACT_EMAIL] || new->nulls[CONTACT_EMAIL] ||
		!row_text_differs(old, new, CONTACT_EMAIL))
		return;
	flinfo->fn_extra = flinfo;
	args[0] = new->values[CONTACT_EMAIL];
	args[1] = old->values[CONTACT_ID];
	look_up(new->rel, &email_is_taken, args, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("duplicate key value violates unique constraint \"contact_email_key\""),
				 errdetail("Key (email)=(%s) already exists.",
						   TextDatumGetCString(args[0])),
				 errtableconstraint(new->rel, "contact_email_key")));
}

/* Was the state of the old main email the person's own wish (rule C4)? */
static bool
old_wish(const Row *old, ConsentState old_state)
{
	Datum		email = old->values[CONTACT_EMAIL];
	Datum		reason = (Datum) 0;
	bool		isnull = true;

	if (old_state == STATE_SUPPRESSED && !old->nulls[CONTACT_EMAIL])
		reason = look_up(old->rel, &email_reason, &email, &isnull);
	return is_own_wish(old_state, reason, isnull);
}

/* Without an address only a wish is remembered, for the next one (C4). */
static ConsentState
state_without_email(ConsentState state)
{
	return state >= STATE_UNSUBSCRIBED ? STATE_UNSUBSCRIBED :
		STATE_NOT_OPTED_IN;
}

/* email_status of a row that is updated (rules C1, C3, C4). */
static ConsentState
updated_status(const Row *new, const Row *old, ConsentState asked)
{
	ConsentState old_state = row_state(old, CONTACT_EMAIL_STATUS);
	ConsentState state;

	if (asked == STATE_NONE)
		asked = old_state;
	if (!row_text_differs(old, new, CONTACT_EMAIL))
	{
		if (!new->nulls[CONTACT_EMAIL])
			return asked;		/* the identifier follows, or refuses */
		asked = state_without_email(asked);
		if (asked < old_state)
			report_unsubscribe(new->rel);
		return asked;
	}
	state = state_after_email_change(old_state, old_wish(old, old_state));
	if (asked != old_state)		/* one statement changes both */
		state = stricter_state(state, asked);
	return new->nulls[CONTACT_EMAIL] ? state_without_email(state) : state;
}

static void
derive_email_status(Row *new, const Row *old)
{
	ConsentState asked = row_state(new, CONTACT_EMAIL_STATUS);
	ConsentState state = asked;

	if (old != NULL)
		state = updated_status(new, old, asked);
	else if (asked == STATE_NONE)
		state = STATE_NOT_OPTED_IN;
	else if (new->nulls[CONTACT_EMAIL])
		state = state_without_email(asked);
	if (state != asked)
		row_set(new, CONTACT_EMAIL_STATUS, state_text(state));
}

/* organization_name is a copy (rule I9). */
static void
derive_organization(Row *new, const Row *old)
{
	Datum		id = new->values[CONTACT_ORGANIZATION_ID];
	bool		moves = old == NULL ||
	row_bytes_differ(old, new, CONTACT_ORGANIZATION_ID);
	Datum		name;
	bool		isnull;

	if (new->nulls[CONTACT_ORGANIZATION_ID])
	{
		row_set_null(new, CONTACT_ORGANIZATION_NAME);
		return;
	}
	if (!moves && !row_text_differs(old, new, CONTACT_ORGANIZATION_NAME))
		return;
	/* no lock on an organization whose rename may be waiting for this row */
	name = look_up(new->rel,
				   moves ? &organization_name_locked : &organization_name,
				   &id, &isnull);
	if (isnull)
		row_set_null(new, CONTACT_ORGANIZATION_NAME);
	else
		row_set(new, CONTACT_ORGANIZATION_NAME, name);
}

/* A text column as an argument; no address is the empty text. */
static Datum
text_or_empty(const Row *row, int column)
{
	return row->nulls[column] ? CStringGetTextDatum("") : row->values[column];
}

/*
 * is_reachable and is_validated of a row whose email, mobile phone or
 * themselves were written.  The identifiers that follow in the AFTER trigger
 * are known from the row itself: they are reachable and not validated.
 */
static void
derive_facts_by_query(Row *new, const Row *old)
{
	Datum		args[5];
	Datum		is_validated;
	bool		isnull;

	args[0] = old->values[CONTACT_ID];
	args[1] = BoolGetDatum(row_text_differs(old, new, CONTACT_EMAIL));
	args[2] = BoolGetDatum(row_text_differs(old, new, CONTACT_MOBILE_PHONE));
	args[3] = text_or_empty(new, CONTACT_EMAIL);
	args[4] = text_or_empty(new, CONTACT_MOBILE_PHONE);
	is_validated = look_up(new->rel, &other_identifiers, args, &isnull);
	row_set_bool(new, CONTACT_IS_REACHABLE,
				 !isnull || !new->nulls[CONTACT_EMAIL] ||
				 !new->nulls[CONTACT_MOBILE_PHONE]);
	row_set_bool(new, CONTACT_IS_VALIDATED,
				 !isnull && DatumGetBool(is_validated));
}

/* is_reachable and is_validated, by query only where it can matter (I6). */
static void
derive_facts(Row *new, const Row *old)
{
	bool		has_main = !new->nulls[CONTACT_EMAIL] ||
	!new->nulls[CONTACT_MOBILE_PHONE];
	bool		main_differs;
	bool		facts_differ;

	if (old == NULL)
	{
		row_set_bool(new, CONTACT_IS_REACHABLE, has_main);
		row_set_bool(new, CONTACT_IS_VALIDATED, false);
		return;
	}
	main_differs = row_text_differs(old, new, CONTACT_EMAIL) ||
		row_text_differs(old, new, CONTACT_MOBILE_PHONE);
	facts_differ = row_bytes_differ(old, new, CONTACT_IS_REACHABLE) ||
		row_bytes_differ(old, new, CONTACT_IS_VALIDATED);
	if (!main_differs && !facts_differ)
		return;
	/* nothing was validated, a changed value is not: nothing to ask for */
	if (has_main && !facts_differ && !row_bool(old, CONTACT_IS_VALIDATED))
	{
		row_set_bool(new, CONTACT_IS_REACHABLE, true);
		return;
	}
	derive_facts_by_query(new, old);
}

/* contact_type is computed, whatever was written (rule I6). */
static void
derive_type(Row *new)
{
	DirectoryInfo *info = directory_info(new->rel);
	const char *type;

	type = contact_type_of(!new->nulls[CONTACT_FIRST_NAME],
						   !new->nulls[CONTACT_LAST_NAME],
						   row_bool(new, CONTACT_MONONYM),
						   row_bool(new, CONTACT_IS_VENDOR),
						   row_bool(new, CONTACT_IS_REACHABLE),
						   row_bool(new, CONTACT_IS_VALIDATED),
						   strcmp(info->name_rule, "any") == 0);
	if (!row_text_is(new, CONTACT_CONTACT_TYPE, type))
		row_set(new, CONTACT_CONTACT_TYPE, CStringGetTextDatum(type));
}

/* Columns that no client must supply, even one that writes NULLs. */
static void
derive_defaults(Row *new, const Row *old)
{
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());

	if (new->nulls[CONTACT_MONONYM])
		row_set_bool(new, CONTACT_MONONYM, false);
	if (new->nulls[CONTACT_IS_VENDOR])
		row_set_bool(new, CONTACT_IS_VENDOR, false);
	if (new->nulls[CONTACT_CREATED_AT])
		row_set(new, CONTACT_CREATED_AT,
				old == NULL ? now : old->values[CONTACT_CREATED_AT]);
	if (old != NULL || new->nulls[CONTACT_UPDATED_AT])
		row_set(new, CONTACT_UPDATED_AT, now);
}

PG_FUNCTION_INFO_V1(contact_derive);

Datum
contact_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "contact_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Row			old_row;
	Row			new;
	Row		   *old = NULL;

	row_read(&new, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 contact_columns, CONTACT_NCOLUMNS);
	if (is_update)
	{
		old = &old_row;
		row_read(old, trigdata->tg_relation, trigdata->tg_trigtuple,
				 contact_columns, CONTACT_NCOLUMNS);
	}
	check_exchange(&new, old, fcinfo->flinfo);
	derive_names(&new);
	row_check_time_zone(&new, old, CONTACT_TIME_ZONE);
	derive_email_status(&new, old);
	derive_organization(&new, old);
	derive_facts(&new, old);
	derive_type(&new);
	derive_defaults(&new, old);
	return PointerGetDatum(row_tuple(&new));
}
