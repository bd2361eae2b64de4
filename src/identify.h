/*-------------------------------------------------------------------------
 *
 * identify.h
 *	  whom identifiers that were seen together belong to
 *
 *-------------------------------------------------------------------------
 */
#ifndef IDENTIFY_H
#define IDENTIFY_H

#include "directory.h"
#include "plan_cache.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/*
 * Attributes as a FROM item a, of columns that create_directory() made: each by
 * itself, that columns of users, whatever they demand, are not in the way.
 */
#define ATTRIBUTE_TYPES \
	"first_name pg_catalog.text, last_name pg_catalog.text," \
	" mononym pg_catalog.bool, titles pg_catalog.text," \
	" home_phone contacts.phone, business_phone contacts.phone," \
	" time_zone contacts.time_zone, is_vendor pg_catalog.bool," \
	" organization_id pg_catalog.int8, archived_at pg_catalog.timestamptz," \
	" last_seen_at pg_catalog.timestamptz"
#define ATTRIBUTES \
	"pg_catalog.jsonb_to_record(n.attributes) AS a(" ATTRIBUTE_TYPES ")"

/*
 * A name is one thing: parts are filled in where what the contact has of it is
 * what is given, and is not a whole name already.
 */
#define SAME_PART(column) \
	"(c." column " OPERATOR(pg_catalog.=) a." column ") IS NOT FALSE"
#define NAME_FITS \
	"(NOT c.mononym AND " SAME_PART("first_name") \
	" AND " SAME_PART("last_name") ")"
#define GETS_MONONYM \
	"(a.mononym AND " NAME_FITS \
	" AND (c.first_name IS NULL OR c.last_name IS NULL)" \
	" AND (a.first_name IS NOT NULL OR a.last_name IS NOT NULL))"

/* An attribute differs from what a contact c has; the contact lacks it. */
#define REPLACES(column) \
	"(a." column " IS NOT NULL" \
	" AND (c." column " OPERATOR(pg_catalog.=) a." column ") IS NOT TRUE)"
#define FILLS(column) \
	"(c." column " IS NULL AND a." column " IS NOT NULL)"

/* Would the contact c take some of the attributes? */
#define WANTS_ATTRIBUTES \
	"CASE WHEN n.overwrite THEN " REPLACES("first_name") \
	" OR " REPLACES("last_name") " OR " REPLACES("mononym") \
	" OR " REPLACES("titles") " OR " REPLACES("home_phone") \
	" OR " REPLACES("business_phone") " OR " REPLACES("time_zone") \
	" OR " REPLACES("is_vendor") " OR " REPLACES("organization_id") \
	" OR " REPLACES("archived_at") " OR " REPLACES("last_seen_at") \
	" ELSE " NAME_FITS " AND (" FILLS("first_name") \
	"  OR " FILLS("last_name") ") OR " GETS_MONONYM " IS TRUE" \
	" OR " FILLS("titles") " OR " FILLS("home_phone") \
	" OR " FILLS("business_phone") " OR " FILLS("time_zone") \
	" OR " FILLS("organization_id") " OR " FILLS("archived_at") \
	" OR " FILLS("last_seen_at") " END"

/* An identifier of a set. */
typedef struct Seen
{
	int			set;			/* which one */
	const SemanticType *type;
	Datum		value;			/* canonical, text */
	const char *slug;			/* as given; NULL: none */
	pg_uuid_t	key;
	bool		has_row;		/* there is a row that it meets */
	int64		contact_id;		/* who holds that, 0: nobody */
	const char *held_slug;		/* of that row, if slug is given */
} Seen;

/* What is to be done for a set. */
typedef enum SetPlan
{
	SET_FOUND,					/* nothing */
	SET_NEW,					/* make a contact */
	SET_TWIN,					/* it is that of an earlier new set */
	SET_ODD						/* look closely, alone */
} SetPlan;

typedef enum SetOutcome
{
	OUTCOME_CREATED,
	OUTCOME_FOUND,
	OUTCOME_MERGED,
	OUTCOME_SUGGESTED
} SetOutcome;

/* Identifiers that were seen together. */
typedef struct PersonSet
{
	Seen	   *seen;
	int			nseen;
	Datum		attributes;		/* jsonb */
	bool		has_attributes;
	char	  **others;			/* those that are columns of users */
	int			nothers;
	bool		is_exclusive;	/* one of the kinds is: those decide */
	int64	   *holders;		/* who holds what decides, each once */
	int			nholders;
	bool		is_incomplete;	/* the one holder lacks something of the set */
	SetPlan		plan;
	int			twin;			/* the new set that SET_TWIN is about */
	bool		is_met;			/* a later odd set shares something with it */
	bool		will_find;		/* somebody, who is made in the call */
	int64		new_id;			/* of the contact to be made, 0: none yet */
	int64		contact_id;		/* the result */
	SetOutcome	outcome;
} PersonSet;

/* A call of identify() or identify_many(). */
typedef struct Identification
{
	Directory	dir;
	DirectoryInfo *info;
	PersonSet  *sets;
	int			nsets;
	bool		overwrite;
	bool		only_new;		/* who is known is left as he is */
	int			rounds;			/* attempts made */
	bool		is_refused;		/* by a rule: trying again is of no use */
	int			current;		/* set that is being looked at, -1: all */
	HTAB	   *locked;			/* contacts that are locked, or ours */
} Identification;

/* identify_parse.c */
extern void parse_sets(Identification *id, Jsonb * sets);

/* identify_look_up.c */
extern void look_up_sets(Identification *id, int first, int n);
extern bool is_held(const Seen *seen, int64 contact_id);

/* identify_write.c */
extern void draw_ids(Identification *id);
extern bool create_contacts(Identification *id, const int *sets, int n);
extern void attach_missing(Identification *id, PersonSet *set);
extern void fill_attributes(Identification *id, PersonSet *set);

/* identify_resolve.c */
extern bool resolve_set(Identification *id, PersonSet *set);
extern void require_visible(Identification *id, PersonSet *set);

/* identify.c */
extern void lock_to_fold(Identification *id, PersonSet *set);
extern void add_locked(Identification *id, int64 contact_id);
extern bool is_locked(const Identification *id, int64 contact_id);
extern void identify_sets_now(Identification *id);

#endif							/* IDENTIFY_H */
