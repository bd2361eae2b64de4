-- What check_directory() finds in types of relationships and registered tables
-- (rules R1, R3, R4).

-- Which of the keys in links have no record, is looked up as the owners of the
-- tables: whoever checks a directory need not be let into them, nor trust them.
CREATE FUNCTION contacts.check_records(directory text)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH missing AS MATERIALIZED (
			SELECT o.id AS object_type_id, o.api_name,
				contacts.missing_records(format('%%I.object_type', %1$L)::regclass, o.relation::regclass, array_agg(DISTINCT r.record_id)
					FILTER (WHERE r.record_id IS NOT NULL)) AS ids,
				contacts.missing_records(format('%%I.object_type', %1$L)::regclass, o.relation::regclass, array_agg(DISTINCT r.record_uuid)
					FILTER (WHERE r.record_uuid IS NOT NULL)) AS uuids
			FROM ONLY %1$I.relationship r
				JOIN ONLY %1$I.relationship_type t ON t.id = r.relationship_type_id
				JOIN ONLY %1$I.object_type o ON o.id = t.object_type_id
			WHERE r.related_contact_id IS NULL
			GROUP BY o.id, o.api_name, o.relation
		), gone AS (
			SELECT m.object_type_id, m.api_name, i.id, NULL::uuid AS uuid FROM missing m CROSS JOIN unnest(m.ids) i (id)
			UNION ALL
			SELECT m.object_type_id, m.api_name, NULL, i.uuid FROM missing m CROSS JOIN unnest(m.uuids) i (uuid)
		)
		SELECT 'R3', 'relationship.record_id', r.id, format('there is no such record of object type %%s', g.api_name)
		FROM gone g
			JOIN ONLY %1$I.relationship_type t ON t.object_type_id = g.object_type_id
			JOIN ONLY %1$I.relationship r ON r.relationship_type_id = t.id
				AND (r.record_id = g.id OR r.record_uuid = g.uuid)
		ORDER BY r.id
		$q$, directory);
END
$$;
COMMENT ON FUNCTION contacts.check_records(text) IS 'links of a directory to records that do not exist, in tables that do';

CREATE FUNCTION contacts.check_objects(directory text)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT 'R1', 'relationship_type.inverse_id', t.id,
			CASE WHEN o.id IS NULL THEN 'the type has no inverse'
				ELSE format('type %%s is not its inverse', o.name) END
		FROM ONLY %1$I.relationship_type t LEFT JOIN ONLY %1$I.relationship_type o ON o.id = t.inverse_id
		WHERE o.inverse_id IS DISTINCT FROM t.id OR (t.id = o.id) <> t.is_symmetric
		UNION ALL
		SELECT 'R1', 'relationship_type', t.id, format('type %%s and its inverse do not say the same', t.name)
		FROM ONLY %1$I.relationship_type t JOIN ONLY %1$I.relationship_type o ON o.id = t.inverse_id AND t.id = o.inverse_id
		WHERE (t.name, t.label, t.is_single, t.source_type_id, t.is_household, t.is_archived)
				<> (o.inverse_name, o.inverse_label, o.inverse_is_single, o.object_type_id, o.is_household, o.is_archived)
			OR (t.inverse_name, t.inverse_label, t.inverse_is_single, t.object_type_id)
				<> (o.name, o.label, o.is_single, o.source_type_id)
			OR t.description IS DISTINCT FROM o.description
		UNION ALL
		SELECT 'R4', 'object_type', NULL, 'object type contact is missing'
		WHERE NOT EXISTS (SELECT FROM ONLY %1$I.object_type o WHERE o.id = 1 AND o.api_name = 'contact')
		UNION ALL
		SELECT 'R3', 'object_type.relation', o.id,
			format('the table of object type %%s does not exist: see contacts.register_object()', o.api_name)
		FROM ONLY %1$I.object_type o LEFT JOIN pg_class c ON c.oid = o.relation::oid
		WHERE c.oid IS NULL
		UNION ALL
		SELECT 'R3', 'object_type.relation', o.id, format('object type %%s leads to table %%s', o.api_name, o.relation)
		FROM ONLY %1$I.object_type o JOIN pg_class c ON c.oid = o.relation::oid
		WHERE o.api_name = 'contact' AND c.oid <> format('%%I.contact', %1$L)::regclass
		UNION ALL
		SELECT 'R3', 'object_type.key_column', o.id, format('column %%s cannot identify the records of table %%s', o.key_column, o.relation)
		FROM ONLY %1$I.object_type o JOIN pg_class c ON c.oid = o.relation::oid
		WHERE NOT EXISTS (SELECT FROM contacts.record_keys(c.oid) k WHERE k.name = o.key_column)
		UNION ALL
		SELECT 'R3', 'object_type', m.id, m.problem
		FROM contacts.missing_record_triggers(format('%%I.object_type', %1$L)::regclass) m
		$q$, directory);
	RETURN QUERY SELECT * FROM contacts.check_records(directory);
END
$$;
COMMENT ON FUNCTION contacts.check_objects(text) IS 'what check_directory() finds in types of relationships, object types and registered tables';

-- Run by repair_directory(): see contacts.repair_statement().
CREATE FUNCTION contacts.repair_object_statement(object text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE object
		WHEN 'relationship_type.inverse_id' THEN $q$
			INSERT INTO %1$I.relationship_type (id, name, label, inverse_name, inverse_label, source_type_id,
				object_type_id, is_single, inverse_is_single, is_household, description, is_archived)
			SELECT t.inverse_id, t.inverse_name, t.inverse_label, t.name, t.label, t.object_type_id,
				t.source_type_id, t.inverse_is_single, t.is_single, t.is_household, t.description, t.is_archived
			FROM ONLY %1$I.relationship_type t
			WHERE t.id = ANY ($1) AND NOT EXISTS (
				SELECT FROM ONLY %1$I.relationship_type o WHERE o.id = t.inverse_id OR o.name = t.inverse_name)
				AND t.inverse_id IS NOT NULL;
			UPDATE ONLY %1$I.relationship_type t SET inverse_id = NULL
			WHERE t.id = ANY ($1) $q$
		WHEN 'relationship_type' THEN $q$
			UPDATE ONLY %1$I.relationship_type t SET inverse_name = o.name, inverse_label = o.label,
				is_single = CASE WHEN t.source_type_id = 1 THEN t.is_single ELSE o.inverse_is_single END,
				inverse_is_single = CASE WHEN o.source_type_id = 1 THEN o.is_single ELSE t.inverse_is_single END
			FROM ONLY %1$I.relationship_type o
			WHERE t.id = ANY ($1) AND o.id = t.inverse_id AND NOT t.is_symmetric;
			UPDATE ONLY %1$I.relationship_type t SET is_household = o.is_household,
				description = o.description, is_archived = o.is_archived
			FROM ONLY %1$I.relationship_type o
			WHERE t.id = ANY ($1) AND o.id = t.inverse_id AND o.id < t.id $q$
		WHEN 'object_type' THEN $q$
			SELECT contacts.arm_records(format('%%I.object_type', %1$L)::regclass, o.relation::regclass)
			FROM ONLY %1$I.object_type o JOIN pg_class c ON c.oid = o.relation::oid
			WHERE o.id = ANY ($1) AND pg_has_role(c.relowner, 'USAGE')
				AND EXISTS (SELECT FROM contacts.record_keys(c.oid) k WHERE k.name = o.key_column) $q$
		WHEN 'object_type.key_column' THEN $q$
			UPDATE ONLY %1$I.object_type o SET key_column = a.attname
			FROM contacts.record_triggers(format('%%I.object_type', %1$L)::regclass) t
				JOIN pg_attribute a ON a.attrelid = t.relation AND a.attnum = t.key
			WHERE o.id = ANY ($1) AND t.relation = o.relation::oid AND t.event = 'delete' $q$
		WHEN 'object_type.relation' THEN $q$
			UPDATE ONLY %1$I.object_type o SET relation = c.oid::regclass
			FROM pg_class c
			WHERE o.id = ANY ($1) AND o.relation = 0 AND o.api_name IN ('contact', 'organization')
				AND c.oid = format('%%I.%%I', $2, o.api_name)::regclass
				AND NOT EXISTS (SELECT FROM ONLY %1$I.object_type x WHERE x.relation::oid = c.oid) $q$
		WHEN 'relationship.record_id' THEN $q$
			DELETE FROM ONLY %1$I.relationship WHERE id = ANY ($1) $q$
	END;
END;
COMMENT ON FUNCTION contacts.repair_object_statement(text) IS 'what repair_directory() does about types, objects and links to records; NULL: not one of these';
