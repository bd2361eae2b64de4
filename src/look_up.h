/*-------------------------------------------------------------------------
 *
 * look_up.h
 *	  reading rows of a directory's tables by the first columns of an index
 *
 *-------------------------------------------------------------------------
 */
#ifndef LOOK_UP_H
#define LOOK_UP_H

#include "access/genam.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#define MAX_SOURCE_COLUMNS 6

/* A table that is read by equality of its leading columns. */
typedef struct Source
{
	Oid			relid;
	Oid			index;			/* over the leading columns, or invalid */
	AttrNumber	columns[MAX_SOURCE_COLUMNS];
} Source;

/* What the columns of a source are called, and their types. */
typedef struct SourceColumn
{
	const char *name;
	Oid			type;			/* invalid: any of the size of an OID */
} SourceColumn;

typedef struct SourceShape
{
	const char *table;
	int			nkeys;			/* columns that rows are found by */
	SourceColumn columns[MAX_SOURCE_COLUMNS];
} SourceShape;

/* The rows of a source with certain keys. */
typedef struct LookUp
{
	Relation	rel;
	const Source *source;
	SysScanDesc scan;
} LookUp;

extern void find_source(Source *source, const SourceShape *shape, Oid nspid);

extern Snapshot asking_snapshot(void);
extern void begin_look_up(LookUp *look_up, const Source *source,
						  const SourceShape *shape, Snapshot snapshot,
						  const Datum *values);
extern void begin_range(LookUp *look_up, const Source *source,
						const SourceShape *shape, Snapshot snapshot,
						const Datum *values, int64 high);
extern HeapTuple next_row(LookUp *look_up);
extern Datum column_of(LookUp *look_up, HeapTuple tuple, int column,
					   bool *isnull);
extern void end_look_up(LookUp *look_up);

extern bool exists_row(const Source *source, const SourceShape *shape,
					   const Datum *keys);
extern bool read_column(const Source *source, const SourceShape *shape,
						Datum key, int column, Datum *value);

#endif							/* LOOK_UP_H */
