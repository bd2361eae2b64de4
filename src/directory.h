/*-------------------------------------------------------------------------
 *
 * directory.h
 *	  what a session remembers of a directory: kinds, settings, secret
 *
 *-------------------------------------------------------------------------
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "utils/rel.h"

typedef enum ValueType
{
	VALUE_EMAIL,
	VALUE_PHONE,
	VALUE_TEXT
} ValueType;

/* A row of semantic_type. */
typedef struct SemanticType
{
	char	   *name;
	ValueType	value_type;
	bool		is_exclusive;
	bool		is_contactable;
} SemanticType;

typedef struct DirectoryInfo
{
	Oid			nspid;			/* hash key, must be first */
	bool		is_valid;		/* false: read again before use */
	Oid			relids[3];		/* setting, secret, semantic_type */
	MemoryContext context;		/* holds what follows */
	char	   *name_rule;
	int			ntypes;
	SemanticType *types;
	uint8	   *secret;
	int			secret_length;
} DirectoryInfo;

/* Takes a row: what read_rows() was given, values, nulls. */
typedef void (*RowConsumer) (void *arg, const Datum *values,
							 const bool *nulls);

#define READ_MAX_COLUMNS 9

extern void read_rows(Oid relid, const char *const *names, int ncols,
					  RowConsumer consume, void *arg);
extern DirectoryInfo *directory_info(Relation rel);
extern SemanticType *find_semantic_type(DirectoryInfo *info,
										const char *name, int len);
extern SemanticType *named_semantic_type(DirectoryInfo *info, Datum name);

#endif							/* DIRECTORY_H */
