/*-------------------------------------------------------------------------
 *
 * credential.c
 *	  password verifiers: what is none is refused, and repeated nowhere
 *
 * A verifier is what a password is checked against and cannot be got back
 * from: SCRAM-SHA-256 as the server stores it, bcrypt, or argon2 as a PHC
 * string.  Anything else may be a clear password.  A CHECK would print the row
 * that fails it; so a trigger looks, and what it raises bears neither value nor
 * context (COPY's is the line it reads) and keeps the statement out of the log.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "credential.h"

#define LETTERS_AND_DIGITS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define DIGITS "0123456789"
#define BASE64 LETTERS_AND_DIGITS "+/"
#define BCRYPT64 LETTERS_AND_DIGITS "./"

static const char *const credential_columns[] = {
	"contact_id", "verifier", "created_at", "updated_at"
};
enum
{
	CREDENTIAL_CONTACT_ID, CREDENTIAL_VERIFIER, CREDENTIAL_CREATED_AT,
	CREDENTIAL_UPDATED_AT, CREDENTIAL_NCOLUMNS
};

/* Step over the literal; false if it is not there. */
static bool
take(const char **p, const char *literal)
{
	size_t		len = strlen(literal);

	if (strncmp(*p, literal, len) != 0)
		return false;
	*p += len;
	return true;
}

/* Step over from min to max characters of the set. */
static bool
take_run(const char **p, const char *set, size_t min, size_t max)
{
	size_t		len = strspn(*p, set);

	*p += len;
	return len >= min && len <= max;
}

/* A number without leading zeros, of at most nine digits. */
static bool
take_number(const char **p)
{
	return **p != '0' && take_run(p, DIGITS, 1, 9);
}

/* Base64 of that many bytes, padded. */
static bool
take_padded(const char **p, size_t bytes)
{
	static const char *const padding[] = {"", "==", "="};

	return take_run(p, BASE64, (bytes * 4 + 2) / 3, (bytes * 4 + 2) / 3) &&
		take(p, padding[bytes % 3]);
}

/* Base64 in whole groups of four. */
static bool
take_groups(const char **p)
{
	const char *start = *p;

	return take_run(p, BASE64, 2, 1024) && (take(p, "==") || take(p, "=") || true) &&
		(*p - start) % 4 == 0;
}

/* SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey */
static bool
is_scram(const char *p)
{
	return take(&p, "SCRAM-SHA-256$") && take_number(&p) && take(&p, ":") &&
		take_groups(&p) && take(&p, "$") && take_padded(&p, 32) &&
		take(&p, ":") && take_padded(&p, 32) && *p == '\0';
}

/* $2b$cost$salt and digest, 4 <= cost <= 31 */
static bool
is_bcrypt(const char *p)
{
	int			cost;

	if (!take(&p, "$2a$") && !take(&p, "$2b$") && !take(&p, "$2y$"))
		return false;
	cost = atoi(p);
	return take_run(&p, DIGITS, 2, 2) && cost >= 4 && cost <= 31 &&
		take(&p, "$") && take_run(&p, BCRYPT64, 53, 53) && *p == '\0';
}

/* $argon2id$v=19$m=65536,t=3,p=4$salt$digest; salt of 8 bytes, digest of 12 */
static bool
is_argon2(const char *p)
{
	if (!take(&p, "$argon2"))
		return false;
	if (!take(&p, "id") && !take(&p, "i") && !take(&p, "d"))
		return false;
	if (take(&p, "$v=") && !take_number(&p))
		return false;
	return take(&p, "$m=") && take_number(&p) && take(&p, ",t=") &&
		take_number(&p) && take(&p, ",p=") && take_number(&p) &&
		take(&p, "$") && take_run(&p, BASE64, 11, 1024) &&
		take(&p, "$") && take_run(&p, BASE64, 16, 1024) && *p == '\0';
}

/*
 * Refuse what is no verifier.  Nobody reads the value again: the callbacks
 * that would add lines of COPY, parameters and statements are left out, and so
 * is the statement in the log.  The server sets the stack of callbacks anew
 * where the error is caught.
 */
void
check_verifier(Datum value, Relation rel)
{
	char	   *verifier = TextDatumGetCString(value);

	if (is_scram(verifier) || is_bcrypt(verifier) || is_argon2(verifier))
		return;
	error_context_stack = NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this is no password verifier"),
			 errdetail("A verifier is SCRAM-SHA-256 as the server writes it, bcrypt, or argon2 as a PHC string."),
			 errhint("Make the verifier in the application, with its password library; a clear password has no place in SQL."),
			 errhidestmt(true),
			 rel != NULL ?
			 errtableconstraint(rel, "credential_is_verifier") : 0));
}

PG_FUNCTION_INFO_V1(credential_derive);

Datum
credential_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "credential_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	Row			row;

	row_read(&row, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 credential_columns, CREDENTIAL_NCOLUMNS);
	if (!row.nulls[CREDENTIAL_VERIFIER])
		check_verifier(row.values[CREDENTIAL_VERIFIER], row.rel);
	/* the server's own report would print the row */
	if (row.nulls[CREDENTIAL_CONTACT_ID])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"contact_id\" of relation \"%s\" violates not-null constraint",
						RelationGetRelationName(row.rel)),
				 errtablecol(row.rel, row.attnums[CREDENTIAL_CONTACT_ID])));
	if (row.nulls[CREDENTIAL_CREATED_AT])
		row_set(&row, CREDENTIAL_CREATED_AT, now);
	if (is_update || row.nulls[CREDENTIAL_UPDATED_AT])
		row_set(&row, CREDENTIAL_UPDATED_AT, now);
	return PointerGetDatum(row_tuple(&row));
}
