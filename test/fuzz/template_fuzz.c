/*-------------------------------------------------------------------------
 *
 * template_fuzz.c
 *	  libFuzzer target: what template_parse.h promises of any bytes
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template_parse.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define require(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "broken: %s\n", #condition); \
			abort(); \
		} \
	} while (0)

/* The stretch lies within the template. */
static void
require_within(const char *text, size_t length, const char *from,
			   const char *to)
{
	require(text >= from && text <= to && length <= (size_t) (to - text));
}

/* A name has no braces, no bar, and no blank at its ends. */
static void
require_name(const TemplatePart *part)
{
	require(part->name_length > 0);
	require(memchr(part->name, '{', part->name_length) == NULL);
	require(memchr(part->name, '}', part->name_length) == NULL);
	require(memchr(part->name, '|', part->name_length) == NULL);
	require(strchr(" \t\n\v\f\r", part->name[0]) == NULL || part->name[0] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *) data;
	const char *end = at + size;
	TemplatePart part;
	TemplateError error;

	for (;;)
	{
		const char *before = at;

		if (!template_next(&at, end, &part, &error))
			break;
		require(at > before && at <= end);
		require((part.name == NULL) != (part.text == NULL));
		if (part.name != NULL)
		{
			require_within(part.name, part.name_length, before, at);
			require_name(&part);
		}
		else
			require_within(part.text, part.text_length, before, at);
		if (part.fallback != NULL)
			require_within(part.fallback, part.fallback_length, before, at);
	}
	if (error == TEMPLATE_OK)
		require(at == end);
	else
		require(end - at >= 2 && at[0] == '{' && at[1] == '{');
	return 0;
}
