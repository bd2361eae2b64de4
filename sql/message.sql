-- Messages, in C: the trigger functions, and what the functions of a directory
-- need.  Which table each serves stands in sql/directory/message_triggers.sql.

CREATE FUNCTION contacts.message_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.message_derive() IS 'BEFORE INSERT OR UPDATE on email_message and sms_message: address, key and lease; cancels what waits for a contact that is deleted';

CREATE FUNCTION contacts.message_gate() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.message_gate() IS 'AFTER INSERT OR UPDATE on email_message and sms_message: what is to go out meets the rules of consent (rule C8)';

CREATE FUNCTION contacts.setting_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.setting_derive() IS 'BEFORE INSERT OR UPDATE on setting: the server knows the default time zone';

-- Helpers of a directory's functions.  They check the caller's rights on the
-- table of messages themselves, and work as its owner.

CREATE FUNCTION contacts.message_refusals(message regclass, contact_ids bigint[], addresses text[], kind text, topic_id bigint)
	RETURNS text[]
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.message_refusals(regclass, bigint[], text[], text, bigint) IS 'for each address, why no message may be queued to it, as the name of the constraint, or NULL (rule C8); contacts and addresses are locked to the end of the transaction; needs INSERT on the table or its column address';

CREATE FUNCTION contacts.hand_out_emails(message regclass, n integer)
	RETURNS TABLE (id bigint, contact_id bigint, address text, subject text, body text, body_format text, kind text,
		attempts integer, leased_until timestamptz)
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'hand_out_messages';
COMMENT ON FUNCTION contacts.hand_out_emails(regclass, integer) IS 'up to n emails that are due, on a lease; what may not go any more is cancelled (rule C8); needs UPDATE on the table or its column leased_until';

CREATE FUNCTION contacts.hand_out_texts(message regclass, n integer)
	RETURNS TABLE (id bigint, contact_id bigint, address text, body text, kind text, attempts integer, leased_until timestamptz)
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'hand_out_messages';
COMMENT ON FUNCTION contacts.hand_out_texts(regclass, integer) IS 'up to n text messages that are due, on a lease; what may not go any more is cancelled (rule C8); needs UPDATE on the table or its column leased_until';

CREATE FUNCTION contacts.mark_message(message regclass, id bigint, provider_id text, error text, retry boolean, retry_at timestamptz)
	RETURNS boolean
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.mark_message(regclass, bigint, text, text, boolean, timestamptz) IS 'what became of a message that was handed out: sent, or, with an error, failed or to be tried again; false if there was nothing to change; needs UPDATE on the table or its column leased_until';

CREATE FUNCTION contacts.at_local_time(after timestamptz, local_time time, time_zone text, default_time_zone text)
	RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.at_local_time(timestamptz, time, text, text) IS 'the first moment, not before the one given, at which clocks in the zone show that time; a time that is skipped is as much later, of a time that comes twice it is the second; the next zone counts if the server does not know the first';

CREATE FUNCTION contacts.after_quiet_hours(at timestamptz, quiet_from time, quiet_until time, time_zone text, default_time_zone text)
	RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.after_quiet_hours(timestamptz, time, time, text, text) IS 'the moment, or the end of the quiet hours that it falls in, by clocks in the zone';
