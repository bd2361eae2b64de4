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

/* May an attempt that failed with the error be made again? */
typedef bool (*AttemptFailure) (void *arg, const ErrorData *error);

extern void attempt_until_done(Attempt attempt, void *arg);
extern void attempt_again(Attempt attempt, AttemptFailure is_repeatable,
						  void *arg);

#endif							/* ATTEMPT_H */
