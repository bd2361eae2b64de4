/*-------------------------------------------------------------------------
 *
 * visibility.h
 *	  who sees which contacts of a directory, and may edit them
 *
 *-------------------------------------------------------------------------
 */
#ifndef VISIBILITY_H
#define VISIBILITY_H

#include "utils/rel.h"

extern bool is_secured(Relation contact);
extern bool edits_all_contacts(Oid contact);
extern bool may_update_rows(Relation rel, const char *condition, Oid type,
							Datum value);

#endif							/* VISIBILITY_H */
