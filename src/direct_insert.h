#ifndef DIRECT_INSERT_H
#define DIRECT_INSERT_H

#include "claim.h"

extern bool can_insert_directly(Directory *dir);
extern int	insert_directly(Directory *dir, Claim *claims, int n);

#endif							/* DIRECT_INSERT_H */
