/*-------------------------------------------------------------------------
 *
 * parse.c
 *	  how long the parsers take for one address, without a server
 *
 * Each line is the median of several runs over a few thousand distinct
 * texts, so that branches are not learnt by heart.
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "email_parse.h"
#include "pg_config.h"
#include "phone_parse.h"

#define TEXTS 4096
#define MAX_TEXT 96
#define RUNS 9
#define RUN_NANOSECONDS 50e6

/* One measurement: what is parsed, and by whom. */
typedef struct Texts
{
	char		text[TEXTS][MAX_TEXT];
	size_t		length[TEXTS];
} Texts;

/* Parse one text; false if it is refused, which would spoil the figures. */
typedef bool (*ParseFunction) (const char *in, size_t len);

static const PhoneRegion *region;

static bool
parse_email(const char *in, size_t len)
{
	char		out[EMAIL_MAX_LENGTH + 1];
	size_t		n;

	return email_parse(in, len, true, out, &n) == EMAIL_OK;
}

static bool
parse_phone(const char *in, size_t len)
{
	char		out[PHONE_MAX_LENGTH + 1];
	size_t		n;

	return phone_parse(in, len, region, out, &n) == PHONE_OK;
}

/* Fill the texts: two names and a number in each, by a fixed sequence. */
static void
make_texts(Texts *texts, const char *const *formats, size_t nformats)
{
	static const char *const names[] = {"anna", "Bernhard", "christina", "d",
		"Eleonore", "frank", "GABRIELE", "heinz", "IsabellaMaria", "jo",
	"konstantin", "lm"};
	const size_t nnames = sizeof(names) / sizeof(names[0]);
	uint64_t	state = 1;
	size_t		i;

	for (i = 0; i < TEXTS; i++)
	{
		const char *first;
		const char *second;
		const char *format;
		unsigned	number;

		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		first = names[(state >> 33) % nnames];
		second = names[(state >> 45) % nnames];
		format = formats[(state >> 40) % nformats];
		number = (unsigned) (1000000 + (state >> 36) % 9000000);
		texts->length[i] = (size_t) snprintf(texts->text[i], MAX_TEXT, format,
											 first, second, number);
	}
}

static int
compare_doubles(const void *left, const void *right)
{
	double		a = *(const double *) left;
	double		b = *(const double *) right;

	return (a > b) - (a < b);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

/* Print the median of what one text takes. */
static void
measure(const char *name, const Texts *texts, ParseFunction parse)
{
	double		results[RUNS];
	double		octets = 0;
	size_t		i;
	int			run;

	for (i = 0; i < TEXTS; i++)
	{
		octets += (double) texts->length[i];
		if (!parse(texts->text[i], texts->length[i]))
		{
			fprintf(stderr, "refused: %s\n", texts->text[i]);
			exit(1);
		}
	}
	for (run = 0; run < RUNS; run++)
	{
		double		start = now();
		double		elapsed;
		double		parsed = 0;

		do
		{
			for (i = 0; i < TEXTS; i++)
				parse(texts->text[i], texts->length[i]);
			parsed += TEXTS;
			elapsed = now() - start;
		} while (elapsed < RUN_NANOSECONDS);
		results[run] = elapsed / parsed;
	}
	qsort(results, RUNS, sizeof(double), compare_doubles);
	printf("%-36s %5.1f octets %8.1f ns\n", name, octets / TEXTS,
		   results[RUNS / 2]);
}

#define measure_formats(name, formats, parse) \
	do { \
		make_texts(&texts, formats, sizeof(formats) / sizeof((formats)[0])); \
		measure(name, &texts, parse); \
	} while (0)

int
main(void)
{
	static const char *const ascii[] = {"%s.%s@gmail.com", "%s%s%u@web.de",
		"%s_%s@mail.example.org", "%s@%s-%u.co.uk", "%s+%s@Example.COM",
	"%s.%s.%u@sub.department.university.edu"};
	static const char *const local[] = {"%s.m\xc3\xbcller%s@gmail.com",
	"%s\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd%s@example.org"};
	static const char *const decomposed[] = {"%s.mu\xcc\x88ller%s@gmail.com",
	"%s.A\xcc\x8angstro\xcc\x88m%s@example.org"};
	static const char *const domain[] = {"%s@m\xc3\xbcller%s-%u.de",
	"%s@example%s%u.\xd1\x80\xd1\x84"};
	static const char *const e164[] = {"%.0s%.0s+4930%u", "%.0s%.0s+1212%u",
	"%.0s%.0s+44 20 %u"};
	static const char *const national[] = {"%.0s%.0s030 %u",
	"%.0s%.0s(0) 171-%u", "%.0s%.0s0044 20 %u"};
	static Texts texts;

	measure_formats("email, ASCII", ascii, parse_email);
	measure_formats("email, non-ASCII local part", local, parse_email);
	/* The server composes by hash, this program by linear search. */
	measure_formats("email, local part to compose", decomposed, parse_email);
#ifdef USE_ICU
	measure_formats("email, non-ASCII domain", domain, parse_email);
#else
	(void) domain;
#endif
	measure_formats("phone, international", e164, parse_phone);
	region = phone_find_region("DE", 2);
	measure_formats("phone, national", national, parse_phone);
	return 0;
}
