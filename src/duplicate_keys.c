/*-------------------------------------------------------------------------
 *
 * duplicate_keys.c
 *	  blocking keys: what contacts that may be one person have in common
 *
 * A key is a hash; two that are equal by accident cost a comparison that finds
 * nothing in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "compat.h"
#include "duplicate_keys.h"
#include "email_parse.h"
#include "folded_name.h"

#define MIN_SOUND 3				/* fewer consonants say too little */

static int64
make_key(int kind, const char *bytes, size_t length)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) bytes,
										   (int) length, kind);

	return (int64) ((hash & ~(uint64) 7) | (uint64) kind);
}

static int64
make_mailbox_key(text * address)
{
	const char *bytes = VARDATA_ANY(address);
	size_t		length = VARSIZE_ANY_EXHDR(address);
	char		mailbox[EMAIL_MAX_LENGTH + 1];

	if (length > EMAIL_MAX_LENGTH || memchr(bytes, '@', length) == NULL)
		return make_key(KEY_MAILBOX, bytes, length);
	email_mailbox_key(bytes, length, mailbox, &length);
	return make_key(KEY_MAILBOX, mailbox, length);
}

static int64
make_phone_key(text * number)
{
	return make_key(KEY_PHONE, VARDATA_ANY(number), VARSIZE_ANY_EXHDR(number));
}

/* Fold a part of a name and add its words; returns how many it has. */
static int
add_name(NameWords *name, Datum value, bool isnull)
{
	int			nwords = name->nwords;
	text	   *part;

	if (isnull)
		return 0;
	part = DatumGetTextPP(value);
	name_add_words(name, fold_name(VARDATA_ANY(part),
								   VARSIZE_ANY_EXHDR(part), false));
	return name->nwords - nwords;
}

/*
 * The key of an organization and two initials, in any order: those of the
 * first and the last word.
 */
static int64
make_organization_key(int64 organization, const NameWords *name)
{
	const char *initials[2] = {name->words[0], name->words[name->nwords - 1]};
	char		bytes[sizeof(int64) + 2 * MAX_MULTIBYTE_CHAR_LEN];
	size_t		n = sizeof(int64);
	bool		is_swapped = strcmp(initials[0], initials[1]) > 0;
	int			i;

	memcpy(bytes, &organization, sizeof(int64));
	for (i = 0; i < 2; i++)
	{
		const char *initial = initials[is_swapped ? 1 - i : i];
		int			length = pg_mblen(initial);

		memcpy(bytes + n, initial, length);
		n += length;
	}
	return make_key(KEY_ORGANIZATION, bytes, n);
}

/* Add a key, if it is not there. */
static void
add_key(DuplicateKeys *keys, int64 key)
{
	int			i;

	for (i = 0; i < keys->nkeys; i++)
	{
		if (keys->keys[i] == key)
			return;
	}
	Assert(keys->nkeys < MAX_KEYS);
	keys->keys[keys->nkeys++] = key;
}

/* Read the name, note its key if it is whole; the words are sorted then. */
static void
read_name(DuplicateKeys *keys, const Datum *values, const bool *nulls,
		  NameWords *name, int64 *organization_key)
{
	int			nfirst = add_name(name, values[KEY_FIRST_NAME],
								  nulls[KEY_FIRST_NAME]);
	int			nlast = add_name(name, values[KEY_LAST_NAME],
								 nulls[KEY_LAST_NAME]);
	bool		is_whole = DatumGetBool(values[KEY_MONONYM]) ?
	name->nwords > 0 : nfirst > 0 && nlast > 0;
	StringInfoData whole;
	int			i;

	if (name->nwords > 0 && !nulls[KEY_ORGANIZATION_ID])
	{
		int64		organization = DatumGetInt64(values[KEY_ORGANIZATION_ID]);

		*organization_key = make_organization_key(organization, name);
	}
	name_sort_words(name);
	if (!is_whole)
		return;
	initStringInfo(&whole);
	for (i = 0; i < name->nwords; i++)
	{
		appendStringInfoString(&whole, name->words[i]);
		appendStringInfoChar(&whole, ' ');
	}
	keys->name = make_key(KEY_NAME, whole.data, whole.len);
}

void
make_duplicate_keys(DuplicateKeys *keys, const Datum *values,
					const bool *nulls)
{
	NameWords	name = {.nwords = 0};
	int64		organization_key = 0;
	int			i;

	keys->nkeys = 0;
	keys->name = 0;
	read_name(keys, values, nulls, &name, &organization_key);
	if (!nulls[KEY_VALUE])
	{
		text	   *value = DatumGetTextPP(values[KEY_VALUE]);
		char	   *type = TextDatumGetCString(values[KEY_VALUE_TYPE]);

		add_key(keys, strcmp(type, "phone") == 0 ?
				make_phone_key(value) : make_mailbox_key(value));
		return;
	}
	if (!nulls[KEY_EMAIL])
		add_key(keys, make_mailbox_key(DatumGetTextPP(values[KEY_EMAIL])));
	for (i = KEY_MOBILE_PHONE; i <= KEY_BUSINESS_PHONE; i++)
	{
		if (!nulls[i])
			add_key(keys, make_phone_key(DatumGetTextPP(values[i])));
	}
	if (organization_key != 0)
		add_key(keys, organization_key);
	if (keys->name != 0)
	{
		char	   *sound = name_sound(&name);

		add_key(keys, keys->name);
		if (strlen(sound) >= MIN_SOUND)
			add_key(keys, make_key(KEY_SOUND, sound, strlen(sound)));
	}
}
