/*-------------------------------------------------------------------------
 *
 * email_parse.c
 *	  the parser of email addresses: pure C over bytes, no server needed
 *
 * Section 3 of the design, rule by rule.  The canonical form is a fixed
 * point: what email_parse() gives out, it takes in again unchanged.  To that
 * end every rule of the local part is applied to the text as source and once
 * more to its canonical form (the Greek question mark composes to ';', and
 * marks change places), and a domain of A-labels is never decoded again.
 *
 * ASCII text, nearly all there is, is looked at once per byte, by table.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "email_parse.h"
#include "idna.h"
#include "unicode_tables.h"
#include "unicode_text.h"

#define MAX_LABEL 63

/* White space of ASCII, the only one that is trimmed. */
static bool
is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Does any byte belong to a non-ASCII character? */
static bool
has_high_byte(const unsigned char *in, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (in[i] >= 0x80)
			return true;
	}
	return false;
}

/* Rules of one code point of a local part. */
static EmailError
check_code_point(uint32_t c, bool is_first)
{
	if (c < 0x80)
		return byte_class[c] & B_NOT_LOCAL ? EMAIL_LOCAL_CHARACTER : EMAIL_OK;
	if (text_is_unsafe(c))
		return EMAIL_LOCAL_UNSAFE;
	if (text_is_unassigned(c))
		return EMAIL_LOCAL_UNASSIGNED;
	/* What joins or marks the character before it cannot be the first one. */
	if (is_first &&
		(c == 0x200C || c == 0x200D || (c >= 0x0300 && c <= 0x036F)))
		return EMAIL_LOCAL_UNSAFE;
	return EMAIL_OK;
}

/* Rules of a whole local part: its dots and each of its code points. */
static EmailError
check_local(const uint32_t *text, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		EmailError	error = check_code_point(text[i], i == 0);

		if (error != EMAIL_OK)
			return error;
		if (text[i] == '.' &&
			(i == 0 || i + 1 == n || text[i - 1] == '.'))
			return EMAIL_LOCAL_DOT;
	}
	return EMAIL_OK;
}

/*
 * Canonical form of a local part that is not all ASCII: NFC, lower case, NFC
 * again.  More than NFC_MAX_COMPOSED code points for each octet of the limit
 * cannot shrink to it.
 */
static EmailError
parse_unicode_local(const unsigned char *in, size_t len, char *out,
					size_t *out_length)
{
	uint32_t	source[TEXT_MAX];
	uint32_t	text[TEXT_MAX];
	size_t		n;
	EmailError	error;

	n = text_decode((const char *) in, len, source,
					EMAIL_MAX_LOCAL * NFC_MAX_COMPOSED);
	if (n == TEXT_BAD_UTF8)
		return EMAIL_BAD_UTF8;
	if (n == TEXT_TOO_LONG)
		return EMAIL_LOCAL_TOO_LONG;
	error = check_local(source, n);
	if (error != EMAIL_OK)
		return error;

	n = text_compose(source, n, text, TEXT_MAX);
	if (n == TEXT_TOO_LONG)
		return EMAIL_LOCAL_TOO_LONG;
	text_lower(text, n);
	memcpy(source, text, n * sizeof(uint32_t));
	n = text_compose(source, n, text, TEXT_MAX);
	if (n == TEXT_TOO_LONG)
		return EMAIL_LOCAL_TOO_LONG;

	error = check_local(text, n);
	if (error != EMAIL_OK)
		return error;
	*out_length = text_encode(text, n, out, EMAIL_MAX_LOCAL);
	return *out_length == TEXT_TOO_LONG ? EMAIL_LOCAL_TOO_LONG : EMAIL_OK;
}

/*
 * Canonical local part; out has room for EMAIL_MAX_LOCAL octets.  The bit
 * B_DOT of two neighbours' classes shows a doubled dot; the ends count as
 * dots.
 */
static EmailError
parse_local(const unsigned char *in, size_t len, bool allow_utf8, char *out,
			size_t *out_length)
{
	unsigned	seen = 0;
	unsigned	doubled = 0;
	unsigned	previous = B_DOT;
	size_t		i;

	if (len == 0)
		return EMAIL_LOCAL_EMPTY;
	for (i = 0; i < len && i < EMAIL_MAX_LOCAL; i++)
	{
		unsigned	class = byte_class[in[i]];

		seen |= class;
		doubled |= class & previous;
		previous = class;
		out[i] = (char) byte_lower[in[i]];
	}
	if (seen & B_HIGH || (i < len && has_high_byte(in + i, len - i)))
	{
		if (!allow_utf8)
			return EMAIL_NOT_ASCII;
		return parse_unicode_local(in, len, out, out_length);
	}
	if (seen & B_NOT_LOCAL)
		return EMAIL_LOCAL_CHARACTER;
	if (i < len)
		return EMAIL_LOCAL_TOO_LONG;
	if ((doubled | previous) & B_DOT)
		return EMAIL_LOCAL_DOT;
	*out_length = len;
	return EMAIL_OK;
}

/* A label of letters, digits and inner hyphens? */
static bool
is_label(const char *label, size_t len)
{
	return len >= 1 && len <= MAX_LABEL &&
		label[0] != '-' && label[len - 1] != '-';
}

/* The last label: alphabetic, of two letters or more, or an A-label. */
static bool
is_last_label(const char *label, size_t len)
{
	size_t		i;

	if (len > 4 && memcmp(label, "xn--", 4) == 0)
		return true;
	for (i = 0; i < len; i++)
	{
		if (byte_class[(unsigned char) label[i]] & B_NOT_ALPHA)
			return false;
	}
	return len >= 2;
}

/*
 * Canonical form of an ASCII domain of at most EMAIL_MAX_DOMAIN octets, for
 * which out has room.  A-labels are opaque.  *seen is the union of the classes
 * of its bytes, also if it is refused.
 */
static EmailError
parse_ascii_domain(const unsigned char *in, size_t len, char *out,
				   unsigned *seen)
{
	size_t		label = 0;
	bool		labels_good = true;
	unsigned	classes = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		unsigned	class = byte_class[in[i]];

		classes |= class;
		out[i] = (char) byte_lower[in[i]];
		if (class & B_DOT)
		{
			labels_good &= is_label(out + label, i - label);
			label = i + 1;
		}
	}
	*seen = classes;
	if (classes & B_NOT_DOMAIN)
		return in[0] == '[' ? EMAIL_DOMAIN_LITERAL : EMAIL_DOMAIN_CHARACTER;
	if (!labels_good || !is_label(out + label, len - label))
		return EMAIL_DOMAIN_LABEL;
	if (label == 0)
		return EMAIL_DOMAIN_SINGLE_LABEL;
	return is_last_label(out + label, len - label) ?
		EMAIL_OK : EMAIL_DOMAIN_LAST_LABEL;
}

/* What a refusal of idna_to_ascii() means here. */
static EmailError
idna_error(IdnaResult result)
{
	switch (result)
	{
		case IDNA_OK:
			return EMAIL_OK;
		case IDNA_BAD_UTF8:
			return EMAIL_BAD_UTF8;
		case IDNA_BAD_LABEL:
			return EMAIL_DOMAIN_LABEL;
		case IDNA_TOO_LONG:
			return EMAIL_DOMAIN_TOO_LONG;
		case IDNA_UNAVAILABLE:
			return EMAIL_DOMAIN_NO_IDNA;
		case IDNA_UNSAFE:
		case IDNA_REFUSED:
			break;
	}
	return EMAIL_DOMAIN_IDNA;
}

/*
 * Canonical domain; out has room for EMAIL_MAX_DOMAIN octets.  What becomes
 * of a non-ASCII domain has to keep the rules of an ASCII one, too: it may be
 * nothing but ASCII then (full-width letters), with other dots than before.
 */
static EmailError
parse_domain(const unsigned char *in, size_t len, bool allow_utf8, char *out,
			 size_t *out_length)
{
	char		ascii[IDNA_MAX_ASCII + 1];
	unsigned	seen;
	EmailError	error;

	if (len == 0)
		return EMAIL_DOMAIN_EMPTY;
	if (len <= EMAIL_MAX_DOMAIN)
	{
		error = parse_ascii_domain(in, len, out, &seen);
		*out_length = len;
		if (!(seen & B_HIGH))
			return error;
	}
	else if (!has_high_byte(in, len))
		return EMAIL_DOMAIN_TOO_LONG;

	if (!allow_utf8)
		return EMAIL_NOT_ASCII;
	if (in[0] == '[')
		return EMAIL_DOMAIN_LITERAL;
	error = idna_error(idna_to_ascii((const char *) in, len, ascii,
									 out_length));
	if (error != EMAIL_OK)
		return error;
	return parse_ascii_domain((const unsigned char *) ascii, *out_length, out,
							  &seen);
}

EmailError
email_parse(const char *in, size_t len, bool allow_utf8,
			char out[EMAIL_MAX_LENGTH + 1], size_t *out_length)
{
	/* Both parts fit, even where the whole will turn out to be too long. */
	char		whole[EMAIL_MAX_LOCAL + 1 + EMAIL_MAX_DOMAIN];
	const unsigned char *text = (const unsigned char *) in;
	const unsigned char *at;
	size_t		local;
	size_t		domain;
	EmailError	error;

	/* 1. Trim; exactly one @. */
	while (len > 0 && is_space(text[0]))
	{
		text++;
		len--;
	}
	while (len > 0 && is_space(text[len - 1]))
		len--;
	if (len == 0)
		return EMAIL_EMPTY;
	at = memchr(text, '@', len);
	if (at == NULL)
		return EMAIL_NO_AT;
	local = (size_t) (at - text);
	domain = len - local - 1;
	if (memchr(at + 1, '@', domain) != NULL)
		return EMAIL_SEVERAL_AT;

	/* 2. and 3. The local part; 4. and 5. the domain. */
	error = parse_local(text, local, allow_utf8, whole, &local);
	if (error != EMAIL_OK)
		return error;
	whole[local] = '@';
	error = parse_domain(at + 1, domain, allow_utf8, whole + local + 1,
						 &domain);
	if (error != EMAIL_OK)
		return error;

	/* 6. The whole. */
	if (local + 1 + domain > EMAIL_MAX_LENGTH)
		return EMAIL_TOO_LONG;
	*out_length = local + 1 + domain;
	memcpy(out, whole, *out_length);
	out[*out_length] = '\0';
	return EMAIL_OK;
}

const char *
email_error_detail(EmailError error)
{
	switch (error)
	{
		case EMAIL_OK:
			break;
		case EMAIL_EMPTY:
			return "The address is empty.";
		case EMAIL_NO_AT:
			return "An address has exactly one \"@\"; this one has none.";
		case EMAIL_SEVERAL_AT:
			return "An address has exactly one \"@\"; this one has several.";
		case EMAIL_BAD_UTF8:
			return "The address is not valid UTF-8.";
		case EMAIL_LOCAL_EMPTY:
			return "There is nothing before the \"@\".";
		case EMAIL_LOCAL_TOO_LONG:
			return "The part before the \"@\" has at most 64 octets.";
		case EMAIL_LOCAL_DOT:
			return "The part before the \"@\" neither begins nor ends with a dot, nor has two in a row.";
		case EMAIL_LOCAL_CHARACTER:
			return "The part before the \"@\" has a character that is not allowed there; quoted strings, comments and display names are not read.";
		case EMAIL_LOCAL_UNSAFE:
			return "The part before the \"@\" has an invisible, private or control character, or begins with a combining one.";
		case EMAIL_LOCAL_UNASSIGNED:
			return "The part before the \"@\" has a character that Unicode 14 does not know.";
		case EMAIL_DOMAIN_EMPTY:
			return "There is nothing behind the \"@\".";
		case EMAIL_DOMAIN_TOO_LONG:
			return "The domain has at most 253 octets.";
		case EMAIL_DOMAIN_LABEL:
			return "Each label of the domain has 1 to 63 letters, digits and inner hyphens.";
		case EMAIL_DOMAIN_CHARACTER:
			return "The domain has a character that is not a letter, digit, hyphen or dot.";
		case EMAIL_DOMAIN_SINGLE_LABEL:
			return "The domain has at least two labels.";
		case EMAIL_DOMAIN_LAST_LABEL:
			return "The last label of the domain has two or more letters and nothing else, or begins with \"xn--\".";
		case EMAIL_DOMAIN_LITERAL:
			return "Address literals in brackets are not read as domains.";
		case EMAIL_DOMAIN_IDNA:
			return "The domain is not a valid internationalized domain name (UTS #46, IDNA2008).";
		case EMAIL_DOMAIN_NO_IDNA:
			return "This server was built without ICU and reads ASCII domains only.";
		case EMAIL_TOO_LONG:
			return "An address has at most 254 octets.";
		case EMAIL_NOT_ASCII:
			return "A database whose encoding is not UTF8 takes ASCII addresses only.";
	}
	return "The address is well-formed.";
}

/*
 * A provider that ignores dots in the local part, and the domain under which
 * its addresses are compared.
 */
typedef struct DotlessProvider
{
	const char *domain;
	const char *folded;
} DotlessProvider;

static const DotlessProvider dotless_providers[] =
{
	{"gmail.com", "gmail.com"},
	{"googlemail.com", "gmail.com"},
	{"proton.me", "proton.me"},
	{"protonmail.com", "protonmail.com"},
	{"pm.me", "pm.me"}
};

/* The folded domain of a provider that ignores dots, else NULL. */
static const char *
find_dotless_provider(const char *domain, size_t len)
{
	size_t		n = sizeof(dotless_providers) / sizeof(dotless_providers[0]);
	size_t		i;

	for (i = 0; i < n; i++)
	{
		if (strlen(dotless_providers[i].domain) == len &&
			memcmp(dotless_providers[i].domain, domain, len) == 0)
			return dotless_providers[i].folded;
	}
	return NULL;
}

void
email_mailbox_key(const char *canonical, size_t len,
				  char out[EMAIL_MAX_LENGTH + 1], size_t *out_length)
{
	const char *at = memchr(canonical, '@', len);
	size_t		local = (size_t) (at - canonical);
	const char *plus = memchr(canonical, '+', local);
	size_t		domain_length = len - local - 1;
	const char *folded = find_dotless_provider(at + 1, domain_length);
	size_t		n = 0;
	size_t		i;

	/* A tag in front leaves no mailbox: such an address is kept as it is. */
	if (plus != NULL && plus > canonical)
		local = (size_t) (plus - canonical);
	for (i = 0; i < local; i++)
	{
		if (folded == NULL || canonical[i] != '.')
			out[n++] = canonical[i];
	}
	out[n++] = '@';
	if (folded != NULL)
		domain_length = strlen(folded);
	memcpy(out + n, folded != NULL ? folded : at + 1, domain_length);
	n += domain_length;
	out[n] = '\0';
	*out_length = n;
}
