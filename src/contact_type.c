/*-------------------------------------------------------------------------
 *
 * contact_type.c
 *	  what makes a contact a ghost, a lead, a contact or a vendor (rule I6)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "columns.h"
#include "contact_type.h"

/*
 * The rule.  A name is first and last name, both; where any_name (setting
 * name_rule = any) or for a mononym, either is one.
 */
const char *
contact_type_of(bool has_first_name, bool has_last_name, bool mononym,
				bool is_vendor, bool is_reachable, bool is_validated,
				bool any_name)
{
	bool		has_name = any_name || mononym ?
	has_first_name || has_last_name : has_first_name && has_last_name;

	if (is_vendor)
		return "vendor";
	if (!has_name || !is_reachable)
		return "ghost";
	return is_validated ? "contact" : "lead";
}

/* Is the argument a name: neither NULL nor blank? */
static bool
is_name(FunctionCallInfo fcinfo, int arg)
{
	return !PG_ARGISNULL(arg) && !is_blank(PG_GETARG_DATUM(arg));
}

/* A boolean argument; NULL is false. */
static bool
is_true(FunctionCallInfo fcinfo, int arg)
{
	return !PG_ARGISNULL(arg) && PG_GETARG_BOOL(arg);
}

PG_FUNCTION_INFO_V1(compute_type);

/*
 * contacts.compute_type(first_name, last_name, mononym, is_vendor,
 * is_reachable, is_validated, name_rule): the rule for SQL.
 */
Datum
compute_type(PG_FUNCTION_ARGS)
{
	bool		any_name = !PG_ARGISNULL(6) &&
	text_is(PG_GETARG_DATUM(6), "any");

	if (!PG_ARGISNULL(6) && !any_name && !text_is(PG_GETARG_DATUM(6), "both"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown name rule \"%s\"",
						TextDatumGetCString(PG_GETARG_DATUM(6))),
				 errhint("The name rules are \"both\" and \"any\".")));
	PG_RETURN_TEXT_P(cstring_to_text(contact_type_of(is_name(fcinfo, 0),
													 is_name(fcinfo, 1),
													 is_true(fcinfo, 2),
													 is_true(fcinfo, 3),
													 is_true(fcinfo, 4),
													 is_true(fcinfo, 5),
													 any_name)));
}
