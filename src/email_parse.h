/*-------------------------------------------------------------------------
 *
 * email_parse.h
 *	  the parser of email addresses: pure C over bytes, no server needed
 *
 *-------------------------------------------------------------------------
 */
#ifndef EMAIL_PARSE_H
#define EMAIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define EMAIL_MAX_LENGTH 254	/* octets of a canonical address */
#define EMAIL_MAX_LOCAL 64		/* octets of a canonical local part */
#define EMAIL_MAX_DOMAIN 253	/* octets of a canonical domain */

/* Why a text is no address; email_error_detail() has a sentence for each. */
typedef enum EmailError
{
	EMAIL_OK = 0,
	EMAIL_EMPTY,
	EMAIL_NO_AT,
	EMAIL_SEVERAL_AT,
	EMAIL_BAD_UTF8,
	EMAIL_LOCAL_EMPTY,
	EMAIL_LOCAL_TOO_LONG,
	EMAIL_LOCAL_DOT,			/* leading, trailing or double dot */
	EMAIL_LOCAL_CHARACTER,		/* not allowed in a dot-atom */
	EMAIL_LOCAL_UNSAFE,			/* data/unsafe_codepoints.tsv */
	EMAIL_LOCAL_UNASSIGNED,		/* data/unassigned_unicode14.tsv */
	EMAIL_DOMAIN_EMPTY,
	EMAIL_DOMAIN_TOO_LONG,
	EMAIL_DOMAIN_LABEL,			/* empty, too long, hyphen at its ends */
	EMAIL_DOMAIN_CHARACTER,
	EMAIL_DOMAIN_SINGLE_LABEL,
	EMAIL_DOMAIN_LAST_LABEL,
	EMAIL_DOMAIN_LITERAL,
	EMAIL_DOMAIN_IDNA,			/* refused by UTS #46 or IDNA2008 */
	EMAIL_DOMAIN_NO_IDNA,		/* non-ASCII domain, built without ICU */
	EMAIL_TOO_LONG,
	EMAIL_NOT_ASCII				/* non-ASCII in a database that is not UTF8 */
} EmailError;

/*
 * Parse len bytes at in.  On EMAIL_OK, out holds the canonical address with a
 * terminating zero and *out_length its length.  Whether non-ASCII text is
 * allowed at all (server encoding UTF8) is the caller's word.  Never
 * allocates for ASCII input, never reads past in + len, never fails otherwise.
 */
extern EmailError email_parse(const char *in, size_t len, bool allow_utf8,
							  char out[EMAIL_MAX_LENGTH + 1],
							  size_t *out_length);

/* One sentence that names the rule, for the DETAIL of an error. */
extern const char *email_error_detail(EmailError error);

/*
 * A key under which addresses of the same mailbox are likely to meet: without
 * a plus tag, and for providers that ignore dots in the local part without
 * dots and under one domain.  Advisory: for finding duplicates, never a key,
 * and not always an address itself.  out has a terminating zero.
 */
extern void email_mailbox_key(const char *canonical, size_t len,
							  char out[EMAIL_MAX_LENGTH + 1],
							  size_t *out_length);

#endif							/* EMAIL_PARSE_H */
