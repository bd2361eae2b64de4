/*-------------------------------------------------------------------------
 *
 * template.c
 *	  message templates: saved, and their values looked up in the catalogue
 *
 * A value is a column of contact by its name, those that users added included,
 * a column of the contact's organization as organization.name, or
 * unsubscribe_token.  Names are checked when a template is saved, so that a
 * misspelt one does not show when it is sent.  A column that is dropped later
 * is taken as empty then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "columns.h"
#include "template.h"
#include "template_parse.h"

#define ORGANIZATION_PREFIX "organization."
#define TOKEN_NAME "unsubscribe_token"

static const char *const template_columns[] = {
	"subject", "body", "created_at", "updated_at"
};
enum
{
	TEMPLATE_SUBJECT, TEMPLATE_BODY, TEMPLATE_CREATED_AT, TEMPLATE_UPDATED_AT,
	TEMPLATE_NCOLUMNS
};

/* The error of a text, with its place; what names the text. */
static void
report_template(const Template *template, const char *what, const char *text,
				const char *at, int sqlstate, const char *message,
				const char *detail, const char *hint)
{
	Relation	rel = template->rel;

	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s at character %d of the %s", message,
					pg_mbstrlen_with_len(text, at - text) + 1, what),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0,
			 rel != NULL ?
			 errtablecol(rel, get_attnum(RelationGetRelid(rel), what)) : 0));
}

/* Has the table of the directory that column, of those that users see? */
static bool
has_column(const Template *template, const char *table, const char *column)
{
	Oid			relid = get_relname_relid(table, template->nspid);

	return OidIsValid(relid) && get_attnum(relid, column) > 0;
}

/* The value that a name means; column is set to its column, if any. */
static ValueSource
find_source(const Template *template, char *name, char **column)
{
	size_t		prefix = strlen(ORGANIZATION_PREFIX);

	*column = NULL;
	if (strcmp(name, TOKEN_NAME) == 0)
		return FROM_TOKEN;
	if (strncmp(name, ORGANIZATION_PREFIX, prefix) == 0)
	{
		*column = name + prefix;
		return has_column(template, "organization", *column) ?
			FROM_ORGANIZATION : FROM_NOWHERE;
	}
	*column = name;
	return has_column(template, "contact", name) ? FROM_CONTACT : FROM_NOWHERE;
}

/* The number of the value in the template's list, where it is added once. */
static int
value_number(Template *template, ValueSource source, char *column)
{
	TemplateValue *value;
	ListCell   *lc;

	foreach(lc, template->values)
	{
		value = lfirst(lc);
		if (value->source == source &&
			(column == NULL || strcmp(value->column, column) == 0))
			return foreach_current_index(lc);
	}
	value = palloc(sizeof(TemplateValue));
	value->source = source;
	value->column = column;
	template->values = lappend(template->values, value);
	return list_length(template->values) - 1;
}

/* Look a part up; false if no value bears its name. */
static bool
compile_part(Template *template, const TemplatePart *in, TextPart *out)
{
	char	   *name;
	char	   *column;

	if (in->name == NULL)
	{
		out->source = FROM_TEXT;
		out->text = in->text;
		out->length = in->text_length;
		return true;
	}
	name = pnstrdup(in->name, in->name_length);
	out->source = find_source(template, name, &column);
	out->text = in->fallback;
	out->length = in->fallback_length;
	if (out->source == FROM_NOWHERE)
		return template->is_saved;
	out->value = value_number(template, out->source, column);
	return true;
}

/*
 * Take a text of a template apart, into memory of the caller's context.  what
 * is its name in errors: 22023 if it is malformed, 42703 for an unknown value,
 * which may be one that is gone if the template was saved before.
 */
void
template_compile(Template *template, TemplateText *text, const char *what,
				 Datum value)
{
	struct varlena *t = PG_DETOAST_DATUM_PACKED(value);
	const char *begin = VARDATA_ANY(t);
	const char *end = begin + VARSIZE_ANY_EXHDR(t);
	const char *at = begin;
	const char *start = begin;
	int			capacity = 8;
	TemplatePart part;
	TemplateError error;

	text->parts = palloc(sizeof(TextPart) * capacity);
	text->nparts = 0;
	while (template_next(&at, end, &part, &error))
	{
		if (text->nparts == capacity)
		{
			capacity *= 2;
			text->parts = repalloc(text->parts, sizeof(TextPart) * capacity);
		}
		if (!compile_part(template, &part, &text->parts[text->nparts++]))
			report_template(template, what, begin, start,
							ERRCODE_UNDEFINED_COLUMN,
							psprintf("unknown value \"%s\"",
									 pnstrdup(part.name, part.name_length)),
							NULL,
							"Values are the columns of contact, those of its organization as organization.name, and unsubscribe_token.");
		start = at;
	}
	if (error != TEMPLATE_OK)
		report_template(template, what, begin, at,
						ERRCODE_INVALID_PARAMETER_VALUE, "malformed template",
						template_error_detail(error), NULL);
}

/* Check a column that is new or was changed. */
static void
check_text(Template *template, const Row *old, const Row *new, int column)
{
	TemplateText text;

	if (!new->nulls[column] &&
		(old == NULL || row_text_differs(old, new, column)))
		template_compile(template, &text, template_columns[column],
						 new->values[column]);
}

PG_FUNCTION_INFO_V1(template_derive);

/* BEFORE INSERT OR UPDATE on message_template: names of values are known. */
Datum
template_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "template_derive",
										  CALL_BEFORE | CALL_ROW |
										  CALL_INSERT | CALL_UPDATE);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Relation	rel = trigdata->tg_relation;
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	Template	template;
	Row			old;
	Row			new;

	memset(&template, 0, sizeof(template));
	template.nspid = RelationGetNamespace(rel);
	template.rel = rel;
	if (is_update)
		row_read(&old, rel, trigdata->tg_trigtuple, template_columns,
				 TEMPLATE_NCOLUMNS);
	row_read(&new, rel,
			 is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple,
			 template_columns, TEMPLATE_NCOLUMNS);
	check_text(&template, is_update ? &old : NULL, &new, TEMPLATE_SUBJECT);
	check_text(&template, is_update ? &old : NULL, &new, TEMPLATE_BODY);
	if (new.nulls[TEMPLATE_CREATED_AT])
		row_set(&new, TEMPLATE_CREATED_AT, now);
	if (is_update || new.nulls[TEMPLATE_UPDATED_AT])
		row_set(&new, TEMPLATE_UPDATED_AT, now);
	return PointerGetDatum(row_tuple(&new));
}
