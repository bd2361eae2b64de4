/*-------------------------------------------------------------------------
 *
 * identifier_key.c
 *	  canonical values and their keys (rule I10)
 *
 * A key is HMAC-SHA-256 under the directory's secret over the value type
 * (email, phone) or else the name of the kind, a zero byte and the canonical
 * value, cut to 16 bytes.  All kinds of emails meet on the same key, and so do
 * claim, suppression and erasure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "email_parse.h"
#include "identifier_key.h"
#include "mb/pg_wchar.h"
#include "phone_parse.h"
#include "plan_cache.h"

static const DirectoryQuery find_state = {
	"SELECT i.status::pg_catalog.text FROM ONLY @identifier@ i"
	" WHERE i.key OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.=) 0::pg_catalog.int8",
	1, {UUIDOID}, NULL
};

struct KeyMaker
{
	DirectoryInfo *info;
	pg_hmac_ctx *hmac;
};

/*
 * A maker of keys for the directory, to be freed before the current resource
 * owner goes (it holds a context of the server's crypto library).
 */
KeyMaker *
key_maker_create(DirectoryInfo *info)
{
	KeyMaker   *maker = palloc(sizeof(KeyMaker));

	maker->info = info;
	maker->hmac = pg_hmac_create(PG_SHA256);
	if (maker->hmac == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return maker;
}

void
key_maker_free(KeyMaker *maker)
{
	pg_hmac_free(maker->hmac);
	pfree(maker);
}

/* The key of a canonical value of that kind. */
void
compute_key(KeyMaker *maker, const SemanticType *type,
			const char *value, int len, pg_uuid_t *key)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	const char *kind = type->value_type == VALUE_EMAIL ? "email" :
	type->value_type == VALUE_PHONE ? "phone" : type->name;

	if (pg_hmac_init(maker->hmac, maker->info->secret,
					 maker->info->secret_length) < 0 ||
		pg_hmac_update(maker->hmac, (const uint8 *) kind,
					   strlen(kind) + 1) < 0 ||
		pg_hmac_update(maker->hmac, (const uint8 *) value, len) < 0 ||
		pg_hmac_final(maker->hmac, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute HMAC");
	memcpy(key->data, digest, UUID_LEN);
}

/* The key, as a datum, of a canonical value given as text. */
Datum
identifier_value_key(DirectoryInfo *info, const SemanticType *type, Datum value)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(value);
	pg_uuid_t  *key = palloc(sizeof(pg_uuid_t));
	KeyMaker   *maker = key_maker_create(info);

	compute_key(maker, type, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), key);
	key_maker_free(maker);
	return UUIDPGetDatum(key);
}

/*
 * The canonical form of a value of that kind; false if it has none.  Values
 * of kind text are taken as they are, but for blank ones.
 */
bool
canonical_value(const SemanticType *type, Datum value, Datum *canonical)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(value);
	char		buffer[EMAIL_MAX_LENGTH + 1];
	size_t		len;

	StaticAssertStmt(sizeof(buffer) > PHONE_MAX_LENGTH, "buffer too small");
	switch (type->value_type)
	{
		case VALUE_EMAIL:
			if (email_parse(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
							GetDatabaseEncoding() == PG_UTF8,
							buffer, &len) != EMAIL_OK)
				return false;
			break;
		case VALUE_PHONE:
			if (phone_parse(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), NULL,
							buffer, &len) != PHONE_OK)
				return false;
			break;
		case VALUE_TEXT:
			if (is_blank(value))
				return false;
			*canonical = PointerGetDatum(t);
			return true;
	}
	if (len == VARSIZE_ANY_EXHDR(t) && memcmp(buffer, VARDATA_ANY(t), len) == 0)
		*canonical = PointerGetDatum(t);
	else
		*canonical = PointerGetDatum(cstring_to_text_with_len(buffer, len));
	return true;
}

/* The value is not of its kind; say why, as the type's input would. */
void
report_malformed(Relation identifier, const SemanticType *type, Datum value)
{
	char	   *string = TextDatumGetCString(value);
	char		buffer[EMAIL_MAX_LENGTH + 1];
	size_t		len;
	const char *detail = "The value is empty.";

	if (type->value_type == VALUE_EMAIL)
		detail = email_error_detail(email_parse(string, strlen(string),
												GetDatabaseEncoding() == PG_UTF8,
												buffer, &len));
	else if (type->value_type == VALUE_PHONE)
		detail = phone_error_detail(phone_parse(string, strlen(string), NULL,
												buffer, &len));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid value for an identifier of type %s: \"%s\"",
					type->name, string),
			 errdetail_internal("%s", detail),
			 errtablecol(identifier,
						 get_attnum(RelationGetRelid(identifier), "value"))));
}

/*
 * Keys tell whether a value is known: for those who may read identifier.key.
 * Rights on another table of the directory are none.
 */
static Relation
open_for_keys(Oid relid)
{
	Relation	rel;

	require_column_privilege(relid, "key", ACL_SELECT);
	rel = table_open(relid, AccessShareLock);
	require_identifier(rel);
	return rel;
}

/* The key of a value of that kind in the directory of rel; NULL if malformed. */
static Datum
value_key(Relation rel, const char *type_name, int len, Datum value,
		  bool *isnull)
{
	DirectoryInfo *info = directory_info(rel);
	SemanticType *type = find_semantic_type(info, type_name, len);
	Datum		canonical;

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown semantic type \"%s\"",
						pnstrdup(type_name, len)),
				 errtable(rel)));
	*isnull = !canonical_value(type, value, &canonical);
	return *isnull ? (Datum) 0 : identifier_value_key(info, type, canonical);
}

PG_FUNCTION_INFO_V1(identifier_key);

/* contacts.identifier_key(directory, semantic_type, value) */
Datum
identifier_key(PG_FUNCTION_ARGS)
{
	char	   *name;
	Oid			relid;
	Relation	rel;
	text	   *type_name;
	Datum		result;
	bool		isnull;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	type_name = PG_GETARG_TEXT_PP(1);
	relid = get_relname_relid("identifier", get_namespace_oid(name, false));
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("schema \"%s\" is no contact directory", name)));
	rel = open_for_keys(relid);
	result = value_key(rel, VARDATA_ANY(type_name),
					   VARSIZE_ANY_EXHDR(type_name), PG_GETARG_DATUM(2),
					   &isnull);
	table_close(rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/* The key of an address: email if it has an @, else phone. */
static Datum
text_key(Relation rel, Datum address, bool *isnull)
{
	text	   *t = DatumGetTextPP(address);
	const char *type = memchr(VARDATA_ANY(t), '@', VARSIZE_ANY_EXHDR(t)) ?
	"email" : "phone";

	return value_key(rel, type, strlen(type), address, isnull);
}

PG_FUNCTION_INFO_V1(address_key);

/* contacts.address_key(identifier regclass, address) */
Datum
address_key(PG_FUNCTION_ARGS)
{
	Relation	rel = open_for_keys(PG_GETARG_OID(0));
	Datum		result;
	bool		isnull;

	result = text_key(rel, PG_GETARG_DATUM(1), &isnull);
	table_close(rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

PG_FUNCTION_INFO_V1(address_state);

/*
 * contacts.address_state(identifier regclass, address): what became of the
 * address, whoever holds it.  Row security does not hide it: whoever knows an
 * address may be about to write to it.
 */
Datum
address_state(PG_FUNCTION_ARGS)
{
	Relation	rel;
	Directory	dir;
	Datum		result = (Datum) 0;
	bool		isnull;
	bool		is_unknown = true;

	require_column_privilege(PG_GETARG_OID(0), "status", ACL_SELECT);
	rel = open_for_keys(PG_GETARG_OID(0));
	memset(&dir, 0, sizeof(dir));
	dir.nspid = RelationGetNamespace(rel);
	dir.owner = RelationGetForm(rel)->relowner;
	result = text_key(rel, PG_GETARG_DATUM(1), &isnull);
	if (!isnull)
		result = query_value(&dir, &find_state, &result, &is_unknown);
	table_close(rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(is_unknown ? state_text(STATE_NOT_OPTED_IN) : result);
}
