/*-------------------------------------------------------------------------
 *
 * template_test.c
 *	  unit tests of the parser of message templates; exit status 0 if all is
 *	  well
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template_parse.h"

/*
 * A template and its parts: text as it is, <name> or <name|fallback>; at an
 * error ! and its number and place.
 */
typedef struct Example
{
	const char *in;
	const char *parts;
} Example;

static const Example examples[] =
{
	{"", ""},
	{"plain", "plain"},
	{"{{a}}", "<a>"},
	{"{{ a }}", "<a>"},
	{"{{\t\na\r\f\v}}", "<a>"},
	{"x{{a}}y", "x<a>y"},
	{"{{a}}{{b}}", "<a><b>"},
	{"{{a|b}}", "<a|b>"},
	{"{{ a b | c d }}", "<a b|c d>"},
	{"{{a|}}", "<a|>"},
	{"{{a||b|}}", "<a||b|>"},
	{"{{organization.name|none}}", "<organization.name|none>"},
	{"{{\xc3\xa9}}", "<\xc3\xa9>"},
	{"}}", "}}"},
	{"a}} b }", "a}} b }"},
	{"{", "{"},
	{"{a} { }", "{a} { }"},
	{"a{", "a{"},
	{"{{a}}}", "<a>}"},
	{"{{a}}}}", "<a>}}"},
	{"\\{{a}}", "{{a}}"},
	{"x\\{{a}}y", "x{{a}}y"},
	{"\\{{", "{{"},
	{"\\{{\\{{", "{{{{"},
	{"\\{{{{a}}", "{{<a>"},
	{"\\{", "\\{"},
	{"\\", "\\"},
	{"\\\\{{", "\\{{"},
	{"\\{{{", "{{{"},
	{"{{", "!1@0"},
	{"x{{", "x!1@1"},
	{"{{a", "!1@0"},
	{"{{a|b", "!1@0"},
	{"{{a}", "!2@0"},
	{"{{a} }}", "!2@0"},
	{"{{{a}}}", "!2@0"},
	{"{{a{b}}", "!2@0"},
	{"{{a|{b}}", "!2@0"},
	{"ab{{a {{b}}", "ab!2@2"},
	{"{{}}", "!3@0"},
	{"{{ }}", "!3@0"},
	{"{{|b}}", "!3@0"},
	{"{{ | b }}", "!3@0"},
	{"{{a}}{{}}", "<a>!3@5"}
};

/* Append a stretch of bytes. */
static void
append(char *out, const char *text, size_t length)
{
	size_t		n = strlen(out);

	memcpy(out + n, text, length);
	out[n + length] = '\0';
}

/* Write the parts of a template, of which there is nothing behind its end. */
static void
take_apart(const char *in, char *out)
{
	size_t		length = strlen(in);
	char	   *copy = malloc(length + 1);
	const char *at;
	const char *end;
	TemplatePart part;
	TemplateError error;

	memcpy(copy, in, length);
	at = copy;
	end = copy + length;
	out[0] = '\0';
	while (template_next(&at, end, &part, &error))
	{
		if (part.name == NULL)
		{
			append(out, part.text, part.text_length);
			continue;
		}
		append(out, "<", 1);
		append(out, part.name, part.name_length);
		if (part.fallback != NULL)
		{
			append(out, "|", 1);
			append(out, part.fallback, part.fallback_length);
		}
		append(out, ">", 1);
	}
	if (error != TEMPLATE_OK)
		sprintf(out + strlen(out), "!%d@%d", (int) error, (int) (at - copy));
	else if (at != end)
		strcat(out, "!not at the end");
	if (strlen(template_error_detail(error)) == 0)
		strcat(out, "!without a detail");
	free(copy);
}

int
main(void)
{
	int			failed = 0;
	size_t		i;

	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
	{
		char		out[256];

		take_apart(examples[i].in, out);
		if (strcmp(out, examples[i].parts) != 0)
		{
			printf("\"%s\": \"%s\", expected \"%s\"\n", examples[i].in, out,
				   examples[i].parts);
			failed++;
		}
	}
	printf("template_test: %d examples, %d failed\n", (int) i, failed);
	return failed > 0;
}
