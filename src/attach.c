/*
 * attach.c
 *		The triggers of a directory are made here, for whoever owns it.
 *
 * Making a trigger needs EXECUTE on its function, which PUBLIC does not have:
 * a trigger function on any table but its own could only do harm.  So that
 * every role may still have directories, attach_triggers() makes the triggers
 * with the rights of its own owner, after it has made sure that the tables
 * belong to the caller and look exactly as the extension made them: columns of
 * other types could bring operators and casts of their own into the conditions
 * of the triggers.  The statements come from contacts.model and name every
 * table with its schema; nothing of a directory is in search_path.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/tablecmds.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "attach.h"
#include "ddl_guard.h"

#define SECRET_LENGTH 32

PG_FUNCTION_INFO_V1(attach_triggers);
PG_FUNCTION_INFO_V1(new_secret);

/* The role that owns a function. */
Oid
function_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Run a query whose one parameter is the OID of the schema.  It sees what is
 * committed now: an old snapshot could show tables that are no longer so.
 */
static void
query_schema(const char *query, Oid schema)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(schema);

	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute_with_args(query, 1, &type, &value, NULL, true, 0)
		!= SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	PopActiveSnapshot();
}

/*
 * Lock the tables of the directory to the end of the transaction against every
 * other change of their definition, and against writers.  The caller owns
 * them, else 42501.
 */
static void
lock_tables(const char *directory, Oid schema)
{
	SPITupleTable *tables;
	uint64		i;

	query_schema("SELECT relation FROM contacts.model "
				 "WHERE kind = 'table' AND $1 IS NOT NULL ORDER BY relation",
				 schema);
	tables = SPI_tuptable;
	for (i = 0; i < tables->numvals; i++)
	{
		char	   *name = SPI_getvalue(tables->vals[i], tables->tupdesc, 1);
		RangeVar   *table = makeRangeVar(pstrdup(directory), name, -1);
		Oid			relation;

		relation = RangeVarGetRelidExtended(table, ShareRowExclusiveLock, 0,
											RangeVarCallbackOwnsRelation,
											NULL);
		if (get_rel_namespace(relation) != schema)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("schema \"%s\" was renamed meanwhile", directory)));
	}
}

/*
 * The statements that make what is missing of the directory's triggers, one
 * string for each trigger.
 */
static List *
missing_statements(Oid schema)
{
	List	   *statements = NIL;
	uint64		i;

	query_schema("SELECT statement FROM contacts.missing_triggers($1)", schema);
	for (i = 0; i < SPI_tuptable->numvals; i++)
		statements = lappend(statements,
							 SPI_getvalue(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1));
	return statements;
}

/*
 * Run statements as another role, which may make triggers.  In the directory,
 * if one is given, altered triggers are replaced, which the DDL guard lets
 * nobody else do.
 */
void
run_as(Oid role, Oid schema, List *statements)
{
	Oid			caller;
	int			context;

	GetUserIdAndSecContext(&caller, &context);
	SetUserIdAndSecContext(role, context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	ddl_guard_run(schema, statements);
	SetUserIdAndSecContext(caller, context);
}

/*
 * attach_triggers(directory text) RETURNS integer
 *
 * Make every trigger of the extension that the directory lacks, or has altered
 * or disarmed; the number of them.  Only for the owner of the tables.
 */
Datum
attach_triggers(PG_FUNCTION_ARGS)
{
	char	   *directory = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			schema = LookupExplicitNamespace(directory, false);
	List	   *statements;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	lock_tables(directory, schema);
	query_schema("SELECT contacts.check_shape($1)", schema);
	statements = missing_statements(schema);
	run_as(function_owner(fcinfo->flinfo->fn_oid), schema, statements);

	/* A schema renamed while we were at it: other tables got the triggers. */
	if (missing_statements(schema) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("directory \"%s\" changed while its triggers were made",
						directory)));
	SPI_finish();
	PG_RETURN_INT32(list_length(statements));
}

/* new_secret() RETURNS bytea: strong random bytes. */
Datum
new_secret(PG_FUNCTION_ARGS)
{
	bytea	   *secret = palloc(VARHDRSZ + SECRET_LENGTH);

	SET_VARSIZE(secret, VARHDRSZ + SECRET_LENGTH);
	if (!pg_strong_random(VARDATA(secret), SECRET_LENGTH))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random secret")));
	PG_RETURN_BYTEA_P(secret);
}
