/*-------------------------------------------------------------------------
 *
 * unicode_text.h
 *	  text as code points: UTF-8, lower case, normal form, refused ones
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNICODE_TEXT_H
#define UNICODE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_BAD_UTF8 ((size_t) -1)
#define TEXT_TOO_LONG ((size_t) -2)

#define TEXT_MAX 256			/* code points that text_compose() takes */

/* One character of NFC stands for at most so many code points of input. */
#define NFC_MAX_COMPOSED 4

/*
 * The code points of len bytes of UTF-8 and their number, or TEXT_BAD_UTF8
 * (also for overlong forms and surrogates), or TEXT_TOO_LONG for more than
 * capacity.
 */
extern size_t text_decode(const char *in, size_t len,
						  uint32_t *out, size_t capacity);

/* UTF-8 of n code points and its length, or TEXT_TOO_LONG; no zero added. */
extern size_t text_encode(const uint32_t *in, size_t n,
						  char *out, size_t capacity);

/* Lower case in place, code point by code point, by fixed tables. */
extern void text_lower(uint32_t *text, size_t n);

/*
 * Normal Form C of n (at most TEXT_MAX) code points and their number, or
 * TEXT_TOO_LONG.  Exact for code points that are assigned in Unicode 14, from
 * every server version.  The one place here that may allocate, and only where
 * the text is not in a common script.  in and out do not overlap.
 */
extern size_t text_compose(const uint32_t *in, size_t n,
						   uint32_t *out, size_t capacity);

/* Invisible, private or no character at all: data/unsafe_codepoints.tsv. */
extern bool text_is_unsafe(uint32_t code_point);

/* Its normal form may still change: data/unassigned_unicode14.tsv. */
extern bool text_is_unassigned(uint32_t code_point);

#endif							/* UNICODE_TEXT_H */
