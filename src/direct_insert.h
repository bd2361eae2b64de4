/*-------------------------------------------------------------------------
 *
 * direct_insert.h
 *	  rows that triggers make, written straight into table and indexes
 *
 *-------------------------------------------------------------------------
 */
#ifndef DIRECT_INSERT_H
#define DIRECT_INSERT_H

#include "plan_cache.h"

#define DIRECT_MAX_COLUMNS 16

/*
 * What rows a table of a directory is to take, declared once as a static const
 * by whoever makes them.  Columns are numbers in the array of their names.
 */
typedef struct DirectTable
{
	const char *const *columns; /* all that create_directory() made */
	int			ncolumns;
	const int  *given;			/* those that the rows give */
	int			ngiven;
	const int  *optional;		/* those that may be NULL */
	int			noptional;
	const char *const *checks;	/* CHECKs that every row passes */
	int			nchecks;
	/* foreign keys that every row fulfils */
	bool		(*is_own_foreign_key) (Relation rel,
									   const ForeignKeyCacheInfo *fk);
} DirectTable;

typedef struct DirectInsert DirectInsert;

extern bool can_insert_directly(Relation rel, const DirectTable *table);
extern DirectInsert *direct_begin(Directory *dir, Relation rel,
								  const DirectTable *table);
extern void direct_set_arbiter(DirectInsert *ins, int column1, int column2);
extern void direct_begin_row(DirectInsert *ins);
extern void direct_put(DirectInsert *ins, int column, Datum value);
extern bool direct_insert_unless_met(DirectInsert *ins);
extern ItemPointerData direct_position(const DirectInsert *ins);
extern void direct_insert(DirectInsert *ins);
extern void direct_end(DirectInsert *ins);

#endif							/* DIRECT_INSERT_H */
