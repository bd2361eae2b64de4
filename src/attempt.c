/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  locking what may have moved meanwhile
 *
 * The functions of a directory are told of an address or an identifier, but
 * must lock the contact that holds it first.  They look it up, lock the
 * contact, then the identifier, and if it changed hands meanwhile they start
 * again: from nothing, for whoever waits for the next contact while it holds
 * locks of the first attempt may wait for a session that waits for those.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "attempt.h"

#define MAX_ATTEMPTS 1000

/* End the subtransaction, and be where its caller was. */
static void
end_attempt(bool is_done, MemoryContext context, ResourceOwner owner)
{
	if (is_done)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

/* Make the attempt in a subtransaction, which takes a failed one's locks. */
static bool
attempt_once(Attempt attempt, AttemptFailure is_repeatable, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool is_done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		is_done = attempt(arg);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		end_attempt(false, context, owner);
		if (is_repeatable == NULL || !is_repeatable(arg, error))
			ReThrowError(error);
		FreeErrorData(error);
		return false;
	}
	PG_END_TRY();
	end_attempt(is_done, context, owner);
	return is_done;
}

/*
 * Repeat the attempt until it succeeds; what a failed one wrote and locked is
 * gone.  Each failure means that another session has committed, or that a
 * trigger of a user swallows what is written: that would never end.
 */
void
attempt_until_done(Attempt attempt, void *arg)
{
	attempt_again(attempt, NULL, arg);
}

/* Likewise, also after errors that the caller takes as such a change. */
void
attempt_again(Attempt attempt, AttemptFailure is_repeatable, void *arg)
{
	int			n = 0;

	while (!attempt_once(attempt, is_repeatable, arg))
	{
		CHECK_FOR_INTERRUPTS();
		if (++n == MAX_ATTEMPTS)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not write what other sessions change all the time"),
					 errhint("Try again.  If nobody does, a trigger on table identifier swallows rows.")));
	}
}
