/*-------------------------------------------------------------------------
 *
 * register.c
 *	  triggers on the tables of others, made and dropped (rule R3)
 *
 * The owner of a table has its records related to contacts: the triggers are
 * made with the rights of the extension, as those of a directory are (see
 * attach.c), after it is sure that the caller owns the table.  Whoever owns
 * the directory may do away with them, as dropping the directory does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "attach.h"
#include "compat.h"

/* Run a query with two OIDs on what is committed now, and own changes. */
static void
query_catalogue(const char *query, Oid first, Oid second)
{
	Oid			types[2] = {OIDOID, OIDOID};
	Datum		values[2];

	values[0] = ObjectIdGetDatum(first);
	values[1] = ObjectIdGetDatum(second);
	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute_with_args(query, 2, types, values, NULL, true, 0)
		!= SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	PopActiveSnapshot();
}

/* The statements that arm the table. */
static List *
missing_statements(Oid object_type, Oid relid)
{
	List	   *statements = NIL;
	uint64		i;

	query_catalogue("SELECT statement FROM contacts.missing_record_triggers($1)"
					" WHERE registered OPERATOR(pg_catalog.=) $2",
					object_type, relid);
	for (i = 0; i < SPI_tuptable->numvals; i++)
		statements = lappend(statements,
							 SPI_getvalue(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1));
	return statements;
}

static void
require_owner(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	if (!compat_owns_relation(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
}

PG_FUNCTION_INFO_V1(arm_records);

/*
 * arm_records(object_type regclass, relation regclass) RETURNS integer
 *
 * Make the triggers that the table, which object_type names, lacks; enable
 * those that are disabled; how many.  Only for the owner of the table.
 */
Datum
arm_records(PG_FUNCTION_ARGS)
{
	Oid			object_type = PG_GETARG_OID(0);
	Oid			relid = PG_GETARG_OID(1);
	List	   *statements;

	require_owner(relid);
	LockRelationOid(relid, ShareRowExclusiveLock);
	require_owner(relid);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	statements = missing_statements(object_type, relid);
	run_as(function_owner(fcinfo->flinfo->fn_oid), InvalidOid, statements);

	/* A schema renamed while we were at it: another table got the triggers. */
	if (missing_statements(object_type, relid) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table \"%s\" changed while its triggers were made",
						get_rel_name(relid))));
	SPI_finish();
	PG_RETURN_INT32(list_length(statements));
}

PG_FUNCTION_INFO_V1(disarm_records);

/*
 * disarm_records(object_type regclass, relation regclass) RETURNS integer
 *
 * Drop the triggers that the table, with its partitions, has for the directory,
 * or those of all tables, if that is 0; how many.  For the owner of the
 * directory or the table.
 */
Datum
disarm_records(PG_FUNCTION_ARGS)
{
	Oid			object_type = PG_GETARG_OID(0);
	Oid			relid = PG_GETARG_OID(1);
	ObjectAddresses *triggers = new_object_addresses();
	int			n;
	int			i;

	if (!compat_owns_relation(object_type, GetUserId()))
		require_owner(OidIsValid(relid) ? relid : object_type);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	query_catalogue("SELECT t.id FROM contacts.record_triggers($1) t"
					" WHERE $2 OPERATOR(pg_catalog.=) 0::pg_catalog.oid"
					" OR t.relation OPERATOR(pg_catalog.=) $2"
					" OR t.relation OPERATOR(pg_catalog.=) ANY (ARRAY("
					"  SELECT p.relid::pg_catalog.oid"
					"  FROM pg_catalog.pg_partition_tree($2::pg_catalog.regclass) p))"
					" ORDER BY t.relation, t.id",
					object_type, relid);
	n = (int) SPI_tuptable->numvals;
	for (i = 0; i < n; i++)
	{
		ObjectAddress trigger;
		bool		isnull;

		ObjectAddressSet(trigger, TriggerRelationId,
						 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														SPI_tuptable->tupdesc,
														1, &isnull)));
		add_exact_object_address(&trigger, triggers);
	}
	performMultipleDeletions(triggers, DROP_RESTRICT,
							 PERFORM_DELETION_INTERNAL);
	free_object_addresses(triggers);
	SPI_finish();
	PG_RETURN_INT32(n);
}
