-- Upkeep: ghosts that nobody will miss are deleted, what is derived is computed
-- again.

-- Rows of other tables that refer to a row of a table, those aside that are
-- that row's own.
CREATE FUNCTION contacts.refers_to_row(relation regclass, alias text, own regclass[]) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT string_agg(format('EXISTS (SELECT FROM %s%I.%I t WHERE %s)',
		CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, r.relname, x.matches), ' OR ' ORDER BY k.oid)
	FROM pg_constraint k
		JOIN pg_class r ON r.oid = k.conrelid
		JOIN pg_namespace n ON n.oid = r.relnamespace
		CROSS JOIN LATERAL (
			SELECT string_agg(format('%s.%I OPERATOR(%I.%s) t.%I', alias, p.attname, q.nspname, o.oprname, f.attname), ' AND ') AS matches
			FROM generate_subscripts(k.conkey, 1) i
				JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = k.conkey[i]
				JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[i]
				JOIN pg_operator o ON o.oid = k.conpfeqop[i]
				JOIN pg_namespace q ON q.oid = o.oprnamespace) x
	WHERE k.contype = 'f' AND k.confrelid = relation AND k.conparentid = 0 AND k.conrelid <> ALL (own::oid[]);
END;
COMMENT ON FUNCTION contacts.refers_to_row(regclass, text, regclass[]) IS 'condition: a row of any table but those refers to the row alias of a table by a foreign key; NULL if no table can';

-- Whatever refers to a contact c or to an identifier of its, in whatever schema,
-- and what was registered as a reference without a foreign key.  Identifiers,
-- with their validations, are a contact's own; so is what the directory keeps
-- about merging and sharing it.
CREATE FUNCTION contacts.refers_to_contact(contact regclass) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	directory text := contacts.directory_of(contact);
	own regclass[] := ARRAY(SELECT to_regclass(format('%I.%I', directory, t))
		FROM unnest('{identifier,validation,contact_alias,merge_journal,merge_suggestion,contact_share}'::text[]) t
		WHERE to_regclass(format('%I.%I', directory, t)) IS NOT NULL);
	condition text := contacts.refers_to_row(contact, 'c', own);
	to_identifier text := contacts.refers_to_row(format('%I.identifier', directory)::regclass, 'i', own);
	registered text;
BEGIN
	IF to_identifier IS NOT NULL THEN
		condition := concat_ws(' OR ', condition,
			format('EXISTS (SELECT FROM ONLY %I.identifier i WHERE i.contact_id = c.id AND (%s))', directory, to_identifier));
	END IF;
	-- a directory of an earlier version has no such table
	IF to_regclass(format('%I.contact_reference', directory)) IS NOT NULL THEN
		EXECUTE format($query$
			SELECT string_agg(format('EXISTS (SELECT FROM %%s%%I.%%I t WHERE t.%%I = c.id)',
				CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, r.relname, a.attname), ' OR ')
			FROM ONLY %I.contact_reference f
				JOIN pg_class r ON r.oid = f.relation::oid
				JOIN pg_namespace n ON n.oid = r.relnamespace
				JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = f.column_name AND NOT a.attisdropped
			$query$, directory) INTO registered;
	END IF;
	RETURN coalesce(concat_ws(' OR ', condition, registered), 'false');
END
$$;
COMMENT ON FUNCTION contacts.refers_to_contact(regclass) IS 'condition: a row of any table refers to contact c or to an identifier of its, by a foreign key, or to c by a registered reference; what is the contact''s own, and what the directory keeps about merging and sharing it, aside';

-- Candidates are locked first, where nobody else has them; whoever adds a row
-- that refers to one by a foreign key locks it, too.  Only then is it looked at
-- whether anything does, in a statement of its own, which sees what is committed
-- by then.
CREATE FUNCTION contacts.delete_ghosts(contact regclass, older_than interval, batch integer, after_id bigint,
	OUT last_id bigint, OUT deleted bigint, OUT kept bigint, OUT locked bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
	directory text := contacts.directory_of(contact);
	is_ghost constant text := $q$c.contact_type::text = 'ghost' AND greatest(c.last_seen_at, c.updated_at, c.created_at) <= $1$q$;
	before timestamptz;
	found bigint[];
	ids bigint[];
BEGIN
	IF batch IS NULL OR batch < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'batch must be at least 1';
	END IF;
	IF older_than < '0' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'older_than must not be negative';
	END IF;
	EXECUTE format('SELECT now() - coalesce($1, s.ghost_retention) FROM ONLY %I.setting s', directory)
		INTO before USING older_than;
	EXECUTE format('SELECT array_agg(g.id), max(g.id) FROM (SELECT c.id FROM ONLY %s c WHERE %s AND c.id > $2 ORDER BY c.id LIMIT $3) g',
		contact, is_ghost)
		INTO found, last_id USING before, after_id, batch;
	EXECUTE format('SELECT array_agg(g.id) FROM (SELECT c.id FROM ONLY %s c WHERE %s AND c.id = ANY ($2) ORDER BY c.id FOR UPDATE SKIP LOCKED) g',
		contact, is_ghost)
		INTO ids USING before, found;
	EXECUTE format($query$
		DELETE FROM ONLY %1$s c
		WHERE c.id = ANY ($1) AND c.email_status::text = 'not_opted_in'
			AND NOT EXISTS (
				SELECT FROM ONLY %2$I.identifier i
				WHERE i.contact_id = c.id AND (
					-- the state of a shared value stands in a row of its own (I10)
					EXISTS (SELECT FROM ONLY %2$I.identifier s
						WHERE s.key = i.key AND s.holder = 0 AND s.status::text <> 'not_opted_in')
					OR EXISTS (SELECT FROM ONLY %2$I.email_message m WHERE m.key = i.key)
					OR EXISTS (SELECT FROM ONLY %2$I.sms_message m WHERE m.key = i.key)
					OR EXISTS (SELECT FROM ONLY %2$I.validation v
						WHERE v.identifier_id = i.id AND v.consumed_at IS NULL AND v.expires_at > now())))
			AND NOT (%3$s)
		$query$, contact, directory, contacts.refers_to_contact(contact))
		USING ids;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	kept := coalesce(cardinality(ids), 0) - deleted;
	locked := coalesce(cardinality(found), 0) - coalesce(cardinality(ids), 0);
	IF coalesce(cardinality(found), 0) < batch THEN
		last_id := NULL;
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.delete_ghosts(regclass, interval, integer, bigint) IS 'a batch of a directory''s cleanup_ghosts(): ghosts with ids after that one; last_id: where the next one goes on, NULL at the end; needs the right to read whatever refers to contacts';

-- Which columns are computed from others; check_directory() names each so.
CREATE FUNCTION contacts.derived_columns() RETURNS TABLE (relation name, column_name name)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	VALUES ('contact'::name, 'email'::name), ('contact', 'email_status'),
		('contact', 'mobile_phone'), ('contact', 'is_reachable'), ('contact', 'is_validated'),
		('contact', 'contact_type'), ('contact', 'organization_name'),
		('identifier', 'key'), ('identifier', 'holder'),
		('relationship', 'is_mirror'), ('relationship', 'inverse_type_id'),
		('relationship', 'is_single'), ('relationship', 'inverse_is_single'), ('relationship', 'is_moving'),
		('email_message', 'key'), ('sms_message', 'key'), ('delivery_notice', 'key');
END;
COMMENT ON FUNCTION contacts.derived_columns() IS 'the columns of a directory that are computed from others, or follow them';

-- The rules are those of check_directory() and repair_directory(), which know
-- them set-based, each in one pass; what is added is the answer for every column.
CREATE FUNCTION contacts.recompute(directory text)
	RETURNS TABLE (relation name, column_name name, drifted bigint, remaining bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT d.relation, d.column_name, coalesce(sum(r.found), 0)::bigint, coalesce(sum(r.remaining), 0)::bigint
	FROM contacts.derived_columns() d LEFT JOIN contacts.repair_directory(directory) r ON r.object = d.relation || '.' || d.column_name
	GROUP BY d.relation, d.column_name
	ORDER BY d.relation, d.column_name;
END
$$;
COMMENT ON FUNCTION contacts.recompute(text) IS 'computes every derived column of a directory again, as repair_directory() does, and tells for each how many rows had drifted, 0 where all is well, and how many still do, for people to decide';
