-- Types of relationships and registered objects (rules R1, R3, R4): the trigger
-- functions, and what makes the rows of a table relatable.

CREATE FUNCTION contacts.relationship_type_lock() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_type_lock() IS 'BEFORE any change of relationship_type: those who write types wait for each other';

CREATE FUNCTION contacts.relationship_type_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_type_derive() IS 'BEFORE INSERT OR UPDATE on relationship_type: labels, the far side of symmetric types, the inverse; refuses what links forbid (rule R1)';

CREATE FUNCTION contacts.relationship_type_pair() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_type_pair() IS 'AFTER INSERT OR UPDATE on relationship_type: makes the inverse of a type, and carries changes over to it (rule R1)';
