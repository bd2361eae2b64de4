/*-------------------------------------------------------------------------
 *
 * template_parse.h
 *	  the parser of message templates: pure C over bytes, no server needed
 *
 *	text {{name}} text {{name|fallback}} text \{{ text
 *
 * A name is any text without braces and bar, a fallback any text without
 * braces; blanks around them do not count.  \{{ stands for {{ itself; a }}
 * without its {{ is text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TEMPLATE_PARSE_H
#define TEMPLATE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

/* Why a text is no template; template_error_detail() has a sentence for each. */
typedef enum TemplateError
{
	TEMPLATE_OK = 0,
	TEMPLATE_UNCLOSED,			/* {{ without }} */
	TEMPLATE_BRACE,				/* a brace inside {{ }} */
	TEMPLATE_NO_NAME			/* {{}} */
} TemplateError;

/* A stretch of a template; name or text is NULL. */
typedef struct TemplatePart
{
	const char *text;			/* to be taken as it is */
	size_t		text_length;
	const char *name;			/* of a value */
	size_t		name_length;
	const char *fallback;		/* NULL: none was given */
	size_t		fallback_length;
} TemplatePart;

/*
 * Read the part at *at, which ends before end, and move *at behind it.  False
 * at the end of the template, and at an error, which *error tells; *at is then
 * where the offending {{ begins.  Never allocates, never reads past end.
 */
extern bool template_next(const char **at, const char *end,
						  TemplatePart *part, TemplateError *error);

/* One sentence that names the rule, for the DETAIL of an error. */
extern const char *template_error_detail(TemplateError error);

#endif							/* TEMPLATE_PARSE_H */
