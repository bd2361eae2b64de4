/*-------------------------------------------------------------------------
 *
 * identify_resolve.c
 *	  one set whose contacts are locked: found, merged, suggested or refused
 *
 * Of several contacts at most one is known: the ghosts fold into it, or into
 * the oldest ghost.  Known is who is more than a ghost, or has proved that an
 * address is his, or has a password.  Known people are never merged here but
 * suggested, and so are those who have main addresses of one kind each, of
 * which only one could stay; then nothing of the set is attached: whose it is
 * is not known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "columns.h"
#include "identify.h"
#include "visibility.h"

/*
 * Known people first, the oldest first, and who of them have main addresses of
 * one kind, whose values are one person's each.
 */
static const DirectoryQuery order_holders = {
	"SELECT c.id, c.contact_type OPERATOR(pg_catalog.=) 'ghost'"
	"  AND NOT c.is_validated AND NOT EXISTS (SELECT FROM ONLY @credential@ k"
	"   WHERE k.contact_id OPERATOR(pg_catalog.=) c.id),"
	" EXISTS (SELECT FROM ONLY @identifier@ i JOIN ONLY @semantic_type@ s"
	"   ON s.name OPERATOR(pg_catalog.=) " KIND_OF("i")
	"  JOIN ONLY @identifier@ o"
	"   ON " KIND_OF("o") " OPERATOR(pg_catalog.=) i.semantic_type"
	"  WHERE i.contact_id OPERATOR(pg_catalog.=) c.id"
	"  AND i.slug OPERATOR(pg_catalog.=) 'main'"
	"  AND s.is_contactable AND s.is_exclusive"
	"  AND o.contact_id OPERATOR(pg_catalog.=) ANY ($1)"
	"  AND o.contact_id OPERATOR(pg_catalog.<>) c.id"
	"  AND o.slug OPERATOR(pg_catalog.=) 'main')"
	" FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) ANY ($1)"
	" ORDER BY 2, c.created_at, c.id",
	1, {INT8ARRAYOID}, NULL
};

static const DirectoryQuery find_policy = {
	"SELECT s.identify_merge_policy FROM ONLY @setting@ s", 0, {}, NULL
};

static const DirectoryQuery find_label = {
	"SELECT i.value FROM ONLY @identifier@ i"
	" WHERE i.contact_id OPERATOR(pg_catalog.=) $1"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) $2"
	" AND i.slug OPERATOR(pg_catalog.=) $3"
	" AND i.key OPERATOR(pg_catalog.<>) $4",
	4, {INT8OID, TEXTOID, TEXTOID, UUIDOID}, NULL
};

static const DirectoryQuery suggest = {
	"INSERT INTO @merge_suggestion@ (contact_id, other_id, reasons)"
	" VALUES ($1, $2, ARRAY[$3]) ON CONFLICT (contact_id, other_id) DO NOTHING",
	3, {INT8OID, INT8OID, TEXTOID}, NULL
};

/*
 * Contacts that row security hides are in the way, as for any other statement;
 * nothing else is told of them.
 */
void
require_visible(Identification *id, PersonSet *set)
{
	int			i;

	if (!is_secured(id->dir.contact))
		return;
	for (i = 0; i < set->nholders; i++)
	{
		if (may_update_rows(id->dir.contact, "id OPERATOR(pg_catalog.=) $1",
							INT8OID, Int64GetDatum(set->holders[i])))
			continue;
		id->is_refused = true;
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("duplicate key value violates unique constraint \"identifier_key_holder_key\""),
				 errtableconstraint(id->dir.identifier,
									"identifier_key_holder_key")));
	}
}

/* What names the set in reasons and errors: its kinds. */
static char *
kinds_of(const PersonSet *set)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < set->nseen; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ",
						 set->seen[i].type->name);
	return list.data;
}

/* Those of the holders of a set who cannot be one silently, in their order. */
typedef struct Strangers
{
	int64	   *ids;
	int			n;
} Strangers;

/*
 * Sort the holders, known people first.  Strangers are the known ones if there
 * are several, else those who have rival main addresses, and who is known.
 */
static void
sort_holders(Identification *id, PersonSet *set, Strangers *strangers)
{
	Datum	   *ids = palloc(sizeof(Datum) * set->nholders);
	int			nknown = 0;
	int			nrivals = 0;
	Datum		array;
	int			i;

	for (i = 0; i < set->nholders; i++)
		ids[i] = Int64GetDatum(set->holders[i]);
	array = PointerGetDatum(construct_array(ids, set->nholders, INT8OID, 8,
											FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	strangers->ids = palloc(sizeof(int64) * set->nholders);
	strangers->n = 0;
	set->nholders = (int) query_run(&id->dir, &order_holders, &array, NULL);
	for (i = 0; i < set->nholders; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		bool		is_known;
		bool		is_rival;

		set->holders[i] = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
		is_known = !DatumGetBool(SPI_getbinval(tuple, desc, 2, &isnull));
		is_rival = DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull));
		if (is_known || (is_rival && nknown < 2))
			strangers->ids[strangers->n++] = set->holders[i];
		nknown += is_known;
		nrivals += is_rival;
	}
	if (nknown < 2 && nrivals == 0)
		strangers->n = 0;
}

/* Suggest to merge all pairs of these contacts; the first is the result. */
static void
suggest_pairs(Identification *id, PersonSet *set, const int64 *ids, int n)
{
	Datum		values[3];
	int			i;
	int			j;

	values[2] = CStringGetTextDatum(psprintf("seen together: %s",
											 kinds_of(set)));
	for (i = 0; i < n; i++)
	{
		for (j = i + 1; j < n; j++)
		{
			CHECK_FOR_INTERRUPTS();
			values[0] = Int64GetDatum(Min(ids[i], ids[j]));
			values[1] = Int64GetDatum(Max(ids[i], ids[j]));
			query_run(&id->dir, &suggest, values, NULL);
		}
	}
	set->contact_id = ids[0];
	set->outcome = OUTCOME_SUGGESTED;
}

/* Fold the other holders, all of them ghosts, into the first. */
static void
fold_ghosts(Identification *id, PersonSet *set)
{
	Oid			types[3] = {TEXTOID, INT8OID, INT8ARRAYOID};
	Datum		values[3];
	Datum	   *losers = palloc(sizeof(Datum) * set->nholders);
	int			i;

	for (i = 1; i < set->nholders; i++)
		losers[i - 1] = Int64GetDatum(set->holders[i]);
	values[0] = CStringGetTextDatum(get_namespace_name(id->dir.nspid));
	values[1] = Int64GetDatum(set->holders[0]);
	values[2] = PointerGetDatum(construct_array(losers, set->nholders - 1,
												INT8OID, 8, FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	if (SPI_execute_with_args("SELECT contacts.merge_contacts($1, $2, $3,"
							  " reason => 'identify')",
							  3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not merge contacts");
	set->contact_id = set->holders[0];
	set->outcome = OUTCOME_MERGED;
}

static void
report_several(Identification *id, const PersonSet *set)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < set->nholders; i++)
		appendStringInfo(&list, i == 0 ? "%lld" : ", %lld",
						 (long long) set->holders[i]);
	id->is_refused = true;
	if (!set->is_exclusive)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ROWS),
				 errmsg("the identifiers are shared by %d contacts",
						set->nholders),
				 errdetail("Contacts: %s.", list.data)));
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("identifiers of %d contacts were seen together",
					set->nholders),
			 errdetail("Contacts: %s; kinds: %s.", list.data, kinds_of(set)),
			 errhint("The setting identify_merge_policy is refuse."),
			 errtableconstraint(id->dir.identifier,
								"identifier_key_holder_key")));
}

/* Several contacts hold what decides. */
static void
resolve_several(Identification *id, PersonSet *set)
{
	bool		isnull;
	Datum		policy;
	Strangers	strangers;

	if (!set->is_exclusive)
		report_several(id, set);
	policy = query_value(&id->dir, &find_policy, NULL, &isnull);
	lock_to_fold(id, set);
	sort_holders(id, set, &strangers);
	if (!isnull && text_is(policy, "refuse"))
		report_several(id, set);
	if (!isnull && text_is(policy, "suggest"))
		suggest_pairs(id, set, set->holders, set->nholders);
	else if (strangers.n > 0)
		suggest_pairs(id, set, strangers.ids, strangers.n);
	else
		fold_ghosts(id, set);
}

/*
 * A label of the set that the contact has for another value: of an exclusive
 * kind that is an error, a shared value does without the label.
 */
static void
check_labels(Identification *id, PersonSet *set)
{
	int			i;

	for (i = 0; i < set->nseen; i++)
	{
		Seen	   *seen = &set->seen[i];
		Datum		values[4];
		Datum		other;
		bool		isnull;

		if (seen->slug == NULL)
			continue;
		values[0] = Int64GetDatum(set->contact_id);
		values[1] = CStringGetTextDatum(seen->type->name);
		values[2] = CStringGetTextDatum(seen->slug);
		values[3] = UUIDPGetDatum(&seen->key);
		other = query_value(&id->dir, &find_label, values, &isnull);
		if (isnull)
			continue;
		if (!seen->type->is_exclusive)
		{
			seen->slug = NULL;
			continue;
		}
		id->is_refused = true;
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("conflicting identifiers of one contact"),
				 caller_may_read(RelationGetRelid(id->dir.identifier)) ?
				 errdetail("Key (contact_id, semantic_type, slug)=(%lld, %s, %s) is %s and %s.",
						   (long long) set->contact_id, seen->type->name,
						   seen->slug, TextDatumGetCString(other),
						   TextDatumGetCString(seen->value)) : 0,
				 errhint("Give it no slug, or another one; set_main() makes an identifier the main one."),
				 errtableconstraint(id->dir.identifier,
									"identifier_contact_id_semantic_type_slug_key")));
	}
}

/*
 * Resolve a set whose holders are as they were looked up, and locked.  False
 * if one is not locked.
 */
bool
resolve_set(Identification *id, PersonSet *set)
{
	int			index = set - id->sets;
	int			i;

	for (i = 0; i < set->nholders; i++)
	{
		if (!is_locked(id, set->holders[i]))
			return false;
	}
	if (set->nholders == 0)
		return create_contacts(id, &index, 1);
	require_visible(id, set);
	set->contact_id = set->holders[0];
	set->outcome = OUTCOME_FOUND;
	if (id->only_new)
		return true;
	if (set->nholders > 1)
		resolve_several(id, set);
	if (set->outcome == OUTCOME_SUGGESTED ||
		(set->nholders == 1 && !set->is_incomplete))
		return true;
	if (set->outcome == OUTCOME_MERGED)
	{
		int64		contact_id = set->contact_id;

		look_up_sets(id, index, 1);
		set->contact_id = contact_id;
	}
	check_labels(id, set);
	attach_missing(id, set);
	fill_attributes(id, set);
	return true;
}
