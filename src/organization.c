/*-------------------------------------------------------------------------
 *
 * organization.c
 *	  contacts carry the name of their organization (rule I9)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#include "columns.h"
#include "plan_cache.h"

static const char *const organization_columns[] = {
	"id", "name", "created_at", "updated_at"
};
enum
{
	ORGANIZATION_ID, ORGANIZATION_NAME, ORGANIZATION_CREATED_AT,
	ORGANIZATION_UPDATED_AT, ORGANIZATION_NCOLUMNS
};

static const DirectoryQuery rename_organization = {
	"UPDATE ONLY @contact@ c SET organization_name = $2"
	" WHERE c.organization_id OPERATOR(pg_catalog.=) $1"
	" AND (c.organization_name OPERATOR(pg_catalog.=) $2) IS NOT TRUE",
	2, {INT8OID, TEXTOID}, NULL
};

PG_FUNCTION_INFO_V1(organization_derive);

Datum
organization_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "organization_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	Row			row;

	row_read(&row, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 organization_columns, ORGANIZATION_NCOLUMNS);
	if (!row.nulls[ORGANIZATION_NAME] &&
		is_blank(row.values[ORGANIZATION_NAME]))
		row_set_null(&row, ORGANIZATION_NAME);	/* refused as missing */
	if (row.nulls[ORGANIZATION_CREATED_AT])
		row_set(&row, ORGANIZATION_CREATED_AT, now);
	if (is_update || row.nulls[ORGANIZATION_UPDATED_AT])
		row_set(&row, ORGANIZATION_UPDATED_AT, now);
	return PointerGetDatum(row_tuple(&row));
}

PG_FUNCTION_INFO_V1(organization_rename);

/*
 * AFTER UPDATE ROW: one statement per renamed organization.  A contact that is
 * being inserted holds a share lock on the organization: the rename waits for
 * it and then sees it.
 */
Datum
organization_rename(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "organization_rename",
										  CALL_AFTER | CALL_ROW | CALL_UPDATE);
	Directory	dir;
	Row			row;
	Datum		values[2];

	row_read(&row, trigdata->tg_relation, trigdata->tg_newtuple,
			 organization_columns, ORGANIZATION_NCOLUMNS);
	row_require(&row, ORGANIZATION_NAME);
	values[0] = row.values[ORGANIZATION_ID];
	values[1] = row.values[ORGANIZATION_NAME];
	SPI_connect();
	directory_open(&dir, trigdata->tg_relation);
	query_run(&dir, &rename_organization, values, NULL);
	directory_close(&dir);
	SPI_finish();
	return PointerGetDatum(NULL);
}
