-- Directories are checked and repaired.
--
-- Like those of directory.sql, these functions name every object with its
-- schema, and read ordinary tables whose columns they have looked at before:
-- nothing that the owner of a directory planted there runs with the rights of
-- whoever checks it.  A finding that needs the values of people names the row,
-- not the values: findings end up in monitoring.

CREATE FUNCTION contacts.check_catalogue(directory oid)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT m.kind, concat_ws('.', nullif(m.relation, ''), nullif(m.name, '')), NULL::bigint,
		CASE
			WHEN d.definition IS NULL AND m.kind IN ('table', 'not null', 'view', 'function') THEN 'is missing'
			WHEN d.definition IS NULL THEN 'is missing: ' || replace(m.definition, ' ON % ', format(' ON %I ', m.relation))
			WHEN d.definition <> m.definition THEN replace(format('is %s; expected: %s', d.definition, m.definition), ' ON % ', format(' ON %I ', m.relation))
			ELSE format('is %s', d.state)
		END
	FROM contacts.model m
		LEFT JOIN contacts.describe_directory(directory,
			'{table,column,not null,default,constraint,index,view,function}') d USING (kind, relation, name)
	WHERE m.kind NOT IN ('trigger', 'policy')
		AND (d.definition IS DISTINCT FROM m.definition OR d.state IS DISTINCT FROM m.state)
	UNION ALL
	SELECT 'trigger', format('%s.%s', t.relation, t.name), NULL, t.problem
	FROM contacts.missing_triggers(directory) t
	UNION ALL
	SELECT 'policy', concat_ws('.', p.relation, nullif(p.name, '')), NULL, p.problem
	FROM contacts.missing_policies(directory) p
	UNION ALL
	SELECT 'constraint', format('%s.%s', m.relation, m.name), NULL,
		format('is not enforced: trigger "%s" on table "%s" is not enabled', t.tgname, r.relname)
	FROM contacts.model m
		JOIN pg_class c ON c.relnamespace = directory AND c.relname = m.relation
		JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = m.name
		JOIN pg_trigger t ON t.tgconstraint = k.oid AND t.tgisinternal AND t.tgenabled <> 'O'
		JOIN pg_class r ON r.oid = t.tgrelid
	WHERE m.kind = 'constraint'
	UNION ALL
	SELECT 'owner', c.relname, NULL,
		format('belongs to %s, table contact to %s', pg_get_userbyid(c.relowner), pg_get_userbyid(o.relowner))
	FROM contacts.model m
		JOIN pg_class c ON c.relnamespace = directory AND c.relname = m.relation
		JOIN pg_class o ON o.relnamespace = directory AND o.relname = 'contact'
	WHERE m.kind = 'table' AND c.relowner <> o.relowner
	UNION ALL
	SELECT DISTINCT 'secret', 'secret', NULL::bigint,
		format('%s may %s it', CASE a.grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(a.grantee)::text END,
			lower(a.privilege_type))
	FROM pg_class c
		CROSS JOIN LATERAL (
			SELECT x.grantee, x.privilege_type FROM aclexplode(c.relacl) x
			UNION
			SELECT x.grantee, x.privilege_type FROM pg_attribute t CROSS JOIN aclexplode(t.attacl) x
			WHERE t.attrelid = c.oid) a
	WHERE c.relnamespace = directory AND c.relname = 'secret' AND a.grantee <> c.relowner
	UNION ALL
	SELECT 'guard', g.object, NULL, g.message FROM contacts.check_ddl_guard() g;
END;
COMMENT ON FUNCTION contacts.check_catalogue(oid) IS 'what check_directory() finds in the catalogue';

-- The settings, the secret and the kinds.
CREATE FUNCTION contacts.check_settings(directory text)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT 'setting', 'setting', NULL::bigint, 'has no row'
		WHERE NOT EXISTS (SELECT FROM ONLY %1$I.setting)
		UNION ALL
		SELECT 'version', 'setting.version', NULL,
			format('is %%s, the extension is %%s: see contacts.upgrade_directory()', s.version, contacts.extension_version())
		FROM ONLY %1$I.setting s WHERE s.version <> contacts.extension_version()
		UNION ALL
		SELECT 'I10', 'secret', NULL, 'has no row: the directory takes no writes'
		WHERE NOT EXISTS (SELECT FROM ONLY %1$I.secret)
		UNION ALL
		SELECT 'I10', 'secret', NULL, 'is not the secret of this directory: it takes no writes'
		FROM ONLY %1$I.secret x CROSS JOIN ONLY %1$I.setting s
		WHERE contacts.secret_fingerprint(x.value) <> s.secret_fingerprint
		UNION ALL
		SELECT 'I2', 'semantic_type', NULL, format('kind %%s is missing', k.name)
		FROM (VALUES ('email', 'email'), ('phone', 'phone')) k (name, value_type)
		WHERE NOT EXISTS (SELECT FROM ONLY %1$I.semantic_type t
			WHERE t.name = k.name AND t.value_type = k.value_type AND t.is_contactable)
		UNION ALL
		SELECT 'I5', 'identifier_slug', NULL, format('kind %%s has no slug main', t.name)
		FROM ONLY %1$I.semantic_type t
		WHERE NOT EXISTS (SELECT FROM ONLY %1$I.identifier_slug s
			WHERE s.semantic_type = t.name AND s.slug = 'main')
		$q$, directory);
END
$$;
COMMENT ON FUNCTION contacts.check_settings(text) IS 'what check_directory() finds in settings, secret and kinds of identifiers';

-- One pass over contact and identifier, which meet in a full join.
CREATE FUNCTION contacts.check_contacts(directory text)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH held AS (
			SELECT i.contact_id AS id, min(i.id) AS identifier_id,
				bool_or(t.is_contactable) AS is_reachable,
				bool_or(t.is_contactable AND i.is_validated) AS is_validated,
				max(i.value) FILTER (WHERE i.semantic_type = 'email' AND i.slug = 'main') AS email,
				max(i.status::text) FILTER (WHERE i.semantic_type = 'email' AND i.slug = 'main') AS status,
				max(i.value) FILTER (WHERE i.semantic_type = 'phone' AND i.slug = 'main') AS phone
			FROM ONLY %1$I.identifier i LEFT JOIN ONLY %1$I.semantic_type t ON t.name = i.semantic_type
			WHERE i.contact_id IS NOT NULL
			GROUP BY i.contact_id
		), compared AS (
			SELECT c.id, h.identifier_id, c.email IS NULL AS has_no_email,
				c.id IS NULL AS is_orphan,
				btrim(c.first_name, E' \t\n\x0B\f\r') = '' OR btrim(c.last_name, E' \t\n\x0B\f\r') = '' AS is_blank,
				h.id IS NULL AND c.first_name IS NULL AND c.last_name IS NULL
					AND c.email IS NULL AND c.mobile_phone IS NULL AS is_unidentified,
				c.email::text IS DISTINCT FROM h.email AS email,
				c.mobile_phone::text IS DISTINCT FROM h.phone AS phone,
				c.email::text = h.email AND c.email_status::text IS DISTINCT FROM h.status AS status,
				c.email IS NULL AND c.email_status::text NOT IN ('not_opted_in', 'unsubscribed') AS status_of_none,
				c.is_reachable <> coalesce(h.is_reachable, false) AS is_reachable,
				c.is_validated <> coalesce(h.is_validated, false) AS is_validated,
				c.contact_type::text <> contacts.compute_type(c.first_name, c.last_name, c.mononym, c.is_vendor,
					coalesce(h.is_reachable, false), coalesce(h.is_validated, false), s.name_rule) AS contact_type,
				c.organization_name IS DISTINCT FROM o.name
					OR c.organization_id IS NOT NULL AND o.id IS NULL AS organization
			FROM ONLY %1$I.contact c
				FULL JOIN held h ON h.id = c.id
				LEFT JOIN ONLY %1$I.organization o ON o.id = c.organization_id
				LEFT JOIN ONLY %1$I.setting s ON true
		)
		SELECT f.rule, f.object, CASE WHEN w.is_orphan THEN w.identifier_id ELSE w.id END, f.message
		FROM compared w CROSS JOIN LATERAL (VALUES
			(w.is_orphan, 'I7', 'identifier.contact_id', 'there is no such contact'),
			(w.is_blank, 'I3', 'contact.first_name', 'a name is blank'),
			(w.is_unidentified, 'I3', 'contact', 'nothing identifies the contact'),
			(NOT w.is_orphan AND w.email, 'I4', 'contact.email', 'differs from the main identifier of kind email'),
			(NOT w.is_orphan AND w.phone, 'I4', 'contact.mobile_phone', 'differs from the main identifier of kind phone'),
			(w.status, 'C1', 'contact.email_status', 'differs from the state of the main email'),
			(w.status_of_none, 'C4', 'contact.email_status', 'without an email it is not_opted_in or unsubscribed'),
			(w.is_reachable, 'I6', 'contact.is_reachable', 'does not follow from the identifiers'),
			(w.is_validated, 'I6', 'contact.is_validated', 'does not follow from the identifiers'),
			(w.contact_type, 'I6', 'contact.contact_type', 'does not follow from name and identifiers'),
			(w.organization, 'I9', 'contact.organization_name', 'is not the name of the organization')
			) f (is_broken, rule, object, message)
		WHERE (w.is_orphan OR w.is_blank OR w.is_unidentified OR w.email OR w.phone OR w.status OR w.status_of_none
			OR w.is_reachable OR w.is_validated OR w.contact_type OR w.organization)
			AND f.is_broken
		$q$, directory);
END
$$;
COMMENT ON FUNCTION contacts.check_contacts(text) IS 'what check_directory() finds in contacts and between them and their identifiers';

-- One pass over identifier.
CREATE FUNCTION contacts.check_identifiers(directory text, with_keys boolean)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH compared AS (
			SELECT i.id,
				t.name IS NULL AS semantic_type,
				i.slug IS NOT NULL AND s.slug IS NULL AS slug,
				i.value IS NOT NULL AND i.value IS DISTINCT FROM CASE t.value_type
					WHEN 'email' THEN contacts.try_email(i.value)::text
					WHEN 'phone' THEN contacts.try_phone(i.value)::text
					ELSE CASE WHEN btrim(i.value, E' \t\n\x0B\f\r') <> '' THEN i.value END END AS value,
				$1 AND i.value IS NOT NULL
					AND i.key IS DISTINCT FROM contacts.identifier_key($2, t.name, i.value) AS key,
				i.holder < 0 AS is_aside,
				i.holder >= 0 AND i.holder <> CASE WHEN t.is_exclusive THEN 0 ELSE coalesce(i.contact_id, 0) END AS holder,
				t.is_exclusive AND i.contact_id IS NULL
					AND i.status::text IN ('suppressed', 'unsubscribed') IS NOT TRUE AS is_idle
			FROM ONLY %1$I.identifier i
				LEFT JOIN ONLY %1$I.semantic_type t ON t.name = i.semantic_type
				LEFT JOIN ONLY %1$I.identifier_slug s ON s.semantic_type = i.semantic_type AND s.slug = i.slug
		)
		SELECT f.rule, f.object, w.id, f.message
		FROM compared w CROSS JOIN LATERAL (VALUES
			(w.semantic_type, 'I2', 'identifier.semantic_type', 'there is no such kind'),
			(w.slug, 'I5', 'identifier.slug', 'the kind has no such slug'),
			(w.value, 'I1', 'identifier.value', 'is not canonical'),
			(w.key, 'I10', 'identifier.key', 'is not the key of the value'),
			(w.is_aside, 'I7', 'identifier.holder', 'a row that was set aside was never removed'),
			(w.holder, 'I10', 'identifier.holder', 'is not what the kind and the contact say'),
			(w.is_idle, 'I7', 'identifier', 'nobody holds the value, and it has no consent state to keep')
			) f (is_broken, rule, object, message)
		WHERE (w.semantic_type OR w.slug OR w.value OR w.key OR w.is_aside OR w.holder OR w.is_idle)
			AND f.is_broken
		$q$, directory)
	USING with_keys, directory;
END
$$;
COMMENT ON FUNCTION contacts.check_identifiers(text, boolean) IS 'what check_directory() finds in identifiers; keys need the secret of the directory';

-- Suppression is for good, so one event of it is enough; else the last counts.
CREATE FUNCTION contacts.check_consent(directory text)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH told AS (
			SELECT e.key, CASE WHEN bool_or(e.new_state::text = 'suppressed') THEN 'suppressed'
				ELSE (array_agg(e.new_state::text ORDER BY e.id DESC))[1] END AS state
			FROM ONLY %1$I.consent_event e
			GROUP BY e.key
		)
		SELECT 'C2', 'identifier.status', i.id,
			format('the log says %%s, %%s', t.state, CASE WHEN i.id IS NULL
				THEN format('but there is no row with key %%s', t.key) ELSE format('the row %%s', i.status) END)
		FROM told t LEFT JOIN ONLY %1$I.identifier i ON i.key = t.key AND i.holder = 0
		WHERE t.state IN ('suppressed', 'unsubscribed')
			AND i.status::text IS DISTINCT FROM t.state AND i.status::text IS DISTINCT FROM 'suppressed'
		UNION ALL
		SELECT 'C5', 'consent_event', i.id, format('the log does not tell that the value is %%s', i.status)
		FROM ONLY %1$I.identifier i LEFT JOIN told t ON t.key = i.key
		WHERE i.status::text IN ('suppressed', 'unsubscribed') AND t.state IS DISTINCT FROM i.status::text
			AND (t.state IS DISTINCT FROM 'suppressed')
		$q$, directory);
END
$$;
COMMENT ON FUNCTION contacts.check_consent(text) IS 'what check_directory() finds between the log of consent and the states';

CREATE FUNCTION contacts.check_directory(directory text, deep boolean DEFAULT true)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET row_security = off SET constraint_exclusion = off
AS $$
DECLARE
	schema_id oid := contacts.directory_schema(directory);
	unread text;
	is_readable boolean := true;
	has_secret boolean := true;
BEGIN
	FOR rule, object, row_id, message IN
		SELECT c.* FROM contacts.check_catalogue(schema_id) c ORDER BY c.rule, c.object
	LOOP
		is_readable := is_readable AND rule NOT IN ('table', 'column');
		RETURN NEXT;
	END LOOP;
	IF NOT deep OR NOT is_readable THEN
		RETURN;
	END IF;

	SELECT m.relation INTO unread
	FROM contacts.model m
	WHERE m.kind = 'table' AND NOT (has_schema_privilege(schema_id, 'USAGE')
		AND has_table_privilege(format('%I.%I', directory, m.relation), 'SELECT'))
	ORDER BY m.relation LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('permission denied to check the rows of directory "%s"', directory),
			DETAIL = format('You may not read its table "%s".', unread),
			HINT = 'With deep => false the catalogue alone is checked.',
			SCHEMA = directory, TABLE = unread;
	END IF;

	-- The owner runs his own code; nobody else does.
	SELECT contacts.planted_code(schema_id) INTO unread
	FROM pg_class c
	WHERE c.relnamespace = schema_id AND c.relname = 'contact' AND pg_get_userbyid(c.relowner) <> current_user;
	IF unread IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('only the owner of directory "%s" checks its rows', directory),
			DETAIL = format('Reading them may run code of the owner''s: %s.', unread),
			HINT = 'SET ROLE to the owner.  With deep => false the catalogue alone is checked.',
			SCHEMA = directory;
	END IF;

	FOR rule, object, row_id, message IN
		SELECT s.* FROM contacts.check_settings(directory) s
	LOOP
		has_secret := has_secret AND object NOT IN ('setting', 'secret');
		RETURN NEXT;
	END LOOP;
	RETURN QUERY SELECT * FROM contacts.check_contacts(directory);
	RETURN QUERY SELECT * FROM contacts.check_identifiers(directory, has_secret);
	RETURN QUERY SELECT * FROM contacts.check_consent(directory);
	RETURN QUERY SELECT * FROM contacts.check_relationships(directory);
	RETURN QUERY SELECT * FROM contacts.check_objects(directory);
	RETURN QUERY SELECT * FROM contacts.check_messages(directory, has_secret);
	RETURN QUERY SELECT * FROM contacts.check_topics(directory, has_secret);
END
$$;
COMMENT ON FUNCTION contacts.check_directory(text, boolean) IS 'every broken rule and every missing, altered or disarmed trigger of a directory, no rows when it is sound; deep => false looks at the catalogue only; rows are checked for who may read all tables, the secret included';

-- What puts the rows $1 of the directory $2, %1$I, right: the statements for an
-- object that check_directory() names; NULL where people have to decide.  Most
-- of it is ordinary DML under the rules: the triggers replace whatever is
-- written into a derived column, they need but a difference to look at it.
-- No statement lowers a consent state or takes a value from its holder.
CREATE FUNCTION contacts.repair_statement(object text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE object
		WHEN 'identifier_slug' THEN $q$
			INSERT INTO %1$I.identifier_slug (semantic_type, slug)
			SELECT t.name, 'main' FROM ONLY %1$I.semantic_type t
			ON CONFLICT DO NOTHING $q$
		WHEN 'identifier.key' THEN $q$
			UPDATE ONLY %1$I.identifier i SET key = n.key
			FROM (
				SELECT o.id, CASE WHEN t.is_exclusive THEN 0 ELSE coalesce(o.contact_id, 0) END AS holder,
					contacts.identifier_key($2, o.semantic_type, o.value) AS key
				FROM ONLY %1$I.identifier o JOIN ONLY %1$I.semantic_type t ON t.name = o.semantic_type
				WHERE o.id = ANY ($1)
			) n
			WHERE i.id = n.id AND n.key IS NOT NULL AND NOT EXISTS (
				SELECT FROM ONLY %1$I.identifier o WHERE o.key = n.key AND o.holder = n.holder AND o.id <> n.id) $q$
		WHEN 'identifier.holder' THEN $q$
			UPDATE ONLY %1$I.identifier i SET holder = n.holder
			FROM (
				SELECT o.id, o.key, CASE WHEN t.is_exclusive THEN 0 ELSE coalesce(o.contact_id, 0) END AS holder
				FROM ONLY %1$I.identifier o JOIN ONLY %1$I.semantic_type t ON t.name = o.semantic_type
				WHERE o.id = ANY ($1)
			) n
			WHERE i.id = n.id AND (n.holder > 0) = (i.status IS NULL) AND NOT EXISTS (
				SELECT FROM ONLY %1$I.identifier o WHERE o.key = n.key AND o.holder = n.holder) $q$
		WHEN 'identifier' THEN $q$
			DELETE FROM ONLY %1$I.identifier WHERE id = ANY ($1) $q$
		WHEN 'identifier.contact_id' THEN $q$
			UPDATE ONLY %1$I.identifier i SET contact_id = NULL
			WHERE i.contact_id IN (SELECT o.contact_id FROM ONLY %1$I.identifier o WHERE o.id = ANY ($1)) $q$
		WHEN 'contact.email' THEN $q$
			UPDATE ONLY %1$I.identifier i SET slug = 'main' FROM ONLY %1$I.contact c
			WHERE c.id = ANY ($1) AND i.contact_id = c.id AND i.semantic_type = 'email' AND i.value = c.email::text
				AND NOT EXISTS (SELECT FROM ONLY %1$I.identifier o
					WHERE o.contact_id = c.id AND o.semantic_type = 'email' AND o.slug = 'main');
			INSERT INTO %1$I.identifier (contact_id, semantic_type, slug, value, status)
			SELECT c.id, 'email', 'main', c.email::text, c.email_status FROM ONLY %1$I.contact c
			WHERE c.id = ANY ($1) AND c.email IS NOT NULL
				AND NOT EXISTS (SELECT FROM ONLY %1$I.identifier o
					WHERE o.contact_id = c.id AND o.semantic_type = 'email' AND o.slug = 'main'
						OR o.contact_id IS NOT NULL AND o.holder = 0
							AND o.key = contacts.identifier_key($2, 'email', c.email::text));
			UPDATE ONLY %1$I.contact c SET email = i.value::contacts.email FROM ONLY %1$I.identifier i
			WHERE c.id = ANY ($1) AND c.email IS NULL
				AND i.contact_id = c.id AND i.semantic_type = 'email' AND i.slug = 'main'
				AND NOT EXISTS (SELECT FROM ONLY %1$I.contact o WHERE o.email = i.value::contacts.email) $q$
		WHEN 'contact.mobile_phone' THEN $q$
			UPDATE ONLY %1$I.identifier i SET slug = 'main' FROM ONLY %1$I.contact c
			WHERE c.id = ANY ($1) AND i.contact_id = c.id AND i.semantic_type = 'phone' AND i.value = c.mobile_phone::text
				AND NOT EXISTS (SELECT FROM ONLY %1$I.identifier o
					WHERE o.contact_id = c.id AND o.semantic_type = 'phone' AND o.slug = 'main');
			INSERT INTO %1$I.identifier (contact_id, semantic_type, slug, value)
			SELECT c.id, 'phone', 'main', c.mobile_phone::text FROM ONLY %1$I.contact c
			WHERE c.id = ANY ($1) AND c.mobile_phone IS NOT NULL
				AND NOT EXISTS (SELECT FROM ONLY %1$I.identifier o
					WHERE o.contact_id = c.id AND o.semantic_type = 'phone' AND o.slug = 'main'
						OR o.contact_id IS NOT NULL AND o.holder IN (0, c.id)
							AND o.key = contacts.identifier_key($2, 'phone', c.mobile_phone::text))
			ON CONFLICT DO NOTHING;
			UPDATE ONLY %1$I.contact c SET mobile_phone = i.value::contacts.phone FROM ONLY %1$I.identifier i
			WHERE c.id = ANY ($1) AND c.mobile_phone IS NULL
				AND i.contact_id = c.id AND i.semantic_type = 'phone' AND i.slug = 'main' $q$
		WHEN 'contact.email_status' THEN $q$
			UPDATE ONLY %1$I.contact c SET email_status = i.status FROM ONLY %1$I.identifier i
			WHERE c.id = ANY ($1) AND i.contact_id = c.id AND i.semantic_type = 'email' AND i.slug = 'main'
				AND array_position('{not_opted_in,opted_in,unsubscribed,suppressed}', c.email_status::text)
					< array_position('{not_opted_in,opted_in,unsubscribed,suppressed}', i.status::text);
			UPDATE ONLY %1$I.identifier i SET status = c.email_status FROM ONLY %1$I.contact c
			WHERE c.id = ANY ($1) AND i.contact_id = c.id AND i.semantic_type = 'email' AND i.slug = 'main'
				AND array_position('{not_opted_in,opted_in,unsubscribed,suppressed}', c.email_status::text)
					> array_position('{not_opted_in,opted_in,unsubscribed,suppressed}', i.status::text) $q$
		WHEN 'contact.first_name' THEN $q$
			UPDATE ONLY %1$I.contact SET first_name = first_name WHERE id = ANY ($1) $q$
		WHEN 'contact.is_reachable' THEN $q$
			UPDATE ONLY %1$I.contact SET is_reachable = NOT is_reachable WHERE id = ANY ($1) $q$
		WHEN 'contact.is_validated' THEN $q$
			UPDATE ONLY %1$I.contact SET is_validated = NOT is_validated WHERE id = ANY ($1) $q$
		WHEN 'contact.contact_type' THEN $q$
			UPDATE ONLY %1$I.contact SET contact_type = contact_type WHERE id = ANY ($1) $q$
		WHEN 'contact.organization_name' THEN $q$
			UPDATE ONLY %1$I.contact c SET organization_id = NULL
			WHERE c.id = ANY ($1)
				AND NOT EXISTS (SELECT FROM ONLY %1$I.organization o WHERE o.id = c.organization_id);
			UPDATE ONLY %1$I.contact SET organization_name = concat(organization_name, '?') WHERE id = ANY ($1) $q$
		WHEN 'identifier.status' THEN $q$
			UPDATE ONLY %1$I.identifier i SET status = CASE
				WHEN EXISTS (SELECT FROM ONLY %1$I.consent_event e
					WHERE e.key = i.key AND e.new_state::text = 'suppressed') THEN 'suppressed'
				ELSE 'unsubscribed' END
			WHERE i.id = ANY ($1) $q$
		WHEN 'consent_event' THEN $q$
			INSERT INTO %1$I.consent_event (key, new_state, reason, source)
			SELECT i.key, i.status, i.status_reason, 'repair_directory'
			FROM ONLY %1$I.identifier i WHERE i.id = ANY ($1) $q$
		ELSE coalesce(contacts.repair_relationship_statement(object), contacts.repair_object_statement(object),
			contacts.repair_message(object), contacts.repair_topic(object))
	END;
END;
COMMENT ON FUNCTION contacts.repair_statement(text) IS 'what repair_directory() does about an object that check_directory() names; NULL: nothing';

CREATE FUNCTION contacts.repair_directory(directory text)
	RETURNS TABLE (rule text, object text, found bigint, remaining bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
	first jsonb;
	before jsonb;
	findings jsonb;
	ids bigint[];
	statement text;
BEGIN
	-- Putting one thing right may bring another to light: go on until a round
	-- changes nothing.
	LOOP
		findings := (
			SELECT coalesce(jsonb_agg(to_jsonb(f)), '[]')
			FROM (
				SELECT c.rule, c.object, count(*) AS found, array_agg(c.row_id ORDER BY c.row_id) AS ids
				FROM contacts.check_directory(directory) c
				GROUP BY c.rule, c.object
			) f);
		first := coalesce(first, findings);
		EXIT WHEN findings = before OR findings = '[]';
		before := findings;

		IF findings @> '[{"rule": "trigger"}]' THEN
			PERFORM contacts.attach_triggers(directory);
		END IF;
		IF findings @> '[{"rule": "policy"}]' THEN
			PERFORM contacts.enable_row_security(directory);
		END IF;
		IF findings @> '[{"rule": "secret"}]' THEN
			PERFORM contacts.close_secret(directory);
		END IF;
		FOR rule, object, ids, statement IN
			SELECT f.rule, f.object, f.ids, contacts.repair_statement(f.object)
			FROM jsonb_to_recordset(findings) f (rule text, object text, ids bigint[])
			WHERE contacts.repair_statement(f.object) IS NOT NULL AND f.rule ~ '^[ICR][0-9]+$'
			ORDER BY f.object NOT IN ('identifier.key', 'identifier.holder'), f.object
		LOOP
			EXECUTE format(statement, directory) USING ids, directory;
		END LOOP;
	END LOOP;
	RETURN QUERY
		SELECT coalesce(f.rule, r.rule), coalesce(f.object, r.object), coalesce(f.found, 0), coalesce(r.found, 0)
		FROM jsonb_to_recordset(first) f (rule text, object text, found bigint)
			FULL JOIN jsonb_to_recordset(findings) r (rule text, object text, found bigint)
				ON r.rule = f.rule AND r.object = f.object
		ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION contacts.repair_directory(text) IS 'makes the triggers of a directory again and recomputes what is derived; how many findings of each kind check_directory() had before and has after; what remains is for people to decide; consent states only rise';
