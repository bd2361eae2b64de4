-- What the functions of a directory need in C for topics, notices, templates
-- and unsubscribe links.  The trigger functions are declared in triggers.sql.

CREATE FUNCTION contacts.existing_topic(id bigint, name text) RETURNS bigint
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.existing_topic(bigint, text) IS 'the id of a topic, P0002 with its name if that is NULL';

CREATE FUNCTION contacts.existing_template(id bigint, name text) RETURNS bigint
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.existing_template(bigint, text) IS 'the id of a template, P0002 with its name if that is NULL';

CREATE FUNCTION contacts.make_unsubscribe_token(identifier regclass, channel text, key uuid, topic_id bigint)
	RETURNS text
	LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.make_unsubscribe_token(regclass, text, uuid, bigint) IS 'the token of an unsubscribe link for the address with that key; channel: email or sms; needs SELECT on identifier.key';

CREATE FUNCTION contacts.message_unsubscribe_token(identifier regclass, message_id bigint) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.message_unsubscribe_token(regclass, bigint) IS 'the token of the unsubscribe link of a message; for those who may read its key and topic, or may hand messages out';

CREATE FUNCTION contacts.use_unsubscribe_token(identifier regclass, token text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.use_unsubscribe_token(regclass, text) IS 'unsubscribes the address that the token is bound to, from its topic or altogether, as the owner of the directory; returns the name of the topic; 22023 for a token that is not the directory''s';

CREATE FUNCTION contacts.render_template(message_template regclass, template_id bigint, contact_ids bigint[], topic_id bigint)
	RETURNS TABLE (contact_id bigint, subject text, body text)
	LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.render_template(regclass, bigint, bigint[], bigint) IS 'a template with the values of contacts, read with the rights of the caller; P0002 for an unknown template';

CREATE FUNCTION contacts.preview_template(message_template regclass, subject text, body text, body_format text, contact_ids bigint[])
	RETURNS TABLE (contact_id bigint, rendered_subject text, rendered_body text)
	LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.preview_template(regclass, text, text, text, bigint[]) IS 'texts with the values of contacts, as they would be if they were saved as a template; without contacts: one row without values';
