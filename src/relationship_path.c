/*-------------------------------------------------------------------------
 *
 * relationship_path.c
 *	  the shortest chain of people between two contacts
 *
 * Breadth first from both ends: whichever side has the smaller frontier goes
 * one level further, until the sides meet.  With ten links each a chain of six
 * is found among about two thousand contacts where a search from one end would
 * look at a million.  A level is read set-based, some thousand contacts at a
 * time.
 *
 * The links are read with the rights of the caller, so that privileges and row
 * security hold, and all under the snapshot of his statement.  A contact that
 * was reached costs about 60 bytes; nothing else grows with the search.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"

/* contacts looked up by one query, and rows fetched at once */
#define CHUNK_SIZE 1000

/* The ends that the search starts from; the other end of side s is !s. */
enum
{
	SIDE_FROM,
	SIDE_TO,
	NSIDES
};

/* A contact that was reached from one of the ends. */
typedef struct Visit
{
	int64		contact;		/* hash key, must be first */
	int64		previous;		/* the contact that it was reached from */
	int64		link;			/* the row of relationship that led to it */
	int			side;			/* the end that it was reached from */
} Visit;

/* The contacts that were reached last from one end. */
typedef struct Frontier
{
	int64	   *contacts;
	int64		ncontacts;
	int64		capacity;
} Frontier;

typedef struct Search
{
	SPIPlanPtr	plan;			/* reads the links of an array of contacts */
	HTAB	   *visits;
	Frontier	frontiers[NSIDES];
	bool		has_met;
	int64		meeting[NSIDES];	/* the two contacts where the sides met */
	int64		link;			/* the row that leads to that of SIDE_TO */
} Search;

/* Add a contact to a frontier. */
static void
frontier_add(Frontier *frontier, int64 contact)
{
	if (frontier->ncontacts == frontier->capacity)
	{
		frontier->capacity *= 2;
		frontier->contacts = repalloc_huge(frontier->contacts,
										   frontier->capacity * sizeof(int64));
	}
	frontier->contacts[frontier->ncontacts++] = contact;
}

/* An empty frontier. */
static void
frontier_init(Frontier *frontier)
{
	frontier->capacity = CHUNK_SIZE;
	frontier->contacts = palloc(frontier->capacity * sizeof(int64));
	frontier->ncontacts = 0;
}

/*
 * Follow a link from a contact that one side reached.  A contact that nobody
 * has reached joins the frontier; one that the other side reached ends the
 * search.
 */
static void
follow_link(Search *search, int side, int64 from, int64 to, int64 link)
{
	bool		found;
	Visit	   *visit = hash_search(search->visits, &to, HASH_ENTER, &found);

	if (!found)
	{
		visit->previous = from;
		visit->link = link;
		visit->side = side;
		frontier_add(&search->frontiers[side], to);
	}
	else if (visit->side != side)
	{
		search->has_met = true;
		search->meeting[side] = from;
		search->meeting[!side] = to;
		/* the mirror of row n is row -n (R2) */
		search->link = side == SIDE_FROM ? link : -link;
	}
}

/* Follow the links that were fetched, until the sides meet. */
static void
follow_links(Search *search, int side)
{
	SPITupleTable *table = SPI_tuptable;
	uint64		i;

	for (i = 0; i < table->numvals && !search->has_met; i++)
	{
		int64		values[3];
		bool		isnull;
		int			j;

		for (j = 0; j < 3; j++)
			values[j] = DatumGetInt64(SPI_getbinval(table->vals[i],
													table->tupdesc, j + 1,
													&isnull));
		follow_link(search, side, values[0], values[1], values[2]);
	}
	SPI_freetuptable(table);
}

/* Follow the links of some contacts, until the sides meet. */
static void
expand_contacts(Search *search, int side, int64 *contacts, int ncontacts)
{
	Datum	   *ids = palloc(ncontacts * sizeof(Datum));
	Datum		array;
	Portal		portal;
	uint64		nrows;
	int			i;

	for (i = 0; i < ncontacts; i++)
		ids[i] = Int64GetDatum(contacts[i]);
	array = PointerGetDatum(construct_array(ids, ncontacts, INT8OID, 8,
											FLOAT8PASSBYVAL,
											TYPALIGN_DOUBLE));
	portal = SPI_cursor_open(NULL, search->plan, &array, NULL, true);
	do
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, CHUNK_SIZE);
		nrows = SPI_processed;
		follow_links(search, side);
	} while (nrows > 0 && !search->has_met);
	SPI_cursor_close(portal);
	pfree(DatumGetPointer(array));
	pfree(ids);
}

/* Go one level further from one end, until the sides meet. */
static void
expand_level(Search *search, int side)
{
	Frontier	reached = search->frontiers[side];
	int64		start;

	frontier_init(&search->frontiers[side]);
	for (start = 0; start < reached.ncontacts && !search->has_met;
		 start += CHUNK_SIZE)
		expand_contacts(search, side, &reached.contacts[start],
						Min(CHUNK_SIZE, reached.ncontacts - start));
	pfree(reached.contacts);
}

/* The side that has less to expand. */
static int
smaller_side(const Search *search)
{
	return search->frontiers[SIDE_FROM].ncontacts <=
		search->frontiers[SIDE_TO].ncontacts ? SIDE_FROM : SIDE_TO;
}

/*
 * The plan that reads the links of an array of contacts that have not ended.
 * The order makes equal searches find equal chains.  It is generic: planning
 * looks at no element of the array.
 */
static SPIPlanPtr
prepare_links(Oid relid)
{
	static const char sql[] =
	"SELECT r.contact_id::pg_catalog.int8,"
	" r.related_contact_id::pg_catalog.int8, r.id::pg_catalog.int8"
	" FROM ONLY %s r"
	" WHERE r.contact_id OPERATOR(pg_catalog.=) ANY ($1)"
	" AND r.ended_on IS NULL AND r.related_contact_id IS NOT NULL"
	" ORDER BY 1, 3";
	Oid			types[1] = {INT8ARRAYOID};
	char	   *name = get_rel_name(relid);
	char	   *nspname = get_namespace_name(get_rel_namespace(relid));
	SPIPlanPtr	plan;

	if (name == NULL || nspname == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	name = quote_qualified_identifier(nspname, name);
	plan = SPI_prepare_cursor(psprintf(sql, name), 1, types,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

/* A search that has reached its two ends, in the current memory context. */
static void
search_init(Search *search, Oid relid, const int64 *ends)
{
	HASHCTL		ctl;
	int			side;

	memset(search, 0, sizeof(*search));
	search->plan = prepare_links(relid);
	ctl.keysize = sizeof(int64);
	ctl.entrysize = sizeof(Visit);
	ctl.hcxt = CurrentMemoryContext;
	search->visits = hash_create("contacts reached", CHUNK_SIZE, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (side = 0; side < NSIDES; side++)
	{
		Visit	   *visit = hash_search(search->visits, &ends[side],
										HASH_ENTER, NULL);

		visit->previous = visit->contact;
		visit->link = 0;
		visit->side = side;
		frontier_init(&search->frontiers[side]);
		frontier_add(&search->frontiers[side], ends[side]);
	}
}

/* Return one step of the chain; link 0: none led there. */
static void
put_step(ReturnSetInfo * rsinfo, int step, int64 contact, int64 link)
{
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	values[0] = Int32GetDatum(step);
	values[1] = Int64GetDatum(contact);
	values[2] = Int64GetDatum(link);
	nulls[2] = link == 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Return the chain of a search whose sides have met. */
static void
put_chain(ReturnSetInfo * rsinfo, Search *search)
{
	Visit	   *visit;
	int64		contact = search->meeting[SIDE_FROM];
	int64		link = search->link;
	int			nsteps = 0;
	int			step;

	/* this side was reached towards the meeting: its steps run backwards */
	do
	{
		visit = hash_search(search->visits, &contact, HASH_FIND, NULL);
		contact = visit->previous;
		nsteps++;
	} while (visit->contact != contact);
	contact = search->meeting[SIDE_FROM];
	for (step = nsteps - 1; step >= 0; step--)
	{
		visit = hash_search(search->visits, &contact, HASH_FIND, NULL);
		put_step(rsinfo, step, visit->contact, visit->link);
		contact = visit->previous;
	}

	/* the other one is left by the mirrors of the rows that led there */
	contact = search->meeting[SIDE_TO];
	do
	{
		visit = hash_search(search->visits, &contact, HASH_FIND, NULL);
		put_step(rsinfo, nsteps++, contact, link);
		contact = visit->previous;
		link = -visit->link;
	} while (visit->contact != contact);
}

PG_FUNCTION_INFO_V1(relationship_path);

/*
 * contacts.relationship_path(relationship regclass, from_contact, to_contact,
 * max_depth) returns (step, contact_id, relationship_id), in no order: a
 * shortest chain of at most max_depth links that have not ended, each step with
 * the link that leads to it from the one before.  No rows if there is none.
 */
Datum
relationship_path(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		ends[NSIDES] = {PG_GETARG_INT64(1), PG_GETARG_INT64(2)};
	int32		max_depth = PG_GETARG_INT32(3);
	Search		search;
	int			depth;

	if (max_depth < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_depth must not be negative")));
	InitMaterializedSRF(fcinfo, 0);
	if (ends[SIDE_FROM] == ends[SIDE_TO])
	{
		put_step(rsinfo, 0, ends[SIDE_FROM], 0);
		return (Datum) 0;
	}

	SPI_connect();
	search_init(&search, PG_GETARG_OID(0), ends);
	for (depth = 0; depth < max_depth && !search.has_met; depth++)
	{
		int			side = smaller_side(&search);

		if (search.frontiers[side].ncontacts == 0)
			break;
		expand_level(&search, side);
	}
	if (search.has_met)
		put_chain(rsinfo, &search);
	SPI_finish();
	return (Datum) 0;
}
