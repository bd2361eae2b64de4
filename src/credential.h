/*-------------------------------------------------------------------------
 *
 * credential.h
 *	  password verifiers
 *
 *-------------------------------------------------------------------------
 */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include "utils/rel.h"

extern void check_verifier(Datum value, Relation rel);

#endif							/* CREDENTIAL_H */
