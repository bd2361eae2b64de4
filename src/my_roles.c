/*-------------------------------------------------------------------------
 *
 * my_roles.c
 *	  the roles whose privileges the current user has
 *
 * A share names a role; it is good for who is that role or inherits from it,
 * as a GRANT is.  The server tells of one role at a time whether a user has
 * its privileges; here are all of them, found by memberships and not by going
 * through every role there is, and kept until a role or a membership changes.
 *
 * Plans that were made for a user who sees the whole directory are thrown away
 * then, too: see visibility.c.  The server does so with plans that are kept; one
 * that was being made meanwhile goes at the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

#include "my_roles.h"

static Oid	known_user = InvalidOid;	/* whose roles are known */
static List *known_roles = NIL; /* their OIDs, in TopMemoryContext */
static bool has_changed = false;	/* a role or a membership, meanwhile? */
static List *plan_tables = NIL; /* directory_share, where plans depend on it */
static bool forget_later = false;	/* a plan may have missed a change */

/* A role or a membership changed. */
static void
forget_roles(Datum arg, int cacheid, uint32 hashvalue)
{
	known_user = InvalidOid;
	has_changed = true;
	if (plan_tables != NIL)
	{
		ResetPlanCache();
		forget_later = true;
	}
}

/* What is shared changed: the server forgets the plans that it has by now. */
static void
note_shares(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || list_member_oid(plan_tables, relid))
		forget_later = true;
}

/* The plan that was being made when something changed is there by now. */
static void
forget_at_end(XactEvent event, void *arg)
{
	if (!forget_later || (event != XACT_EVENT_COMMIT &&
						  event != XACT_EVENT_ABORT &&
						  event != XACT_EVENT_PREPARE))
		return;
	forget_later = false;
	ResetPlanCache();
}

/* Add the roles that the role is a member of, and whose privileges user has. */
static List *
add_memberships(List *roles, Oid user, Oid role)
{
	CatCList   *memberships = SearchSysCacheList1(AUTHMEMMEMROLE,
												  ObjectIdGetDatum(role));
	int			i;

	for (i = 0; i < memberships->n_members; i++)
	{
		HeapTuple	tuple = &memberships->members[i]->tuple;
		Oid			group = ((Form_pg_auth_members) GETSTRUCT(tuple))->roleid;

		if (has_privs_of_role(user, group))
			roles = list_append_unique_oid(roles, group);
	}
	ReleaseSysCacheList(memberships);
	return roles;
}

/* Find the roles of the current user, unless they are known. */
static void
refresh_roles(void)
{
	static bool is_registered = false;
	Oid			user = GetUserId();
	List	   *roles = list_make1_oid(user);
	MemoryContext oldcontext;
	int			i;

	if (!is_registered)
	{
		CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, forget_roles, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, forget_roles, (Datum) 0);
		is_registered = true;
	}
	if (known_user == user)
		return;

	known_user = InvalidOid;
	has_changed = false;
	for (i = 0; i < list_length(roles); i++)
		roles = add_memberships(roles, user, list_nth_oid(roles, i));
	if (has_privs_of_role(user, ROLE_PG_DATABASE_OWNER))
		roles = list_append_unique_oid(roles, ROLE_PG_DATABASE_OWNER);

	list_free(known_roles);
	known_roles = NIL;
	oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	known_roles = list_copy(roles);
	MemoryContextSwitchTo(oldcontext);
	known_user = has_changed ? InvalidOid : user;
}

/*
 * The names of the roles whose privileges the current user has, himself first;
 * a list of C strings in the current memory context.
 */
List *
my_role_names(void)
{
	List	   *names = NIL;
	ListCell   *cell;

	refresh_roles();
	foreach(cell, list_copy(known_roles))
	{
		char	   *name = GetUserNameFromId(lfirst_oid(cell), true);

		if (name != NULL)
			names = lappend(names, name);
	}
	return names;
}

/*
 * The plan that is being made is good as long as the roles, and who sees the
 * whole directory by its table directory_share, stay as they are.
 */
void
plan_depends_on_roles(Oid directory_share)
{
	MemoryContext oldcontext;

	if (plan_tables == NIL)
	{
		CacheRegisterRelcacheCallback(note_shares, (Datum) 0);
		RegisterXactCallback(forget_at_end, NULL);
	}
	oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	plan_tables = list_append_unique_oid(plan_tables, directory_share);
	MemoryContextSwitchTo(oldcontext);
}

PG_FUNCTION_INFO_V1(my_roles);

/* contacts.my_roles() RETURNS name[] */
Datum
my_roles(PG_FUNCTION_ARGS)
{
	List	   *names = my_role_names();
	Datum	   *values = palloc(sizeof(Datum) * list_length(names));
	ListCell   *cell;

	foreach(cell, names)
		values[foreach_current_index(cell)] =
		DirectFunctionCall1(namein, CStringGetDatum(lfirst(cell)));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, list_length(names), NAMEOID,
										  NAMEDATALEN, false, TYPALIGN_CHAR));
}
