/*-------------------------------------------------------------------------
 *
 * template.h
 *	  message templates, with their values looked up in the catalogue
 *
 *-------------------------------------------------------------------------
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "nodes/pg_list.h"
#include "utils/rel.h"

/* Where a value comes from. */
typedef enum ValueSource
{
	FROM_TEXT,					/* none: the part is text */
	FROM_CONTACT,
	FROM_ORGANIZATION,
	FROM_TOKEN,					/* {{unsubscribe_token}} */
	FROM_NOWHERE				/* a column that is gone */
} ValueSource;

/* A stretch of text, or a value with the text to take where it is missing. */
typedef struct TextPart
{
	ValueSource source;
	const char *text;			/* not terminated; the text, or the fallback */
	size_t		length;
	int			value;			/* which of the template's values */
} TextPart;

typedef struct TemplateText
{
	TextPart   *parts;
	int			nparts;
} TemplateText;

/* A value that a template needs, once. */
typedef struct TemplateValue
{
	ValueSource source;
	char	   *column;			/* name, NULL for the token */
} TemplateValue;

/* A template and the directory that it belongs to. */
typedef struct Template
{
	Oid			nspid;
	bool		is_saved;		/* columns may be gone since */
	Relation	rel;			/* for errors, or NULL */
	bool		has_subject;
	TemplateText subject;
	TemplateText body;
	bool		is_html;
	List	   *values;			/* of TemplateValue */
} Template;

extern void template_compile(Template *template, TemplateText *text,
							 const char *column, Datum value);

#endif							/* TEMPLATE_H */
