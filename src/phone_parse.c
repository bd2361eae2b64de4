/*-------------------------------------------------------------------------
 *
 * phone_parse.c
 *	  the parser of phone numbers: pure C over bytes, no server needed
 *
 * Section 3 of the design.  The canonical form is E.164 and a fixed point.
 * Calling codes, prefixes and possible lengths come from
 * data/phone_regions.tsv.  Lengths change every few months: they answer
 * phone_is_possible() and decide between two readings of a national format,
 * and never refuse a number.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "phone_parse.h"
#include "phone_regions.h"

#define MIN_DIGITS 6
#define MAX_DIGITS 15
#define MAX_TYPED 32			/* with international prefix and (0) */

/* The digits of a text, and what its signs said about them. */
typedef struct TypedNumber
{
	char		digits[MAX_TYPED + 1];
	size_t		n;
	uint64_t	zeros;			/* bit i: digit i was written "(0)" */
	bool		has_plus;
} TypedNumber;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* White space of ASCII, the only one that is trimmed. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* An ASCII letter in upper case, any other byte itself. */
static char
upper_case(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

/* What a character that has no place in a number makes of it. */
static PhoneError
character_error(char c)
{
	char		upper = upper_case(c);

	if ((upper >= 'A' && upper <= 'Z') || c == '#' || c == ';' || c == ',')
		return PHONE_EXTENSION;
	return PHONE_CHARACTER;
}

/*
 * Collect the digits of the text; separators may stand anywhere, one plus
 * before the first digit.  MAX_TYPED + 1 digits mean too many.
 */
static PhoneError
read_digits(const char *in, size_t len, TypedNumber *typed)
{
	size_t		i;

	typed->n = 0;
	typed->zeros = 0;
	typed->has_plus = false;
	for (i = 0; i < len; i++)
	{
		char		c = in[i];

		if (is_digit(c))
		{
			if (typed->n <= MAX_TYPED)
				typed->digits[typed->n++] = c;
		}
		else if (c == '(')
		{
			if (len - i >= 3 && in[i + 1] == '0' && in[i + 2] == ')')
				typed->zeros |= UINT64_C(1) << typed->n;
		}
		else if (c == '+' && typed->n == 0 && !typed->has_plus)
			typed->has_plus = true;
		else if (c != ' ' && c != '-' && c != '.' && c != ')')
			return character_error(c);
	}
	return PHONE_OK;
}

/*
 * The calling code at the head of n digits, NULL if none.  No code begins
 * with another one, so there is at most one.
 */
static const CallingCode *
find_calling_code(const char *digits, size_t n, size_t *length)
{
	unsigned	code = 0;
	size_t		i;

	for (i = 0; i < n && i < 3; i++)
	{
		code = code * 10 + (unsigned) (digits[i] - '0');
		if (code == 0)
			return NULL;
		if (calling_code_index[code] != 0)
		{
			*length = i + 1;
			return &calling_codes[calling_code_index[code] - 1];
		}
	}
	return NULL;
}

/* Canonical number of a calling code and the n digits behind it. */
static PhoneError
write_number(const CallingCode *code, const char *digits, size_t n,
			 char out[PHONE_MAX_LENGTH + 1], size_t *out_length)
{
	char		head[3];
	size_t		head_length = 0;
	unsigned	rest;

	for (rest = code->code; rest > 0; rest /= 10)
		head[head_length++] = (char) ('0' + rest % 10);
	if (head_length + n < MIN_DIGITS)
		return PHONE_TOO_SHORT;
	if (head_length + n > MAX_DIGITS)
		return PHONE_TOO_LONG;

	*out_length = 1 + head_length + n;
	*out++ = '+';
	while (head_length > 0)
		*out++ = head[--head_length];
	memcpy(out, digits, n);
	out[n] = '\0';
	return PHONE_OK;
}

/*
 * Read the digits from start on as calling code and number.  A zero in
 * parentheses right behind the code is the national prefix, left out in calls
 * from abroad; where that prefix is not 0 nobody can say what is meant.
 */
static PhoneError
read_international(const TypedNumber *typed, size_t start,
				   char out[PHONE_MAX_LENGTH + 1], size_t *out_length)
{
	const CallingCode *code;
	size_t		length = 0;

	if (start == typed->n)
		return PHONE_TOO_SHORT;
	code = find_calling_code(typed->digits + start, typed->n - start,
							 &length);
	if (code == NULL)
		return PHONE_CALLING_CODE;
	start += length;
	if (typed->zeros >> start & 1)
	{
		if (strcmp(code->national_prefix, "0") != 0)
			return PHONE_NATIONAL_PREFIX;
		start++;
	}
	return write_number(code, typed->digits + start, typed->n - start,
						out, out_length);
}

/*
 * Does the digit match the pattern's next item (a digit, a dot for any, a set
 * in brackets)?  Moves *pattern behind that item.
 */
static bool
match_item(const char **pattern, char digit)
{
	const char *item = *pattern;
	bool		matches = false;

	if (*item != '[')
	{
		*pattern = item + 1;
		return *item == '.' || *item == digit;
	}
	for (item++; *item != ']'; item++)
		matches |= *item == digit;
	*pattern = item + 1;
	return matches;
}

/*
 * Match the alternative at *pattern with the head of the digits; returns how
 * many it takes, 0 for no match, and moves *pattern to the next alternative
 * or to the final zero.
 */
static size_t
match_alternative(const char **pattern, const char *digits, size_t n)
{
	bool		matches = true;
	size_t		length = 0;

	while (**pattern != '|' && **pattern != '\0')
	{
		matches &= match_item(pattern, length < n ? digits[length] : ' ');
		matches &= length < n;
		length++;
	}
	if (**pattern == '|')
		(*pattern)++;
	return matches ? length : 0;
}

/*
 * Read a number that begins with an international prefix of the region.  The
 * first prefix that leaves a possible number counts, else the first that
 * leaves a number, else the first error; *is_prefixed says whether there was
 * any prefix at all.
 */
static PhoneError
read_prefixed(const TypedNumber *typed, const PhoneRegion *region,
			  char out[PHONE_MAX_LENGTH + 1], size_t *out_length,
			  bool *is_prefixed)
{
	const char *pattern = region->international_prefix;
	PhoneError	result = PHONE_CALLING_CODE;

	*is_prefixed = false;
	while (*pattern != '\0')
	{
		size_t		length = match_alternative(&pattern, typed->digits,
											   typed->n);
		char		number[PHONE_MAX_LENGTH + 1];
		size_t		number_length = 0;
		bool		is_possible;
		PhoneError	error;

		if (length == 0)
			continue;
		error = read_international(typed, length, number, &number_length);
		is_possible = error == PHONE_OK &&
			phone_is_possible(number, number_length);
		if (is_possible || (error == PHONE_OK && result != PHONE_OK))
		{
			memcpy(out, number, number_length + 1);
			*out_length = number_length;
			result = PHONE_OK;
		}
		else if (!*is_prefixed)
			result = error;
		*is_prefixed = true;
		if (is_possible)
			break;
	}
	return result;
}

/* Can the plan of this code have numbers of n digits? */
static bool
has_length(const CallingCode *code, size_t n)
{
	return n <= MAX_DIGITS && (code->lengths >> n & 1);
}

/*
 * The length of the national prefix at the head of the digits.  Where it is 0,
 * 06 or 1 no number begins with it.  Numbers do begin with 8 in Russia (812 is
 * Saint Petersburg): there it is a prefix unless the number is of possible
 * length with it and not without it; and there a zero between prefix and
 * number (8 029 in Belarus) belongs to the prefix.
 */
static size_t
national_prefix_length(const TypedNumber *typed, const PhoneRegion *region,
					   const CallingCode *code)
{
	size_t		length = strlen(region->national_prefix);

	if (length == 0 || length > typed->n ||
		memcmp(typed->digits, region->national_prefix, length) != 0)
		return 0;
	if (typed->digits[0] == '8')
	{
		if (typed->n > length && typed->digits[length] == '0')
			length++;
		if (has_length(code, typed->n) &&
			!has_length(code, typed->n - length))
			return 0;
	}
	return length;
}

/* Read a number as it is dialled in the region. */
static PhoneError
read_national(const TypedNumber *typed, const PhoneRegion *region,
			  char out[PHONE_MAX_LENGTH + 1], size_t *out_length)
{
	const CallingCode *code;
	PhoneError	error;
	bool		is_prefixed;
	size_t		start;

	error = read_prefixed(typed, region, out, out_length, &is_prefixed);
	/* No national number begins with the zero of an international prefix. */
	if (is_prefixed && (error == PHONE_OK || typed->digits[0] == '0'))
		return error;

	code = &calling_codes[calling_code_index[region->calling_code] - 1];
	start = national_prefix_length(typed, region, code);
	return write_number(code, typed->digits + start, typed->n - start,
						out, out_length);
}

PhoneError
phone_parse(const char *in, size_t len, const PhoneRegion *region,
			char out[PHONE_MAX_LENGTH + 1], size_t *out_length)
{
	TypedNumber typed;
	PhoneError	error;

	while (len > 0 && is_space(in[0]))
	{
		in++;
		len--;
	}
	while (len > 0 && is_space(in[len - 1]))
		len--;
	if (len == 0)
		return PHONE_EMPTY;
	if (len >= 4 && upper_case(in[0]) == 'T' && upper_case(in[1]) == 'E' &&
		upper_case(in[2]) == 'L' && in[3] == ':')
	{
		in += 4;
		len -= 4;
	}

	error = read_digits(in, len, &typed);
	if (error != PHONE_OK)
		return error;
	if (!typed.has_plus && (region == NULL || region->calling_code == 0))
		return PHONE_NO_PLUS;
	if (typed.n > MAX_TYPED)
		return PHONE_TOO_LONG;
	if (typed.has_plus)
		return read_international(&typed, 0, out, out_length);
	return read_national(&typed, region, out, out_length);
}

const PhoneRegion *
phone_find_region(const char *code, size_t len)
{
	size_t		low = 0;
	size_t		high = sizeof(phone_regions) / sizeof(phone_regions[0]);
	char		name[4] = {0};
	size_t		i;

	if (len < 2 || len > 3)
		return NULL;
	for (i = 0; i < len; i++)
		name[i] = upper_case(code[i]);
	while (low < high)
	{
		size_t		middle = (low + high) / 2;
		int			order = memcmp(name, phone_regions[middle].name,
								   sizeof(name));

		if (order == 0)
			return &phone_regions[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

int
phone_calling_code(const char *canonical, size_t len)
{
	const CallingCode *code = NULL;
	size_t		length = 0;

	if (len > 1)
		code = find_calling_code(canonical + 1, len - 1, &length);
	return code != NULL ? code->code : 0;
}

bool
phone_is_possible(const char *canonical, size_t len)
{
	const CallingCode *code = NULL;
	size_t		length = 0;

	if (len > 1)
		code = find_calling_code(canonical + 1, len - 1, &length);
	return code != NULL && has_length(code, len - 1 - length);
}

const char *
phone_error_detail(PhoneError error)
{
	switch (error)
	{
		case PHONE_OK:
			break;
		case PHONE_EMPTY:
			return "The number is empty.";
		case PHONE_NO_PLUS:
			return "A number in international form begins with \"+\" and a calling code.";
		case PHONE_CHARACTER:
			return "A number has digits, and between them spaces, hyphens, dots and parentheses only.";
		case PHONE_EXTENSION:
			return "Letters and extensions are not part of a number.";
		case PHONE_TOO_SHORT:
			return "A number has at least 6 digits, the calling code included.";
		case PHONE_TOO_LONG:
			return "A number has at most 15 digits, the calling code included.";
		case PHONE_CALLING_CODE:
			return "The number begins with no assigned calling code.";
		case PHONE_NATIONAL_PREFIX:
			return "A zero in parentheses follows a calling code whose national prefix is not 0.";
	}
	return "The number is well-formed.";
}
