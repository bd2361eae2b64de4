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
#include "utils/jsonb.h"
#include "utils/uuid.h"

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
	bool		has_other_attributes;	/* some are columns of users */
	bool		is_exclusive;	/* one of the kinds is: those decide */
	int64	   *holders;		/* who holds what decides, each once */
	int			nholders;
	bool		is_incomplete;	/* the one holder lacks something of the set */
	SetPlan		plan;
	int			twin;			/* the new set that SET_TWIN is about */
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
	int64	   *locked;			/* contacts that are locked, or ours */
	int			nlocked;
	int			max_locked;
} Identification;

/* identify_parse.c */
extern void parse_sets(Identification *id, Jsonb *sets);

/* identify_look_up.c */
extern void look_up_sets(Identification *id, int first, int n);
extern bool is_held(const Seen *seen, int64 contact_id);

/* identify_write.c */
extern bool create_contacts(Identification *id, const int *sets, int n);
extern void attach_missing(Identification *id, PersonSet *set);
extern void fill_attributes(Identification *id, PersonSet *set);

/* identify_resolve.c */
extern bool resolve_set(Identification *id, PersonSet *set);
extern void require_visible(Identification *id, PersonSet *set);
extern void add_locked(Identification *id, int64 contact_id);
extern bool is_locked(const Identification *id, int64 contact_id);

/* identify.c */
extern void identify_sets_now(Identification *id);

#endif							/* IDENTIFY_H */
