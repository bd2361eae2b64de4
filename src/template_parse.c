/*-------------------------------------------------------------------------
 *
 * template_parse.c
 *	  the parser of message templates: pure C over bytes, no server needed
 *
 * Every encoding of a server keeps bytes below 0x80 for ASCII, so the text may
 * be looked at byte by byte.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "template_parse.h"

/* Does {{ stand at p? */
static bool
is_opening(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '{' && p[1] == '{';
}

/* Does \{{ stand at p? */
static bool
is_escaped(const char *p, const char *end)
{
	return end - p >= 3 && p[0] == '\\' && is_opening(p + 1, end);
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Take the blanks off both ends. */
static void
trim(const char **text, size_t *length)
{
	while (*length > 0 && is_space(**text))
	{
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && is_space((*text)[*length - 1]))
		(*length)--;
}

/* Read what stands between {{ and }}. */
static TemplateError
read_value(const char *in, size_t length, TemplatePart *part)
{
	const char *bar = memchr(in, '|', length);

	part->name = in;
	part->name_length = bar != NULL ? (size_t) (bar - in) : length;
	trim(&part->name, &part->name_length);
	if (bar != NULL)
	{
		part->fallback = bar + 1;
		part->fallback_length = length - (size_t) (bar + 1 - in);
		trim(&part->fallback, &part->fallback_length);
	}
	return part->name_length > 0 ? TEMPLATE_OK : TEMPLATE_NO_NAME;
}

/* Read the value whose {{ stands at *at. */
static TemplateError
next_value(const char **at, const char *end, TemplatePart *part)
{
	const char *in = *at + 2;
	const char *p = in;
	TemplateError error;

	while (p < end && *p != '{' && *p != '}')
		p++;
	if (p == end)
		return TEMPLATE_UNCLOSED;
	if (end - p < 2 || p[0] != '}' || p[1] != '}')
		return TEMPLATE_BRACE;
	error = read_value(in, (size_t) (p - in), part);
	if (error == TEMPLATE_OK)
		*at = p + 2;
	return error;
}

bool
template_next(const char **at, const char *end, TemplatePart *part,
			  TemplateError *error)
{
	const char *p = *at;

	memset(part, 0, sizeof(*part));
	*error = TEMPLATE_OK;
	if (p == end)
		return false;
	if (is_opening(p, end))
	{
		*error = next_value(at, end, part);
		return *error == TEMPLATE_OK;
	}

	/* of an escaped {{, the braces begin a stretch of text */
	part->text = p;
	if (is_escaped(p, end))
	{
		part->text = p + 1;
		p += 3;
	}
	while (p < end && !is_opening(p, end) && !is_escaped(p, end))
		p++;
	part->text_length = (size_t) (p - part->text);
	*at = p;
	return true;
}

const char *
template_error_detail(TemplateError error)
{
	switch (error)
	{
		case TEMPLATE_OK:
			break;
		case TEMPLATE_UNCLOSED:
			return "A value that begins with {{ ends with }}; \\{{ stands for the two braces themselves.";
		case TEMPLATE_BRACE:
			return "Between {{ and }} there are no braces.";
		case TEMPLATE_NO_NAME:
			return "Between {{ and }} stands the name of a value.";
	}
	return "The template is well formed.";
}
