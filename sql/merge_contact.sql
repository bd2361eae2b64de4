-- Merging contacts: the rules for a directory's own tables, and the function.

-- I4, I5: the loser's labels stay where the survivor has them free; main ones
-- become main where the survivor has none, else unlabelled.
CREATE FUNCTION contacts.merge_identifier_statement(directory text, is_main boolean) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format($statement$
		WITH old AS MATERIALIZED (
			SELECT %2$s i.id, %3$s AS slug, pg_catalog.to_jsonb(i.*) AS image
			FROM ONLY %1$I.identifier i
			WHERE i.contact_id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8 %4$s
		), moved AS (
			UPDATE ONLY %1$I.identifier t SET contact_id = $4, slug = old.slug
			FROM old WHERE t.id OPERATOR(pg_catalog.=) old.id
			RETURNING old.image, pg_catalog.to_jsonb(t.*) AS now
		)
		INSERT INTO %1$I.merge_journal (merge_id, contact_id, relation, action, columns, before, after)
		SELECT $3, $4, '%1$I.identifier'::pg_catalog.regclass, 'moved', '{contact_id,slug}', m.image, m.now FROM moved m$statement$,
		directory,
		CASE WHEN is_main THEN 'DISTINCT ON (i.semantic_type)' END,
		CASE WHEN is_main THEN '''main''' ELSE format($slug$
			CASE WHEN i.slug OPERATOR(pg_catalog.<>) 'main' AND NOT EXISTS (SELECT FROM ONLY %I.identifier o
				WHERE o.contact_id OPERATOR(pg_catalog.=) $4 AND o.semantic_type OPERATOR(pg_catalog.=) i.semantic_type
					AND o.slug OPERATOR(pg_catalog.=) i.slug) THEN i.slug END$slug$, directory) END,
		CASE WHEN is_main THEN format($condition$
			AND (i.slug OPERATOR(pg_catalog.=) 'main' OR i.slug IS NULL)
			AND NOT EXISTS (SELECT FROM ONLY %I.identifier o
				WHERE o.contact_id OPERATOR(pg_catalog.=) $4 AND o.semantic_type OPERATOR(pg_catalog.=) i.semantic_type
					AND o.slug OPERATOR(pg_catalog.=) 'main')
			ORDER BY i.semantic_type, i.slug NULLS LAST, i.id$condition$, directory) END);
END;
COMMENT ON FUNCTION contacts.merge_identifier_statement(text, boolean) IS 'statement that moves the identifiers of $1 to $4: those that become main ones, or the rest';

CREATE FUNCTION contacts.merge_identifiers(run contacts.merge_run, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation CONSTANT regclass := format('%I.identifier', run.directory);
	pair record;
BEGIN
	-- I10: a number that both hold
	FOR pair IN EXECUTE format($query$
		SELECT l.ctid AS place, l.tableoid AS part, k.ctid AS keep_place
		FROM ONLY %1$I.identifier l JOIN ONLY %1$I.identifier k ON k.key = l.key AND k.contact_id = $2
		WHERE l.contact_id = $1 ORDER BY l.key$query$, run.directory) USING (lose ->> 'id')::bigint, run.survivor_id
	LOOP
		PERFORM contacts.combine_rows(run, relation, format('ONLY %I.identifier', run.directory),
			jsonb_build_object('place', pair.place, 'part', pair.part),
			jsonb_build_object('place', pair.keep_place, 'part', pair.part));
	END LOOP;
	PERFORM contacts.merge_rows(contacts.merge_identifier_statement(run.directory, true), lose, keep, run.merge_id, run.survivor_id, run.path);
	PERFORM contacts.merge_rows(contacts.merge_identifier_statement(run.directory, false), lose, keep, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.merge_identifiers(contacts.merge_run, jsonb, jsonb) IS 'the identifiers of the loser become the survivor''s; a shared value that both hold becomes one row (rules I4, I5, I10)';

-- R1: of two links where there is one at most, the loser's ends today.
CREATE FUNCTION contacts.end_rival_links(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	twins CONSTANT text := (SELECT q FROM unnest(ref.twins) q WHERE starts_with(q, '/* relationship_single_key */'));
	link record;
BEGIN
	IF contacts.merge_rows(twins, lose, keep, NULL, NULL, 'pg_catalog, pg_temp') = 0 THEN
		RETURN;
	END IF;
	FOR link IN EXECUTE format($query$
		SELECT DISTINCT p.ctid AS place, p.tableoid AS part, greatest(CURRENT_DATE, p.started_on) AS ended_on
		FROM (%s) w
			JOIN %s r ON r.ctid = w.place
			JOIN %2$s k ON k.ctid = w.keep_place AND abs(k.id) <> abs(r.id)
			JOIN %2$s p ON p.id = abs(r.id)
		$query$, twins, ref.target) USING lose, keep
	LOOP
		PERFORM contacts.change_row(run, ref.relation, ref.target,
			jsonb_build_object('place', link.place, 'part', link.part), jsonb_build_object('ended_on', link.ended_on));
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.end_rival_links(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'ends the links of the loser that would be the second one where a type allows one (rule R1)';

-- R2: mirrors are left to the triggers.
CREATE FUNCTION contacts.merge_links(run contacts.merge_run, refs contacts.reference[], lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ref contacts.reference;
	entered contacts.reference;
BEGIN
	PERFORM contacts.merge_rows(format($statement$
		WITH removed AS (
			DELETE FROM ONLY %1$I.relationship t
			WHERE t.id OPERATOR(pg_catalog.>) 0
				AND (t.contact_id OPERATOR(pg_catalog.=) $4
						AND t.related_contact_id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8
					OR t.related_contact_id OPERATOR(pg_catalog.=) $4
						AND t.contact_id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8)
			RETURNING pg_catalog.to_jsonb(t.*) AS image
		)
		INSERT INTO %1$I.merge_journal (merge_id, contact_id, relation, action, before)
		SELECT $3, $4, '%1$I.relationship'::pg_catalog.regclass, 'removed', r.image FROM removed r$statement$, run.directory),
		lose, keep, run.merge_id, run.survivor_id, run.path);
	FOREACH ref IN ARRAY refs LOOP
		entered := ref;
		entered.match := ref.match || ' AND t.id OPERATOR(pg_catalog.>) 0';
		entered.twins := ARRAY(SELECT replace(q, ref.match, entered.match) FROM unnest(ref.twins) q
			WHERE NOT starts_with(q, '/* relationship_single_key */'));
		PERFORM contacts.combine_twins(run, entered, lose, keep);
		PERFORM contacts.end_rival_links(run, ref, lose, keep);
		PERFORM contacts.merge_rows(contacts.move_statement(run, entered), lose, keep, run.merge_id, run.survivor_id, run.path);
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.merge_links(contacts.merge_run, contacts.reference[], jsonb, jsonb) IS 'the links of the loser become the survivor''s: none between the two, each once, at most one where a type allows one';

-- What the survivor may not be sent is cancelled (C8); the same request to both
-- was made once.
CREATE FUNCTION contacts.merge_messages(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	message record;
	place jsonb;
	statement text := contacts.move_statement(run, ref, 't.id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) ''message'')::pg_catalog.int8');
BEGIN
	FOR message IN EXECUTE format($query$
		SELECT t.id, t.ctid AS place, t.tableoid AS part, t.state IN ('queued', 'sending') AS is_open,
			EXISTS (SELECT FROM %1$s o WHERE o.contact_id = $2 AND o.idempotency_key = t.idempotency_key) AS is_twin
		FROM %1$s t WHERE t.contact_id = $1 AND (t.state IN ('queued', 'sending') OR t.idempotency_key IS NOT NULL)
		ORDER BY t.id$query$, ref.target) USING (lose ->> 'id')::bigint, run.survivor_id
	LOOP
		place := jsonb_build_object('place', message.place, 'part', message.part);
		IF message.is_twin THEN
			PERFORM contacts.change_row(run, ref.relation, ref.target, place, '{"idempotency_key": null}' || CASE
				WHEN message.is_open THEN '{"state": "cancelled", "leased_until": null, "error": "merged with a contact that has the same message"}'
				ELSE '{}' END::jsonb);
		ELSIF message.is_open THEN
			BEGIN
				PERFORM contacts.merge_rows(statement, lose || jsonb_build_object('message', message.id), keep,
					run.merge_id, run.survivor_id, run.path);
			EXCEPTION WHEN check_violation THEN
				PERFORM contacts.change_row(run, ref.relation, ref.target, place,
					jsonb_build_object('state', 'cancelled', 'leased_until', NULL, 'error', 'merged: ' || SQLERRM));
			END;
		END IF;
	END LOOP;
	PERFORM contacts.merge_rows(contacts.move_statement(run, ref), lose, keep, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.merge_messages(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'the messages of the loser become the survivor''s; those waiting that may not go to the survivor are cancelled (rule C8)';

-- A pair that may be one person, of which one is another now, in either order.
-- The pair that is merged goes; a no to one of two holds for both.
CREATE FUNCTION contacts.merge_suggestions(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	place jsonb;
	pairs CONSTANT text := format($query$
		SELECT s.id, s.state, x.other_id, x.other_id = $2 AS is_merged, k.id AS twin_id, k.state AS twin_state,
			jsonb_build_object('place', k.ctid, 'part', k.tableoid) AS twin
		FROM %1$s s
			CROSS JOIN LATERAL (SELECT CASE s.contact_id WHEN $1 THEN s.other_id ELSE s.contact_id END AS other_id) x
			LEFT JOIN %1$s k ON k.contact_id = least($2, x.other_id) AND k.other_id = greatest($2, x.other_id)
		WHERE s.contact_id = $1 OR s.other_id = $1$query$, ref.target);
	gone bigint[];
BEGIN
	FOR place IN EXECUTE format('SELECT p.twin FROM (%s) p WHERE p.state = ''dismissed'' AND p.twin_state = ''open'' AND NOT p.is_merged ORDER BY p.id', pairs)
		USING (lose ->> 'id')::bigint, run.survivor_id
	LOOP
		PERFORM contacts.change_row(run, ref.relation, ref.target, place, '{"state": "dismissed"}');
	END LOOP;
	EXECUTE format('SELECT array_agg(p.id) FROM (%s) p WHERE p.is_merged OR p.twin_id IS NOT NULL', pairs)
		INTO gone USING (lose ->> 'id')::bigint, run.survivor_id;
	IF gone IS NOT NULL THEN
		PERFORM contacts.merge_rows(format($statement$
			WITH removed AS (
				DELETE FROM %1$s t WHERE t.id OPERATOR(pg_catalog.=) ANY (%2$L::pg_catalog.int8[])
				RETURNING pg_catalog.to_jsonb(t.*) AS image
			)
			INSERT INTO %3$I.merge_journal (merge_id, contact_id, relation, action, before)
			SELECT $3, $4, %4$L::pg_catalog.regclass, 'combined', r.image FROM removed r$statement$,
			ref.target, gone, run.directory, ref.relation),
			lose, keep, run.merge_id, run.survivor_id, run.path);
	END IF;
	PERFORM contacts.merge_rows(format($statement$
		WITH old AS MATERIALIZED (
			SELECT t.id, pg_catalog.to_jsonb(t.*) AS image,
				CASE t.contact_id WHEN x.id THEN t.other_id ELSE t.contact_id END AS other_id
			FROM %1$s t CROSS JOIN (SELECT ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8 AS id) x
			WHERE t.contact_id OPERATOR(pg_catalog.=) x.id OR t.other_id OPERATOR(pg_catalog.=) x.id
		), moved AS (
			UPDATE %1$s t SET contact_id = least($4, old.other_id), other_id = greatest($4, old.other_id)
			FROM old WHERE t.id OPERATOR(pg_catalog.=) old.id
			RETURNING old.image, pg_catalog.to_jsonb(t.*) AS now
		)
		INSERT INTO %2$I.merge_journal (merge_id, contact_id, relation, action, columns, before, after)
		SELECT $3, $4, %3$L::pg_catalog.regclass, 'moved', '{contact_id,other_id}', m.image, m.now FROM moved m$statement$,
		ref.target, run.directory, ref.relation),
		lose, keep, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.merge_suggestions(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'the suggestions about the loser are about the survivor, once each; that of the two goes; one that was dismissed of either stays dismissed';

-- The survivor logs in as before, or as the loser did.  Verifiers are for few: the
-- journal keeps that of a credential that goes in a column of its own.
CREATE FUNCTION contacts.merge_credentials(run contacts.merge_run, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM contacts.merge_rows(format($statement$
		WITH old AS MATERIALIZED (
			SELECT l.contact_id, l.verifier, pg_catalog.to_jsonb(l.*) OPERATOR(pg_catalog.-) 'verifier' AS image,
				EXISTS (SELECT FROM ONLY %1$I.credential k WHERE k.contact_id OPERATOR(pg_catalog.=) $4) AS is_twin
			FROM ONLY %1$I.credential l
			WHERE l.contact_id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8
		), gone AS (
			DELETE FROM ONLY %1$I.credential t USING old
			WHERE t.contact_id OPERATOR(pg_catalog.=) old.contact_id AND old.is_twin
			RETURNING 'combined' AS action, old.image, NULL::pg_catalog.jsonb AS now, old.verifier
		), moved AS (
			UPDATE ONLY %1$I.credential t SET contact_id = $4 FROM old
			WHERE t.contact_id OPERATOR(pg_catalog.=) old.contact_id AND NOT old.is_twin
			RETURNING 'moved' AS action,
				-- a later updated_at tells of another password
				old.image OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('updated_at', t.updated_at) AS image,
				pg_catalog.to_jsonb(t.*) OPERATOR(pg_catalog.-) 'verifier' AS now, NULL::pg_catalog.text AS verifier
		)
		INSERT INTO %1$I.merge_journal (merge_id, contact_id, relation, action, columns, before, after, verifier)
		SELECT $3, $4, '%1$I.credential'::pg_catalog.regclass, d.action, '{contact_id}', d.image, d.now, d.verifier
		FROM (SELECT * FROM gone UNION ALL SELECT * FROM moved) d$statement$, run.directory),
		lose, keep, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.merge_credentials(contacts.merge_run, jsonb, jsonb) IS 'the credential of the loser is the survivor''s, if that has none; else it goes';

-- Shares are copied: the loser's own go with the loser, as who merges may need
-- them until then.
CREATE FUNCTION contacts.merge_shares(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	place jsonb;
BEGIN
	FOR place IN EXECUTE format($query$
		SELECT jsonb_build_object('place', k.ctid, 'part', k.tableoid)
		FROM %1$s l JOIN %1$s k ON k.contact_id = $2 AND k.role = l.role AND l.may_edit AND NOT k.may_edit
		WHERE l.contact_id = $1$query$, ref.target) USING (lose ->> 'id')::bigint, run.survivor_id
	LOOP
		PERFORM contacts.change_row(run, ref.relation, ref.target, place, '{"may_edit": true}');
	END LOOP;
	PERFORM contacts.merge_rows(format($statement$
		WITH added AS (
			INSERT INTO %1$I.contact_share AS t (contact_id, role, may_edit, created_at)
			SELECT $4, l.role, l.may_edit, l.created_at FROM ONLY %1$I.contact_share l
			WHERE l.contact_id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8
			ON CONFLICT DO NOTHING
			RETURNING pg_catalog.to_jsonb(t.*) AS now
		), gone AS (
			SELECT pg_catalog.to_jsonb(l.*) AS image FROM ONLY %1$I.contact_share l
			WHERE l.contact_id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8
		)
		INSERT INTO %1$I.merge_journal (merge_id, contact_id, relation, action, before, after)
		SELECT $3, $4, '%1$I.contact_share'::pg_catalog.regclass, 'added', NULL::pg_catalog.jsonb, a.now FROM added a
		UNION ALL
		SELECT $3, $4, '%1$I.contact_share'::pg_catalog.regclass, 'combined', g.image, NULL FROM gone g$statement$, run.directory),
		lose, keep, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.merge_shares(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'the survivor is shared with whom the loser was shared with; who may edit either may edit it';

-- Contacts that name other contacts, in columns that users added.
CREATE FUNCTION contacts.merge_self_references(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	place jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_build_object(''place'', t.ctid, ''part'', t.tableoid) FROM %s t WHERE t.id = $1', ref.target)
		INTO place USING run.survivor_id;
	PERFORM contacts.clear_self_reference(run, ref, lose, place);
	PERFORM contacts.merge_rows(contacts.move_statement(run, ref,
		't.id OPERATOR(pg_catalog.<>) ($1 OPERATOR(pg_catalog.->>) ''id'')::pg_catalog.int8'),
		lose, keep, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.merge_self_references(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'contacts that refer to the loser refer to the survivor, which does not refer to itself';

-- Who merges needs no rights on tables that nothing moves in.
CREATE FUNCTION contacts.needs_nothing(ref contacts.reference, lose jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ref.id <> 0
		AND NOT (has_table_privilege(ref.relation, 'SELECT') AND has_table_privilege(ref.relation, 'UPDATE'))
		AND NOT contacts.still_refers(ref.id, lose);
END
$$;
COMMENT ON FUNCTION contacts.needs_nothing(contacts.reference, jsonb) IS 'does nothing refer to a row by a foreign key on a table that the caller has no rights on?';

-- One reference, by the rule of its table.
CREATE FUNCTION contacts.move_reference(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	own text := (SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = ref.relation AND n.nspname = run.directory);
BEGIN
	IF contacts.needs_nothing(ref, lose) THEN
		RETURN;
	END IF;
	CASE
		WHEN own = 'contact' THEN
			PERFORM contacts.merge_self_references(run, ref, lose, keep);
		WHEN own IN ('email_message', 'sms_message') AND ref.keys = '{id}' AND ref.columns = '{contact_id}' THEN
			PERFORM contacts.merge_messages(run, ref, lose, keep);
		WHEN own = 'merge_suggestion' AND ref.keys = '{id}' THEN
			PERFORM contacts.merge_suggestions(run, ref, lose, keep);
		WHEN own = 'merge_journal' THEN
			EXECUTE format('UPDATE ONLY %I.merge_journal j SET contact_id = $2 WHERE j.contact_id = $1', run.directory)
				USING (lose ->> 'id')::bigint, run.survivor_id;
		WHEN own = 'credential' AND ref.keys = '{id}' THEN
			PERFORM contacts.merge_credentials(run, lose, keep);
		WHEN own IN ('identifier', 'relationship', 'contact_share') AND ref.keys = '{id}' THEN
			NULL;
		WHEN own = 'merge_suggestion' THEN
			-- its trigger may exchange the two columns
			PERFORM contacts.move_rows(run, ROW(ref.id, ref.name, ref.relation, ref.target, '{contact_id,other_id}'::name[], ref.keys,
				ref.match, ref.assignment, ref.former, ref.latter, ref.image, '{}'::text[], true)::contacts.reference, lose, keep);
		ELSE
			PERFORM contacts.move_rows(run, ref, lose, keep);
	END CASE;
END
$$;
COMMENT ON FUNCTION contacts.move_reference(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'moves what refers to the loser by one foreign key, by the rule of its table';

-- In a dry run, whatever the merge would fail with is a conflict.
CREATE FUNCTION contacts.merge_reference(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT run.is_dry THEN
		PERFORM contacts.move_reference(run, ref, lose, keep);
		RETURN;
	END IF;
	BEGIN
		PERFORM contacts.move_reference(run, ref, lose, keep);
	EXCEPTION
		WHEN serialization_failure OR deadlock_detected OR lock_not_available OR insufficient_privilege OR insufficient_resources THEN
			RAISE;
		WHEN OTHERS THEN
			EXECUTE format('INSERT INTO %I.merge_journal (merge_id, contact_id, relation, action, after) VALUES ($1, $2, $3::regclass, $4, $5)', run.directory)
				USING run.merge_id, run.survivor_id, ref.relation, 'conflict', jsonb_build_object('message', SQLERRM);
	END;
END
$$;
COMMENT ON FUNCTION contacts.merge_reference(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'moves what refers to the loser by one foreign key; in a dry run it journals a conflict where that is refused';

CREATE FUNCTION contacts.remove_loser(run contacts.merge_run, lose jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF contacts.merge_rows(format($statement$
		WITH removed AS (
			DELETE FROM ONLY %1$I.contact t
			WHERE t.id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int8
			RETURNING t.id
		), alias AS (
			INSERT INTO %1$I.contact_alias (old_id, contact_id, merge_id) SELECT r.id, $4, $3 FROM removed r
			-- an id that was used again
			ON CONFLICT (old_id) DO UPDATE SET contact_id = EXCLUDED.contact_id, merge_id = EXCLUDED.merge_id
		)
		INSERT INTO %1$I.merge_journal (merge_id, contact_id, relation, action, before)
		SELECT $3, $4, '%1$I.contact'::pg_catalog.regclass, 'removed', $1 FROM removed$statement$, run.directory),
		lose, NULL, run.merge_id, run.survivor_id, run.path) = 0
	THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('contact %s could not be deleted', lose ->> 'id'),
			DETAIL = 'Row security or a trigger keeps it.', SCHEMA = run.directory, TABLE = 'contact';
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.remove_loser(contacts.merge_run, jsonb) IS 'deletes a contact that was merged, with an alias for its id';

-- Then there is nothing more to try: rows that did not move keep the loser.
CREATE FUNCTION contacts.is_refused(run contacts.merge_run) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result boolean := false;
BEGIN
	IF run.is_dry THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %I.merge_journal j WHERE j.merge_id = $1 AND j.action = ''conflict'')', run.directory)
			INTO result USING run.merge_id;
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION contacts.is_refused(contacts.merge_run) IS 'has a dry run met what a merge would refuse?';

-- Everything about one contact becomes the survivor's.
CREATE FUNCTION contacts.merge_contact(run contacts.merge_run, lose jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	refs contacts.reference[] := contacts.known_references(format('%I.contact', run.directory)::regclass);
	links CONSTANT regclass := format('%I.relationship', run.directory);
	shares CONSTANT regclass := format('%I.contact_share', run.directory);
	ref contacts.reference;
	keep jsonb;
BEGIN
	EXECUTE format('SELECT %s FROM ONLY %I.contact c WHERE c.id = $1', contacts.row_image(format('%I.contact', run.directory)::regclass, 'c'), run.directory)
		INTO keep USING run.survivor_id;
	-- while the columns that they refer to are as they were
	FOREACH ref IN ARRAY refs LOOP
		IF ref.keys && '{email,mobile_phone}' THEN
			PERFORM contacts.merge_reference(run, ref, lose, keep);
		END IF;
	END LOOP;
	PERFORM contacts.merge_identifiers(run, lose, keep);
	PERFORM contacts.merge_links(run, ARRAY(SELECT r FROM unnest(refs) r WHERE r.relation = links AND r.keys = '{id}'), lose, keep);
	FOREACH ref IN ARRAY refs LOOP
		IF NOT ref.keys && '{email,mobile_phone}' THEN
			PERFORM contacts.merge_reference(run, ref, lose, keep);
		END IF;
	END LOOP;
	FOR ref IN SELECT r.* FROM contacts.registered_references(run.directory) r LOOP
		PERFORM contacts.merge_reference(run, ref, lose, keep);
	END LOOP;
	FOREACH ref IN ARRAY refs LOOP
		IF ref.relation = shares AND ref.keys = '{id}' AND NOT contacts.needs_nothing(ref, lose) THEN
			PERFORM contacts.merge_shares(run, ref, lose, keep);
		END IF;
	END LOOP;
	IF NOT contacts.is_refused(run) THEN
		PERFORM contacts.remove_loser(run, lose);
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.merge_contact(contacts.merge_run, jsonb) IS 'makes everything that refers to a contact refer to the survivor, and deletes it';

-- Columns of contact that somebody may choose a value of, and whether an empty
-- one is filled.
CREATE FUNCTION contacts.mergeable_columns(contact regclass) RETURNS TABLE (name text, is_filled boolean)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT a.attname::text, a.attname <> ALL ('{first_name,last_name,mononym,email,mobile_phone,archived_at,is_vendor,last_seen_at,created_at}')
	FROM pg_attribute a
	WHERE a.attrelid = contact AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		AND a.attname <> ALL ('{id,email_status,is_reachable,is_validated,contact_type,organization_name,updated_at}');
END;
COMMENT ON FUNCTION contacts.mergeable_columns(regclass) IS 'columns of contact whose values can be chosen in a merge, and whether the survivor''s is filled where it is NULL';

-- A name is one thing: it is filled from the first contact whose name agrees.
CREATE FUNCTION contacts.merged_name(keep jsonb, losers jsonb[]) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce((
		SELECT jsonb_build_object('first_name', l -> 'first_name', 'last_name', l -> 'last_name', 'mononym', l -> 'mononym')
		FROM unnest(losers) WITH ORDINALITY u (l, i)
		WHERE (keep -> 'first_name' = 'null' OR keep -> 'first_name' = l -> 'first_name')
			AND (keep -> 'last_name' = 'null' OR keep -> 'last_name' = l -> 'last_name')
			AND (l -> 'first_name' <> 'null' OR l -> 'last_name' <> 'null')
			AND (keep -> 'first_name' = 'null' OR keep -> 'last_name' = 'null')
			AND keep -> 'mononym' = 'false'
		ORDER BY num_nulls(l ->> 'first_name', l ->> 'last_name'), i LIMIT 1), '{}');
END;
COMMENT ON FUNCTION contacts.merged_name(jsonb, jsonb[]) IS 'the name that the survivor takes over, if it has none or a part of one';

-- Values of columns that the survivor takes over.
CREATE FUNCTION contacts.merged_values(contact regclass, keep jsonb, losers jsonb[], choices jsonb) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce(jsonb_object_agg(v.key, v.value), '{}')
	FROM jsonb_each(
		coalesce((
			SELECT jsonb_object_agg(m.name, f.value)
			FROM contacts.mergeable_columns(contact) m
				CROSS JOIN LATERAL (
					SELECT l -> m.name AS value FROM unnest(losers) WITH ORDINALITY u (l, i)
					WHERE l -> m.name <> 'null' ORDER BY i LIMIT 1) f
			WHERE m.is_filled AND keep -> m.name = 'null'), '{}')
		|| contacts.merged_name(keep, losers)
		|| (SELECT jsonb_build_object(
				'created_at', min((l ->> 'created_at')::timestamptz),
				'last_seen_at', max((l ->> 'last_seen_at')::timestamptz),
				'is_vendor', bool_or((l ->> 'is_vendor')::boolean))
			FROM unnest(losers || keep) l)
		|| coalesce((
			SELECT jsonb_object_agg(c.key, l -> c.key)
			FROM jsonb_each_text(choices) c JOIN unnest(losers || keep) l ON l ->> 'id' = c.value), '{}')) v
	WHERE v.value IS DISTINCT FROM keep -> v.key;
END;
COMMENT ON FUNCTION contacts.merged_values(regclass, jsonb, jsonb[], jsonb) IS 'the values that the survivor takes over from the losers, in order of their ids, and those that were chosen';

-- After the losers are gone: what they had may be unique.
CREATE FUNCTION contacts.fill_survivor(run contacts.merge_run, losers jsonb[], choices jsonb, is_wish boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	contact CONSTANT regclass := format('%I.contact', run.directory);
	own_columns text[] := ARRAY(SELECT DISTINCT c FROM unnest(contacts.known_references(contact)) r CROSS JOIN unnest(r.columns) c WHERE r.relation = contact);
	keep jsonb;
	place jsonb;
	vals jsonb;
BEGIN
	EXECUTE format('SELECT %s, jsonb_build_object(''place'', c.ctid, ''part'', c.tableoid) FROM ONLY %I.contact c WHERE c.id = $1',
		contacts.row_image(contact, 'c'), run.directory)
		INTO keep, place USING run.survivor_id;
	vals := contacts.merged_values(contact, keep, losers, choices);
	-- nobody refers to himself, or to who he was
	vals := vals - ARRAY(SELECT v.key FROM jsonb_each_text(vals) v WHERE v.key = ANY (own_columns)
		AND v.value IN (SELECT l ->> 'id' FROM unnest(losers || keep) l));
	-- C4: a wish of one is a wish of all
	IF is_wish AND keep ->> 'email_status' IN ('not_opted_in', 'opted_in') AND keep -> 'email' = 'null' THEN
		vals := vals || '{"email_status": "unsubscribed"}';
	END IF;
	PERFORM contacts.change_row(run, contact, format('ONLY %I.contact', run.directory), place, vals);
	IF is_wish THEN
		PERFORM contacts.merge_rows(format($statement$
			UPDATE ONLY %I.identifier t SET status = 'unsubscribed', status_reason = 'own_wish'
			WHERE t.contact_id OPERATOR(pg_catalog.=) $4 AND t.semantic_type OPERATOR(pg_catalog.=) 'email'
				AND t.slug OPERATOR(pg_catalog.=) 'main'
				AND t.status OPERATOR(pg_catalog.=) ANY (ARRAY['not_opted_in', 'opted_in'])$statement$, run.directory),
			NULL, NULL, run.merge_id, run.survivor_id, run.path);
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.fill_survivor(contacts.merge_run, jsonb[], jsonb, boolean) IS 'the survivor takes over values from the losers, and a wish of theirs to be left alone (rule C4)';

CREATE FUNCTION contacts.check_choices(contact regclass, images jsonb[], choices jsonb) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	odd record;
BEGIN
	IF jsonb_typeof(choices) <> 'object' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'choices must be an object of column names and ids of contacts';
	END IF;
	SELECT c.key, c.value, m.name IS NULL AS is_unknown, e.is_empty INTO odd
	FROM jsonb_each_text(choices) c
		LEFT JOIN contacts.mergeable_columns(contact) m ON m.name = c.key
		LEFT JOIN unnest(images) i ON i ->> 'id' = c.value
		-- the survivor's own address would go
		CROSS JOIN LATERAL (SELECT c.key IN ('email', 'mobile_phone') AND i -> c.key = 'null' AS is_empty) e
	WHERE m.name IS NULL OR i IS NULL OR e.is_empty
	ORDER BY c.key LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN odd.is_unknown THEN format('the value of column "%s" cannot be chosen', odd.key)
				WHEN odd.is_empty THEN format('contact %s has no %s to be chosen', odd.value, odd.key)
				ELSE format('the choice for column "%s" is not one of the contacts', odd.key) END;
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.check_choices(regclass, jsonb[], jsonb) IS 'refuses choices of columns or contacts that there are not (22023)';

-- Lock order: contacts by id, then identifiers by key.
CREATE FUNCTION contacts.lock_merged(directory text, ids bigint[]) RETURNS jsonb[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	contact CONSTANT regclass := format('%I.contact', directory);
	others text := (SELECT string_agg(format(' OR c.%I = ANY ($1)', r.columns[1]), '')
		FROM unnest(contacts.known_references(contact)) r WHERE r.relation = contact AND r.keys = '{id}');
	images jsonb[];
	missing bigint;
BEGIN
	EXECUTE format($query$
		SELECT array_agg(c.image ORDER BY c.id) FILTER (WHERE c.id = ANY ($1))
		FROM (SELECT c.id, %s AS image FROM ONLY %I.contact c
			WHERE c.id = ANY ($1)%s ORDER BY c.id FOR UPDATE) c$query$, contacts.row_image(contact, 'c'), directory, others)
		INTO images USING ids;
	SELECT i INTO missing FROM unnest(ids) i
	WHERE NOT EXISTS (SELECT FROM unnest(images) m WHERE m ->> 'id' = i::text) ORDER BY i LIMIT 1;
	IF FOUND THEN
		PERFORM contacts.no_contact(missing);
	END IF;
	EXECUTE format('SELECT FROM ONLY %I.identifier i WHERE i.contact_id = ANY ($1) ORDER BY i.key, i.holder FOR UPDATE', directory) USING ids;
	RETURN images;
END
$$;
COMMENT ON FUNCTION contacts.lock_merged(text, bigint[]) IS 'locks contacts in order of their ids, then their identifiers by key, and returns the contacts; P0002 if there is not one of each';

-- Who stays where nobody says: the oldest that is more than a ghost.
CREATE FUNCTION contacts.natural_survivor(images jsonb[]) RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT (i ->> 'id')::bigint FROM unnest(images) i
	ORDER BY i ->> 'contact_type' = 'ghost', (i ->> 'created_at')::timestamptz, (i ->> 'id')::bigint LIMIT 1;
END;
COMMENT ON FUNCTION contacts.natural_survivor(jsonb[]) IS 'the oldest contact that is more than a ghost, else the oldest';

-- C4: did one of the contacts not want to be written to?
CREATE FUNCTION contacts.is_wish(directory text, images jsonb[]) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result boolean := EXISTS (SELECT FROM unnest(images) i WHERE i ->> 'email_status' = 'unsubscribed');
BEGIN
	IF NOT result AND EXISTS (SELECT FROM unnest(images) i WHERE i ->> 'email_status' = 'suppressed') THEN
		EXECUTE format($query$
			SELECT EXISTS (SELECT FROM ONLY %I.identifier i
				WHERE i.contact_id = ANY ($1) AND i.semantic_type = 'email' AND i.slug = 'main'
					AND i.status = 'suppressed' AND i.status_reason IN ('own_wish', 'complaint'))$query$, directory)
			INTO result USING ARRAY(SELECT (i ->> 'id')::bigint FROM unnest(images) i);
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION contacts.is_wish(text, jsonb[]) IS 'is the state of the main email of a contact its own wish to be left alone (rule C4)?';

CREATE FUNCTION contacts.merge_counts(run contacts.merge_run) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	counts jsonb;
BEGIN
	EXECUTE format($query$
		SELECT coalesce(jsonb_object_agg(t.name, t.counts), '{}')
		FROM (
			SELECT n.nspname || '.' || c.relname AS name, jsonb_object_agg(j.action, j.n) AS counts
			FROM (SELECT j.relation::oid AS relation, j.action, count(*) AS n FROM ONLY %I.merge_journal j WHERE j.merge_id = $1 GROUP BY 1, 2) j
				JOIN pg_class c ON c.oid = j.relation JOIN pg_namespace n ON n.oid = c.relnamespace
			GROUP BY 1) t$query$, run.directory) INTO counts USING run.merge_id;
	RETURN counts;
END
$$;
COMMENT ON FUNCTION contacts.merge_counts(contacts.merge_run) IS 'how many rows of which table a merge moved, combined, removed, changed and added, and conflicts of a dry run';

-- The contacts are locked.
CREATE FUNCTION contacts.merge_locked(run contacts.merge_run, images jsonb[], choices jsonb, reason text) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	losers jsonb[] := ARRAY(SELECT i FROM unnest(images) i WHERE (i ->> 'id')::bigint <> run.survivor_id ORDER BY (i ->> 'id')::bigint);
	loser_ids bigint[] := ARRAY(SELECT (l ->> 'id')::bigint FROM unnest(losers) l);
	is_wish boolean := contacts.is_wish(run.directory, images);
	loser jsonb;
	counts jsonb;
BEGIN
	EXECUTE format('INSERT INTO %I.merge_history (survivor_id, loser_ids, reason) VALUES ($1, $2, $3) RETURNING id', run.directory)
		INTO run.merge_id USING run.survivor_id, loser_ids, reason;
	FOREACH loser IN ARRAY losers LOOP
		PERFORM contacts.merge_contact(run, loser);
	END LOOP;
	IF NOT contacts.is_refused(run) THEN
		PERFORM contacts.fill_survivor(run, losers, choices, is_wish);
	END IF;
	counts := contacts.merge_counts(run);
	EXECUTE format('UPDATE ONLY %I.merge_history h SET counts = $2 WHERE h.id = $1', run.directory) USING run.merge_id, counts;
	RETURN jsonb_build_object('merge_id', run.merge_id, 'survivor_id', run.survivor_id, 'loser_ids', loser_ids,
		'dry_run', run.is_dry, 'tables', counts);
END
$$;
COMMENT ON FUNCTION contacts.merge_locked(contacts.merge_run, jsonb[], jsonb, text) IS 'merges contacts that are locked, of which these are the rows';

-- For dry runs: constraints that would be looked at when the transaction ends.
CREATE FUNCTION contacts.try_deferred(result jsonb) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_name text;
	table_name text;
	path text[];
BEGIN
	IF NOT jsonb_path_exists(result, '$.tables.*.conflict') THEN
		SET CONSTRAINTS ALL IMMEDIATE;
	END IF;
	RETURN result;
EXCEPTION WHEN integrity_constraint_violation THEN
	GET STACKED DIAGNOSTICS schema_name = SCHEMA_NAME, table_name = TABLE_NAME;
	path := ARRAY['tables', schema_name || '.' || table_name];
	RETURN jsonb_set(result, path, coalesce(result #> path, '{}') || '{"conflict": 1}');
END
$$;
COMMENT ON FUNCTION contacts.try_deferred(jsonb) IS 'the result of a dry run, with a conflict where a deferred constraint would fail';

-- Plans are kept, those of foreign keys among them: one made while a table was
-- empty must not read it through when it is large.  Images of rows depend on
-- some settings.
CREATE FUNCTION contacts.run_merge(directory text, survivor bigint, losers bigint[], dry_run boolean, choices jsonb,
	reason text, path text) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off SET extra_float_digits = 1 SET intervalstyle = postgres
AS $$
DECLARE
	ids bigint[] := ARRAY(SELECT DISTINCT i FROM unnest(losers || survivor) i WHERE i IS NOT NULL ORDER BY i);
	run contacts.merge_run;
	images jsonb[];
	result jsonb;
BEGIN
	PERFORM contacts.directory_schema(directory);
	IF survivor = ANY (losers) OR array_position(losers, NULL) IS NOT NULL OR cardinality(ids) < 2 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a merge needs at least two contacts, of which one survives';
	END IF;
	images := contacts.lock_merged(directory, ids);
	IF choices IS NOT NULL THEN
		PERFORM contacts.check_choices(format('%I.contact', directory)::regclass, images, choices);
	END IF;
	run := ROW(directory, NULL, coalesce(survivor, contacts.natural_survivor(images)), path, coalesce(dry_run, false));
	IF NOT run.is_dry THEN
		RETURN contacts.merge_locked(run, images, choices, reason);
	END IF;
	BEGIN
		result := contacts.merge_locked(run, images, choices, reason) - 'merge_id';
		result := contacts.try_deferred(result);
		RAISE EXCEPTION USING ERRCODE = 'CT000', MESSAGE = 'dry run';
	EXCEPTION WHEN SQLSTATE 'CT000' THEN
		RETURN result;
	END;
END
$$;
COMMENT ON FUNCTION contacts.run_merge(text, bigint, bigint[], boolean, jsonb, text, text) IS 'merges contacts; path is the search_path that triggers of users run with';

CREATE FUNCTION contacts.merge_contacts(directory text, survivor bigint, losers bigint[], dry_run boolean DEFAULT false,
	choices jsonb DEFAULT NULL, reason text DEFAULT NULL) RETURNS jsonb
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT contacts.run_merge($1, $2, $3, $4, $5, $6, pg_catalog.current_setting('search_path'));
END;
COMMENT ON FUNCTION contacts.merge_contacts(text, bigint, bigint[], boolean, jsonb, text) IS 'makes one contact of several: whatever refers to the losers, by a foreign key in any table or a registered column, refers to the survivor (NULL: the oldest that is more than a ghost); returns merge_id and counts by table; dry_run: only says what would happen; choices: {column: id of the contact whose value wins}';
