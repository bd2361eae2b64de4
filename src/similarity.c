/*-------------------------------------------------------------------------
 *
 * similarity.c
 *	  how names are compared
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "compat.h"
#include "folded_name.h"
#include "unicode_text.h"

PG_FUNCTION_INFO_V1(folded_name);
PG_FUNCTION_INFO_V1(name_similarity);

/*
 * A name in words of lower case; marks are dropped unless keep_marks is true.
 * Never NULL, empty if there is no letter.
 */
Datum
folded_name(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(cstring_to_text(fold_name(VARDATA_ANY(name),
											   VARSIZE_ANY_EXHDR(name),
											   PG_GETARG_BOOL(1))));
}

static int
compare_trigrams(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return (left > right) - (left < right);
}

/* The letters of a folded name, one number each; returns how many. */
static size_t
read_letters(text * name, uint32_t *letters)
{
	const unsigned char *bytes = (unsigned char *) VARDATA_ANY(name);
	size_t		length = VARSIZE_ANY_EXHDR(name);
	size_t		n = TEXT_BAD_UTF8;
	size_t		i;

	if (GetDatabaseEncoding() == PG_UTF8)
		n = text_decode((const char *) bytes, length, letters, length);
	if (n != TEXT_BAD_UTF8)
		return n;
	for (i = 0; i < length; i++)
		letters[i] = bytes[i];
	return length;
}

/*
 * The set of trigrams of the words of a folded name, as pg_trgm makes it: two
 * spaces stand in front of a word and one behind it.  Sorted, each once.
 */
static uint64 *
make_trigrams(text * name, size_t *count)
{
	size_t		length = VARSIZE_ANY_EXHDR(name);
	uint32_t   *letters = palloc((length + 1) * sizeof(uint32_t));
	uint64	   *trigrams = palloc((2 * length + 1) * sizeof(uint64));
	size_t		nletters = read_letters(name, letters);
	size_t		n = 0;
	size_t		unique = 0;
	size_t		i;
	uint64		before = ' ';	/* the two letters before */
	uint64		last = ' ';

	letters[nletters] = ' ';
	for (i = 0; i <= nletters; i++)
	{
		if (letters[i] != ' ' || last != ' ')
			trigrams[n++] = before << 42 | last << 21 | letters[i];
		before = letters[i] == ' ' ? ' ' : last;
		last = letters[i];
	}
	qsort(trigrams, n, sizeof(uint64), compare_trigrams);
	for (i = 0; i < n; i++)
	{
		if (unique == 0 || trigrams[unique - 1] != trigrams[i])
			trigrams[unique++] = trigrams[i];
	}
	*count = unique;
	return trigrams;
}

/*
 * How similar two folded names are, from 0 to 1: the share of trigrams they
 * have in common.  The order of words does not matter.
 */
Datum
name_similarity(PG_FUNCTION_ARGS)
{
	size_t		nleft;
	size_t		nright;
	uint64	   *left = make_trigrams(PG_GETARG_TEXT_PP(0), &nleft);
	uint64	   *right = make_trigrams(PG_GETARG_TEXT_PP(1), &nright);
	size_t		i = 0;
	size_t		j = 0;
	size_t		shared = 0;

	while (i < nleft && j < nright)
	{
		if (left[i] == right[j])
			shared++;
		if (left[i] < right[j])
			i++;
		else if (left[i] > right[j])
			j++;
		else
		{
			i++;
			j++;
		}
	}
	if (nleft + nright == 0)
		PG_RETURN_FLOAT4(0);
	PG_RETURN_FLOAT4((float4) shared / (float4) (nleft + nright - shared));
}
