/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  type relation: a regclass that survives the table's absence
 *
 * A dump of a directory names the tables whose records contacts are related
 * to.  Where such a table does not exist, regclass would refuse the row and
 * with it every relationship; this type reads the name as 0, shown as "-", and
 * contacts.register_object() points the object type at a table again.  It is
 * an oid like regclass, so that renames are followed.  Its text always names
 * the schema, and its binary form is that text: a subscriber has another
 * search_path and other oids.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

#include "compat.h"

/*
 * The table of that name, or 0; what is no name raises an error, or notes it in
 * escontext.
 */
static Oid
read_relation(char *name, Node *escontext)
{
	List	   *names;

	/* a number is not a name: an oid means nothing in another database */
	if (*name >= '0' && *name <= '9')
		return InvalidOid;
	names = compat_split_name(name, escontext);
	if (names == NIL)
		return InvalidOid;
	return RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
}

/* Its name with the schema, "-" if there is no such table. */
static char *
write_relation(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *nspname = name == NULL ? NULL :
	get_namespace_name(get_rel_namespace(relid));

	if (nspname == NULL)
		return pstrdup("-");
	return quote_qualified_identifier(nspname, name);
}

PG_FUNCTION_INFO_V1(relation_in);

Datum
relation_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(read_relation(PG_GETARG_CSTRING(0), fcinfo->context));
}

PG_FUNCTION_INFO_V1(relation_out);

Datum
relation_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(write_relation(PG_GETARG_OID(0)));
}

PG_FUNCTION_INFO_V1(relation_recv);

Datum
relation_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			nbytes;
	char	   *name = pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);

	PG_RETURN_OID(read_relation(name, NULL));
}

PG_FUNCTION_INFO_V1(relation_send);

Datum
relation_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	char	   *name = write_relation(PG_GETARG_OID(0));

	pq_begintypsend(&buf);
	pq_sendtext(&buf, name, strlen(name));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
