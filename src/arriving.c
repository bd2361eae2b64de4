/*-------------------------------------------------------------------------
 *
 * arriving.c
 *	  people who come by themselves: seen again, signed up, registered
 *
 * These functions serve public forms and work as the owner of the directory,
 * for roles that have rights on tables which say so: touch() and capture_lead()
 * need INSERT on contact.last_seen_at, with which alone nobody can be entered,
 * nor learn who is known; register() on credential.  What an anonymous visitor
 * says changes nobody who is known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "columns.h"
#include "credential.h"
#include "identifier_key.h"
#include "identify.h"

/* Seen within the last minute is seen. */
static const DirectoryQuery find_token = {
	"SELECT i.contact_id FROM ONLY @identifier@ i"
	" WHERE i.key OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.=) 0::pg_catalog.int8"
	" AND i.contact_id IS NOT NULL",
	1, {UUIDOID}, NULL
};

static const DirectoryQuery set_seen = {
	"UPDATE ONLY @contact@ c SET last_seen_at = pg_catalog.now()"
	" WHERE c.id OPERATOR(pg_catalog.=) $1"
	" AND (c.last_seen_at OPERATOR(pg_catalog.>)"
	"  (pg_catalog.now() OPERATOR(pg_catalog.-) '1 minute'::pg_catalog.interval))"
	"  IS NOT TRUE",
	1, {INT8OID}, NULL
};

/* Whoever has a validated address is not taken over by who knows it. */
static const DirectoryQuery insert_credential = {
	"INSERT INTO @credential@ (contact_id, verifier)"
	" SELECT c.id, $2 FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) $1 AND NOT c.is_validated"
	" ON CONFLICT (contact_id) DO NOTHING",
	2, {INT8OID, TEXTOID}, NULL
};

/* The sibling of a table identifier; the caller has the right on the column. */
static void
require_sibling(Oid identifier, const char *table, const char *column)
{
	Relation	rel = table_open(identifier, AccessShareLock);
	Oid			relid;

	require_identifier(rel);
	relid = get_relname_relid(table, RelationGetNamespace(rel));
	table_close(rel, NoLock);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", table)));
	require_column_privilege(relid, column, ACL_INSERT);
}

PG_FUNCTION_INFO_V1(touch);

/* contacts.touch(identifier regclass, token) */
Datum
touch(PG_FUNCTION_ARGS)
{
	Relation	rel;
	Directory	dir;
	DirectoryInfo *info;
	Datum		key;
	Datum		token = PG_GETARG_DATUM(1);
	Datum		contact;
	SemanticType *type;
	bool		isnull;

	require_sibling(PG_GETARG_OID(0), "contact", "last_seen_at");
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	directory_open(&dir, rel);
	info = directory_info(rel);
	type = find_semantic_type(info, "anonymous", strlen("anonymous"));
	if (type == NULL || !canonical_value(type, token, &token))
	{
		directory_close(&dir);
		table_close(rel, NoLock);
		PG_RETURN_NULL();
	}
	key = identifier_value_key(info, type, token);
	contact = query_value(&dir, &find_token, &key, &isnull);
	if (!isnull)
	{
		SPI_connect();
		query_run(&dir, &set_seen, &contact, NULL);
		SPI_finish();
	}
	directory_close(&dir);
	table_close(rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(contact);
}

/*
 * Make a contact of the set, unless one is known, as the owner; returns whose
 * it is, 0 if shared values tell several.
 */
static int64
find_or_create(Identification *id, Relation rel, Jsonb * sets, Datum source,
			   bool has_source)
{
	Oid			save_userid;
	int			save_sec_context;
	int			nestlevel = NewGUCNestLevel();

	memset(id, 0, sizeof(*id));
	id->only_new = true;
	directory_open(&id->dir, rel);
	id->info = directory_info(rel);
	become_owner(&id->dir, &save_userid, &save_sec_context);
	if (has_source)
		(void) set_config_option("contacts.source", TextDatumGetCString(source),
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	parse_sets(id, sets);
	identify_sets_now(id);
	AtEOXact_GUC(true, nestlevel);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	return id->sets[0].contact_id;
}

PG_FUNCTION_INFO_V1(capture_lead);

/*
 * contacts.capture_lead(identifier regclass, sets, source): the caller learns
 * nothing, and nobody who is known is changed.
 */
Datum
capture_lead(PG_FUNCTION_ARGS)
{
	Identification id;
	Relation	rel;

	require_sibling(PG_GETARG_OID(0), "contact", "last_seen_at");
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	(void) find_or_create(&id, rel, PG_GETARG_JSONB_P(1),
						  PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2),
						  !PG_ARGISNULL(2));
	directory_close(&id.dir);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(register_contact);

/* contacts.register_contact(identifier regclass, sets, verifier) */
Datum
register_contact(PG_FUNCTION_ARGS)
{
	Identification id;
	Relation	rel;
	Relation	credential;
	Datum		values[2];
	int64		contact_id;

	require_sibling(PG_GETARG_OID(0), "credential", "verifier");
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the verifier must not be null")));
	check_verifier(PG_GETARG_DATUM(2), NULL);
	contact_id = find_or_create(&id, rel, PG_GETARG_JSONB_P(1), (Datum) 0,
								false);
	credential = directory_sibling(&id.dir, rel, "credential");
	values[0] = Int64GetDatum(contact_id);
	values[1] = PG_GETARG_DATUM(2);
	SPI_connect();
	if (query_run(&id.dir, &insert_credential, values, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("the address is registered"),
				 errdetail("Its contact has a credential, or a validated address."),
				 errhint("Have the person prove the address first, then write the credential."),
				 errtableconstraint(credential, "credential_pkey")));
	SPI_finish();
	table_close(credential, NoLock);
	directory_close(&id.dir);
	table_close(rel, NoLock);
	PG_RETURN_INT64(contact_id);
}
