/*-------------------------------------------------------------------------
 *
 * journal.c
 *	  who wrote an entry of the journal of merges
 *
 * An undo does what the journal says.  So an entry bears the role that wrote it,
 * which nobody can choose, and is undone only by who could do no more than
 * that role: see contacts.lock_unmerged().  What it says is fixed by a guard.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "columns.h"

static const char *const journal_columns[] = {"role"};

enum
{
	JOURNAL_ROLE, JOURNAL_NCOLUMNS
};

PG_FUNCTION_INFO_V1(merge_journal_derive);

/* The role is that of whoever writes. */
Datum
merge_journal_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "merge_journal_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT);
	Row			row;

	row_read(&row, trigdata->tg_relation, trigdata->tg_trigtuple,
			 journal_columns, JOURNAL_NCOLUMNS);
	row_set(&row, JOURNAL_ROLE,
			CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)));
	return PointerGetDatum(row_tuple(&row));
}
