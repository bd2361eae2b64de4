/*-------------------------------------------------------------------------
 *
 * import.c
 *	  what import_contacts() cannot say in SQL
 *
 * input_error() tells what the server would say to a text as a value of some
 * type.  An import asks this of values from files before it casts them, so
 * that a value that is refused costs its row and not the statement.  Soft
 * errors do not do: they came with 16, and not every type, domain check or
 * user's type raises its errors softly.  A subtransaction without a write costs
 * about a microsecond.
 *
 * The setting contacts.source is the default of identifier.source, so that
 * identifiers bear their source from the start, whoever inserts them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"

#include "import.h"

/* The input function of the type asked for last, kept in fn_extra. */
typedef struct InputFunction
{
	Oid			type;			/* whose input function it is */
	Oid			ioparam;		/* second argument of the function */
	FmgrInfo	function;		/* the function */
} InputFunction;

static char *source_setting = NULL; /* contacts.source */

PG_FUNCTION_INFO_V1(input_error);

/* Defines the setting contacts.source. */
void
import_init(void)
{
	DefineCustomStringVariable("contacts.source",
							   "Source of the identifiers that are made.",
							   "The default of column \"source\" of table \"identifier\".",
							   &source_setting, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
}

/*
 * The input function of a type, looked up once per query and type.
 */
static InputFunction *
find_input_function(FmgrInfo *caller, Oid type)
{
	InputFunction *input = caller->fn_extra;

	if (input == NULL)
	{
		input = MemoryContextAllocZero(caller->fn_mcxt, sizeof(*input));
		caller->fn_extra = input;
	}
	if (input->type != type)
	{
		Oid			function;

		input->type = InvalidOid;
		getTypeInputInfo(type, &function, &input->ioparam);
		fmgr_info_cxt(function, &input->function, caller->fn_mcxt);
		input->type = type;
	}
	return input;
}

/*
 * Does the error speak of the value?  Others (cancelled, out of memory, disk
 * full, internal) go on to the caller.
 */
static bool
is_about_value(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		category == ERRCODE_INVALID_SCHEMA_NAME ||
		category == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
		category == ERRCODE_FEATURE_NOT_SUPPORTED ||
		category == ERRCODE_PLPGSQL_ERROR;
}

/*
 * Give a text to a type's input function, in a subtransaction that leaves
 * nothing behind.  NULL if it is taken, else the error, in the caller's memory.
 */
static ErrorData *
try_input(InputFunction *input, char *value, int32 typmod)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		(void) InputFunctionCall(&input->function, value, input->ioparam,
								 typmod);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * input_error(value text, type oid, typmod integer) returns text[]
 * NULL if the type takes the value, else SQLSTATE and message of its refusal.
 */
Datum
input_error(PG_FUNCTION_ARGS)
{
	char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(0));
	InputFunction *input = find_input_function(fcinfo->flinfo,
											   PG_GETARG_OID(1));
	ErrorData  *error = try_input(input, value, PG_GETARG_INT32(2));
	Datum		parts[2];

	if (error == NULL)
		PG_RETURN_NULL();
	if (!is_about_value(error))
		ReThrowError(error);
	parts[0] = CStringGetTextDatum(unpack_sql_state(error->sqlerrcode));
	parts[1] = CStringGetTextDatum(error->detail == NULL ? error->message :
								   psprintf("%s (%s)", error->message,
											error->detail));
	PG_RETURN_ARRAYTYPE_P(construct_array(parts, 2, TEXTOID, -1, false,
										  TYPALIGN_INT));
}
