/*-------------------------------------------------------------------------
 *
 * consent.h
 *	  consent states: what may follow what, who may say so, the log
 *
 *-------------------------------------------------------------------------
 */
#ifndef CONSENT_H
#define CONSENT_H

#include "columns.h"
#include "plan_cache.h"

/* A value's change of state. */
typedef struct StateChange
{
	Datum		key;			/* uuid */
	ConsentState before;		/* STATE_NONE: not known before */
	ConsentState after;
	Datum		reason;			/* text or (Datum) 0 */
	Datum		source;			/* text or (Datum) 0 */
	Datum		evidence;		/* jsonb or (Datum) 0 */
} StateChange;

extern ConsentState stricter_state(ConsentState a, ConsentState b);
extern bool state_stays_behind(ConsentState state);
extern ConsentState state_after_email_change(ConsentState old_state,
											 bool was_own_wish);
extern bool is_own_wish(ConsentState state, Datum reason, bool isnull);

extern void require_consent_privilege(Relation identifier);
extern void check_and_log(Directory *dir, StateChange *changes, int n);
extern void log_events(Directory *dir, StateChange *changes, int n);
extern void report_unsubscribe(Relation rel);

#endif							/* CONSENT_H */
