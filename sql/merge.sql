-- Merging contacts: contacts.merge_contacts() and what it is made of.
--
-- One engine moves rows: whatever refers to a row that goes is made to refer to
-- the row that stays, over any foreign key, and where a unique index stands in
-- the way two rows become one, with all that refers to them in turn.  For a
-- contact the tables of the directory that know better have rules of their own.
--
-- Statements that write are made here, with every name in full, and run by
-- merge_rows() with the caller's rights and search_path.  Their parameters are
-- $1 what goes and $2 what stays, as images of rows, $3 the merge, $4 the survivor.

CREATE TYPE contacts.merge_run AS (
	directory text,
	merge_id bigint,
	survivor_id bigint,
	path text,
	is_dry boolean
);
COMMENT ON TYPE contacts.merge_run IS 'a merge that is going on';
COMMENT ON COLUMN contacts.merge_run.directory IS 'name of the directory';
COMMENT ON COLUMN contacts.merge_run.merge_id IS 'its row in merge_history';
COMMENT ON COLUMN contacts.merge_run.survivor_id IS 'who stays';
COMMENT ON COLUMN contacts.merge_run.path IS 'search_path of the caller, for triggers of users';
COMMENT ON COLUMN contacts.merge_run.is_dry IS 'what is refused is counted';

CREATE TYPE contacts.reference AS (
	id oid,
	name name,
	relation oid,
	target text,
	columns name[],
	keys name[],
	match text,
	assignment text,
	former text,
	latter text,
	image text,
	twins text[],
	is_watched boolean
);
COMMENT ON TYPE contacts.reference IS 'columns that refer to the rows of a table';
COMMENT ON COLUMN contacts.reference.id IS 'foreign key; 0: registered by hand';
COMMENT ON COLUMN contacts.reference.name IS 'name of the foreign key';
COMMENT ON COLUMN contacts.reference.relation IS 'table with the columns';
COMMENT ON COLUMN contacts.reference.target IS 'its name in a statement';
COMMENT ON COLUMN contacts.reference.columns IS 'the columns';
COMMENT ON COLUMN contacts.reference.keys IS 'the columns that they refer to';
COMMENT ON COLUMN contacts.reference.match IS 'condition for the rows t that refer to the row of which $1 is the image';
COMMENT ON COLUMN contacts.reference.assignment IS 'assignments that make a row refer to the row of which $2 is the image';
COMMENT ON COLUMN contacts.reference.former IS 'the columns that refer to $1, as jsonb';
COMMENT ON COLUMN contacts.reference.latter IS 'the columns that refer to $2, as jsonb';
COMMENT ON COLUMN contacts.reference.image IS 'a row t as jsonb: contacts.row_image()';
COMMENT ON COLUMN contacts.reference.twins IS 'queries for the rows that refer to $1 and those in whose way unique indexes would stand, one for each index, with whose name the query begins';
COMMENT ON COLUMN contacts.reference.is_watched IS 'the table has triggers, rules or row security that can keep rows from moving';

CREATE FUNCTION contacts.merge_rows(statement text, lose jsonb, keep jsonb, merge_id bigint,
	survivor_id bigint, path text) RETURNS bigint
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.merge_rows(text, jsonb, jsonb, bigint, bigint, text) IS 'runs a statement of a merge with the rights of the caller and that search_path, over what is committed now, in every isolation level; returns the number of rows';

CREATE FUNCTION contacts.still_refers(constraint_id oid, lose jsonb) RETURNS boolean
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.still_refers(oid, jsonb) IS 'do rows, hidden by row security or not, refer by a foreign key to the row of which lose is the image?  For who may delete that row';

-- What a unique index is over, of the columns of one table in scope: its
-- expressions, its predicate, and how they are compared.
CREATE FUNCTION contacts.unique_keys(relation oid, columns name[])
	RETURNS TABLE (name name, selection text, comparison text, predicate text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT c.relname,
		string_agg(format('%s AS k%s', e.expression, i), ', ' ORDER BY i),
		string_agg(format(CASE WHEN x.indnullsnotdistinct AND NOT coalesce(a.attnotnull, false)
			THEN '(%1$s OPERATOR(%2$I.%3$s) r.k%4$s OR %1$s IS NULL AND r.k%4$s IS NULL)'
			ELSE '%1$s OPERATOR(%2$I.%3$s) r.k%4$s' END, e.expression, n.nspname, o.oprname, i), ' AND ' ORDER BY i),
		coalesce(pg_get_expr(x.indpred, x.indrelid), 'true')
	FROM pg_index x
		JOIN pg_class c ON c.oid = x.indexrelid
		CROSS JOIN LATERAL generate_series(1, x.indnkeyatts) i
		CROSS JOIN LATERAL (
			SELECT pg_get_indexdef(x.indexrelid, i, true) || coalesce((
				SELECT format(' COLLATE %I.%I', s.nspname, l.collname) FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace
				WHERE l.oid = x.indcollation[i - 1]), '') AS expression) e
		LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[i - 1] AND a.attnum > 0
		JOIN pg_opclass p ON p.oid = x.indclass[i - 1]
		JOIN pg_amop m ON m.amopfamily = p.opcfamily AND m.amopstrategy = 3
			AND m.amoplefttype = p.opcintype AND m.amoprighttype = p.opcintype AND m.amopmethod = p.opcmethod
		JOIN pg_operator o ON o.oid = m.amopopr
		JOIN pg_namespace n ON n.oid = o.oprnamespace
	WHERE x.indrelid = relation AND x.indisunique AND x.indislive
		AND (x.indpred IS NOT NULL OR x.indexprs IS NOT NULL OR EXISTS (
			SELECT FROM pg_attribute b WHERE b.attrelid = relation AND b.attname = ANY (columns)
				AND b.attnum = ANY (x.indkey[0:x.indnkeyatts - 1])))
	GROUP BY x.indexrelid, c.relname, x.indpred, x.indrelid
	ORDER BY c.relname;
END
$$;
COMMENT ON FUNCTION contacts.unique_keys(oid, name[]) IS 'the unique indexes of a table that can stand in the way of a change of the columns';

-- Rows that would move and those that stand in their way, by place.
CREATE FUNCTION contacts.twin_queries(relation oid, columns name[], target text, match text, latter text) RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(SELECT format($query$/* %7$s */
		SELECT r.place, r.part, k.place AS keep_place, k.part AS keep_part
		FROM (SELECT t.ctid AS place, t.tableoid AS part, e.*
			FROM %1$s t CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(t.*, %3$s) x
				CROSS JOIN LATERAL (SELECT %4$s, %6$s AS is_in FROM (SELECT x.*) y) e
			WHERE %2$s) r
			CROSS JOIN LATERAL (SELECT t.ctid AS place, t.tableoid AS part FROM %1$s t
				WHERE %5$s AND (%6$s)) k
		WHERE r.is_in AND (r.place OPERATOR(pg_catalog.<>) k.place OR r.part OPERATOR(pg_catalog.<>) k.part)$query$,
			target, match, latter, u.selection, u.comparison, u.predicate, replace(u.name, '*', ''))
		FROM contacts.unique_keys(relation, columns) u);
END
$$;
COMMENT ON FUNCTION contacts.twin_queries(oid, name[], text, text, text) IS 'queries for the rows of a table that match, each with the row that has, or would have, the same key of a unique index';

-- The foreign keys that lead to a table, found by its triggers, which have an
-- index, as foreign keys have none.
CREATE FUNCTION contacts.references_to(parent oid) RETURNS SETOF contacts.reference
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT k.oid, k.conname, k.conrelid,
		format(CASE r.relkind WHEN 'p' THEN '%I.%I' ELSE 'ONLY %I.%I' END, n.nspname, r.relname),
		x.columns, x.keys, x.match, x.assignment,
		format('pg_catalog.jsonb_build_object(%s)', x.former),
		format('pg_catalog.jsonb_build_object(%s)', x.latter),
		contacts.row_image(r.oid),
		contacts.twin_queries(r.oid, x.columns,
			format(CASE r.relkind WHEN 'p' THEN '%I.%I' ELSE 'ONLY %I.%I' END, n.nspname, r.relname), x.match,
			format('pg_catalog.jsonb_build_object(%s)', x.latter)),
		r.relrowsecurity OR r.relhasrules OR r.oid = parent OR EXISTS (
			SELECT FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid
			WHERE (g.tgrelid = r.oid OR r.relkind = 'p' AND g.tgrelid IN (SELECT p.relid FROM pg_partition_tree(r.oid::regclass) p))
				AND NOT g.tgisinternal AND g.tgtype & 19 = 19 AND f.pronamespace <> 'contacts'::regnamespace)
	FROM (SELECT DISTINCT t.tgconstraint FROM pg_trigger t WHERE t.tgrelid = parent AND t.tgconstraint <> 0) u
		JOIN pg_constraint k ON k.oid = u.tgconstraint AND k.contype = 'f' AND k.confrelid = parent AND k.conparentid = 0
		JOIN pg_class r ON r.oid = k.conrelid
		JOIN pg_namespace n ON n.oid = r.relnamespace
		CROSS JOIN LATERAL (
			SELECT array_agg(f.attname ORDER BY i) AS columns,
				array_agg(p.attname ORDER BY i) AS keys,
				string_agg(format('($1 OPERATOR(pg_catalog.->>) %L)::%I.%I OPERATOR(%I.%s) t.%I', p.attname::text,
					s.nspname, y.typname, q.nspname, o.oprname, f.attname), ' AND ' ORDER BY i) AS match,
				string_agg(format('%I = ($2 OPERATOR(pg_catalog.->>) %L)::%I.%I', f.attname, p.attname::text,
					s.nspname, y.typname), ', ' ORDER BY i) AS assignment,
				string_agg(format('%L::pg_catalog.text, $1 OPERATOR(pg_catalog.->) %L', f.attname::text, p.attname::text), ', ') AS former,
				string_agg(format('%L::pg_catalog.text, $2 OPERATOR(pg_catalog.->) %L', f.attname::text, p.attname::text), ', ') AS latter
			FROM generate_subscripts(k.conkey, 1) i
				JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = k.conkey[i]
				JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[i]
				JOIN pg_type y ON y.oid = p.atttypid
				JOIN pg_namespace s ON s.oid = y.typnamespace
				JOIN pg_operator o ON o.oid = k.conpfeqop[i]
				JOIN pg_namespace q ON q.oid = o.oprnamespace) x
	ORDER BY (
		-- a table comes after those that it refers to, whose cascades may take it along
		WITH RECURSIVE above (id, depth) AS (
			SELECT r.oid, 0
			UNION
			SELECT f.confrelid, a.depth + 1 FROM above a JOIN pg_constraint f ON f.contype = 'f' AND f.conrelid = a.id
			WHERE a.depth < 20 AND f.confrelid <> parent AND f.confrelid <> a.id
		)
		SELECT max(a.depth) FROM above a), n.nspname, r.relname, k.conname;
END
$$;
COMMENT ON FUNCTION contacts.references_to(oid) IS 'the foreign keys that lead to a table, those on tables that refer to others after these, in order of their names';

CREATE FUNCTION contacts.known_references(parent oid) RETURNS contacts.reference[]
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.known_references(oid) IS 'references_to(), which a session remembers until any table changes';

-- Columns registered by hand, in the same form.
CREATE FUNCTION contacts.registered_references(directory text) RETURNS SETOF contacts.reference
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT 0::oid, a.attname, c.oid,
			format('%%I.%%I', n.nspname, c.relname),
			ARRAY[a.attname], '{id}'::name[],
			format('($1 OPERATOR(pg_catalog.->>) ''id'')::pg_catalog.int8 OPERATOR(pg_catalog.=) t.%%I', a.attname),
			format('%%I = ($2 OPERATOR(pg_catalog.->>) ''id'')::pg_catalog.int8', a.attname),
			format('pg_catalog.jsonb_build_object(%%L::pg_catalog.text, $1 OPERATOR(pg_catalog.->) ''id'')', a.attname),
			format('pg_catalog.jsonb_build_object(%%L::pg_catalog.text, $2 OPERATOR(pg_catalog.->) ''id'')', a.attname),
			contacts.row_image(c.oid),
			contacts.twin_queries(c.oid, ARRAY[a.attname],
				format('%%I.%%I', n.nspname, c.relname),
				format('($1 OPERATOR(pg_catalog.->>) ''id'')::pg_catalog.int8 OPERATOR(pg_catalog.=) t.%%I', a.attname),
				format('pg_catalog.jsonb_build_object(%%L::pg_catalog.text, $2 OPERATOR(pg_catalog.->) ''id'')', a.attname)),
			false
		FROM ONLY %I.contact_reference f
			JOIN pg_class c ON c.oid = f.relation::oid
			JOIN pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = f.column_name AND NOT a.attisdropped
		ORDER BY n.nspname, c.relname, a.attname$query$, directory);
END
$$;
COMMENT ON FUNCTION contacts.registered_references(text) IS 'the columns registered by register_reference() that exist';

CREATE FUNCTION contacts.refuse_merge(relation oid, constraint_name name, message text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rel record;
BEGIN
	SELECT n.nspname, c.relname INTO rel FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
	RAISE EXCEPTION USING ERRCODE = CASE
			-- rows that the transaction does not see may be in the way
			WHEN current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN 'serialization_failure'
			WHEN row_security_active(relation) THEN 'insufficient_privilege'
			ELSE 'object_not_in_prerequisite_state' END,
		MESSAGE = format(message, format('%I.%I', rel.nspname, rel.relname), constraint_name),
		SCHEMA = rel.nspname, TABLE = rel.relname, CONSTRAINT = coalesce(constraint_name, '');
END
$$;
COMMENT ON FUNCTION contacts.refuse_merge(oid, name, text) IS 'raises 55000, 42501 under row security, 40001 where the transaction may not see what is in the way, with the names of a table and a constraint of it in the message';

-- What the row that stays takes over from the one that goes into it: values
-- where it has none; in the directory's own tables the stricter wish.
CREATE FUNCTION contacts.combined_values(directory text, relation oid, lose jsonb, keep jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	own text := (SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = relation AND n.nspname = directory);
	result jsonb := (
		SELECT coalesce(jsonb_object_agg(l.key, l.value), '{}')
		FROM jsonb_each(lose) l
			JOIN pg_attribute a ON a.attrelid = relation AND a.attname = l.key
		WHERE l.value <> 'null' AND keep -> l.key = 'null'
			AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '');
BEGIN
	IF own = 'identifier' THEN
		result := result - '{slug,status,status_reason,status_changed_at}'::text[];
		IF lose -> 'is_outreach' = 'false' AND keep -> 'is_outreach' = 'true' THEN
			result := result || '{"is_outreach": false}';
		END IF;
	ELSIF own = 'relationship' THEN
		result := result - 'ended_on';
		IF lose -> 'is_primary' = 'true' AND keep -> 'is_primary' = 'false' THEN
			result := result || '{"is_primary": true}';
		END IF;
	ELSIF own = 'subscription' AND lose ->> 'state' = 'unsubscribed' AND keep ->> 'state' <> 'unsubscribed' THEN
		result := result || jsonb_build_object('state', 'unsubscribed', 'source', lose -> 'source', 'evidence', lose -> 'evidence');
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION contacts.combined_values(text, oid, jsonb, jsonb) IS 'the values that a row takes over from one that goes into it';

-- Images are read back by the input functions of the columns' types: what is
-- more than a scalar of the server's own goes into them as text, as a cast to
-- json can say anything.
CREATE FUNCTION contacts.row_image(relation oid, alias text DEFAULT 't') RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('pg_catalog.to_jsonb(%s.*)', alias) || coalesce((
		SELECT format(' OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(%s)',
			string_agg(format('%1$L::pg_catalog.text, %2$s.%1$I::pg_catalog.text', a.attname, alias), ', ' ORDER BY a.attnum))
		FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
			AND (y.typnamespace <> ALL (ARRAY['pg_catalog'::regnamespace::oid, 'contacts'::regnamespace::oid])
				OR y.typelem <> 0 AND y.typlen = -1)), '');
END;
COMMENT ON FUNCTION contacts.row_image(oid, text) IS 'expression: a row of a table as jsonb that jsonb_populate_record() makes the same row of';

-- Writes the columns that values has into the row of which place tells, and
-- journals it.
CREATE FUNCTION contacts.change_row(run contacts.merge_run, relation oid, target text, place jsonb, vals jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	assignment text := (SELECT string_agg(format('%1$I = x.%1$I', k), ', ' ORDER BY k) FROM jsonb_object_keys(vals) k);
BEGIN
	IF assignment IS NULL THEN
		RETURN;
	END IF;
	IF contacts.merge_rows(format($statement$
		WITH old AS MATERIALIZED (
			SELECT t.ctid AS place, t.tableoid AS part, %6$s AS image FROM %1$s t
			WHERE t.ctid OPERATOR(pg_catalog.=) ($2 OPERATOR(pg_catalog.->>) 'place')::pg_catalog.tid
				AND t.tableoid OPERATOR(pg_catalog.=) ($2 OPERATOR(pg_catalog.->>) 'part')::pg_catalog.oid
		), changed AS (
			UPDATE %1$s t SET %2$s
			FROM old CROSS JOIN LATERAL pg_catalog.jsonb_populate_record(NULL::%5$s, $1) x
			WHERE t.ctid OPERATOR(pg_catalog.=) old.place AND t.tableoid OPERATOR(pg_catalog.=) old.part
			RETURNING old.image AS image, %6$s AS now
		)
		INSERT INTO %3$I.merge_journal (merge_id, contact_id, relation, action, before, after)
		SELECT $3, $4, %4$L::pg_catalog.regclass, 'changed', c.image, c.now FROM changed c$statement$,
		target, assignment, run.directory, relation, contacts.table_name(relation, false), contacts.row_image(relation)),
		vals, place, run.merge_id, run.survivor_id, run.path) = 0
	THEN
		PERFORM contacts.refuse_merge(relation, NULL, 'a row of table %s could not be changed');
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.change_row(contacts.merge_run, oid, text, jsonb, jsonb) IS 'writes values into one row of a table, and journals it';

-- A row that stays and refers to the one that goes would refer to itself.
CREATE FUNCTION contacts.clear_self_reference(run contacts.merge_run, ref contacts.reference, lose jsonb, keep_place jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_there boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE t.ctid = ($2 ->> ''place'')::tid AND t.tableoid = ($2 ->> ''part'')::oid AND %s)',
		ref.target, ref.match) INTO is_there USING lose, keep_place;
	IF is_there THEN
		PERFORM contacts.change_row(run, ref.relation, ref.target, keep_place,
			(SELECT jsonb_object_agg(c, NULL) FROM unnest(ref.columns) c
				JOIN pg_attribute a ON a.attrelid = ref.relation AND a.attname = c AND NOT a.attnotnull));
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.clear_self_reference(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'the row at keep_place, which refers to the row of the same table that goes, refers to none, where it may';

-- The row at lose goes into the row at keep: what refers to the one refers to
-- the other, which takes values over; then the one is deleted.  Rows of the same
-- table that refer to each other are written on the way, and found elsewhere
-- then: false, the caller looks again.
CREATE FUNCTION contacts.combine_rows(run contacts.merge_run, relation oid, target text, lose jsonb, keep jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query CONSTANT text := format('SELECT %s FROM %s t WHERE t.ctid = ($1 ->> ''place'')::tid AND t.tableoid = ($1 ->> ''part'')::oid FOR UPDATE',
		contacts.row_image(relation), target);
	lose_image jsonb;
	keep_image jsonb;
	image jsonb;
	vals jsonb;
	ref contacts.reference;
BEGIN
	EXECUTE query INTO lose_image USING lose;
	EXECUTE query INTO keep_image USING keep;
	IF lose_image IS NULL OR keep_image IS NULL THEN
		RETURN false;
	END IF;
	FOREACH ref IN ARRAY contacts.known_references(relation) LOOP
		-- a validation is of one row of identifier, and goes with it
		CONTINUE WHEN ref.relation = format('%I.validation', run.directory)::regclass OR contacts.needs_nothing(ref, lose_image);
		IF ref.relation = combine_rows.relation THEN
			PERFORM contacts.clear_self_reference(run, ref, lose_image, keep);
		END IF;
		PERFORM contacts.move_rows(run, ref, lose_image, keep_image);
	END LOOP;
	EXECUTE query INTO image USING lose;
	IF image IS NOT NULL THEN
		EXECUTE query INTO image USING keep;
	END IF;
	IF image IS NULL THEN
		RETURN false;
	END IF;
	IF contacts.merge_rows(format($statement$
		WITH removed AS (
			DELETE FROM %1$s t
			WHERE t.ctid OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'place')::pg_catalog.tid
				AND t.tableoid OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.->>) 'part')::pg_catalog.oid
			RETURNING 1 AS one
		)
		INSERT INTO %2$I.merge_journal (merge_id, contact_id, relation, action, before)
		SELECT $3, $4, %3$L::pg_catalog.regclass, 'combined', $2 FROM removed$statement$, target, run.directory, relation),
		lose, lose_image, run.merge_id, run.survivor_id, run.path) = 0
	THEN
		PERFORM contacts.refuse_merge(relation, NULL, 'a row of table %s could not be deleted');
	END IF;
	vals := contacts.combined_values(run.directory, relation, lose_image, keep_image);
	PERFORM contacts.change_row(run, relation, target, keep, vals - ARRAY(
		SELECT c.name::text FROM unnest(contacts.known_references(relation)) r CROSS JOIN LATERAL unnest(r.columns, r.keys) c (name, key)
		WHERE r.relation = combine_rows.relation AND vals -> c.name::text = keep_image -> c.key::text));
	RETURN true;
END
$$;
COMMENT ON FUNCTION contacts.combine_rows(contacts.merge_run, oid, text, jsonb, jsonb) IS 'makes one row of two: what refers to the first refers to the second, which fills its NULLs from the first; the first is deleted; false if one of them is not there, or was written on the way';

-- Combines the rows in whose way unique indexes stand, one by one.  Of rows that
-- have gone into others, or elsewhere, meanwhile the next round finds what is
-- left.
CREATE FUNCTION contacts.combine_twins(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query text;
	pair record;
	idle_rounds integer;
	is_idle boolean;
BEGIN
	FOREACH query IN ARRAY ref.twins LOOP
		idle_rounds := 0;
		WHILE contacts.merge_rows(query, lose, keep, NULL, NULL, 'pg_catalog, pg_temp') > 0 LOOP
			is_idle := true;
			FOR pair IN EXECUTE query USING lose, keep LOOP
				is_idle := NOT contacts.combine_rows(run, ref.relation, ref.target,
					jsonb_build_object('place', pair.place, 'part', pair.part),
					jsonb_build_object('place', pair.keep_place, 'part', pair.keep_part)) AND is_idle;
			END LOOP;
			idle_rounds := CASE WHEN is_idle THEN idle_rounds + 1 ELSE 0 END;
			IF idle_rounds > 2 THEN
				PERFORM contacts.refuse_merge(ref.relation, ref.name, 'rows of table %s that refer by %I cannot be combined');
			END IF;
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.combine_twins(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'combines the rows that refer to lose with those that have the same key and refer to keep';

CREATE FUNCTION contacts.move_statement(run contacts.merge_run, ref contacts.reference, filter text DEFAULT 'true') RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format(CASE WHEN (ref).is_watched THEN $watched$
		WITH old AS MATERIALIZED (
			SELECT t.ctid AS place, t.tableoid AS part, %9$s AS image FROM %1$s t WHERE %3$s AND %4$s
		), moved AS (
			UPDATE %1$s t SET %2$s FROM old
			WHERE t.ctid OPERATOR(pg_catalog.=) old.place AND t.tableoid OPERATOR(pg_catalog.=) old.part
			RETURNING old.image AS former, %9$s AS now
		)$watched$ ELSE $plain$
		WITH moved AS (
			UPDATE %1$s t SET %2$s WHERE %3$s AND %4$s
			RETURNING %9$s OPERATOR(pg_catalog.||) %8$s AS former, %9$s AS now
		)$plain$ END || $statement$
		INSERT INTO %5$I.merge_journal (merge_id, contact_id, relation, action, columns, before, after)
		SELECT $3, $4, %6$L::pg_catalog.regclass, 'moved', %7$L::pg_catalog.name[], m.former, m.now
		FROM moved m$statement$,
		(ref).target, (ref).assignment, (ref).match, filter, (run).directory, (ref).relation, (ref).columns, (ref).former,
		(ref).image);
END;
COMMENT ON FUNCTION contacts.move_statement(contacts.merge_run, contacts.reference, text) IS 'statement that makes the rows that refer to $1 refer to $2, and journals it';

-- What refers to lose refers to keep.
CREATE FUNCTION contacts.move_rows(run contacts.merge_run, ref contacts.reference, lose jsonb, keep jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_referred boolean;
BEGIN
	IF EXISTS (SELECT FROM unnest(ref.keys) k WHERE keep -> k::text = 'null') THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE %s)', ref.target, ref.match) INTO is_referred USING lose;
		IF is_referred THEN
			PERFORM contacts.refuse_merge(ref.relation, ref.name,
				'rows of table %s refer by foreign key %I to columns that the survivor has no values in');
		END IF;
		RETURN;
	END IF;
	IF ref.id = 0 AND row_security_active(ref.relation) THEN
		PERFORM contacts.refuse_merge(ref.relation, NULL, 'rows of table %s may be hidden by row security');
	END IF;
	PERFORM contacts.combine_twins(run, ref, lose, keep);
	IF ref.is_watched THEN
		PERFORM contacts.merge_rows(format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', ref.target, ref.match), lose, NULL, NULL, NULL, run.path);
	END IF;
	PERFORM contacts.merge_rows(contacts.move_statement(run, ref), lose, keep, run.merge_id, run.survivor_id, run.path);
	IF ref.is_watched AND ref.id <> 0 AND contacts.still_refers(ref.id, lose) THEN
		PERFORM contacts.refuse_merge(ref.relation, ref.name, CASE WHEN row_security_active(ref.relation)
			THEN 'rows of table %s that refer by foreign key %I are hidden by row security, or cannot be changed'
			ELSE 'rows of table %s that refer by foreign key %I did not move' END);
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.move_rows(contacts.merge_run, contacts.reference, jsonb, jsonb) IS 'makes what refers to the row of which lose is the image refer to that of which keep is the image, by one foreign key; 55000 if not all rows can';
