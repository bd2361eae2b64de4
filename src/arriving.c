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

#include "arriving.h"
#include "attempt.h"
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

static const DirectoryQuery insert_credential = {
	"INSERT INTO @credential@ (contact_id, verifier) VALUES ($1, $2)"
	" ON CONFLICT (contact_id) DO NOTHING",
	2, {INT8OID, TEXTOID}, NULL
};

/* What a form may say of a person, in the order of the arguments. */
static const char *const form_fields[] = {
	"first_name", "last_name", "email", "phone"
};
enum
{
	FORM_FIRST_NAME, FORM_LAST_NAME, FORM_EMAIL, FORM_PHONE, FORM_NFIELDS
};
#define REGISTER_NFIELDS FORM_PHONE

/* A form, and the set of identifiers and attributes that is made of it. */
typedef struct ArrivalForm
{
	NullableDatum *fields;
	int			nfields;
	JsonbParseState *set;
} ArrivalForm;

/* The sibling of a table identifier; the caller has the right on the column. */
static void
require_sibling(NullableDatum identifier, const char *table, const char *column)
{
	Relation	rel;
	Oid			relid;

	if (identifier.isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the table must not be null")));
	rel = table_open(DatumGetObjectId(identifier.value), AccessShareLock);

	require_identifier(rel);
	relid = get_relname_relid(table, RelationGetNamespace(rel));
	table_close(rel, NoLock);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", table)));
	require_column_privilege(relid, column, ACL_INSERT);
}

/*
 * Have names found in the directory, until the nest level ends that is
 * returned: triggers of users run as the owner here, for roles that anybody may
 * speak through, and must catch no table or function that the caller has put
 * in their way.
 */
int
begin_owner_path(Directory *dir)
{
	int			nestlevel = NewGUCNestLevel();
	const char *schema = quote_identifier(get_namespace_name(dir->nspid));

	(void) set_config_option("search_path",
							 psprintf("pg_catalog, %s, pg_temp", schema),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
	return nestlevel;
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
	Datum		contact = (Datum) 0;
	SemanticType *type;
	bool		isnull = true;
	int			nestlevel;

	require_sibling(fcinfo->args[0], "contact", "last_seen_at");
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	directory_open(&dir, rel);
	nestlevel = begin_owner_path(&dir);
	info = directory_info(rel);
	type = find_semantic_type(info, "anonymous", strlen("anonymous"));
	if (type != NULL && canonical_value(type, token, &token))
	{
		key = identifier_value_key(info, type, token);
		contact = query_value(&dir, &find_token, &key, &isnull);
	}
	if (!isnull)
	{
		SPI_connect();
		query_run(&dir, &set_seen, &contact, NULL);
		SPI_finish();
	}
	AtEOXact_GUC(true, nestlevel);
	directory_close(&dir);
	table_close(rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(contact);
}

/* Add a field to the object that is being made, unless it is NULL. */
static void
push_field(ArrivalForm *form, int field)
{
	JsonbValue	v;

	if (form->fields[field].isnull)
		return;
	v.type = jbvString;
	v.val.string.val = pstrdup(form_fields[field]);
	v.val.string.len = strlen(v.val.string.val);
	pushJsonbValue(&form->set, WJB_KEY, &v);
	v.val.string.val = TextDatumGetCString(form->fields[field].value);
	v.val.string.len = strlen(v.val.string.val);
	pushJsonbValue(&form->set, WJB_VALUE, &v);
}

/* Add an object of some of the fields. */
static void
push_fields(ArrivalForm *form, const char *name, int from, int to)
{
	JsonbValue	v;
	int			i;

	v.type = jbvString;
	v.val.string.val = pstrdup(name);
	v.val.string.len = strlen(name);
	pushJsonbValue(&form->set, WJB_KEY, &v);
	pushJsonbValue(&form->set, WJB_BEGIN_OBJECT, NULL);
	for (i = from; i < to; i++)
		push_field(form, i);
	pushJsonbValue(&form->set, WJB_END_OBJECT, NULL);
}

/*
 * The one set that a form makes: names and addresses, and nothing else of what
 * identify() takes.
 */
static Jsonb *
form_set(ArrivalForm *form)
{
	form->set = NULL;
	pushJsonbValue(&form->set, WJB_BEGIN_ARRAY, NULL);
	pushJsonbValue(&form->set, WJB_BEGIN_OBJECT, NULL);
	push_fields(form, "identifiers", FORM_EMAIL, form->nfields);
	push_fields(form, "attributes", FORM_FIRST_NAME, FORM_EMAIL);
	pushJsonbValue(&form->set, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&form->set, WJB_END_ARRAY, NULL));
}

/* Refuse a form without an address. */
static void
require_address(const ArrivalForm *form)
{
	int			i;

	for (i = FORM_EMAIL; i < form->nfields; i++)
	{
		if (!form->fields[i].isnull)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("nothing identifies anybody"),
			 form->nfields > FORM_PHONE ?
			 errhint("Give an email address or a phone number.") :
			 errhint("Give an email address.")));
}

/* Make the contact of the first set once, and have it taken back. */
static bool
try_again_in_vain(void *arg)
{
	Identification *id = arg;
	int			first = 0;

	if (id->rounds++ > 0)
		return true;
	SPI_connect();
	(void) create_contacts(id, &first, 1);
	SPI_finish();
	return false;
}

/* The address is known: what a new one would meet first was not met. */
static bool
is_known(void *arg, const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION &&
		error->constraint_name != NULL &&
		(strcmp(error->constraint_name, "contact_email_key") == 0 ||
		 strcmp(error->constraint_name, "identifier_key_holder_key") == 0);
}

/*
 * Make a contact of the form's set, unless one is known, as the owner; returns
 * whether it was made.  To a caller who is not to learn that, the constraints
 * of users must not tell: what would refuse a new contact refuses a known one.
 */
static bool
create_unless_known(Identification *id, Jsonb * set, bool is_secret)
{
	Oid			save_userid;
	int			save_sec_context;
	bool		is_new;

	become_owner(&id->dir, &save_userid, &save_sec_context);
	parse_sets(id, set);
	identify_sets_now(id);
	is_new = id->sets[0].outcome == OUTCOME_CREATED;
	if (!is_new && is_secret)
	{
		id->rounds = 0;
		attempt_again(try_again_in_vain, is_known, id);
	}
	SetUserIdAndSecContext(save_userid, save_sec_context);
	return is_new;
}

/*
 * The error without what the caller may not read: the row that a constraint
 * refuses, and what code of the owner's was being run.  The log has the row.
 */
static void
rethrow_bare(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
		ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
	{
		if (error->detail_log == NULL)
			error->detail_log = error->detail;
		error->detail = NULL;
		error->hint = NULL;
	}
	error->context = NULL;
	error->internalquery = NULL;
	error->internalpos = 0;
	ReThrowError(error);
}

/* Open the directory for a form; the nest level ends with close_form(). */
static int
open_form(Identification *id, Relation rel)
{
	memset(id, 0, sizeof(*id));
	id->only_new = true;
	directory_open(&id->dir, rel);
	id->info = directory_info(rel);
	return begin_owner_path(&id->dir);
}

static void
close_form(Identification *id, Relation rel, int nestlevel)
{
	AtEOXact_GUC(true, nestlevel);
	directory_close(&id->dir);
	table_close(rel, NoLock);
}

/*
 * Make a contact of a form, whose fields are arguments from the second on,
 * unless one is known; was it made?
 */
static bool
take_form(Identification *id, FunctionCallInfo fcinfo, int nfields,
		  bool is_secret)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool is_new = false;
	ArrivalForm form;

	form.fields = &fcinfo->args[1];
	form.nfields = nfields;
	require_address(&form);
	PG_TRY();
	{
		is_new = create_unless_known(id, form_set(&form), is_secret);
	}
	PG_CATCH();
	{
		rethrow_bare(context);
	}
	PG_END_TRY();
	return is_new;
}

PG_FUNCTION_INFO_V1(capture_lead);

/*
 * contacts.capture_lead(identifier regclass, first_name, last_name, email,
 * phone, source): the caller learns nothing, and nobody who is known is
 * changed.
 */
Datum
capture_lead(PG_FUNCTION_ARGS)
{
	Identification id;
	Relation	rel;
	int			nestlevel;

	require_sibling(fcinfo->args[0], "contact", "last_seen_at");
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	nestlevel = open_form(&id, rel);
	if (!PG_ARGISNULL(5))
		(void) set_config_option("contacts.source",
								 text_to_cstring(PG_GETARG_TEXT_PP(5)),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	(void) take_form(&id, fcinfo, FORM_NFIELDS, true);
	close_form(&id, rel, nestlevel);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(register_contact);

/*
 * contacts.register_contact(identifier regclass, first_name, last_name, email,
 * verifier): only who is not known gets a credential without proof of the
 * address.  The contact was made by this call, so nobody else can have it.
 */
Datum
register_contact(PG_FUNCTION_ARGS)
{
	Identification id;
	Relation	rel;
	Relation	credential;
	Datum		values[2];
	int			nestlevel;
	bool		is_new;

	require_sibling(fcinfo->args[0], "credential", "verifier");
	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the verifier must not be null")));
	check_verifier(PG_GETARG_DATUM(4), NULL);
	rel = table_open(PG_GETARG_OID(0), RowExclusiveLock);
	nestlevel = open_form(&id, rel);
	is_new = take_form(&id, fcinfo, REGISTER_NFIELDS, false);
	credential = directory_sibling(&id.dir, rel, "credential");
	values[0] = Int64GetDatum(id.sets[0].contact_id);
	values[1] = PG_GETARG_DATUM(4);
	SPI_connect();
	if (!is_new || query_run(&id.dir, &insert_credential, values, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("the address is registered"),
				 errdetail("A contact is known by it."),
				 errhint("Have the person prove the address first, then write the credential."),
				 errtableconstraint(credential, "credential_pkey")));
	SPI_finish();
	table_close(credential, NoLock);
	close_form(&id, rel, nestlevel);
	PG_RETURN_DATUM(values[0]);
}
