/*-------------------------------------------------------------------------
 *
 * catalogue.c
 *	  what follows from changes of kinds and settings
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#include "columns.h"
#include "plan_cache.h"

static const DirectoryQuery add_main = {
	"INSERT INTO @identifier_slug@ (semantic_type, slug) VALUES ($1, 'main')"
	" ON CONFLICT DO NOTHING",
	1, {TEXTOID}, NULL
};

static const DirectoryQuery recompute_types = {
	"UPDATE ONLY @contact@ c SET contact_type = 'ghost'"
	" WHERE c.contact_type OPERATOR(pg_catalog.<>)"
	" contacts.compute_type(c.first_name, c.last_name, c.mononym,"
	" c.is_vendor, c.is_reachable, c.is_validated, $1)",
	1, {TEXTOID}, NULL
};

/* Run a query with one text column, named by an array, of the new row. */
static void
run_with_column(TriggerData *trigdata, HeapTuple tuple,
				const char *const *column, const DirectoryQuery *query,
				LOCKMODE lockmode)
{
	Directory	dir;
	Row			row;

	row_read(&row, trigdata->tg_relation, tuple, column, 1);
	SPI_connect();
	directory_open(&dir, trigdata->tg_relation);
	if (lockmode != NoLock)
		LockRelation(dir.contact, lockmode);
	query_run(&dir, query, row.values, NULL);
	directory_close(&dir);
	SPI_finish();
}

PG_FUNCTION_INFO_V1(semantic_type_add_main);

/* Every kind has a slug main (rule I5). */
Datum
semantic_type_add_main(PG_FUNCTION_ARGS)
{
	static const char *const name[] = {"name"};
	TriggerData *trigdata = check_trigger(fcinfo, "semantic_type_add_main",
										  CALL_AFTER | CALL_ROW | CALL_INSERT);

	run_with_column(trigdata, trigdata->tg_trigtuple, name, &add_main,
					NoLock);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(setting_derive);

/* The server knows the default time zone, when it is written. */
Datum
setting_derive(PG_FUNCTION_ARGS)
{
	static const char *const zone[] = {"default_time_zone"};
	TriggerData *trigdata = check_trigger(fcinfo, "setting_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	tuple = is_update ? trigdata->tg_newtuple :
	trigdata->tg_trigtuple;
	Row			new;
	Row			old;

	row_read(&new, trigdata->tg_relation, tuple, zone, 1);
	if (is_update)
		row_read(&old, trigdata->tg_relation, trigdata->tg_trigtuple, zone, 1);
	row_check_time_zone(&new, is_update ? &old : NULL, 0);
	return PointerGetDatum(tuple);
}

PG_FUNCTION_INFO_V1(setting_name_rule);

/*
 * Contact types follow the name rule (I6); contact's own trigger computes
 * them.  The lock makes sessions that still know the old rule finish first.
 */
Datum
setting_name_rule(PG_FUNCTION_ARGS)
{
	static const char *const name_rule[] = {"name_rule"};
	TriggerData *trigdata = check_trigger(fcinfo, "setting_name_rule",
										  CALL_AFTER | CALL_ROW | CALL_UPDATE);

	CacheInvalidateRelcache(trigdata->tg_relation);
	run_with_column(trigdata, trigdata->tg_newtuple, name_rule,
					&recompute_types, ShareRowExclusiveLock);
	return PointerGetDatum(NULL);
}
