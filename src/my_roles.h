/*-------------------------------------------------------------------------
 *
 * my_roles.h
 *	  the roles whose privileges the current user has
 *
 *-------------------------------------------------------------------------
 */
#ifndef MY_ROLES_H
#define MY_ROLES_H

#include "nodes/pg_list.h"

extern List *my_role_names(void);
extern void plan_depends_on_roles(Oid directory_share);

#endif							/* MY_ROLES_H */
