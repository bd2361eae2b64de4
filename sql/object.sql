-- Types of relationships and registered objects (rules R1, R3, R4): the trigger
-- functions, and what makes the rows of a table relatable.

CREATE FUNCTION contacts.relationship_type_lock() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_type_lock() IS 'BEFORE any change of relationship_type: those who write types wait for each other';

CREATE FUNCTION contacts.relationship_type_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_type_derive() IS 'BEFORE INSERT OR UPDATE on relationship_type: labels, the far side of symmetric types, the inverse; refuses what links forbid (rule R1)';

CREATE FUNCTION contacts.relationship_type_pair() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_type_pair() IS 'AFTER INSERT OR UPDATE on relationship_type: makes the inverse of a type, and carries changes over to it (rule R1)';

CREATE FUNCTION contacts.relationship_record() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_record() IS 'AFTER INSERT OR UPDATE on relationship: a link to a record leads to one that exists (rule R3); raises 23503, constraint relationship_record_exists';

CREATE FUNCTION contacts.record_change() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.record_change() IS 'AFTER UPDATE, DELETE or TRUNCATE on a registered table: links follow its records (rule R3)';

-- What a directory's record triggers are found by: they depend on its table
-- object_type, which their WHEN clauses name.
CREATE FUNCTION contacts.record_triggers(object_type oid)
	RETURNS TABLE (id oid, relation oid, name name, event text, enabled "char", key smallint)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT DISTINCT t.oid, t.tgrelid, t.tgname,
		CASE WHEN t.tgtype & 32 <> 0 THEN 'truncate' WHEN t.tgtype & 8 <> 0 THEN 'delete' ELSE 'update' END,
		t.tgenabled,
		(SELECT k.refobjsubid::smallint FROM pg_depend k
		WHERE k.classid = 'pg_trigger'::regclass AND k.objid = t.oid
			AND k.refclassid = 'pg_class'::regclass AND k.refobjid = t.tgrelid AND k.refobjsubid > 0
		LIMIT 1)
	FROM pg_depend d
		JOIN pg_trigger t ON t.oid = d.objid
		JOIN pg_proc p ON p.oid = t.tgfoid
	WHERE d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = object_type
		AND t.tgrelid <> object_type AND t.tgparentid = 0
		AND p.proname = 'record_change' AND p.pronamespace = 'contacts'::regnamespace;
END;
COMMENT ON FUNCTION contacts.record_triggers(oid) IS 'the triggers that registered tables have for the directory with that table object_type: what they are for, and the number of the key column';

-- Columns that can identify the records of a table, the primary key first.
CREATE FUNCTION contacts.record_keys(relation oid) RETURNS TABLE (name name, is_primary boolean)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT a.attname, bool_or(x.indisprimary)
	FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
	WHERE x.indrelid = relation AND x.indisunique AND x.indimmediate AND x.indisvalid
		AND x.indnkeyatts = 1 AND x.indpred IS NULL AND x.indkey[0] > 0
		AND a.attnotnull AND a.attgenerated = ''
		AND a.atttypid = ANY ('{smallint,integer,bigint,uuid}'::regtype[])
	GROUP BY a.attname
	ORDER BY 2 DESC, 1;
END;
COMMENT ON FUNCTION contacts.record_keys(oid) IS 'the columns of a table that can identify its records: NOT NULL, with a unique index of their own, of type smallint, integer, bigint or uuid';

-- The triggers that registered tables lack, and the statements that make them.
-- The statements name the directory by oid, so that it may be renamed meanwhile.
CREATE FUNCTION contacts.missing_record_triggers(object_type oid)
	RETURNS TABLE (id bigint, registered oid, relation oid, problem text, statement text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH armed AS MATERIALIZED (SELECT * FROM contacts.record_triggers($1)),
		registered AS (
			SELECT o.id, c.oid, c.relkind, n.nspname, c.relname, o.key_column
			FROM ONLY %s o
				JOIN pg_class c ON c.oid = o.relation::oid AND c.relkind IN ('r', 'p')
				JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE NOT EXISTS (SELECT FROM pg_class d JOIN contacts.model m ON m.kind = 'table' AND m.relation = c.relname
				WHERE d.oid = $1 AND d.relnamespace = c.relnamespace)
		), wanted AS (
			SELECT r.id, r.oid AS registered, r.oid AS relation, e.event, r.nspname, r.relname, e.timing,
				format(e.condition, r.key_column) AS condition
			FROM registered r CROSS JOIN LATERAL (VALUES
				('delete', 'AFTER', 'FOR EACH ROW WHEN (OLD.%%1$I IS NOT NULL AND '),
				('update', CASE r.relkind WHEN 'p' THEN 'BEFORE' ELSE 'AFTER' END,
					'FOR EACH ROW WHEN (OLD.%%1$I IS DISTINCT FROM NEW.%%1$I AND '),
				('truncate', 'AFTER', 'FOR EACH STATEMENT WHEN (')) e (event, timing, condition)
			UNION ALL
			SELECT r.id, r.oid, c.oid, 'truncate', n.nspname, c.relname, 'AFTER', 'FOR EACH STATEMENT WHEN ('
			FROM registered r CROSS JOIN LATERAL pg_partition_tree(r.oid::regclass) p
				JOIN pg_class c ON c.oid = p.relid AND c.oid <> r.oid AND c.relkind IN ('r', 'p')
				JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE r.relkind = 'p'
		)
		SELECT w.id, w.registered, w.relation,
			CASE WHEN a.id IS NULL THEN format('table %%I.%%I has no trigger for %%s', w.nspname, w.relname, w.event)
				ELSE format('trigger %%I on table %%I.%%I is not enabled', a.name, w.nspname, w.relname) END,
			CASE WHEN a.id IS NULL THEN
				format('CREATE TRIGGER %%I %%s %%s ON %%I.%%I %%s%%L::pg_catalog.regclass IS NOT NULL) EXECUTE FUNCTION contacts.record_change()',
					format('zz_record_%%s_%%s', w.event, (
						SELECT min(i) FROM generate_series(1, 1000) i
						WHERE NOT EXISTS (SELECT FROM pg_trigger t
							WHERE t.tgname = format('zz_record_%%s_%%s', w.event, i)
								AND (t.tgrelid = w.relation
									OR t.tgrelid IN (SELECT p.relid FROM pg_partition_tree(w.relation::regclass) p))))),
					w.timing, w.event, w.nspname, w.relname, w.condition, $1)
				ELSE format('ALTER TABLE %%I.%%I ENABLE TRIGGER %%I', w.nspname, w.relname, a.name) END
		FROM wanted w LEFT JOIN armed a ON a.relation = w.relation AND a.event = w.event
		WHERE a.id IS NULL OR a.enabled = 'D' OR a.enabled = 'R'
		ORDER BY w.id, w.relation <> w.registered, w.relation, w.event
		$q$, object_type::regclass)
	USING object_type;
END
$$;
COMMENT ON FUNCTION contacts.missing_record_triggers(oid) IS 'triggers that the tables registered in the directory with that table object_type lack, and the statements that make them';

CREATE FUNCTION contacts.arm_records(object_type regclass, relation regclass) RETURNS integer
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.arm_records(regclass, regclass) IS 'makes the triggers that a registered table lacks, enables those that are disabled; returns how many; only the owner of the table may';

CREATE FUNCTION contacts.disarm_records(object_type regclass, relation regclass DEFAULT 0) RETURNS integer
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.disarm_records(regclass, regclass) IS 'drops the triggers that a table, or every table, has for a directory; returns how many; only the owner of the directory or the table may';

CREATE FUNCTION contacts.missing_records(object_type regclass, relation regclass, keys anyarray) RETURNS anyarray
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.missing_records(regclass, regclass, anyarray) IS 'the keys of which a registered table has no record; NULL if the table is not registered from its side; for who may read the secret of the directory';

-- What cannot be registered is refused here, with a word why.
CREATE FUNCTION contacts.check_record_table(directory text, relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rel record;
BEGIN
	SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relispartition, c.relowner, n.nspname,
		(SELECT o.relpersistence FROM pg_class o WHERE o.oid = format('%I.object_type', directory)::regclass) AS persistence,
		EXISTS (SELECT FROM pg_class o JOIN pg_attribute a ON a.attrelid = o.oid
			WHERE o.relnamespace = c.relnamespace AND o.relname = 'contact'
				AND a.attname = 'email' AND a.atttypid = 'contacts.email'::regtype)
			AND EXISTS (SELECT FROM contacts.model m WHERE m.kind = 'table' AND m.relation = c.relname) AS is_internal
		INTO rel
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.oid = check_record_table.relation;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_table',
			MESSAGE = format('table with OID %s does not exist', relation::oid);
	END IF;
	IF rel.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = format('"%s" is not a table', rel.relname),
			HINT = 'The records of ordinary and partitioned tables can be related.',
			SCHEMA = rel.nspname, TABLE = rel.relname;
	END IF;
	IF NOT pg_has_role(rel.relowner, 'USAGE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('must be owner of table %s', rel.relname),
			SCHEMA = rel.nspname, TABLE = rel.relname;
	END IF;
	IF rel.relispartition THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = format('table "%s" is a partition', rel.relname),
			HINT = 'Register the partitioned table.',
			SCHEMA = rel.nspname, TABLE = rel.relname;
	END IF;
	IF rel.is_internal AND NOT (rel.nspname = directory AND rel.relname = 'organization') THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = format('table "%s" is part of a contact directory', rel.relname),
			SCHEMA = rel.nspname, TABLE = rel.relname;
	END IF;
	IF rel.relpersistence <> rel.persistence AND rel.persistence = 'p' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_table_definition',
			MESSAGE = format('table "%s" is %s', rel.relname,
				CASE rel.relpersistence WHEN 't' THEN 'temporary' ELSE 'not logged' END),
			DETAIL = 'Its records could go without a trace.',
				TABLE = rel.relname;
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.check_record_table(text, regclass) IS 'refuses a table whose records cannot be related, and who does not own it';

CREATE FUNCTION contacts.choose_record_key(relation regclass, key_column name, known name) RETURNS name
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	names name[] := (SELECT array_agg(k.name) FROM contacts.record_keys(relation) k);
	primary_key name := (SELECT k.name FROM contacts.record_keys(relation) k WHERE k.is_primary);
	chosen name := coalesce(key_column, CASE WHEN known = ANY (names) THEN known END, primary_key,
		CASE WHEN cardinality(names) = 1 THEN names[1] END);
BEGIN
	IF chosen = ANY (names) THEN
		RETURN chosen;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
		MESSAGE = CASE
			WHEN chosen IS NOT NULL THEN format('column "%s" of table "%s" cannot identify its records', chosen, relation)
			WHEN names IS NOT NULL THEN format('several columns of table "%s" can identify its records', relation)
			ELSE format('no column of table "%s" can identify its records', relation) END,
		DETAIL = 'A key is a column of type smallint, integer, bigint or uuid, NOT NULL and with a unique index of its own.',
		HINT = CASE WHEN names IS NULL THEN 'Add one, for example id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY.'
			ELSE format('Choose one by key_column: %s.', array_to_string(names, ', ')) END,
		TABLE = relation::text;
END
$$;
COMMENT ON FUNCTION contacts.choose_record_key(regclass, name, name) IS 'the column that identifies the records of a table: the one asked for, else the one known before, the primary key, the only one there is; 22023 if there is none';

CREATE FUNCTION contacts.register_object(directory text, relation regclass, api_name text, label text,
	key_column name DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object_type regclass;
	known record;
	key name;
	is_linked boolean;
BEGIN
	PERFORM contacts.directory_schema(directory);
	object_type := format('%I.object_type', directory);
	IF relation IS NULL OR api_name IS NULL OR label IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'relation, api_name and label must not be null';
	END IF;
	PERFORM contacts.check_record_table(directory, relation);
	IF api_name = 'contact' THEN
		RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
			MESSAGE = 'object type "contact" is fixed',
			SCHEMA = directory, TABLE = 'object_type', CONSTRAINT = 'object_type_is_fixed';
	END IF;

	EXECUTE format('SELECT o.id, o.key_column, o.relation::oid AS relation, o.relation::text AS name FROM ONLY %s o WHERE o.api_name = $1 FOR UPDATE', object_type)
		INTO known USING api_name;
	IF known.relation <> relation AND known.name <> '-' THEN
		RAISE EXCEPTION USING ERRCODE = 'unique_violation',
			MESSAGE = format('object type "%s" is registered for table %s', api_name, known.name),
			HINT = 'See contacts.unregister_object().',
			SCHEMA = directory, TABLE = 'object_type', CONSTRAINT = 'object_type_api_name_key';
	END IF;
	key := contacts.choose_record_key(relation, key_column, known.key_column);
	IF known.id IS NULL THEN
		EXECUTE format('INSERT INTO %s (api_name, label, relation, key_column) VALUES ($1, $2, $3::regclass, $4) RETURNING id', object_type)
			INTO known.id USING api_name, label, relation, key;
	ELSE
		EXECUTE format($q$SELECT EXISTS (SELECT FROM ONLY %1$I.relationship_type t JOIN ONLY %1$I.relationship r ON r.relationship_type_id = t.id WHERE t.object_type_id = $1)$q$, directory)
			INTO is_linked USING known.id;
		IF known.relation = relation AND known.key_column <> key AND is_linked AND EXISTS (
			SELECT FROM pg_attribute a WHERE a.attrelid = known.relation AND a.attname = known.key_column)
		THEN
			RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
				MESSAGE = format('the key of object type "%s" cannot change while links lead to its records', api_name),
				SCHEMA = directory, TABLE = 'object_type', COLUMN = 'key_column', CONSTRAINT = 'relationship_record_exists';
		END IF;
		IF known.key_column <> key OR known.relation <> relation THEN
			PERFORM contacts.disarm_records(object_type, relation);
		END IF;
		EXECUTE format('UPDATE ONLY %s o SET label = $2, relation = $3::regclass, key_column = $4 WHERE o.id = $1', object_type)
			USING known.id, label, relation, key;
	END IF;
	PERFORM contacts.arm_records(object_type, relation);
	RETURN known.id;
END
$$;
COMMENT ON FUNCTION contacts.register_object(text, regclass, text, text, name) IS 'makes the records of a table relatable and returns the id of the object type (rule R3); again, it arms the table, or finds it after a restore; for the owner of the table; 22023 without a key, 42809 for what is no table of that kind';

CREATE FUNCTION contacts.unregister_object(directory text, api_name text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object_type regclass;
	known record;
	link_count bigint;
BEGIN
	PERFORM contacts.directory_schema(directory);
	object_type := format('%I.object_type', directory);
	EXECUTE format('SELECT o.id, o.relation::oid AS relation FROM ONLY %s o WHERE o.api_name = $1 FOR UPDATE', object_type)
		INTO known USING api_name;
	IF known.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('object type "%s" does not exist', api_name),
			SCHEMA = directory, TABLE = 'object_type';
	END IF;
	EXECUTE format('SELECT count(*) FROM ONLY %1$I.relationship_type t JOIN ONLY %1$I.relationship r ON r.relationship_type_id = t.id WHERE t.object_type_id = $1', directory)
		INTO link_count USING known.id;
	IF link_count > 0 AND api_name <> 'contact' THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('object type "%s" is in use', api_name),
			DETAIL = format('%s links lead to its records.', link_count),
			SCHEMA = directory, TABLE = 'object_type';
	END IF;
	-- a link made meanwhile: the foreign keys refuse this
	EXECUTE format('DELETE FROM ONLY %I.relationship_type t WHERE (t.source_type_id = $1 OR t.object_type_id = $1) AND $1 <> 1', directory)
		USING known.id;
	EXECUTE format('DELETE FROM ONLY %s o WHERE o.id = $1', object_type) USING known.id;
	IF EXISTS (SELECT FROM pg_class c WHERE c.oid = known.relation) THEN
		PERFORM contacts.disarm_records(object_type, known.relation);
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.unregister_object(text, text) IS 'undoes register_object(): removes the object type, the types of relationships that lead to it, and the triggers; 2BP01 while links exist';
