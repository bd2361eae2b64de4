/*-------------------------------------------------------------------------
 *
 * arriving.h
 *	  functions that work as the owner for whoever comes
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARRIVING_H
#define ARRIVING_H

#include "plan_cache.h"

extern int	begin_owner_path(Directory *dir);

#endif							/* ARRIVING_H */
