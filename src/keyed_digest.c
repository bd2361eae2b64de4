/*-------------------------------------------------------------------------
 *
 * keyed_digest.c
 *	  digests under keys of a directory, and how secrets are written
 *
 * Tokens of unsubscribe links and the secrets of validations prove themselves
 * by HMAC-SHA-256, each under a key of its own that is derived from the secret
 * of the directory: what is known of one serves nothing for the other.  They
 * are written as base64 of RFC 4648 section 5, unpadded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hmac.h"

#include "keyed_digest.h"

static const char digits[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* HMAC-SHA-256. */
static void
compute_hmac(const uint8 *key, size_t keylen, const uint8 *data, size_t len,
			 uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);

	if (hmac == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (pg_hmac_init(hmac, key, keylen) < 0 ||
		pg_hmac_update(hmac, data, len) < 0 ||
		pg_hmac_final(hmac, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute HMAC");
	pg_hmac_free(hmac);
}

/* The digest of data under the key that serves this purpose and no other. */
void
keyed_digest(DirectoryInfo *info, const char *purpose, const uint8 *data,
			 size_t len, uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	uint8		key[PG_SHA256_DIGEST_LENGTH];

	compute_hmac(info->secret, info->secret_length,
				 (const uint8 *) purpose, strlen(purpose) + 1, key);
	compute_hmac(key, sizeof(key), data, len, digest);
}

/* How long the answer takes tells nothing about the bytes. */
bool
bytes_differ(const uint8 *a, const uint8 *b, size_t len)
{
	volatile uint8 difference = 0;
	size_t		i;

	for (i = 0; i < len; i++)
		difference |= a[i] ^ b[i];
	return difference != 0;
}

/* Write n bytes as base64, URL-safe and unpadded, with a terminating zero. */
void
base64url_encode(const uint8 *bytes, int n, char *out)
{
	uint32		bits = 0;
	int			nbits = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		bits = (bits << 8) | bytes[i];
		for (nbits += 8; nbits >= 6; nbits -= 6)
			*out++ = digits[(bits >> (nbits - 6)) & 0x3f];
	}
	if (nbits > 0)
		*out++ = digits[(bits << (6 - nbits)) & 0x3f];
	*out = '\0';
}

/* Read n bytes; false if the text is not what base64url_encode() writes. */
bool
base64url_decode(const char *text, size_t len, uint8 *bytes, int n)
{
	uint32		bits = 0;
	int			nbits = 0;
	size_t		i;

	if (len != BASE64URL_LENGTH(n))
		return false;
	for (i = 0; i < len; i++)
	{
		const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

		if (digit == NULL)
			return false;
		bits = (bits << 6) | (uint32) (digit - digits);
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			*bytes++ = (uint8) (bits >> nbits);
		}
	}
	return (bits & ((1 << nbits) - 1)) == 0;
}
