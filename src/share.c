/*-------------------------------------------------------------------------
 *
 * share.c
 *	  who makes a contact may see and edit it
 *
 * Under the row security of contacts.enable_row_security() a contact is seen
 * by whom it is shared with.  Whoever inserts one gets such a share with the
 * statement, unless the whole directory is shared with him for editing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "columns.h"
#include "plan_cache.h"
#include "visibility.h"

/* Contacts that are shared by one query. */
#define SHARE_CHUNK 1000

static const DirectoryQuery insert_shares = {
	"INSERT INTO @contact_share@ (contact_id, role, may_edit)"
	" SELECT n.id, n.role::pg_catalog.name, true FROM @rows@"
	" ON CONFLICT DO NOTHING",
	2, {INT8OID, TEXTOID}, "id, role"
};

/* Share the rows of the transition table with the role. */
static void
share_inserted(Relation rel, Tuplestorestate *inserted, Datum role)
{
	static const char *const id[] = {"id"};
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsMinimalTuple);
	Directory	dir;
	Batch	   *batch = batch_create(&insert_shares, SHARE_CHUNK);
	AttrNumber	attnum;

	find_columns(rel, id, 1, &attnum);
	SPI_connect();
	directory_open(&dir, rel);
	/* others may have read the transition table before us */
	tuplestore_select_read_pointer(inserted, 0);
	tuplestore_rescan(inserted);
	while (tuplestore_gettupleslot(inserted, true, false, slot))
	{
		Datum		values[2];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		values[0] = slot_getattr(slot, attnum, &isnull);
		values[1] = role;
		batch_add(batch, values, NULL);
		if (batch->nrows == batch->capacity)
		{
			batch_run(&dir, batch);
			batch->nrows = 0;
		}
	}
	batch_run(&dir, batch);
	ExecDropSingleTupleTableSlot(slot);
	directory_close(&dir);
	SPI_finish();
}

PG_FUNCTION_INFO_V1(contact_share);

/* AFTER INSERT STATEMENT on contact. */
Datum
contact_share(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "contact_share",
										  CALL_AFTER | CALL_STATEMENT |
										  CALL_INSERT);
	Relation	rel = trigdata->tg_relation;

	if (!is_secured(rel))
		return PointerGetDatum(NULL);
	if (trigdata->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" needs a transition table",
						trigdata->tg_trigger->tgname),
				 errtable(rel)));
	if (tuplestore_tuple_count(trigdata->tg_newtable) > 0 &&
		!edits_all_contacts(RelationGetRelid(rel)))
		share_inserted(rel, trigdata->tg_newtable,
					   CStringGetTextDatum(GetUserNameFromId(GetUserId(),
															 false)));
	return PointerGetDatum(NULL);
}
