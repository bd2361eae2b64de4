/*-------------------------------------------------------------------------
 *
 * contacts.c
 *	  entry point of the library
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "ddl_guard.h"
#include "import.h"
#include "merge.h"
#include "phone.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Called once per session, when the library is loaded. */
void
_PG_init(void)
{
	phone_init();
	import_init();
	merge_init();
	ddl_guard_init();

	/* After all settings are defined: misspelt ones are refused. */
	MarkGUCPrefixReserved("contacts");
}
