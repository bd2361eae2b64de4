/*-------------------------------------------------------------------------
 *
 * duplicate_pairs.c
 *	  the pairs of contacts that are worth looking at
 *
 * All pairs of a million contacts are too many.  One pass makes the blocking
 * keys of each contact; sorted, contacts with a key in common stand together:
 * a group.  Pairs are made within groups only.  What thousands have in common
 * says little, so the smaller groups go first, for each kind of key until
 * there are as many pairs as contacts: the work is proportional to the
 * contacts, whatever they have in common.  A large group that has more in
 * common than its name is divided by name.
 *
 * Keys and pairs are sorted within work_mem, and on disk beyond.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "duplicate_keys.h"

#define CHUNK_SIZE 1000			/* rows fetched at once */
#define MAX_GROUP 100			/* contacts of a group that is looked at */
#define MIN_BUDGET 10000		/* pairs of each kind that always may be */
#define MIN_WORK_MEM 65536		/* kB */

#define KIND_PART KEY_NKINDS	/* a large group, divided by name */
#define NKINDS (KEY_NKINDS + 1)

/* The columns that are sorted: of keys, and of pairs. */
#define NCOLUMNS 3
enum
{
	SORT_KEY, SORT_NAME, SORT_CONTACT
};
enum
{
	PAIR_CONTACT, PAIR_OTHER, PAIR_EVIDENCE
};

/* Rows of three integers, to be sorted by them. */
typedef struct Sorter
{
	Tuplesortstate *state;
	TupleTableSlot *in;
	TupleTableSlot *out;
} Sorter;

/* A contact of a group; its id is negative if it has not changed. */
typedef struct Member
{
	int64		name;
	int64		contact;
} Member;

/* Contacts with a key in common, as far as they are kept. */
typedef struct KeyGroup
{
	int64		key;
	uint64		size;			/* how many there are in all */
	Member		members[MAX_GROUP + 1];
	int			nmembers;
	bool		is_part;		/* too large: members have one name */
	bool		is_full;		/* as many as are kept, and more */
} KeyGroup;

typedef struct Finder
{
	Sorter		keys;
	Sorter		pairs;
	uint64		ncontacts;
	bool		is_counting;	/* the first pass over the groups */
	uint64		counts[NKINDS][MAX_GROUP + 1];	/* groups of each size */
	int			allowed[NKINDS];	/* the largest groups looked at */
	uint64		left_out[KEY_NKINDS];	/* groups that are not */
	uint64		largest[KEY_NKINDS];
	KeyGroup	group;
} Finder;

static const char *const kind_names[KEY_NKINDS] = {
	"mailbox", "phone number", "name", "sound of the name",
	"organization and initials"
};

/* A sorter of rows by their first ncolumns integers. */
static void
sorter_init(Sorter *sorter, int ncolumns, int options)
{
	TupleDesc	desc = CreateTemplateTupleDesc(NCOLUMNS);
	AttrNumber	columns[NCOLUMNS];
	Oid			operators[NCOLUMNS];
	Oid			collations[NCOLUMNS] = {InvalidOid, InvalidOid, InvalidOid};
	bool		nulls_first[NCOLUMNS] = {false, false, false};
	int			i;

	for (i = 0; i < NCOLUMNS; i++)
	{
		TupleDescInitEntry(desc, i + 1, NULL, INT8OID, -1, 0);
		columns[i] = i + 1;
		operators[i] = Int8LessOperator;
	}
	sorter->state = tuplesort_begin_heap(desc, ncolumns, columns, operators,
										 collations, nulls_first,
										 Max(work_mem, MIN_WORK_MEM), NULL,
										 options);
	sorter->in = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	sorter->out = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

static void
sorter_put(Sorter *sorter, int64 a, int64 b, int64 c)
{
	TupleTableSlot *slot = sorter->in;

	ExecClearTuple(slot);
	slot->tts_values[0] = Int64GetDatum(a);
	slot->tts_values[1] = Int64GetDatum(b);
	slot->tts_values[2] = Int64GetDatum(c);
	memset(slot->tts_isnull, 0, NCOLUMNS * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sorter->state, slot);
}

/* The next row in order; false if there is none. */
static bool
sorter_get(Sorter *sorter, int64 row[NCOLUMNS])
{
	int			i;

	if (!tuplesort_gettupleslot(sorter->state, true, false, sorter->out,
								NULL))
		return false;
	slot_getallattrs(sorter->out);
	for (i = 0; i < NCOLUMNS; i++)
		row[i] = DatumGetInt64(sorter->out->tts_values[i]);
	return true;
}

static void
sorter_end(Sorter *sorter)
{
	ExecDropSingleTupleTableSlot(sorter->in);
	ExecDropSingleTupleTableSlot(sorter->out);
	tuplesort_end(sorter->state);
}

/*
 * What the keys are made of: contacts that are neither archived nor ghosts,
 * and their addresses and numbers other than the main ones.
 */
static Portal
open_contacts(const char *directory, Datum since, bool has_since)
{
	static const char sql[] =
	"SELECT CASE WHEN c.updated_at OPERATOR(pg_catalog.<) $1"
	" THEN OPERATOR(pg_catalog.-) c.id ELSE c.id END,"
	" c.first_name, c.last_name, c.mononym, c.organization_id,"
	" c.email::pg_catalog.text, c.mobile_phone::pg_catalog.text,"
	" c.home_phone::pg_catalog.text, c.business_phone::pg_catalog.text,"
	" NULL::pg_catalog.text, NULL::pg_catalog.text"
	" FROM ONLY %1$s.contact c"
	" WHERE c.archived_at IS NULL"
	" AND c.contact_type OPERATOR(pg_catalog.<>) 'ghost'"
	" UNION ALL"
	" SELECT CASE WHEN c.updated_at OPERATOR(pg_catalog.<) $1"
	" AND i.created_at OPERATOR(pg_catalog.<) $1"
	" THEN OPERATOR(pg_catalog.-) c.id ELSE c.id END,"
	" c.first_name, c.last_name, c.mononym, NULL, NULL, NULL, NULL, NULL,"
	" t.value_type, i.value"
	" FROM ONLY %1$s.semantic_type t"
	" JOIN ONLY %1$s.identifier i"
	" ON i.semantic_type OPERATOR(pg_catalog.=) t.name"
	" JOIN ONLY %1$s.contact c ON c.id OPERATOR(pg_catalog.=) i.contact_id"
	" WHERE t.value_type OPERATOR(pg_catalog.<>) 'text'"
	" AND (i.slug IS NULL OR i.slug OPERATOR(pg_catalog.<>) 'main'"
	" OR i.semantic_type OPERATOR(pg_catalog.<>)"
	" ALL ('{email,phone}'::pg_catalog.text[]))"
	" AND c.archived_at IS NULL"
	" AND c.contact_type OPERATOR(pg_catalog.<>) 'ghost'";
	Oid			types[1] = {TIMESTAMPTZOID};
	char		nulls[2] = {has_since ? ' ' : 'n', '\0'};

	return SPI_cursor_open_with_args(NULL,
									 psprintf(sql, quote_identifier(directory)),
									 1, types, &since, nulls, true,
									 CURSOR_OPT_NO_SCROLL);
}

/* Add the keys of a row. */
static void
add_row(Finder *finder, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[KEY_NCOLUMNS + 1];
	bool		nulls[KEY_NCOLUMNS + 1];
	DuplicateKeys keys;
	int			i;

	heap_deform_tuple(tuple, desc, values, nulls);
	make_duplicate_keys(&keys, values + 1, nulls + 1);
	for (i = 0; i < keys.nkeys; i++)
		sorter_put(&finder->keys, keys.keys[i], keys.name,
				   DatumGetInt64(values[0]));
	if (nulls[1 + KEY_VALUE])
		finder->ncontacts++;
}

/* Read all contacts, and sort their keys. */
static void
read_contacts(Finder *finder, Portal portal)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "contacts duplicates",
													  ALLOCSET_DEFAULT_SIZES);
	uint64		nrows;
	uint64		i;

	do
	{
		SPI_cursor_fetch(portal, true, CHUNK_SIZE);
		nrows = SPI_processed;
		for (i = 0; i < nrows; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(row_context);

			CHECK_FOR_INTERRUPTS();
			add_row(finder, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
			MemoryContextSwitchTo(old);
			MemoryContextReset(row_context);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (nrows > 0);
	SPI_cursor_close(portal);
	MemoryContextDelete(row_context);
	tuplesort_performsort(finder->keys.state);
}

/* The bits of evidence that a group of a kind gives. */
static int64
make_evidence(int kind, int64 key, int nmembers)
{
	int64		evidence = INT64CONST(1) << key_kind(key);

	if (kind == KIND_PART)
		evidence |= INT64CONST(1) << KEY_NAME;
	if (kind == KEY_NAME)
		evidence |= (int64) nmembers << 8;
	return evidence;
}

/* Count members of one group, or make pairs of them. */
static void
use_members(Finder *finder, const Member *members, int nmembers)
{
	int64		key = finder->group.key;
	int			kind = finder->group.is_part ? KIND_PART : key_kind(key);
	int			i;
	int			j;

	if (nmembers < 2)
		return;
	if (finder->is_counting)
	{
		finder->counts[kind][nmembers]++;
		return;
	}
	if (nmembers > finder->allowed[kind])
		return;
	for (i = 0; i < nmembers; i++)
	{
		for (j = i + 1; j < nmembers; j++)
		{
			int64		a = members[i].contact;
			int64		b = members[j].contact;
			int64		id = a < 0 ? -a : a;
			int64		other_id = b < 0 ? -b : b;

			if ((a < 0 && b < 0) || id == other_id)
				continue;
			sorter_put(&finder->pairs, Min(id, other_id), Max(id, other_id),
					   make_evidence(kind, key, nmembers));
		}
	}
}

/* Can groups of a kind of key be divided by name? */
static bool
is_divisible(int64 key)
{
	return key_kind(key) != KEY_NAME && key_kind(key) != KEY_SOUND;
}

/*
 * The group turns out to be too large: use what is there of it name by name,
 * and keep the members of the last name.
 */
static void
divide_group(Finder *finder)
{
	KeyGroup   *group = &finder->group;
	int			start = 0;
	int			i;

	group->is_part = true;
	for (i = 1; i < group->nmembers; i++)
	{
		if (group->members[i].name == group->members[start].name)
			continue;
		if (is_divisible(group->key) && group->members[start].name != 0)
			use_members(finder, group->members + start, i - start);
		start = i;
	}
	group->nmembers -= start;
	memmove(group->members, group->members + start,
			group->nmembers * sizeof(Member));
}

/* No more members with this key, or, in a large group, with this name. */
static void
finish_members(Finder *finder)
{
	KeyGroup   *group = &finder->group;

	if (!group->is_full && (!group->is_part || (is_divisible(group->key) &&
												group->members[0].name != 0)))
		use_members(finder, group->members, group->nmembers);
	group->nmembers = 0;
	group->is_full = false;
}

/* No more members with this key. */
static void
finish_group(Finder *finder)
{
	KeyGroup   *group = &finder->group;
	int			kind = key_kind(group->key);

	if (group->nmembers > 0)
		finish_members(finder);
	if (!finder->is_counting && group->size > 1 &&
		(group->is_part || group->size > finder->allowed[kind]))
	{
		finder->left_out[kind]++;
		finder->largest[kind] = Max(finder->largest[kind], group->size);
	}
	group->size = 0;
	group->is_part = false;
}

/* A contact joins the group; rows come in order of key and name. */
static void
add_member(Finder *finder, const int64 row[NCOLUMNS])
{
	KeyGroup   *group = &finder->group;

	group->size++;
	if (group->is_part && group->nmembers > 0 &&
		group->members[0].name != row[SORT_NAME])
		finish_members(finder);
	if (group->nmembers == MAX_GROUP && !group->is_part)
	{
		group->members[group->nmembers].name = row[SORT_NAME];
		group->members[group->nmembers++].contact = row[SORT_CONTACT];
		divide_group(finder);
		if (group->nmembers > MAX_GROUP)
		{
			group->nmembers = MAX_GROUP;
			group->is_full = true;
		}
		return;
	}
	if (group->nmembers == MAX_GROUP)
	{
		group->is_full = true;
		return;
	}
	group->members[group->nmembers].name = row[SORT_NAME];
	group->members[group->nmembers++].contact = row[SORT_CONTACT];
}

/* One pass over the groups. */
static void
read_groups(Finder *finder, bool is_counting)
{
	KeyGroup   *group = &finder->group;
	int64		row[NCOLUMNS];

	memset(group, 0, sizeof(KeyGroup));
	finder->is_counting = is_counting;
	while (sorter_get(&finder->keys, row))
	{
		CHECK_FOR_INTERRUPTS();
		if (group->size > 0 && group->key != row[SORT_KEY])
			finish_group(finder);
		group->key = row[SORT_KEY];
		add_member(finder, row);
	}
	if (group->size > 0)
		finish_group(finder);
}

/* How large groups may be, so that there are not too many pairs of a kind. */
static void
set_allowed(Finder *finder)
{
	uint64		budget = Max(finder->ncontacts, MIN_BUDGET);
	int			kind;

	for (kind = 0; kind < NKINDS; kind++)
	{
		uint64		npairs = 0;
		int			size;

		for (size = 2; size <= MAX_GROUP; size++)
		{
			npairs += finder->counts[kind][size] * (size * (size - 1) / 2);
			if (size > 2 && npairs > budget)
				break;
		}
		finder->allowed[kind] = size - 1;
	}
}

/* Say which groups were not looked at. */
static void
report_left_out(const Finder *finder)
{
	StringInfoData list;
	int			kind;

	initStringInfo(&list);
	for (kind = 0; kind < KEY_NKINDS; kind++)
	{
		if (finder->left_out[kind] > 0)
			appendStringInfo(&list, "%s" UINT64_FORMAT
							 " by %s (up to " UINT64_FORMAT " contacts)",
							 list.len > 0 ? ", " : "",
							 finder->left_out[kind], kind_names[kind],
							 finder->largest[kind]);
	}
	if (list.len > 0)
		ereport(NOTICE,
				(errmsg("groups of contacts that are too large were not compared pair by pair"),
				 errdetail("Groups: %s.", list.data)));
}

/* Return each pair once, with all evidence. */
static void
put_pairs(Finder *finder, ReturnSetInfo * rsinfo)
{
	int64		row[NCOLUMNS];
	bool		has_row = sorter_get(&finder->pairs, row);

	while (has_row)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};
		int64		contact = row[PAIR_CONTACT];
		int64		other = row[PAIR_OTHER];
		int64		evidence = 0;

		CHECK_FOR_INTERRUPTS();
		do
		{
			evidence |= row[PAIR_EVIDENCE];
			has_row = sorter_get(&finder->pairs, row);
		} while (has_row && row[PAIR_CONTACT] == contact &&
				 row[PAIR_OTHER] == other);
		values[0] = Int64GetDatum(contact);
		values[1] = Int64GetDatum(other);
		values[2] = Int32GetDatum((int32) (evidence & 0xFF));
		values[3] = Int32GetDatum((int32) (evidence >> 8));
		nulls[3] = evidence >> 8 == 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
}

PG_FUNCTION_INFO_V1(duplicate_pairs);

/*
 * contacts.duplicate_pairs(directory, since) returns (contact_id, other_id,
 * evidence, namesakes): pairs of contacts that have blocking keys in common,
 * at least one of whom changed since then; evidence has a bit for each kind.
 * Read with the rights of the caller.
 */
Datum
duplicate_pairs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Finder	   *finder;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the directory must not be null")));
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	finder = palloc0(sizeof(Finder));
	sorter_init(&finder->keys, NCOLUMNS, TUPLESORT_RANDOMACCESS);
	read_contacts(finder, open_contacts(text_to_cstring(PG_GETARG_TEXT_PP(0)),
										PG_GETARG_DATUM(1),
										!PG_ARGISNULL(1)));
	read_groups(finder, true);
	set_allowed(finder);
	tuplesort_rescan(finder->keys.state);
	sorter_init(&finder->pairs, 2, TUPLESORT_NONE);
	read_groups(finder, false);
	sorter_end(&finder->keys);
	tuplesort_performsort(finder->pairs.state);
	put_pairs(finder, rsinfo);
	sorter_end(&finder->pairs);
	report_left_out(finder);
	SPI_finish();
	return (Datum) 0;
}
