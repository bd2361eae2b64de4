/*-------------------------------------------------------------------------
 *
 * phone_test.c
 *	  unit tests of the parser of phone numbers, rule by rule
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "phone_parse.h"

/* A text, read in a region (NULL: none), and its canonical form. */
typedef struct Accepted
{
	const char *rule;
	const char *region;
	const char *in;
	const char *canonical;
} Accepted;

/* A text that is refused, and why. */
typedef struct Refused
{
	const char *rule;
	const char *region;
	const char *in;
	PhoneError	error;
} Refused;

/* A canonical number, its calling code, and whether the plan knows it. */
typedef struct Known
{
	const char *number;
	int			calling_code;
	bool		possible;
} Known;

static const Accepted accepted[] =
{
	{"canonical", NULL, "+493012345", "+493012345"},
	{"6 digits", NULL, "+431234", "+431234"},
	{"15 digits", NULL, "+491234567890123", "+491234567890123"},
	{"trims ASCII white space", NULL, " \t\r\n\v\f+493012345 \t\n",
	"+493012345"},
	{"tel:", NULL, "tel:+493012345", "+493012345"},
	{"TEL:", NULL, "TeL: +49-30-12345", "+493012345"},
	{"separators", NULL, "+49 (30) 12.34-5", "+493012345"},
	{"separators anywhere", NULL, "(+49)-30.12345-", "+493012345"},
	{"calling code of one digit", NULL, "+1 212 555 0100", "+12125550100"},
	{"calling code of one digit, 7", NULL, "+7 495 1234567", "+74951234567"},
	{"calling code of three digits", NULL, "+352 123456", "+352123456"},
	{"non-geographic code", NULL, "+800 12345678", "+80012345678"},
	{"satellite", NULL, "+8816 12345678", "+881612345678"},
	{"impossible length of 6", NULL, "+331234", "+331234"},
	{"(0) where the national prefix is 0", NULL, "+49 (0) 30 12345",
	"+493012345"},
	{"(0) without spaces", NULL, "+49(0)3012345", "+493012345"},
	{"(0) with other separators", NULL, "+44.(0).20-7946-0958",
	"+442079460958"},
	{"(0) behind a code in parentheses", NULL, "(+44)(0)2079460958",
	"+442079460958"},
	{"(0) later in the number is a digit", NULL, "+49 30 (0) 1234",
	"+493001234"},
	{"only one (0)", NULL, "+49 (0)(0) 1234", "+4901234"},
	{"a zero without its own parentheses is a digit", NULL, "+49 (030) 1234",
	"+490301234"},
	{"Italian zero is part of the number", NULL, "+39 06 12345678",
	"+390612345678"},
	{"code shared by regions: the main one's prefix", NULL,
	"+61 (0) 2 1234 5678", "+61212345678"},

	/* National formats */
	{"plus with a region", "DE", "+1 212 555 0100", "+12125550100"},
	{"national prefix", "DE", "030 12345", "+493012345"},
	{"without it", "DE", "30 12345", "+493012345"},
	{"national prefix in parentheses", "DE", "(0) 30 12345", "+493012345"},
	{"area code in parentheses", "DE", "(030) 12345", "+493012345"},
	{"region in lower case", "de", "030 12345", "+493012345"},
	{"tel: with a region", "DE", "tel:030-12345", "+493012345"},
	{"international prefix", "DE", "0043 1 12345", "+43112345"},
	{"international prefix to oneself", "DE", "0049 30 12345", "+493012345"},
	{"international prefix and (0)", "DE", "0049 (0) 30 12345",
	"+493012345"},
	{"no national prefix in the plan", "IT", "06 12345678", "+390612345678"},
	{"(0) in Italy is a digit", "IT", "(0)6 12345678", "+390612345678"},
	{"no national prefix, Denmark", "DK", "12 34 56 78", "+4512345678"},
	{"North America", "US", "(212) 555-0100", "+12125550100"},
	{"North America with 1", "US", "1-212-555-0100", "+12125550100"},
	{"North America abroad", "US", "011 44 20 7946 0958", "+442079460958"},
	{"another region of code 1", "JM", "876 555 0100", "+18765550100"},
	{"prefix 06", "HU", "06 1 123 4567", "+3611234567"},
	{"prefix 06, not 0", "HU", "1 123 4567", "+3611234567"},
	{"Russia with 8", "RU", "8 495 123-45-67", "+74951234567"},
	{"Russia, 812 with 8", "RU", "8 812 123-45-67", "+78121234567"},
	{"Russia, 812 without", "RU", "812 123-45-67", "+78121234567"},
	{"Russia without 8", "RU", "495 123-45-67", "+74951234567"},
	{"Russia, impossible either way", "RU", "8 123 456", "+7123456"},
	{"Russia abroad", "RU", "8 10 49 30 12345", "+493012345"},
	{"Belarus writes 8 0", "BY", "8 (029) 123-45-67", "+375291234567"},
	{"Belarus without 0", "BY", "8 29 123-45-67", "+375291234567"},
	{"Australia abroad", "AU", "0011 49 30 12345", "+493012345"},
	{"Australia by another carrier", "AU", "1414 0011 49 30 12345",
	"+493012345"},
	{"Brazil by carrier", "BR", "00 15 49 30 12345", "+493012345"},
	{"Brazil, the set of 00[56]5", "BR", "00 65 49 30 12345", "+493012345"},
	{"China by carrier", "CN", "11 012 00 49 30 12345", "+493012345"},
	{"China's mobile numbers are none", "CN", "138 0013 8000",
	"+8613800138000"},
	{"Colombia by carrier", "CO", "00 414 49 30 12345", "+493012345"},
	{"Hong Kong, optional digit", "HK", "001 49 30 12345", "+493012345"},
	{"Hong Kong, without it", "HK", "00 49 30 1234567", "+49301234567"},
	{"Hong Kong, the possible reading", "HK", "00 852 2123 4567",
	"+85221234567"},
	{"Hong Kong, two possible readings: the longer prefix", "HK",
	"0030 1 212 555 0100", "+12125550100"},
	{"Japan", "JP", "010 49 30 12345", "+493012345"},
	{"Japan, national", "JP", "03-1234-5678", "+81312345678"},
	{"Kenya, 000", "KE", "000 49 30 12345", "+493012345"},
	{"Slovenia, 00", "SI", "00 49 30 12345", "+493012345"},
	{"Slovenia, too short behind 1022", "SI", "1022 3456", "+38610223456"},
	{"Chile, a number that begins like a prefix", "CL", "1230 020 2121",
	"+5612300202121"},
	{"Cuba", "CU", "119 49 30 12345", "+493012345"},
	{"Singapore, any digit", "SG", "019 49 30 12345", "+493012345"},
	{"national number of impossible length is taken", "FR", "01 23 45",
	"+3312345"},
	{"non-geographic region reads the international form", "001",
	"+800 12345678", "+80012345678"},
};

static const Refused refused[] =
{
	{"empty", NULL, "", PHONE_EMPTY},
	{"white space", NULL, " \n", PHONE_EMPTY},
	{"no plus", NULL, "493012345", PHONE_NO_PLUS},
	{"tel: without plus", NULL, "tel:493012345", PHONE_NO_PLUS},
	{"00 is no plus", NULL, "0049 30 12345", PHONE_NO_PLUS},
	{"separators only", NULL, "( ) - .", PHONE_NO_PLUS},
	{"plus only", NULL, "+", PHONE_TOO_SHORT},
	{"tel: only", NULL, "tel:+", PHONE_TOO_SHORT},
	{"two plus signs", NULL, "++493012345", PHONE_CHARACTER},
	{"plus in the middle", NULL, "+49+3012345", PHONE_CHARACTER},
	{"plus behind digits", "DE", "49+3012345", PHONE_CHARACTER},
	{"slash", NULL, "+49 30/12345", PHONE_CHARACTER},
	{"tab inside", NULL, "+49\t3012345", PHONE_CHARACTER},
	{"no-break space", NULL, "+49\xc2\xa0" "3012345", PHONE_CHARACTER},
	{"full-width plus", NULL, "\xef\xbc\x8b" "493012345", PHONE_CHARACTER},
	{"Arabic-Indic digits", NULL, "+49\xd9\xa3\xd9\xa0", PHONE_CHARACTER},
	{"en dash", NULL, "+49\xe2\x80\x93" "3012345", PHONE_CHARACTER},
	{"letters", NULL, "+1 800 FLOWERS", PHONE_EXTENSION},
	{"a word", NULL, "home", PHONE_EXTENSION},
	{"extension x", NULL, "+1 212 555 0100 x12", PHONE_EXTENSION},
	{"extension ext.", NULL, "+1 212 555 0100 ext. 12", PHONE_EXTENSION},
	{"extension of a tel: URI", NULL, "tel:+12125550100;ext=12",
	PHONE_EXTENSION},
	{"extension #", NULL, "+12125550100#12", PHONE_EXTENSION},
	{"tel: twice", NULL, "tel:tel:+493012345", PHONE_EXTENSION},
	{"tel without colon", NULL, "tel +493012345", PHONE_EXTENSION},
	{"5 digits", NULL, "+49301", PHONE_TOO_SHORT},
	{"16 digits", NULL, "+4912345678901234", PHONE_TOO_LONG},
	{"40 digits", NULL, "+4912345678901234567890123456789012345678",
	PHONE_TOO_LONG},
	{"(0) leaves 5 digits", NULL, "+49 (0) 301", PHONE_TOO_SHORT},
	{"code 999", NULL, "+999 123456", PHONE_CALLING_CODE},
	{"code 210", NULL, "+210 123456", PHONE_CALLING_CODE},
	{"code 0", NULL, "+0 301234567", PHONE_CALLING_CODE},
	{"(0) at once", NULL, "+(0) 49 30 12345", PHONE_CALLING_CODE},
	{"(0) in North America", NULL, "+1 (0) 212 555 0100",
	PHONE_NATIONAL_PREFIX},
	{"(0) in Russia", NULL, "+7 (0) 495 1234567", PHONE_NATIONAL_PREFIX},
	{"(0) in Italy", NULL, "+39 (0) 6 12345678", PHONE_NATIONAL_PREFIX},
	{"(0) in Hungary", NULL, "+36 (0) 1 1234567", PHONE_NATIONAL_PREFIX},
	{"(0) under a non-geographic code", NULL, "+800 (0) 12345678",
	PHONE_NATIONAL_PREFIX},

	/* National formats */
	{"national, too short", "DE", "0123", PHONE_TOO_SHORT},
	{"national, prefix only", "DE", "0", PHONE_TOO_SHORT},
	{"national, nothing", "DE", "()", PHONE_TOO_SHORT},
	{"national, too long", "DE", "0123456789012345", PHONE_TOO_LONG},
	{"a prefix that is cut", "SG", "01", PHONE_TOO_SHORT},
	{"two prefixes, the first error", "HK", "0030 999", PHONE_CALLING_CODE},
	{"national, letters", "DE", "0800 FLOWERS", PHONE_EXTENSION},
	{"international prefix, no code", "DE", "00999 123456",
	PHONE_CALLING_CODE},
	{"international prefix, too long", "DE", "0049 12345678901234",
	PHONE_TOO_LONG},
	{"international prefix alone", "DE", "00", PHONE_TOO_SHORT},
	{"international prefix, bad (0)", "DE", "0039 (0) 6 12345678",
	PHONE_NATIONAL_PREFIX},
	{"non-geographic region has no national format", "001", "12345678",
	PHONE_NO_PLUS},
};

static const Known known[] =
{
	{"+12125550100", 1, true},
	{"+1212555010", 1, false},
	{"+12125550", 1, true},		/* 7 digits: Canada */
	{"+493012345", 49, true},
	{"+33123456789", 33, true},
	{"+3312345678", 33, false},
	{"+352123456", 352, true},
	{"+390612345678", 39, true},
	{"+4791234567", 47, true},
	{"+47123456", 47, false},
	{"+80012345678", 800, true},
	{"+8001234567", 800, false},
	{"+88212345678", 882, true},
	{"+491234567890123", 49, true},
};

static const char *const no_regions[] = {"", "D", "ZZ", "DEU", "UK", "002",
"D ", "0011", "001 "};

static int	checks = 0;
static int	failures = 0;

/* Count a check; report it if it failed. */
static void
check(bool passed, const char *rule, const char *in, const char *got)
{
	checks++;
	if (passed)
		return;
	failures++;
	printf("not ok: %s: \"%s\" gives %s\n", rule, in, got);
}

/* The region of that name, which has to exist. */
static const PhoneRegion *
get_region(const char *name)
{
	const PhoneRegion *region;

	if (name == NULL)
		return NULL;
	region = phone_find_region(name, strlen(name));
	check(region != NULL, "region", name, "nothing");
	return region;
}

/* Parse a copy that ends where memory checkers watch. */
static PhoneError
parse_copy(const char *in, const PhoneRegion *region, char *out,
		   size_t *out_length)
{
	size_t		len = strlen(in);
	char	   *copy = malloc(len > 0 ? len : 1);
	PhoneError	error;

	if (copy == NULL)
		abort();
	memcpy(copy, in, len);
	error = phone_parse(copy, len, region, out, out_length);
	free(copy);
	return error;
}

/* Accepted: canonical form, length, and it re-enters unchanged. */
static void
check_accepted(const Accepted *test)
{
	const PhoneRegion *region = get_region(test->region);
	char		out[PHONE_MAX_LENGTH + 1] = "";
	char		again[PHONE_MAX_LENGTH + 1] = "";
	size_t		n = 0;
	PhoneError	error;

	error = parse_copy(test->in, region, out, &n);
	check(error == PHONE_OK, test->rule, test->in, phone_error_detail(error));
	check(strcmp(out, test->canonical) == 0 && n == strlen(out), test->rule,
		  test->in, out);
	error = parse_copy(out, NULL, again, &n);
	check(error == PHONE_OK && strcmp(out, again) == 0, test->rule, out,
		  again);
	error = parse_copy(out, region, again, &n);
	check(error == PHONE_OK && strcmp(out, again) == 0, test->rule, out,
		  again);
}

static void
check_refused(const Refused *test)
{
	char		out[PHONE_MAX_LENGTH + 1];
	size_t		n;
	PhoneError	error = parse_copy(test->in, get_region(test->region), out,
								   &n);

	check(error == test->error, test->rule, test->in,
		  phone_error_detail(error));
}

static void
check_known(const Known *test)
{
	size_t		len = strlen(test->number);

	check(phone_calling_code(test->number, len) == test->calling_code,
		  "calling code", test->number, "another one");
	check(phone_is_possible(test->number, len) == test->possible,
		  "possible length", test->number, "another answer");
}

static void
check_no_region(const char *const *name)
{
	check(phone_find_region(*name, strlen(*name)) == NULL, "no region", *name,
		  "a region");
}

/* Every error has a sentence of its own. */
static void
check_details(void)
{
	int			i;
	int			j;

	for (i = PHONE_EMPTY; i <= PHONE_NATIONAL_PREFIX; i++)
	{
		const char *detail = phone_error_detail((PhoneError) i);

		check(detail[strlen(detail) - 1] == '.', "detail is a sentence",
			  detail, "no full stop");
		for (j = PHONE_OK; j < i; j++)
			check(strcmp(detail, phone_error_detail((PhoneError) j)) != 0,
				  "detail names its rule", detail, "used twice");
	}
}

#define for_each(table, function) \
	for (i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
		function(&(table)[i])

int
main(void)
{
	size_t		i;

	for_each(accepted, check_accepted);
	for_each(refused, check_refused);
	for_each(known, check_known);
	for_each(no_regions, check_no_region);
	check_details();
	printf("phone: %d checks, %d failures\n", checks, failures);
	return failures == 0 ? 0 : 1;
}
