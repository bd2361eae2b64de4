/*-------------------------------------------------------------------------
 *
 * main_identifier.c
 *	  contact.email and contact.mobile_phone are identifiers (rule I4)
 *
 * contact.email is the email identifier with slug main, contact.mobile_phone
 * the phone identifier with slug main.  contact_claim.c and contact_change.c
 * have the identifiers follow the contact, identifier_change.c does the other
 * direction.  All only write what does not agree yet, from the rows as they
 * are now, so they end where they meet, whatever triggers of a user do in
 * between.  Here is what they share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "consent.h"
#include "directory.h"
#include "main_identifier.h"

#define SUPERSEDED(column, sqltype) \
	"SELECT n.n FROM @rows@ WHERE NOT EXISTS" \
	" (SELECT FROM ONLY @contact@ c" \
	"  WHERE c.id OPERATOR(pg_catalog.=) n.id" \
	"  AND c." column " OPERATOR(pg_catalog.=) n.now::contacts." sqltype ")"

#define CLASSIFY(column, sqltype) \
	"SELECT n.n, m.id, m.value, m.status::pg_catalog.text, t.id, t.slug," \
	" t.contact_id OPERATOR(pg_catalog.=) n.id" \
	"  AND t.semantic_type OPERATOR(pg_catalog.=) '" sqltype "'" \
	" FROM @rows@ JOIN ONLY @contact@ c" \
	"  ON c.id OPERATOR(pg_catalog.=) n.id" \
	"  AND (c." column " OPERATOR(pg_catalog.=) n.now::contacts." sqltype \
	"   OR c." column " IS NULL AND n.now IS NULL)" \
	" LEFT JOIN ONLY @identifier@ m" \
	"  ON m.contact_id OPERATOR(pg_catalog.=) n.id" \
	"  AND " KIND_OF("m") " OPERATOR(pg_catalog.=) '" sqltype "'" \
	"  AND m.slug OPERATOR(pg_catalog.=) 'main'" \
	" LEFT JOIN ONLY @identifier@ t" \
	"  ON t.key OPERATOR(pg_catalog.=) n.key" \
	"  AND t.holder OPERATOR(pg_catalog.=) n.holder" \
	" ORDER BY n.n"

/* A user's trigger on identifier may have made another value of ours. */
#define ADOPT(column, sqltype) \
	"UPDATE ONLY @contact@ c SET " column " = m.value::contacts." sqltype \
	" FROM @rows@, ONLY @identifier@ m" \
	" WHERE c.id OPERATOR(pg_catalog.=) n.id" \
	" AND c." column " OPERATOR(pg_catalog.=) n.now::contacts." sqltype \
	" AND m.contact_id OPERATOR(pg_catalog.=) n.id" \
	" AND " KIND_OF("m") " OPERATOR(pg_catalog.=) '" sqltype "'" \
	" AND m.slug OPERATOR(pg_catalog.=) 'main'" \
	" AND m.value OPERATOR(pg_catalog.<>) n.now"

static const DirectoryQuery superseded_email = {
	SUPERSEDED("email", "email"), 3, {INT4OID, INT8OID, TEXTOID}, "n, id, now"
};
static const DirectoryQuery superseded_phone = {
	SUPERSEDED("mobile_phone", "phone"), 3, {INT4OID, INT8OID, TEXTOID},
	"n, id, now"
};
static const DirectoryQuery classify_email = {
	CLASSIFY("email", "email"), 5,
	{INT4OID, INT8OID, TEXTOID, UUIDOID, INT8OID}, "n, id, now, key, holder"
};
static const DirectoryQuery classify_phone = {
	CLASSIFY("mobile_phone", "phone"), 5,
	{INT4OID, INT8OID, TEXTOID, UUIDOID, INT8OID}, "n, id, now, key, holder"
};

static const DirectoryQuery adopt_email = {
	ADOPT("email", "email"), 2, {INT8OID, TEXTOID}, "id, now"
};
static const DirectoryQuery adopt_phone = {
	ADOPT("mobile_phone", "phone"), 2, {INT8OID, TEXTOID}, "id, now"
};

const MainColumn main_columns[MAIN_NCOLUMNS] = {
	{CONTACT_EMAIL, "email", &superseded_email, &classify_email, &adopt_email},
	{CONTACT_MOBILE_PHONE, "phone", &superseded_phone, &classify_phone,
	&adopt_phone}
};

/* A state of its own goes from the value to the contact (C4) ... */
static const DirectoryQuery status_to_contact = {
	"UPDATE ONLY @contact@ c SET email_status = i.status"
	" FROM @rows@, ONLY @identifier@ i"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	" AND i.slug OPERATOR(pg_catalog.=) 'main'"
	" AND i.value OPERATOR(pg_catalog.=) c.email::pg_catalog.text"
	" AND i.status OPERATOR(pg_catalog.<>) 'not_opted_in'"
	" AND i.status OPERATOR(pg_catalog.<>) c.email_status",
	1, {INT8OID}, "id"
};

/* ... and the contact's to a value without one. */
static const DirectoryQuery status_to_value = {
	"UPDATE ONLY @identifier@ i SET status = c.email_status, status_reason ="
	" CASE WHEN c.email_status OPERATOR(pg_catalog.=) 'unsubscribed'"
	" THEN 'own_wish' ELSE 'manual' END"
	" FROM @rows@, ONLY @contact@ c"
	" WHERE c.id OPERATOR(pg_catalog.=) n.id"
	" AND i.contact_id OPERATOR(pg_catalog.=) n.id"
	" AND " KIND_OF("i") " OPERATOR(pg_catalog.=) 'email'"
	" AND i.slug OPERATOR(pg_catalog.=) 'main'"
	" AND i.value OPERATOR(pg_catalog.=) c.email::pg_catalog.text"
	" AND i.status OPERATOR(pg_catalog.=) 'not_opted_in'"
	" AND i.status OPERATOR(pg_catalog.<>) c.email_status",
	1, {INT8OID}, "id"
};

/* Add a row to a batch whose later columns may be NULL, given as (Datum) 0. */
void
add_id_and(Batch *batch, Datum id, Datum second, Datum third)
{
	Datum		values[3];
	bool		nulls[3];

	values[0] = id;
	values[1] = second;
	values[2] = third;
	nulls[0] = false;
	nulls[1] = second == (Datum) 0;
	nulls[2] = third == (Datum) 0;
	batch_add(batch, values, nulls);
}

/*
 * Bring contact.email_status and the state of the main email together, where
 * the address of the contacts is new to them: the value's own state wins, else
 * it takes the contact's (rules C1, C4).
 */
void
settle_email_status(Directory *dir, Datum *contact_ids, int n)
{
	Batch	   *batch = batch_create(&status_to_contact, n);
	int			i;

	for (i = 0; i < n; i++)
		batch_add(batch, &contact_ids[i], NULL);
	batch_run(dir, batch);
	batch->query = &status_to_value;
	batch_run(dir, batch);
}

/* Does a user's own trigger fire when rows of rel are written? */
bool
has_user_triggers(Relation rel)
{
	Oid			contacts = get_namespace_oid("contacts", false);
	int			i;

	for (i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *t = &rel->trigdesc->triggers[i];

		if (!t->tgisinternal && t->tgenabled != TRIGGER_DISABLED &&
			get_func_namespace(t->tgfoid) != contacts)
			return true;
	}
	return false;
}

/* Look up the kinds of the main columns; a directory has them. */
void
find_main_types(DirectoryInfo *info, SemanticType **types)
{
	int			m;

	for (m = 0; m < MAIN_NCOLUMNS; m++)
	{
		const char *name = main_columns[m].type;

		types[m] = find_semantic_type(info, name, strlen(name));
		if (types[m] == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("semantic type \"%s\" is missing", name),
					 errhint("Restore the rows of table semantic_type.")));
	}
}
