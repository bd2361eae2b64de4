/*-------------------------------------------------------------------------
 *
 * link_type.c
 *	  what a session remembers of a directory's types of relationships
 *
 * Every link that is written needs its type.  The types are few: they are read
 * once per session and directory, with the latest snapshot, and again after
 * relationship_type, object_type or a table with records changed, of which the
 * trigger catalogue_changed() and the relation cache's own messages tell.  The
 * foreign key of relationship over the type and all that is derived from it
 * holds whatever is remembered here: a row of yesterday's type is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "directory.h"
#include "link_type.h"
#include "plan_cache.h"

/* As the foreign key of links locks their type, but first. */
static const DirectoryQuery lock_type = {
	"SELECT t.id FROM ONLY @relationship_type@ t"
	" WHERE t.id OPERATOR(pg_catalog.=) $1 FOR KEY SHARE",
	1, {INT8OID}, NULL
};

/* A row of object_type. */
typedef struct RecordType
{
	int64		id;
	Oid			relation;
	Oid			key_type;
} RecordType;

typedef struct LinkTypes
{
	Oid			nspid;			/* hash key, must be first */
	bool		is_valid;		/* false: read again before use */
	bool		is_own;			/* read what this transaction may have made */
	Oid			relids[2];		/* relationship_type, object_type */
	MemoryContext context;		/* holds what follows */
	int			ntypes;
	int			nobjects;
	LinkType   *types;			/* sorted by id */
	RecordType *objects;
} LinkTypes;

static HTAB *directories = NULL;

/* Is the table one that the types were read from? */
static bool
is_read_from(const LinkTypes *all, Oid relid)
{
	int			i;

	if (relid == all->relids[0] || relid == all->relids[1])
		return true;
	for (i = 0; i < all->nobjects; i++)
	{
		if (relid == all->objects[i].relation)
			return true;
	}
	return false;
}

/* A table changed or went away.  Only mark. */
static void
mark_invalid(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	LinkTypes  *all;

	hash_seq_init(&seq, directories);
	while ((all = hash_seq_search(&seq)) != NULL)
	{
		if (!OidIsValid(relid) || is_read_from(all, relid))
			all->is_valid = false;
	}
}

/* What was read of rows that were rolled back is forgotten. */
static void
forget_own(void)
{
	HASH_SEQ_STATUS seq;
	LinkTypes  *all;

	hash_seq_init(&seq, directories);
	while ((all = hash_seq_search(&seq)) != NULL)
	{
		if (all->is_own)
			all->is_valid = false;
	}
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		forget_own();
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid,
				   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_own();
}

static void
init_directories(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(LinkTypes);
	directories = hash_create("contacts link types", 16, &ctl,
							  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(mark_invalid, (Datum) 0);
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

/* The type of the column of that name, or InvalidOid. */
static Oid
column_type(Oid relid, const char *name)
{
	AttrNumber	attnum = get_attnum(relid, name);

	return attnum == InvalidAttrNumber ? InvalidOid :
		getBaseType(get_atttype(relid, attnum));
}

/* Columns: id, relation, key_column. */
static void
read_object_type(void *arg, const Datum *values, const bool *nulls)
{
	LinkTypes  *all = arg;
	RecordType *object;

	all->objects = all->objects == NULL ? palloc(sizeof(RecordType)) :
		repalloc(all->objects, sizeof(RecordType) * (all->nobjects + 1));
	object = &all->objects[all->nobjects++];
	object->id = DatumGetInt64(values[0]);
	object->relation = nulls[1] ? InvalidOid : DatumGetObjectId(values[1]);
	object->key_type = nulls[2] || !OidIsValid(object->relation) ||
		get_rel_relkind(object->relation) == '\0' ? InvalidOid :
		column_type(object->relation, NameStr(*DatumGetName(values[2])));
}

static const char *const type_columns[] = {
	"id", "name", "inverse_id", "inverse_name", "source_type_id",
	"object_type_id", "is_single", "inverse_is_single", "is_archived"
};

/* Columns: those above. */
static void
read_link_type(void *arg, const Datum *values, const bool *nulls)
{
	LinkTypes  *all = arg;
	LinkType   *type;
	int			i;

	all->types = all->types == NULL ? palloc(sizeof(LinkType)) :
		repalloc(all->types, sizeof(LinkType) * (all->ntypes + 1));
	type = &all->types[all->ntypes++];
	type->id = DatumGetInt64(values[0]);
	type->name = TextDatumGetCString(values[1]);
	type->inverse_id = nulls[2] ? 0 : DatumGetInt64(values[2]);
	type->inverse_name = TextDatumGetCString(values[3]);
	type->source_type_id = DatumGetInt64(values[4]);
	type->object_type_id = DatumGetInt64(values[5]);
	type->is_single = DatumGetBool(values[6]);
	type->inverse_is_single = DatumGetBool(values[7]);
	type->is_archived = DatumGetBool(values[8]);
	type->key_type = InvalidOid;
	type->locked_xid = InvalidTransactionId;
	type->locked_subid = InvalidSubTransactionId;
	for (i = 0; i < all->nobjects; i++)
	{
		if (type->object_type_id != CONTACT_OBJECT_TYPE &&
			all->objects[i].id == type->object_type_id)
			type->key_type = all->objects[i].key_type;
	}
}

static int
compare_types(const void *a, const void *b)
{
	int64		x = ((const LinkType *) a)->id;
	int64		y = ((const LinkType *) b)->id;

	return x < y ? -1 : x > y;
}

/* The table of that name, which every directory has. */
static Oid
directory_table(Oid nspid, const char *name)
{
	Oid			relid = get_relname_relid(name, nspid);

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of directory \"%s\" does not exist",
						name, get_namespace_name(nspid)),
				 errhint("See contacts.check_directory().")));
	return relid;
}

/* Read the types; the user is who asked, rights are not. */
static void
load_types(LinkTypes *all)
{
	static const char *const object_columns[] = {
		"id", "relation", "key_column"
	};
	LinkTypes	fresh;
	MemoryContext oldcontext;

	memset(&fresh, 0, sizeof(fresh));
	fresh.nspid = all->nspid;
	fresh.relids[0] = directory_table(all->nspid, "relationship_type");
	fresh.relids[1] = directory_table(all->nspid, "object_type");
	memcpy(all->relids, fresh.relids, sizeof(fresh.relids));
	fresh.is_own = TransactionIdIsValid(GetTopTransactionIdIfAny());
	fresh.context = AllocSetContextCreate(CurrentMemoryContext,
										  "contacts link types",
										  ALLOCSET_SMALL_SIZES);
	oldcontext = MemoryContextSwitchTo(fresh.context);
	all->is_valid = true;		/* a message while we read makes it false */
	read_rows(fresh.relids[1], object_columns, 3, read_object_type, &fresh);
	read_rows(fresh.relids[0], type_columns, lengthof(type_columns),
			  read_link_type, &fresh);
	if (fresh.ntypes > 1)
		qsort(fresh.types, fresh.ntypes, sizeof(LinkType), compare_types);
	MemoryContextSwitchTo(oldcontext);

	MemoryContextSetParent(fresh.context, TopMemoryContext);
	if (all->context != NULL)
		MemoryContextDelete(all->context);
	fresh.is_valid = all->is_valid;
	*all = fresh;
}

/* The types of the directory that rel is a table of, read if need be. */
static LinkTypes *
link_types(Relation rel)
{
	Oid			nspid = RelationGetNamespace(rel);
	LinkTypes  *all;
	bool		found;

	if (directories == NULL)
		init_directories();
	all = hash_search(directories, &nspid, HASH_ENTER, &found);
	if (!found)
		memset((char *) all + sizeof(Oid), 0, sizeof(LinkTypes) - sizeof(Oid));
	if (!all->is_valid)
	{
		PG_TRY();
		{
			load_types(all);
		}
		PG_CATCH();
		{
			all->is_valid = false;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	return all;
}

static LinkType *
find_type(Relation rel, int64 id)
{
	LinkTypes  *all = link_types(rel);
	LinkType	key;

	key.id = id;
	return all->ntypes == 0 ? NULL :
		bsearch(&key, all->types, all->ntypes, sizeof(LinkType),
				compare_types);
}

/* The type of that id, or NULL.  The result is good until the next call. */
const LinkType *
find_link_type(Relation rel, int64 id)
{
	return find_type(rel, id);
}

/*
 * The type of that id, or NULL, as it is and stays until the transaction ends:
 * who changes it meanwhile is waited for, or waits.  Costs a query once per
 * type and transaction or savepoint.
 */
const LinkType *
lock_link_type(Relation rel, int64 id)
{
	LinkType   *type = find_type(rel, id);
	Directory	dir;
	Datum		value = Int64GetDatum(id);
	bool		isnull;

	if (type != NULL && TransactionIdIsValid(type->locked_xid) &&
		type->locked_xid == GetTopTransactionIdIfAny() &&
		type->locked_subid == GetCurrentSubTransactionId())
		return type;
	directory_open(&dir, rel);
	query_value(&dir, &lock_type, &value, &isnull);
	directory_close(&dir);
	/* what was waited for has told of its changes */
	AcceptInvalidationMessages();
	type = find_type(rel, id);
	if (type != NULL && !isnull)
	{
		type->locked_xid = GetTopTransactionIdIfAny();
		type->locked_subid = GetCurrentSubTransactionId();
	}
	return type;
}

/* The type of that name, or NULL.  The result is good until the next call. */
const LinkType *
named_link_type(Relation rel, Datum name)
{
	LinkTypes  *all = link_types(rel);
	int			i;

	for (i = 0; i < all->ntypes; i++)
	{
		if (text_is(name, all->types[i].name))
			return &all->types[i];
	}
	return NULL;
}

/* Have the types read again. */
void
forget_link_types(Relation rel)
{
	link_types(rel)->is_valid = false;
}
