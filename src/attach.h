/*-------------------------------------------------------------------------
 *
 * attach.h
 *	  making triggers for those who may not execute their functions
 *
 *-------------------------------------------------------------------------
 */
#ifndef ATTACH_H
#define ATTACH_H

#include "nodes/pg_list.h"

extern Oid	function_owner(Oid function);
extern void run_as(Oid role, Oid schema, List *statements);

#endif							/* ATTACH_H */
