/*-------------------------------------------------------------------------
 *
 * ddl_gate.c
 *	  the DDL that functions of the extension run on a directory
 *
 * A directory is dropped, detached and renamed by its owner, through functions
 * that check first.  The last step of each is here, for the DDL guard lets
 * only C code through: a function that ran any statement, or a setting, would
 * be a way round the guard.  Each call goes the whole way and leaves no
 * directory behind that lacks but its triggers.  The statements come from the
 * extension, name every object with its schema and run with the caller's
 * rights.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "ddl_guard.h"

PG_FUNCTION_INFO_V1(drop_tables);
PG_FUNCTION_INFO_V1(detach_tables);
PG_FUNCTION_INFO_V1(rename_schema);

/* The one column of a query whose one parameter is the schema. */
static List *
read_statements(const char *query, Oid schema)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(schema);
	List	   *statements = NIL;
	uint64		i;

	if (SPI_execute_with_args(query, 1, &type, &value, NULL, true, 0)
		!= SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	for (i = 0; i < SPI_tuptable->numvals; i++)
		statements = lappend(statements,
							 SPI_getvalue(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1));
	return statements;
}

/*
 * Run statements of the extension on the directory, unguarded.  For C code
 * that lets nobody choose them.
 */
void
ddl_guard_run(Oid schema, List *statements)
{
	Oid			former = ddl_guard_open(schema);

	PG_TRY();
	{
		ListCell   *cell;

		foreach(cell, statements)
		{
			int			result = SPI_execute(lfirst(cell), false, 0);

			if (result < 0)
				elog(ERROR, "could not run \"%s\": %s", (char *) lfirst(cell),
					 SPI_result_code_string(result));
		}
	}
	PG_FINALLY();
	{
		ddl_guard_open(former);
	}
	PG_END_TRY();
}

/*
 * drop_tables(directory oid, everything boolean)
 *
 * Drop the schema of a directory, with its tables alone or with everything.
 */
Datum
drop_tables(PG_FUNCTION_ARGS)
{
	Oid			schema = PG_GETARG_OID(0);

	SPI_connect();
	ddl_guard_run(schema,
				  read_statements(PG_GETARG_BOOL(1) ?
								  "SELECT pg_catalog.format('DROP SCHEMA %I CASCADE', n.nspname)"
								  " FROM pg_catalog.pg_namespace n"
								  " WHERE n.oid OPERATOR(pg_catalog.=) $1" :
								  "SELECT contacts.drop_statements($1)",
								  schema));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * detach_tables(directory oid)
 *
 * Take the triggers and the types of the extension out of a directory, both
 * in one: without the types no function attaches the triggers again.
 */
Datum
detach_tables(PG_FUNCTION_ARGS)
{
	Oid			schema = PG_GETARG_OID(0);

	SPI_connect();
	ddl_guard_run(schema,
				  read_statements("SELECT contacts.detach_statements($1)",
								  schema));
	SPI_finish();
	PG_RETURN_VOID();
}

/* rename_schema(directory oid, new_name text) */
Datum
rename_schema(PG_FUNCTION_ARGS)
{
	Oid			schema = PG_GETARG_OID(0);
	char	   *name = get_namespace_name(schema);
	StringInfoData statement;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", schema)));
	SPI_connect();
	initStringInfo(&statement);
	appendStringInfo(&statement, "ALTER SCHEMA %s RENAME TO %s",
					 quote_identifier(name),
					 quote_identifier(text_to_cstring(PG_GETARG_TEXT_PP(1))));
	ddl_guard_run(schema, list_make1(statement.data));
	SPI_finish();
	PG_RETURN_VOID();
}
