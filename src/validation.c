/*-------------------------------------------------------------------------
 *
 * validation.c
 *	  does a person have the address: secrets that are sent there, and come back
 *
 * start_validation() makes a secret, returns it once and keeps but a digest of
 * it, bound to the identifier and to its value: whatever becomes of either, it
 * confirms nothing else.  An identifier has at most one secret of each method;
 * a new one takes the place of the old.
 *
 * Wrong codes count for the value, whoever holds it: a code that becomes void
 * while it could be guessed stays behind without an identifier until it would
 * have expired, so that attempts do not come back by changing the value, or
 * deleting it, and entering it again.
 *
 * A wrong code must cost an attempt, and what a transaction wrote before an
 * error is gone: so confirm_validation() raises nothing for what a person may
 * do wrong, but returns it, with an SQLSTATE for the application.  All locks
 * are taken in the usual order: the contact, then the codes for its value by id,
 * then the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "arriving.h"
#include "columns.h"
#include "identifier_key.h"
#include "keyed_digest.h"
#include "message.h"
#include "resolve.h"
#include "visibility.h"

#define SECRET_PURPOSE "contacts validation secret"
#define CODES 1000000			/* six digits */
#define CODE_LENGTH 6
#define RANDOM_LENGTH 16		/* of a token: 128 bits */
#define TOKEN_BYTES (sizeof(int64) + RANDOM_LENGTH)
#define TOKEN_LENGTH BASE64URL_LENGTH(TOKEN_BYTES)

/* What becomes of an attempt to confirm. */
typedef enum Outcome
{
	OUTCOME_CONFIRMED,
	OUTCOME_WRONG,
	OUTCOME_EXPIRED,
	OUTCOME_SPENT,
	OUTCOME_EXHAUSTED
} Outcome;

static const struct
{
	const char *name;
	const char *sqlstate;
}			outcomes[] = {
	{"confirmed", "00000"},
	{"wrong", "V0001"},
	{"expired", "V0002"},
	{"spent", "V0003"},
	{"exhausted", "V0004"}
};

#define ERRCODE_VALIDATION_EXHAUSTED MAKE_SQLSTATE('V', '0', '0', '0', '4')

/* A secret, as it is sent: a code in digits, or the random part of a token. */
typedef struct Secret
{
	const char *method;
	const void *bytes;
	int			len;
} Secret;

/* Whoever counts attempts at a value waits here for whoever else does. */
static const DirectoryQuery lock_codes = {
	"SELECT v.id FROM ONLY @validation@ v"
	" WHERE v.method OPERATOR(pg_catalog.=) 'otp' AND v.key OPERATOR(pg_catalog.=)"
	"  (SELECT i.key FROM ONLY @identifier@ i"
	"   WHERE i.id OPERATOR(pg_catalog.=) $1)"
	" ORDER BY v.id FOR UPDATE",
	1, {INT8OID}, NULL
};

/* Codes o for a value that could still be guessed, and so count. */
#define GUESSABLE(key, now) \
	"o.method OPERATOR(pg_catalog.=) 'otp' AND o.consumed_at IS NULL" \
	" AND o.key OPERATOR(pg_catalog.=) " key \
	" AND o.expires_at OPERATOR(pg_catalog.>) " now

/* $3: now.  The state of a shared value stands in a row of its own (I10). */
static const DirectoryQuery find_subject = {
	"SELECT i.semantic_type, i.key, s.status::pg_catalog.text, i.is_outreach,"
	" c.archived_at IS NOT NULL, $2 OPERATOR(pg_catalog.=) 'otp' AND EXISTS"
	"  (SELECT FROM ONLY @validation@ o WHERE " GUESSABLE("i.key", "$3")
	"   AND o.attempts_left OPERATOR(pg_catalog.=) 0)"
	" FROM ONLY @identifier@ i LEFT JOIN ONLY @identifier@ s"
	"  ON s.key OPERATOR(pg_catalog.=) i.key"
	"  AND s.holder OPERATOR(pg_catalog.=) 0"
	" LEFT JOIN ONLY @contact@ c ON c.id OPERATOR(pg_catalog.=) i.contact_id"
	" WHERE i.id OPERATOR(pg_catalog.=) $1",
	3, {INT8OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/*
 * Asking for another code gives no further attempts, while the last one that
 * was not used has not expired, whoever it was made for.
 */
static const DirectoryQuery keep_digest = {
	"INSERT INTO @validation@ AS v"
	" (identifier_id, method, key, digest, created_at, expires_at, attempts_left)"
	" SELECT $1, $2, $3, $4, $5, $5 OPERATOR(pg_catalog.+)"
	"  CASE WHEN $2 OPERATOR(pg_catalog.=) 'otp'"
	"  THEN s.validation_otp_lifetime ELSE s.validation_link_lifetime END,"
	"  CASE WHEN $2 OPERATOR(pg_catalog.=) 'otp' THEN LEAST(s.validation_attempts,"
	"   (SELECT pg_catalog.min(o.attempts_left) FROM ONLY @validation@ o"
	"    WHERE " GUESSABLE("$3", "$5") ")) END"
	" FROM ONLY @setting@ s"
	" ON CONFLICT (identifier_id, method) DO UPDATE SET key = excluded.key,"
	"  digest = excluded.digest, created_at = excluded.created_at,"
	"  expires_at = excluded.expires_at, consumed_at = NULL,"
	"  attempts_left = excluded.attempts_left"
	" RETURNING v.id",
	5, {INT8OID, TEXTOID, UUIDOID, BYTEAOID, TIMESTAMPTZOID}, NULL
};

/* Some of what stayed behind and has expired; $1: now. */
static const DirectoryQuery delete_left_behind = {
	"DELETE FROM ONLY @validation@ v WHERE v.id OPERATOR(pg_catalog.=) ANY (ARRAY("
	" SELECT o.id FROM ONLY @validation@ o WHERE o.identifier_id IS NULL"
	"  AND o.expires_at OPERATOR(pg_catalog.<=) $1"
	" ORDER BY o.expires_at LIMIT 10 FOR UPDATE SKIP LOCKED))",
	1, {TIMESTAMPTZOID}, NULL
};

static const DirectoryQuery find_identifier = {
	"SELECT v.identifier_id FROM ONLY @validation@ v"
	" WHERE v.id OPERATOR(pg_catalog.=) $1"
	" AND v.method OPERATOR(pg_catalog.=) 'magic_link'",
	1, {INT8OID}, NULL
};

/* $3: now. */
static const DirectoryQuery lock_validation = {
	"SELECT v.digest, i.key, v.consumed_at IS NOT NULL,"
	" v.expires_at OPERATOR(pg_catalog.<=) $3,"
	" v.attempts_left OPERATOR(pg_catalog.=) 0"
	" FROM ONLY @validation@ v JOIN ONLY @identifier@ i"
	"  ON i.id OPERATOR(pg_catalog.=) v.identifier_id"
	" WHERE v.identifier_id OPERATOR(pg_catalog.=) $1"
	" AND v.method OPERATOR(pg_catalog.=) $2 FOR UPDATE OF v",
	3, {INT8OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* At the value that the identifier's code was made for; $3: now. */
static const DirectoryQuery take_attempt = {
	"UPDATE ONLY @validation@ o"
	" SET attempts_left = o.attempts_left OPERATOR(pg_catalog.-) 1"
	" FROM ONLY @validation@ v"
	" WHERE v.identifier_id OPERATOR(pg_catalog.=) $1"
	" AND v.method OPERATOR(pg_catalog.=) $2 AND " GUESSABLE("v.key", "$3")
	" AND o.attempts_left OPERATOR(pg_catalog.>) 0",
	3, {INT8OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

static const DirectoryQuery consume = {
	"UPDATE ONLY @validation@ v SET consumed_at = $3"
	" WHERE v.identifier_id OPERATOR(pg_catalog.=) $1"
	" AND v.method OPERATOR(pg_catalog.=) $2",
	3, {INT8OID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* Unless the value is another one by now. */
static const DirectoryQuery mark_identifier = {
	"UPDATE ONLY @identifier@ i SET validated_at = $3, validation_method = $2"
	" WHERE i.id OPERATOR(pg_catalog.=) $1"
	" AND i.key OPERATOR(pg_catalog.=) $4",
	4, {INT8OID, TEXTOID, TIMESTAMPTZOID, UUIDOID}, NULL
};

/* $2: now. */
static const DirectoryQuery leave_behind = {
	"UPDATE ONLY @validation@ o SET identifier_id = NULL, digest = ''"
	" WHERE o.identifier_id OPERATOR(pg_catalog.=) $1"
	" AND " GUESSABLE("o.key", "$2"),
	2, {INT8OID, TIMESTAMPTZOID}, NULL
};

static const DirectoryQuery delete_open = {
	"DELETE FROM ONLY @validation@ v"
	" WHERE v.identifier_id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

/* Fill the buffer with strong random bytes. */
static void
fill_random(void *buffer, size_t len)
{
	if (!pg_strong_random(buffer, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random secret")));
}

/* A code, each as likely as any other. */
static void
make_code(char code[CODE_LENGTH + 1])
{
	uint32		r;

	do
		fill_random(&r, sizeof(r));
	while (r >= PG_UINT32_MAX / CODES * CODES);
	snprintf(code, CODE_LENGTH + 1, "%06u", r % CODES);
}

/* What is kept of a secret of the identifier while it has the value of key. */
static void
compute_digest(DirectoryInfo *info, Datum identifier_id, const pg_uuid_t *key,
			   const Secret *secret, uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	uint64		id = pg_hton64((uint64) DatumGetInt64(identifier_id));
	int			method_len = strlen(secret->method) + 1;
	int			len = method_len + sizeof(id) + UUID_LEN + secret->len;
	uint8	   *data = palloc(len);
	uint8	   *p = data;

	memcpy(p, secret->method, method_len);
	p += method_len;
	memcpy(p, &id, sizeof(id));
	p += sizeof(id);
	memcpy(p, key->data, UUID_LEN);
	p += UUID_LEN;
	memcpy(p, secret->bytes, secret->len);
	keyed_digest(info, SECRET_PURPOSE, data, len, digest);
	pfree(data);
}

/*
 * Open the directory for a caller who may insert into a column of validation.
 * That is no right to a row, as an INSERT needs more columns: it is there for
 * the functions to ask for.
 */
static Relation
open_validation(Directory *dir, Oid relid, const char *column)
{
	Relation	rel = table_open(relid, RowExclusiveLock);
	Oid			validation;

	require_identifier(rel);
	directory_open(dir, rel);
	validation = get_relname_relid("validation", dir->nspid);
	if (!OidIsValid(validation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" is missing", "validation"),
				 errtable(rel)));
	require_column_privilege(validation, column, ACL_INSERT);
	return rel;
}

/*
 * Does row security hide the identifier from a caller who otherwise reads
 * identifiers?  Who logs people in reads none, and works on all.
 */
static bool
is_hidden(Relation rel, Datum id)
{
	return pg_class_aclcheck(RelationGetRelid(rel), GetUserId(),
							 ACL_SELECT) == ACLCHECK_OK &&
		!may_update_rows(rel, "id OPERATOR(pg_catalog.=) $1", INT8OID, id);
}

/* Rule C8: nothing is sent there, as no message would be. */
static void
report_unsendable(Relation rel, Datum identifier_id, const char *detail,
				  const char *constraint)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("no secret is sent to identifier %lld",
					(long long) DatumGetInt64(identifier_id)),
			 errdetail_internal("%s", detail),
			 errtableconstraint(rel, constraint)));
}

/* Refuse what nothing can be sent to; returns the key of the value. */
static void
check_subject(Directory *dir, DirectoryInfo *info, Datum identifier_id,
			  Datum method, TimestampTz now, pg_uuid_t *key)
{
	Datum		values[3];
	HeapTuple	tuple;
	TupleDesc	desc;
	SemanticType *type;
	Datum		status;
	bool		isnull;

	values[0] = identifier_id;
	values[1] = method;
	values[2] = TimestampTzGetDatum(now);
	SPI_connect();
	if (text_is(method, "otp"))
		query_run(dir, &lock_codes, values, NULL);
	if (query_run(dir, &find_subject, values, NULL) == 0)
		report_unheld(identifier_id);
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	type = named_semantic_type(info, SPI_getbinval(tuple, desc, 1, &isnull));
	*key = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	if (type == NULL || type->value_type == VALUE_TEXT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("identifier %lld is no address that a secret could be sent to",
						(long long) DatumGetInt64(identifier_id)),
				 errtable(dir->identifier)));
	status = SPI_getbinval(tuple, desc, 3, &isnull);
	if (!isnull && text_is(status, "suppressed"))
		report_unsendable(dir->identifier, identifier_id,
						  "The address is suppressed for ever.",
						  message_is_suppressed[type->value_type == VALUE_PHONE]);
	if (!DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull)))
		report_unsendable(dir->identifier, identifier_id,
						  "The address is not for outreach.",
						  "identifier_is_not_outreach");
	if (DatumGetBool(SPI_getbinval(tuple, desc, 5, &isnull)))
		report_unsendable(dir->contact, identifier_id,
						  "The contact is archived.", "contact_is_archived");
	if (DatumGetBool(SPI_getbinval(tuple, desc, 6, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_VALIDATION_EXHAUSTED),
				 errmsg("too many wrong codes for identifier %lld",
						(long long) DatumGetInt64(identifier_id)),
				 errhint("Another code can be had when the last one has expired."),
				 errtable(dir->identifier)));
	SPI_finish();
}

/* Keep the digest of a secret, and return the id of the validation. */
static int64
keep_secret(Directory *dir, DirectoryInfo *info, Datum identifier_id,
			pg_uuid_t *key, const Secret *secret, TimestampTz now)
{
	bytea	   *digest = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	Datum		values[5];
	Datum		id;
	bool		isnull;

	SET_VARSIZE(digest, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	compute_digest(info, identifier_id, key, secret, (uint8 *) VARDATA(digest));
	values[0] = identifier_id;
	values[1] = CStringGetTextDatum(secret->method);
	values[2] = UUIDPGetDatum(key);
	values[3] = PointerGetDatum(digest);
	values[4] = TimestampTzGetDatum(now);
	SPI_connect();
	/* a snapshot may be too old for rows to be deleted */
	if (!IsolationUsesXactSnapshot())
		query_run(dir, &delete_left_behind, &values[4], NULL);
	SPI_finish();
	id = query_value(dir, &keep_digest, values, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no row", "setting")));
	return DatumGetInt64(id);
}

/* Make a secret for the identifier, which is locked with its contact. */
static text *
make_secret(Directory *dir, DirectoryInfo *info, Datum identifier_id,
			bool is_code, pg_uuid_t *key, TimestampTz now)
{
	Secret		secret;
	char		code[CODE_LENGTH + 1];
	uint8		token[TOKEN_BYTES];
	char		out[TOKEN_LENGTH + 1];
	uint64		id;

	if (is_code)
	{
		make_code(code);
		secret.method = "otp";
		secret.bytes = code;
		secret.len = CODE_LENGTH;
		keep_secret(dir, info, identifier_id, key, &secret, now);
		return cstring_to_text(code);
	}
	fill_random(token + sizeof(id), RANDOM_LENGTH);
	secret.method = "magic_link";
	secret.bytes = token + sizeof(id);
	secret.len = RANDOM_LENGTH;
	id = pg_hton64((uint64) keep_secret(dir, info, identifier_id, key,
										&secret, now));
	memcpy(token, &id, sizeof(id));
	base64url_encode(token, TOKEN_BYTES, out);
	return cstring_to_text(out);
}

PG_FUNCTION_INFO_V1(start_validation);

/*
 * contacts.start_validation(identifier regclass, id, method): a new secret for
 * who may insert validations.  P0002 if nobody holds the identifier, or row
 * security hides it from a caller who otherwise reads identifiers.
 */
Datum
start_validation(PG_FUNCTION_ARGS)
{
	Datum		id = PG_GETARG_DATUM(1);
	Datum		method = PG_GETARG_DATUM(2);
	bool		is_code = text_is(method, "otp");
	Directory	dir;
	Relation	rel;
	DirectoryInfo *info;
	TimestampTz now;
	Datum		holder;
	pg_uuid_t	key;
	text	   *secret;
	int			nestlevel;

	if (!is_code && !text_is(method, "magic_link"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("validation by \"%s\" needs no secret",
						TextDatumGetCString(method)),
				 errhint("Methods with a secret are otp and magic_link; see validate_identifier().")));
	rel = open_validation(&dir, PG_GETARG_OID(0), "identifier_id");
	info = directory_info(rel);
	if (!lock_holder_if_any(&dir, id, &holder) || is_hidden(rel, id))
		report_unheld(id);
	nestlevel = begin_owner_path(&dir);
	now = GetCurrentTimestamp();
	check_subject(&dir, info, id, method, now, &key);
	secret = make_secret(&dir, info, id, is_code, &key, now);
	AtEOXact_GUC(true, nestlevel);
	directory_close(&dir);
	table_close(rel, NoLock);
	PG_RETURN_TEXT_P(secret);
}

/*
 * Compare the secret with what is kept for the identifier, whose contact is
 * locked.  A code tells little, so nobody learns whether it is right when it
 * cannot be used any more; of a token only who has it learns anything.
 */
static Outcome
judge_secret(Directory *dir, DirectoryInfo *info, Datum *values,
			 const Secret *secret, pg_uuid_t *key)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	HeapTuple	tuple;
	TupleDesc	desc;
	bytea	   *kept;
	bool		flags[3];
	bool		isnull;
	bool		is_right;
	int			i;

	if (query_run(dir, &lock_validation, values, NULL) == 0)
		return OUTCOME_WRONG;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	kept = DatumGetByteaPP(SPI_getbinval(tuple, desc, 1, &isnull));
	*key = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	for (i = 0; i < lengthof(flags); i++)
		flags[i] = DatumGetBool(SPI_getbinval(tuple, desc, 3 + i, &isnull)) &&
			!isnull;
	compute_digest(info, values[0], key, secret, digest);
	is_right = VARSIZE_ANY_EXHDR(kept) == PG_SHA256_DIGEST_LENGTH &&
		!bytes_differ(digest, (uint8 *) VARDATA_ANY(kept), sizeof(digest));
	if (!is_right && strcmp(secret->method, "otp") != 0)
		return OUTCOME_WRONG;
	if (flags[0])
		return OUTCOME_SPENT;
	if (flags[1])
		return OUTCOME_EXPIRED;
	if (flags[2])
		return OUTCOME_EXHAUSTED;
	return is_right ? OUTCOME_CONFIRMED : OUTCOME_WRONG;
}

/* Confirm the identifier by the secret; what becomes of it, and whose it is. */
static Outcome
confirm(Directory *dir, DirectoryInfo *info, Datum identifier_id,
		const Secret *secret, Datum *contact_id)
{
	bool		is_code = strcmp(secret->method, "otp") == 0;
	Outcome		outcome;
	Datum		values[4];
	pg_uuid_t	key;
	int			nestlevel;

	/* the token of a link is right enough to what row security hides */
	if (!lock_holder_if_any(dir, identifier_id, contact_id) ||
		(is_code && is_hidden(dir->identifier, identifier_id)))
		return OUTCOME_WRONG;
	nestlevel = begin_owner_path(dir);
	SPI_connect();
	values[0] = identifier_id;
	values[1] = CStringGetTextDatum(secret->method);
	values[2] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[3] = UUIDPGetDatum(&key);
	if (is_code)
		query_run(dir, &lock_codes, values, NULL);
	outcome = judge_secret(dir, info, values, secret, &key);
	if (outcome == OUTCOME_CONFIRMED &&
		query_run(dir, &mark_identifier, values, NULL) == 0)
		outcome = OUTCOME_WRONG;
	if (outcome == OUTCOME_CONFIRMED)
		query_run(dir, &consume, values, NULL);
	else if (outcome == OUTCOME_WRONG && is_code)
		query_run(dir, &take_attempt, values, NULL);
	SPI_finish();
	AtEOXact_GUC(true, nestlevel);
	return outcome;
}

/* The row that both forms of confirm_validation() return. */
static Datum
outcome_row(FunctionCallInfo fcinfo, Outcome outcome, Datum contact_id)
{
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = contact_id;
	nulls[0] = outcome != OUTCOME_CONFIRMED;
	values[1] = CStringGetTextDatum(outcomes[outcome].name);
	values[2] = CStringGetTextDatum(outcomes[outcome].sqlstate);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

PG_FUNCTION_INFO_V1(confirm_code);

/* contacts.confirm_code(identifier regclass, id, code) */
Datum
confirm_code(PG_FUNCTION_ARGS)
{
	Outcome		outcome = OUTCOME_WRONG;
	Datum		contact_id = (Datum) 0;
	Directory	dir;
	Relation	rel;

	rel = open_validation(&dir, PG_GETARG_OID(0), "consumed_at");
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		text	   *code = PG_GETARG_TEXT_PP(2);
		Secret		secret;

		secret.method = "otp";
		secret.bytes = VARDATA_ANY(code);
		secret.len = VARSIZE_ANY_EXHDR(code);
		outcome = confirm(&dir, directory_info(rel), PG_GETARG_DATUM(1),
						  &secret, &contact_id);
	}
	directory_close(&dir);
	table_close(rel, NoLock);
	return outcome_row(fcinfo, outcome, contact_id);
}

PG_FUNCTION_INFO_V1(confirm_token);

/* contacts.confirm_token(identifier regclass, token) */
Datum
confirm_token(PG_FUNCTION_ARGS)
{
	Outcome		outcome = OUTCOME_WRONG;
	Datum		contact_id = (Datum) 0;
	text	   *t = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	uint8		token[TOKEN_BYTES];
	Directory	dir;
	Relation	rel;

	rel = open_validation(&dir, PG_GETARG_OID(0), "consumed_at");
	if (t != NULL && base64url_decode(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
									  token, TOKEN_BYTES))
	{
		uint64		id;
		Datum		value;
		Datum		identifier_id;
		bool		isnull;
		Secret		secret;

		memcpy(&id, token, sizeof(id));
		value = Int64GetDatum((int64) pg_ntoh64(id));
		secret.method = "magic_link";
		secret.bytes = token + sizeof(id);
		secret.len = RANDOM_LENGTH;
		identifier_id = query_value(&dir, &find_identifier, &value, &isnull);
		if (!isnull)
			outcome = confirm(&dir, directory_info(rel), identifier_id,
							  &secret, &contact_id);
	}
	directory_close(&dir);
	table_close(rel, NoLock);
	return outcome_row(fcinfo, outcome, contact_id);
}

PG_FUNCTION_INFO_V1(validation_void);

/*
 * AFTER UPDATE ON identifier FOR EACH ROW, where the value is another one: what
 * was started for the old one is void.  That the digests are bound to the value
 * does not suffice: it might come back.  The count of attempts does, too.
 */
Datum
validation_void(PG_FUNCTION_ARGS)
{
	TriggerData *data = check_trigger(fcinfo, "validation_void",
									  CALL_AFTER | CALL_ROW | CALL_UPDATE);
	Relation	rel = data->tg_relation;
	Datum		values[2];
	Directory	dir;
	Row			row;

	row_read(&row, rel, data->tg_newtuple, identifier_columns,
			 IDENTIFIER_NCOLUMNS);
	row_require(&row, IDENTIFIER_ID);
	values[0] = row.values[IDENTIFIER_ID];
	values[1] = TimestampTzGetDatum(GetCurrentTimestamp());
	directory_open(&dir, rel);
	SPI_connect();
	query_run(&dir, &leave_behind, values, NULL);
	query_run(&dir, &delete_open, values, NULL);
	SPI_finish();
	directory_close(&dir);
	return PointerGetDatum(NULL);
}
