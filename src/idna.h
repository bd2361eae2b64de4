/*-------------------------------------------------------------------------
 *
 * idna.h
 *	  internationalized domains: Unicode to A-labels and back
 *
 *-------------------------------------------------------------------------
 */
#ifndef IDNA_H
#define IDNA_H

#include <stdbool.h>
#include <stddef.h>

#define IDNA_MAX_ASCII 253		/* octets of a domain of A-labels */

/*
 * Octets of a domain of U-labels: "xn--" is gone, and each octet of Punycode
 * stands for at most one code point of four octets.
 */
#define IDNA_MAX_DISPLAY (4 * IDNA_MAX_ASCII)

typedef enum IdnaResult
{
	IDNA_OK = 0,
	IDNA_REFUSED,				/* by UTS #46 or IDNA2008 */
	IDNA_UNSAFE,				/* invisible, private, not in Unicode 14 */
	IDNA_BAD_UTF8,
	IDNA_BAD_LABEL,				/* empty, too long, hyphen at its ends */
	IDNA_TOO_LONG,
	IDNA_UNAVAILABLE			/* built without ICU */
} IdnaResult;

/*
 * The domain of len bytes of UTF-8 as A-labels, terminated by a zero.  What
 * comes out is lower-case letters, digits, hyphens and dots, but the caller
 * applies the rules of ASCII domains (two labels, the last one) to it.
 */
extern IdnaResult idna_to_ascii(const char *domain, size_t len,
								char out[IDNA_MAX_ASCII + 1],
								size_t *out_length);

/*
 * The domain of a canonical address as people read it, terminated by a zero:
 * U-labels if they lead back to the very same domain, else the domain itself.
 */
extern void idna_to_display(const char *domain, size_t len,
							char out[IDNA_MAX_DISPLAY + 1],
							size_t *out_length);

#endif							/* IDNA_H */
