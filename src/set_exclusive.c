/*-------------------------------------------------------------------------
 *
 * set_exclusive.c
 *	  a kind of identifiers becomes exclusive or shared (rules I2, I10)
 *
 * The state of an exclusive value stands in its holder's row (holder 0), that
 * of a shared value in a row of its own (holder 0, no contact), for rows of its
 * holders have none.  So a change folds the two into one, or splits them; the
 * row with the state always survives, as the guards want it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/tablecmds.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "columns.h"
#include "directory.h"
#include "guard.h"
#include "plan_cache.h"

static const DirectoryQuery find_shared = {
	"SELECT pg_catalog.min(i.value), pg_catalog.string_agg("
	"  i.contact_id::pg_catalog.text, ', ' ORDER BY i.contact_id)"
	" FROM ONLY @identifier@ i"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	"  AND i.contact_id IS NOT NULL"
	" GROUP BY i.key HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1"
	" ORDER BY 1 LIMIT 1",
	1, {TEXTOID}, NULL
};

static const DirectoryQuery set_type = {
	"UPDATE ONLY @semantic_type@ SET is_exclusive = $2"
	" WHERE name OPERATOR(pg_catalog.=) $1",
	2, {TEXTOID, BOOLOID}, NULL
};

/* Holders' rows whose value has a state row, which is to replace them. */
static const DirectoryQuery find_holders = {
	"SELECT s.id, i.contact_id, i.semantic_type, i.slug, i.value,"
	" i.validated_at, i.validation_method::pg_catalog.text, i.source,"
	" i.is_outreach, i.created_at"
	" FROM ONLY @identifier@ i JOIN ONLY @identifier@ s"
	"  ON s.key OPERATOR(pg_catalog.=) i.key"
	"  AND s.holder OPERATOR(pg_catalog.=) 0"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.>) 0",
	1, {TEXTOID}, NULL
};

/* They give up their slugs first, and go when the state rows are held. */
static const DirectoryQuery unlabel_holders = {
	"UPDATE ONLY @identifier@ i SET slug = NULL"
	" FROM ONLY @identifier@ s"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.>) 0"
	" AND s.key OPERATOR(pg_catalog.=) i.key"
	" AND s.holder OPERATOR(pg_catalog.=) 0",
	1, {TEXTOID}, NULL
};

static const DirectoryQuery remove_holders = {
	"DELETE FROM ONLY @identifier@ i USING ONLY @identifier@ s"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	" AND i.holder OPERATOR(pg_catalog.>) 0"
	" AND s.key OPERATOR(pg_catalog.=) i.key"
	" AND s.holder OPERATOR(pg_catalog.=) 0",
	1, {TEXTOID}, NULL
};

/* Holders' rows that bear a state, which is to stand alone. */
static const DirectoryQuery find_states = {
	"SELECT i.id, i.contact_id, i.semantic_type, i.slug, i.value,"
	" i.validated_at, i.validation_method::pg_catalog.text, i.source,"
	" i.is_outreach, i.created_at"
	" FROM ONLY @identifier@ i"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	" AND i.contact_id IS NOT NULL"
	" AND i.status OPERATOR(pg_catalog.<>) 'not_opted_in'",
	1, {TEXTOID}, NULL
};

#define MOVED_COLUMNS 10
#define MOVED_TYPES \
	{INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, \
	 TEXTOID, BOOLOID, TIMESTAMPTZOID}
#define MOVED_NAMES \
	"id, contact_id, semantic_type, slug, value, validated_at, method," \
	" source, is_outreach, created_at"

static const DirectoryQuery hold_states = {
	"UPDATE ONLY @identifier@ i SET contact_id = n.contact_id, slug = n.slug,"
	" value = n.value, source = n.source, is_outreach = n.is_outreach,"
	" created_at = n.created_at"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id",
	MOVED_COLUMNS, MOVED_TYPES, MOVED_NAMES
};

static const DirectoryQuery validate_states = {
	"UPDATE ONLY @identifier@ i SET validated_at = n.validated_at,"
	" validation_method = n.method"
	" FROM @rows@ WHERE i.id OPERATOR(pg_catalog.=) n.id"
	" AND n.validated_at IS NOT NULL",
	MOVED_COLUMNS, MOVED_TYPES, MOVED_NAMES
};

static const DirectoryQuery release_states = {
	"UPDATE ONLY @identifier@ i SET contact_id = NULL"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	" AND i.contact_id IS NOT NULL"
	" AND i.status OPERATOR(pg_catalog.<>) 'not_opted_in'",
	1, {TEXTOID}, NULL
};

static const DirectoryQuery insert_holders = {
	"INSERT INTO @identifier@ (contact_id, semantic_type, slug, value,"
	" validated_at, validation_method, source, is_outreach, created_at)"
	" SELECT n.contact_id, n.semantic_type, n.slug, n.value,"
	" n.validated_at, n.method, n.source, n.is_outreach, n.created_at"
	" FROM @rows@",
	MOVED_COLUMNS, MOVED_TYPES, MOVED_NAMES
};

/* The trigger computes holder and state; it only has to fire. */
static const DirectoryQuery rewrite_holders = {
	"UPDATE ONLY @identifier@ i SET holder = 0"
	" WHERE i.semantic_type OPERATOR(pg_catalog.=) $1"
	" AND i.contact_id IS NOT NULL",
	1, {TEXTOID}, NULL
};

/* Refuse if two contacts share a value. */
static void
check_unshared(Directory *dir, Datum type)
{
	bool		isnull;

	if (query_run(dir, &find_shared, &type, NULL) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("values of type \"%s\" are shared by several contacts",
					TextDatumGetCString(type)),
			 errdetail("Key (semantic_type, value)=(%s, %s) is held by contacts %s.",
					   TextDatumGetCString(type),
					   TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[0],
														 SPI_tuptable->tupdesc,
														 1, &isnull)),
					   TextDatumGetCString(SPI_getbinval(SPI_tuptable->vals[0],
														 SPI_tuptable->tupdesc,
														 2, &isnull))),
			 errtableconstraint(dir->identifier,
								"identifier_key_holder_key")));
}

/* Write the column, which the guard forbids to everybody else. */
static void
write_type(Directory *dir, Datum type, bool exclusive)
{
	Datum		values[2];

	values[0] = type;
	values[1] = BoolGetDatum(exclusive);
	guard_allow_exclusive(true);
	PG_TRY();
	{
		query_run(dir, &set_type, values, NULL);
	}
	PG_FINALLY();
	{
		guard_allow_exclusive(false);
	}
	PG_END_TRY();
	CommandCounterIncrement();	/* we too read the kinds again */
}

/* The rows of the last query as a batch. */
static Batch *
moved_rows(const DirectoryQuery *query, uint64 n)
{
	Batch	   *batch = batch_create(query, n);
	uint64		row;
	int			i;

	for (row = 0; row < n; row++)
	{
		Datum		values[MOVED_COLUMNS];
		bool		nulls[MOVED_COLUMNS];

		for (i = 0; i < MOVED_COLUMNS; i++)
			values[i] = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, i + 1, &nulls[i]);
		batch_add(batch, values, nulls);
	}
	return batch;
}

/* The state rows take over what held their values. */
static void
make_exclusive(Directory *dir, Datum type)
{
	Batch	   *batch;
	uint64		n;

	check_unshared(dir, type);
	n = query_run(dir, &find_holders, &type, NULL);
	batch = moved_rows(&hold_states, n);
	query_run(dir, &unlabel_holders, &type, NULL);
	write_type(dir, type, true);
	batch_run(dir, batch);
	batch->query = &validate_states;
	batch_run(dir, batch);
	query_run(dir, &remove_holders, &type, NULL);
	query_run(dir, &rewrite_holders, &type, NULL);
}

/* States stay in rows of their own, holders get new ones. */
static void
make_shared(Directory *dir, Datum type)
{
	uint64		n = query_run(dir, &find_states, &type, NULL);
	Batch	   *batch = moved_rows(&insert_holders, n);

	write_type(dir, type, false);
	query_run(dir, &release_states, &type, NULL);
	batch_run(dir, batch);
	query_run(dir, &rewrite_holders, &type, NULL);
}

/*
 * Open the directory of that name, for its owner alone: who is not does not
 * even wait for the lock.
 */
static void
open_own_directory(Directory *dir, char *name)
{
	Oid			relid;
	Relation	rel;

	if (!OidIsValid(get_relname_relid("identifier",
									  get_namespace_oid(name, false))))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("schema \"%s\" is no contact directory", name)));
	/* writers wait, and read the kinds again when they go on */
	relid = RangeVarGetRelidExtended(makeRangeVar(name, "identifier", -1),
									 ShareRowExclusiveLock, 0,
									 RangeVarCallbackOwnsRelation, NULL);
	rel = table_open(relid, NoLock);
	require_identifier(rel);
	directory_open(dir, rel);
	table_close(rel, NoLock);
}

PG_FUNCTION_INFO_V1(set_exclusive);

/*
 * contacts.set_exclusive(directory, semantic_type, exclusive): check, then
 * enforce, that a value identifies at most one contact; or let it be shared.
 */
Datum
set_exclusive(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *type_name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool		exclusive = PG_GETARG_BOOL(2);
	Datum		type_datum = PG_GETARG_DATUM(1);
	Directory	dir;
	SemanticType *type;

	open_own_directory(&dir, name);
	type = find_semantic_type(directory_info(dir.identifier), type_name,
							  strlen(type_name));
	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown semantic type \"%s\"", type_name),
				 errtable(dir.identifier)));
	if (type->value_type == VALUE_EMAIL && !exclusive)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("email addresses are always exclusive"),
				 errtable(dir.identifier)));
	if (type->is_exclusive != exclusive)
	{
		SPI_connect();
		if (exclusive)
			make_exclusive(&dir, type_datum);
		else
			make_shared(&dir, type_datum);
		SPI_finish();
	}
	directory_close(&dir);
	PG_RETURN_VOID();
}
