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

/* Ids and times are compared as datums: they must be passed by value. */
#ifndef USE_FLOAT8_BYVAL
#error "contacts needs a server of 64 bits"
#endif

/* The varlena macros left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Ownership of any object is asked for in one way since 16. */
#if PG_VERSION_NUM >= 160000
#define compat_owns_relation(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#else
#define compat_owns_relation(relid, role) pg_class_ownercheck(relid, role)
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

/* The parts of a qualified name; NIL after a soft error, which 15 has not. */
#if PG_VERSION_NUM >= 160000
#define compat_split_name(name, escontext) \
	stringToQualifiedNameList(name, escontext)
#else
#define compat_split_name(name, escontext) \
	((void) (escontext), stringToQualifiedNameList(name))
#endif

/* Summarizing indexes came with 16, the tuple's own TID to ignore with 18. */
#if PG_VERSION_NUM >= 160000
#define compat_insert_index_tuples(result, slot, estate, no_error, conflict, \
								   arbiters) \
	ExecInsertIndexTuples(result, slot, estate, false, no_error, conflict, \
						  arbiters, false)
#else
#define compat_insert_index_tuples(result, slot, estate, no_error, conflict, \
								   arbiters) \
	ExecInsertIndexTuples(result, slot, estate, false, no_error, conflict, \
						  arbiters)
#endif
#if PG_VERSION_NUM >= 180000
#define compat_check_index_constraints(result, slot, estate, tid, arbiters) \
	(ItemPointerSetInvalid(&(slot)->tts_tid), \
	 ExecCheckIndexConstraints(result, slot, estate, tid, &(slot)->tts_tid, \
							   arbiters))
#else
#define compat_check_index_constraints(result, slot, estate, tid, arbiters) \
	ExecCheckIndexConstraints(result, slot, estate, tid, arbiters)
#endif

#endif							/* COMPAT_H */
