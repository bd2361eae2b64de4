/*-------------------------------------------------------------------------
 *
 * phone_fuzz.c
 *	  libFuzzer target: what phone_parse.h promises of any bytes
 *
 * The first two bytes name the region, if there is one of that name.
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "phone_parse.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop with the number at hand. */
#define require(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "broken: %s: %s\n", #condition, number); \
			abort(); \
		} \
	} while (0)

/* The text reads as this number, with and without the region. */
static void
require_canonical(const char *text, size_t len, const PhoneRegion *region,
				  const char *number, size_t number_length)
{
	char		out[PHONE_MAX_LENGTH + 1];
	size_t		n;

	require(phone_parse(text, len, NULL, out, &n) == PHONE_OK);
	require(n == number_length && memcmp(out, number, n + 1) == 0);
	require(phone_parse(text, len, region, out, &n) == PHONE_OK);
	require(n == number_length && memcmp(out, number, n + 1) == 0);
}

/* A plus, 6 to 15 digits, an assigned calling code at their head. */
static void
check_form(const char *number, size_t len)
{
	char		code[4];

	require(strlen(number) == len && len >= 7 && len <= PHONE_MAX_LENGTH);
	require(number[0] == '+' && strspn(number + 1, "0123456789") == len - 1);
	require(phone_calling_code(number, len) > 0);
	snprintf(code, sizeof(code), "%d", phone_calling_code(number, len));
	require(strncmp(number + 1, code, strlen(code)) == 0);
	(void) phone_is_possible(number, len);
}

/* The same number with separators between all of its digits. */
static void
check_separators(const char *number, size_t len, const PhoneRegion *region)
{
	char		text[2 * PHONE_MAX_LENGTH + 8] = "\n TeL:";
	size_t		n = strlen(text);
	size_t		i;

	for (i = 0; i < len; i++)
	{
		text[n++] = number[i];
		text[n++] = " -.)"[i % 4];
	}
	require_canonical(text, n, region, number, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *) data;
	const PhoneRegion *region = NULL;
	char		number[PHONE_MAX_LENGTH + 1] = "";
	size_t		len;
	PhoneError	error;

	if (size >= 2)
	{
		region = phone_find_region(in, 2);
		in += 2;
		size -= 2;
	}
	error = phone_parse(in, size, region, number, &len);
	require(strlen(phone_error_detail(error)) > 0);
	if (error != PHONE_OK)
		return 0;
	check_form(number, len);
	require_canonical(number, len, region, number, len);
	check_separators(number, len, region);
	return 0;
}
