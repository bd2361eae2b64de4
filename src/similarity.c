/*-------------------------------------------------------------------------
 *
 * similarity.c
 *	  what find_duplicates() compares: blocking keys, and names
 *
 * Contacts that may be one person have a blocking key in common, so that few
 * pairs have to be looked at.  A key is a hash whose last bits say what of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "email_parse.h"
#include "folded_name.h"
#include "unicode_text.h"

/*
 * What a key is made of: its last three bits.  find_duplicates() in
 * sql/duplicates.sql knows these numbers.
 */
enum
{
	KEY_MAILBOX,
	KEY_PHONE,
	KEY_NAME,					/* all words of the name, in any order */
	KEY_SOUND,					/* likewise what they sound like */
	KEY_ORGANIZATION,			/* organization, and initials in any order */
	NKEYS = 7					/* at most: three of the phone numbers */
};

#define KEY_KIND_MASK 7
#define MIN_SOUND 3				/* fewer consonants say too little */

/* arguments of duplicate_keys() */
enum
{
	ARG_FIRST_NAME, ARG_LAST_NAME, ARG_MONONYM, ARG_ORGANIZATION_ID,
	ARG_EMAIL, ARG_MOBILE_PHONE, ARG_HOME_PHONE, ARG_BUSINESS_PHONE
};

PG_FUNCTION_INFO_V1(folded_name);
PG_FUNCTION_INFO_V1(name_similarity);
PG_FUNCTION_INFO_V1(duplicate_keys);
PG_FUNCTION_INFO_V1(duplicate_key);

static int64
make_key(int kind, const char *bytes, size_t length)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) bytes,
										   (int) length, kind);

	return (int64) ((hash & ~(uint64) KEY_KIND_MASK) | (uint64) kind);
}

static int64
make_mailbox_key(const char *address, size_t length)
{
	char		mailbox[EMAIL_MAX_LENGTH + 1];
	size_t		mailbox_length;

	email_mailbox_key(address, length, mailbox, &mailbox_length);
	return make_key(KEY_MAILBOX, mailbox, mailbox_length);
}

/* Add a key, if it is not there. */
static void
add_key(Datum *keys, int *nkeys, int64 key)
{
	int			i;

	for (i = 0; i < *nkeys; i++)
	{
		if (DatumGetInt64(keys[i]) == key)
			return;
	}
	keys[(*nkeys)++] = Int64GetDatum(key);
}

/* Fold argument i, add its words; returns how many it has. */
static int
add_name(FunctionCallInfo fcinfo, int i, NameWords *name)
{
	int			nwords = name->nwords;
	text	   *value;

	if (PG_ARGISNULL(i))
		return 0;
	value = PG_GETARG_TEXT_PP(i);
	name_add_words(name, fold_name(VARDATA_ANY(value),
								   VARSIZE_ANY_EXHDR(value), false));
	return name->nwords - nwords;
}

/* The keys of a whole name, whose words are sorted. */
static void
add_name_keys(Datum *keys, int *nkeys, const NameWords *name)
{
	StringInfoData whole;
	char	   *sound = name_sound(name);
	int			i;

	initStringInfo(&whole);
	for (i = 0; i < name->nwords; i++)
		appendStringInfo(&whole, "%s ", name->words[i]);
	add_key(keys, nkeys, make_key(KEY_NAME, whole.data, whole.len));
	if (strlen(sound) >= MIN_SOUND)
		add_key(keys, nkeys, make_key(KEY_SOUND, sound, strlen(sound)));
}

/*
 * The key of an organization and two initials, in any order: the first and
 * the last word that were given.
 */
static int64
make_organization_key(int64 organization, const NameWords *name)
{
	const char *first = name->words[0];
	const char *last = name->words[name->nwords - 1];
	int			first_length = pg_mblen(first);
	int			last_length = pg_mblen(last);
	char		bytes[sizeof(int64) + 2 * MAX_MULTIBYTE_CHAR_LEN];
	size_t		n = sizeof(int64);

	if (strcmp(first, last) > 0)
	{
		const char *swapped = first;
		int			swapped_length = first_length;

		first = last;
		first_length = last_length;
		last = swapped;
		last_length = swapped_length;
	}
	memcpy(bytes, &organization, sizeof(int64));
	memcpy(bytes + n, first, first_length);
	n += first_length;
	memcpy(bytes + n, last, last_length);
	n += last_length;
	return make_key(KEY_ORGANIZATION, bytes, n);
}

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

/* The blocking keys of a row of contact; NULL if it has none. */
Datum
duplicate_keys(PG_FUNCTION_ARGS)
{
	Datum		keys[NKEYS];
	int			nkeys = 0;
	NameWords	name = {.nwords = 0};
	int			nfirst = add_name(fcinfo, ARG_FIRST_NAME, &name);
	int			nlast = add_name(fcinfo, ARG_LAST_NAME, &name);
	bool		is_whole = !PG_ARGISNULL(ARG_MONONYM) &&
	PG_GETARG_BOOL(ARG_MONONYM);
	int			i;

	if (!PG_ARGISNULL(ARG_EMAIL))
	{
		struct varlena *email = PG_GETARG_VARLENA_PP(ARG_EMAIL);

		add_key(keys, &nkeys, make_mailbox_key(VARDATA_ANY(email),
											   VARSIZE_ANY_EXHDR(email)));
	}
	for (i = ARG_MOBILE_PHONE; i <= ARG_BUSINESS_PHONE; i++)
	{
		struct varlena *phone;

		if (PG_ARGISNULL(i))
			continue;
		phone = PG_GETARG_VARLENA_PP(i);
		add_key(keys, &nkeys, make_key(KEY_PHONE, VARDATA_ANY(phone),
									   VARSIZE_ANY_EXHDR(phone)));
	}
	if (name.nwords > 0 && !PG_ARGISNULL(ARG_ORGANIZATION_ID))
		add_key(keys, &nkeys,
				make_organization_key(PG_GETARG_INT64(ARG_ORGANIZATION_ID),
									  &name));
	if (is_whole ? name.nwords > 0 : nfirst > 0 && nlast > 0)
	{
		name_sort_words(&name);
		add_name_keys(keys, &nkeys, &name);
	}
	if (nkeys == 0)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, nkeys, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The blocking key of the value of an identifier. */
Datum
duplicate_key(PG_FUNCTION_ARGS)
{
	text	   *value_type = PG_GETARG_TEXT_PP(0);
	text	   *value = PG_GETARG_TEXT_PP(1);
	const char *bytes = VARDATA_ANY(value);
	size_t		length = VARSIZE_ANY_EXHDR(value);

	if (strcmp(text_to_cstring(value_type), "phone") == 0)
		PG_RETURN_INT64(make_key(KEY_PHONE, bytes, length));
	if (length <= EMAIL_MAX_LENGTH && memchr(bytes, '@', length) != NULL)
		PG_RETURN_INT64(make_mailbox_key(bytes, length));
	PG_RETURN_NULL();
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
