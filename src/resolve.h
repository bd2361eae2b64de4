/*-------------------------------------------------------------------------
 *
 * resolve.h
 *	  locking the contact that holds an identifier
 *
 *-------------------------------------------------------------------------
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "plan_cache.h"

extern bool lock_holder_if_any(Directory *dir, Datum id, Datum *holder);
extern void report_unheld(Datum id);

#endif							/* RESOLVE_H */
