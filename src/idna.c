/*-------------------------------------------------------------------------
 *
 * idna.c
 *	  internationalized domains: Unicode to A-labels and back
 *
 * The mapping is UTS #46, non-transitional, by the ICU that the server itself
 * is linked with, behind our own fixed lower case (versions of Unicode differ
 * about capital sharp s, and mail goes to what is stored).  UTS #46 is wider
 * than what may be registered, so the outcome is checked once more:
 *
 * - Code points of data/unsafe_codepoints.tsv are refused before the mapping,
 *   which would silently delete many of them (soft hyphen, zero width space),
 *   and so are those of data/unassigned_unicode14.tsv: whatever ICU a server
 *   has, it takes the same domains.
 * - Ideographic and full-width full stops are dots, as UTS #46 has it.
 * - The U-labels consist of what RFC 5892 permits: letters, marks, digits and
 *   inner hyphens.  Joiners (CONTEXTJ) and the few signs that belong to the
 *   spelling of a script (CONTEXTO: the Catalan middle dot, geresh, the dot
 *   between katakana) pass where their rule of context holds.  Symbols, emoji
 *   and punctuation are refused.
 * - An A-label beside a non-ASCII label is checked like any other; a domain
 *   of ASCII alone never comes here.
 *
 * The ICU object is immutable once open.  It is opened on the first use and
 * kept to the end of the process, one process being one thread, as backends
 * are; nothing is allocated per call.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "idna.h"
#include "pg_config.h"
#include "unicode_text.h"

#ifdef USE_ICU

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/utf8.h>

/* More code points of input cannot shrink to a domain that is short enough. */
#define MAX_CODE_POINTS (NFC_MAX_COMPOSED * IDNA_MAX_ASCII)

#define IDNA_OPTIONS (UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | \
					  UIDNA_CHECK_CONTEXTJ | UIDNA_CHECK_CONTEXTO | \
					  UIDNA_NONTRANSITIONAL_TO_ASCII | \
					  UIDNA_NONTRANSITIONAL_TO_UNICODE)

#define LABEL_ERRORS (UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG | \
					  UIDNA_ERROR_LEADING_HYPHEN | \
					  UIDNA_ERROR_TRAILING_HYPHEN)

/* A range of code points in the lists of RFC 5892. */
typedef struct ExceptionRange
{
	UChar32		first;
	UChar32		last;
} ExceptionRange;

/* RFC 5892, 2.6: permitted, or in a context that ICU has checked. */
static const ExceptionRange permitted[] =
{
	{0x002D, 0x002E},			/* hyphen; the dot between labels */
	{0x00B7, 0x00B7},			/* CONTEXTO: middle dot, between two l */
	{0x0375, 0x0375},			/* CONTEXTO: Greek keraia */
	{0x05F3, 0x05F4},			/* CONTEXTO: Hebrew geresh, gershayim */
	{0x06FD, 0x06FE},
	{0x0F0B, 0x0F0B},
	{0x200C, 0x200D},			/* CONTEXTJ */
	{0x3007, 0x3007},
	{0x30FB, 0x30FB}			/* CONTEXTO: katakana middle dot */
};

/* RFC 5892, 2.4 (ignorable blocks) and 2.6 (exceptions): refused. */
static const ExceptionRange refused[] =
{
	{0x0640, 0x0640},
	{0x07FA, 0x07FA},
	{0x20D0, 0x20FF},			/* combining marks for symbols */
	{0x302E, 0x302F},
	{0x3031, 0x3035},
	{0x303B, 0x303B},
	{0x1D100, 0x1D1FF},			/* musical symbols */
	{0x1D200, 0x1D24F}			/* ancient Greek musical notation */
};

/* The one ICU object of this process; NULL if ICU has no data. */
static const UIDNA *
get_idna(void)
{
	static UIDNA *idna = NULL;

	if (idna == NULL)
	{
		UErrorCode	status = U_ZERO_ERROR;

		idna = uidna_openUTS46(IDNA_OPTIONS, &status);
		if (U_FAILURE(status))
			idna = NULL;
	}
	return idna;
}

/* Is the code point in one of the n ranges? */
static bool
is_listed(UChar32 c, const ExceptionRange *ranges, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

/* Does RFC 5892 permit the code point in a U-label? */
static bool
is_permitted(UChar32 c)
{
	if (is_listed(c, permitted, sizeof(permitted) / sizeof(permitted[0])))
		return true;
	if (is_listed(c, refused, sizeof(refused) / sizeof(refused[0])))
		return false;
	if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
		return false;

	/* Conjoining jamo are for old Korean only. */
	switch (u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE))
	{
		case U_HST_LEADING_JAMO:
		case U_HST_VOWEL_JAMO:
		case U_HST_TRAILING_JAMO:
			return false;
	}
	switch (u_charType(c))
	{
		case U_UPPERCASE_LETTER:	/* Cherokee; all others are mapped */
		case U_LOWERCASE_LETTER:
		case U_MODIFIER_LETTER:
		case U_OTHER_LETTER:
		case U_NON_SPACING_MARK:
		case U_COMBINING_SPACING_MARK:
		case U_DECIMAL_DIGIT_NUMBER:
			return true;
	}
	return false;
}

/* What ICU found wrong, in the order in which people can mend it. */
static IdnaResult
icu_result(const UIDNAInfo *info, UErrorCode status)
{
	if (status == U_BUFFER_OVERFLOW_ERROR ||
		info->errors & UIDNA_ERROR_DOMAIN_NAME_TOO_LONG)
		return IDNA_TOO_LONG;
	if (U_FAILURE(status))
		return IDNA_REFUSED;
	if (info->errors & LABEL_ERRORS)
		return IDNA_BAD_LABEL;
	return info->errors == 0 ? IDNA_OK : IDNA_REFUSED;
}

/* The domain in Unicode; IDNA_REFUSED unless every label is valid. */
static IdnaResult
to_unicode(const UIDNA *idna, const char *domain, size_t len,
		   char out[IDNA_MAX_DISPLAY + 1], size_t *out_length)
{
	UIDNAInfo	info = UIDNA_INFO_INITIALIZER;
	UErrorCode	status = U_ZERO_ERROR;

	*out_length = (size_t)
		uidna_nameToUnicodeUTF8(idna, domain, (int32_t) len, out,
								IDNA_MAX_DISPLAY + 1, &info, &status);
	return icu_result(&info, status);
}

/* Do the A-labels stand for nothing but what IDNA2008 permits? */
static bool
is_idna2008(const UIDNA *idna, const char *ascii, size_t len)
{
	char		text[IDNA_MAX_DISPLAY + 1];
	size_t		n;
	size_t		i;

	if (to_unicode(idna, ascii, len, text, &n) != IDNA_OK)
		return false;
	for (i = 0; i < n;)
	{
		UChar32		c;

		U8_NEXT(text, i, n, c);
		if (c < 0 || !is_permitted(c))
			return false;
	}
	return true;
}

IdnaResult
idna_to_ascii(const char *domain, size_t len, char out[IDNA_MAX_ASCII + 1],
			  size_t *out_length)
{
	const UIDNA *idna = get_idna();
	UIDNAInfo	info = UIDNA_INFO_INITIALIZER;
	UErrorCode	status = U_ZERO_ERROR;
	uint32_t	text[MAX_CODE_POINTS];
	char		lower[4 * MAX_CODE_POINTS];
	IdnaResult	result;
	size_t		n;
	size_t		i;

	if (idna == NULL)
		return IDNA_UNAVAILABLE;
	n = text_decode(domain, len, text, MAX_CODE_POINTS);
	if (n == TEXT_BAD_UTF8)
		return IDNA_BAD_UTF8;
	if (n == TEXT_TOO_LONG)
		return IDNA_TOO_LONG;
	for (i = 0; i < n; i++)
	{
		if (text_is_unsafe(text[i]) || text_is_unassigned(text[i]))
			return IDNA_UNSAFE;
	}
	text_lower(text, n);
	n = text_encode(text, n, lower, sizeof(lower));

	n = (size_t) uidna_nameToASCII_UTF8(idna, lower, (int32_t) n, out,
										IDNA_MAX_ASCII + 1, &info, &status);
	result = icu_result(&info, status);
	if (result != IDNA_OK)
		return result;
	if (n > IDNA_MAX_ASCII)
		return IDNA_TOO_LONG;
	out[n] = '\0';
	*out_length = n;
	return is_idna2008(idna, out, n) ? IDNA_OK : IDNA_REFUSED;
}

/* Can the domain have a U-label at all? */
static bool
has_a_label(const char *domain, size_t len)
{
	size_t		i;

	for (i = 0; i + 4 <= len; i++)
	{
		if (memcmp(domain + i, "xn--", 4) == 0)
			return true;
	}
	return false;
}

/* The U-labels of domain, if they lead back to it. */
static bool
find_display(const char *domain, size_t len, char out[IDNA_MAX_DISPLAY + 1],
			 size_t *out_length)
{
	const UIDNA *idna = get_idna();
	char		ascii[IDNA_MAX_ASCII + 1];
	size_t		n;

	return idna != NULL && has_a_label(domain, len) &&
		to_unicode(idna, domain, len, out, out_length) == IDNA_OK &&
		idna_to_ascii(out, *out_length, ascii, &n) == IDNA_OK &&
		n == len && memcmp(ascii, domain, len) == 0;
}

#else							/* !USE_ICU */

IdnaResult
idna_to_ascii(const char *domain, size_t len, char out[IDNA_MAX_ASCII + 1],
			  size_t *out_length)
{
	(void) domain;
	(void) len;
	(void) out;
	(void) out_length;
	return IDNA_UNAVAILABLE;
}

/* Without ICU there are no U-labels. */
static bool
find_display(const char *domain, size_t len, char out[IDNA_MAX_DISPLAY + 1],
			 size_t *out_length)
{
	(void) domain;
	(void) len;
	(void) out;
	(void) out_length;
	return false;
}

#endif							/* USE_ICU */

void
idna_to_display(const char *domain, size_t len,
				char out[IDNA_MAX_DISPLAY + 1], size_t *out_length)
{
	if (!find_display(domain, len, out, out_length))
	{
		memcpy(out, domain, len);
		*out_length = len;
	}
	out[*out_length] = '\0';
}
