#ifndef RESERVED_H
#define RESERVED_H

#include "utils/rel.h"
#include "utils/uuid.h"

extern bool is_reserved(Relation identifier, const pg_uuid_t *key);
extern void note_reserved(Relation identifier, const pg_uuid_t *key);

#endif							/* RESERVED_H */
