/*-------------------------------------------------------------------------
 *
 * change_consent.h
 *	  changing the consent state of many addresses at once
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHANGE_CONSENT_H
#define CHANGE_CONSENT_H

#include "columns.h"
#include "identifier_key.h"
#include "plan_cache.h"
#include "utils/uuid.h"

/* An address whose state is to change, and why. */
typedef struct ConsentTarget
{
	Datum		value;			/* canonical, text; (Datum) 0: only the key is
								 * known */
	const SemanticType *type;	/* email or phone */
	pg_uuid_t	key;
	Datum		reason;			/* text or (Datum) 0 */
	Datum		source;			/* text or (Datum) 0 */
} ConsentTarget;

extern bool read_target(DirectoryInfo *info, KeyMaker *maker,
						Datum address, ConsentTarget *target);
extern void report_no_address(Datum address);
extern int	change_states(Directory *dir, ConsentState state, Datum evidence,
						  const ConsentTarget *targets, int n);

#endif							/* CHANGE_CONSENT_H */
