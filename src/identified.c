/*-------------------------------------------------------------------------
 *
 * identified.c
 *	  a contact is identified by something (rule I3)
 *
 * At least one of first_name, last_name, email, mobile_phone, or any row of
 * identifier.  The check is deferred: contact and token may come, and names
 * and identifiers may go, in several statements of a transaction.  It locks
 * the contact and looks at what is committed then, so that two sessions cannot
 * remove the last two identifiers, each counting on the other's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"

#include "columns.h"
#include "plan_cache.h"

static const DirectoryQuery lock_unnamed = {
	"SELECT c.id FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) $1"
	" AND c.first_name IS NULL AND c.last_name IS NULL"
	" AND c.email IS NULL AND c.mobile_phone IS NULL"
	" FOR NO KEY UPDATE",
	1, {INT8OID}, NULL
};

static const DirectoryQuery any_identifier = {
	"SELECT 1 FROM ONLY @identifier@ i"
	" WHERE i.contact_id OPERATOR(pg_catalog.=) $1 LIMIT 1",
	1, {INT8OID}, NULL
};

/* The id of the contact that the trigger's row is of. */
static Datum
contact_of(TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	Row			row;

	if (strcmp(trigdata->tg_trigger->tgname, "contact_is_identified") == 0)
	{
		row_read(&row, rel, TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
				 trigdata->tg_newtuple : trigdata->tg_trigtuple,
				 contact_columns, 1);
		return row.values[CONTACT_ID];
	}
	row_read(&row, rel, trigdata->tg_trigtuple, identifier_columns, 2);
	return row.values[IDENTIFIER_CONTACT_ID];
}

PG_FUNCTION_INFO_V1(contact_is_identified);

Datum
contact_is_identified(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "contact_is_identified",
										  CALL_AFTER | CALL_ROW | CALL_INSERT |
										  CALL_UPDATE | CALL_DELETE);
	Datum		id = contact_of(trigdata);
	Directory	dir;

	SPI_connect();
	directory_open(&dir, trigdata->tg_relation);
	/* lock first, then look with a new snapshot */
	if (query_run(&dir, &lock_unnamed, &id, NULL) > 0 &&
		query_run(&dir, &any_identifier, &id, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("contact %lld is not identified by anything",
						(long long) DatumGetInt64(id)),
				 errdetail("A contact has at least one of first_name, last_name, email, mobile_phone, or an identifier."),
				 errtableconstraint(dir.contact, "contact_is_identified")));
	directory_close(&dir);
	SPI_finish();
	return PointerGetDatum(NULL);
}
