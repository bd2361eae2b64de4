#ifndef MIRROR_INSERT_H
#define MIRROR_INSERT_H

#include "plan_cache.h"
#include "relationship.h"

/* An inserted link between contacts, of which a mirror is to be made. */
typedef struct Link
{
	int64		id;
	int64		contact_id;
	int64		related_contact_id;
	int64		type_id;
	int64		inverse_type_id;
	bool		is_single;
	bool		inverse_is_single;
	bool		is_primary;
	Datum		started_on;
	bool		has_start;
	Datum		ended_on;
	bool		has_end;
	Datum		note;			/* (Datum) 0: none */
	Datum		created_at;
} Link;

extern bool can_insert_mirrors(Relation rel);
extern void insert_mirrors_directly(Directory *dir, Relation rel, Link *links,
									int n);

#endif							/* MIRROR_INSERT_H */
