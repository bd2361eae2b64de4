/*-------------------------------------------------------------------------
 *
 * address_text.h
 *	  what the types email and phone share: storage and comparison
 *
 *-------------------------------------------------------------------------
 */
#ifndef ADDRESS_TEXT_H
#define ADDRESS_TEXT_H

#include "fmgr.h"

#define ADDRESS_MAX_LENGTH 254	/* octets of a canonical address, any kind */
#define ADDRESS_MEMO_LENGTH 320 /* longer texts are not remembered */

/* The last text that was read, and what it compares as. */
typedef struct AddressMemo
{
	size_t		raw_length;		/* of the text; 0: nothing remembered */
	size_t		length;			/* of what it compares as */
	bool		is_address;		/* false: it compares as its raw bytes */
	char		raw[ADDRESS_MEMO_LENGTH];
	char		canonical[ADDRESS_MAX_LENGTH + 1];
} AddressMemo;

/*
 * A kind of address.  read() writes the canonical form of an address and
 * answers true, or answers false; it never raises an error (the operators are
 * LEAKPROOF), depends on nothing but its input, and reads a canonical form as
 * itself.
 */
typedef struct AddressKind
{
	bool		(*read) (const char *in, size_t length,
						 char *out, size_t *out_length);
	AddressMemo memo[2];		/* of the left and of the right operand */
} AddressKind;

extern struct varlena *address_make(const char *bytes, size_t length);
extern int	address_compare(FunctionCallInfo fcinfo, AddressKind *kind,
							bool left_is_text, bool right_is_text);
extern Datum address_hash(FunctionCallInfo fcinfo, AddressKind *kind);
extern Datum address_hash_extended(FunctionCallInfo fcinfo,
								   AddressKind *kind);
extern Datum address_sortsupport(FunctionCallInfo fcinfo, AddressKind *kind);

#define ADDRESS_OPERATOR(function, kind, left_is_text, right_is_text, test) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		int			order = address_compare(fcinfo, kind, left_is_text, \
											right_is_text); \
	\
		PG_RETURN_BOOL(order test 0); \
	} \
	extern Datum function(PG_FUNCTION_ARGS)

#define ADDRESS_ORDER(function, kind, left_is_text, right_is_text) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_INT32(address_compare(fcinfo, kind, left_is_text, \
										right_is_text)); \
	} \
	extern Datum function(PG_FUNCTION_ARGS)

#define ADDRESS_SUPPORT(function, kind, body) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		return body(fcinfo, kind); \
	} \
	extern Datum function(PG_FUNCTION_ARGS)

/* The six operators of one pair of operand types, and their order. */
#define ADDRESS_OPERATORS(prefix, kind, left_is_text, right_is_text) \
	ADDRESS_OPERATOR(prefix##_eq, kind, left_is_text, right_is_text, ==); \
	ADDRESS_OPERATOR(prefix##_ne, kind, left_is_text, right_is_text, !=); \
	ADDRESS_OPERATOR(prefix##_lt, kind, left_is_text, right_is_text, <); \
	ADDRESS_OPERATOR(prefix##_le, kind, left_is_text, right_is_text, <=); \
	ADDRESS_OPERATOR(prefix##_gt, kind, left_is_text, right_is_text, >); \
	ADDRESS_OPERATOR(prefix##_ge, kind, left_is_text, right_is_text, >=); \
	ADDRESS_ORDER(prefix##_cmp, kind, left_is_text, right_is_text)

/*
 * All that the operator families of a type need beside the server's own
 * functions: email_text_eq (email, text), text_email_eq (text, email),
 * email_texts_eq (text, text) and so on.
 */
#define ADDRESS_FAMILIES(type, kind) \
	ADDRESS_OPERATORS(type##_text, kind, false, true); \
	ADDRESS_OPERATORS(text_##type, kind, true, false); \
	ADDRESS_OPERATORS(type##_texts, kind, true, true); \
	ADDRESS_SUPPORT(type##_texts_sortsupport, kind, address_sortsupport); \
	ADDRESS_SUPPORT(type##_texts_hash, kind, address_hash); \
	ADDRESS_SUPPORT(type##_texts_hash_extended, kind, address_hash_extended)

#endif							/* ADDRESS_TEXT_H */
