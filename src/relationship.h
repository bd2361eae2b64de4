/*-------------------------------------------------------------------------
 *
 * relationship.h
 *	  the columns of relationship, and what its triggers share
 *
 *-------------------------------------------------------------------------
 */
#ifndef RELATIONSHIP_H
#define RELATIONSHIP_H

#include "columns.h"
#include "link_type.h"

/* The columns of relationship, in the table's order. */
typedef enum RelationshipColumn
{
	RELATIONSHIP_ID,
	RELATIONSHIP_TYPE_ID,
	RELATIONSHIP_CONTACT_ID,
	RELATIONSHIP_RELATED_CONTACT_ID,
	RELATIONSHIP_RECORD_ID,
	RELATIONSHIP_RECORD_UUID,
	RELATIONSHIP_STARTED_ON,
	RELATIONSHIP_ENDED_ON,
	RELATIONSHIP_NOTE,
	RELATIONSHIP_IS_PRIMARY,
	RELATIONSHIP_IS_MIRROR,
	RELATIONSHIP_INVERSE_TYPE_ID,
	RELATIONSHIP_IS_SINGLE,
	RELATIONSHIP_INVERSE_IS_SINGLE,
	RELATIONSHIP_IS_MOVING,
	RELATIONSHIP_CREATED_AT,
	RELATIONSHIP_NCOLUMNS
} RelationshipColumn;

extern const char *const relationship_columns[RELATIONSHIP_NCOLUMNS];

extern void note_unsettled_links(void);

#endif							/* RELATIONSHIP_H */
