/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  locking what may have moved meanwhile
 *
 *-------------------------------------------------------------------------
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

/* Lock and work; false if what was looked up changed before it was locked. */
typedef bool (*Attempt) (void *arg);

extern void attempt_until_done(Attempt attempt, void *arg);

#endif							/* ATTEMPT_H */
