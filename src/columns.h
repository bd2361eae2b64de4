/*-------------------------------------------------------------------------
 *
 * columns.h
 *	  rows of a directory's tables by column, and checks of trigger calls
 *
 *-------------------------------------------------------------------------
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include "commands/trigger.h"
#include "utils/rel.h"

/* Consent states, weakest first (rule C3). */
typedef enum ConsentState
{
	STATE_NONE = -1,			/* no row, or NULL */
	STATE_NOT_OPTED_IN,
	STATE_OPTED_IN,
	STATE_UNSUBSCRIBED,
	STATE_SUPPRESSED
} ConsentState;

/* The columns of contact that the triggers read or write. */
typedef enum ContactColumn
{
	CONTACT_ID,
	CONTACT_FIRST_NAME,
	CONTACT_LAST_NAME,
	CONTACT_MONONYM,
	CONTACT_EMAIL,
	CONTACT_EMAIL_STATUS,
	CONTACT_MOBILE_PHONE,
	CONTACT_TIME_ZONE,
	CONTACT_IS_VENDOR,
	CONTACT_IS_REACHABLE,
	CONTACT_IS_VALIDATED,
	CONTACT_CONTACT_TYPE,
	CONTACT_ORGANIZATION_ID,
	CONTACT_ORGANIZATION_NAME,
	CONTACT_CREATED_AT,
	CONTACT_UPDATED_AT,
	CONTACT_NCOLUMNS
} ContactColumn;

/* Likewise of identifier. */
typedef enum IdentifierColumn
{
	IDENTIFIER_ID,
	IDENTIFIER_CONTACT_ID,
	IDENTIFIER_SEMANTIC_TYPE,
	IDENTIFIER_SLUG,
	IDENTIFIER_VALUE,
	IDENTIFIER_KEY,
	IDENTIFIER_HOLDER,
	IDENTIFIER_VALIDATED_AT,
	IDENTIFIER_VALIDATION_METHOD,
	IDENTIFIER_IS_VALIDATED,
	IDENTIFIER_SOURCE,
	IDENTIFIER_IS_OUTREACH,
	IDENTIFIER_STATUS,
	IDENTIFIER_STATUS_REASON,
	IDENTIFIER_STATUS_CHANGED_AT,
	IDENTIFIER_CREATED_AT,
	IDENTIFIER_NCOLUMNS
} IdentifierColumn;

extern const char *const contact_columns[CONTACT_NCOLUMNS];
extern const char *const identifier_columns[IDENTIFIER_NCOLUMNS];

/* A row, taken apart; values are indexed by the enums above. */
typedef struct Row
{
	Relation	rel;
	HeapTuple	tuple;
	int			ncols;
	AttrNumber	attnums[IDENTIFIER_NCOLUMNS];
	Datum		values[IDENTIFIER_NCOLUMNS];
	bool		nulls[IDENTIFIER_NCOLUMNS];
	bool		changed[IDENTIFIER_NCOLUMNS];
} Row;

extern void find_columns(Relation rel, const char *const *names, int ncols,
						 AttrNumber *attnums);
extern void check_columns(Relation rel, const char *const *names, int ncols);
extern void row_read(Row *row, Relation rel, HeapTuple tuple,
					 const char *const *names, int ncols);
extern void row_require(const Row *row, int column);
extern void row_check_time_zone(const Row *new, const Row *old, int column);
extern void row_set(Row *row, int column, Datum value);
extern void row_set_null(Row *row, int column);
extern void row_set_bool(Row *row, int column, bool value);
extern void row_copy(Row *row, const Row *from, int column);
extern bool row_bool(const Row *row, int column);
extern Datum row_value_or_null(const Row *row, int column);
extern ConsentState row_state(const Row *row, int column);
extern bool row_text_is(const Row *row, int column, const char *text);
extern bool row_text_differs(const Row *a, const Row *b, int column);
extern bool row_bytes_differ(const Row *a, const Row *b, int column);
extern bool row_uuid_differs(const Row *a, const Row *b, int column);
extern HeapTuple row_tuple(Row *row);

extern void require_identifier(Relation rel);
extern void require_column_privilege(Oid relid, const char *column,
									 AclMode mode);
extern bool caller_may_read(Oid relid);

extern bool text_is(Datum value, const char *text);
extern bool texts_equal(Datum a, Datum b);
extern bool is_blank(Datum value);
extern ConsentState parse_state(Datum value, bool isnull);
extern Datum state_text(ConsentState state);

/* Which calls a trigger function takes; see check_trigger(). */
#define CALL_BEFORE		0x01
#define CALL_AFTER		0x02
#define CALL_ROW		0x04
#define CALL_STATEMENT	0x08
#define CALL_INSERT		0x10
#define CALL_UPDATE		0x20
#define CALL_DELETE		0x40
#define CALL_TRUNCATE	0x80

extern TriggerData *check_trigger(FunctionCallInfo fcinfo, const char *name,
								  int calls);

#endif							/* COLUMNS_H */
