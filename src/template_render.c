/*-------------------------------------------------------------------------
 *
 * template_render.c
 *	  templates with the values of many contacts
 *
 * One query reads the values of all contacts, with the rights of the caller:
 * who may not read a column cannot have it in a message.  Values are what the
 * types' output functions write.  A value that is missing or blank gives way to
 * its fallback, which is the author's text like the rest of the template and
 * not escaped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "columns.h"
#include "directory.h"
#include "template.h"
#include "unsubscribe_token.h"

#define FETCH_SIZE 1000

/* What rendering goes on with from contact to contact. */
typedef struct Rendering
{
	Template	template;
	DirectoryInfo *info;		/* NULL: no tokens are needed */
	int64		topic_id;		/* of tokens; 0: none */
	ReturnSetInfo *result;
	MemoryContext row_context;	/* reset for each contact */
} Rendering;

static const char *
html_entity(char c)
{
	switch (c)
	{
		case '&':
			return "&amp;";
		case '<':
			return "&lt;";
		case '>':
			return "&gt;";
		case '"':
			return "&quot;";
		case '\'':
			return "&#39;";
		default:
			return NULL;
	}
}

/* Append a value, for HTML with what has a meaning there escaped. */
static void
append_value(StringInfo out, const char *value, bool is_html)
{
	for (; *value != '\0'; value++)
	{
		const char *entity = is_html ? html_entity(*value) : NULL;

		if (entity != NULL)
			appendStringInfoString(out, entity);
		else
			appendStringInfoChar(out, *value);
	}
}

/* Is there nothing to show? */
static bool
is_missing(const char *value)
{
	return value == NULL || value[strspn(value, " \t\n\v\f\r")] == '\0';
}

/* The text with its values; those that are missing are NULL. */
static char *
render_text(const TemplateText *text, char **values, bool is_html)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	for (i = 0; i < text->nparts; i++)
	{
		const TextPart *part = &text->parts[i];
		bool		is_value = part->source != FROM_TEXT &&
		part->source != FROM_NOWHERE;

		if (is_value && !is_missing(values[part->value]))
			append_value(&out, values[part->value], is_html);
		else if (part->length > 0)
			appendBinaryStringInfo(&out, part->text, part->length);
	}
	return out.data;
}

/*
 * How many bytes at p end a line for some reader of mail headers.  In no
 * encoding of a server are they a part of another character.
 */
static int
line_break_length(const char *p)
{
	const unsigned char *u = (const unsigned char *) p;

	if (u[0] != '\0' && (u[0] < ' ' || u[0] == 0x7f))
		return 1;
	if (GetDatabaseEncoding() != PG_UTF8)
		return 0;
	if (u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f)
		return 2;				/* U+0080 to U+009F */
	if (u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9))
		return 3;				/* U+2028, U+2029 */
	return 0;
}

/*
 * A subject is one line, else a value could add headers to the mail: line
 * breaks and control characters become one blank.
 */
static char *
one_line(const char *text)
{
	StringInfoData out;
	int			n;

	initStringInfo(&out);
	while (*text != '\0')
	{
		if (line_break_length(text) == 0)
		{
			appendStringInfoChar(&out, *text++);
			continue;
		}
		while ((n = line_break_length(text)) > 0)
			text += n;
		appendStringInfoChar(&out, ' ');
	}
	return out.data;
}

/* Put the rendered texts of a contact into the result. */
static void
put_row(Rendering *r, Datum contact_id, bool has_contact, char **values)
{
	Template   *t = &r->template;
	Datum		columns[3];
	bool		nulls[3];

	columns[0] = contact_id;
	nulls[0] = !has_contact;
	nulls[1] = !t->has_subject;
	columns[1] = nulls[1] ? (Datum) 0 :
		CStringGetTextDatum(one_line(render_text(&t->subject, values, false)));
	nulls[2] = false;
	columns[2] = CStringGetTextDatum(render_text(&t->body, values,
												 t->is_html));
	tuplestore_putvalues(r->result->setResult, r->result->setDesc, columns,
						 nulls);
}

/* The token for the main address of the contact, by its key. */
static char *
token_value(Rendering *r, HeapTuple tuple, TupleDesc desc, int column)
{
	char	   *token = palloc(UNSUBSCRIBE_TOKEN_LENGTH + 1);
	bool		isnull;
	Datum		key = SPI_getbinval(tuple, desc, column, &isnull);

	if (isnull)
		return NULL;
	unsubscribe_token_make(r->info, VALUE_EMAIL, DatumGetUUIDP(key),
						   r->topic_id, token);
	return token;
}

/* Render for the contact of a row of the query. */
static void
render_row(Rendering *r, HeapTuple tuple, TupleDesc desc)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(r->row_context);
	char	  **values = palloc0(sizeof(char *) *
								 (list_length(r->template.values) + 1));
	bool		isnull;
	Datum		id;
	ListCell   *lc;

	foreach(lc, r->template.values)
	{
		TemplateValue *value = lfirst(lc);
		int			i = foreach_current_index(lc);

		values[i] = value->source == FROM_TOKEN ?
			token_value(r, tuple, desc, i + 2) :
			SPI_getvalue(tuple, desc, i + 2);
	}
	id = SPI_getbinval(tuple, desc, 1, &isnull);
	put_row(r, id, true, values);
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(r->row_context);
}

static bool
needs(const Template *template, ValueSource source)
{
	ListCell   *lc;

	foreach(lc, template->values)
	{
		if (((TemplateValue *) lfirst(lc))->source == source)
			return true;
	}
	return false;
}

static char *
table_name(const Template *template, const char *table)
{
	return quote_qualified_identifier(get_namespace_name(template->nspid),
									  table);
}

/* The query for id and values of the contacts $1. */
static char *
values_query(const Template *template)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT c.id");
	foreach(lc, template->values)
	{
		TemplateValue *value = lfirst(lc);

		if (value->source == FROM_TOKEN)
			appendStringInfoString(&sql, ", i.key");
		else
			appendStringInfo(&sql, ", %s.%s",
							 value->source == FROM_CONTACT ? "c" : "o",
							 quote_identifier(value->column));
	}
	appendStringInfo(&sql, " FROM ONLY %s c", table_name(template, "contact"));
	if (needs(template, FROM_ORGANIZATION))
		appendStringInfo(&sql, " LEFT JOIN ONLY %s o"
						 " ON o.id OPERATOR(pg_catalog.=) c.organization_id",
						 table_name(template, "organization"));
	if (needs(template, FROM_TOKEN))
		appendStringInfo(&sql, " LEFT JOIN ONLY %s i"
						 " ON i.contact_id OPERATOR(pg_catalog.=) c.id"
						 " AND i.semantic_type OPERATOR(pg_catalog.=) 'email'"
						 " AND i.slug OPERATOR(pg_catalog.=) 'main'",
						 table_name(template, "identifier"));
	appendStringInfoString(&sql, " WHERE c.id OPERATOR(pg_catalog.=) ANY ($1)"
						   " ORDER BY c.id");
	return sql.data;
}

/* Render for each contact that there is; within SPI_connect(). */
static void
render_contacts(Rendering *r, Datum contacts)
{
	Oid			type = INT8ARRAYOID;
	Portal		portal;

	portal = SPI_cursor_open_with_args(NULL, values_query(&r->template), 1,
									   &type, &contacts, NULL, true, 0);
	for (;;)
	{
		uint64		row;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, FETCH_SIZE);
		if (SPI_processed == 0)
			break;
		for (row = 0; row < SPI_processed; row++)
			render_row(r, SPI_tuptable->vals[row], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
}

/* The directory of a table message_template, without a look at its rows. */
static Oid
template_directory(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL || strcmp(name, "message_template") != 0 ||
		get_rel_relkind(relid) != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not the table message_template of a contact directory",
						name ? name : "-")));
	return get_rel_namespace(relid);
}

/* What tokens are made with, where the template has them. */
static void
open_secret(Rendering *r)
{
	Oid			relid;
	Relation	rel;

	if (!needs(&r->template, FROM_TOKEN))
		return;
	relid = get_relname_relid("identifier", r->template.nspid);
	require_column_privilege(relid, "key", ACL_SELECT);
	rel = table_open(relid, AccessShareLock);
	r->info = directory_info(rel);
	table_close(rel, NoLock);
}

/* Compile the texts and render for the contacts; NULL: without values. */
static void
render_all(Rendering *r, Datum subject, bool has_subject, Datum body,
		   Datum body_format, Datum contacts, bool has_contacts)
{
	Template   *template = &r->template;

	template->has_subject = has_subject;
	template->is_html = text_is(body_format, "html");
	if (!template->is_html && !text_is(body_format, "text"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown body format \"%s\"",
						TextDatumGetCString(body_format)),
				 errhint("Formats are text and html.")));
	if (has_subject)
		template_compile(template, &template->subject, "subject", subject);
	template_compile(template, &template->body, "body", body);
	if (has_contacts)
	{
		open_secret(r);
		render_contacts(r, contacts);
	}
	else
		put_row(r, (Datum) 0, false,
				palloc0(sizeof(char *) * (list_length(template->values) + 1)));
}

static void
begin_rendering(Rendering *r, FunctionCallInfo fcinfo, bool is_saved)
{
	memset(r, 0, sizeof(*r));
	r->template.nspid = template_directory(PG_GETARG_OID(0));
	r->template.is_saved = is_saved;
	InitMaterializedSRF(fcinfo, 0);
	r->result = (ReturnSetInfo *) fcinfo->resultinfo;
	SPI_connect();
	r->row_context = AllocSetContextCreate(CurrentMemoryContext,
										   "contacts rendering",
										   ALLOCSET_DEFAULT_SIZES);
}

/* Read the template that is to be rendered; P0002 if there is none. */
static void
fetch_template(Rendering *r, Datum id, Datum *columns, bool *nulls)
{
	Oid			type = INT8OID;
	int			i;

	SPI_execute_with_args(psprintf("SELECT t.subject, t.body, t.body_format"
								   " FROM ONLY %s t"
								   " WHERE t.id OPERATOR(pg_catalog.=) $1",
								   table_name(&r->template,
											  "message_template")),
						  1, &type, &id, NULL, true, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no template " INT64_FORMAT,
						DatumGetInt64(id))));
	for (i = 0; i < 3; i++)
		columns[i] = SPI_getbinval(SPI_tuptable->vals[0],
								   SPI_tuptable->tupdesc, i + 1, &nulls[i]);
}

PG_FUNCTION_INFO_V1(render_template);

/*
 * contacts.render_template(message_template regclass, template_id, contacts,
 * topic_id): one row for each contact that the caller may see.
 */
Datum
render_template(PG_FUNCTION_ARGS)
{
	Rendering	r;
	Datum		columns[3];
	bool		nulls[3];

	begin_rendering(&r, fcinfo, true);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		fetch_template(&r, PG_GETARG_DATUM(1), columns, nulls);
		r.topic_id = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT64(3);
		render_all(&r, columns[0], !nulls[0], columns[1], columns[2],
				   PG_GETARG_DATUM(2), true);
	}
	SPI_finish();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(preview_template);

/*
 * contacts.preview_template(message_template regclass, subject, body,
 * body_format, contacts): the same of a template that is not saved; without
 * contacts one row without values.
 */
Datum
preview_template(PG_FUNCTION_ARGS)
{
	Rendering	r;

	begin_rendering(&r, fcinfo, false);
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
		render_all(&r, PG_GETARG_DATUM(1), !PG_ARGISNULL(1),
				   PG_GETARG_DATUM(2), PG_GETARG_DATUM(3),
				   PG_GETARG_DATUM(4), !PG_ARGISNULL(4));
	SPI_finish();
	return (Datum) 0;
}
