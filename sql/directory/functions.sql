-- The functions of a directory.  They run with the caller's rights; rules hold
-- without them.

CREATE FUNCTION find_contacts(semantic_type text, value text) RETURNS SETOF bigint
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT i.contact_id
	FROM identifier i
	WHERE i.semantic_type = $1
		AND i.value = (
			SELECT CASE t.value_type
				WHEN 'email' THEN contacts.try_email($2)::text
				WHEN 'phone' THEN contacts.try_phone($2)::text
				ELSE $2 END
			FROM semantic_type t WHERE t.name = $1)
		AND i.contact_id IS NOT NULL
	ORDER BY i.contact_id;
END;
COMMENT ON FUNCTION find_contacts(text, text) IS 'the contacts that hold the value, in order of id; none if nobody does or the value is malformed';

CREATE FUNCTION find_contact(semantic_type text, value text) RETURNS bigint
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT contacts.only_contact(ARRAY(SELECT find_contacts($1, $2)));
END;
COMMENT ON FUNCTION find_contact(text, text) IS 'the contact that holds the value; NULL if none, P0003 with the ids in DETAIL if several';

CREATE FUNCTION resolve_contact(semantic_type text, value text) RETURNS bigint
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT contacts.existing_contact(find_contact($1, $2));
END;
COMMENT ON FUNCTION resolve_contact(text, text) IS 'the contact that holds the value; P0002 if none, P0003 if several';

CREATE FUNCTION create_ghost(token text, source text DEFAULT NULL) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	WITH ghost AS (
		INSERT INTO contact DEFAULT VALUES RETURNING id
	)
	INSERT INTO identifier (contact_id, semantic_type, value, source)
	SELECT ghost.id, 'anonymous', $1, $2 FROM ghost
	RETURNING contact_id;
END;
COMMENT ON FUNCTION create_ghost(text, text) IS 'makes a contact that only has a token, and returns its id; 23505 if the token is known, 22P02 if it is empty';

CREATE FUNCTION set_main(identifier_id bigint) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.promote_identifier('identifier'::regclass, $1);
END;
COMMENT ON FUNCTION set_main(bigint) IS 'makes the identifier the main one of its kind and returns its contact: the former main one takes its slug, validation stays (rule I4); P0002 if nobody holds it';

CREATE FUNCTION suppress(address text, reason contacts.state_reason DEFAULT 'manual',
	source text DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.change_consent('identifier'::regclass, ARRAY[$1], 'suppressed', $2, $3);
END;
COMMENT ON FUNCTION suppress(text, contacts.state_reason, text) IS 'suppresses an email address or phone number for ever, held or not (rules C2, C7); 22P02 if it is neither, 42501 without UPDATE on identifier.status';

CREATE FUNCTION suppress_many(addresses text[], reason contacts.state_reason DEFAULT 'manual',
	source text DEFAULT NULL) RETURNS integer
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.change_consent('identifier'::regclass, $1, 'suppressed', $2, $3);
END;
COMMENT ON FUNCTION suppress_many(text[], contacts.state_reason, text) IS 'suppresses many addresses at once and returns how many distinct ones there were; all or none';

CREATE FUNCTION unsubscribe(address text, reason contacts.state_reason DEFAULT 'own_wish',
	source text DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.change_consent('identifier'::regclass, ARRAY[$1], 'unsubscribed', $2, $3);
END;
COMMENT ON FUNCTION unsubscribe(text, contacts.state_reason, text) IS 'unsubscribes an email address or phone number, held or not; a suppression stays (rule C3)';

CREATE FUNCTION opt_in(address text, evidence jsonb) RETURNS void
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.change_consent('identifier'::regclass, ARRAY[$1], 'opted_in', 'own_wish', NULL, $2);
END;
COMMENT ON FUNCTION opt_in(text, jsonb) IS 'opts an address in; the only way out of unsubscribed (rule C3).  evidence: what was agreed to, where and when, kept in consent_event; 23001 if the address is suppressed, P0002 if no contact holds it, 22004 without evidence';

CREATE FUNCTION address_status(address text) RETURNS contacts.consent_state
	LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT contacts.address_state('identifier'::regclass, $1);
END;
COMMENT ON FUNCTION address_status(text) IS 'the consent state of an address, also if nobody holds it or it was erased; not_opted_in if nothing is known, NULL if it is no address';

CREATE FUNCTION validate_identifier(identifier_id bigint,
	method contacts.validation_method DEFAULT 'manual') RETURNS void
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	UPDATE identifier i
	SET validated_at = now(), validation_method = $2
	WHERE i.id = (SELECT contacts.lock_holder('identifier'::regclass, $1));
END;
COMMENT ON FUNCTION validate_identifier(bigint, contacts.validation_method) IS 'marks the identifier as validated now, by that method; a lead becomes a contact (rule I6); P0002 if nobody holds it';

CREATE FUNCTION invalidate_identifier(identifier_id bigint) RETURNS void
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	UPDATE identifier i
	SET validated_at = NULL
	WHERE i.id = (SELECT contacts.lock_holder('identifier'::regclass, $1));
END;
COMMENT ON FUNCTION invalidate_identifier(bigint) IS 'takes the validation of the identifier back; a contact without another validated one becomes a lead; P0002 if nobody holds it';
