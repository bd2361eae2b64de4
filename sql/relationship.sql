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

CREATE FUNCTION contacts.relationship_lock() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_lock() IS 'BEFORE DELETE on contact: locks its links in the order of their ids, before the foreign keys delete them in any order (rule R2)';

CREATE FUNCTION contacts.make_link(relationship regclass, type text, contact_id bigint,
	target_id bigint, target_uuid uuid, started_on date, ended_on date, note text, is_primary boolean)
	RETURNS bigint
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.make_link(regclass, text, bigint, bigint, uuid, date, date, text, boolean) IS 'makes a link in that table, as the caller, and returns the id of its row on the contact''s side; what is there is kept (rule R2); P0002 for an unknown type';
