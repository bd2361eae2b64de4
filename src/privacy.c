/*-------------------------------------------------------------------------
 *
 * privacy.c
 *	  legal holds, and lists of suppressed addresses taken over
 *
 * Who is under a legal hold is not deleted.  The foreign key of legal_hold
 * alone would do, but with the SQLSTATE of any foreign key; so a trigger looks
 * before it, with the contact's row locked: who enters a hold at the same time
 * waits there.
 *
 * Lists carry the states that stay behind when nobody holds an address.  They
 * never lower one that is known here: change_consent.c sees to that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "change_consent.h"
#include "consent.h"

static const DirectoryQuery find_hold = {
	"SELECT h.id FROM ONLY @legal_hold@ h"
	" WHERE h.contact_id OPERATOR(pg_catalog.=) $1 LIMIT 1",
	1, {INT8OID}, NULL
};

static const DirectoryQuery any_hold = {
	"SELECT h.id FROM ONLY @legal_hold@ h LIMIT 1",
	0, {0}, NULL
};

static const DirectoryQuery read_fingerprint = {
	"SELECT s.secret_fingerprint FROM ONLY @setting@ s",
	0, {0}, NULL
};

/* The contact that is deleted, or the table of holds that is truncated. */
static void
report_hold(Relation rel, Datum *contact)
{
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 contact != NULL ?
			 errmsg("contact %lld is under a legal hold",
					(long long) DatumGetInt64(*contact)) :
			 errmsg("legal holds cannot be truncated"),
			 contact != NULL ?
			 errhint("It can be deleted or erased when its rows in table legal_hold are gone.") :
			 errhint("Delete those that have ended."),
			 errtableconstraint(rel, "legal_hold")));
}

PG_FUNCTION_INFO_V1(legal_hold);

/*
 * BEFORE DELETE on contact: not while a legal hold names it.  BEFORE TRUNCATE
 * on legal_hold: not while it has rows.  Both raise 23001.
 */
Datum
legal_hold(PG_FUNCTION_ARGS)
{
	static const char *const columns[] = {"id"};
	TriggerData *trigdata = check_trigger(fcinfo, "legal_hold",
										  CALL_BEFORE | CALL_ROW |
										  CALL_STATEMENT | CALL_DELETE |
										  CALL_TRUNCATE);
	bool		is_row = TRIGGER_FIRED_FOR_ROW(trigdata->tg_event);
	Relation	rel = trigdata->tg_relation;
	Directory	dir;
	Row			row;
	bool		isnull;

	if (is_row)
		row_read(&row, rel, trigdata->tg_trigtuple, columns, 1);
	directory_open(&dir, rel);
	query_value(&dir, is_row ? &find_hold : &any_hold,
				is_row ? row.values : NULL, &isnull);
	if (!isnull)
		report_hold(rel, is_row ? row.values : NULL);
	directory_close(&dir);
	return PointerGetDatum(is_row ? trigdata->tg_trigtuple : NULL);
}

/* A list that is imported, open for who may change consent. */
typedef struct AddressList
{
	Relation	identifier;		/* table identifier, open */
	Directory	dir;			/* its directory */
	ConsentState state;			/* state of all on the list */
	Datum		reason;			/* text or (Datum) 0 */
	Datum		source;			/* text or (Datum) 0 */
	ConsentTarget *targets;		/* what is on it */
	int			n;				/* how many */
} AddressList;

/*
 * Open the directory of a table identifier for a list of that state; 22023 for
 * a state that does not stay behind, 42501 for who may not change consent.
 */
static void
list_open(AddressList *list, Oid relid, Datum state, Datum reason,
		  Datum source)
{
	list->state = parse_state(state, false);
	if (!state_stays_behind(list->state))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a suppression list does not carry the state \"%s\"",
						TextDatumGetCString(state)),
				 errhint("The state is suppressed or unsubscribed.")));
	list->reason = reason;
	list->source = source;
	list->n = 0;
	list->identifier = table_open(relid, AccessShareLock);
	require_identifier(list->identifier);
	require_consent_privilege(list->identifier);
	directory_open(&list->dir, list->identifier);
}

/* Add a target, for the reason and from the source of all. */
static void
list_add(AddressList *list, ConsentTarget *target)
{
	target->reason = list->reason;
	target->source = list->source;
	list->targets[list->n++] = *target;
}

/* Change the states; returns the number of distinct addresses. */
static int
list_import(AddressList *list)
{
	int			n;

	SPI_connect();
	n = change_states(&list->dir, list->state, (Datum) 0,
					  list->targets, list->n);
	SPI_finish();
	directory_close(&list->dir);
	table_close(list->identifier, NoLock);
	return n;
}

/* An argument that may be NULL, then (Datum) 0. */
static Datum
optional_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? (Datum) 0 : PG_GETARG_DATUM(arg);
}

PG_FUNCTION_INFO_V1(import_states);

/*
 * contacts.import_states(identifier regclass, addresses text[], state, reason,
 * source): what a directory's import_suppressions() calls.  Returns the number
 * of distinct addresses; 22P02 for one that is none.
 */
Datum
import_states(PG_FUNCTION_ARGS)
{
	AddressList list;
	DirectoryInfo *info;
	KeyMaker   *maker;
	Datum	   *elems;
	bool	   *nulls;
	int			nelems;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_INT32(0);
	list_open(&list, PG_GETARG_OID(0), PG_GETARG_DATUM(2),
			  optional_argument(fcinfo, 3), optional_argument(fcinfo, 4));
	info = directory_info(list.identifier);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false,
					  TYPALIGN_INT, &elems, &nulls, &nelems);
	list.targets = palloc0(sizeof(ConsentTarget) * (nelems + 1));
	maker = key_maker_create(info);
	for (i = 0; i < nelems; i++)
	{
		ConsentTarget target;

		if (nulls[i])
			continue;
		if (!read_target(info, maker, elems[i], &target))
			report_no_address(elems[i]);
		list_add(&list, &target);
	}
	key_maker_free(maker);
	PG_RETURN_INT32(list_import(&list));
}

/* Keys are good in directories that share a secret, and nowhere else. */
static void
check_fingerprint(AddressList *list, Datum fingerprint)
{
	bool		isnull;
	Datum		own;

	own = query_value(&list->dir, &read_fingerprint, NULL, &isnull);
	if (isnull || !texts_equal(own, fingerprint))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the keys are from a directory with another secret"),
				 errdetail("The fingerprint is not that of directory \"%s\".",
						   get_namespace_name(list->dir.nspid)),
				 errhint("Import the addresses instead.")));
}

PG_FUNCTION_INFO_V1(import_key_states);

/*
 * contacts.import_key_states(identifier regclass, semantic_type, keys uuid[],
 * fingerprint, state, reason, source): likewise for values of a kind that are
 * known by their keys alone, from a directory with the same secret.
 */
Datum
import_key_states(PG_FUNCTION_ARGS)
{
	AddressList list;
	ConsentTarget target = {0};
	Datum	   *elems;
	bool	   *nulls;
	int			nelems;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_INT32(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a list of keys needs its kind, fingerprint and state")));
	list_open(&list, PG_GETARG_OID(0), PG_GETARG_DATUM(4),
			  optional_argument(fcinfo, 5), optional_argument(fcinfo, 6));
	check_fingerprint(&list, PG_GETARG_DATUM(3));
	target.type = named_semantic_type(directory_info(list.identifier),
									  PG_GETARG_DATUM(1));
	if (target.type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown semantic type \"%s\"",
						TextDatumGetCString(PG_GETARG_DATUM(1)))));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), UUIDOID, UUID_LEN, false,
					  TYPALIGN_CHAR, &elems, &nulls, &nelems);
	list.targets = palloc0(sizeof(ConsentTarget) * (nelems + 1));
	for (i = 0; i < nelems; i++)
	{
		if (nulls[i])
			continue;
		target.key = *DatumGetUUIDP(elems[i]);
		list_add(&list, &target);
	}
	PG_RETURN_INT32(list_import(&list));
}

PG_FUNCTION_INFO_V1(erase_rows);

/*
 * contacts.erase_rows(statement, contact_id, keys): run a statement with these
 * two parameters, as whoever calls, over what is committed now.  Under
 * REPEATABLE READ and SERIALIZABLE it fails with 40001 where that is more than
 * the transaction sees, as the server's foreign keys do: an erasure must leave
 * nothing behind.  Returns the number of rows.
 */
Datum
erase_rows(PG_FUNCTION_ARGS)
{
	Oid			types[2] = {INT8OID, UUIDARRAYOID};
	Datum		values[2];
	char		nulls[2] = {' ', ' '};
	Snapshot	latest = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;
	SPIPlanPtr	plan;
	int64		nrows;

	values[0] = optional_argument(fcinfo, 1);
	values[1] = optional_argument(fcinfo, 2);
	nulls[0] = PG_ARGISNULL(1) ? 'n' : ' ';
	nulls[1] = PG_ARGISNULL(2) ? 'n' : ' ';
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	SPI_connect();
	plan = SPI_prepare(text_to_cstring(PG_GETARG_TEXT_PP(0)), 2, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	if (IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		latest = RegisterSnapshot(GetLatestSnapshot());
		crosscheck = GetTransactionSnapshot();
	}
	if (SPI_execute_snapshot(plan, values, nulls, latest, crosscheck,
							 false, true, 0) < 0)
		elog(ERROR, "SPI_execute_snapshot failed");
	nrows = (int64) SPI_processed;
	if (latest != InvalidSnapshot)
		UnregisterSnapshot(latest);
	SPI_finish();
	PG_RETURN_INT64(nrows);
}
