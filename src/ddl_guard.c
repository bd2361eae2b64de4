/*-------------------------------------------------------------------------
 *
 * ddl_guard.c
 *	  the owner's DDL is no way round the rules
 *
 * DML is stopped by triggers; this refuses the commands that would take those
 * triggers, or what they stand on, away: their tables, columns, constraints
 * and unique indexes.  The server tells object_access_hook of every object
 * that a command makes, alters or drops, by its OID, under the command's lock:
 * no name is looked up, no parse tree read, and a cascade, DROP OWNED or an
 * element of CREATE SCHEMA is seen like any other change.  The event trigger
 * makes sure that this library, and with it the hook, is there before the
 * first command of a session does anything.
 *
 * What is protected is what stands in contacts.model, in a schema whose table
 * contact bears a trigger of the extension; all else is the owner's.  Nothing
 * runs SQL here: a command may be in the middle of anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "ddl_guard.h"

#define SWITCH_HINT "A superuser may set contacts.ddl_guard to off."
#define LEAVE_HINT \
	"contacts.drop_directory() drops a directory, contacts.detach_directory() leaves plain tables; a superuser may set contacts.ddl_guard to off."

/* Columns of contacts.model. */
#define MODEL_KIND 1
#define MODEL_RELATION 2
#define MODEL_NAME 3
#define MODEL_STATE 5

/* A table of a directory. */
typedef struct GuardedTable
{
	Oid			schema;
	char	   *directory;		/* name of the schema */
	char	   *name;
} GuardedTable;

static bool is_on = true;		/* contacts.ddl_guard */
static Oid	open_schema = InvalidOid;	/* a function of ours changes it */
static object_access_hook_type next_hook = NULL;

/*
 * Let this transaction's commands change the directory, until the former value
 * is put back: the caller does so in PG_FINALLY and lets nobody else choose
 * the commands.  Returns the former value.
 */
Oid
ddl_guard_open(Oid schema)
{
	Oid			former = open_schema;

	open_schema = schema;
	return former;
}

/*
 * The row of a catalogue with these keys, NULL if there is none: as it was
 * before the command (snapshot NULL), or as the command has just made it
 * (SnapshotSelf; the hook runs before the change becomes visible).
 */
static HeapTuple
fetch_row(Oid catalog, Oid index, ScanKey keys, int nkeys, Snapshot snapshot)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, index, true, snapshot, nkeys,
										  keys);
	HeapTuple	tuple = systable_getnext(scan);

	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return tuple;
}

/* The row of a catalogue with that OID, whose column oid is the first. */
static HeapTuple
fetch_object(Oid catalog, Oid index, Oid object, Snapshot snapshot)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object));
	return fetch_row(catalog, index, &key, 1, snapshot);
}

/* The schema of the extension; InvalidOid if it is not installed here. */
static Oid
extension_schema(void)
{
	Oid			schema = get_namespace_oid("contacts", true);
	Oid			extension = get_extension_oid("contacts", true);

	if (!OidIsValid(schema) || !OidIsValid(extension) ||
		getExtensionOfObject(NamespaceRelationId, schema) != extension)
		return InvalidOid;
	return schema;
}

/*
 * Is there such an object in a directory?  For a trigger, state is when it
 * fires (pg_trigger.tgenabled).
 */
static bool
find_in_model(const char *kind, const char *relation, const char *name,
			  char *state)
{
	Oid			relid = get_relname_relid("model", extension_schema());
	ScanKeyData keys[3];
	NameData	table;
	Relation	model;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;

	if (!OidIsValid(relid))
		return false;
	namestrcpy(&table, relation);
	ScanKeyInit(&keys[0], MODEL_KIND, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(kind));
	ScanKeyInit(&keys[1], MODEL_RELATION, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&table));
	ScanKeyInit(&keys[2], MODEL_NAME, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(name));
	model = table_open(relid, AccessShareLock);
	scan = systable_beginscan(model, InvalidOid, false, NULL, 3, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && state != NULL)
	{
		Datum		value = heap_getattr(tuple, MODEL_STATE,
										 RelationGetDescr(model), &isnull);

		*state = isnull ? '\0' : *TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(model, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Does the table bear a trigger of the extension? */
static bool
has_our_trigger(Oid relid, Oid functions)
{
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, TriggerRelidNameIndexId, true, NULL, 1,
							  &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		found = get_func_namespace(trigger->tgfoid) == functions;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Is the schema a directory, and not one that a function of ours is changing?
 * A directory is known by the extension's trigger on its table contact; one
 * that is being restored, or was detached, has none.
 */
static bool
is_directory(Oid schema)
{
	Oid			contact;
	Oid			functions;

	if (!OidIsValid(schema) || schema == open_schema)
		return false;
	contact = get_relname_relid("contact", schema);
	if (!OidIsValid(contact))
		return false;
	functions = extension_schema();
	return OidIsValid(functions) && has_our_trigger(contact, functions);
}

/* Is the relation a table of a directory, and one that its maker made? */
static bool
is_guarded(Oid relid, GuardedTable *table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	result = (form->relkind == RELKIND_RELATION ||
			  form->relkind == RELKIND_PARTITIONED_TABLE) &&
		is_directory(form->relnamespace) &&
		find_in_model("table", NameStr(form->relname), "", NULL);
	if (result)
	{
		table->schema = form->relnamespace;
		table->directory = get_namespace_name(form->relnamespace);
		table->name = pstrdup(NameStr(form->relname));
	}
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Refuse to do that: "drop", say, or "drop column \"email\" of", to a table.
 * What would be lost is 2BP01, what would be altered 23001.
 */
static void
refuse(const GuardedTable *table, const char *action, const char *constraint)
{
	bool		is_drop = strncmp(action, "drop", 4) == 0;

	ereport(ERROR,
			(errcode(is_drop ? ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST :
					 ERRCODE_RESTRICT_VIOLATION),
			 errmsg("cannot %s table \"%s\" of directory \"%s\"",
					action, table->name, table->directory),
			 errdetail("The DDL guard keeps what the rules of a directory stand on."),
			 is_drop ?
			 errhint(LEAVE_HINT) : errhint(SWITCH_HINT),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, table->directory),
			 err_generic_string(PG_DIAG_TABLE_NAME, table->name),
			 constraint == NULL ? 0 :
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint)));
}

/* The constraint, if it is one of a directory's own; else NULL. */
static Form_pg_constraint
guarded_constraint(Oid constraint, GuardedTable *table)
{
	HeapTuple	tuple = fetch_object(ConstraintRelationId,
									 ConstraintOidIndexId, constraint, NULL);
	Form_pg_constraint form;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (!OidIsValid(form->conrelid) || !is_guarded(form->conrelid, table) ||
		!find_in_model("constraint", table->name, NameStr(form->conname),
					   NULL))
		return NULL;
	return form;
}

/*
 * The row of the trigger, if it is one of ours on a directory's table or
 * enforces one of its foreign keys; else NULL.  state: when it is to fire.
 */
static HeapTuple
guarded_trigger(Oid trigger, GuardedTable *table, char *state)
{
	HeapTuple	tuple = fetch_object(TriggerRelationId, TriggerOidIndexId,
									 trigger, NULL);
	Form_pg_trigger form;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_trigger) GETSTRUCT(tuple);
	if (form->tgisinternal)
	{
		*state = TRIGGER_FIRES_ON_ORIGIN;
		return guarded_constraint(form->tgconstraint, table) != NULL ?
			tuple : NULL;
	}
	if (!is_guarded(form->tgrelid, table) ||
		get_func_namespace(form->tgfoid) != extension_schema() ||
		!find_in_model("trigger", table->name, NameStr(form->tgname), state))
		return NULL;
	return tuple;
}

/* The column, if it is one of a directory's own; else NULL. */
static Form_pg_attribute
guarded_column(Oid relid, int attnum, GuardedTable *table)
{
	HeapTuple	tuple;
	Form_pg_attribute form;

	if (!is_guarded(relid, table))
		return NULL;
	tuple = SearchSysCacheCopy2(ATTNUM, ObjectIdGetDatum(relid),
								Int16GetDatum(attnum));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_attribute) GETSTRUCT(tuple);
	if (form->attisdropped ||
		!find_in_model("column", table->name, NameStr(form->attname), NULL))
		return NULL;
	return form;
}

/* The name of the index, if it is one of a directory's unique ones. */
static char *
guarded_index(Oid index, GuardedTable *table)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	Oid			relid;
	char	   *name = get_rel_name(index);

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_index) GETSTRUCT(tuple);
	relid = form->indisunique ? form->indrelid : InvalidOid;
	ReleaseSysCache(tuple);
	if (!OidIsValid(relid) || name == NULL || !is_guarded(relid, table) ||
		!find_in_model("index", table->name, name, NULL))
		return NULL;
	return name;
}

/* A constraint of NOT NULL is an object from PostgreSQL 18 on. */
static void
check_not_null_dropped(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	GuardedTable table;
	Datum		columns;
	bool		isnull;
	int16		attnum = 0;
	Form_pg_attribute column;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	columns = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey,
							  &isnull);
	if (form->contype == 'n' && OidIsValid(form->conrelid) && !isnull)
		attnum = ((int16 *) ARR_DATA_PTR(DatumGetArrayTypeP(columns)))[0];
	column = attnum == 0 ? NULL :
		guarded_column(form->conrelid, attnum, &table);
	if (column != NULL &&
		find_in_model("not null", table.name, NameStr(column->attname), NULL))
		refuse(&table, psprintf("allow nulls in column \"%s\" of",
								NameStr(column->attname)), NULL);
	ReleaseSysCache(tuple);
}

/*
 * DROP EXTENSION .. CASCADE takes types and triggers away from every
 * directory.  It may drop the model first, without which nothing is guarded.
 */
static void
check_model_dropped(Oid relid)
{
	Oid			functions = get_rel_namespace(relid);
	Relation	rel;
	ScanKeyData key;
	NameData	contact;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (functions != get_namespace_oid("contacts", true) ||
		relid != get_relname_relid("model", functions))
		return;
	namestrcpy(&contact, "contact");
	ScanKeyInit(&key, Anum_pg_class_relname, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(&contact));
	rel = table_open(RelationRelationId, AccessShareLock);
	scan = systable_beginscan(rel, ClassNameNspIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			schema = ((Form_pg_class) GETSTRUCT(tuple))->relnamespace;

		if (is_directory(schema))
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop extension \"contacts\": schema \"%s\" is a directory",
							get_namespace_name(schema)),
					 errhint(LEAVE_HINT),
					 err_generic_string(PG_DIAG_SCHEMA_NAME,
										get_namespace_name(schema))));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* A command is about to drop an object, perhaps by a cascade. */
static void
check_drop(Oid catalog, Oid object, int subid)
{
	GuardedTable table;
	char		state;
	char	   *index;
	Form_pg_attribute column;
	Form_pg_constraint constraint;
	Form_pg_trigger trigger;
	HeapTuple	tuple;

	if (catalog == RelationRelationId && subid != 0)
	{
		column = guarded_column(object, subid, &table);
		if (column != NULL)
			refuse(&table, psprintf("drop column \"%s\" of",
									NameStr(column->attname)), NULL);
	}
	else if (catalog == RelationRelationId)
	{
		check_model_dropped(object);
		if (is_guarded(object, &table))
			refuse(&table, "drop", NULL);
		index = guarded_index(object, &table);
		if (index != NULL)
			refuse(&table, psprintf("drop index \"%s\" of", index), index);
	}
	else if (catalog == ConstraintRelationId)
	{
		constraint = guarded_constraint(object, &table);
		if (constraint != NULL)
			refuse(&table, psprintf("drop constraint \"%s\" of",
									NameStr(constraint->conname)),
				   NameStr(constraint->conname));
		check_not_null_dropped(object);
	}
	else if (catalog == TriggerRelationId)
	{
		tuple = guarded_trigger(object, &table, &state);
		if (tuple == NULL)
			return;
		trigger = (Form_pg_trigger) GETSTRUCT(tuple);
		if (!trigger->tgisinternal)
			refuse(&table, psprintf("drop trigger \"%s\" on",
									NameStr(trigger->tgname)), NULL);
	}
}

/* A rule rewrites commands before any trigger sees a row. */
static void
check_rule(Oid rule)
{
	HeapTuple	tuple = fetch_object(RewriteRelationId, RewriteOidIndexId,
									 rule, SnapshotSelf);
	GuardedTable table;

	if (HeapTupleIsValid(tuple) &&
		is_guarded(((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class, &table))
		refuse(&table, "add a rule to", NULL);
}

/*
 * A trigger was made or altered.  Ours may be armed again, not disarmed.  A
 * new one has no row yet that was there before the command or, where it is the
 * first of its table, the same row: the server has made it visible already.
 */
static void
check_trigger_altered(Oid object, bool is_create)
{
	GuardedTable table;
	char		state;
	HeapTuple	old = guarded_trigger(object, &table, &state);
	HeapTuple	new;
	Form_pg_trigger before;
	Form_pg_trigger after;
	const char *action;

	if (old == NULL)
		return;
	new = fetch_object(TriggerRelationId, TriggerOidIndexId, object,
					   SnapshotSelf);
	if (!HeapTupleIsValid(new) || ItemPointerEquals(&old->t_self, &new->t_self))
		return;
	before = (Form_pg_trigger) GETSTRUCT(old);
	after = (Form_pg_trigger) GETSTRUCT(new);
	if (is_create)
		action = "replace";
	else if (strcmp(NameStr(before->tgname), NameStr(after->tgname)) != 0)
		action = "rename";
	else if (before->tgenabled != after->tgenabled &&
			 after->tgenabled != state)
		action = "disarm";
	else
		return;
	if (before->tgisinternal)
		refuse(&table, psprintf("%s constraint \"%s\" of", action,
								get_constraint_name(before->tgconstraint)),
			   get_constraint_name(before->tgconstraint));
	refuse(&table, psprintf("%s trigger \"%s\" on", action,
							NameStr(before->tgname)), NULL);
}

/* A column was altered: it keeps its name, its type and NOT NULL. */
static void
check_column_altered(Oid relid, int attnum)
{
	GuardedTable table;
	Form_pg_attribute before = guarded_column(relid, attnum, &table);
	ScanKeyData keys[2];
	HeapTuple	tuple;
	Form_pg_attribute after;
	const char *action;

	if (before == NULL)
		return;
	ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber,
				F_INT2EQ, Int16GetDatum(attnum));
	tuple = fetch_row(AttributeRelationId, AttributeRelidNumIndexId, keys, 2,
					  SnapshotSelf);
	if (!HeapTupleIsValid(tuple))
		return;
	after = (Form_pg_attribute) GETSTRUCT(tuple);
	if (strcmp(NameStr(before->attname), NameStr(after->attname)) != 0)
		action = "rename";
	else if (before->atttypid != after->atttypid ||
			 before->atttypmod != after->atttypmod ||
			 before->attcollation != after->attcollation)
		action = "change the type of";
	else if (before->attnotnull && !after->attnotnull &&
			 find_in_model("not null", table.name, NameStr(before->attname),
						   NULL))
		action = "allow nulls in";
	else
		return;
	refuse(&table, psprintf("%s column \"%s\" of", action,
							NameStr(before->attname)), NULL);
}

/* A table or index was altered: it keeps its name, its schema, its logging. */
static void
check_relation_altered(Oid relid)
{
	GuardedTable table;
	char	   *index = NULL;
	HeapTuple	tuple;
	Form_pg_class after;
	const char *action;

	if (!is_guarded(relid, &table) &&
		(index = guarded_index(relid, &table)) == NULL)
		return;
	tuple = fetch_object(RelationRelationId, ClassOidIndexId, relid,
						 SnapshotSelf);
	if (!HeapTupleIsValid(tuple))
		return;
	after = (Form_pg_class) GETSTRUCT(tuple);
	if (index != NULL)
	{
		if (strcmp(index, NameStr(after->relname)) != 0)
			refuse(&table, psprintf("rename index \"%s\" of", index), index);
		return;
	}
	if (strcmp(table.name, NameStr(after->relname)) != 0)
		action = "rename";
	else if (after->relnamespace != table.schema)
		action = "move";
	else if (after->relpersistence != RELPERSISTENCE_PERMANENT &&
			 get_rel_persistence(relid) != after->relpersistence)
		action = "turn off the logging of";
	else
		return;
	refuse(&table, action, NULL);
}

/* A constraint was altered: it keeps its name and when it is checked. */
static void
check_constraint_altered(Oid object)
{
	GuardedTable table;
	Form_pg_constraint before = guarded_constraint(object, &table);
	HeapTuple	tuple;
	Form_pg_constraint after;

	if (before == NULL)
		return;
	tuple = fetch_object(ConstraintRelationId, ConstraintOidIndexId, object,
						 SnapshotSelf);
	if (!HeapTupleIsValid(tuple))
		return;
	after = (Form_pg_constraint) GETSTRUCT(tuple);
	if (strcmp(NameStr(before->conname), NameStr(after->conname)) != 0)
		refuse(&table, psprintf("rename constraint \"%s\" of",
								NameStr(before->conname)),
			   NameStr(before->conname));
	if (before->condeferrable != after->condeferrable ||
#if PG_VERSION_NUM >= 180000
		before->conenforced != after->conenforced ||
#endif
		before->condeferred != after->condeferred)
		refuse(&table, psprintf("alter constraint \"%s\" of",
								NameStr(before->conname)),
			   NameStr(before->conname));
}

/* A child was added or taken away: rows of a child follow no rule. */
static void
check_inheritance(Oid child, Oid parent)
{
	ScanKeyData key;
	GuardedTable table;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(child));
	if (fetch_row(InheritsRelationId, InheritsRelidSeqnoIndexId, &key, 1,
				  SnapshotSelf) == NULL)
		return;
	if (is_guarded(parent, &table) || is_guarded(child, &table))
		refuse(&table, "add inheritance to", NULL);
}

/* The schema was altered: others know the directory by its name. */
static void
check_schema_altered(Oid schema)
{
	HeapTuple	tuple;
	char	   *before;

	if (!is_directory(schema))
		return;
	before = get_namespace_name(schema);
	tuple = fetch_object(NamespaceRelationId, NamespaceOidIndexId, schema,
						 SnapshotSelf);
	if (!HeapTupleIsValid(tuple) ||
		strcmp(before, NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname)) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("cannot rename the schema of directory \"%s\"", before),
			 errhint("Use contacts.rename_directory()."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, before)));
}

/* A command has altered an object. */
static void
check_alter(Oid catalog, Oid object, int subid, Oid auxiliary)
{
	if (catalog == RelationRelationId && subid != 0)
		check_column_altered(object, subid);
	else if (catalog == RelationRelationId)
		check_relation_altered(object);
	else if (catalog == TriggerRelationId)
		check_trigger_altered(object, false);
	else if (catalog == ConstraintRelationId)
		check_constraint_altered(object);
	else if (catalog == InheritsRelationId)
		check_inheritance(object, auxiliary);
	else if (catalog == NamespaceRelationId)
		check_schema_altered(object);
}

/* Does the guard look at commands now? */
static bool
is_watching(void)
{
	return is_on && !IsBinaryUpgrade &&
		!(creating_extension &&
		  CurrentExtensionObject == get_extension_oid("contacts", true));
}

/* object_access_hook: called very often, for few objects that matter. */
static void
watch(ObjectAccessType access, Oid catalog, Oid object, int subid, void *arg)
{
	if (next_hook != NULL)
		next_hook(access, catalog, object, subid, arg);
	if (access == OAT_DROP)
	{
		if ((catalog == RelationRelationId || catalog == TriggerRelationId ||
			 catalog == ConstraintRelationId) && is_watching())
			check_drop(catalog, object, subid);
	}
	else if (access == OAT_POST_CREATE)
	{
		if (catalog == RewriteRelationId && is_watching())
			check_rule(object);
		else if (catalog == TriggerRelationId && is_watching())
			check_trigger_altered(object, true);
	}
	else if (access == OAT_POST_ALTER)
	{
		if (is_watching())
			check_alter(catalog, object, subid,
						((ObjectAccessPostAlter *) arg)->auxiliary_id);
	}
}

/* Called once, when the library is loaded. */
void
ddl_guard_init(void)
{
	DefineCustomBoolVariable("contacts.ddl_guard",
							 "Refuses DDL that would take away what the rules of a directory stand on.",
							 "Off: for superusers who restore with --clean or repair by hand.",
							 &is_on, true, PGC_SUSET, 0, NULL, NULL, NULL);
	next_hook = object_access_hook;
	object_access_hook = watch;
}

PG_FUNCTION_INFO_V1(ddl_guard);

/*
 * The event trigger: by being called it has loaded the library.  It refuses
 * to take members out of the extension, which the hook is not told of.
 */
Datum
ddl_guard(PG_FUNCTION_ARGS)
{
	EventTriggerData *data;
	AlterExtensionContentsStmt *stmt;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by an event trigger",
						"ddl_guard")));
	data = (EventTriggerData *) fcinfo->context;
	if (IsA(data->parsetree, AlterExtensionContentsStmt) && is_watching())
	{
		stmt = (AlterExtensionContentsStmt *) data->parsetree;
		if (stmt->action < 0 && strcmp(stmt->extname, "contacts") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot take members out of extension \"contacts\""),
					 errhint(SWITCH_HINT)));
	}
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(ddl_guard_is_on);

/* Is contacts.ddl_guard on in this session? */
Datum
ddl_guard_is_on(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_on);
}
