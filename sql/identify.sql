-- Arriving and identity resolution.

CREATE FUNCTION contacts.credential_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.credential_derive() IS 'BEFORE INSERT OR UPDATE on credential: refuses what is no verifier, without repeating it; sets updated_at';
REVOKE EXECUTE ON FUNCTION contacts.credential_derive() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts.credential_derive() TO @extowner@;

CREATE FUNCTION contacts.merge_suggestion_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.merge_suggestion_derive() IS 'BEFORE INSERT OR UPDATE on merge_suggestion: the lower id comes first';
REVOKE EXECUTE ON FUNCTION contacts.merge_suggestion_derive() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts.merge_suggestion_derive() TO @extowner@;
