/*-------------------------------------------------------------------------
 *
 * directory.c
 *	  what a session remembers of a directory: kinds, settings, secret
 *
 * Nearly every row that is written needs the name rule, the kinds of
 * identifiers and the secret.  They are read once per session and directory,
 * with the latest snapshot, and read again after their tables changed: the
 * trigger catalogue_changed() and the relation cache's own messages tell.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "directory.h"

#define FINGERPRINT_LENGTH 8
#define FINGERPRINT_LABEL "contacts secret fingerprint"

static HTAB *directories = NULL;
static List *retired_contexts = NIL;	/* deleted at end of transaction */

/* One of the tables changed or went away.  Only mark. */
static void
mark_invalid(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	DirectoryInfo *info;

	hash_seq_init(&seq, directories);
	while ((info = hash_seq_search(&seq)) != NULL)
	{
		if (!OidIsValid(relid) || relid == info->relids[0] ||
			relid == info->relids[1] || relid == info->relids[2])
			info->is_valid = false;
	}
}

/* Callers may hold pointers into an old copy until the transaction ends. */
static void
delete_retired(XactEvent event, void *arg)
{
	ListCell   *lc;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	foreach(lc, retired_contexts)
		MemoryContextDelete((MemoryContext) lfirst(lc));
	list_free(retired_contexts);
	retired_contexts = NIL;
}

static void
init_directories(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(DirectoryInfo);
	directories = hash_create("contacts directories", 16, &ctl,
							  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(mark_invalid, (Datum) 0);
	RegisterXactCallback(delete_retired, NULL);
}

/* A directory that lacks its settings or its secret takes no writes. */
static void
report_incomplete(Oid nspid, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("directory \"%s\" is without its secret",
					get_namespace_name(nspid)),
			 errdetail_internal("%s", detail),
			 errhint("Restore the rows of its tables setting and secret."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME,
								get_namespace_name(nspid)),
			 err_generic_string(PG_DIAG_TABLE_NAME, "secret")));
}

/*
 * Call consume with each row of the table, as everybody sees it now; the values
 * of its columns come in names' order and point into the row.
 */
void
read_rows(Oid relid, const char *const *names, int ncols,
		  RowConsumer consume, void *arg)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Snapshot	snapshot;
	TupleTableSlot *slot;
	TableScanDesc scan;
	AttrNumber	attnums[READ_MAX_COLUMNS];
	Datum		values[READ_MAX_COLUMNS];
	bool		nulls[READ_MAX_COLUMNS];

	Assert(ncols <= READ_MAX_COLUMNS);
	find_columns(rel, names, ncols, attnums);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		int			i;

		for (i = 0; i < ncols; i++)
			values[i] = slot_getattr(slot, attnums[i], &nulls[i]);
		consume(arg, values, nulls);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
}

/* A null, where a directory's tables as they were made have none. */
static void
refuse_nulls(DirectoryInfo *info, const bool *nulls, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (nulls[i])
			report_incomplete(info->nspid, "One of its tables holds a null.");
	}
}

static void
read_semantic_type(void *arg, const Datum *values, const bool *nulls)
{
	DirectoryInfo *info = arg;
	SemanticType *type;
	char	   *value_type;

	refuse_nulls(info, nulls, 4);
	value_type = TextDatumGetCString(values[1]);
	if (info->types == NULL)
		info->types = palloc(sizeof(SemanticType));
	else
		info->types = repalloc(info->types,
							   sizeof(SemanticType) * (info->ntypes + 1));
	type = &info->types[info->ntypes++];
	type->name = TextDatumGetCString(values[0]);
	type->value_type = strcmp(value_type, "email") == 0 ? VALUE_EMAIL :
		strcmp(value_type, "phone") == 0 ? VALUE_PHONE : VALUE_TEXT;
	type->is_exclusive = DatumGetBool(values[2]);
	type->is_contactable = DatumGetBool(values[3]);
}

static void
read_secret(void *arg, const Datum *values, const bool *nulls)
{
	DirectoryInfo *info = arg;
	bytea	   *secret;

	refuse_nulls(info, nulls, 1);
	secret = DatumGetByteaPCopy(values[0]);
	info->secret = (uint8 *) VARDATA(secret);
	info->secret_length = VARSIZE(secret) - VARHDRSZ;
}

/* The fingerprint tells a directory's own secret from another one's. */
static void
check_fingerprint(DirectoryInfo *info, bytea *fingerprint)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) FINGERPRINT_LABEL,
							 strlen(FINGERPRINT_LABEL)) < 0 ||
		pg_cryptohash_update(ctx, info->secret, info->secret_length) < 0 ||
		pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256");
	pg_cryptohash_free(ctx);
	if (VARSIZE_ANY_EXHDR(fingerprint) != FINGERPRINT_LENGTH ||
		memcmp(VARDATA_ANY(fingerprint), digest, FINGERPRINT_LENGTH) != 0)
		report_incomplete(info->nspid,
						  "Table secret holds another directory's secret.");
}

static void
read_setting(void *arg, const Datum *values, const bool *nulls)
{
	DirectoryInfo *info = arg;

	refuse_nulls(info, nulls, 2);
	info->name_rule = TextDatumGetCString(values[0]);
	if (info->secret == NULL)
		report_incomplete(info->nspid, "Table secret is empty.");
	check_fingerprint(info, DatumGetByteaPP(values[1]));
}

/* Read settings, secret and kinds; the user is who asked, rights are not. */
static void
load_directory(DirectoryInfo *info)
{
	static const char *const setting[] = {"name_rule", "secret_fingerprint"};
	static const char *const secret[] = {"value"};
	static const char *const semantic_type[] = {
		"name", "value_type", "is_exclusive", "is_contactable"
	};
	static const char *const tables[] = {"setting", "secret", "semantic_type"};
	DirectoryInfo fresh;
	MemoryContext oldcontext;
	int			i;

	/* on failure what is known stays as it is, for who still looks at it */
	memset(&fresh, 0, sizeof(fresh));
	fresh.nspid = info->nspid;
	for (i = 0; i < 3; i++)
	{
		fresh.relids[i] = get_relname_relid(tables[i], info->nspid);
		if (!OidIsValid(fresh.relids[i]))
			report_incomplete(info->nspid, "One of its tables is missing.");
		if (get_rel_relkind(fresh.relids[i]) != RELKIND_RELATION)
			report_incomplete(info->nspid, "One of its tables is none.");
		info->relids[i] = fresh.relids[i];
	}
	fresh.context = AllocSetContextCreate(CurrentMemoryContext,
										  "contacts directory",
										  ALLOCSET_SMALL_SIZES);
	oldcontext = MemoryContextSwitchTo(fresh.context);
	info->is_valid = true;		/* a message while we read makes it false */
	read_rows(fresh.relids[1], secret, 1, read_secret, &fresh);
	read_rows(fresh.relids[0], setting, 2, read_setting, &fresh);
	read_rows(fresh.relids[2], semantic_type, 4, read_semantic_type, &fresh);
	if (fresh.name_rule == NULL)
		report_incomplete(info->nspid, "Table setting is empty.");

	MemoryContextSwitchTo(TopMemoryContext);
	if (info->context != NULL)
		retired_contexts = lappend(retired_contexts, info->context);
	MemoryContextSetParent(fresh.context, TopMemoryContext);
	fresh.is_valid = info->is_valid;
	*info = fresh;
	MemoryContextSwitchTo(oldcontext);
}

/*
 * What is known of the directory that rel is a table of.  Raises 55000 if the
 * directory lacks its secret.  The result is good until the transaction ends,
 * but not newer than this call.
 */
DirectoryInfo *
directory_info(Relation rel)
{
	Oid			nspid = RelationGetNamespace(rel);
	DirectoryInfo *info;
	bool		found;

	if (directories == NULL)
		init_directories();
	info = hash_search(directories, &nspid, HASH_ENTER, &found);
	if (!found)
		memset((char *) info + sizeof(Oid), 0,
			   sizeof(DirectoryInfo) - sizeof(Oid));
	if (!info->is_valid)
	{
		PG_TRY();
		{
			load_directory(info);
		}
		PG_CATCH();
		{
			info->is_valid = false;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	return info;
}

/* The kind of that name, or NULL. */
SemanticType *
find_semantic_type(DirectoryInfo *info, const char *name, int len)
{
	int			i;

	for (i = 0; i < info->ntypes; i++)
	{
		SemanticType *type = &info->types[i];

		if (strncmp(type->name, name, len) == 0 && type->name[len] == '\0')
			return type;
	}
	return NULL;
}

/* The kind that a text value names, or NULL. */
SemanticType *
named_semantic_type(DirectoryInfo *info, Datum name)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(name);

	return find_semantic_type(info, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}
