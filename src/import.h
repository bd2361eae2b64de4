/*-------------------------------------------------------------------------
 *
 * import.h
 *	  the setting and the C helper of imports
 *
 *-------------------------------------------------------------------------
 */
#ifndef IMPORT_H
#define IMPORT_H

/* Defines the setting contacts.source. */
extern void import_init(void);

#endif							/* IMPORT_H */
