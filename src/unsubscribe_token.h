/*-------------------------------------------------------------------------
 *
 * unsubscribe_token.h
 *	  tokens of unsubscribe links
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNSUBSCRIBE_TOKEN_H
#define UNSUBSCRIBE_TOKEN_H

#include "directory.h"
#include "utils/uuid.h"

#define UNSUBSCRIBE_TOKEN_LENGTH 55 /* characters */

extern void unsubscribe_token_make(DirectoryInfo *info, ValueType type,
								   const pg_uuid_t *key, int64 topic_id,
								   char out[UNSUBSCRIBE_TOKEN_LENGTH + 1]);

#endif							/* UNSUBSCRIBE_TOKEN_H */
