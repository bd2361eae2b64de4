/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  type relation: a regclass that survives the table's absence
 *
 * A dump of a directory names the tables whose records contacts are related
 * to.  Where such a table does not exist, regclass would refuse the row and
 * with it every relationship; this type reads the name as 0, shown as "-", and
 * contacts.register_object() points the object type at a table again.  It is
 * an oid like regclass, so that renames are followed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(relation_in);

/* The table of that name, or 0; a number is an oid, as for regclass. */
Datum
relation_in(PG_FUNCTION_ARGS)
{
	char	   *name = PG_GETARG_CSTRING(0);
	Datum		name_text = CStringGetTextDatum(name);

	LOCAL_FCINFO(call, 1);
	Datum		result;

	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = name_text;
	call->args[0].isnull = false;
	result = to_regclass(call);
	PG_RETURN_OID(call->isnull ? InvalidOid : DatumGetObjectId(result));
}

PG_FUNCTION_INFO_V1(relation_out);

/* The name as regclass shows it. */
Datum
relation_out(PG_FUNCTION_ARGS)
{
	return regclassout(fcinfo);
}

PG_FUNCTION_INFO_V1(relation_recv);

Datum
relation_recv(PG_FUNCTION_ARGS)
{
	return oidrecv(fcinfo);
}

PG_FUNCTION_INFO_V1(relation_send);

Datum
relation_send(PG_FUNCTION_ARGS)
{
	return oidsend(fcinfo);
}
