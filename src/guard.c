/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  what nobody may do: the triggers that only refuse
 *
 * Guards are AFTER ROW triggers with a WHEN clause (or BEFORE TRUNCATE), fire
 * ALWAYS and decide from the old and new row alone: a user's later BEFORE
 * trigger cannot rewrite past them, session_replication_role cannot skip them,
 * and a logical subscriber never stops on what the publisher allowed.  All
 * raise 23001 with a constraint name, for an ORM to tell from a foreign key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "access/htup_details.h"
#include "utils/datum.h"
#include "utils/inval.h"

#include "columns.h"
#include "guard.h"
#include "identifier_key.h"
#include "plan_cache.h"

static const DirectoryQuery any_left_behind = {
	"SELECT 1 FROM ONLY @identifier@ i WHERE i.status"
	" OPERATOR(pg_catalog.=) ANY (ARRAY['suppressed', 'unsubscribed'])"
	" LIMIT 1",
	0, {0}, NULL
};

static const DirectoryQuery any_topic_event = {
	"SELECT 1 FROM ONLY @subscription_event@ LIMIT 1", 0, {0}, NULL
};

/* Raise 23001 for the table and constraint. */
static void
refuse(Relation rel, const char *constraint, const char *message,
	   const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg_internal("%s", message),
			 hint != NULL ? errhint("%s", hint) : 0,
			 errtableconstraint(rel, constraint)));
}

/* Does the query find anything, in the directory of the table? */
static bool
finds_any(Relation rel, const DirectoryQuery *query)
{
	Directory	dir;
	bool		found;

	SPI_connect();
	directory_open(&dir, rel);
	found = query_run(&dir, query, NULL, NULL) > 0;
	directory_close(&dir);
	SPI_finish();
	return found;
}

/*
 * Does the change nothing but give the row the key of its value?  It was a
 * wrong one before, which only a broken directory has (rule I10).
 */
static bool
puts_key_right(TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	DirectoryInfo *info;
	SemanticType *type;
	Row			before;
	Row			after;
	Datum		value;
	Datum		key;

	if (strcmp(RelationGetRelationName(rel), "contact") == 0)
		return false;
	row_read(&before, rel, trigdata->tg_trigtuple, identifier_columns,
			 IDENTIFIER_NCOLUMNS);
	row_read(&after, rel, trigdata->tg_newtuple, identifier_columns,
			 IDENTIFIER_NCOLUMNS);
	if (after.nulls[IDENTIFIER_VALUE] ||
		row_text_differs(&before, &after, IDENTIFIER_VALUE) ||
		row_text_differs(&before, &after, IDENTIFIER_SEMANTIC_TYPE) ||
		row_text_differs(&before, &after, IDENTIFIER_STATUS))
		return false;
	info = directory_info(rel);
	type = named_semantic_type(info,
							   after.values[IDENTIFIER_SEMANTIC_TYPE]);
	if (type == NULL ||
		!canonical_value(type, after.values[IDENTIFIER_VALUE], &value))
		return false;
	key = identifier_value_key(info, type, value);
	return memcmp(DatumGetPointer(key),
				  DatumGetPointer(after.values[IDENTIFIER_KEY]), UUID_LEN) == 0;
}

PG_FUNCTION_INFO_V1(guard_suppression);

/* Suppression is for ever, an unsubscription is not forgotten (rule C2). */
Datum
guard_suppression(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "guard_suppression",
										  CALL_BEFORE | CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_UPDATE |
										  CALL_DELETE | CALL_TRUNCATE);
	Relation	rel = trigdata->tg_relation;

	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
	{
		if (finds_any(rel, &any_left_behind))
			refuse(rel, "suppression_is_permanent",
				   "suppressed and unsubscribed addresses cannot be truncated",
				   "Delete contacts instead: what must not be forgotten stays behind.");
		return PointerGetDatum(NULL);
	}
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		refuse(rel, "suppression_is_permanent",
			   "a suppressed or unsubscribed address cannot be deleted",
			   "Setting its value to NULL erases the address and keeps the state.");
	if (puts_key_right(trigdata))
		return PointerGetDatum(NULL);
	refuse(rel, "suppression_is_permanent",
		   strcmp(RelationGetRelationName(rel), "contact") == 0 ?
		   "the suppression of an address cannot be lifted" :
		   "a suppressed or unsubscribed address cannot be changed, nor its suppression lifted",
		   NULL);
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

PG_FUNCTION_INFO_V1(guard_fixed);

/* Rows that are as they are: secret, settings, slug main, the log. */
Datum
guard_fixed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "guard_fixed",
										  CALL_BEFORE | CALL_AFTER | CALL_ROW |
										  CALL_STATEMENT | CALL_UPDATE |
										  CALL_DELETE | CALL_TRUNCATE);
	Relation	rel = trigdata->tg_relation;
	char	   *name = RelationGetRelationName(rel);

	refuse(rel, psprintf("%s_is_fixed", name),
		   psprintf(TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) ?
					"table \"%s\" cannot be truncated" :
					"this row of table \"%s\" is fixed", name),
		   NULL);
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

PG_FUNCTION_INFO_V1(guard_semantic_type);

/* A kind is what it is; only is_exclusive can change (rule I2). */
Datum
guard_semantic_type(PG_FUNCTION_ARGS)
{
	static const char *const columns[] = {
		"name", "value_type", "is_contactable"
	};
	TriggerData *trigdata = check_trigger(fcinfo, "guard_semantic_type",
										  CALL_AFTER | CALL_ROW |
										  CALL_UPDATE | CALL_DELETE);
	Relation	rel = trigdata->tg_relation;
	Row			before;
	Row			after;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		row_read(&before, rel, trigdata->tg_trigtuple, columns, 3);
		row_read(&after, rel, trigdata->tg_newtuple, columns, 3);
		if (!row_text_differs(&before, &after, 0) &&
			!row_text_differs(&before, &after, 1) &&
			!row_bytes_differ(&before, &after, 2))
			return PointerGetDatum(NULL);
	}
	refuse(rel, "semantic_type_is_fixed",
		   "a kind of identifiers can neither be changed nor removed",
		   "Add another kind; contacts.set_exclusive() changes is_exclusive.");
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

/* True while contacts.set_exclusive() changes the column. */
static bool exclusive_may_change = false;

/* For set_exclusive(), which resets it, also when it fails. */
void
guard_allow_exclusive(bool allow)
{
	exclusive_may_change = allow;
}

PG_FUNCTION_INFO_V1(guard_exclusive);

/* is_exclusive changes together with the rows it rules (rule I2). */
Datum
guard_exclusive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "guard_exclusive",
										  CALL_AFTER | CALL_ROW | CALL_UPDATE);

	if (!exclusive_may_change)
		refuse(trigdata->tg_relation, "semantic_type_is_fixed",
			   "is_exclusive changes through contacts.set_exclusive() only",
			   NULL);
	return PointerGetDatum(NULL);
}

/* Is it one of these names? */
static bool
is_one_of(const char *name, const char *const *names, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Does the update of a log change nothing, but for setting some of these, or
 * columns that users added, to NULL?
 */
static bool
only_blanks(TriggerData *trigdata, const char *const *blankable, int n)
{
	static const char *const own[] = {
		"id", "contact_id", "topic_id", "key", "address", "kind", "old_state",
		"new_state", "reason", "diagnostic", "source", "evidence", "role",
		"provider_id", "at", "received_at"
	};
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		char	   *name = NameStr(att->attname);
		bool		was_null;
		bool		is_null;
		Datum		was;
		Datum		now;

		if (att->attisdropped)
			continue;
		was = heap_getattr(trigdata->tg_trigtuple, i + 1, desc, &was_null);
		now = heap_getattr(trigdata->tg_newtuple, i + 1, desc, &is_null);
		if (is_null && (is_one_of(name, blankable, n) ||
						!is_one_of(name, own, lengthof(own))))
			continue;
		/* a merge, or its undoing, gives it to another contact */
		if (!was_null && !is_null && strcmp(name, "contact_id") == 0)
			continue;
		if (was_null != is_null ||
			(!is_null && !datumIsEqual(was, now, att->attbyval, att->attlen)))
			return false;
	}
	return true;
}

PG_FUNCTION_INFO_V1(guard_consent_event);

/* The log only grows; erasure blanks evidence, source and role (rule C5). */
Datum
guard_consent_event(PG_FUNCTION_ARGS)
{
	static const char *const blankable[] = {"source", "evidence", "role"};
	TriggerData *trigdata = check_trigger(fcinfo, "guard_consent_event",
										  CALL_AFTER | CALL_ROW |
										  CALL_UPDATE | CALL_DELETE);

	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ||
		!only_blanks(trigdata, blankable, lengthof(blankable)))
		refuse(trigdata->tg_relation, "consent_event_is_append_only",
			   "the log of consent can only be appended to",
			   "Evidence, source and role may be set to NULL.");
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(guard_log);

/*
 * What was recorded is not rewritten; what names a person may be blanked.  The
 * memory of who left a topic can be truncated, with the contacts, while empty.
 */
Datum
guard_log(PG_FUNCTION_ARGS)
{
	static const char *const blankable[] = {
		"contact_id", "address", "diagnostic", "source", "evidence", "role"
	};
	TriggerData *trigdata = check_trigger(fcinfo, "guard_log",
										  CALL_BEFORE | CALL_AFTER |
										  CALL_ROW | CALL_STATEMENT |
										  CALL_UPDATE | CALL_DELETE |
										  CALL_TRUNCATE);
	char	   *name = RelationGetRelationName(trigdata->tg_relation);

	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
	{
		if (finds_any(trigdata->tg_relation, &any_topic_event))
			refuse(trigdata->tg_relation, psprintf("%s_is_append_only", name),
				   psprintf("table \"%s\" cannot be truncated", name), NULL);
	}
	else if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ||
			 !only_blanks(trigdata, blankable, lengthof(blankable)))
		refuse(trigdata->tg_relation, psprintf("%s_is_append_only", name),
			   psprintf("the rows of table \"%s\" stay as they were recorded",
						name),
			   "What names a person may be set to NULL.");
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(catalogue_changed);

/* Tell all sessions, with the commit, to read the directory's tables again. */
Datum
catalogue_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "catalogue_changed",
										  CALL_AFTER | CALL_ROW | CALL_INSERT |
										  CALL_UPDATE | CALL_DELETE);

	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
