/*-------------------------------------------------------------------------
 *
 * visibility.c
 *	  who sees which contacts of a directory, and may edit them
 *
 * The policies of contacts.enable_row_security() ask the functions here about
 * each row.  A contact is seen by a role
 *
 *	- with which the whole directory is shared (directory_share): then the
 *	  planner hears it and leaves the policy out, so that whoever sees
 *	  everything has the plans, all of them, that there are without policies;
 *	- with which the contact is shared (contact_share), an index look-up for
 *	  each role, or less: see share_window.c;
 *	- with which its organization, or a record that it is linked to, is shared
 *	  (record_share): one look-up for the organization, and one for the links
 *	  and each of them; none if nothing of that kind is shared with the role.
 *
 * or by a role that inherits from such a role.  The rows are read here, at the
 * level of the server's own catalogue look-ups, and not by subqueries of the
 * policies: those would need rights of the reader on the tables, and cost more
 * to plan than all of a look-up by email does (measured: six times).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "rewrite/rowsecurity.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "look_up.h"
#include "my_roles.h"
#include "share_window.h"
#include "visibility.h"

/* Whether an organization is shared, once found out; by id modulo the number. */
#define KNOWN_ORGANIZATIONS 64

typedef struct KnownOrganization
{
	int64		id;
	bool		is_known;
	bool		to_edit;
	bool		is_shared;
} KnownOrganization;

/* What of a directory the current user sees, for the length of a query. */
typedef struct Viewer
{
	Oid			user;
	Oid			contact;		/* table of the directory */
	TransactionId xmin;			/* the snapshot that this was read in */
	TransactionId xmax;
	uint32		running;		/* how many transactions it sees running */
	CommandId	curcid;

	bool		is_free;		/* no row security for this user */
	bool		sees_all;
	bool		edits_all;
	List	   *roles;			/* names */
	Oid			directory_share;	/* table */

	Source		contact_share;
	List	   *windows;		/* into contact_share, one for each role */
	bool		has_records;	/* is any record shared with the roles? */
	int64		organization_object;	/* object_type.id of organization */
	KnownOrganization organizations[KNOWN_ORGANIZATIONS];
	Source		contact_row;
	Source		record_share;	/* by integer key */
	Source		uuid_share;		/* by uuid key */
	Source		relationship;
	Source		relationship_type;
} Viewer;

static const SourceShape directory_share_shape = {
	"directory_share", 0, {{"role", NAMEOID}, {"may_edit", BOOLOID}}
};
static const SourceShape role_share_shape = {
	"record_share", 1, {{"role", NAMEOID}}
};
static const SourceShape role_window_shape = {
	"contact_share", 1, {{"role", NAMEOID}}
};
static const SourceShape record_share_shape = {
	"record_share", 2,
	{{"object_type_id", INT8OID}, {"record_id", INT8OID},
	{"role", NAMEOID}, {"may_edit", BOOLOID}}
};
static const SourceShape uuid_share_shape = {
	"record_share", 2,
	{{"object_type_id", INT8OID}, {"record_uuid", UUIDOID},
	{"role", NAMEOID}, {"may_edit", BOOLOID}}
};
static const SourceShape object_type_shape = {
	"object_type", 0, {{"id", INT8OID}, {"relation", InvalidOid}}
};
static const SourceShape relationship_shape = {
	"relationship", 1,
	{{"contact_id", INT8OID}, {"relationship_type_id", INT8OID},
	{"record_id", INT8OID}, {"record_uuid", UUIDOID}, {"ended_on", DATEOID}}
};
static const SourceShape relationship_type_shape = {
	"relationship_type", 1, {{"id", INT8OID}, {"object_type_id", INT8OID}}
};
static const SourceShape contact_shape = {
	"contact", 1, {{"id", INT8OID}, {"organization_id", INT8OID}}
};
static const SourceShape identifier_shape = {
	"identifier", 1, {{"key", UUIDOID}, {"contact_id", INT8OID}}
};

/* Is the role of a share, a name, one of the viewer's? */
static bool
has_role(const Viewer *viewer, Datum role)
{
	ListCell   *cell;

	foreach(cell, viewer->roles)
	{
		if (strcmp(NameStr(*DatumGetName(role)), lfirst(cell)) == 0)
			return true;
	}
	return false;
}

/*
 * Does a share with these keys let the viewer see, or edit?  Its columns are
 * the keys, role and may_edit.
 */
static bool
is_shared(const Viewer *viewer, const Source *source, const SourceShape *shape,
		  const Datum *keys, bool to_edit)
{
	LookUp		look_up;
	HeapTuple	tuple;
	bool		result = false;
	bool		isnull;

	begin_look_up(&look_up, source, shape, asking_snapshot(), keys);
	while (!result && (tuple = next_row(&look_up)) != NULL)
	{
		Datum		role = column_of(&look_up, tuple, shape->nkeys, &isnull);

		if (isnull || !has_role(viewer, role))
			continue;
		result = !to_edit ||
			DatumGetBool(column_of(&look_up, tuple, shape->nkeys + 1, &isnull));
	}
	end_look_up(&look_up);
	return result;
}

/* Which row of object_type is organization's; 0 if none is. */
static int64
organization_object(Oid nspid)
{
	Oid			organization = get_relname_relid("organization", nspid);
	Source		source = {0};
	LookUp		look_up;
	HeapTuple	tuple;
	int64		result = 0;
	bool		isnull;

	find_source(&source, &object_type_shape, nspid);
	begin_look_up(&look_up, &source, &object_type_shape, asking_snapshot(), NULL);
	while ((tuple = next_row(&look_up)) != NULL)
	{
		if (DatumGetObjectId(column_of(&look_up, tuple, 1, &isnull)) ==
			organization)
			result = DatumGetInt64(column_of(&look_up, tuple, 0, &isnull));
	}
	end_look_up(&look_up);
	return result;
}

/* Is anything of the table, whose key is the role, shared with the role? */
static bool
has_shares(const Source *source, const SourceShape *shape, const char *role)
{
	NameData	name;
	Datum		key = NameGetDatum(&name);

	namestrcpy(&name, role);
	return exists_row(source, shape, &key);
}

/* Is any record shared with the viewer?  Then how to find out which. */
static void
find_record_sources(Viewer *viewer, Oid nspid)
{
	Source		by_role = {0};
	ListCell   *cell;

	find_source(&by_role, &role_share_shape, nspid);
	foreach(cell, viewer->roles)
		viewer->has_records = viewer->has_records ||
		has_shares(&by_role, &role_share_shape, lfirst(cell));
	if (!viewer->has_records)
		return;
	viewer->organization_object = organization_object(nspid);
	find_source(&viewer->contact_row, &contact_shape, nspid);
	find_source(&viewer->record_share, &record_share_shape, nspid);
	find_source(&viewer->uuid_share, &uuid_share_shape, nspid);
	find_source(&viewer->relationship, &relationship_shape, nspid);
	find_source(&viewer->relationship_type, &relationship_type_shape, nspid);
}

/* Whose view it is, and whether that is of the whole directory. */
static void
begin_viewer(Viewer *viewer, Oid contact)
{
	Snapshot	snapshot = asking_snapshot();
	Source		all = {0};
	Oid			nspid = get_rel_namespace(contact);

	if (!OidIsValid(nspid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table with OID %u", contact)));
	memset(viewer, 0, sizeof(Viewer));
	viewer->user = GetUserId();
	viewer->contact = contact;
	viewer->xmin = snapshot->xmin;
	viewer->xmax = snapshot->xmax;
	viewer->running = snapshot->xcnt + snapshot->subxcnt;
	viewer->curcid = snapshot->curcid;
	viewer->roles = my_role_names();
	find_source(&all, &directory_share_shape, nspid);
	viewer->directory_share = all.relid;
	viewer->edits_all = is_shared(viewer, &all, &directory_share_shape,
								  NULL, true);
	viewer->sees_all = viewer->edits_all ||
		is_shared(viewer, &all, &directory_share_shape, NULL, false);
}

/* Likewise, and what the viewer needs to see contacts one by one. */
static void
complete_viewer(Viewer *viewer, Oid contact)
{
	Oid			nspid = get_rel_namespace(contact);
	Source		by_role = {0};
	ListCell   *cell;

	begin_viewer(viewer, contact);
	viewer->is_free = check_enable_rls(contact, InvalidOid, true) !=
		RLS_ENABLED;
	if (viewer->is_free || viewer->edits_all)
		return;
	find_source(&viewer->contact_share, &contact_share_shape, nspid);
	find_source(&by_role, &role_window_shape, nspid);
	foreach(cell, viewer->roles)
	{
		if (has_shares(&by_role, &role_window_shape, lfirst(cell)))
			viewer->windows = lappend(viewer->windows,
									  share_window_create(lfirst(cell)));
	}
	find_record_sources(viewer, nspid);
}

/* Does the viewer see, or edit, contacts that a link leads to this record? */
static bool
is_record_shared(const Viewer *viewer, Datum object, Datum id, Datum uuid,
				 bool to_edit)
{
	Datum		keys[2];

	keys[0] = object;
	keys[1] = uuid != (Datum) 0 ? uuid : id;
	if (uuid != (Datum) 0)
		return is_shared(viewer, &viewer->uuid_share, &uuid_share_shape, keys,
						 to_edit);
	return is_shared(viewer, &viewer->record_share, &record_share_shape, keys,
					 to_edit);
}

/* Is the organization shared? */
static bool
is_organization_shared(Viewer *viewer, Datum id, bool to_edit)
{
	KnownOrganization *known =
	&viewer->organizations[(uint64) DatumGetInt64(id) % KNOWN_ORGANIZATIONS];

	if (!known->is_known || known->id != DatumGetInt64(id) ||
		known->to_edit != to_edit)
	{
		known->is_shared = is_record_shared(viewer,
											Int64GetDatum(viewer->organization_object),
											id, (Datum) 0, to_edit);
		known->id = DatumGetInt64(id);
		known->to_edit = to_edit;
		known->is_known = true;
	}
	return known->is_shared;
}

/* Is a record shared that the link leads to?  An ended one leads nowhere. */
static bool
is_link_shared(const Viewer *viewer, LookUp *look_up, HeapTuple tuple,
			   bool to_edit)
{
	Datum		id;
	Datum		uuid;
	Datum		ended_on;
	Datum		type;
	Datum		object;
	bool		no_id;
	bool		no_uuid;
	bool		no_end;
	bool		isnull;

	id = column_of(look_up, tuple, 2, &no_id);
	uuid = column_of(look_up, tuple, 3, &no_uuid);
	if (no_id && no_uuid)
		return false;
	ended_on = column_of(look_up, tuple, 4, &no_end);
	if (!no_end && DatumGetDateADT(ended_on) < GetSQLCurrentDate())
		return false;
	type = column_of(look_up, tuple, 1, &isnull);
	return read_column(&viewer->relationship_type, &relationship_type_shape,
					   type, 1, &object) &&
		is_record_shared(viewer, object, id, no_uuid ? (Datum) 0 : uuid,
						 to_edit);
}

/* Is a record shared that the contact is linked to? */
static bool
is_any_link_shared(const Viewer *viewer, Datum contact_id, bool to_edit)
{
	LookUp		look_up;
	HeapTuple	tuple;
	bool		result = false;

	begin_look_up(&look_up, &viewer->relationship, &relationship_shape,
				  asking_snapshot(), &contact_id);
	while (!result && (tuple = next_row(&look_up)) != NULL)
		result = is_link_shared(viewer, &look_up, tuple, to_edit);
	end_look_up(&look_up);
	return result;
}

/*
 * Does the viewer see, or edit, the contact?  The organization is that of the
 * contact's row if it is not given.
 */
static bool
has_access(Viewer *viewer, Datum contact_id, const NullableDatum * given,
		   bool to_edit)
{
	Datum		organization;
	ListCell   *cell;

	if (viewer->is_free || viewer->edits_all || (viewer->sees_all && !to_edit))
		return true;
	if (given != NULL && !given->isnull && viewer->has_records &&
		is_organization_shared(viewer, given->value, to_edit))
		return true;
	foreach(cell, viewer->windows)
	{
		if (share_window_has(lfirst(cell), &viewer->contact_share,
							 DatumGetInt64(contact_id), to_edit))
			return true;
	}
	if (!viewer->has_records)
		return false;
	if (given == NULL &&
		read_column(&viewer->contact_row, &contact_shape, contact_id, 1,
					&organization) &&
		is_organization_shared(viewer, organization, to_edit))
		return true;
	return is_any_link_shared(viewer, contact_id, to_edit);
}

/* Is what the viewer was made from still so? */
static bool
is_viewer_valid(const Viewer *viewer, Oid contact)
{
	Snapshot	snapshot = asking_snapshot();

	return viewer->user == GetUserId() && viewer->contact == contact &&
		viewer->xmin == snapshot->xmin && viewer->xmax == snapshot->xmax &&
		viewer->running == snapshot->xcnt + snapshot->subxcnt &&
		viewer->curcid == snapshot->curcid;
}

/* The viewer of a call, which is kept for the calls after it. */
static Viewer *
calling_viewer(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	Oid			contact = PG_GETARG_OID(0);
	Viewer	   *viewer = flinfo->fn_extra;
	MemoryContext oldcontext;

	if (viewer != NULL && is_viewer_valid(viewer, contact))
		return viewer;
	oldcontext = MemoryContextSwitchTo(flinfo->fn_mcxt);
	flinfo->fn_extra = NULL;
	viewer = palloc(sizeof(Viewer));
	complete_viewer(viewer, contact);
	flinfo->fn_extra = viewer;
	MemoryContextSwitchTo(oldcontext);
	return viewer;
}

/* may_see() and may_edit(), with and without the organization. */
static Datum
answer(FunctionCallInfo fcinfo, bool to_edit)
{
	Viewer	   *viewer;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	viewer = calling_viewer(fcinfo);
	if (PG_ARGISNULL(1))		/* of nobody: for who sees everybody */
		PG_RETURN_BOOL(viewer->is_free ||
					   (to_edit ? viewer->edits_all : viewer->sees_all));
	PG_RETURN_BOOL(has_access(viewer, PG_GETARG_DATUM(1),
							  PG_NARGS() > 2 ? &fcinfo->args[2] : NULL,
							  to_edit));
}

PG_FUNCTION_INFO_V1(may_see);

/* contacts.may_see(contact regclass, contact_id [, organization_id]) */
Datum
may_see(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, false);
}

PG_FUNCTION_INFO_V1(may_edit);

/* contacts.may_edit(contact regclass, contact_id [, organization_id]) */
Datum
may_edit(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, true);
}

PG_FUNCTION_INFO_V1(may_see_key);

/*
 * contacts.may_see_key(contact regclass, key): does the viewer see a contact
 * that holds the value with that key?
 */
Datum
may_see_key(PG_FUNCTION_ARGS)
{
	Viewer	   *viewer = calling_viewer(fcinfo);
	Datum		key = PG_GETARG_DATUM(1);
	Source		source = {0};
	LookUp		look_up;
	HeapTuple	tuple;
	bool		result = viewer->is_free || viewer->sees_all;

	if (result)
		PG_RETURN_BOOL(true);
	find_source(&source, &identifier_shape, get_rel_namespace(viewer->contact));
	begin_look_up(&look_up, &source, &identifier_shape, asking_snapshot(), &key);
	while (!result && (tuple = next_row(&look_up)) != NULL)
	{
		bool		isnull;
		Datum		contact = column_of(&look_up, tuple, 1, &isnull);

		result = !isnull && has_access(viewer, contact, NULL, false);
	}
	end_look_up(&look_up);
	PG_RETURN_BOOL(result);
}

PG_FUNCTION_INFO_V1(is_new_contact);

/*
 * contacts.is_new_contact(contact regclass, contact_id): did the statement
 * that is running insert the contact?  Who did may add to it at once, before
 * the share that he gets is there.
 */
Datum
is_new_contact(PG_FUNCTION_ARGS)
{
	Datum		id = PG_GETARG_DATUM(1);
	Source		source = {0};
	LookUp		look_up;
	HeapTuple	tuple;
	bool		result = false;

	find_source(&source, &contact_shape, get_rel_namespace(PG_GETARG_OID(0)));
	begin_look_up(&look_up, &source, &contact_shape, SnapshotSelf, &id);
	tuple = next_row(&look_up);
	if (tuple != NULL)
		result = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)) &&
			HeapTupleHeaderGetCmin(tuple->t_data) >= asking_snapshot()->curcid;
	end_look_up(&look_up);
	/* and not only changed it, as triggers may have done after inserting it */
	PG_RETURN_BOOL(result && !exists_row(&source, &contact_shape, &id));
}

/*
 * Planner support of may_see() and may_edit(): true, once and for the whole
 * query, for whoever sees or edits everything.  The plan is good for this user
 * only, and until directory_share or the roles change.  It may be kept for
 * longer than the snapshot of the query lives: so what is committed now counts.
 */
static Node *
simplify(Node *request, bool to_edit)
{
	SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;
	Const	   *contact;
	PlannerGlobal *glob;
	Viewer		viewer;

	/* in a parallel query there is no newer snapshot to be had */
	if (!IsA(request, SupportRequestSimplify) || simplify->root == NULL ||
		IsInParallelMode())
		return NULL;
	contact = linitial(simplify->fcall->args);
	if (!IsA(contact, Const) || contact->constisnull)
		return NULL;
	PushActiveSnapshot(GetLatestSnapshot());
	begin_viewer(&viewer, DatumGetObjectId(contact->constvalue));
	PopActiveSnapshot();
	if (to_edit ? !viewer.edits_all : !viewer.sees_all)
		return NULL;
	glob = simplify->root->glob;
	glob->dependsOnRole = true;
	glob->relationOids = lappend_oid(glob->relationOids,
									 viewer.directory_share);
	plan_depends_on_roles(viewer.directory_share);
	return makeBoolConst(true, false);
}

PG_FUNCTION_INFO_V1(may_see_support);

Datum
may_see_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(simplify((Node *) PG_GETARG_POINTER(0), false));
}

PG_FUNCTION_INFO_V1(may_edit_support);

Datum
may_edit_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(simplify((Node *) PG_GETARG_POINTER(0), true));
}

/*
 * Does row security as enable_row_security() makes it hold for the current
 * user?  That of users' own policies alone is theirs to think of.
 */
bool
is_secured(Relation contact)
{
	ListCell   *cell;

	if (check_enable_rls(RelationGetRelid(contact), InvalidOid, true) !=
		RLS_ENABLED || contact->rd_rsdesc == NULL)
		return false;
	foreach(cell, contact->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(cell);

		if (strcmp(policy->policy_name, "contacts_select") == 0)
			return true;
	}
	return false;
}

/* Does the current user edit every contact of the directory? */
bool
edits_all_contacts(Oid contact)
{
	Viewer		viewer;

	begin_viewer(&viewer, contact);
	return viewer.edits_all;
}

/*
 * A function that works on rows as their owner does so for who may see and
 * update one of them, whoever made the policies.  The condition compares $1.
 */
bool
may_update_rows(Relation rel, const char *condition, Oid type, Datum value)
{
	char	   *query;
	bool		result;

	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, true) !=
		RLS_ENABLED)
		return true;
	/* a locking clause asks the policies of UPDATE, too */
	query = psprintf("SELECT FROM ONLY %s WHERE %s LIMIT 1 FOR KEY SHARE",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)),
					 condition);
	SPI_connect();
	if (SPI_execute_with_args(query, 1, &type, &value, NULL, false, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}
