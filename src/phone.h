/*-------------------------------------------------------------------------
 *
 * phone.h
 *	  the type contacts.phone
 *
 *-------------------------------------------------------------------------
 */
#ifndef PHONE_H
#define PHONE_H

/* Defines the setting contacts.default_region. */
extern void phone_init(void);

#endif							/* PHONE_H */
