/*-------------------------------------------------------------------------
 *
 * folded_name.h
 *	  names as they are compared: without case, marks and punctuation
 *
 *-------------------------------------------------------------------------
 */
#ifndef FOLDED_NAME_H
#define FOLDED_NAME_H

#define NAME_MAX_WORDS 16

/* A name in words, zero-terminated; more than NAME_MAX_WORDS are one. */
typedef struct NameWords
{
	char	   *words[NAME_MAX_WORDS];
	int			nwords;
} NameWords;

/*
 * Fold len bytes of the database's encoding: words of lower case with one
 * space between them.  A copy in memory of the caller, zero-terminated.
 */
extern char *fold_name(const char *name, int len, bool keep_marks);

/* Split a folded name, in place, and add its words. */
extern void name_add_words(NameWords *name, char *folded);

/* The words in order, so that the order they were given in does not matter. */
extern void name_sort_words(NameWords *name);

/*
 * What the words sound like, roughly: consonants that are mixed up count as
 * one, vowels do not count, and neither does the order.
 */
extern char *name_sound(const NameWords *name);

#endif							/* FOLDED_NAME_H */
