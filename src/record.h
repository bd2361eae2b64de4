/*-------------------------------------------------------------------------
 *
 * record.h
 *	  tables whose records contacts are related to (rule R3)
 *
 *-------------------------------------------------------------------------
 */
#ifndef RECORD_H
#define RECORD_H

#include "plan_cache.h"
#include "utils/reltrigger.h"

/* Keys of records, looked up together. */
#define RECORD_CHUNK 8192

/* A table of records, open, that is registered in a directory and knows it. */
typedef struct RecordTable
{
	Relation	rel;
	AttrNumber	key;
	bool		is_uuid;		/* else an integer */
} RecordTable;

extern void read_record_trigger(const Trigger *trigger, Oid *object_type,
								AttrNumber *key);
extern bool is_record_key(Relation rel, AttrNumber key);
extern bool find_record_key(Relation rel, Oid object_type, AttrNumber *key);
extern bool open_records(RecordTable *table, Oid relid, Oid object_type);
extern Datum key_datum(Relation rel, AttrNumber key, Datum value);

extern int	find_missing(const RecordTable *table, Datum *keys, int n,
						 bool lock, bool *is_missing);

#endif							/* RECORD_H */
