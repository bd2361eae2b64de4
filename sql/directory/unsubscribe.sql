-- Links to unsubscribe with, without a login (RFC 8058).

CREATE FUNCTION unsubscribe_token(message_id bigint) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT contacts.message_unsubscribe_token('identifier'::regclass, $1);
END;
COMMENT ON FUNCTION unsubscribe_token(bigint) IS 'the token for the unsubscribe link of a message, bound to its address and its topic, for who may read the message and for delivery workers; NULL for a message without an address';

CREATE FUNCTION use_unsubscribe_token(token text) RETURNS text
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT contacts.use_unsubscribe_token('identifier'::regclass, $1);
END;
COMMENT ON FUNCTION use_unsubscribe_token(text) IS 'for everybody who may use the schema: leaves the topic that the token is bound to and returns its name, or unsubscribes the address altogether and returns NULL; again, it changes nothing; 22023 for a token that is not this directory''s';
