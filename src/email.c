/*-------------------------------------------------------------------------
 *
 * email.c
 *	  the type contacts.email, as SQL sees it
 *
 * The rules of an address stand in email_parse.c; this file turns SQL values
 * into bytes and refusals into errors.  Output and send are the server's own
 * functions of text, comparison is that of bytea (sql/email.sql), comparison
 * with text is in address_text.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "address_text.h"
#include "compat.h"
#include "email_parse.h"
#include "idna.h"

static bool read_email(const char *in, size_t length,
					   char *out, size_t *out_length);

static AddressKind email_kind = {read_email};

/* Parse under the rules of this database: beyond ASCII only in UTF8. */
static EmailError
parse_email(const char *in, size_t length, char *out, size_t *out_length)
{
	return email_parse(in, length, GetDatabaseEncoding() == PG_UTF8,
					   out, out_length);
}

/* AddressKind's view of it. */
static bool
read_email(const char *in, size_t length, char *out, size_t *out_length)
{
	return parse_email(in, length, out, out_length) == EMAIL_OK;
}

/* SQLSTATE of a refusal: a limit of this database or build, or bad input. */
static int
email_error_code(EmailError error)
{
	if (error == EMAIL_NOT_ASCII || error == EMAIL_DOMAIN_NO_IDNA)
		return ERRCODE_FEATURE_NOT_SUPPORTED;
	return ERRCODE_INVALID_TEXT_REPRESENTATION;
}

/* What the user can do about a refusal; reports nothing if that is plain. */
static int
email_error_hint(EmailError error)
{
	switch (error)
	{
		case EMAIL_EMPTY:
			return errhint("Use NULL where there is no address.");
		case EMAIL_DOMAIN_NO_IDNA:
			return errhint("Write the domain in its xn-- form.");
		default:
			return 0;
	}
}

/*
 * The address that a text reads as; else an error or, where the caller takes
 * soft errors (escontext), NULL.
 */
static struct varlena *
make_email(const char *in, size_t length, Node *escontext)
{
	char		canonical[EMAIL_MAX_LENGTH + 1];
	size_t		canonical_length;
	EmailError	error = parse_email(in, length, canonical, &canonical_length);

	if (error != EMAIL_OK)
		ereturn(escontext, NULL,
				(errcode(email_error_code(error)),
				 errmsg("invalid input syntax for type %s: \"%.*s\"", "email",
						(int) length, in),
				 errdetail("%s", email_error_detail(error)),
				 email_error_hint(error)));
	return address_make(canonical, canonical_length);
}

PG_FUNCTION_INFO_V1(email_in);
PG_FUNCTION_INFO_V1(email_recv);
PG_FUNCTION_INFO_V1(email_from_text);
PG_FUNCTION_INFO_V1(try_email);

/* Input of text form. */
Datum
email_in(PG_FUNCTION_ARGS)
{
	char	   *in = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(make_email(in, strlen(in), fcinfo->context));
}

/* Binary input: the text form, under the same rules. */
Datum
email_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length;
	char	   *in = pq_getmsgtext(message, message->len - message->cursor,
								   &length);

	PG_RETURN_POINTER(make_email(in, length, fcinfo->context));
}

/* The cast from text. */
Datum
email_from_text(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);

	PG_RETURN_POINTER(make_email(VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in),
								 fcinfo->context));
}

/* The address that a text reads as, NULL if it is none. */
Datum
try_email(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);
	char		canonical[EMAIL_MAX_LENGTH + 1];
	size_t		length;

	if (!read_email(VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in),
					canonical, &length))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(address_make(canonical, length));
}

ADDRESS_FAMILIES(email, &email_kind);

/* Where the @ of a canonical address stands; it has exactly one. */
static size_t
at_position(const char *address, size_t length)
{
	const char *at = memchr(address, '@', length);

	if (at == NULL)
		elog(ERROR, "stored email address without @");
	return at - address;
}

PG_FUNCTION_INFO_V1(local_part);
PG_FUNCTION_INFO_V1(domain);
PG_FUNCTION_INFO_V1(display);
PG_FUNCTION_INFO_V1(mailbox_key);

/* What stands before the @. */
Datum
local_part(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	const char *address = VARDATA_ANY(value);
	size_t		at = at_position(address, VARSIZE_ANY_EXHDR(value));

	PG_RETURN_TEXT_P(cstring_to_text_with_len(address, (int) at));
}

/* What stands behind the @: A-labels, as mail servers want it. */
Datum
domain(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	const char *address = VARDATA_ANY(value);
	size_t		length = VARSIZE_ANY_EXHDR(value);
	size_t		at = at_position(address, length);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(address + at + 1,
											  (int) (length - at - 1)));
}

/*
 * The address as people read it: the domain's xn-- labels are decoded where
 * the database can hold them.  Not to be stored or sent to.
 */
Datum
display(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	const char *address = VARDATA_ANY(value);
	size_t		length = VARSIZE_ANY_EXHDR(value);
	size_t		at = at_position(address, length);
	char		result[EMAIL_MAX_LOCAL + 1 + IDNA_MAX_DISPLAY + 1];
	size_t		domain_length;

	if (GetDatabaseEncoding() != PG_UTF8)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(address, (int) length));

	memcpy(result, address, at + 1);
	idna_to_display(address + at + 1, length - at - 1,
					result + at + 1, &domain_length);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(result,
											  (int) (at + 1 + domain_length)));
}

/*
 * What addresses of one mailbox are likely to have in common.  For finding
 * duplicates, never a key.
 */
Datum
mailbox_key(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	char		key[EMAIL_MAX_LENGTH + 1];
	size_t		length;

	email_mailbox_key(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
					  key, &length);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(key, (int) length));
}
