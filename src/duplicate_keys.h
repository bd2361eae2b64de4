/*-------------------------------------------------------------------------
 *
 * duplicate_keys.h
 *	  blocking keys: what contacts that may be one person have in common
 *
 *-------------------------------------------------------------------------
 */
#ifndef DUPLICATE_KEYS_H
#define DUPLICATE_KEYS_H

/* What a key is made of; its last three bits tell. */
enum
{
	KEY_MAILBOX,
	KEY_PHONE,
	KEY_NAME,					/* all words of the name, in any order */
	KEY_SOUND,					/* likewise what they sound like */
	KEY_ORGANIZATION,			/* organization, and initials in any order */
	KEY_NKINDS
};

#define key_kind(key) ((int) ((key) & 7))

#define MAX_KEYS 7				/* of one contact: three phone numbers */

/* The columns of a row whose keys are made, in this order. */
enum
{
	KEY_FIRST_NAME, KEY_LAST_NAME, KEY_MONONYM, KEY_ORGANIZATION_ID,
	KEY_EMAIL, KEY_MOBILE_PHONE, KEY_HOME_PHONE, KEY_BUSINESS_PHONE,
	KEY_VALUE_TYPE, KEY_VALUE,
	KEY_NCOLUMNS
};

typedef struct DuplicateKeys
{
	int64		keys[MAX_KEYS];
	int			nkeys;
	int64		name;			/* that of KEY_NAME, 0 without a whole name */
} DuplicateKeys;

/*
 * The keys of a contact, or, where KEY_VALUE is not NULL, that of the value
 * of an identifier of it.  Names and values are texts.
 */
extern void make_duplicate_keys(DuplicateKeys *keys, const Datum *values,
								const bool *nulls);

#endif							/* DUPLICATE_KEYS_H */
