#ifndef GUARD_H
#define GUARD_H

extern void guard_allow_exclusive(bool allow);

#endif							/* GUARD_H */
