/*-------------------------------------------------------------------------
 *
 * email_fuzz.c
 *	  libFuzzer target: what email_parse.h and idna.h promise of any bytes
 *
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "email_parse.h"
#include "idna.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop with the address at hand. */
#define require(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "broken: %s: %s\n", #condition, address); \
			abort(); \
		} \
	} while (0)

/* Parse the text and require exactly this canonical form. */
static void
require_canonical(const char *text, size_t len, bool allow_utf8,
				  const char *address, size_t address_length)
{
	char		out[EMAIL_MAX_LENGTH + 1];
	size_t		n;

	require(email_parse(text, len, allow_utf8, out, &n) == EMAIL_OK);
	require(n == address_length && memcmp(out, address, n + 1) == 0);
}

/* Lengths, and the form of the domain, looked at without any table. */
static void
check_form(const char *address, size_t len)
{
	const char *at = strchr(address, '@');
	const char *c;

	require(strlen(address) == len && len <= EMAIL_MAX_LENGTH);
	require(at != NULL && strchr(at + 1, '@') == NULL);
	require(at > address && at - address <= EMAIL_MAX_LOCAL);
	require(address[0] != '.' && at[-1] != '.');
	require(strlen(at + 1) <= EMAIL_MAX_DOMAIN && strchr(at, '.') != NULL);
	for (c = address; *c != '\0'; c++)
	{
		require((unsigned char) *c > ' ' && *c != 0x7F);
		require(!(*c >= 'A' && *c <= 'Z'));
		require(!(c[0] == '.' && c[1] == '.'));
	}
	for (c = at + 1; *c != '\0'; c++)
	{
		require((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
				*c == '-' || *c == '.');
		require(*c != '.' || (c[1] != '-' && c[1] != '\0' && c[-1] != '-'));
	}
}

/* White space around it, capitals in it: the same address. */
static void
check_variants(const char *address, size_t len)
{
	char		text[EMAIL_MAX_LENGTH + 5];
	bool		is_ascii = true;
	size_t		i;

	text[0] = ' ';
	text[1] = '\t';
	for (i = 0; i < len; i++)
	{
		char		c = address[i];

		/* Not before a mark: the capital may compose where the small not. */
		is_ascii &= (unsigned char) c < 0x80;
		text[i + 2] = c >= 'a' && c <= 'z' &&
			(unsigned char) address[i + 1] < 0x80 ? (char) (c - 32) : c;
	}
	text[len + 2] = '\n';
	text[len + 3] = ' ';
	require_canonical(text, len + 4, true, address, len);
	require_canonical(text + 2, len, true, address, len);
	if (is_ascii)
		require_canonical(address, len, false, address, len);
}

/* The key of a mailbox is no longer than the address and its own key. */
static void
check_mailbox_key(const char *address, size_t len)
{
	char		key[EMAIL_MAX_LENGTH + 1];
	char		again[EMAIL_MAX_LENGTH + 1];
	size_t		n;
	size_t		m;

	email_mailbox_key(address, len, key, &n);
	require(n <= len && strlen(key) == n);
	require(key[0] != '@' && strchr(key, '@') != NULL);
	email_mailbox_key(key, n, again, &m);
	require(n == m && strcmp(key, again) == 0);
}

/* What is displayed leads back to the address. */
static void
check_display(const char *address, size_t len)
{
	char		text[EMAIL_MAX_LOCAL + 1 + IDNA_MAX_DISPLAY + 1];
	const char *at = strchr(address, '@');
	size_t		local = (size_t) (at + 1 - address);
	size_t		n;

	memcpy(text, address, local);
	idna_to_display(at + 1, len - local, text + local, &n);
	require(n <= IDNA_MAX_DISPLAY && strlen(text + local) == n);
	require_canonical(text, local + n, true, address, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *) data;
	char		address[EMAIL_MAX_LENGTH + 1] = "";
	char		ascii[EMAIL_MAX_LENGTH + 1] = "";
	size_t		len;
	size_t		ascii_length;
	EmailError	error = email_parse(in, size, true, address, &len);
	EmailError	ascii_error = email_parse(in, size, false, ascii,
										  &ascii_length);

	require(strlen(email_error_detail(error)) > 0);
	if (ascii_error != EMAIL_NOT_ASCII)
		require(ascii_error == error);
	if (ascii_error == EMAIL_OK)
		require(ascii_length == len && strcmp(ascii, address) == 0);
	if (error != EMAIL_OK)
		return 0;
	check_form(address, len);
	require_canonical(address, len, true, address, len);
	check_variants(address, len);
	check_mailbox_key(address, len);
	check_display(address, len);
	return 0;
}
