/*-------------------------------------------------------------------------
 *
 * email_test.c
 *	  unit tests of the parser of email addresses, rule by rule
 *
 * Without arguments: run the tables below; exit status 0 if all is well.
 * With "canonical": for each line of standard input print its canonical form,
 * or "!" and the number of the error, for the comparison with oracle.pl.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "email_parse.h"
#include "idna.h"
#include "pg_config.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define A63 A60 "aaa"
#define D4 "\xc3\xa9"			/* U+00E9, e with acute */
#define D10 D4 D4 D4 D4 D4 D4 D4 D4 D4 D4
#define D100 D10 D10 D10 D10 D10 D10 D10 D10 D10 D10
#define E_COMBINED "e\xcc\x81"	/* the same, decomposed */
#define E10 E_COMBINED E_COMBINED E_COMBINED E_COMBINED E_COMBINED \
	E_COMBINED E_COMBINED E_COMBINED E_COMBINED E_COMBINED

#define I1 "\xce\x90\xce\x90\xce\x90\xce\x90"	/* four times U+0390 */
#define I3 "\xce\xb9\xcc\x88\xcc\x81\xce\xb9\xcc\x88\xcc\x81" \
	"\xce\xb9\xcc\x88\xcc\x81\xce\xb9\xcc\x88\xcc\x81"	/* decomposed */

/* An address that is taken, and its canonical form. */
typedef struct Accepted
{
	const char *rule;
	const char *in;
	const char *canonical;		/* NULL: the text itself */
} Accepted;

/* A text that is refused, and why. */
typedef struct Refused
{
	const char *rule;
	const char *in;
	EmailError	error;
} Refused;

static const Accepted accepted[] =
{
	/* 1. Trim */
	{"trims ASCII white space", " \t\r\n\v\fa@b.org \t\r\n\v\f", "a@b.org"},
	{"keeps what is canonical", "a@b.org", NULL},

	/* 2. Local part: dot-atom of RFC 5321 */
	{"all of atext", "!#$%&'*+-/=?^_`{|}~09az@b.org", NULL},
	{"single character", "a@b.org", NULL},
	{"inner dots", "a.b.c@b.org", NULL},
	{"only signs", "--__--@b.org", NULL},
	{"hyphens and digits at the ends", "-1@b.org", NULL},
	{"64 octets", A63 "b@b.org", NULL},
	{"64 octets, two a character", D10 D10 D10 D4 D4 "@b.org", NULL},
	{"typed longer, canonical 64 octets",
	E10 E10 E10 E_COMBINED E_COMBINED "@b.org", D10 D10 D10 D4 D4 "@b.org"},
	{"typed as 96 characters, canonical 32",
		I3 I3 I3 I3 I3 I3 I3 I3 "@b.org",
	I1 I1 I1 I1 I1 I1 I1 I1 "@b.org"},
	{"RFC 6532 code points", "j\xc3\xb6rg@b.org", NULL},
	{"Han", "\xe7\x94\xa8\xe6\x88\xb7@b.org", NULL},
	{"astral", "\xf0\x90\x8d\x88@b.org", NULL},
	{"emoji are assigned", "\xf0\x9f\x98\x80@b.org", NULL},
	{"ZWNJ inside", "a\xe2\x80\x8c" "b@b.org", NULL},
	{"ZWJ at the end", "a\xe2\x80\x8d@b.org", NULL},
	{"mark inside, no composite", "q\xcc\x80@b.org", NULL},
	{"leading mark of another block", "\xe2\x83\x90q@b.org", NULL},
	{"ZWNJ behind a dot", "a.\xe2\x80\x8c" "b@b.org", NULL},
	{"first after the unsafe range", "\xc2\xa1@b.org", NULL},

	/* 3. Canonical local part */
	{"lower case", "ABCxyzABCXYZ@b.org", "abcxyzabcxyz@b.org"},
	{"NFC", E_COMBINED "@b.org", D4 "@b.org"},
	{"NFC then lower", "E\xcc\x81@b.org", D4 "@b.org"},
	{"lower then NFC", "\xc3\x89@b.org", D4 "@b.org"},
	{"sharp s stays", "stra\xc3\x9f" "e@b.org", NULL},
	{"capital sharp s becomes the small one", "\xe1\xba\x9e@b.org",
	"\xc3\x9f@b.org"},
	{"final sigma stays", "\xcf\x82\xcf\x83@b.org", NULL},
	{"capital sigma", "\xce\xa3@b.org", "\xcf\x83@b.org"},
	{"capital I with dot stays", "\xc4\xb0@b.org", NULL},
	{"I and a dot above compose to it", "I\xcc\x87@b.org", "\xc4\xb0@b.org"},
	{"dotless i stays", "\xc4\xb1@b.org", NULL},
	{"no Turkish I", "I@b.org", "i@b.org"},
	{"ligatures stay", "\xef\xac\x81@b.org", NULL},
	{"full width is lowered, not folded", "\xef\xbc\xa1@b.org",
	"\xef\xbd\x81@b.org"},
	{"Kelvin sign is k", "\xe2\x84\xaa@b.org", "k@b.org"},
	{"Angstrom sign", "\xe2\x84\xab@b.org", "\xc3\xa5@b.org"},
	{"Ohm sign", "\xe2\x84\xa6@b.org", "\xcf\x89@b.org"},
	{"oxia is an accent grave", "\xe1\xbf\xaf@b.org", "`@b.org"},
	{"= and a stroke", "=\xcc\xb8@b.org", "\xe2\x89\xa0@b.org"},
	{"Cyrillic", "\xd0\x98\xd0\x92\xd0\x90\xd0\x9d@b.org",
	"\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd@b.org"},
	{"Georgian Mtavruli", "\xe1\xb2\x90@b.org", "\xe1\x83\x90@b.org"},
	{"Deseret", "\xf0\x90\x90\x80@b.org", "\xf0\x90\x90\xa8@b.org"},
	{"grows: A with stroke", "\xc8\xba@b.org", "\xe2\xb1\xa5@b.org"},
	{"Hangul jamo compose", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8@b.org",
	"\xea\xb0\x81@b.org"},
	{"U+11A7 behind Hangul is kept", "\xea\xb0\x80\xe1\x86\xa7x@b.org", NULL},
	{"U+11A7 between parts that compose",
		"\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa7" E_COMBINED "@b.org",
	"\xea\xb0\x80\xe1\x86\xa7" D4 "@b.org"},
	{"composition exclusion decomposes", "\xe0\xa5\x98@b.org",
	"\xe0\xa4\x95\xe0\xa4\xbc@b.org"},
	{"marks take their order", "a\xcc\x81\xcc\xa3@b.org",
	"\xe1\xba\xa1\xcc\x81@b.org"},

	/* 4. ASCII domain */
	{"lower-case domain", "a@B.ORG", "a@b.org"},
	{"digits and inner hyphens", "a@1-2.b--c.org", NULL},
	{"digits as a label", "a@1.2.org", NULL},
	{"label of 63", "a@" A63 ".org", NULL},
	{"two labels", "a@b.co", NULL},
	{"last label of two", "a@b.de", NULL},
	{"last label of 63", "a@b." A63, NULL},
	{"last label an A-label", "a@b.xn--p1ai", NULL},
	{"last A-label in capitals", "a@b.XN--P1AI", "a@b.xn--p1ai"},
	{"A-labels are opaque", "a@xn--ls8h.org", NULL},
	{"even invalid A-labels", "a@xn--99999999.org", NULL},
	{"and transitional ones", "a@xn--strae-oqa.de", NULL},
	{".test", "a@b.test", NULL},
	{".invalid", "a@b.invalid", NULL},
	{".local", "a@b.local", NULL},

	/* 6. At most 254 octets in canonical form */
	{"254 octets",
	"a@" A63 "." A63 "." A63 "." A10 A10 A10 A10 A10 "aaaaaa.org", NULL},
	{"254 octets, local 64",
	A63 "b@" A63 "." A63 "." A10 A10 A10 A10 A10 "aaaaaaa.org", NULL},

#ifdef USE_ICU
	/* 5. Non-ASCII domain */
	{"U-label", "a@b\xc3\xbc" "cher.de", "a@xn--bcher-kva.de"},
	{"lower-case first", "a@B\xc3\x9c" "CHER.DE", "a@xn--bcher-kva.de"},
	{"decomposed", "a@bu\xcc\x88" "cher.de", "a@xn--bcher-kva.de"},
	{"non-transitional: sharp s", "a@stra\xc3\x9f" "e.de",
	"a@xn--strae-oqa.de"},
	{"fixed table first: capital sharp s", "a@STRA\xe1\xba\x9e" "E.de",
	"a@xn--strae-oqa.de"},
	{"non-transitional: final sigma", "a@\xcf\x82.gr", "a@xn--3xa.gr"},
	{"ContextJ: ZWNJ where it joins", "a@\xd9\x86\xd8\xa7\xd9\x85\xd9\x87\xe2\x80\x8c\xd8\xa7\xdb\x8c.org",
	"a@xn--mgba3gch31f060k.org"},
	{"ContextO: Catalan middle dot", "a@col\xc2\xb7lecci\xc3\xb3.cat",
	"a@xn--collecci-ioa91d.cat"},
	{"ContextO: katakana middle dot", "a@\xe3\x82\xa2\xe3\x83\xbb\xe3\x82\xa4.jp",
	"a@xn--ccke4x.jp"},
	{"hyphens in U-labels", "a@b\xc3\xbc-cher.de", "a@xn--b-cher-3ya.de"},
	{"top level in Unicode", "a@\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84",
	"a@xn--e1afmkfd.xn--p1ai"},
	{"bidi: Hebrew", "a@\xd7\x90\xd7\x91.org", "a@xn--4dbc.org"},
	{"ideographic full stop", "a@b\xe3\x80\x82org", "a@b.org"},
	{"full-width full stop", "a@b\xef\xbc\x8eorg", "a@b.org"},
	{"half-width full stop", "a@b\xef\xbd\xa1org", "a@b.org"},
	{"full-width letters", "a@\xef\xbc\xa2.org", "a@b.org"},
	{"A-label beside a U-label", "a@xn--bcher-kva.b\xc3\xbc" "cher.de",
	"a@xn--bcher-kva.xn--bcher-kva.de"},
	{"Cherokee is upper case in IDNA2008", "a@\xea\xad\xb0\xe1\x8e\xa0.org",
	"a@xn--58da.org"},
	{"Arabic-Indic digits alone", "a@\xd8\xa7\xd9\xa0.org",
	"a@xn--mgb8i.org"},
	{"both parts", "\xc3\x96@\xc3\x96.de", "\xc3\xb6@xn--nda.de"},
#endif
};

static const Refused refused[] =
{
	/* 1. Trim, empty, one @ */
	{"empty", "", EMAIL_EMPTY},
	{"white space only", " \t\n", EMAIL_EMPTY},
	{"trims nothing else: no-break space", "\xc2\xa0" "a@b.org",
	EMAIL_LOCAL_UNSAFE},
	{"white space before @", "a @b.org", EMAIL_LOCAL_CHARACTER},
	{"white space behind @", "a@ b.org", EMAIL_DOMAIN_CHARACTER},
	{"no @", "b.org", EMAIL_NO_AT},
	{"two @", "a@b@c.org", EMAIL_SEVERAL_AT},
	{"@@", "a@@b.org", EMAIL_SEVERAL_AT},
	{"full-width @ is none", "a\xef\xbc\xa0" "b.org", EMAIL_NO_AT},

	/* 2. Local part */
	{"nothing before @", "@b.org", EMAIL_LOCAL_EMPTY},
	{"leading dot", ".a@b.org", EMAIL_LOCAL_DOT},
	{"trailing dot", "a.@b.org", EMAIL_LOCAL_DOT},
	{"double dot", "a..b@b.org", EMAIL_LOCAL_DOT},
	{"dot only", ".@b.org", EMAIL_LOCAL_DOT},
	{"leading dot, non-ASCII", "." D4 "@b.org", EMAIL_LOCAL_DOT},
	{"trailing dot, non-ASCII", D4 ".@b.org", EMAIL_LOCAL_DOT},
	{"double dot, non-ASCII", D4 "..a@b.org", EMAIL_LOCAL_DOT},
	{"65 octets", A63 "bb@b.org", EMAIL_LOCAL_TOO_LONG},
	{"66 octets in 33 characters", D10 D10 D10 D4 D4 D4 "@b.org",
	EMAIL_LOCAL_TOO_LONG},
	{"typed 64 octets, canonical more",
	D10 D10 D10 D4 "\xc8\xba@b.org", EMAIL_LOCAL_TOO_LONG},
	{"non-ASCII beyond octet 64", A63 "bb" D4 "@b.org",
	EMAIL_LOCAL_TOO_LONG},
	{"more code points than can shrink to 64 octets",
		I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 I3 "@b.org",
	EMAIL_LOCAL_TOO_LONG},
	{"quoted string", "\"a\"@b.org", EMAIL_LOCAL_CHARACTER},
	{"quoted pair", "a\\b@b.org", EMAIL_LOCAL_CHARACTER},
	{"comment", "a(c)@b.org", EMAIL_LOCAL_CHARACTER},
	{"display name", "A B <a@b.org", EMAIL_LOCAL_CHARACTER},
	{"display name in brackets", "A <a@b.org>", EMAIL_LOCAL_CHARACTER},
	{"comma", "a,b@b.org", EMAIL_LOCAL_CHARACTER},
	{"semicolon", "a;b@b.org", EMAIL_LOCAL_CHARACTER},
	{"colon (mailto)", "mailto:a@b.org", EMAIL_LOCAL_CHARACTER},
	{"bracket", "a[b@b.org", EMAIL_LOCAL_CHARACTER},
	{"control", "a\x01@b.org", EMAIL_LOCAL_CHARACTER},
	{"delete", "a\x7f@b.org", EMAIL_LOCAL_CHARACTER},
	{"composes to a semicolon", "a\xcd\xbe@b.org", EMAIL_LOCAL_CHARACTER},
	{"C1 control", "a\xc2\x80@b.org", EMAIL_LOCAL_UNSAFE},
	{"soft hyphen", "a\xc2\xad@b.org", EMAIL_LOCAL_UNSAFE},
	{"zero width space", "a\xe2\x80\x8b@b.org", EMAIL_LOCAL_UNSAFE},
	{"right-to-left override", "a\xe2\x80\xae@b.org", EMAIL_LOCAL_UNSAFE},
	{"variation selector", "a\xef\xb8\x8f@b.org", EMAIL_LOCAL_UNSAFE},
	{"byte order mark", "\xef\xbb\xbf" "a@b.org", EMAIL_LOCAL_UNSAFE},
	{"private use", "a\xee\x80\x80@b.org", EMAIL_LOCAL_UNSAFE},
	{"noncharacter U+FFFE", "a\xef\xbf\xbe@b.org", EMAIL_LOCAL_UNSAFE},
	{"noncharacter U+1FFFF", "a\xf0\x9f\xbf\xbf@b.org", EMAIL_LOCAL_UNSAFE},
	{"noncharacter U+FDD0", "a\xef\xb7\x90@b.org", EMAIL_LOCAL_UNSAFE},
	{"tag", "a\xf3\xa0\x81\xa1@b.org", EMAIL_LOCAL_UNSAFE},
	{"replacement character", "a\xef\xbf\xbd@b.org", EMAIL_LOCAL_UNSAFE},
	{"Hangul filler", "a\xe3\x85\xa4@b.org", EMAIL_LOCAL_UNSAFE},
	{"leading ZWNJ", "\xe2\x80\x8c" "a@b.org", EMAIL_LOCAL_UNSAFE},
	{"leading ZWJ", "\xe2\x80\x8d" "a@b.org", EMAIL_LOCAL_UNSAFE},
	{"leading U+0300", "\xcc\x80" "a@b.org", EMAIL_LOCAL_UNSAFE},
	{"leading U+036F", "\xcd\xaf" "a@b.org", EMAIL_LOCAL_UNSAFE},
	{"a mark that NFC puts first", "\xd6\x91\xcc\xb4@b.org",
	EMAIL_LOCAL_UNSAFE},
	{"a mark that NFC puts second", "\xcc\x81\xd6\x91" "a@b.org",
	EMAIL_LOCAL_UNSAFE},
	{"unassigned", "a\xcd\xb8@b.org", EMAIL_LOCAL_UNASSIGNED},
	{"assigned in Unicode 15", "a\xf0\x91\xbc\x80@b.org",
	EMAIL_LOCAL_UNASSIGNED},
	{"malformed UTF-8", "a\x80@b.org", EMAIL_BAD_UTF8},
	{"cut UTF-8", "a\xc3@b.org", EMAIL_BAD_UTF8},
	{"overlong UTF-8", "a\xc0\xaf@b.org", EMAIL_BAD_UTF8},
	{"overlong in three", "a\xe0\x80\xaf@b.org", EMAIL_BAD_UTF8},
	{"overlong in four", "a\xf0\x80\x80\xaf@b.org", EMAIL_BAD_UTF8},
	{"surrogate", "a\xed\xa0\x80@b.org", EMAIL_BAD_UTF8},
	{"beyond Unicode", "a\xf4\x90\x80\x80@b.org", EMAIL_BAD_UTF8},

	/* 4. Domain */
	{"nothing behind @", "a@", EMAIL_DOMAIN_EMPTY},
	{"single label", "a@localhost", EMAIL_DOMAIN_SINGLE_LABEL},
	{"trailing dot", "a@b.org.", EMAIL_DOMAIN_LABEL},
	{"leading dot in domain", "a@.b.org", EMAIL_DOMAIN_LABEL},
	{"double dot in domain", "a@b..org", EMAIL_DOMAIN_LABEL},
	{"dot only", "a@.", EMAIL_DOMAIN_LABEL},
	{"leading hyphen", "a@-b.org", EMAIL_DOMAIN_LABEL},
	{"trailing hyphen", "a@b-.org", EMAIL_DOMAIN_LABEL},
	{"leading hyphen, last label", "a@b.-org", EMAIL_DOMAIN_LABEL},
	{"trailing hyphen, last label", "a@b.org-", EMAIL_DOMAIN_LABEL},
	{"label of 64", "a@" A63 "a.org", EMAIL_DOMAIN_LABEL},
	{"last label of 64", "a@b." A63 "a", EMAIL_DOMAIN_LABEL},
	{"underscore", "a@b_c.org", EMAIL_DOMAIN_CHARACTER},
	{"space", "a@b c.org", EMAIL_DOMAIN_CHARACTER},
	{"slash", "a@b/c.org", EMAIL_DOMAIN_CHARACTER},
	{"port", "a@b.org:25", EMAIL_DOMAIN_CHARACTER},
	{"comment", "a@b.org(c)", EMAIL_DOMAIN_CHARACTER},
	{"bracket at the end", "a@b.org>", EMAIL_DOMAIN_CHARACTER},
	{"address literal", "a@[127.0.0.1]", EMAIL_DOMAIN_LITERAL},
	{"address literal IPv6", "a@[IPv6:::1]", EMAIL_DOMAIN_LITERAL},
	{"bare address", "a@127.0.0.1", EMAIL_DOMAIN_LAST_LABEL},
	{"last label of one", "a@b.c", EMAIL_DOMAIN_LAST_LABEL},
	{"last label with a digit", "a@b.c1", EMAIL_DOMAIN_LAST_LABEL},
	{"last label with a hyphen", "a@b.c-d", EMAIL_DOMAIN_LAST_LABEL},
	{"last label xn--", "a@b.xn--", EMAIL_DOMAIN_LABEL},
	{"last label xn-", "a@b.xn-a", EMAIL_DOMAIN_LAST_LABEL},
	{"domain of 254",
		"a@" A63 "." A63 "." A63 "." A10 A10 A10 A10 A10 "aaaaaaaa.org",
	EMAIL_DOMAIN_TOO_LONG},

	/* 6. The whole */
	{"255 octets",
		"aa@" A63 "." A63 "." A63 "." A10 A10 A10 A10 A10 "aaaaaa.org",
	EMAIL_TOO_LONG},
	{"domain of 253",
		"a@" A63 "." A63 "." A63 "." A10 A10 A10 A10 A10 "aaaaaaa.org",
	EMAIL_TOO_LONG},

#ifdef USE_ICU
	/* 5. Non-ASCII domain */
	{"trims nothing else: no-break space behind", "a@b.org\xc2\xa0",
	EMAIL_DOMAIN_IDNA},
	{"cut UTF-8 at the end", "a@b.\xc3", EMAIL_BAD_UTF8},
	{"malformed UTF-8 in domain", "a@b\xff.org", EMAIL_BAD_UTF8},
	{"assigned in Unicode 15", "a@\xf0\xb1\x8d\x90.org", EMAIL_DOMAIN_IDNA},
	{"symbol", "a@\xe2\x99\xa5.org", EMAIL_DOMAIN_IDNA},
	{"emoji", "a@\xf0\x9f\x92\xa9.org", EMAIL_DOMAIN_IDNA},
	{"currency", "a@\xe2\x82\xac.org", EMAIL_DOMAIN_IDNA},
	{"letter number", "a@\xe2\x86\x82.org", EMAIL_DOMAIN_IDNA},
	{"tatweel", "a@\xd8\xa7\xd9\x80\xd8\xa7.org", EMAIL_DOMAIN_IDNA},
	{"conjoining jamo", "a@\xe1\x84\x80.org", EMAIL_DOMAIN_IDNA},
	{"soft hyphen is not deleted", "a@b\xc2\xad" "c.org", EMAIL_DOMAIN_IDNA},
	{"zero width space is not deleted", "a@b\xe2\x80\x8b.org",
	EMAIL_DOMAIN_IDNA},
	{"variation selector is not deleted", "a@\xc3\xbc\xef\xb8\x8f.org",
	EMAIL_DOMAIN_IDNA},
	{"STD3: underscore", "a@\xc3\xbc_.org", EMAIL_DOMAIN_IDNA},
	{"STD3: maps to a slash", "a@\xe2\x84\x80.org", EMAIL_DOMAIN_IDNA},
	{"full-width @", "a@b\xef\xbc\xa0" "c.org", EMAIL_DOMAIN_IDNA},
	{"bidi: Latin behind Hebrew", "a@\xd7\x90" "a.org", EMAIL_DOMAIN_IDNA},
	{"bidi: digit first", "a@1\xd7\x90.org", EMAIL_DOMAIN_IDNA},
	{"ContextJ: ZWJ between Latin", "a@a\xe2\x80\x8d" "b.org",
	EMAIL_DOMAIN_IDNA},
	{"ContextO: middle dot elsewhere", "a@a\xc2\xb7" "b.org",
	EMAIL_DOMAIN_IDNA},
	{"ContextO: digits mixed", "a@\xd8\xa7\xd9\xa0\xdb\xb0.org",
	EMAIL_DOMAIN_IDNA},
	{"leading mark", "a@\xcc\x88" "b.org", EMAIL_DOMAIN_IDNA},
	{"invalid A-label beside", "a@xn--99999999.b\xc3\xbc.de",
	EMAIL_DOMAIN_IDNA},
	{"leading hyphen", "a@-\xc3\xbc.org", EMAIL_DOMAIN_LABEL},
	{"trailing hyphen", "a@\xc3\xbc-.org", EMAIL_DOMAIN_LABEL},
	{"empty label", "a@\xc3\xbc..org", EMAIL_DOMAIN_LABEL},
	{"trailing dot", "a@\xc3\xbc.org.", EMAIL_DOMAIN_LABEL},
	{"trailing ideographic full stop", "a@b.org\xe3\x80\x82",
	EMAIL_DOMAIN_LABEL},
	{"single label", "a@\xc3\xbc", EMAIL_DOMAIN_SINGLE_LABEL},
	{"becomes a number as last label", "a@b.\xef\xbc\x91\xef\xbc\x92",
	EMAIL_DOMAIN_LAST_LABEL},
	{"becomes one letter as last label", "a@b.\xef\xbd\x83",
	EMAIL_DOMAIN_LAST_LABEL},
	{"literal", "a@[\xc3\xbc]", EMAIL_DOMAIN_LITERAL},
	{"label too long", "a@" D10 D10 D10 D10 D10 D10 D10 ".org",
	EMAIL_DOMAIN_LABEL},
	{"domain of more code points than can shrink to 253 octets",
		"a@" D100 D100 D100 D100 D100 D100 D100 D100 D100 D100 D100 ".org",
	EMAIL_DOMAIN_TOO_LONG},
	{"domain too long", "a@" A60 "." A60 "." A60 "." A60 "." D10 ".org",
	EMAIL_DOMAIN_TOO_LONG},
#else
	{"non-ASCII domain without ICU", "a@b\xc3\xbc.org", EMAIL_DOMAIN_NO_IDNA},
#endif
};

/* Mailbox keys and display forms: text in, text out. */
static const Accepted mailbox_keys[] =
{
	{"nothing to fold", "a.b@c.org", NULL},
	{"plus tag", "a.b+tag@c.org", "a.b@c.org"},
	{"first plus counts", "a+b+c@c.org", "a@c.org"},
	{"plus alone in front is kept", "+a@c.org", NULL},
	{"empty tag", "a+@c.org", "a@c.org"},
	{"dots of gmail.com", "a.b.c@gmail.com", "abc@gmail.com"},
	{"googlemail.com is gmail.com", "a.b+x@googlemail.com", "ab@gmail.com"},
	{"a subdomain is another", "a.b@x.gmail.com", NULL},
	{"a longer name is another", "a.b@gmail.com.org", NULL},
	{"non-ASCII", D4 "+x@gmail.com", D4 "@gmail.com"},
};

static const Accepted displays[] =
{
	{"ASCII", "b.org", NULL},
	{"odd hyphens", "ab--cd.org", NULL},
	{"an A-label that means nothing", "xn--99999999.org", NULL},
	{"an A-label that would not be taken in", "xn--ls8h.org", NULL},
#ifdef USE_ICU
	{"U-label", "xn--bcher-kva.de", "b\xc3\xbc" "cher.de"},
	{"sharp s", "xn--strae-oqa.de", "stra\xc3\x9f" "e.de"},
	{"all labels", "xn--e1afmkfd.xn--p1ai",
	"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84"},
	{"one good, one bad: as it is", "xn--bcher-kva.xn--ls8h.de", NULL},
#endif
};

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

/* Parse a copy that ends where memory checkers watch. */
static EmailError
parse_copy(const char *in, size_t len, bool allow_utf8, char *out,
		   size_t *out_length)
{
	char	   *copy = malloc(len > 0 ? len : 1);
	EmailError	error;

	if (copy == NULL)
		abort();
	memcpy(copy, in, len);
	error = email_parse(copy, len, allow_utf8, out, out_length);
	free(copy);
	return error;
}

/* Accepted: canonical form, length, and it re-enters unchanged. */
static void
check_accepted(const Accepted *test)
{
	const char *canonical = test->canonical ? test->canonical : test->in;
	char		out[EMAIL_MAX_LENGTH + 1] = "";
	char		again[EMAIL_MAX_LENGTH + 1] = "";
	size_t		n = 0;
	EmailError	error;

	error = parse_copy(test->in, strlen(test->in), true, out, &n);
	check(error == EMAIL_OK, test->rule, test->in,
		  email_error_detail(error));
	check(strcmp(out, canonical) == 0, test->rule, test->in, out);
	check(n == strlen(canonical), test->rule, test->in, "a wrong length");
	error = parse_copy(out, n, true, again, &n);
	check(error == EMAIL_OK && strcmp(again, out) == 0, test->rule, out,
		  again);
}

static void
check_refused(const Refused *test)
{
	char		out[EMAIL_MAX_LENGTH + 1];
	size_t		n;
	EmailError	error;

	error = parse_copy(test->in, strlen(test->in), true, out, &n);
	check(error == test->error, test->rule, test->in,
		  email_error_detail(error));
}

/* A zero byte is a character like others: refused, in both parts. */
static void
check_zero_bytes(void)
{
	char		out[EMAIL_MAX_LENGTH + 1];
	size_t		n;

	check(parse_copy("a\0b@c.org", 9, true, out, &n) == EMAIL_LOCAL_CHARACTER,
		  "zero byte in local part", "a", "another result");
	check(parse_copy("a@b\0c.org", 9, true, out, &n) ==
		  EMAIL_DOMAIN_CHARACTER,
		  "zero byte in domain", "a@b", "another result");
	check(parse_copy("a@c.org\0", 8, true, out, &n) == EMAIL_DOMAIN_CHARACTER,
		  "zero byte at the end", "a@c.org", "another result");
}

/* A database that is not UTF8 takes ASCII only. */
static void
check_not_utf8(void)
{
	static const char *const texts[] = {D4 "@b.org", "a@b\xc3\xbc.org",
	"\xff@b.org", A63 "bb" D4 "@b.org"};
	char		out[EMAIL_MAX_LENGTH + 1];
	size_t		n;
	size_t		i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(parse_copy(texts[i], strlen(texts[i]), false, out, &n) ==
			  EMAIL_NOT_ASCII, "not UTF8", texts[i], "another result");
	check(parse_copy("A@B.org", 7, false, out, &n) == EMAIL_OK &&
		  strcmp(out, "a@b.org") == 0, "not UTF8", "A@B.org", out);
}

/* Every error has a sentence of its own, every code point is bounded. */
static void
check_details(void)
{
	int			i;
	int			j;

	for (i = EMAIL_EMPTY; i <= EMAIL_NOT_ASCII; i++)
	{
		const char *detail = email_error_detail((EmailError) i);

		check(detail[strlen(detail) - 1] == '.', "detail is a sentence",
			  detail, "no full stop");
		for (j = EMAIL_OK; j < i; j++)
			check(strcmp(detail, email_error_detail((EmailError) j)) != 0,
				  "detail names its rule", detail, "used twice");
	}
}

static void
check_mailbox_key(const Accepted *test)
{
	const char *key = test->canonical ? test->canonical : test->in;
	char		out[EMAIL_MAX_LENGTH + 1];
	size_t		n;

	email_mailbox_key(test->in, strlen(test->in), out, &n);
	check(strcmp(out, key) == 0 && n == strlen(key), test->rule, test->in,
		  out);
}

static void
check_display(const Accepted *test)
{
	const char *display = test->canonical ? test->canonical : test->in;
	char		out[IDNA_MAX_DISPLAY + 1];
	size_t		n;

	idna_to_display(test->in, strlen(test->in), out, &n);
	check(strcmp(out, display) == 0 && n == strlen(display), test->rule,
		  test->in, out);
}

/* The canonical form of each line of standard input. */
static int
print_canonical(void)
{
	char		line[4096];

	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		char		out[EMAIL_MAX_LENGTH + 1];
		size_t		n;
		EmailError	error;

		error = parse_copy(line, strcspn(line, "\n"), true, out, &n);
		if (error == EMAIL_OK)
			puts(out);
		else
			printf("!%d\n", (int) error);
	}
	return 0;
}

#define for_each(table, function) \
	for (i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
		function(&(table)[i])

int
main(int argc, char **argv)
{
	size_t		i;

	if (argc == 2 && strcmp(argv[1], "canonical") == 0)
		return print_canonical();
	for_each(accepted, check_accepted);
	for_each(refused, check_refused);
	for_each(mailbox_keys, check_mailbox_key);
	for_each(displays, check_display);
	check_zero_bytes();
	check_not_utf8();
	check_details();
	printf("email: %d checks, %d failures\n", checks, failures);
	return failures == 0 ? 0 : 1;
}
