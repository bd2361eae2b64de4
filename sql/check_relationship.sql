-- What check_directory() and repair_directory() do about links (rules R1, R2).
-- Loaded before check.sql, whose functions call these.

-- One pass over relationship, in which each row meets its partner.
CREATE FUNCTION contacts.check_relationships(directory text)
	RETURNS TABLE (rule text, object text, row_id bigint, message text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH compared AS (
			SELECT r.id,
				t.id IS NULL AS is_untyped,
				t.source_type_id <> 1 OR (t.object_type_id = 1) <> (r.related_contact_id IS NOT NULL) AS is_unfit,
				t.id IS NOT NULL AND r.inverse_type_id IS DISTINCT FROM t.inverse_id AS is_other_inverse,
				t.id IS NOT NULL AND r.is_single IS DISTINCT FROM t.is_single AS is_other_single,
				t.id IS NOT NULL AND r.inverse_is_single IS DISTINCT FROM t.inverse_is_single AS is_other_inverse_single,
				c.id IS NULL OR r.related_contact_id IS NOT NULL AND d.id IS NULL AS is_orphan,
				r.related_contact_id IS NOT NULL AND m.id IS NULL AS is_half,
				r.is_moving,
				r.id > 0 AND (m.contact_id, m.related_contact_id, m.relationship_type_id,
						m.started_on, m.ended_on, m.note, m.is_primary)
					IS DISTINCT FROM (r.related_contact_id, r.contact_id, coalesce(t.inverse_id, m.relationship_type_id),
						r.started_on, r.ended_on, r.note, r.is_primary)
					AND m.id IS NOT NULL AS is_unequal
			FROM ONLY %1$I.relationship r
				LEFT JOIN ONLY %1$I.relationship_type t ON t.id = r.relationship_type_id
				LEFT JOIN ONLY %1$I.contact c ON c.id = r.contact_id
				LEFT JOIN ONLY %1$I.contact d ON d.id = r.related_contact_id
				LEFT JOIN ONLY %1$I.relationship m ON m.id = -r.id
		)
		SELECT f.rule, f.object, w.id, f.message
		FROM compared w CROSS JOIN LATERAL (VALUES
			(w.is_untyped, 'R1', 'relationship.relationship_type_id', 'there is no such type'),
			(w.is_unfit, 'R1', 'relationship.relationship_type_id', 'the type does not lead from a contact to what the row leads to'),
			(w.is_other_inverse, 'R1', 'relationship.inverse_type_id', 'is not the inverse of the type'),
			(w.is_other_single, 'R1', 'relationship.is_single', 'is not what the type says'),
			(w.is_other_inverse_single, 'R1', 'relationship.inverse_is_single', 'is not what the type says'),
			(w.is_moving, 'R1', 'relationship.is_moving', 'is left out of what there may be one of'),
			(w.is_orphan, 'R2', 'relationship.contact_id', 'there is no such contact on one side'),
			(w.is_half AND w.id > 0, 'R2', 'relationship', 'has no mirror'),
			(w.is_half AND w.id < 0, 'R2', 'relationship', 'is a mirror of no row'),
			(w.is_unequal, 'R2', 'relationship.is_mirror', 'differs from its mirror')
			) f (is_broken, rule, object, message)
		WHERE (w.is_untyped OR w.is_unfit OR w.is_other_inverse OR w.is_other_single
				OR w.is_other_inverse_single OR w.is_moving OR w.is_orphan OR w.is_half OR w.is_unequal)
			AND f.is_broken
		UNION ALL
		SELECT 'R1', 'relationship.ended_on', min(r.id), 'is one of several that have not ended: the contact may have one'
		FROM ONLY %1$I.relationship r JOIN ONLY %1$I.relationship_type t ON t.id = r.relationship_type_id
		WHERE t.is_single AND r.ended_on IS NULL
		GROUP BY r.contact_id, r.relationship_type_id HAVING count(*) > 1
		UNION ALL
		SELECT 'R1', 'relationship.ended_on', min(r.id), 'is one of several that have not ended: the record may have one'
		FROM ONLY %1$I.relationship r JOIN ONLY %1$I.relationship_type t ON t.id = r.relationship_type_id
		WHERE t.inverse_is_single AND r.ended_on IS NULL AND r.related_contact_id IS NULL
		GROUP BY r.relationship_type_id, r.record_id, r.record_uuid HAVING count(*) > 1
		$q$, directory);
END
$$;
COMMENT ON FUNCTION contacts.check_relationships(text) IS 'what check_directory() finds in relationships: halves of links, unequal pairs, orphans, copies that the type belies, several where one may be';

-- As contacts.repair_statement(), for links.  The row as it was entered wins
-- over its mirror; half a link becomes a whole one; a link without an end goes.
-- Where somebody would get a second link where one may be, people decide.
CREATE FUNCTION contacts.repair_relationship_statement(object text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	-- what is copied from a type is copied together
	SELECT CASE CASE WHEN object IN ('relationship.is_single', 'relationship.inverse_is_single')
			THEN 'relationship.inverse_type_id' ELSE object END
		WHEN 'relationship.contact_id' THEN $q$
			DELETE FROM ONLY %1$I.relationship WHERE id = ANY ($1) $q$
		WHEN 'relationship.inverse_type_id' THEN $q$
			UPDATE ONLY %1$I.relationship r
			SET inverse_type_id = t.inverse_id, is_single = t.is_single, inverse_is_single = t.inverse_is_single
			FROM ONLY %1$I.relationship_type t
			WHERE r.id = ANY ($1) AND t.id = r.relationship_type_id AND NOT EXISTS (
				SELECT FROM ONLY %1$I.relationship o
				WHERE o.id <> r.id AND o.ended_on IS NULL AND r.ended_on IS NULL
					AND (t.is_single AND o.contact_id = r.contact_id AND o.relationship_type_id = t.id
						OR t.inverse_is_single AND o.contact_id = r.related_contact_id AND o.relationship_type_id = t.inverse_id
							AND o.id <> -r.id
						OR t.inverse_is_single AND o.relationship_type_id = t.id AND r.related_contact_id IS NULL
							AND (o.record_id = r.record_id OR o.record_uuid = r.record_uuid))) $q$
		WHEN 'relationship.is_moving' THEN $q$
			UPDATE ONLY %1$I.relationship r SET is_moving = false
			FROM ONLY %1$I.relationship_type t
			WHERE r.id = ANY ($1) AND r.is_moving AND t.id = r.relationship_type_id AND NOT EXISTS (
				SELECT FROM ONLY %1$I.relationship o
				WHERE o.id <> r.id AND o.ended_on IS NULL AND r.ended_on IS NULL
					AND (t.is_single AND o.contact_id = r.contact_id AND o.relationship_type_id = t.id
						OR t.inverse_is_single AND o.contact_id = r.related_contact_id AND o.relationship_type_id = t.inverse_id
							AND o.id <> -r.id)) $q$
		WHEN 'relationship.is_mirror' THEN $q$
			DELETE FROM ONLY %1$I.relationship m USING ONLY %1$I.relationship r
			WHERE r.id = ANY ($1) AND r.related_contact_id IS NULL AND m.id = -r.id;
			UPDATE ONLY %1$I.relationship m
			SET relationship_type_id = t.inverse_id, contact_id = r.related_contact_id,
				related_contact_id = r.contact_id, started_on = r.started_on, ended_on = r.ended_on,
				note = r.note, is_primary = r.is_primary
			FROM ONLY %1$I.relationship r JOIN ONLY %1$I.relationship_type t ON t.id = r.relationship_type_id
			WHERE r.id = ANY ($1) AND r.related_contact_id IS NOT NULL AND m.id = -r.id
				AND t.source_type_id = 1 AND t.object_type_id = 1 AND NOT EXISTS (
				SELECT FROM ONLY %1$I.relationship o
				WHERE t.inverse_is_single AND r.ended_on IS NULL AND o.ended_on IS NULL AND o.id <> m.id
					AND o.contact_id = r.related_contact_id AND o.relationship_type_id = t.inverse_id) $q$
		WHEN 'relationship' THEN $q$
			INSERT INTO %1$I.relationship (id, relationship_type_id, contact_id, related_contact_id,
				started_on, ended_on, note, is_primary, created_at)
			SELECT -r.id, t.inverse_id, r.related_contact_id, r.contact_id,
				r.started_on, r.ended_on, r.note, r.is_primary, r.created_at
			FROM ONLY %1$I.relationship r JOIN ONLY %1$I.relationship_type t ON t.id = r.relationship_type_id
				JOIN ONLY %1$I.contact c ON c.id = r.contact_id JOIN ONLY %1$I.contact d ON d.id = r.related_contact_id
			WHERE r.id = ANY ($1) AND r.id > 0 AND r.inverse_type_id = t.inverse_id
				AND t.source_type_id = 1 AND t.object_type_id = 1
				AND NOT EXISTS (SELECT FROM ONLY %1$I.relationship m WHERE m.id = -r.id)
				AND NOT EXISTS (SELECT FROM ONLY %1$I.relationship o
					WHERE t.inverse_is_single AND r.ended_on IS NULL AND o.ended_on IS NULL
						AND o.contact_id = r.related_contact_id AND o.relationship_type_id = t.inverse_id);
			WITH half AS (
				DELETE FROM ONLY %1$I.relationship m
				USING ONLY %1$I.relationship_type t, ONLY %1$I.contact c, ONLY %1$I.contact d
				WHERE m.id = ANY ($1) AND m.id < 0 AND t.id = m.relationship_type_id
					AND c.id = m.contact_id AND d.id = m.related_contact_id
					AND t.source_type_id = 1 AND t.object_type_id = 1 AND NOT t.is_archived
					AND NOT EXISTS (SELECT FROM ONLY %1$I.relationship r WHERE r.id = -m.id)
					AND NOT EXISTS (SELECT FROM ONLY %1$I.relationship o
						WHERE m.ended_on IS NULL AND o.ended_on IS NULL AND o.id <> m.id
							AND (t.is_single AND o.contact_id = m.contact_id AND o.relationship_type_id = t.id
								OR t.inverse_is_single AND o.contact_id = m.related_contact_id
									AND o.relationship_type_id = t.inverse_id))
				RETURNING m.*, t.inverse_id
			)
			INSERT INTO %1$I.relationship (relationship_type_id, contact_id, related_contact_id,
				started_on, ended_on, note, is_primary, created_at)
			SELECT inverse_id, related_contact_id, contact_id,
				started_on, ended_on, note, is_primary, created_at
			FROM half
			ON CONFLICT DO NOTHING $q$
	END;
END;
COMMENT ON FUNCTION contacts.repair_relationship_statement(text) IS 'what repair_directory() does about a finding of check_relationships(); NULL: nothing';
