-- Privacy: what a directory holds about a person, and erasure.
--
-- Which tables and columns hold personal values stands in one list,
-- contacts.personal_data.  Export, erasure and the test privacy_list share it.

CREATE TABLE contacts.personal_data (
	relation name PRIMARY KEY,
	contact_column name,
	key_column name,
	erasure text NOT NULL,
	personal name[] NOT NULL,
	other name[] NOT NULL,
	secret name[] NOT NULL DEFAULT '{}',
	CONSTRAINT personal_data_erasure CHECK (erasure IN ('delete', 'blank', 'keep')),
	CONSTRAINT personal_data_is_found CHECK ((erasure = 'keep') = (coalesce(contact_column, key_column) IS NULL))
);
COMMENT ON TABLE contacts.personal_data IS 'every table of a directory: how the rows about a person are found, and what an erasure does with them';
COMMENT ON COLUMN contacts.personal_data.relation IS 'name of the table';
COMMENT ON COLUMN contacts.personal_data.contact_column IS 'column that names the contact, if there is one';
COMMENT ON COLUMN contacts.personal_data.key_column IS 'column with the key of a value that the person holds or held (identifier.key), if there is one';
COMMENT ON COLUMN contacts.personal_data.erasure IS 'delete: the rows go; blank: they stay without their personal values; keep: nothing about a person';
COMMENT ON COLUMN contacts.personal_data.personal IS 'columns with personal values; {*}: the whole row';
COMMENT ON COLUMN contacts.personal_data.other IS 'columns that stay as they are';
COMMENT ON COLUMN contacts.personal_data.secret IS 'columns that are in no export';
GRANT SELECT ON contacts.personal_data TO PUBLIC;

INSERT INTO contacts.personal_data (relation, contact_column, key_column, erasure, personal, other) VALUES
	('contact', 'id', NULL, 'delete', '{*}', '{}'),
	('relationship', 'contact_id', NULL, 'delete', '{*}', '{}'),
	('subscription', 'contact_id', NULL, 'delete', '{*}', '{}'),
	('legal_hold', 'contact_id', NULL, 'delete', '{*}', '{}'),
	('contact_share', 'contact_id', NULL, 'delete', '{*}', '{}'),
	('delivery_notice', NULL, 'key', 'delete', '{*}', '{}'),
	('merge_suggestion', 'contact_id', NULL, 'delete', '{*}', '{}'),
	-- ids; what a merge was for
	('contact_alias', 'contact_id', NULL, 'delete', '{*}', '{}'),
	('merge_history', 'survivor_id', NULL, 'blank',
		'{reason}',
		'{id,survivor_id,loser_ids,merged_by,merged_at,counts,unmerged_by,unmerged_at}'),
	-- C6: what is suppressed or unsubscribed leaves its key, state, reason and time
	('identifier', 'contact_id', 'key', 'blank',
		'{value,slug,validated_at,validation_method,source}',
		'{id,contact_id,semantic_type,key,holder,is_validated,is_outreach,status,status_reason,status_changed_at,created_at}'),
	-- C5: the log of consent
	('consent_event', NULL, 'key', 'blank',
		'{source,evidence,role}',
		'{id,key,old_state,new_state,reason,at}'),
	('subscription_event', 'contact_id', 'key', 'blank',
		'{source,evidence,role}',
		'{id,topic_id,contact_id,key,old_state,new_state,at}'),
	-- messages keep their counts
	('email_message', 'contact_id', 'key', 'blank',
		'{address,key,subject,body,provider_id,error,idempotency_key}',
		'{id,direction,kind,contact_id,template_id,topic_id,body_format,state,send_at,leased_until,attempts,sent_at,created_at}'),
	('sms_message', 'contact_id', 'key', 'blank',
		'{address,key,body,provider_id,error,idempotency_key}',
		'{id,direction,kind,contact_id,template_id,topic_id,state,send_at,leased_until,attempts,sent_at,created_at}'),
	-- not about a person
	('organization', NULL, NULL, 'keep', '{}', '{id,name,slug,domain,created_at,updated_at}'),
	('semantic_type', NULL, NULL, 'keep', '{}', '{name,value_type,is_exclusive,is_contactable}'),
	('identifier_slug', NULL, NULL, 'keep', '{}', '{semantic_type,slug}'),
	('object_type', NULL, NULL, 'keep', '{}', '{id,api_name,label,relation,key_column}'),
	('relationship_type', NULL, NULL, 'keep', '{}',
		'{id,name,label,inverse_id,inverse_name,inverse_label,is_symmetric,source_type_id,object_type_id,is_single,inverse_is_single,is_household,description,is_archived}'),
	('subscription_topic', NULL, NULL, 'keep', '{}', '{id,name,label,description,needs_subscription,archived_at,created_at}'),
	('message_template', NULL, NULL, 'keep', '{}', '{id,name,kind,subject,body,body_format,archived_at,created_at,updated_at}'),
	('directory_share', NULL, NULL, 'keep', '{}', '{role,may_edit,created_at}'),
	('record_share', NULL, NULL, 'keep', '{}', '{id,object_type_id,record_id,record_uuid,role,may_edit,created_at}'),
	('contact_reference', NULL, NULL, 'keep', '{}', '{relation,column_name}'),
	('erasure', NULL, NULL, 'keep', '{}', '{id,reason,counts,role,at}'),
	('setting', NULL, NULL, 'keep', '{}',
		'{id,version,name_rule,secret_fingerprint,marketing_needs_opt_in,is_texting_enabled,soft_bounce_limit,soft_bounce_window,default_time_zone,sms_quiet_from,sms_quiet_until,lease_duration,validation_otp_lifetime,validation_link_lifetime,validation_attempts,ghost_retention,identify_merge_policy}'),
	('secret', NULL, NULL, 'keep', '{}', '{id,value}');
INSERT INTO contacts.personal_data (relation, contact_column, key_column, erasure, personal, other, secret) VALUES
	('credential', 'contact_id', NULL, 'delete', '{*}', '{}', '{verifier}'),
	-- images of rows
	('merge_journal', 'contact_id', NULL, 'delete', '{*}', '{}', '{verifier}'),
	('validation', NULL, 'key', 'delete', '{*}', '{}', '{digest}');

CREATE FUNCTION contacts.legal_hold() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.legal_hold() IS 'BEFORE DELETE on contact, BEFORE TRUNCATE on legal_hold: whom a legal hold names is kept; raises 23001, constraint legal_hold';

CREATE FUNCTION contacts.import_states(identifier regclass, addresses text[], state text,
	reason text, source text) RETURNS integer
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.import_states(regclass, text[], text, text, text) IS 'takes over suppressed or unsubscribed addresses and returns how many distinct ones there were; needs UPDATE on identifier.status (C9)';

CREATE FUNCTION contacts.import_key_states(identifier regclass, semantic_type text, keys uuid[],
	fingerprint bytea, state text, reason text, source text) RETURNS integer
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.import_key_states(regclass, text, uuid[], bytea, text, text, text) IS 'likewise values of a kind by their keys, from a directory with the secret of that fingerprint';

CREATE FUNCTION contacts.erase_rows(statement text, contact_id bigint, keys uuid[]) RETURNS bigint
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.erase_rows(text, bigint, uuid[]) IS 'runs a statement of an erasure, with the rights of the caller, over what is committed now, in every isolation level; returns how many rows it changed';

-- The directory that a table contact is of.
CREATE FUNCTION contacts.directory_of(contact regclass) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	directory text := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = contact AND c.relname = 'contact');
BEGIN
	IF directory IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('%s is not the table contact of a directory', coalesce(contact::text, 'NULL'));
	END IF;
	PERFORM contacts.directory_schema(directory);
	RETURN directory;
END
$$;
COMMENT ON FUNCTION contacts.directory_of(regclass) IS 'name of the directory that a table contact is of; 42704 if it is of none';

CREATE FUNCTION contacts.no_contact(id bigint) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = format('no contact has the id %s', coalesce(id::text, 'NULL'));
END
$$;
COMMENT ON FUNCTION contacts.no_contact(bigint) IS 'raises P0002';

-- The rows about a person, of a table t: $1 is the contact, $2 are keys.  Rows of
-- nobody are many: they are found by their keys, not by an index on the contact.
CREATE FUNCTION contacts.is_about(tab contacts.personal_data) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE
		WHEN tab.key_column IS NULL THEN format('t.%I = $1', tab.contact_column)
		WHEN tab.contact_column IS NULL THEN format('t.%I = ANY ($2)', tab.key_column)
		ELSE format('(t.%1$I = $1 OR t.%2$I = ANY ($2) AND coalesce(t.%1$I, 0) = 0)', tab.contact_column, tab.key_column)
	END;
END;
COMMENT ON FUNCTION contacts.is_about(contacts.personal_data) IS 'condition for the rows about contact $1 with the keys $2, of a table t of a directory';

-- A key that a message bears is that of an address the person had, unless
-- somebody else has it now.
CREATE FUNCTION contacts.personal_keys(directory text, contact_id bigint) RETURNS uuid[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query text := (
		SELECT string_agg(format('SELECT t.%2$I AS key FROM ONLY %3$I.%4$I t WHERE t.%1$I = $1%5$s',
			p.contact_column, p.key_column, directory, p.relation,
			CASE WHEN p.relation <> 'identifier' THEN format(
				' AND NOT EXISTS (SELECT FROM ONLY %I.identifier i WHERE i.key = t.%I AND i.contact_id IS NOT NULL)',
				directory, p.key_column) END), ' UNION ')
		FROM contacts.personal_data p
		WHERE p.contact_column IS NOT NULL AND p.key_column IS NOT NULL);
	keys uuid[];
BEGIN
	EXECUTE format('SELECT array_agg(k.key ORDER BY k.key) FROM (%s) k WHERE k.key IS NOT NULL', query)
		INTO keys USING contact_id;
	RETURN coalesce(keys, '{}');
END
$$;
COMMENT ON FUNCTION contacts.personal_keys(text, bigint) IS 'keys of the values that a contact holds, and of those that it held and nobody holds now, as far as messages tell';

-- Other people's tables, in whatever schema: their foreign keys tell.
CREATE FUNCTION contacts.referring_tables(contact regclass)
	RETURNS TABLE (relation regclass, name text, condition text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT r.oid, format('%s.%s', n.nspname, r.relname), string_agg(DISTINCT
		CASE WHEN k.confkey = ARRAY[i.attnum] THEN format('t.%I = $1', x.columns[1])
		ELSE format('EXISTS (SELECT FROM ONLY %s c WHERE c.id = $1 AND (%s) = (%s))', contact,
			(SELECT string_agg(format('c.%I', f.attname), ', ' ORDER BY u.i)
				FROM unnest(k.confkey) WITH ORDINALITY u (attnum, i)
					JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = u.attnum),
			(SELECT string_agg(format('t.%I', y.name), ', ' ORDER BY y.i)
				FROM unnest(x.columns) WITH ORDINALITY y (name, i))) END, ' OR ')
	FROM pg_constraint k
		JOIN pg_class r ON r.oid = k.conrelid
		JOIN pg_namespace n ON n.oid = r.relnamespace
		JOIN pg_class c ON c.oid = k.confrelid
		JOIN pg_attribute i ON i.attrelid = c.oid AND i.attname = 'id'
		CROSS JOIN LATERAL (
			SELECT array_agg(a.attname ORDER BY u.i) AS columns
			FROM unnest(k.conkey) WITH ORDINALITY u (attnum, i)
				JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) x
	WHERE k.contype = 'f' AND k.confrelid = contact AND k.conparentid = 0
		AND NOT (r.relnamespace = c.relnamespace
			AND EXISTS (SELECT FROM contacts.personal_data p WHERE p.relation = r.relname))
	GROUP BY r.oid, n.nspname, r.relname
	ORDER BY 2;
END;
COMMENT ON FUNCTION contacts.referring_tables(regclass) IS 'tables that are not the extension''s and refer to contacts by foreign keys, and the condition for their rows t about contact $1';

-- Whoever exports needs no right on a secret column: it is not read.
CREATE FUNCTION contacts.exported_row(directory text, tab contacts.personal_data) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE WHEN tab.secret = '{}' THEN 't' ELSE (
		SELECT format('(SELECT r FROM (SELECT %s) r)', string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum))
		FROM pg_attribute a
		WHERE a.attrelid = format('%I.%I', directory, tab.relation)::regclass
			AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (tab.secret)) END;
END;
COMMENT ON FUNCTION contacts.exported_row(text, contacts.personal_data) IS 'expression for what of a row t of a table is exported: all but secret columns';

CREATE FUNCTION contacts.export_person(contact regclass, contact_id bigint) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	directory text := contacts.directory_of(contact);
	keys uuid[] := contacts.personal_keys(directory, contact_id);
	document jsonb := jsonb_build_object('directory', directory, 'exported_at', now());
	source record;
	rows jsonb;
BEGIN
	FOR source IN
		SELECT p.relation::text AS name, format('ONLY %I.%I', directory, p.relation) AS relation,
			contacts.is_about(p) AS condition, contacts.exported_row(directory, p) AS row
		FROM contacts.personal_data p WHERE p.erasure <> 'keep'
		UNION ALL
		SELECT r.name, r.relation::text, r.condition, 't' FROM contacts.referring_tables(contact) r
	LOOP
		EXECUTE format($query$
			SELECT coalesce(jsonb_agg(d.row ORDER BY d.row -> 'id', d.row), '[]')
			FROM (SELECT to_jsonb(%s) AS row FROM %s t WHERE %s) d$query$, source.row, source.relation, source.condition)
			INTO rows USING contact_id, keys;
		document := document || jsonb_build_object(source.name, rows);
	END LOOP;
	IF document -> 'contact' = '[]' THEN
		PERFORM contacts.no_contact(contact_id);
	END IF;
	RETURN document;
END
$$;
COMMENT ON FUNCTION contacts.export_person(regclass, bigint) IS 'everything held about a person, an array of rows by table; what a directory''s export_person() calls';

-- Personal columns are blanked, and so are columns that users added; those that
-- cannot be NULL go back to their defaults.
CREATE FUNCTION contacts.blank_statement(directory text, tab contacts.personal_data) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('UPDATE ONLY %I.%I t SET %s WHERE %s AND num_nonnulls(%s) > 0', directory, tab.relation,
		string_agg(format('%I = %s', a.attname, CASE WHEN a.attnotnull THEN 'DEFAULT' ELSE 'NULL' END), ', '),
		contacts.is_about(tab), string_agg(format('t.%I', a.attname), ', '))
	FROM pg_attribute a
	WHERE a.attrelid = format('%I.%I', directory, tab.relation)::regclass
		AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
		AND a.attname <> ALL (tab.other);
END;
COMMENT ON FUNCTION contacts.blank_statement(text, contacts.personal_data) IS 'statement that blanks the personal values of the rows about contact $1 with the keys $2';

CREATE FUNCTION contacts.erase_person(contact regclass, contact_id bigint, reason text) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
	directory text := contacts.directory_of(contact);
	counts jsonb := '{}';
	keys uuid[];
	tab contacts.personal_data;
	name text;
	n bigint;
BEGIN
	-- lock order: the contact, then identifiers by key
	EXECUTE format('SELECT count(*) FROM (SELECT FROM ONLY %I.contact c WHERE c.id = $1 FOR UPDATE) c', directory)
		INTO n USING contact_id;
	IF n = 0 THEN
		PERFORM contacts.no_contact(contact_id);
	END IF;
	keys := contacts.personal_keys(directory, contact_id);
	EXECUTE format($query$
		SELECT count(*) FROM (SELECT FROM ONLY %I.identifier i
			WHERE i.key = ANY ($1) ORDER BY i.key, i.holder DESC FOR UPDATE) i$query$, directory)
		INTO n USING keys;
	-- a number that somebody else holds, too, remains his
	EXECUTE format($query$
		SELECT array_agg(k.key) FROM unnest($1) k (key) WHERE NOT EXISTS (
			SELECT FROM ONLY %I.identifier i WHERE i.key = k.key AND i.contact_id <> $2)$query$, directory)
		INTO keys USING keys, contact_id;

	FOR tab IN SELECT p.* FROM contacts.personal_data p WHERE p.erasure <> 'keep' ORDER BY p.relation LOOP
		EXECUTE format('SELECT count(*) FROM ONLY %I.%I t WHERE %s', directory, tab.relation, contacts.is_about(tab))
			INTO n USING contact_id, keys;
		counts := counts || jsonb_build_object(tab.relation, n);
	END LOOP;
	FOREACH name IN ARRAY '{email_message,sms_message}'::text[] LOOP
		PERFORM contacts.erase_rows(format($query$
			UPDATE ONLY %I.%I t SET state = 'cancelled', leased_until = NULL
			WHERE (t.contact_id = $1 OR t.key = ANY ($2)) AND t.state IN ('queued', 'sending')$query$, directory, name), contact_id, keys);
		-- of what was sent to others at the address, the address is hers
		PERFORM contacts.erase_rows(format($query$
			UPDATE ONLY %I.%I t SET address = NULL, key = NULL
			WHERE t.contact_id <> $1 AND t.key = ANY ($2)$query$, directory, name), contact_id, keys);
	END LOOP;
	-- what names the contact, while it does
	FOR tab IN SELECT p.* FROM contacts.personal_data p
		WHERE p.erasure = 'blank' AND p.contact_column IS NOT NULL AND p.relation <> 'identifier'
		ORDER BY p.relation
	LOOP
		PERFORM contacts.erase_rows(contacts.blank_statement(directory, tab), contact_id, keys);
	END LOOP;
	EXECUTE format('DELETE FROM ONLY %I.contact c WHERE c.id = $1', directory) USING contact_id;
	-- what bears the keys, and the events that the deletion has added
	FOR tab IN SELECT p.* FROM contacts.personal_data p
		WHERE p.key_column IS NOT NULL ORDER BY p.relation <> 'identifier', p.relation
	LOOP
		PERFORM contacts.erase_rows(CASE tab.erasure
			WHEN 'blank' THEN contacts.blank_statement(directory, tab)
			ELSE format('DELETE FROM ONLY %I.%I t WHERE %s', directory, tab.relation, contacts.is_about(tab)) END,
			contact_id, keys);
	END LOOP;
	EXECUTE format('INSERT INTO %I.erasure (reason, counts) VALUES ($1, $2)', directory) USING reason, counts;
	RETURN counts;
END
$$;
COMMENT ON FUNCTION contacts.erase_person(regclass, bigint, text) IS 'deletes a contact and blanks all personal values about it; what a directory''s erase_person() calls';
