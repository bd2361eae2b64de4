/*-------------------------------------------------------------------------
 *
 * identifier_key.h
 *	  canonical values and their keys (rule I10)
 *
 *-------------------------------------------------------------------------
 */
#ifndef IDENTIFIER_KEY_H
#define IDENTIFIER_KEY_H

#include "directory.h"
#include "utils/uuid.h"

typedef struct KeyMaker KeyMaker;

extern KeyMaker *key_maker_create(DirectoryInfo *info);
extern void key_maker_free(KeyMaker *maker);
extern void compute_key(KeyMaker *maker, const SemanticType *type,
						const char *value, int len, pg_uuid_t *key);

extern Datum identifier_value_key(DirectoryInfo *info, const SemanticType *type,
								  Datum value);
extern void report_malformed(Relation identifier, const SemanticType *type,
							 Datum value);
extern bool canonical_value(const SemanticType *type, Datum value,
							Datum *canonical);

#endif							/* IDENTIFIER_KEY_H */
