/*-------------------------------------------------------------------------
 *
 * message.h
 *	  rows of email_message and sms_message, and what consent says of them
 *
 *-------------------------------------------------------------------------
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "columns.h"
#include "consent.h"
#include "directory.h"
#include "plan_cache.h"
#include "utils/uuid.h"

/* The columns of both tables that the triggers read or write. */
typedef enum MessageColumn
{
	MESSAGE_ID,
	MESSAGE_KIND,
	MESSAGE_CONTACT_ID,
	MESSAGE_ADDRESS,
	MESSAGE_KEY,
	MESSAGE_TOPIC_ID,
	MESSAGE_STATE,
	MESSAGE_LEASED_UNTIL,
	MESSAGE_ERROR,
	MESSAGE_NCOLUMNS
} MessageColumn;

extern const char *const message_columns[MESSAGE_NCOLUMNS];

/* Email or text: what a table of messages holds. */
typedef struct Channel
{
	const char *table;
	const char *type;			/* semantic type of the addresses */
	bool		is_sms;
} Channel;

extern const Channel *find_channel(Relation rel);

/* A message that is to go out, and why it may not. */
typedef struct Outgoing
{
	Relation	rel;			/* table of messages */
	int64		contact_id;		/* 0: none */
	Datum		address;		/* canonical, text */
	pg_uuid_t	key;
	bool		is_marketing;
	int64		topic_id;		/* 0: none */
	/* what is found; see message_gate.c */
	bool		is_contact_known;	/* the contact was looked at */
	bool		is_known;		/* the address has its row */
	ConsentState state;
	int64		holder;			/* who holds the address; 0: nobody */
	bool		is_outreach;	/* what the row of the address says */
	bool		is_archived;	/* a contact concerned is */
	bool		is_mobile;		/* the number is the contact's mobile phone */
	const char *refusal;		/* name of the constraint; NULL: may go */
} Outgoing;

extern void judge_messages(Directory *dir, const Channel *channel,
						   Outgoing *messages, int n, bool is_new);
extern void judge_contact(const Channel *channel, Outgoing *message,
						  HeapTuple tuple, TupleDesc desc);
extern void report_refused(const Outgoing *message);

/* What judge_contact() reads, after the number of the message. */
#define MESSAGE_CONTACT \
	"c.archived_at IS NOT NULL, c.mobile_phone::pg_catalog.text"

extern const char *const message_is_suppressed[];
extern const char *const message_is_unsubscribed[];

extern void cancel_messages(Directory *dir, const StateChange *changes, int n);

#endif							/* MESSAGE_H */
