/*-------------------------------------------------------------------------
 *
 * link_type.h
 *	  what a session remembers of a directory's types of relationships
 *
 *-------------------------------------------------------------------------
 */
#ifndef LINK_TYPE_H
#define LINK_TYPE_H

#include "utils/rel.h"

#define CONTACT_OBJECT_TYPE 1	/* object_type.id of contact (R4) */

/* A row of relationship_type, with what is known of the records it leads to. */
typedef struct LinkType
{
	int64		id;
	char	   *name;
	int64		inverse_id;		/* 0: none yet */
	char	   *inverse_name;
	int64		source_type_id;
	int64		object_type_id;
	bool		is_single;
	bool		inverse_is_single;
	bool		is_archived;
	Oid			key_type;		/* of the records; 0: not known, or contacts */
	TransactionId locked_xid;	/* locked by this transaction ... */
	SubTransactionId locked_subid;	/* ... and savepoint */
} LinkType;

extern const LinkType *find_link_type(Relation rel, int64 id);
extern const LinkType *lock_link_type(Relation rel, int64 id);
extern const LinkType *named_link_type(Relation rel, Datum name);
extern void forget_link_types(Relation rel);

#endif							/* LINK_TYPE_H */
