-- What the functions of a directory need in C for validations.

CREATE FUNCTION contacts.start_validation(identifier regclass, id bigint, method text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.start_validation(regclass, bigint, text) IS 'makes a secret to validate an identifier with, keeps its digest and returns it; needs INSERT on validation.identifier_id';

CREATE FUNCTION contacts.confirm_code(identifier regclass, id bigint, code text,
	OUT contact_id bigint, OUT outcome text, OUT sqlstate text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.confirm_code(regclass, bigint, text) IS 'validates an identifier by a code; needs INSERT on validation.consumed_at; raises nothing for what a person may do wrong, so that it counts';

CREATE FUNCTION contacts.confirm_token(identifier regclass, token text,
	OUT contact_id bigint, OUT outcome text, OUT sqlstate text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.confirm_token(regclass, text) IS 'validates an identifier by the token of a link; needs INSERT on validation.consumed_at';

CREATE FUNCTION contacts.validation_void() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.validation_void() IS 'AFTER UPDATE on identifier, where the key is another one: validations of the former value are void; attempts at it are remembered';
