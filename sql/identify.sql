-- Arriving and identity resolution.

CREATE FUNCTION contacts.credential_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.credential_derive() IS 'BEFORE INSERT OR UPDATE on credential: refuses what is no verifier, without repeating it; sets updated_at';

CREATE FUNCTION contacts.merge_suggestion_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.merge_suggestion_derive() IS 'BEFORE INSERT OR UPDATE on merge_suggestion: the lower id comes first';

CREATE FUNCTION contacts.identify_sets(identifier regclass, sets jsonb, source text, overwrite boolean)
	RETURNS TABLE (n bigint, contact_id bigint, outcome text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.identify_sets(regclass, jsonb, text, boolean) IS 'whom sets of identifiers belong to; what a directory''s identify() and identify_many() call';

CREATE FUNCTION contacts.touch(identifier regclass, token text) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.touch(regclass, text) IS 'notes that the contact with the token was seen; what a directory''s touch() calls';

CREATE FUNCTION contacts.capture_lead(identifier regclass, first_name text, last_name text, email text, phone text, source text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.capture_lead(regclass, text, text, text, text, text) IS 'makes a contact unless somebody is known by the address; what a directory''s capture_lead() calls';

CREATE FUNCTION contacts.register_contact(identifier regclass, first_name text, last_name text, email text, verifier text) RETURNS bigint
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.register_contact(regclass, text, text, text, text) IS 'makes a contact with a credential; what a directory''s register() calls';
