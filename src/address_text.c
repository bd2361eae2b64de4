/*-------------------------------------------------------------------------
 *
 * address_text.c
 *	  what the types email and phone share: storage and comparison
 *
 * A stored address is its canonical text in a varlena, so that two addresses
 * are the same if and only if their bytes are.  Between themselves they are
 * compared, sorted and hashed by the server's own functions of bytea.  What
 * else stands here compares an address with a text, which is what drivers
 * send: the text counts as its canonical form, or as its raw bytes where it is
 * no address.
 *
 * Both sides are thus mapped to byte strings and these are compared, so that
 * the order is one total order over addresses and texts together, as an
 * operator family must have it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "port/pg_bswap.h"
#include "utils/fmgrprotos.h"
#include "utils/sortsupport.h"

#include "address_text.h"
#include "compat.h"

/*
 * The text's canonical form, or its raw bytes if it is no address; *length is
 * set.  The answer lives until the next call with the same memo.
 *
 * A descent of an index compares one text with a key on every level, and a
 * nested loop or a hash join asks for the same text several times in a row:
 * the memo spares reading it again.  It stands in static memory, because an
 * index scan allocates its function calls anew for every look-up.
 */
static inline const char *
read_text(AddressKind *kind, AddressMemo *memo, struct varlena *value,
		  size_t *length)
{
	const char *raw = VARDATA_ANY(value);
	size_t		raw_length = VARSIZE_ANY_EXHDR(value);

	if (raw_length != memo->raw_length || raw_length == 0 ||
		memcmp(raw, memo->raw, raw_length) != 0)
	{
		memo->is_address = kind->read(raw, raw_length, memo->canonical,
									  &memo->length);
		memo->raw_length = 0;
		if (raw_length <= ADDRESS_MEMO_LENGTH)
		{
			memcpy(memo->raw, raw, raw_length);
			memo->raw_length = raw_length;
		}
	}
	*length = memo->is_address ? memo->length : raw_length;
	return memo->is_address ? memo->canonical : raw;
}

/* The bytes that an operand compares as: an address is canonical already. */
static inline const char *
read_operand(AddressKind *kind, int side, bool is_text, struct varlena *value,
			 size_t *length)
{
	if (is_text)
		return read_text(kind, &kind->memo[side], value, length);
	*length = VARSIZE_ANY_EXHDR(value);
	return VARDATA_ANY(value);
}

/* Bytewise order, a prefix first; like byteacmp. */
static inline int
compare_bytes(const char *left, size_t left_length,
			  const char *right, size_t right_length)
{
	int			order = memcmp(left, right, Min(left_length, right_length));

	if (order != 0)
		return order;
	return (left_length > right_length) - (left_length < right_length);
}

/* Order of two operands that are detoasted. */
static inline int
compare_operands(AddressKind *kind,
				 struct varlena *left, bool left_is_text,
				 struct varlena *right, bool right_is_text)
{
	size_t		left_length;
	size_t		right_length;
	const char *left_bytes = read_operand(kind, 0, left_is_text, left,
										  &left_length);
	const char *right_bytes = read_operand(kind, 1, right_is_text, right,
										   &right_length);

	return compare_bytes(left_bytes, left_length, right_bytes, right_length);
}

/* A stored address of these bytes, which the caller knows to be canonical. */
struct varlena *
address_make(const char *bytes, size_t length)
{
	struct varlena *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	return result;
}

/*
 * Order of the two arguments of an SQL function: negative, 0 or positive.
 * Raises no error, and leaves no memory behind (index code calls it).
 */
int
address_compare(FunctionCallInfo fcinfo, AddressKind *kind,
				bool left_is_text, bool right_is_text)
{
	struct varlena *left = PG_GETARG_VARLENA_PP(0);
	struct varlena *right = PG_GETARG_VARLENA_PP(1);
	int			order = compare_operands(kind, left, left_is_text,
										 right, right_is_text);

	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	return order;
}

/* Hash of a text: that of the address it reads as (see hashvarlena). */
Datum
address_hash(FunctionCallInfo fcinfo, AddressKind *kind)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	size_t		length;
	const char *bytes = read_text(kind, &kind->memo[1], value, &length);
	Datum		result = hash_any((const unsigned char *) bytes,
								  (int) length);

	PG_FREE_IF_COPY(value, 0);
	return result;
}

/* The same with a seed (see hashvarlenaextended). */
Datum
address_hash_extended(FunctionCallInfo fcinfo, AddressKind *kind)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	size_t		length;
	const char *bytes = read_text(kind, &kind->memo[1], value, &length);
	Datum		result = hash_any_extended((const unsigned char *) bytes,
										   (int) length, PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	return result;
}

/* Full comparison of two texts in a sort. */
static int
sort_compare(Datum left, Datum right, SortSupport ssup)
{
	struct varlena *left_value = PG_DETOAST_DATUM_PACKED(left);
	struct varlena *right_value = PG_DETOAST_DATUM_PACKED(right);
	int			order = compare_operands(ssup->ssup_extra, left_value, true,
										 right_value, true);

	if ((Pointer) left_value != DatumGetPointer(left))
		pfree(left_value);
	if ((Pointer) right_value != DatumGetPointer(right))
		pfree(right_value);
	return order;
}

/* A text's first bytes as an integer in the order of bytes. */
static Datum
sort_abbreviate(Datum original, SortSupport ssup)
{
	AddressKind *kind = ssup->ssup_extra;
	struct varlena *value = PG_DETOAST_DATUM_PACKED(original);
	size_t		length;
	const char *bytes = read_text(kind, &kind->memo[0], value, &length);
	Datum		result = 0;

	memcpy(&result, bytes, Min(length, sizeof(Datum)));
	if ((Pointer) value != DatumGetPointer(original))
		pfree(value);
	return DatumBigEndianToNative(result);
}

/*
 * Abbreviation is never given up: one full comparison reads two texts, as
 * much work as abbreviating both.
 */
static bool
sort_abort(int memtupcount, SortSupport ssup)
{
	return false;
}

/* Sort support of (text, text): reads each text once, not at every step. */
Datum
address_sortsupport(FunctionCallInfo fcinfo, AddressKind *kind)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->ssup_extra = kind;
	ssup->comparator = sort_compare;
	if (ssup->abbreviate)
	{
		ssup->comparator = ssup_datum_unsigned_cmp;
		ssup->abbrev_converter = sort_abbreviate;
		ssup->abbrev_abort = sort_abort;
		ssup->abbrev_full_comparator = sort_compare;
	}
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(address_to_text);
PG_FUNCTION_INFO_V1(address_smaller);
PG_FUNCTION_INFO_V1(address_larger);

/* The cast to text: the same bytes. */
Datum
address_to_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* The lesser of two addresses of one type, for min(). */
Datum
address_smaller(PG_FUNCTION_ARGS)
{
	int			order = address_compare(fcinfo, NULL, false, false);

	PG_RETURN_DATUM(order <= 0 ? PG_GETARG_DATUM(0) : PG_GETARG_DATUM(1));
}

/* The greater of two addresses of one type, for max(). */
Datum
address_larger(PG_FUNCTION_ARGS)
{
	int			order = address_compare(fcinfo, NULL, false, false);

	PG_RETURN_DATUM(order >= 0 ? PG_GETARG_DATUM(0) : PG_GETARG_DATUM(1));
}

/*
 * The server's own functions under names of ours.  As LANGUAGE internal they
 * would be searched for by name among all that the server has, whenever a
 * statement starts: a third of the time of a look-up by index.
 */
#define ADDRESS_BUILTIN(function, builtin) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		return builtin(fcinfo); \
	} \
	extern Datum function(PG_FUNCTION_ARGS)

ADDRESS_BUILTIN(address_out, textout);
ADDRESS_BUILTIN(address_send, textsend);
ADDRESS_BUILTIN(address_eq, byteaeq);
ADDRESS_BUILTIN(address_ne, byteane);
ADDRESS_BUILTIN(address_lt, bytealt);
ADDRESS_BUILTIN(address_le, byteale);
ADDRESS_BUILTIN(address_gt, byteagt);
ADDRESS_BUILTIN(address_ge, byteage);
ADDRESS_BUILTIN(address_cmp, byteacmp);
ADDRESS_BUILTIN(address_hash_bytes, hashvarlena);
ADDRESS_BUILTIN(address_hash_bytes_extended, hashvarlenaextended);
