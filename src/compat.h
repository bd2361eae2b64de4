/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  differences between PostgreSQL 15 and 18, in one place
 *
 * Include it right after postgres.h and fmgr.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef COMPAT_H
#define COMPAT_H

/* The varlena macros left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

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
