/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  differences between PostgreSQL 15 and 18, in one place
 *
 *-------------------------------------------------------------------------
 */
#ifndef COMPAT_H
#define COMPAT_H

/* Soft errors (errsave, ereturn) came with 16: before, every error is hard. */
#if PG_VERSION_NUM < 160000
#define ereturn(context, result, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return (result); \
	} while (0)
#else
#include "nodes/miscnodes.h"
#endif

#if PG_VERSION_NUM < 160000
#include "utils/acl.h"
#endif

#endif							/* COMPAT_H */
