/*-------------------------------------------------------------------------
 *
 * phone_parse.h
 *	  the parser of phone numbers: pure C over bytes, no server needed
 *
 *-------------------------------------------------------------------------
 */
#ifndef PHONE_PARSE_H
#define PHONE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define PHONE_MAX_LENGTH 16		/* '+' and 15 digits (E.164) */

typedef struct PhoneRegion PhoneRegion; /* a row of data/phone_regions.tsv */

/* Why a text is no number; phone_error_detail() has a sentence for each. */
typedef enum PhoneError
{
	PHONE_OK = 0,
	PHONE_EMPTY,
	PHONE_NO_PLUS,				/* national format, but no region is known */
	PHONE_CHARACTER,
	PHONE_EXTENSION,			/* letters or an extension */
	PHONE_TOO_SHORT,
	PHONE_TOO_LONG,
	PHONE_CALLING_CODE,			/* calling code is not assigned */
	PHONE_NATIONAL_PREFIX		/* (0) where the national prefix is not 0 */
} PhoneError;

/* The region of that two-letter code (any case) or "001"; NULL if unknown. */
extern const PhoneRegion *phone_find_region(const char *code, size_t len);

/*
 * Parse len bytes at in.  region NULL: the international form only; else
 * national formats of that region, too.  On PHONE_OK, out holds the canonical
 * number with a terminating zero and *out_length its length.  Never allocates.
 */
extern PhoneError phone_parse(const char *in, size_t len,
							  const PhoneRegion *region,
							  char out[PHONE_MAX_LENGTH + 1],
							  size_t *out_length);

/* The calling code at the head of a canonical number; 0 if none. */
extern int	phone_calling_code(const char *canonical, size_t len);

/* Does the numbering plan know numbers of this length under this code? */
extern bool phone_is_possible(const char *canonical, size_t len);

/* One sentence that names the rule, for the DETAIL of an error. */
extern const char *phone_error_detail(PhoneError error);

#endif							/* PHONE_PARSE_H */
