/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  helpers of a directory's SQL functions, where an error must be raised
 *	  or a lock taken
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attempt.h"
#include "columns.h"
#include "plan_cache.h"
#include "resolve.h"
#include "visibility.h"

static const DirectoryQuery find_holder = {
	"SELECT i.contact_id FROM ONLY @identifier@ i"
	" WHERE i.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

static const DirectoryQuery lock_contact = {
	"SELECT c.id FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
	1, {INT8OID}, NULL
};

static const DirectoryQuery read_identifier = {
	"SELECT i.semantic_type, i.value, i.slug, m.id FROM ONLY @identifier@ i"
	" LEFT JOIN ONLY @identifier@ m"
	"  ON m.contact_id OPERATOR(pg_catalog.=) i.contact_id"
	"  AND " KIND_OF("m") " OPERATOR(pg_catalog.=) i.semantic_type"
	"  AND m.slug OPERATOR(pg_catalog.=) 'main'"
	" WHERE i.id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}, NULL
};

static const DirectoryQuery promote_email = {
	"UPDATE ONLY @contact@ c SET email = $2::contacts.email"
	" WHERE c.id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, TEXTOID}, NULL
};

static const DirectoryQuery promote_phone = {
	"UPDATE ONLY @contact@ c SET mobile_phone = $2::contacts.phone"
	" WHERE c.id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, TEXTOID}, NULL
};

static const DirectoryQuery set_slug = {
	"UPDATE ONLY @identifier@ i SET slug = $2"
	" WHERE i.id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, TEXTOID}, NULL
};

PG_FUNCTION_INFO_V1(only_contact);

/*
 * contacts.only_contact(ids): the one contact of a look-up, NULL if there is
 * none, P0003 with the ids if there are several.
 */
Datum
only_contact(PG_FUNCTION_ARGS)
{
	ArrayType  *array;
	Datum	   *ids;
	bool	   *nulls;
	int			n;
	int			i;
	StringInfoData list;

	array = PG_GETARG_ARRAYTYPE_P(0);
	deconstruct_array(array, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &ids, &nulls, &n);
	if (n == 0 || (n == 1 && nulls[0]))
		PG_RETURN_NULL();
	if (n == 1)
		PG_RETURN_DATUM(ids[0]);
	initStringInfo(&list);
	for (i = 0; i < n; i++)
		appendStringInfo(&list, i == 0 ? "%lld" : ", %lld",
						 (long long) DatumGetInt64(ids[i]));
	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_ROWS),
			 errmsg("the identifier is shared by %d contacts", n),
			 errdetail("Contacts: %s.", list.data),
			 errhint("find_contacts() returns them all.")));
	PG_RETURN_NULL();			/* keep compiler quiet */
}

PG_FUNCTION_INFO_V1(existing_contact);

/* contacts.existing_contact(id): the id, or P0002 if it is NULL. */
Datum
existing_contact(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no such contact")));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* The id of what is looked up by name, or P0002 if it is NULL. */
static Datum
existing_named(FunctionCallInfo fcinfo, const char *what)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 PG_ARGISNULL(1) ? errmsg("the %s must not be null", what) :
				 errmsg("there is no %s \"%s\"", what,
						TextDatumGetCString(PG_GETARG_DATUM(1)))));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(existing_topic);

/* contacts.existing_topic(id, name) */
Datum
existing_topic(PG_FUNCTION_ARGS)
{
	return existing_named(fcinfo, "topic");
}

PG_FUNCTION_INFO_V1(existing_template);

/* contacts.existing_template(id, name) */
Datum
existing_template(PG_FUNCTION_ARGS)
{
	return existing_named(fcinfo, "template");
}

/*
 * Open the directory of a table identifier, for a caller who may update the
 * column, or any if column is NULL.
 */
static void
open_for_update(Directory *dir, Oid relid, const char *column)
{
	Relation	rel;

	if (column != NULL)
		require_column_privilege(relid, column, ACL_UPDATE);
	else if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK &&
			 pg_attribute_aclcheck_all(relid, GetUserId(), ACL_UPDATE,
									   ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	rel = table_open(relid, RowExclusiveLock);
	require_identifier(rel);
	directory_open(dir, rel);
	table_close(rel, NoLock);
}

/* Raise P0002. */
void
report_unheld(Datum id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no contact holds identifier %lld",
					(long long) DatumGetInt64(id))));
}

/* The contact that is to be locked, and the identifier it should hold. */
typedef struct HolderLock
{
	Directory  *dir;
	Datum		id;
	Datum		holder;
	bool		is_unheld;
} HolderLock;

/* Lock who holds the identifier; false if it changed hands meanwhile. */
static bool
try_lock_holder(void *arg)
{
	HolderLock *lock = arg;
	Datum		now;
	bool		isnull;

	lock->holder = query_value(lock->dir, &find_holder, &lock->id,
							   &lock->is_unheld);
	if (lock->is_unheld)
		return true;
	query_value(lock->dir, &lock_contact, &lock->holder, &isnull);
	now = query_value(lock->dir, &find_holder, &lock->id, &isnull);
	return !isnull && now == lock->holder;
}

/*
 * Lock the contact that holds the identifier, so that locks are taken in the
 * order of the triggers; false if nobody holds it.
 */
bool
lock_holder_if_any(Directory *dir, Datum id, Datum *holder)
{
	HolderLock	lock;

	lock.dir = dir;
	lock.id = id;
	attempt_until_done(try_lock_holder, &lock);
	*holder = lock.holder;
	return !lock.is_unheld;
}

/* The same for a caller who may update the identifier; P0002 if nobody does. */
static Datum
lock_holder_of(Directory *dir, Datum id)
{
	Datum		holder;

	/* one that row security hides is one that there is not */
	if (!lock_holder_if_any(dir, id, &holder) ||
		!may_update_rows(dir->identifier, "id OPERATOR(pg_catalog.=) $1",
						 INT8OID, id))
		report_unheld(id);
	return holder;
}

PG_FUNCTION_INFO_V1(lock_holder);

/*
 * contacts.lock_holder(identifier regclass, id): lock the contact that holds
 * the identifier, and return the identifier's id.  P0002 if nobody holds it.
 */
Datum
lock_holder(PG_FUNCTION_ARGS)
{
	Directory	dir;
	Datum		id = PG_GETARG_DATUM(1);

	open_for_update(&dir, PG_GETARG_OID(0), NULL);
	lock_holder_of(&dir, id);
	directory_close(&dir);
	PG_RETURN_DATUM(id);
}

/* Exchange the slugs of an identifier and the main one of its kind. */
static void
exchange_slugs(Directory *dir, Datum id, Datum slug, bool has_slug,
			   Datum main_id, bool has_main)
{
	Datum		values[2];

	values[1] = CStringGetTextDatum("main");
	if (has_main)
	{
		values[0] = main_id;
		query_run(dir, &set_slug, values, " n");
	}
	values[0] = id;
	query_run(dir, &set_slug, values, NULL);
	if (has_main && has_slug)
	{
		values[0] = main_id;
		values[1] = slug;
		query_run(dir, &set_slug, values, NULL);
	}
}

PG_FUNCTION_INFO_V1(promote_identifier);

/*
 * contacts.promote_identifier(identifier regclass, id): make it the main one
 * of its kind (rule I4); the former main one takes its slug.  Returns the
 * contact.
 */
Datum
promote_identifier(PG_FUNCTION_ARGS)
{
	Directory	dir;
	Datum		values[2];
	Datum		contact;
	HeapTuple	tuple;
	TupleDesc	desc;
	Datum		type;
	Datum		slug;
	Datum		main_id;
	bool		isnull;
	bool		no_slug;
	bool		no_main;

	open_for_update(&dir, PG_GETARG_OID(0), "slug");
	values[0] = PG_GETARG_DATUM(1);
	contact = lock_holder_of(&dir, values[0]);
	SPI_connect();
	query_run(&dir, &read_identifier, values, NULL);
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	type = SPI_getbinval(tuple, desc, 1, &isnull);
	values[1] = SPI_getbinval(tuple, desc, 2, &isnull);
	slug = SPI_getbinval(tuple, desc, 3, &no_slug);
	main_id = SPI_getbinval(tuple, desc, 4, &no_main);
	if (text_is(type, "email") || text_is(type, "phone"))
	{
		values[0] = contact;
		query_run(&dir, text_is(type, "email") ?
				  &promote_email : &promote_phone, values, NULL);
	}
	else if (no_main || main_id != values[0])
		exchange_slugs(&dir, values[0], slug, !no_slug, main_id, !no_main);
	SPI_finish();
	directory_close(&dir);
	PG_RETURN_DATUM(contact);
}
