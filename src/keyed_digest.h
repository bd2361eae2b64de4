/*-------------------------------------------------------------------------
 *
 * keyed_digest.h
 *	  digests under keys of a directory, and how secrets are written
 *
 *-------------------------------------------------------------------------
 */
#ifndef KEYED_DIGEST_H
#define KEYED_DIGEST_H

#include "common/sha2.h"

#include "directory.h"

/* Characters of so many bytes, unpadded. */
#define BASE64URL_LENGTH(n) (((n) * 4 + 2) / 3)

extern void keyed_digest(DirectoryInfo *info, const char *purpose,
						 const uint8 *data, size_t len,
						 uint8 digest[PG_SHA256_DIGEST_LENGTH]);
extern bool bytes_differ(const uint8 *a, const uint8 *b, size_t len);
extern void base64url_encode(const uint8 *bytes, int n, char *out);
extern bool base64url_decode(const char *text, size_t len, uint8 *bytes,
							 int n);

#endif							/* KEYED_DIGEST_H */
