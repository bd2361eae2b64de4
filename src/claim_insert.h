#ifndef CLAIM_INSERT_H
#define CLAIM_INSERT_H

#include "claim.h"

/* A value that no row bears, and that none is to bear for a while. */
typedef struct Reservation
{
	Datum		value;			/* canonical, text */
	pg_uuid_t	key;
	bool		is_reserved;	/* false: there is a row */
} Reservation;

extern bool can_insert_claims(Directory *dir);
extern int	insert_claims_directly(Directory *dir, Claim *claims, int n);
extern void reserve_values(Directory *dir, const SemanticType *type,
						   Reservation *reservations, int n);

#endif							/* CLAIM_INSERT_H */
