/*-------------------------------------------------------------------------
 *
 * message.c
 *	  the BEFORE trigger of email_message and sms_message: one row
 *
 * Makes the address canonical and computes its key, by which suppressing finds
 * the messages that are to be cancelled.  What waits to be sent and has no
 * address goes to the main one of its contact; what waits for a contact that
 * is deleted is cancelled.  Rows of the history are taken as they come.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "identifier_key.h"
#include "message.h"

const char *const message_columns[MESSAGE_NCOLUMNS] = {
	"id", "kind", "contact_id", "address", "key", "topic_id", "state",
	"leased_until", "error"
};

static const Channel channels[] = {
	{"email_message", "email", false},
	{"sms_message", "phone", true}
};

static const DirectoryQuery main_addresses[] = {
	{"SELECT c.email::pg_catalog.text FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}, NULL},
	{"SELECT c.mobile_phone::pg_catalog.text FROM ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}, NULL}
};

static const DirectoryQuery lease_end = {
	"SELECT pg_catalog.now() OPERATOR(pg_catalog.+) s.lease_duration"
	" FROM ONLY @setting@ s",
	0, {InvalidOid}, NULL
};

/* What the table holds, by its name; 39P01 if it is no table of messages. */
const Channel *
find_channel(Relation rel)
{
	const char *name = RelationGetRelationName(rel);
	int			i;

	for (i = 0; i < lengthof(channels); i++)
	{
		/* shards of a distributed table have a suffix */
		if (strncmp(name, channels[i].table, strlen(channels[i].table)) == 0)
			return &channels[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("\"%s\" is no table of messages of a contact directory",
					name),
			 errtable(rel)));
	return NULL;
}

/* Is the message on its way: does it wait, or has a worker got it? */
static bool
is_open(const Row *row)
{
	return row_text_is(row, MESSAGE_STATE, "queued") ||
		row_text_is(row, MESSAGE_STATE, "sending");
}

/* Run a query on the directory of the row for a single value. */
static Datum
look_up(const Row *row, const DirectoryQuery *query, Datum *values,
		bool *isnull)
{
	Directory	dir;
	Datum		result;

	directory_open(&dir, row->rel);
	result = query_value(&dir, query, values, isnull);
	directory_close(&dir);
	return result;
}

/* Without an address, a message goes to the main one of its contact. */
static void
derive_address(Row *new, const Channel *channel)
{
	Datum		value;
	bool		isnull = true;

	if (!new->nulls[MESSAGE_ADDRESS])
		return;
	if (!new->nulls[MESSAGE_CONTACT_ID])
		value = look_up(new, &main_addresses[channel->is_sms],
						&new->values[MESSAGE_CONTACT_ID], &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a message to be sent needs an address"),
				 errdetail("None is given, and the contact has no %s.",
						   channel->is_sms ? "mobile phone" : "email"),
				 errtableconstraint(new->rel, channel->is_sms ?
									"contact_has_no_mobile_phone" :
									"contact_has_no_email")));
	row_set(new, MESSAGE_ADDRESS, value);
}

/* The canonical address and its key; history may hold malformed addresses. */
static void
derive_key(Row *new, const Channel *channel)
{
	DirectoryInfo *info = directory_info(new->rel);
	SemanticType *type = find_semantic_type(info, channel->type,
											strlen(channel->type));
	Datum		canonical;

	if (new->nulls[MESSAGE_ADDRESS])
		row_set_null(new, MESSAGE_KEY);
	else if (type != NULL && canonical_value(type,
											 new->values[MESSAGE_ADDRESS],
											 &canonical))
	{
		row_set(new, MESSAGE_ADDRESS, canonical);
		row_set(new, MESSAGE_KEY, identifier_value_key(info, type, canonical));
	}
	else if (is_open(new))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("\"%s\" is no %s",
						TextDatumGetCString(new->values[MESSAGE_ADDRESS]),
						channel->is_sms ?
						"phone number in international form" :
						"email address"),
				 errtablecol(new->rel, new->attnums[MESSAGE_ADDRESS])));
	else
		row_set_null(new, MESSAGE_KEY);
}

/* A lease belongs to what a worker has; who takes a message has it for a while. */
static void
derive_lease(Row *new)
{
	Datum		value;
	bool		isnull;

	if (!row_text_is(new, MESSAGE_STATE, "sending"))
	{
		row_set_null(new, MESSAGE_LEASED_UNTIL);
		return;
	}
	if (!new->nulls[MESSAGE_LEASED_UNTIL])
		return;
	value = look_up(new, &lease_end, NULL, &isnull);
	if (!isnull)
		row_set(new, MESSAGE_LEASED_UNTIL, value);
}

/* What waits for a contact is not sent once that contact is deleted. */
static void
cancel_orphan(Row *new, const Row *old)
{
	if (old->nulls[MESSAGE_CONTACT_ID] || !new->nulls[MESSAGE_CONTACT_ID] ||
		!is_open(new) || !is_open(old))
		return;
	row_set(new, MESSAGE_STATE, CStringGetTextDatum("cancelled"));
	row_set(new, MESSAGE_ERROR, CStringGetTextDatum("contact_is_deleted"));
}

PG_FUNCTION_INFO_V1(message_derive);

Datum
message_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "message_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	const Channel *channel = find_channel(trigdata->tg_relation);
	Row			new;
	Row			old;

	row_read(&new, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 message_columns, MESSAGE_NCOLUMNS);
	if (is_update)
	{
		row_read(&old, trigdata->tg_relation, trigdata->tg_trigtuple,
				 message_columns, MESSAGE_NCOLUMNS);
		cancel_orphan(&new, &old);
	}
	if (is_open(&new))
		derive_address(&new, channel);
	if (!is_update || row_text_differs(&old, &new, MESSAGE_ADDRESS) ||
		row_uuid_differs(&old, &new, MESSAGE_KEY) ||
		(is_open(&new) && !is_open(&old)))
		derive_key(&new, channel);
	derive_lease(&new);
	return PointerGetDatum(row_tuple(&new));
}
