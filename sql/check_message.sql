-- What check_directory() finds in messages, and how repair_directory() puts it
-- right.

CREATE FUNCTION contacts.check_messages(directory text, with_keys boolean)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	channel record;
BEGIN
	FOR channel IN
		SELECT * FROM (VALUES ('email_message', 'email'), ('sms_message', 'phone')) c (relation, kind)
	LOOP
		RETURN QUERY EXECUTE format($q$
			SELECT f.rule, format('%2$s.%%s', f.object), m.id, f.message
			FROM ONLY %1$I.%2$I m
				LEFT JOIN ONLY %1$I.identifier i ON i.key = m.key AND i.holder = 0
					AND m.state IN ('queued', 'sending')
				CROSS JOIN LATERAL (VALUES
					($1 AND m.key IS DISTINCT FROM contacts.identifier_key($2, $3, m.address),
						'C8', 'key', 'is not the key of the address'),
					(i.status::text = 'suppressed', 'C7', 'state', 'is to go out to a suppressed address'),
					(i.status::text = 'unsubscribed' AND m.kind = 'marketing',
						'C7', 'state', 'is marketing to go out to an unsubscribed address')
					) f (is_broken, rule, object, message)
			WHERE f.is_broken
			$q$, directory, channel.relation)
		USING with_keys, directory, channel.kind;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.check_messages(text, boolean) IS 'what check_directory() finds in messages; keys need the secret of the directory';

-- A row with a wrong key may be one that is not to go out, or has no address at
-- all: it is cancelled before its trigger, which computes the key, would refuse
-- it.
CREATE FUNCTION contacts.repair_message(object text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE split_part(object, '.', 2)
		WHEN 'key' THEN replace(replace($q$
			UPDATE ONLY %1$I.#table# m SET state = 'cancelled',
				error = '#kind#_is_' || (SELECT i.status FROM ONLY %1$I.identifier i
					WHERE i.key = contacts.identifier_key($2, '#kind#', m.address) AND i.holder = 0)
			WHERE m.id = ANY ($1) AND m.state IN ('queued', 'sending')
				AND EXISTS (SELECT FROM ONLY %1$I.identifier i
					WHERE i.key = contacts.identifier_key($2, '#kind#', m.address) AND i.holder = 0
						AND (i.status::text = 'suppressed' OR i.status::text = 'unsubscribed' AND m.kind = 'marketing'));
			UPDATE ONLY %1$I.#table# m SET state = 'cancelled', error = 'the address is malformed'
			WHERE m.id = ANY ($1) AND m.state IN ('queued', 'sending')
				AND contacts.identifier_key($2, '#kind#', m.address) IS NULL;
			UPDATE ONLY %1$I.#table# m
			SET key = CASE WHEN m.key IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid END
			WHERE m.id = ANY ($1) AND m.key IS DISTINCT FROM contacts.identifier_key($2, '#kind#', m.address) $q$,
			'#table#', split_part(object, '.', 1)),
			'#kind#', CASE split_part(object, '.', 1) WHEN 'email_message' THEN 'email' ELSE 'phone' END)
		WHEN 'state' THEN replace($q$
			UPDATE ONLY %1$I.#table# m SET state = 'cancelled', error = 'repair_directory'
			WHERE m.id = ANY ($1) AND m.state IN ('queued', 'sending') $q$,
			'#table#', split_part(object, '.', 1))
	END
	WHERE split_part(object, '.', 1) IN ('email_message', 'sms_message');
END;
COMMENT ON FUNCTION contacts.repair_message(text) IS 'repair_statement() for the tables of messages';
