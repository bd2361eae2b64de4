-- What the functions of a directory need in C for topics, notices, templates
-- and unsubscribe links.  The trigger functions are declared in triggers.sql.

CREATE FUNCTION contacts.existing_topic(id bigint, name text) RETURNS bigint
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.existing_topic(bigint, text) IS 'the id of a topic, P0002 with its name if that is NULL';

CREATE FUNCTION contacts.make_unsubscribe_token(identifier regclass, channel text, key uuid, topic_id bigint)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.make_unsubscribe_token(regclass, text, uuid, bigint) IS 'the token of an unsubscribe link for the address with that key; channel: email or sms; needs SELECT on identifier.key';

CREATE FUNCTION contacts.use_unsubscribe_token(identifier regclass, token text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.use_unsubscribe_token(regclass, text) IS 'unsubscribes the address that the token is bound to, from its topic or altogether, as the owner of the directory; returns the name of the topic; 22023 for a token that is not the directory''s';
