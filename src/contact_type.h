#ifndef CONTACT_TYPE_H
#define CONTACT_TYPE_H

extern const char *contact_type_of(bool has_first_name, bool has_last_name,
								   bool mononym, bool is_vendor,
								   bool is_reachable, bool is_validated,
								   bool any_name);

#endif							/* CONTACT_TYPE_H */
