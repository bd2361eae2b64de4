/*-------------------------------------------------------------------------
 *
 * suggestion.c
 *	  pairs of contacts that may be one person
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#include "columns.h"

static const char *const suggestion_columns[] = {
	"contact_id", "other_id", "created_at"
};
enum
{
	SUGGESTION_CONTACT_ID, SUGGESTION_OTHER_ID, SUGGESTION_CREATED_AT,
	SUGGESTION_NCOLUMNS
};

PG_FUNCTION_INFO_V1(merge_suggestion_derive);

/* The lower id comes first, so that a pair is entered once. */
Datum
merge_suggestion_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "merge_suggestion_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Row			row;

	row_read(&row, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 suggestion_columns, SUGGESTION_NCOLUMNS);
	if (!row.nulls[SUGGESTION_CONTACT_ID] && !row.nulls[SUGGESTION_OTHER_ID])
	{
		Datum		contact = row.values[SUGGESTION_CONTACT_ID];
		Datum		other = row.values[SUGGESTION_OTHER_ID];

		if (DatumGetInt64(contact) > DatumGetInt64(other))
		{
			row_set(&row, SUGGESTION_CONTACT_ID, other);
			row_set(&row, SUGGESTION_OTHER_ID, contact);
		}
	}
	if (row.nulls[SUGGESTION_CREATED_AT])
		row_set(&row, SUGGESTION_CREATED_AT,
				TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
	return PointerGetDatum(row_tuple(&row));
}
