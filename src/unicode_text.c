/*-------------------------------------------------------------------------
 *
 * unicode_text.c
 *	  text as code points: UTF-8, lower case, normal form, refused ones
 *
 * The tables are our own and fixed, so that no locale and no library version
 * can change what an address means.  Only the normal form is the server's:
 * Unicode promises that it never changes for assigned code points.
 *
 * This file is compiled twice: for the server, and with FRONTEND for the
 * stand-alone tests, which differ in how unicode_normalize() allocates.
 *
 *-------------------------------------------------------------------------
 */
#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#include "common/unicode_norm.h"
#include "unicode_tables.h"
#include "unicode_text.h"

#ifdef FRONTEND
#define release_text(text) free(text)
#else
#define release_text(text) pfree(text)
#endif

#define HANGUL_T_BASE 0x11A7	/* one before the first trailing consonant */

/*
 * Read one code point of UTF-8 at in, at most len (> 0) bytes; returns the
 * bytes used, 0 if it is malformed.
 */
static size_t
decode_one(const unsigned char *in, size_t len, uint32_t *code_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		used;
	size_t		i;
	uint32_t	c = in[0];

	if (c < 0x80)
	{
		*code_point = c;
		return 1;
	}
	if (c >= 0xC2 && c <= 0xDF)
		used = 2;
	else if (c >= 0xE0 && c <= 0xEF)
		used = 3;
	else if (c >= 0xF0 && c <= 0xF4)
		used = 4;
	else
		return 0;
	if (used > len)
		return 0;

	c &= 0x7F >> used;
	for (i = 1; i < used; i++)
	{
		if ((in[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (in[i] & 0x3F);
	}
	if (c < least[used] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*code_point = c;
	return used;
}

size_t
text_decode(const char *in, size_t len, uint32_t *out, size_t capacity)
{
	size_t		used;
	size_t		n = 0;
	size_t		i;

	for (i = 0; i < len; i += used)
	{
		uint32_t	code_point;

		used = decode_one((const unsigned char *) in + i, len - i,
						  &code_point);
		if (used == 0)
			return TEXT_BAD_UTF8;
		if (n == capacity)
			return TEXT_TOO_LONG;
		out[n++] = code_point;
	}
	return n;
}

/* Write one code point as UTF-8; returns the bytes written, 1 to 4. */
static size_t
encode_one(uint32_t c, char bytes[4])
{
	if (c < 0x80)
	{
		bytes[0] = (char) c;
		return 1;
	}
	if (c < 0x800)
	{
		bytes[0] = (char) (0xC0 | c >> 6);
		bytes[1] = (char) (0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000)
	{
		bytes[0] = (char) (0xE0 | c >> 12);
		bytes[1] = (char) (0x80 | (c >> 6 & 0x3F));
		bytes[2] = (char) (0x80 | (c & 0x3F));
		return 3;
	}
	bytes[0] = (char) (0xF0 | c >> 18);
	bytes[1] = (char) (0x80 | (c >> 12 & 0x3F));
	bytes[2] = (char) (0x80 | (c >> 6 & 0x3F));
	bytes[3] = (char) (0x80 | (c & 0x3F));
	return 4;
}

size_t
text_encode(const uint32_t *in, size_t n, char *out, size_t capacity)
{
	size_t		length = 0;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		char		bytes[4];
		size_t		size = encode_one(in[i], bytes);

		if (size > capacity - length)
			return TEXT_TOO_LONG;
		memcpy(out + length, bytes, size);
		length += size;
	}
	return length;
}

/* The lower case of one code point. */
static uint32_t
lower_one(uint32_t c)
{
	size_t		low = 0;
	size_t		high = sizeof(lower_case_runs) / sizeof(lower_case_runs[0]);

	if (c < 0x80)
		return byte_lower[c];
	while (low < high)
	{
		size_t		middle = (low + high) / 2;
		const LowerCaseRun *run = &lower_case_runs[middle];

		if (c < run->first)
			high = middle;
		else if (c > run->last)
			low = middle + 1;
		else if ((c - run->first) % run->step == 0)
			return (uint32_t) ((int32_t) c + run->delta);
		else
			return c;
	}
	return c;
}

void
text_lower(uint32_t *text, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
		text[i] = lower_one(text[i]);
}

/* Does the text stand in Normal Form C for sure?  Common scripts do. */
static bool
is_composed(const uint32_t *text, size_t n)
{
	size_t		i;

	/*
	 * Ranges without combining marks and without characters that decompose
	 * for good, so that nothing in them can be composed or reordered.
	 */
	for (i = 0; i < n; i++)
	{
		uint32_t	c = text[i];

		if (c < 0x0300)			/* Latin */
			continue;
		if (c >= 0x0388 && c <= 0x0482) /* Greek, Cyrillic */
			continue;
		if (c >= 0x3041 && c <= 0x3096) /* Hiragana */
			continue;
		if (c >= 0x309B && c <= 0x30FF) /* Katakana */
			continue;
		if (c >= 0x4E00 && c <= 0x9FFF) /* Han */
			continue;
		if (c >= 0xAC00 && c <= 0xD7A3) /* Hangul syllables */
			continue;
		return false;
	}
	return true;
}

/*
 * Add the composed form of the zero-terminated text to out[0 .. *length),
 * which has room for capacity; false if that does not suffice.
 */
static bool
compose_part(const uint32_t *text, uint32_t *out, size_t *length,
			 size_t capacity)
{
	pg_wchar   *composed = unicode_normalize(UNICODE_NFC, text);
	size_t		n = 0;
	bool		fits;

	if (composed == NULL)
		return false;			/* out of memory: stand-alone only */
	while (composed[n] != 0)
		n++;
	fits = n <= capacity - *length;
	if (fits)
	{
		memcpy(out + *length, composed, n * sizeof(uint32_t));
		*length += n;
	}
	release_text(composed);
	return fits;
}

/*
 * Some minor releases of the server take U+11A7 for a trailing consonant and
 * lose it behind a Hangul syllable.  It never composes with what stands before
 * it, so the text is cut in front of it: the same result from every server.
 */
size_t
text_compose(const uint32_t *in, size_t n, uint32_t *out, size_t capacity)
{
	uint32_t	part[TEXT_MAX + 1];
	size_t		size = 0;
	size_t		length = 0;
	size_t		i;

	if (n > TEXT_MAX || n > capacity)
		return TEXT_TOO_LONG;
	if (is_composed(in, n))
	{
		memcpy(out, in, n * sizeof(uint32_t));
		return n;
	}
	for (i = 0; i < n; i++)
	{
		part[size++] = in[i];
		if (i + 1 == n || in[i + 1] == HANGUL_T_BASE)
		{
			part[size] = 0;
			if (!compose_part(part, out, &length, capacity))
				return TEXT_TOO_LONG;
			size = 0;
		}
	}
	return length;
}

/* Is the code point in one of the n sorted ranges? */
static bool
is_in_ranges(uint32_t c, const CodePointRange *ranges, size_t n)
{
	size_t		low = 0;
	size_t		high = n;

	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (c < ranges[middle].first)
			high = middle;
		else if (c > ranges[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

bool
text_is_unsafe(uint32_t code_point)
{
	return (code_point & 0xFFFE) == 0xFFFE ||
		is_in_ranges(code_point, unsafe_code_points,
					 sizeof(unsafe_code_points) / sizeof(CodePointRange));
}

bool
text_is_unassigned(uint32_t code_point)
{
	return is_in_ranges(code_point, unassigned_code_points,
						sizeof(unassigned_code_points) /
						sizeof(CodePointRange));
}
