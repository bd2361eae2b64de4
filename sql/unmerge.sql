-- Undoing merges, from the journal, and columns that refer without a foreign key.

-- How a row of a table is found again by its image: conditions of t and the
-- record a, over the primary key; NULL where the table has none.
CREATE FUNCTION contacts.row_identity(relation oid) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT string_agg(format('t.%1$I OPERATOR(%2$I.%3$s) a.%1$I', a.attname, n.nspname, o.oprname), ' AND ' ORDER BY i)
	FROM pg_index x
		CROSS JOIN LATERAL generate_series(1, x.indnkeyatts) i
		JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[i - 1]
		JOIN pg_opclass p ON p.oid = x.indclass[i - 1]
		JOIN pg_amop m ON m.amopfamily = p.opcfamily AND m.amopstrategy = 3
			AND m.amoplefttype = p.opcintype AND m.amoprighttype = p.opcintype AND m.amopmethod = p.opcmethod
		JOIN pg_operator o ON o.oid = m.amopopr
		JOIN pg_namespace n ON n.oid = o.oprnamespace
	WHERE x.indrelid = relation AND x.indisprimary;
END;
COMMENT ON FUNCTION contacts.row_identity(oid) IS 'condition that a row t of a table has the primary key of a record a; NULL if it has none';

-- What triggers changed when a row moved may change again.
CREATE FUNCTION contacts.stable_image(action text, columns name[], before jsonb, after jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE WHEN action <> 'moved' THEN after
		ELSE after - ARRAY(SELECT b.key FROM jsonb_each(before) b
			WHERE b.value IS DISTINCT FROM after -> b.key AND b.key <> ALL (columns::text[])) END;
END;
COMMENT ON FUNCTION contacts.stable_image(text, name[], jsonb, jsonb) IS 'the image of a row after a merge, without what triggers changed when it moved';

-- The state and the validation of a value are the value's: an identifier is
-- changed if its value, label or holder is.
CREATE FUNCTION contacts.is_unchanged(directory text, relation oid) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE
		WHEN n.nspname = directory AND c.relname = 'identifier' THEN
			't.contact_id OPERATOR(pg_catalog.=) a.contact_id AND t.key OPERATOR(pg_catalog.=) a.key AND t.semantic_type OPERATOR(pg_catalog.=) a.semantic_type AND coalesce(t.slug, '''') OPERATOR(pg_catalog.=) coalesce(a.slug, '''')'
		ELSE 'pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(t.*, contacts.stable_image(j.action, j.columns, j.before, j.after))) OPERATOR(pg_catalog.=) pg_catalog.to_jsonb(t.*)' END
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
END;
COMMENT ON FUNCTION contacts.is_unchanged(text, oid) IS 'condition that a row t of a table is as the merge left it: as j.after, of which a is the record';

CREATE FUNCTION contacts.table_name(relation oid, is_target boolean) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format(CASE WHEN is_target AND c.relkind <> 'p' THEN 'ONLY %I.%I' ELSE '%I.%I' END, n.nspname, c.relname)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
END;
COMMENT ON FUNCTION contacts.table_name(oid, boolean) IS 'name of a table in a statement: its type, or what the statement writes';

-- Rows that are as the merge left them, of entries n to m of the journal.
CREATE FUNCTION contacts.untouched_rows(run contacts.merge_run, relation oid) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE WHEN contacts.row_identity(relation) IS NOT NULL THEN format($query$
			SELECT j.id, j.before, j.after, t.ctid AS place, t.tableoid AS part
			FROM ONLY %1$I.merge_journal j CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::%2$s, j.after) a
				JOIN %3$s t ON %4$s AND %5$s
			WHERE j.merge_id OPERATOR(pg_catalog.=) $3
				AND j.id OPERATOR(pg_catalog.>=) ($1 OPERATOR(pg_catalog.->>) 'low')::pg_catalog.int8
				AND j.id OPERATOR(pg_catalog.<=) ($1 OPERATOR(pg_catalog.->>) 'high')::pg_catalog.int8$query$,
			(run).directory, contacts.table_name(relation, false), contacts.table_name(relation, true),
			contacts.row_identity(relation), contacts.is_unchanged((run).directory, relation))
		ELSE format($query$
			SELECT w.id, w.before, w.after, p.place, p.part
			FROM (
				SELECT j.id, j.before, j.after, i.image, pg_catalog.row_number() OVER (PARTITION BY i.image ORDER BY j.id) AS n
				FROM ONLY %1$I.merge_journal j CROSS JOIN LATERAL (
					SELECT pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(NULL::%2$s, j.after)) AS image) i
				WHERE j.merge_id OPERATOR(pg_catalog.=) $3
					AND j.id OPERATOR(pg_catalog.>=) ($1 OPERATOR(pg_catalog.->>) 'low')::pg_catalog.int8
					AND j.id OPERATOR(pg_catalog.<=) ($1 OPERATOR(pg_catalog.->>) 'high')::pg_catalog.int8) w
				JOIN (
				SELECT t.ctid AS place, t.tableoid AS part, pg_catalog.to_jsonb(t.*) AS image,
					pg_catalog.row_number() OVER (PARTITION BY pg_catalog.to_jsonb(t.*) ORDER BY t.ctid) AS n
				FROM %3$s t) p ON p.image OPERATOR(pg_catalog.=) w.image AND p.n OPERATOR(pg_catalog.=) w.n$query$,
			(run).directory, contacts.table_name(relation, false), contacts.table_name(relation, true)) END;
END;
COMMENT ON FUNCTION contacts.untouched_rows(contacts.merge_run, oid) IS 'query for the rows that are as the merge $3 left them, of a part of its journal that $1 names';

-- Runs a statement over such rows, and takes their entries out of the journal.
CREATE FUNCTION contacts.undo_rows(run contacts.merge_run, part jsonb, relation oid, work text, filter text DEFAULT 'true') RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN contacts.merge_rows(format($statement$
		WITH found AS MATERIALIZED (%1$s), undone AS (
			%2$s found u WHERE t.ctid OPERATOR(pg_catalog.=) u.place AND t.tableoid OPERATOR(pg_catalog.=) u.part AND %4$s
			RETURNING u.id
		)
		DELETE FROM ONLY %3$I.merge_journal j USING undone d WHERE j.id OPERATOR(pg_catalog.=) d.id$statement$,
		contacts.untouched_rows(run, relation), work, run.directory, filter),
		part, NULL, run.merge_id, run.survivor_id, run.path);
END
$$;
COMMENT ON FUNCTION contacts.undo_rows(contacts.merge_run, jsonb, oid, text, text) IS 'undoes a part of the journal in the rows that are as the merge left them';

CREATE FUNCTION contacts.undo_moved(run contacts.merge_run, part jsonb, relation oid, columns name[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	work text := format('UPDATE %s t SET %s FROM', contacts.table_name(relation, true), (
		SELECT string_agg(format('%1$I = (pg_catalog.jsonb_populate_record(NULL::%2$s, u.before)).%1$I', c,
			contacts.table_name(relation, false)), ', ')
		FROM unnest(columns) c));
BEGIN
	PERFORM contacts.undo_rows(run, part, relation, work);
END
$$;
COMMENT ON FUNCTION contacts.undo_moved(contacts.merge_run, jsonb, oid, name[]) IS 'rows that moved refer to what they referred to';

-- Takes back what one row took over.  Of the survivor, column by column: a
-- contact changes all the time.  Consent is never lowered.
CREATE FUNCTION contacts.undo_changed(run contacts.merge_run, entry_id bigint, relation oid, before jsonb, after jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_contact CONSTANT boolean := relation = format('%I.contact', run.directory)::regclass;
	source CONSTANT text := CASE WHEN is_contact THEN 'x'
		ELSE format('(pg_catalog.jsonb_populate_record(NULL::%s, u.before))', contacts.table_name(relation, false)) END;
	derived CONSTANT text[] := '{email_status,status,status_reason,status_changed_at,is_reachable,is_validated,contact_type,organization_name,updated_at}';
	current_row jsonb;
	old_columns text[];
	work text;
BEGIN
	IF is_contact THEN
		EXECUTE format('SELECT %s FROM ONLY %I.contact c WHERE c.id = $1', contacts.row_image(relation, 'c'), run.directory)
			INTO current_row USING (after ->> 'id')::bigint;
	END IF;
	old_columns := ARRAY(SELECT b.key FROM jsonb_each(before) b
		WHERE b.value IS DISTINCT FROM after -> b.key
			AND (NOT is_contact OR b.key <> ALL (derived) AND current_row -> b.key = after -> b.key));
	IF old_columns && '{email,mobile_phone}' THEN
		-- an address that was chosen gives way to the one before, if that is there
		EXECUTE format($query$
			SELECT ARRAY(SELECT c FROM unnest($1) c WHERE c <> ALL ('{email,mobile_phone}') OR EXISTS (
				SELECT FROM ONLY %I.identifier i WHERE i.contact_id = $2 AND i.value = $3 ->> c))$query$, run.directory)
			INTO old_columns USING old_columns, run.survivor_id, before;
	END IF;
	IF cardinality(old_columns) = 0 THEN
		EXECUTE format('DELETE FROM ONLY %I.merge_journal j WHERE j.id = $1', run.directory) USING entry_id;
		RETURN;
	END IF;
	work := (SELECT string_agg(format('%1$I = %2$s.%1$I', c, source), ', ') FROM unnest(old_columns) c);
	IF is_contact THEN
		PERFORM contacts.merge_rows(format($statement$
			WITH changed AS (
				UPDATE ONLY %1$I.contact t SET %2$s FROM pg_catalog.jsonb_populate_record(NULL::%1$I.contact, $1) x
				WHERE t.id OPERATOR(pg_catalog.=) x.id RETURNING 1 AS one)
			DELETE FROM ONLY %1$I.merge_journal j USING changed
			WHERE j.id OPERATOR(pg_catalog.=) $4$statement$, run.directory, work),
			before, NULL, run.merge_id, entry_id, run.path);
	ELSE
		PERFORM contacts.undo_rows(run, jsonb_build_object('low', entry_id, 'high', entry_id), relation,
			format('UPDATE %s t SET %s FROM', contacts.table_name(relation, true), work));
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.undo_changed(contacts.merge_run, bigint, oid, jsonb, jsonb) IS 'a row has the values that it had before it took others over';

-- Columns of contact that users' foreign keys are on: they may refer to rows that
-- are back later.
CREATE FUNCTION contacts.referring_columns(contact regclass) RETURNS text[]
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce(array_agg(DISTINCT a.attname::text), '{}')
	FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
	WHERE k.conrelid = contact AND k.contype = 'f' AND NOT a.attnotnull;
END;
COMMENT ON FUNCTION contacts.referring_columns(regclass) IS 'columns of contact that refer to other rows, or to none';

-- Puts a row back; identifiers, which come later, give a contact its addresses.
CREATE FUNCTION contacts.undo_removed(run contacts.merge_run, entry_id bigint, relation oid, before jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_contact CONSTANT boolean := relation = format('%I.contact', run.directory)::regclass;
	image jsonb := before;
	names text;
	vals text;
BEGIN
	IF relation = format('%I.credential', run.directory)::regclass THEN
		EXECUTE format('SELECT $2 || jsonb_build_object(''verifier'', j.verifier) FROM ONLY %I.merge_journal j WHERE j.id = $1', run.directory)
			INTO image USING entry_id, image;
	END IF;
	IF is_contact THEN
		image := (image - contacts.referring_columns(relation)) || '{"email": null, "mobile_phone": null}' || CASE
			WHEN before -> 'email' <> 'null' OR before ->> 'email_status' = 'not_opted_in' THEN '{"email_status": "not_opted_in"}'
			ELSE '{}' END::jsonb;
	END IF;
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), string_agg(format('x.%I', a.attname), ', ' ORDER BY a.attnum)
		INTO names, vals
	FROM pg_attribute a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND image ? a.attname::text;
	PERFORM contacts.merge_rows(format($statement$
		WITH made AS (
			INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE
			SELECT %3$s FROM pg_catalog.jsonb_populate_record(NULL::%1$s, $1) x RETURNING 1 AS one)
		DELETE FROM ONLY %4$I.merge_journal j USING made WHERE j.id OPERATOR(pg_catalog.=) $4$statement$,
		contacts.table_name(relation, false), names, vals, run.directory),
		image, NULL, run.merge_id, entry_id, run.path);
EXCEPTION WHEN integrity_constraint_violation THEN
	IF is_contact THEN
		RAISE;
	ELSIF relation = format('%I.contact_share', run.directory)::regclass THEN
		-- who restores a contact under row security shares it already
		EXECUTE format('DELETE FROM ONLY %I.merge_journal j WHERE j.id = $1', run.directory) USING entry_id;
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.undo_removed(contacts.merge_run, bigint, oid, jsonb) IS 'makes a row that a merge removed, unless its place is taken';

-- I5: the main identifiers of a contact that is back come before the others, of
-- which one would become main.
CREATE FUNCTION contacts.undo_main_identifiers(run contacts.merge_run, contact_id bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation CONSTANT oid := format('%I.identifier', run.directory)::regclass;
	entry record;
BEGIN
	FOR entry IN EXECUTE format($query$
		SELECT j.id, j.action, j.before FROM ONLY %I.merge_journal j
		WHERE j.merge_id = $1 AND j.relation::oid = $2 AND j.action IN ('moved', 'combined')
			AND j.before ->> 'slug' = 'main' AND (j.before ->> 'contact_id')::bigint = $3
		ORDER BY j.id$query$, run.directory) USING run.merge_id, relation, contact_id
	LOOP
		IF entry.action = 'moved' THEN
			PERFORM contacts.undo_moved(run, jsonb_build_object('low', entry.id, 'high', entry.id), relation, '{contact_id,slug}');
		ELSE
			PERFORM contacts.undo_removed(run, entry.id, relation, entry.before);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.undo_main_identifiers(contacts.merge_run, bigint) IS 'gives a contact that is back its main identifiers, moved or combined (rule I5)';

-- Undoes a stretch of the journal of one kind; its latest part first.
CREATE FUNCTION contacts.undo_part(run contacts.merge_run, relation oid, action text, columns name[], low bigint, high bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part CONSTANT jsonb := jsonb_build_object('low', low, 'high', high);
	entry record;
BEGIN
	IF contacts.table_name(relation, true) IS NULL THEN
		RETURN;
	ELSIF action = 'moved' THEN
		PERFORM contacts.undo_moved(run, part, relation, columns);
		RETURN;
	ELSIF action = 'added' THEN
		PERFORM contacts.undo_rows(run, part, relation, format('DELETE FROM %s t USING', contacts.table_name(relation, true)));
		RETURN;
	END IF;
	FOR entry IN EXECUTE format('SELECT j.id, j.before, j.after FROM ONLY %I.merge_journal j WHERE j.merge_id = $1 AND j.id BETWEEN $2 AND $3 ORDER BY j.id DESC', run.directory)
		USING run.merge_id, low, high
	LOOP
		IF action = 'changed' THEN
			PERFORM contacts.undo_changed(run, entry.id, relation, entry.before, entry.after);
		ELSE
			PERFORM contacts.undo_removed(run, entry.id, relation, entry.before);
			IF relation = format('%I.contact', run.directory)::regclass THEN
				PERFORM contacts.undo_main_identifiers(run, (entry.before ->> 'id')::bigint);
			END IF;
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.undo_part(contacts.merge_run, oid, text, name[], bigint, bigint) IS 'undoes entries of the journal that follow each other and are of one table and kind';

-- What cannot be undone at once is undone entry by entry; the entries that fail
-- stay, with what they fail with.  Without its contacts nothing is undone.
CREATE FUNCTION contacts.try_part(run contacts.merge_run, relation oid, action text, columns name[], low bigint, high bigint) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	failed jsonb := '{}';
	id bigint;
BEGIN
	IF action = 'removed' AND relation = format('%I.contact', run.directory)::regclass THEN
		PERFORM contacts.undo_part(run, relation, action, columns, low, high);
		RETURN failed;
	END IF;
	BEGIN
		PERFORM contacts.undo_part(run, relation, action, columns, low, high);
		RETURN failed;
	EXCEPTION
		WHEN serialization_failure OR deadlock_detected OR lock_not_available OR insufficient_privilege OR insufficient_resources THEN
			RAISE;
		WHEN OTHERS THEN
			IF low = high THEN
				RETURN jsonb_build_object(low, SQLERRM);
			END IF;
	END;
	FOR id IN EXECUTE format('SELECT j.id FROM ONLY %I.merge_journal j WHERE j.merge_id = $1 AND j.id BETWEEN $2 AND $3 ORDER BY j.id DESC', run.directory)
		USING run.merge_id, low, high
	LOOP
		failed := failed || contacts.try_part(run, relation, action, columns, id, id);
	END LOOP;
	RETURN failed;
END
$$;
COMMENT ON FUNCTION contacts.try_part(contacts.merge_run, oid, text, name[], bigint, bigint) IS 'undoes a part of a journal as far as it can; returns the messages of the entries that fail, by id';

-- What contacts that are back referred to.
CREATE FUNCTION contacts.restore_references(run contacts.merge_run, losers jsonb[]) RETURNS TABLE (relation text, row_key jsonb, what text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	loser jsonb;
	name text;
BEGIN
	FOREACH loser IN ARRAY losers LOOP
		FOREACH name IN ARRAY contacts.referring_columns(format('%I.contact', run.directory)::regclass) LOOP
			CONTINUE WHEN loser ->> name IS NULL;
			BEGIN
				PERFORM contacts.merge_rows(format($statement$
					UPDATE ONLY %1$I.contact t SET %2$I = x.%2$I FROM pg_catalog.jsonb_populate_record(NULL::%1$I.contact, $1) x
					WHERE t.id OPERATOR(pg_catalog.=) x.id$statement$, run.directory, name),
					loser, NULL, run.merge_id, run.survivor_id, run.path);
			EXCEPTION WHEN integrity_constraint_violation THEN
				relation := format('%I.contact', run.directory);
				row_key := jsonb_build_object('id', loser -> 'id', name, loser -> name);
				what := SQLERRM;
				RETURN NEXT;
			END;
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.restore_references(contacts.merge_run, jsonb[]) IS 'contacts that are back refer to what they referred to; returns what they cannot';

-- Merges that build on one another are undone in reverse order.
CREATE FUNCTION contacts.later_merge(directory text, merge_id bigint, survivor bigint) RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	later bigint;
BEGIN
	EXECUTE format($query$
		SELECT h.id FROM ONLY %1$I.merge_history h
		WHERE h.unmerged_at IS NULL AND h.id > $1
			AND (h.loser_ids @> ARRAY[$2] OR h.survivor_id = $2 AND EXISTS (
				SELECT FROM ONLY %1$I.merge_journal j JOIN ONLY %1$I.merge_journal l
					ON l.relation::oid = j.relation::oid AND l.before = j.after
				WHERE j.merge_id = $1 AND l.merge_id = h.id AND j.relation::oid <> '%1$I.contact'::regclass))
		ORDER BY h.id DESC LIMIT 1$query$, directory) INTO later USING merge_id, survivor;
	RETURN later;
END
$$;
COMMENT ON FUNCTION contacts.later_merge(text, bigint, bigint) IS 'the latest merge that took the survivor of a merge along, or rows that it had moved; NULL if there is none';

-- Refuses what cannot be undone now, and locks the survivor.
CREATE FUNCTION contacts.lock_unmerged(directory text, merge_id bigint) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	merged record;
	later bigint;
	other text;
	is_there boolean;
BEGIN
	EXECUTE format('SELECT h.* FROM ONLY %I.merge_history h WHERE h.id = $1 FOR UPDATE', directory) INTO merged USING merge_id;
	IF merged.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = format('there is no merge %s', coalesce(merge_id::text, 'NULL'));
	END IF;
	IF merged.unmerged_at IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('merge %s has been undone', merge_id), SCHEMA = directory, TABLE = 'merge_history';
	END IF;
	-- the journal is a program: it must be as it was written, and by whom it says
	SELECT m.name INTO other FROM contacts.missing_triggers(contacts.directory_schema(directory)) m WHERE m.relation = 'merge_journal' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('the journal of merges of directory "%s" is not guarded', directory),
			HINT = format('contacts.repair_directory(%L) makes its triggers again.', directory), SCHEMA = directory, TABLE = 'merge_journal';
	END IF;
	EXECUTE format($query$
		SELECT j.role FROM ONLY %I.merge_journal j LEFT JOIN pg_roles r ON r.rolname = j.role
		WHERE j.merge_id = $1 AND r.rolname IS DISTINCT FROM CURRENT_USER
			AND NOT coalesce(pg_has_role(r.oid, CURRENT_USER, 'USAGE'), false)
		LIMIT 1$query$, directory) INTO other USING merge_id;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('merge %s was made by role "%s"', merge_id, other),
			DETAIL = 'Who undoes a merge may have no rights that the role lacks which wrote its journal.',
			HINT = format('Undo it as that role: SET ROLE %I.', other), SCHEMA = directory, TABLE = 'merge_journal';
	END IF;
	EXECUTE format('SELECT c.id FROM ONLY %I.contact c WHERE c.id = ANY ($1) ORDER BY c.id LIMIT 1', directory)
		INTO later USING merged.loser_ids;
	IF later IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('merge %s cannot be undone', merge_id), DETAIL = format('There is another contact %s.', later),
			SCHEMA = directory, TABLE = 'merge_history';
	END IF;
	EXECUTE format('SELECT count(*) = 1 FROM (SELECT FROM ONLY %I.contact c WHERE c.id = $1 FOR UPDATE) c', directory)
		INTO is_there USING merged.survivor_id;
	later := contacts.later_merge(directory, merge_id, merged.survivor_id);
	IF NOT is_there AND later IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('merge %s cannot be undone', merge_id),
			DETAIL = format('Contact %s has been deleted.', merged.survivor_id),
			SCHEMA = directory, TABLE = 'merge_history';
	ELSIF later IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('merge %s cannot be undone', merge_id),
			DETAIL = CASE WHEN is_there THEN 'A later merge has moved its rows on.'
				ELSE format('Contact %s has been merged into another.', merged.survivor_id) END,
			HINT = format('Undo merge %s first.', later), SCHEMA = directory, TABLE = 'merge_history';
	END IF;
	RETURN merged.survivor_id;
END
$$;
COMMENT ON FUNCTION contacts.lock_unmerged(text, bigint) IS 'the survivor of a merge, locked; 55000 if the merge cannot be undone now, P0002 if there is none';

-- What was left: the entries that remain, which are the restored contacts'.
CREATE FUNCTION contacts.left_rows(run contacts.merge_run, failed jsonb) RETURNS TABLE (relation text, row_key jsonb, what text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	entry record;
	is_there boolean;
BEGIN
	FOR entry IN EXECUTE format('SELECT j.id, j.relation, j.action, j.before, j.after, contacts.row_identity(j.relation::oid) AS identity, contacts.table_name(j.relation::oid, true) AS target FROM ONLY %I.merge_journal j WHERE j.merge_id = $1 ORDER BY j.id', run.directory)
		USING run.merge_id
	LOOP
		relation := replace(coalesce(entry.target, entry.relation::text), 'ONLY ', '');
		row_key := coalesce(entry.after, entry.before);
		is_there := entry.action IN ('combined', 'removed');
		IF entry.identity IS NOT NULL AND NOT is_there THEN
			IF NOT failed ? entry.id::text THEN
				EXECUTE format('SELECT EXISTS (SELECT FROM %s t CROSS JOIN jsonb_populate_record(NULL::%s, $1) a WHERE %s)',
					entry.target, contacts.table_name(entry.relation::oid, false), entry.identity) INTO is_there USING row_key;
			END IF;
			row_key := (SELECT jsonb_object_agg(a.attname, row_key -> a.attname::text)
				FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
				WHERE x.indrelid = entry.relation::oid AND x.indisprimary);
		END IF;
		what := CASE WHEN entry.target IS NULL THEN 'the table is gone'
			WHEN failed ? entry.id::text THEN failed ->> entry.id::text
			WHEN entry.action IN ('combined', 'removed') THEN 'its place is taken'
			WHEN entry.identity IS NULL THEN 'changed or deleted'
			WHEN is_there THEN 'changed' ELSE 'deleted' END;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.left_rows(contacts.merge_run, jsonb) IS 'what could not be undone, and why; failed: messages by id of entry';

-- Aliases and journals of earlier merges follow the contacts that are back; what
-- is left of this one is of whom it was of.  The contacts that went stand at the
-- ends of their parts of the journal.
CREATE FUNCTION contacts.settle_unmerge(run contacts.merge_run, losers bigint[], ends bigint[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('DELETE FROM ONLY %I.contact_alias a WHERE a.merge_id = $1', run.directory) USING run.merge_id;
	EXECUTE format($statement$
		UPDATE ONLY %1$I.merge_journal j SET contact_id = o.contact_id
		FROM (
			SELECT e.id, CASE WHEN h.unmerged_at IS NULL THEN coalesce(a.contact_id, h.survivor_id)
				-- what was left of an undo before
				ELSE (SELECT l FROM unnest($3) l WHERE l = ANY (h.loser_ids || h.survivor_id)
					AND ($1 <> ALL (h.loser_ids || h.survivor_id)
						OR e.before ->> coalesce(e.columns[1]::text, 'contact_id') = l::text) LIMIT 1) END AS contact_id
			FROM ONLY %1$I.merge_journal e JOIN ONLY %1$I.merge_history h ON h.id = e.merge_id
				LEFT JOIN ONLY %1$I.contact_alias a ON a.old_id = h.survivor_id
			WHERE e.contact_id = $1 AND h.id <> $2) o
		WHERE j.id = o.id AND o.contact_id <> $1
			AND EXISTS (SELECT FROM ONLY %1$I.contact c WHERE c.id = o.contact_id)$statement$, run.directory)
		USING run.survivor_id, run.merge_id, losers;
	EXECUTE format($statement$
		UPDATE ONLY %I.merge_journal j SET contact_id = l.loser
		FROM (SELECT l.loser, l.last, lag(l.last, 1, 0::bigint) OVER (ORDER BY l.last) AS before
			FROM unnest($2, $3) l (loser, last)) l
		WHERE j.merge_id = $1 AND j.id > l.before AND j.id <= l.last$statement$, run.directory)
		USING run.merge_id, losers, ends;
	EXECUTE format('UPDATE ONLY %I.merge_history h SET unmerged_at = now(), unmerged_by = CURRENT_USER WHERE h.id = $1', run.directory)
		USING run.merge_id;
END
$$;
COMMENT ON FUNCTION contacts.settle_unmerge(contacts.merge_run, bigint[], bigint[]) IS 'aliases go, the journals of earlier merges follow the contacts that are back, the history tells';

-- Plans and images as for merges.
CREATE FUNCTION contacts.run_unmerge(directory text, merge_id bigint, path text) RETURNS TABLE (relation text, row_key jsonb, what text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET jit = off SET extra_float_digits = 1 SET intervalstyle = postgres
AS $$
DECLARE
	run contacts.merge_run;
	part record;
	losers jsonb[];
	ends bigint[];
	failed jsonb := '{}';
BEGIN
	PERFORM contacts.directory_schema(directory);
	run := ROW(directory, merge_id, contacts.lock_unmerged(directory, merge_id), path, false);
	EXECUTE format($query$
		SELECT coalesce(array_agg(j.before ORDER BY j.id), '{}'), coalesce(array_agg(j.id ORDER BY j.id), '{}') FROM ONLY %1$I.merge_journal j
		WHERE j.merge_id = $1 AND j.action = 'removed' AND j.relation::oid = '%1$I.contact'::regclass$query$, directory)
		INTO losers, ends USING merge_id;
	FOR part IN EXECUTE format($query$
		SELECT p.relation::oid AS relation, p.action, p.columns, min(p.id) AS low, max(p.id) AS high
		FROM (SELECT j.id, j.relation, j.action, j.columns, row_number() OVER (ORDER BY j.id)
				- row_number() OVER (PARTITION BY j.relation::oid, j.action, j.columns ORDER BY j.id) AS stretch
			FROM ONLY %I.merge_journal j WHERE j.merge_id = $1) p
		GROUP BY p.relation::oid, p.action, p.columns, p.stretch ORDER BY high DESC$query$, directory) USING merge_id
	LOOP
		failed := failed || contacts.try_part(run, part.relation, part.action, part.columns, part.low, part.high);
	END LOOP;
	-- what was written in contacts that went is undone with them
	EXECUTE format($statement$
		DELETE FROM ONLY %1$I.merge_journal j
		WHERE j.merge_id = $1 AND j.relation::oid = '%1$I.contact'::regclass AND j.action IN ('moved', 'changed')
			AND EXISTS (SELECT FROM unnest($2) l WHERE l -> 'id' = j.after -> 'id')$statement$, directory)
		USING merge_id, losers;
	RETURN QUERY SELECT l.relation, l.row_key, l.what FROM contacts.left_rows(run, failed) l;
	RETURN QUERY SELECT l.relation, l.row_key, l.what FROM contacts.restore_references(run, losers) l;
	PERFORM contacts.settle_unmerge(run, ARRAY(SELECT (l ->> 'id')::bigint FROM unnest(losers) WITH ORDINALITY u (l, i) ORDER BY i), ends);
END
$$;
COMMENT ON FUNCTION contacts.run_unmerge(text, bigint, text) IS 'undoes a merge; path is the search_path that triggers of users run with';

CREATE FUNCTION contacts.unmerge(directory text, merge_id bigint) RETURNS TABLE (relation text, row_key jsonb, what text)
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT u.relation, u.row_key, u.what FROM contacts.run_unmerge($1, $2, pg_catalog.current_setting('search_path')) u;
END;
COMMENT ON FUNCTION contacts.unmerge(text, bigint) IS 'undoes a merge: the losers are back, with everything that has not been changed since; returns what has, which stays where it is: table, key and what became of it; 55000 if it has been undone, or another merge must be undone first';

CREATE FUNCTION contacts.register_reference(directory text, relation regclass, column_name name) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM contacts.directory_schema(directory);
	IF NOT EXISTS (
		SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.oid = relation AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = column_name AND a.attnum > 0
			-- a directory knows its own
			AND NOT EXISTS (SELECT FROM contacts.directory d JOIN pg_namespace n ON n.nspname = d.name
				JOIN contacts.model m ON m.kind = 'table' AND m.relation = c.relname WHERE n.oid = c.relnamespace)
			AND a.atttypid = ANY ('{smallint,integer,bigint}'::regtype[]) AND a.attgenerated = '')
	THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('column "%s" of %s cannot refer to contacts', coalesce(column_name, 'NULL'), coalesce(relation::text, 'NULL')),
			HINT = 'Columns of type smallint, integer or bigint of ordinary and partitioned tables can.';
	END IF;
	IF NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = relation), 'USAGE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', relation);
	END IF;
	EXECUTE format('INSERT INTO %I.contact_reference (relation, column_name) VALUES ($1, $2) ON CONFLICT DO NOTHING', directory)
		USING relation, column_name;
END
$$;
COMMENT ON FUNCTION contacts.register_reference(text, regclass, name) IS 'a column refers to contacts without a foreign key: merges move its rows, too; 22023 if it cannot';

CREATE FUNCTION contacts.unregister_reference(directory text, relation regclass, column_name name) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n bigint;
BEGIN
	PERFORM contacts.directory_schema(directory);
	EXECUTE format('DELETE FROM ONLY %I.contact_reference r WHERE r.relation::oid = $1 AND r.column_name = $2', directory)
		USING relation, column_name;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n > 0;
END
$$;
COMMENT ON FUNCTION contacts.unregister_reference(text, regclass, name) IS 'takes a registration back; false if there was none';
