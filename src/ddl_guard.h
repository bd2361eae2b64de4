/*-------------------------------------------------------------------------
 *
 * ddl_guard.h
 *	  the owner's DDL is no way round the rules
 *
 *-------------------------------------------------------------------------
 */
#ifndef DDL_GUARD_H
#define DDL_GUARD_H

#include "nodes/pg_list.h"

extern void ddl_guard_init(void);
extern Oid	ddl_guard_open(Oid schema);
extern void ddl_guard_run(Oid schema, List *statements);

#endif							/* DDL_GUARD_H */
