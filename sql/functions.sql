-- Functions over any directory or table, in C.

CREATE FUNCTION contacts.compute_type(
	first_name text, last_name text, mononym boolean, is_vendor boolean,
	is_reachable boolean, is_validated boolean, name_rule text DEFAULT 'both')
	RETURNS text
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.compute_type(text, text, boolean, boolean, boolean, boolean, text) IS 'the rule of contact_type (I6): vendor if is_vendor; ghost without a name or without a contactable identifier; lead if none of those is validated; else contact';

CREATE FUNCTION contacts.identifier_key(directory text, semantic_type text, value text)
	RETURNS uuid
	LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.identifier_key(text, text, text) IS 'the key of a value in a directory (rule I10), computed as its owner; NULL if the value is not well formed or NULL; 42501 without SELECT on identifier.key, 22023 for an unknown kind';
