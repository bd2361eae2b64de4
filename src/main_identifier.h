/*-------------------------------------------------------------------------
 *
 * main_identifier.h
 *	  contact.email and contact.mobile_phone are identifiers (rule I4)
 *
 *-------------------------------------------------------------------------
 */
#ifndef MAIN_IDENTIFIER_H
#define MAIN_IDENTIFIER_H

#include "columns.h"
#include "directory.h"
#include "plan_cache.h"

#define MAIN_NCOLUMNS 2

/* The columns of contact that are main identifiers. */
typedef struct MainColumn
{
	ContactColumn column;
	const char *type;			/* semantic type */
	const DirectoryQuery *superseded;	/* contacts whose column is not n.now */
	const DirectoryQuery *classify; /* what is to be done for a new value */
	const DirectoryQuery *adopt;	/* contacts take what the value became */
} MainColumn;

extern const MainColumn main_columns[MAIN_NCOLUMNS];

extern void find_main_types(DirectoryInfo *info, SemanticType **types);
extern void add_id_and(Batch *batch, Datum id, Datum second, Datum third);
extern bool has_user_triggers(Relation rel);
extern void settle_email_status(Directory *dir, Datum *contact_ids, int n);

#endif							/* MAIN_IDENTIFIER_H */
