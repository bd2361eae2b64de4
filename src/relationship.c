/*-------------------------------------------------------------------------
 *
 * relationship.c
 *	  the BEFORE trigger of relationship: one link, with what its type says
 *
 * Inverse type and cardinality are copied from the type (rule R1): unique
 * indexes over rows that have not ended enforce it, and a foreign key over the
 * copies keeps them true.  What a type cannot lead from or to is refused.
 * The mirror of row n is row -n: relationship_mirror.c makes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#include "relationship.h"

const char *const relationship_columns[RELATIONSHIP_NCOLUMNS] = {
	"id", "relationship_type_id", "contact_id", "related_contact_id",
	"record_id", "record_uuid", "started_on", "ended_on", "note",
	"is_primary", "is_mirror", "inverse_type_id", "is_single",
	"inverse_is_single", "is_moving", "created_at"
};

static bool
is_mirror(const Row *row)
{
	return !row->nulls[RELATIONSHIP_ID] &&
		DatumGetInt64(row->values[RELATIONSHIP_ID]) < 0;
}

/* Raise 23514 for a row that the type does not allow. */
static void
report_unfit(const Row *new, const char *constraint, const char *message,
			 const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg_internal("%s", message),
			 hint != NULL ? errhint("%s", hint) : 0,
			 errtableconstraint(new->rel, constraint)));
}

/* Links are written from a contact's side (R2). */
static void
check_source(const Row *new, const LinkType *type)
{
	if (type->source_type_id != CONTACT_OBJECT_TYPE)
		report_unfit(new, "relationship_leads_from_contact",
					 psprintf("relationships of type \"%s\" do not lead from contacts",
							  type->name),
					 psprintf("Relate the contact to the record, by type \"%s\".",
							  type->inverse_name));
}

/* What the link leads to is of the type's kind; how many, a CHECK says. */
static void
check_target(const Row *new, const LinkType *type)
{
	bool		to_contact = !new->nulls[RELATIONSHIP_RELATED_CONTACT_ID];
	bool		to_id = !new->nulls[RELATIONSHIP_RECORD_ID];
	bool		to_uuid = !new->nulls[RELATIONSHIP_RECORD_UUID];

	if (type->object_type_id == CONTACT_OBJECT_TYPE)
	{
		if (to_id || to_uuid)
			report_unfit(new, "relationship_fits_type",
						 psprintf("relationships of type \"%s\" lead to contacts, not to records",
								  type->name),
						 "Set related_contact_id.");
		return;
	}
	if (to_contact)
		report_unfit(new, "relationship_fits_type",
					 psprintf("relationships of type \"%s\" lead to records, not to contacts",
							  type->name),
					 type->key_type == UUIDOID ? "Set record_uuid." :
					 "Set record_id.");
	/* where the table does not exist, after a restore, either may be right */
	if (OidIsValid(type->key_type) &&
		(type->key_type == UUIDOID ? to_id : to_uuid))
		report_unfit(new, "relationship_fits_type",
					 psprintf("relationships of type \"%s\" lead to records with keys of another type",
							  type->name),
					 type->key_type == UUIDOID ? "Set record_uuid." :
					 "Set record_id.");
}

/* An archived type takes no new links (R1); a mirror follows its partner. */
static void
check_archived(const Row *new, const LinkType *type)
{
	if (type->is_archived && !is_mirror(new))
		report_unfit(new, "relationship_type_is_archived",
					 psprintf("relationship type \"%s\" is archived",
							  type->name),
					 NULL);
}

/* Does the row say what the type says? */
static bool
shows_type(const Row *row, const LinkType *type)
{
	return !row->nulls[RELATIONSHIP_INVERSE_TYPE_ID] &&
		DatumGetInt64(row->values[RELATIONSHIP_INVERSE_TYPE_ID]) ==
		type->inverse_id &&
		row_bool(row, RELATIONSHIP_IS_SINGLE) == type->is_single &&
		row_bool(row, RELATIONSHIP_INVERSE_IS_SINGLE) ==
		type->inverse_is_single;
}

/* Do the two rows differ in what is copied from the type? */
static bool
copies_differ(const Row *old, const Row *new)
{
	return row_bytes_differ(old, new, RELATIONSHIP_INVERSE_TYPE_ID) ||
		row_bytes_differ(old, new, RELATIONSHIP_IS_SINGLE) ||
		row_bytes_differ(old, new, RELATIONSHIP_INVERSE_IS_SINGLE);
}

/* Does the link lead elsewhere than before? */
static bool
target_differs(const Row *old, const Row *new)
{
	if (row_bytes_differ(old, new, RELATIONSHIP_RELATED_CONTACT_ID) ||
		row_bytes_differ(old, new, RELATIONSHIP_RECORD_ID) ||
		old->nulls[RELATIONSHIP_RECORD_UUID] !=
		new->nulls[RELATIONSHIP_RECORD_UUID])
		return true;
	return false;
}

/*
 * Copy what the type says.  A change of the copies alone comes from the foreign
 * key, whose type changed and may be newer than what is remembered, or is a
 * client's, who is not listened to.  An unknown type is for the foreign key.
 */
static void
derive_from_type(Row *new, const Row *old)
{
	int64		id = DatumGetInt64(new->values[RELATIONSHIP_TYPE_ID]);
	bool		is_retyped = old == NULL ||
	row_bytes_differ(old, new, RELATIONSHIP_TYPE_ID);
	bool		is_aimed = is_retyped || target_differs(old, new);
	const LinkType *type;

	if (!is_aimed && !copies_differ(old, new))
		return;
	type = is_retyped ? lock_link_type(new->rel, id) :
		find_link_type(new->rel, id);
	if (!is_retyped && copies_differ(old, new) &&
		(type == NULL || !shows_type(new, type)))
	{
		forget_link_types(new->rel);
		type = find_link_type(new->rel, id);
	}
	if (type == NULL)
		return;
	if (is_retyped)
	{
		check_source(new, type);
		check_archived(new, type);
	}
	if (is_aimed)
		check_target(new, type);
	if (new->nulls[RELATIONSHIP_INVERSE_TYPE_ID] ||
		DatumGetInt64(new->values[RELATIONSHIP_INVERSE_TYPE_ID]) !=
		type->inverse_id)
		row_set(new, RELATIONSHIP_INVERSE_TYPE_ID,
				Int64GetDatum(type->inverse_id));
	row_set_bool(new, RELATIONSHIP_IS_SINGLE, type->is_single);
	row_set_bool(new, RELATIONSHIP_INVERSE_IS_SINGLE, type->inverse_is_single);
}

/* What a client that writes NULLs means by them. */
static void
derive_defaults(Row *new)
{
	row_set_bool(new, RELATIONSHIP_IS_PRIMARY,
				 row_bool(new, RELATIONSHIP_IS_PRIMARY));
	row_set_bool(new, RELATIONSHIP_IS_MIRROR, is_mirror(new));
	if (new->nulls[RELATIONSHIP_CREATED_AT])
		row_set(new, RELATIONSHIP_CREATED_AT,
				TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

/* What a link takes up on one of its sides, where there is one at most (R1). */
typedef struct Place
{
	Datum		contact;
	Datum		type;
	bool		is_single;
} Place;

/*
 * The place that a row of a link between contacts stands for in the index
 * relationship_single_key, or its partner does.
 */
static Place
place_of(const Row *row, bool is_partner)
{
	bool		is_down = DatumGetInt64(row->values[RELATIONSHIP_CONTACT_ID]) >
	DatumGetInt64(row->values[RELATIONSHIP_RELATED_CONTACT_ID]);
	bool		is_far = (is_mirror(row) != is_down) != is_partner;
	Place		place;

	place.contact = row->values[is_far ? RELATIONSHIP_RELATED_CONTACT_ID :
								RELATIONSHIP_CONTACT_ID];
	place.type = row->values[is_far ? RELATIONSHIP_INVERSE_TYPE_ID :
							 RELATIONSHIP_TYPE_ID];
	place.is_single = row_bool(row, is_far ? RELATIONSHIP_INVERSE_IS_SINGLE :
							   RELATIONSHIP_IS_SINGLE);
	return place;
}

/*
 * Does the changed row take the place that its partner has until it follows?
 * Then it stays out of the index for so long.
 */
static bool
is_moving(const Row *old, const Row *new)
{
	Place		to;
	Place		taken;

	if (new->nulls[RELATIONSHIP_CONTACT_ID] ||
		new->nulls[RELATIONSHIP_RELATED_CONTACT_ID] ||
		old->nulls[RELATIONSHIP_RELATED_CONTACT_ID] ||
		!new->nulls[RELATIONSHIP_ENDED_ON])
		return false;
	to = place_of(new, false);
	taken = place_of(old, true);
	return to.is_single && to.contact == taken.contact &&
		to.type == taken.type;
}

/* The id is what ties a link to its mirror. */
static void
check_id(const Row *old, const Row *new)
{
	if (row_bytes_differ(old, new, RELATIONSHIP_ID))
		ereport(ERROR,
				(errcode(ERRCODE_RESTRICT_VIOLATION),
				 errmsg("the id of a relationship cannot be changed"),
				 errdetail("The rows of a link find each other by it."),
				 errtableconstraint(new->rel, "relationship_id_is_fixed")));
}

PG_FUNCTION_INFO_V1(relationship_derive);

Datum
relationship_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "relationship_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Row			old_row;
	Row			new;
	Row		   *old = NULL;

	row_read(&new, trigdata->tg_relation,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 relationship_columns, RELATIONSHIP_NCOLUMNS);
	if (is_update)
	{
		old = &old_row;
		row_read(old, trigdata->tg_relation, trigdata->tg_trigtuple,
				 relationship_columns, RELATIONSHIP_NCOLUMNS);
		check_id(old, &new);
	}
	derive_defaults(&new);
	if (!is_update && is_mirror(&new))
		note_unsettled_links();
	if (!new.nulls[RELATIONSHIP_TYPE_ID])
		derive_from_type(&new, old);
	row_set_bool(&new, RELATIONSHIP_IS_MOVING,
				 old != NULL && is_moving(old, &new));
	return PointerGetDatum(row_tuple(&new));
}
