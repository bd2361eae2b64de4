#ifndef MAIN_IDENTIFIER_H
#define MAIN_IDENTIFIER_H

#include "columns.h"
#include "plan_cache.h"

extern bool has_user_triggers(Relation rel);
extern void settle_email_status(Directory *dir, Datum *contact_ids, int n);

#endif							/* MAIN_IDENTIFIER_H */
