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

CREATE FUNCTION contacts.set_exclusive(directory text, semantic_type text, exclusive boolean)
	RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.set_exclusive(text, text, boolean) IS 'makes values of a kind identify at most one contact, or lets them be shared (rule I2); for the owner; 23505 with a value that several contacts hold, 22023 for an unknown kind or a shared email';

-- Helpers of a directory's functions.  They check the caller's rights on the
-- directory's tables themselves.

CREATE FUNCTION contacts.only_contact(ids bigint[]) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.only_contact(bigint[]) IS 'the one element, NULL if there is none, P0003 if there are several';

CREATE FUNCTION contacts.existing_contact(id bigint) RETURNS bigint
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.existing_contact(bigint) IS 'its argument, P0002 if that is NULL';

CREATE FUNCTION contacts.address_key(identifier regclass, address text) RETURNS uuid
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.address_key(regclass, text) IS 'the key of an email address (with an @) or phone number in the directory of that table; NULL if it is neither; 42501 without SELECT on its column key';

CREATE FUNCTION contacts.address_state(identifier regclass, address text) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.address_state(regclass, text) IS 'the consent state of an address in the directory of that table, for who may read its columns key and status, row security or not; NULL if it is no address';

CREATE FUNCTION contacts.lock_holder(identifier regclass, id bigint) RETURNS bigint
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.lock_holder(regclass, bigint) IS 'locks the contact that holds the identifier and returns the identifier''s id; P0002 if nobody holds it; needs UPDATE on the table';

CREATE FUNCTION contacts.promote_identifier(identifier regclass, id bigint) RETURNS bigint
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.promote_identifier(regclass, bigint) IS 'makes the identifier the main one of its kind and returns its contact (rule I4); P0002 if nobody holds it; needs UPDATE on the table or its column slug';

CREATE FUNCTION contacts.change_consent(identifier regclass, addresses text[], state text,
	reason text, source text DEFAULT NULL, evidence jsonb DEFAULT NULL)
	RETURNS integer
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.change_consent(regclass, text[], text, text, text, jsonb) IS 'changes the consent state of addresses, held or not, and returns how many distinct ones there were (rules C2, C3, C5, C7); needs UPDATE on identifier.status (C9)';
