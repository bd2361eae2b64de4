#ifndef CLAIM_INSERT_H
#define CLAIM_INSERT_H

#include "claim.h"

extern bool can_insert_claims(Directory *dir);
extern int	insert_claims_directly(Directory *dir, Claim *claims, int n);

#endif							/* CLAIM_INSERT_H */
