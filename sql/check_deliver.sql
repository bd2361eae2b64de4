-- What check_directory() finds in topics and notices, and how
-- repair_directory() puts it right.

CREATE FUNCTION contacts.check_topics(directory text, with_keys boolean)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT 'C5', 'subscription', s.contact_id,
			format('the log does not tell that topic %%s is %%s', s.topic_id, s.state)
		FROM ONLY %1$I.subscription s
			LEFT JOIN (
				SELECT DISTINCT ON (e.contact_id, e.topic_id) e.contact_id, e.topic_id, e.new_state
				FROM ONLY %1$I.subscription_event e
				WHERE e.contact_id IS NOT NULL
				ORDER BY e.contact_id, e.topic_id, e.id DESC
			) l USING (contact_id, topic_id)
		WHERE l.new_state IS DISTINCT FROM s.state
		UNION ALL
		SELECT 'I10', 'delivery_notice.key', n.id, 'is not the key of the address'
		FROM ONLY %1$I.delivery_notice n
		WHERE $1 AND n.address IS NOT NULL AND n.key IS DISTINCT FROM contacts.identifier_key($2,
			CASE WHEN strpos(n.address, '@') > 0 THEN 'email' ELSE 'phone' END, n.address)
		$q$, directory)
	USING with_keys, directory;
END
$$;
COMMENT ON FUNCTION contacts.check_topics(text, boolean) IS 'what check_directory() finds in subscriptions and notices; keys need the secret of the directory';

-- A notice stays as it was recorded: one with a wrong key is for people to
-- look at.
CREATE FUNCTION contacts.repair_topic(object text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT $q$
		INSERT INTO %1$I.subscription_event (topic_id, contact_id, key, new_state, source)
		SELECT s.topic_id, s.contact_id, i.key, s.state, 'repair_directory'
		FROM ONLY %1$I.subscription s
			LEFT JOIN ONLY %1$I.identifier i
				ON i.contact_id = s.contact_id AND i.semantic_type = 'email' AND i.slug = 'main'
		WHERE s.contact_id = ANY ($1) AND s.state IS DISTINCT FROM (
			SELECT e.new_state FROM ONLY %1$I.subscription_event e
			WHERE e.contact_id = s.contact_id AND e.topic_id = s.topic_id
			ORDER BY e.id DESC LIMIT 1) $q$
	WHERE object = 'subscription';
END;
COMMENT ON FUNCTION contacts.repair_topic(text) IS 'repair_statement() for subscriptions';
