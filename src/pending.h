/*-------------------------------------------------------------------------
 *
 * pending.h
 *	  rows that changed in a statement, collected to be settled together
 *
 *-------------------------------------------------------------------------
 */
#ifndef PENDING_H
#define PENDING_H

#include "commands/trigger.h"

/* A row before and after; NULL where there was none. */
typedef struct Change
{
	HeapTuple	before;
	HeapTuple	after;
} Change;

extern bool pending_collect(FunctionCallInfo fcinfo);
extern int	pending_take(Relation rel, Change **changes);

extern void pending_set_aside(Relation rel, int64 id);
extern bool pending_is_aside(Relation rel, int64 id);
extern int	pending_take_aside(Relation rel, int64 **ids);

extern void pending_set_ahead(Relation rel, int64 contact_id);
extern bool pending_is_ahead(Relation rel, int64 contact_id);
extern int	pending_take_ahead(Relation rel, int64 **ids);

#endif							/* PENDING_H */
