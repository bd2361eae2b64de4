/*-------------------------------------------------------------------------
 *
 * phone.c
 *	  the type contacts.phone, as SQL sees it
 *
 * The rules of a number stand in phone_parse.c; this file turns SQL values
 * into bytes and refusals into errors.  Output and send are the server's own
 * functions of text, comparison is that of bytea (sql/phone.sql), comparison
 * with text is in address_text.c.
 *
 * Input reads the formats of the setting contacts.default_region, too, so it
 * is STABLE.  Comparison with text does not, so it is IMMUTABLE: an index
 * must not depend on a setting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "address_text.h"
#include "compat.h"
#include "phone.h"
#include "phone_parse.h"

static bool read_phone(const char *in, size_t length,
					   char *out, size_t *out_length);

static AddressKind phone_kind = {read_phone};

/* The setting, and the region it names; NULL: international form only. */
static char *default_region_code = NULL;
static const PhoneRegion *default_region = NULL;

/* Check hook: a region that is known, or none. */
static bool
check_default_region(char **code, void **extra, GucSource source)
{
	if (*code == NULL || **code == '\0' ||
		phone_find_region(*code, strlen(*code)) != NULL)
		return true;
	GUC_check_errcode(ERRCODE_INVALID_PARAMETER_VALUE);
	GUC_check_errdetail("Region \"%s\" is not known.", *code);
	GUC_check_errhint("Use a code of ISO 3166-1 of two letters, such as DE.");
	return false;
}

/* Assign hook. */
static void
assign_default_region(const char *code, void *extra)
{
	default_region = NULL;
	if (code != NULL && *code != '\0')
		default_region = phone_find_region(code, strlen(code));
}

/* Defines the setting contacts.default_region. */
void
phone_init(void)
{
	DefineCustomStringVariable("contacts.default_region",
							   "Region whose national phone formats are read by text input of contacts.phone.",
							   "A code of ISO 3166-1 of two letters. Empty: the international form only.",
							   &default_region_code, "",
							   PGC_USERSET, 0,
							   check_default_region, assign_default_region,
							   NULL);
}

/* AddressKind's reader: the international form only. */
static bool
read_phone(const char *in, size_t length, char *out, size_t *out_length)
{
	return phone_parse(in, length, NULL, out, out_length) == PHONE_OK;
}

/* What the user can do about a refusal; reports nothing if that is plain. */
static int
phone_error_hint(PhoneError error)
{
	switch (error)
	{
		case PHONE_EMPTY:
			return errhint("Use NULL where there is no number.");
		case PHONE_NO_PLUS:
			return errhint("Write the number with + and its calling code, or say which region's format it has: contacts.phone(number, region), or the setting contacts.default_region.");
		default:
			return 0;
	}
}

/*
 * The number that a text reads as in a region; else an error or, where the
 * caller takes soft errors (escontext), NULL.
 */
static struct varlena *
make_phone(const char *in, size_t length, const PhoneRegion *region,
		   Node *escontext)
{
	char		canonical[PHONE_MAX_LENGTH + 1];
	size_t		canonical_length;
	PhoneError	error = phone_parse(in, length, region,
									canonical, &canonical_length);

	if (error != PHONE_OK)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.*s\"", "phone",
						(int) length, in),
				 errdetail("%s", phone_error_detail(error)),
				 phone_error_hint(error)));
	return address_make(canonical, canonical_length);
}

PG_FUNCTION_INFO_V1(phone_in);
PG_FUNCTION_INFO_V1(phone_recv);
PG_FUNCTION_INFO_V1(phone_from_text);
PG_FUNCTION_INFO_V1(phone_from_national);
PG_FUNCTION_INFO_V1(try_phone);

/* Input of text form. */
Datum
phone_in(PG_FUNCTION_ARGS)
{
	char	   *in = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(make_phone(in, strlen(in), default_region,
								 fcinfo->context));
}

/* Binary input: the text form, under the same rules. */
Datum
phone_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length;
	char	   *in = pq_getmsgtext(message, message->len - message->cursor,
								   &length);

	PG_RETURN_POINTER(make_phone(in, length, default_region,
								 fcinfo->context));
}

/* The cast from text. */
Datum
phone_from_text(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);

	PG_RETURN_POINTER(make_phone(VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in),
								 default_region, fcinfo->context));
}

/* The number that a text reads as in the region named. */
Datum
phone_from_national(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);
	text	   *code = PG_GETARG_TEXT_PP(1);
	const PhoneRegion *region;

	region = phone_find_region(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code));
	if (region == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("region \"%s\" is not known", text_to_cstring(code)),
				 errhint("Use a code of ISO 3166-1 of two letters, such as DE.")));
	PG_RETURN_POINTER(make_phone(VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in),
								 region, fcinfo->context));
}

/* The number that a text reads as, NULL if it is none. */
Datum
try_phone(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);
	char		canonical[PHONE_MAX_LENGTH + 1];
	size_t		length;

	if (phone_parse(VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in), default_region,
					canonical, &length) != PHONE_OK)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(address_make(canonical, length));
}

ADDRESS_FAMILIES(phone, &phone_kind);

PG_FUNCTION_INFO_V1(phone_country_code);
PG_FUNCTION_INFO_V1(phone_possible);

/* The calling code: 49 of +4930123456. */
Datum
phone_country_code(PG_FUNCTION_ARGS)
{
	struct varlena *number = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_INT32(phone_calling_code(VARDATA_ANY(number),
									   VARSIZE_ANY_EXHDR(number)));
}

/* Does its numbering plan know numbers of this length?  Advisory. */
Datum
phone_possible(PG_FUNCTION_ARGS)
{
	struct varlena *number = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_BOOL(phone_is_possible(VARDATA_ANY(number),
									 VARSIZE_ANY_EXHDR(number)));
}
