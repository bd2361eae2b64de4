/*-------------------------------------------------------------------------
 *
 * folded_name.c
 *	  names as they are compared: without case, marks and punctuation
 *
 * Advisory, to find duplicates, and never a key: a later version may fold in
 * another way.  In a database that is not UTF8 letters beyond ASCII stay as
 * they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"

#include "folded_name.h"
#include "unicode_text.h"

#define MAX_BYTES 256			/* of a name; the rest does not count */

/* A letter that has no marks to lose but is often written without its stroke. */
typedef struct PlainLetter
{
	uint32_t	letter;
	const char *plain;
} PlainLetter;

static const PlainLetter plain_letters[] = {
	{0x00DF, "ss"},				/* sharp s */
	{0x00E6, "ae"},
	{0x00F0, "d"},				/* eth */
	{0x00F8, "o"},				/* o with stroke */
	{0x00FE, "th"},				/* thorn */
	{0x0111, "d"},				/* d with stroke */
	{0x0127, "h"},				/* h with stroke */
	{0x0131, "i"},				/* dotless i */
	{0x0142, "l"},				/* l with stroke */
	{0x0153, "oe"},
	{0x0167, "t"}				/* t with stroke */
};

/* Is it a mark of the kind that Latin, Greek and Cyrillic letters bear? */
static bool
is_mark(uint32_t c)
{
	return (c >= 0x0300 && c <= 0x036F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
		(c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) ||
		(c >= 0xFE20 && c <= 0xFE2F);
}

/* An apostrophe or full stop: O'Brien is Obrien, J.R. is JR. */
static bool
is_dropped(uint32_t c)
{
	return c == '\'' || c == '.' || c == '`' || c == 0x00B4 ||
		c == 0x02BC || c == 0x2018 || c == 0x2019;
}

/* Punctuation and spaces part words. */
static bool
is_gap(uint32_t c)
{
	if (c < 0x80)
		return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
	return (c >= 0x80 && c <= 0xA9) || (c >= 0xAB && c <= 0xB9 && c != 0xB5) ||
		(c >= 0xBB && c <= 0xBF) || c == 0xD7 || c == 0xF7 ||
		(c >= 0x2000 && c <= 0x206F) || (c >= 0x3000 && c <= 0x3003);
}

/* Add a space where a word ended before. */
static char *
begin_letter(char *out, const char *start, bool *after_gap)
{
	if (*after_gap && out > start)
		*out++ = ' ';
	*after_gap = false;
	return out;
}

/* Fold text of one byte per character, bytes beyond ASCII as they are. */
static char *
fold_bytes(const char *name, int len)
{
	char	   *result = palloc(len + 1);
	char	   *out = result;
	bool		after_gap = false;
	int			i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) name[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (is_dropped(c) && c < 0x80)
			continue;
		if (c < 0x80 && is_gap(c))
		{
			after_gap = true;
			continue;
		}
		out = begin_letter(out, result, &after_gap);
		*out++ = (char) c;
	}
	*out = '\0';
	return result;
}

/* Write one letter of a folded name at out; returns where it ends. */
static char *
fold_letter(uint32_t c, bool keep_marks, char *out)
{
	int			i;

	for (i = 0; !keep_marks && i < lengthof(plain_letters); i++)
	{
		if (plain_letters[i].letter == c)
		{
			size_t		length = strlen(plain_letters[i].plain);

			memcpy(out, plain_letters[i].plain, length);
			return out + length;
		}
	}
	return out + text_encode(&c, 1, out, 4);
}

/* Fold UTF-8 that is not all ASCII; code points holds it, decoded. */
static char *
fold_code_points(uint32_t *code_points, size_t n, bool keep_marks)
{
	pg_wchar   *letters;
	size_t		nletters = 0;
	char	   *result;
	char	   *out;
	bool		after_gap = false;
	size_t		i;

	text_lower(code_points, n);
	code_points[n] = 0;
	letters = unicode_normalize(keep_marks ? UNICODE_NFC : UNICODE_NFD,
								code_points);
	while (letters[nletters] != 0)
		nletters++;
	out = result = palloc(nletters * 4 + nletters + 1);
	for (i = 0; i < nletters; i++)
	{
		uint32_t	c = letters[i];

		/* what the table keeps may have come apart: I of U+0130 */
		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if ((!keep_marks && is_mark(c)) || is_dropped(c))
			continue;
		if (is_gap(c))
		{
			after_gap = true;
			continue;
		}
		out = begin_letter(out, result, &after_gap);
		out = fold_letter(c, keep_marks, out);
	}
	*out = '\0';
	pfree(letters);
	return result;
}

static bool
is_ascii(const char *name, int len)
{
	int			i;

	for (i = 0; i < len; i++)
	{
		if (IS_HIGHBIT_SET(name[i]))
			return false;
	}
	return true;
}

char *
fold_name(const char *name, int len, bool keep_marks)
{
	uint32_t	code_points[MAX_BYTES + 1];
	size_t		n;

	len = pg_mbcliplen(name, len, MAX_BYTES);
	if (GetDatabaseEncoding() != PG_UTF8 || is_ascii(name, len))
		return fold_bytes(name, len);
	n = text_decode(name, len, code_points, MAX_BYTES);
	if (n == TEXT_BAD_UTF8 || n == TEXT_TOO_LONG)
		return fold_bytes(name, len);
	return fold_code_points(code_points, n, keep_marks);
}

void
name_add_words(NameWords *name, char *folded)
{
	while (*folded != '\0' && name->nwords < NAME_MAX_WORDS)
	{
		char	   *gap = strchr(folded, ' ');

		name->words[name->nwords++] = folded;
		if (gap == NULL || name->nwords == NAME_MAX_WORDS)
			return;
		*gap = '\0';
		folded = gap + 1;
	}
}

void
name_sort_words(NameWords *name)
{
	int			i;

	for (i = 1; i < name->nwords; i++)
	{
		char	   *word = name->words[i];
		int			j;

		for (j = i; j > 0 && strcmp(name->words[j - 1], word) > 0; j--)
			name->words[j] = name->words[j - 1];
		name->words[j] = word;
	}
}

/* The class of a letter of ASCII; 0 where it does not count. */
static char
sound_class(char letter)
{
	switch (letter)
	{
		case 'a':
		case 'e':
		case 'i':
		case 'o':
		case 'u':
		case 'y':
		case 'h':
			return 0;
		case 'b':
			return 'p';
		case 'v':
		case 'w':
			return 'f';
		case 'c':
		case 'g':
		case 'q':
			return 'k';
		case 'z':
			return 's';
		case 'd':
			return 't';
		default:
			return letter;
	}
}

static int
compare_bytes(const void *a, const void *b)
{
	return *(const unsigned char *) a - *(const unsigned char *) b;
}

char *
name_sound(const NameWords *name)
{
	char	   *result;
	size_t		capacity = 1;
	size_t		n = 0;
	int			i;

	for (i = 0; i < name->nwords; i++)
		capacity += strlen(name->words[i]);
	result = palloc(capacity);
	for (i = 0; i < name->nwords; i++)
	{
		const char *in;
		char		last = 0;

		for (in = name->words[i]; *in != '\0'; in++)
		{
			bool		is_ph = in[0] == 'p' && in[1] == 'h';
			bool		is_sch = last == 's' && in[0] == 'c' && in[1] == 'h';
			char		class = is_ph ? 'f' : is_sch ? 's' : sound_class(*in);

			if (class != 0 && class != last)
				result[n++] = class;
			last = class;
		}
	}
	qsort(result, n, 1, compare_bytes);
	result[n] = '\0';
	return result;
}
