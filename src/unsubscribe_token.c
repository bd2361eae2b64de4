/*-------------------------------------------------------------------------
 *
 * unsubscribe_token.c
 *	  tokens of unsubscribe links: made, checked, used
 *
 * A token says which address is to be left alone, by its identifier key, and
 * about which topic; who has it needs no login and no right.  It stays valid
 * whatever becomes of contact, address and message, since nothing is looked up
 * to check it: it proves itself by a MAC under a key derived from the secret
 * of the directory.  41 bytes, as base64 of RFC 4648 section 5 unpadded:
 *
 *	1	version and kind of address
 *	8	topic, 0: none; big-endian
 *	16	identifier key
 *	16	HMAC-SHA-256 over these 25 bytes, cut
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "change_consent.h"
#include "columns.h"
#include "keyed_digest.h"
#include "unsubscribe_token.h"

#define TOKEN_PURPOSE "contacts unsubscribe token"
#define VERSION_EMAIL 0x11
#define VERSION_PHONE 0x12
#define PAYLOAD_LENGTH 25
#define MAC_LENGTH 16
#define TOKEN_BYTES (PAYLOAD_LENGTH + MAC_LENGTH)

StaticAssertDecl(BASE64URL_LENGTH(TOKEN_BYTES) == UNSUBSCRIBE_TOKEN_LENGTH,
				 "length of a token");

/* What a token says. */
typedef struct Token
{
	ValueType	type;
	int64		topic_id;		/* 0: none */
	pg_uuid_t	key;
} Token;

/* Contacts by id, which is the lock order; those that go meanwhile are out. */
static const DirectoryQuery leave_topic = {
	"INSERT INTO @subscription@ AS s (contact_id, topic_id, state, source)"
	" SELECT c.id, t.id, 'unsubscribed', $3"
	" FROM ONLY @subscription_topic@ t, ONLY @contact@ c"
	" WHERE t.id OPERATOR(pg_catalog.=) $2 AND c.id OPERATOR(pg_catalog.=)"
	"  ANY (ARRAY(SELECT i.contact_id FROM ONLY @identifier@ i"
	"  WHERE i.key OPERATOR(pg_catalog.=) $1 AND i.contact_id IS NOT NULL))"
	" ORDER BY c.id FOR KEY SHARE"
	" ON CONFLICT (contact_id, topic_id) DO UPDATE"
	" SET state = 'unsubscribed', source = $3, evidence = NULL"
	" WHERE s.state OPERATOR(pg_catalog.<>) 'unsubscribed'",
	3, {UUIDOID, INT8OID, TEXTOID}, NULL
};

/* Unless the last thing known of the address is the same. */
static const DirectoryQuery remember = {
	"INSERT INTO @subscription_event@"
	" (topic_id, key, old_state, new_state, source, role)"
	" SELECT t.id, $1, e.new_state, 'unsubscribed', $3, $4"
	" FROM ONLY @subscription_topic@ t LEFT JOIN LATERAL"
	" (SELECT v.new_state FROM ONLY @subscription_event@ v"
	"  WHERE v.topic_id OPERATOR(pg_catalog.=) t.id"
	"  AND v.key OPERATOR(pg_catalog.=) $1 AND v.new_state IS NOT NULL"
	"  ORDER BY v.id DESC LIMIT 1) e ON true"
	" WHERE t.id OPERATOR(pg_catalog.=) $2"
	" AND (e.new_state OPERATOR(pg_catalog.=) 'unsubscribed') IS NOT TRUE",
	4, {UUIDOID, INT8OID, TEXTOID, TEXTOID}, NULL
};

/* The address is left alone, and the last thing said was what we would say. */
static const DirectoryQuery is_said = {
	"SELECT 1 FROM ONLY @identifier@ i WHERE i.key OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.=) 0 AND i.status"
	" OPERATOR(pg_catalog.=) ANY (ARRAY['unsubscribed', 'suppressed'])"
	" AND (SELECT e.source FROM ONLY @consent_event@ e"
	"  WHERE e.key OPERATOR(pg_catalog.=) i.key ORDER BY e.id DESC LIMIT 1)"
	" OPERATOR(pg_catalog.=) $2",
	2, {UUIDOID, TEXTOID}, NULL
};

static const DirectoryQuery topic_name = {
	"SELECT t.name FROM ONLY @subscription_topic@ t"
	" WHERE t.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

/* The MAC of a payload, under a key that serves nothing but tokens. */
static void
compute_mac(DirectoryInfo *info, const uint8 *payload, uint8 *mac)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	keyed_digest(info, TOKEN_PURPOSE, payload, PAYLOAD_LENGTH, digest);
	memcpy(mac, digest, MAC_LENGTH);
}

/* The token of an address and a topic (0: none), with a terminating zero. */
void
unsubscribe_token_make(DirectoryInfo *info, ValueType type,
					   const pg_uuid_t *key, int64 topic_id,
					   char out[UNSUBSCRIBE_TOKEN_LENGTH + 1])
{
	uint8		bytes[TOKEN_BYTES];
	uint64		topic = pg_hton64((uint64) topic_id);

	bytes[0] = type == VALUE_EMAIL ? VERSION_EMAIL : VERSION_PHONE;
	memcpy(bytes + 1, &topic, sizeof(topic));
	memcpy(bytes + 9, key->data, UUID_LEN);
	compute_mac(info, bytes, bytes + PAYLOAD_LENGTH);
	base64url_encode(bytes, TOKEN_BYTES, out);
}

/*
 * Read a token; false if it is not one that this directory made.  How long
 * that takes tells nothing about the MAC that would be right.
 */
static bool
read_token(DirectoryInfo *info, text * t, Token *token)
{
	uint8		bytes[TOKEN_BYTES];
	uint8		mac[MAC_LENGTH];
	uint64		topic;

	if (!base64url_decode(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), bytes,
						  TOKEN_BYTES))
		return false;
	compute_mac(info, bytes, mac);
	if (bytes_differ(mac, bytes + PAYLOAD_LENGTH, MAC_LENGTH) ||
		(bytes[0] != VERSION_EMAIL && bytes[0] != VERSION_PHONE))
		return false;
	token->type = bytes[0] == VERSION_EMAIL ? VALUE_EMAIL : VALUE_PHONE;
	memcpy(&topic, bytes + 1, sizeof(topic));
	token->topic_id = (int64) pg_ntoh64(topic);
	memcpy(token->key.data, bytes + 9, UUID_LEN);
	return true;
}

/* The address leaves the topic, and so does whoever holds it now. */
static void
use_for_topic(Directory *dir, const Token *token, Datum source)
{
	char	   *role = GetUserNameFromId(GetOuterUserId(), true);
	Datum		values[4];

	values[0] = UUIDPGetDatum(&token->key);
	values[1] = Int64GetDatum(token->topic_id);
	values[2] = source;
	values[3] = CStringGetTextDatum(role ? role : "unknown");
	query_run(dir, &leave_topic, values, NULL);
	query_run(dir, &remember, values, NULL);
}

/* The address is unsubscribed altogether, by the person's own wish. */
static void
use_for_all(Directory *dir, DirectoryInfo *info, const Token *token,
			Datum source)
{
	ConsentTarget target;
	Datum		values[2];

	values[0] = UUIDPGetDatum(&token->key);
	values[1] = source;
	if (query_run(dir, &is_said, values, NULL) > 0)
		return;
	memset(&target, 0, sizeof(target));
	target.type = token->type == VALUE_EMAIL ?
		find_semantic_type(info, "email", 5) :
		find_semantic_type(info, "phone", 5);
	target.key = token->key;
	target.reason = CStringGetTextDatum("own_wish");
	target.source = source;
	change_states(dir, STATE_UNSUBSCRIBED, (Datum) 0, &target, 1);
}

PG_FUNCTION_INFO_V1(make_unsubscribe_token);

/*
 * contacts.make_unsubscribe_token(identifier regclass, channel, key, topic_id):
 * for those who may read keys.
 */
Datum
make_unsubscribe_token(PG_FUNCTION_ARGS)
{
	char		token[UNSUBSCRIBE_TOKEN_LENGTH + 1];
	Relation	rel;
	bool		is_email;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	is_email = text_is(PG_GETARG_DATUM(1), "email");
	if (!is_email && !text_is(PG_GETARG_DATUM(1), "sms"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown channel \"%s\"",
						TextDatumGetCString(PG_GETARG_DATUM(1))),
				 errhint("Channels are email and sms.")));
	require_column_privilege(PG_GETARG_OID(0), "key", ACL_SELECT);
	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	require_identifier(rel);
	unsubscribe_token_make(directory_info(rel),
						   is_email ? VALUE_EMAIL : VALUE_PHONE,
						   PG_GETARG_UUID_P(2),
						   PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3), token);
	table_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(token));
}

/* The query for key and topic of a message; an id says which table. */
static char *
message_query(Oid nspid, const char *table)
{
	return psprintf("SELECT m.key, m.topic_id FROM ONLY %s m"
					" WHERE m.id OPERATOR(pg_catalog.=) $1",
					quote_qualified_identifier(get_namespace_name(nspid),
											   table));
}

/* Does the caller hand messages out, by the right that this takes? */
static bool
is_worker(Oid nspid, const char *table)
{
	Oid			relid = get_relname_relid(table, nspid);
	AttrNumber	leased = OidIsValid(relid) ?
	get_attnum(relid, "leased_until") : InvalidAttrNumber;

	return leased != InvalidAttrNumber &&
		(pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) == ACLCHECK_OK ||
		 pg_attribute_aclcheck(relid, leased, GetUserId(),
							   ACL_UPDATE) == ACLCHECK_OK);
}

PG_FUNCTION_INFO_V1(message_unsubscribe_token);

/*
 * contacts.message_unsubscribe_token(identifier regclass, message_id): for
 * those who may read the message, and for workers, who read none: the header
 * of the mail that they send needs it.
 */
Datum
message_unsubscribe_token(PG_FUNCTION_ARGS)
{
	char		token[UNSUBSCRIBE_TOKEN_LENGTH + 1];
	bool		is_email = PG_GETARG_INT64(1) % 2 != 0;
	const char *table = is_email ? "email_message" : "sms_message";
	Datum		id = PG_GETARG_DATUM(1);
	Oid			type = INT8OID;
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	Directory	dir;
	Oid			save_userid;
	int			save_sec_context;
	bool		is_found = false;

	require_identifier(rel);
	memset(&dir, 0, sizeof(dir));
	dir.nspid = RelationGetNamespace(rel);
	dir.owner = RelationGetForm(rel)->relowner;
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	if (is_worker(dir.nspid, table))
		become_owner(&dir, &save_userid, &save_sec_context);
	SPI_connect();
	SPI_execute_with_args(message_query(dir.nspid, table), 1, &type, &id,
						  NULL, true, 1);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	if (SPI_processed > 0)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		no_topic;
		bool		no_key;
		Datum		key = SPI_getbinval(tuple, desc, 1, &no_key);
		Datum		topic = SPI_getbinval(tuple, desc, 2, &no_topic);

		is_found = !no_key;
		if (is_found)
			unsubscribe_token_make(directory_info(rel),
								   is_email ? VALUE_EMAIL : VALUE_PHONE,
								   DatumGetUUIDP(key),
								   no_topic ? 0 : DatumGetInt64(topic), token);
	}
	SPI_finish();
	table_close(rel, NoLock);
	if (!is_found)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(token));
}

PG_FUNCTION_INFO_V1(use_unsubscribe_token);

/*
 * contacts.use_unsubscribe_token(identifier regclass, token): for everybody,
 * as the owner of the directory: the token is the right.  Returns the name of
 * the topic that was left, NULL if the address was unsubscribed altogether.
 */
Datum
use_unsubscribe_token(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	Datum		source = CStringGetTextDatum("unsubscribe link");
	Datum		name = (Datum) 0;
	bool		isnull = true;
	DirectoryInfo *info;
	Directory	dir;
	Token		token;

	require_identifier(rel);
	info = directory_info(rel);
	if (!read_token(info, PG_GETARG_TEXT_PP(1), &token))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid unsubscribe token")));
	directory_open(&dir, rel);
	SPI_connect();
	if (token.topic_id != 0)
		use_for_topic(&dir, &token, source);
	else
		use_for_all(&dir, info, &token, source);
	SPI_finish();
	if (token.topic_id != 0)
	{
		Datum		id = Int64GetDatum(token.topic_id);

		name = query_value(&dir, &topic_name, &id, &isnull);
	}
	directory_close(&dir);
	table_close(rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(name);
}
