/*-------------------------------------------------------------------------
 *
 * share_window.c
 *	  the contacts that are shared with a role, read where a query looks
 *
 * A query asks of one contact or of a million, one after the other in some
 * order, often nearly that of their ids.  So a look-up in contact_share, by
 * role and contact, reads on for a few shares, in the direction that the query
 * moves, and the next contacts are answered from memory: as long as that pays,
 * from more and more of them.  A role with few shares has soon read them all.
 * Where it does not pay, each look-up is one of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "share_window.h"

#define EXACT 1					/* nothing but the contact asked of */
#define MIN_SPAN 64
#define NEAR (MIN_SPAN * 4)		/* a query that moves on, not about */
#define MAX_SPAN 16384

/* Flags of a contact. */
#define IS_SHARED 0x01
#define MAY_EDIT 0x02

const SourceShape contact_share_shape = {
	"contact_share", 2,
	{{"role", NAMEOID}, {"contact_id", INT8OID}, {"may_edit", BOOLOID}}
};

/* The window of a role, in the current memory context. */
ShareWindow *
share_window_create(const char *role)
{
	ShareWindow *window = palloc0(sizeof(ShareWindow));

	namestrcpy(&window->role, role);
	window->low = PG_INT64_MAX;
	window->high = PG_INT64_MIN;
	window->flags = palloc(MAX_SPAN);
	return window;
}

/* How many contacts to cover: more if the last ones were of use, else fewer. */
static int64
next_span(const ShareWindow *window, int64 contact_id)
{
	if (window->span == 0)
		return EXACT;
	if (window->span == EXACT)
		return contact_id > window->low - NEAR &&
			contact_id < window->low + NEAR ? MIN_SPAN : EXACT;
	if (window->hits >= (window->high - window->low) / 4)
		return Min(window->span * 4, MAX_SPAN);
	return window->span > MIN_SPAN ? window->span / 4 : EXACT;
}

/* Note the share in the row. */
static void
add_share(ShareWindow *window, LookUp *look_up, HeapTuple tuple)
{
	bool		isnull;
	int64		contact_id;
	bool		may_edit;

	contact_id = DatumGetInt64(column_of(look_up, tuple, 1, &isnull));
	may_edit = DatumGetBool(column_of(look_up, tuple, 2, &isnull));
	window->flags[contact_id - window->low] = may_edit ? IS_SHARED | MAY_EDIT :
		IS_SHARED;
}

/* Read the shares of the contacts that the window now covers. */
static void
read_shares(ShareWindow *window, const Source *source)
{
	LookUp		look_up;
	HeapTuple	tuple;
	Datum		keys[2];

	memset(window->flags, 0, window->span);
	keys[0] = NameGetDatum(&window->role);
	keys[1] = Int64GetDatum(window->low);
	if (window->span == EXACT)
		begin_look_up(&look_up, source, &contact_share_shape,
					  asking_snapshot(), keys);
	else
		begin_range(&look_up, source, &contact_share_shape, asking_snapshot(),
					keys, window->high);
	while ((tuple = next_row(&look_up)) != NULL)
		add_share(window, &look_up, tuple);
	end_look_up(&look_up);
}

/* Have the window cover the contact, and others where the query moves to. */
static void
move_window(ShareWindow *window, const Source *source, int64 contact_id)
{
	bool		is_back = contact_id < window->low;

	window->span = next_span(window, contact_id);
	if (!OidIsValid(source->index) ||
		contact_id < PG_INT64_MIN + MAX_SPAN ||
		contact_id > PG_INT64_MAX - MAX_SPAN)
		window->span = EXACT;
	window->hits = 0;
	window->low = is_back ? contact_id - window->span + 1 : contact_id;
	window->high = window->low + window->span - 1;
	read_shares(window, source);
}

/* Is the contact shared with the window's role, to see or to edit it? */
bool
share_window_has(ShareWindow *window, const Source *source, int64 contact_id,
				 bool to_edit)
{
	if (contact_id >= window->low && contact_id <= window->high)
		window->hits++;
	else
		move_window(window, source, contact_id);
	return (window->flags[contact_id - window->low] &
			(to_edit ? MAY_EDIT : IS_SHARED)) != 0;
}
