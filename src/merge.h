/*-------------------------------------------------------------------------
 *
 * merge.h
 *	  merging contacts
 *
 *-------------------------------------------------------------------------
 */
#ifndef MERGE_H
#define MERGE_H

extern void merge_init(void);

#endif							/* MERGE_H */
