-- The trigger functions of relationship, and the helpers of its functions.

CREATE FUNCTION contacts.relationship_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_derive() IS 'BEFORE INSERT OR UPDATE on relationship: copies what the type says, refuses what it cannot lead to (rule R1)';

CREATE FUNCTION contacts.relationship_mirror() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_mirror() IS 'AFTER INSERT on relationship, set-based: links between contacts get their mirrors (rule R2)';

CREATE FUNCTION contacts.relationship_change() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_change() IS 'AFTER UPDATE OR DELETE on relationship: the other row of a link follows (rule R2)';

REVOKE EXECUTE ON FUNCTION contacts.relationship_derive(), contacts.relationship_mirror(),
	contacts.relationship_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts.relationship_derive(), contacts.relationship_mirror(),
	contacts.relationship_change() TO @extowner@;
