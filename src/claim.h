/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  claiming values for contacts (rules I1, I4, I7)
 *
 *-------------------------------------------------------------------------
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "columns.h"
#include "directory.h"
#include "plan_cache.h"
#include "utils/uuid.h"

/* A contact that takes a value as its main identifier of that kind. */
typedef struct Claim
{
	int64		contact_id;
	const SemanticType *type;
	Datum		value;			/* canonical, text */
	ConsentState status;		/* STATE_NONE for a shared value */
	const char *reason;			/* of a status beyond not_opted_in */
	bool		is_unlabelled;	/* not the main one, but one without label */
	pg_uuid_t	key;			/* set by claim_main() */
	bool		is_new;			/* set by insert_directly(): it inserted the
								 * row */
	bool		inherits;		/* set by claim_main(): met a row that had a
								 * state */
} Claim;

extern void claim_main(Directory *dir, DirectoryInfo *info,
					   Claim *claims, int n);
extern int64 claim_holder(const Claim *claim);
extern void claim_keys(DirectoryInfo *info, Claim *claims, int n);

#endif							/* CLAIM_H */
