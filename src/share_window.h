/*-------------------------------------------------------------------------
 *
 * share_window.h
 *	  the contacts that are shared with a role, read where a query looks
 *
 *-------------------------------------------------------------------------
 */
#ifndef SHARE_WINDOW_H
#define SHARE_WINDOW_H

#include "look_up.h"

/* What is shared with a role of the contacts from low to high. */
typedef struct ShareWindow
{
	NameData	role;
	int64		low;			/* nothing is known while low > high */
	int64		high;
	int64		span;			/* contacts that it covers; 0 at first */
	int64		hits;			/* answers from what was read last */
	uint8	   *flags;			/* of each contact from low on */
} ShareWindow;

extern const SourceShape contact_share_shape;

extern ShareWindow *share_window_create(const char *role);
extern bool share_window_has(ShareWindow *window, const Source *source,
							 int64 contact_id, bool to_edit);

#endif							/* SHARE_WINDOW_H */
