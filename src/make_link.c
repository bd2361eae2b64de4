/*-------------------------------------------------------------------------
 *
 * make_link.c
 *	  relate(): a link, whether it is there or not (rule R2)
 *
 * The statements run as the caller's own, under his rights and policies.  One
 * statement cannot do it: an INSERT that meets a link which another session
 * has just committed returns no row, and its snapshot does not show it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "plan_cache.h"
#include "relationship.h"

/* Others that remove what was met cause a few; more: the link is hidden. */
#define LINK_ROUNDS 100

/* A link that is there is met on relationship_link_key alone. */
static const DirectoryQuery insert_link = {
	"INSERT INTO @relationship@ AS r (relationship_type_id, contact_id,"
	" related_contact_id, record_id, record_uuid, started_on, ended_on, note,"
	" is_primary) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	" ON CONFLICT (least(contact_id, related_contact_id),"
	"  greatest(contact_id, related_contact_id),"
	"  (CASE WHEN contact_id OPERATOR(pg_catalog.>) related_contact_id"
	"   THEN inverse_type_id ELSE relationship_type_id END),"
	"  record_id, record_uuid, started_on)"
	" WHERE NOT is_mirror DO NOTHING RETURNING r.id",
	9, {INT8OID, INT8OID, INT8OID, INT8OID, UUIDOID, DATEOID, DATEOID, TEXTOID,
	BOOLOID}, NULL, true
};

static const DirectoryQuery find_link = {
	"SELECT r.id FROM ONLY @relationship@ r"
	" WHERE r.contact_id OPERATOR(pg_catalog.=) $2"
	" AND r.relationship_type_id OPERATOR(pg_catalog.=) $1"
	" AND (r.related_contact_id OPERATOR(pg_catalog.=) $3"
	"  OR r.record_id OPERATOR(pg_catalog.=) $4"
	"  OR r.record_uuid OPERATOR(pg_catalog.=) $5)"
	" AND (r.started_on OPERATOR(pg_catalog.=) $6"
	"  OR r.started_on IS NULL AND $6 IS NULL)"
	" LIMIT 1",
	6, {INT8OID, INT8OID, INT8OID, INT8OID, UUIDOID, DATEOID}, NULL, true
};

/* The table relationship of a directory that the caller may insert into. */
static Relation
open_links(Oid relid)
{
	Relation	rel;

	/* who has no right must not hold others up */
	if (pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	rel = table_open(relid, RowExclusiveLock);
	if (strcmp(RelationGetRelationName(rel), "relationship") != 0 ||
		rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not the table relationship of a contact directory",
						RelationGetRelationName(rel)),
				 errtable(rel)));
	check_columns(rel, relationship_columns, RELATIONSHIP_NCOLUMNS);
	return rel;
}

/* Run the query; the id that it returns, if it returns one. */
static bool
fetch_id(Directory *dir, const DirectoryQuery *query, Datum *values,
		 const char *nulls, Datum *id)
{
	bool		isnull;

	if (query_run(dir, query, values, nulls) == 0)
		return false;
	*id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						&isnull);
	return true;
}

/* Make the link or find it, as the caller; he may see either. */
static Datum
make_or_find(Relation rel, Datum *values, const char *nulls)
{
	Directory	dir;
	Datum		id = (Datum) 0;
	int			rounds = 0;

	SPI_connect();
	directory_open(&dir, rel);
	while (!fetch_id(&dir, &insert_link, values, nulls, &id) &&
		   !fetch_id(&dir, &find_link, values, nulls, &id))
	{
		CHECK_FOR_INTERRUPTS();
		if (++rounds == LINK_ROUNDS)
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("the relationship exists already"),
					 errtableconstraint(rel, "relationship_link_key")));
	}
	directory_close(&dir);
	SPI_finish();
	return id;
}

/* The type of that name; P0002 if there is none. */
static const LinkType *
existing_type(Relation rel, Datum name)
{
	const LinkType *type = named_link_type(rel, name);

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no relationship type \"%s\"",
						TextDatumGetCString(name))));
	return type;
}

PG_FUNCTION_INFO_V1(make_link);

/*
 * contacts.make_link(relationship regclass, type, contact_id, target_id,
 * target_uuid, started_on, ended_on, note, is_primary): the id of the link's
 * row on the contact's side.  What target_id identifies, the type says.
 */
Datum
make_link(PG_FUNCTION_ARGS)
{
	Relation	rel;
	const LinkType *type;
	Datum		values[9];
	char		nulls[10] = "  nnn    ";
	Datum		id;
	int			target;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the type of a relationship must not be null")));
	rel = open_links(PG_GETARG_OID(0));
	type = existing_type(rel, PG_GETARG_DATUM(1));
	memset(values, 0, sizeof(values));
	values[0] = Int64GetDatum(type->id);
	values[1] = PG_GETARG_DATUM(2);
	nulls[1] = PG_ARGISNULL(2) ? 'n' : ' ';
	target = !PG_ARGISNULL(4) ? 4 :
		type->object_type_id == CONTACT_OBJECT_TYPE ? 2 : 3;
	if (!PG_ARGISNULL(4) || !PG_ARGISNULL(3))
	{
		values[target] = PG_GETARG_DATUM(target == 4 ? 4 : 3);
		nulls[target] = ' ';
	}
	for (i = 5; i < 9; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	id = make_or_find(rel, values, nulls);
	table_close(rel, NoLock);
	PG_RETURN_DATUM(id);
}
