-- Directories: made, attached, upgraded, detached and dropped.
--
-- What a directory should look like is derived from the one place that makes
-- it: when the extension is installed, the scripts of a directory run once in
-- a scratch schema, and what the catalogue then says of it is kept in the
-- table contacts.model.  attach_triggers(), check_directory() and
-- repair_directory() compare a directory with the model.
--
-- These functions run over other people's schemas, perhaps as a superuser: no
-- name is ever resolved through a search_path that a directory is part of.

CREATE FUNCTION contacts.function_signature(function oid) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('%I(%s)', p.proname, (
		SELECT string_agg(CASE t.typnamespace WHEN p.pronamespace THEN t.typname::text
			ELSE format_type(t.oid, NULL) END, ', ' ORDER BY a.i)
		FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, i) JOIN pg_type t ON t.oid = a.type))
	FROM pg_proc p WHERE p.oid = function;
END;
COMMENT ON FUNCTION contacts.function_signature(oid) IS 'name and argument types of a function, free of the name of its schema';

-- pg_depend leads to the objects of one schema by index, however many there are
-- in the database.
CREATE FUNCTION contacts.describe_directory(directory oid, kinds text[])
	RETURNS TABLE (kind text, relation name, name text, definition text, state text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
	WITH object AS (
		SELECT d.classid, d.objid, n.nspname FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid
		WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = directory
	), tab AS (
		SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
			format('''%s''::regclass', replace(format('%I.contact', o.nspname), '''', '''''')) AS contact,
			format(' ON %I.%I ', o.nspname, c.relname) AS on_table,
			format(' REFERENCES %I.', o.nspname) AS references_schema
		FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
		WHERE c.relkind IN ('r', 'p', 'f')
	), col AS (
		SELECT t.relname, a.*
		FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid
		WHERE a.attnum > 0 AND NOT a.attisdropped
	)
	SELECT 'table', t.relname, ''::text,
		CASE t.relkind WHEN 'r' THEN 'an ordinary table' WHEN 'p' THEN 'a partitioned table' ELSE 'a foreign table' END
		|| CASE t.relpersistence WHEN 'p' THEN '' ELSE ', not logged' END
		|| CASE WHEN EXISTS (SELECT FROM pg_inherits i WHERE t.oid IN (i.inhrelid, i.inhparent))
			THEN ', with inheritance' ELSE '' END,
		NULL::text
	FROM tab t
	WHERE 'table' = ANY (kinds)
	UNION ALL
	SELECT 'column', c.relname, c.attname, format_type(c.atttypid, c.atttypmod), NULL
	FROM col c
	WHERE 'column' = ANY (kinds)
	UNION ALL
	SELECT 'not null', c.relname, c.attname, 'NOT NULL', NULL
	FROM col c
	WHERE 'not null' = ANY (kinds) AND c.attnotnull
	UNION ALL
	SELECT 'default', c.relname, c.attname,
		CASE c.attidentity WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) ELSE 'GENERATED AS IDENTITY' END,
		NULL
	FROM col c LEFT JOIN pg_attrdef d ON d.adrelid = c.attrelid AND d.adnum = c.attnum
	WHERE 'default' = ANY (kinds) AND (c.attidentity <> '' OR d.oid IS NOT NULL)
	UNION ALL
	SELECT 'constraint', t.relname, k.conname,
		replace(pg_get_constraintdef(k.oid), t.references_schema, ' REFERENCES '),
		NULL
	FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid
	WHERE 'constraint' = ANY (kinds) AND k.contype IN ('c', 'f', 'p', 'u', 'x')
	UNION ALL
	SELECT 'index', t.relname, i.relname,
		regexp_replace(replace(pg_get_indexdef(i.oid), t.on_table, ' ON % '), ' WITH \(.*?\)', ''),
		CASE WHEN x.indisvalid AND x.indisready AND x.indislive THEN 'valid' ELSE 'invalid' END
	FROM tab t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
	WHERE 'index' = ANY (kinds)
	UNION ALL
	SELECT 'trigger', t.relname, g.tgname,
		replace(pg_get_triggerdef(g.oid), t.on_table, ' ON % '),
		g.tgenabled::text
	FROM tab t JOIN pg_trigger g ON g.tgrelid = t.oid
	WHERE 'trigger' = ANY (kinds) AND NOT g.tgisinternal
	UNION ALL
	SELECT 'view', c.relname, '',
		CASE WHEN 'security_invoker=true' = ANY (c.reloptions)
			THEN 'security_invoker' ELSE 'reads with the rights of its owner' END,
		NULL
	FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
	WHERE 'view' = ANY (kinds) AND c.relkind = 'v'
	UNION ALL
	SELECT 'function', '', contacts.function_signature(p.oid),
		concat(CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
			CASE WHEN p.prosecdef THEN ', security definer' END,
			', ' || array_to_string(p.proconfig, ', ')),
		NULL
	FROM object o JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
	WHERE 'function' = ANY (kinds)
	UNION ALL
	SELECT 'policy', t.relname, p.polname,
		replace(concat(CASE WHEN NOT p.polpermissive THEN 'restrictive, ' END,
				'for ', p.polcmd, CASE WHEN p.polroles <> '{0}' THEN ' to some roles' END,
				' using ' || pg_get_expr(p.polqual, p.polrelid),
				' with check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
			t.contact, '%'),
		CASE WHEN t.relrowsecurity THEN 'enabled' ELSE 'disabled' END
	FROM tab t JOIN pg_policy p ON p.polrelid = t.oid
	WHERE 'policy' = ANY (kinds)
		AND p.polname IN ('contacts_select', 'contacts_insert', 'contacts_update', 'contacts_delete');
END;
COMMENT ON FUNCTION contacts.describe_directory(oid, text[]) IS 'what the catalogue says of a schema, by kind of object, in a form that is the same in every directory';

CREATE TABLE contacts.model (
	kind text NOT NULL,
	relation name NOT NULL,
	name text NOT NULL,
	definition text NOT NULL,
	state text,
	PRIMARY KEY (kind, relation, name)
);
COMMENT ON TABLE contacts.model IS 'what a sound directory looks like: describe_directory() of a new one';
COMMENT ON COLUMN contacts.model.kind IS 'table, column, not null, default, constraint, index, trigger, view, function or policy';
COMMENT ON COLUMN contacts.model.relation IS 'table or view it belongs to; empty for functions';
COMMENT ON COLUMN contacts.model.name IS 'name of the object; empty for tables and views';
COMMENT ON COLUMN contacts.model.definition IS 'definition, free of the name of the schema';
COMMENT ON COLUMN contacts.model.state IS 'triggers: when they fire (pg_trigger.tgenabled); indexes: valid; policies: is row security enabled';
GRANT SELECT ON contacts.model TO PUBLIC;

-- The last thing that an upgrade of the extension does, too; and for a
-- superuser to call after pg_upgrade, should a later server word definitions
-- in another way.
CREATE FUNCTION contacts.build_model() RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET client_min_messages = warning SET contacts.ddl_guard = off
AS $$
BEGIN
	CREATE SCHEMA contacts_model;
	PERFORM set_config('search_path', 'contacts_model, pg_temp', true);
	EXECUTE contacts.directory_script();
	EXECUTE contacts.trigger_script();
	PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
	PERFORM contacts.make_policies('contacts_model'::regnamespace);
	DELETE FROM contacts.model;
	INSERT INTO contacts.model (kind, relation, name, definition, state)
		SELECT d.kind, d.relation, d.name, d.definition, d.state
		FROM contacts.describe_directory('contacts_model'::regnamespace,
			'{table,column,not null,default,constraint,index,trigger,view,function,policy}') d;
	DROP SCHEMA contacts_model CASCADE;
END
$$;
COMMENT ON FUNCTION contacts.build_model() IS 'fills contacts.model from the scripts of a directory; for superusers';
REVOKE EXECUTE ON FUNCTION contacts.build_model() FROM PUBLIC;
SELECT contacts.build_model();

CREATE FUNCTION contacts.directory_schema(directory text) RETURNS oid
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_id oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname::text = directory);
BEGIN
	IF directory IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the name of a directory must not be null';
	END IF;
	IF schema_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name',
			MESSAGE = format('schema "%s" does not exist', directory),
			SCHEMA = directory;
	END IF;
	IF NOT EXISTS (
		SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = schema_id AND c.relname = 'contact' AND c.relkind = 'r'
			AND a.attname = 'email' AND a.atttypid = 'contacts.email'::regtype
	) THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('schema "%s" is not a contact directory', directory),
			SCHEMA = directory;
	END IF;
	RETURN schema_id;
END
$$;
COMMENT ON FUNCTION contacts.directory_schema(text) IS 'the schema of a directory, attached or not; 3F000 if there is none, 42704 if it is no directory';

CREATE FUNCTION contacts.missing_triggers(directory oid)
	RETURNS TABLE (relation name, name text, problem text, statement text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT w.relation, w.name,
		CASE
			WHEN w.state IS NULL THEN 'is missing'
			WHEN w.is_other THEN 'is not the trigger of the extension'
			ELSE format('is %s instead of %s', s.words ->> w.state, s.words ->> w.model_state)
		END,
		concat(
			CASE WHEN w.is_other AND w.state IS NOT NULL
				THEN format('DROP TRIGGER %I ON %s; ', w.name, w.qualified) END,
			CASE WHEN w.is_other
				THEN replace(w.definition, ' ON % ', format(' ON %s ', w.qualified)) || '; ' END,
			CASE WHEN w.model_state = 'A' OR NOT w.is_other
				THEN format('ALTER TABLE %s ENABLE%s TRIGGER %I; ', w.qualified,
					CASE w.model_state WHEN 'A' THEN ' ALWAYS' END, w.name) END)
	FROM (
		SELECT m.relation, m.name, m.definition, m.state AS model_state, d.state,
			d.definition IS DISTINCT FROM m.definition AS is_other,
			format('%I.%I', n.nspname, m.relation) AS qualified
		FROM contacts.model m
			JOIN pg_namespace n ON n.oid = directory
			LEFT JOIN contacts.describe_directory(directory, '{trigger}') d
				ON d.relation = m.relation AND d.name = m.name
		WHERE m.kind = 'trigger'
	) w, (VALUES ('{"O": "enabled", "A": "enabled always", "R": "enabled on replicas", "D": "disabled"}'::jsonb)) s (words)
	WHERE w.is_other OR w.state <> w.model_state
	ORDER BY w.relation, w.name;
END;
COMMENT ON FUNCTION contacts.missing_triggers(oid) IS 'triggers of the extension that a directory lacks, has altered or has disarmed, and the statements that put them right';

-- attach_triggers() calls it before it makes triggers with rights that the
-- caller does not have.
CREATE FUNCTION contacts.check_shape(directory oid) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	odd record;
BEGIN
	SELECT m.kind, m.relation, m.name, m.definition, d.definition AS found, n.nspname INTO odd
	FROM contacts.model m
		JOIN pg_namespace n ON n.oid = directory
		LEFT JOIN contacts.describe_directory(directory, '{table,column}') d USING (kind, relation, name)
	WHERE m.kind IN ('table', 'column') AND d.definition IS DISTINCT FROM m.definition
	ORDER BY m.kind DESC, m.relation, m.name LIMIT 1;
	IF odd.kind = 'table' THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
			MESSAGE = format('table "%s" is not the one that a directory has', odd.relation),
			DETAIL = format('It is %s; expected: %s.', coalesce(odd.found, 'missing'), odd.definition),
			SCHEMA = odd.nspname, TABLE = odd.relation;
	ELSIF odd.kind = 'column' THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
			MESSAGE = format('column "%s" of table "%s" is not the one that a directory has', odd.name, odd.relation),
			DETAIL = format('Its type is %s; expected: %s.', coalesce(odd.found, 'missing'), odd.definition),
			SCHEMA = odd.nspname, TABLE = odd.relation, COLUMN = odd.name;
	END IF;
	IF (SELECT count(DISTINCT c.relowner) > 1
		FROM pg_class c JOIN contacts.model m ON m.kind = 'table' AND m.relation = c.relname
		WHERE c.relnamespace = directory)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('the tables of directory "%s" belong to several roles',
				(SELECT n.nspname FROM pg_namespace n WHERE n.oid = directory));
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.check_shape(oid) IS 'refuses a schema whose tables and columns are not those of a directory, or belong to several roles';

CREATE FUNCTION contacts.attach_triggers(directory text) RETURNS integer
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.attach_triggers(text) IS 'makes the triggers of the extension on the tables of a directory, all that are missing, altered or disarmed; returns how many; only the owner of the tables may';

CREATE FUNCTION contacts.new_secret() RETURNS bytea
	LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.new_secret() IS '32 strong random bytes';

CREATE FUNCTION contacts.extension_version() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT e.extversion FROM pg_extension e WHERE e.extname = 'contacts';
END;
COMMENT ON FUNCTION contacts.extension_version() IS 'version of the extension installed in this database';

CREATE FUNCTION contacts.secret_fingerprint(secret bytea) RETURNS bytea
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT substr(sha256('contacts secret fingerprint'::bytea || secret), 1, 8);
END;
COMMENT ON FUNCTION contacts.secret_fingerprint(bytea) IS 'what setting.secret_fingerprint must be for a secret';

-- Default privileges give others rights on tables that are the owner's alone.
CREATE FUNCTION contacts.close_secret(directory text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grantee text;
BEGIN
	FOR grantee IN
		SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
		FROM pg_class c
			LEFT JOIN pg_attribute t ON t.attrelid = c.oid
			CROSS JOIN LATERAL (SELECT x.grantee FROM aclexplode(c.relacl) x
				UNION SELECT x.grantee FROM aclexplode(t.attacl) x) a
		WHERE c.oid = format('%I.secret', directory)::regclass AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('REVOKE ALL ON %1$I.secret FROM %2$s CASCADE', directory, grantee);
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.close_secret(text) IS 'takes the rights that others than the owner have on the secret of a directory';

CREATE FUNCTION contacts.check_name(name text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'the name of a directory must not be null';
	END IF;
	IF octet_length(name) > current_setting('max_identifier_length')::integer THEN
		RAISE EXCEPTION USING ERRCODE = 'name_too_long',
			MESSAGE = format('the name of a directory is longer than %s bytes', current_setting('max_identifier_length')),
			DETAIL = format('It has %s bytes.', octet_length(name));
	END IF;
	IF name = '$user' THEN
		RAISE EXCEPTION USING ERRCODE = 'reserved_name',
			MESSAGE = format('a directory cannot be named "%s"', name),
			DETAIL = 'In search_path that name stands for the schema named like the current role.';
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.check_name(text) IS 'refuses what cannot be the name of a directory';

CREATE FUNCTION contacts.create_directory(name text, secret bytea DEFAULT NULL, attach boolean DEFAULT true)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key bytea := coalesce(secret, contacts.new_secret());
BEGIN
	PERFORM contacts.check_name(name);
	IF octet_length(key) < 16 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the secret of a directory must have at least 16 bytes',
			DETAIL = format('It has %s bytes.', octet_length(key));
	END IF;

	EXECUTE format('CREATE SCHEMA %I', name);
	PERFORM set_config('search_path', format('%I, pg_temp', name), true);
	EXECUTE contacts.directory_script();
	PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);

	PERFORM contacts.close_secret(name);
	EXECUTE format('INSERT INTO %I.secret (value) VALUES ($1)', name) USING key;
	EXECUTE format('INSERT INTO %I.setting (version, secret_fingerprint) VALUES ($1, $2)', name)
		USING contacts.extension_version(), contacts.secret_fingerprint(key);
	IF attach THEN
		PERFORM contacts.attach_triggers(name);
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.create_directory(text, bytea, boolean) IS 'makes a directory in a new schema; secret: to take the one of another directory along; attach => false leaves the triggers to contacts.attach_triggers()';

-- The policies, functions and views that belong to a directory, views last.
CREATE FUNCTION contacts.drop_functions(directory oid) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	functions text := (
		SELECT string_agg(p.oid::regprocedure::text, ', ')
		FROM pg_proc p JOIN contacts.model m ON m.kind = 'function' AND m.name = contacts.function_signature(p.oid)
		WHERE p.pronamespace = directory);
	views text := (
		SELECT string_agg(c.oid::regclass::text, ', ')
		FROM pg_class c JOIN contacts.model m ON m.kind = 'view' AND m.relation = c.relname
		WHERE c.relnamespace = directory AND c.relkind = 'v');
BEGIN
	PERFORM contacts.drop_policies(directory);
	IF functions IS NOT NULL THEN
		EXECUTE 'DROP ROUTINE ' || functions;
	END IF;
	IF views IS NOT NULL THEN
		EXECUTE 'DROP VIEW ' || views;
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.drop_functions(oid) IS 'drops the functions and views that create_directory() made in a schema, and the policies of enable_row_security()';

CREATE FUNCTION contacts.drop_directory(directory text, cascade boolean DEFAULT false) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET row_security = off SET client_min_messages = warning
AS $$
DECLARE
	schema_id oid := contacts.directory_schema(directory);
	contact_count bigint;
	state_count bigint;
BEGIN
	IF cascade THEN
		PERFORM contacts.drop_tables(schema_id, true);
		RETURN;
	END IF;
	EXECUTE format('LOCK TABLE ONLY %1$I.contact, ONLY %1$I.identifier IN SHARE ROW EXCLUSIVE MODE', directory);
	EXECUTE format('SELECT count(*) FROM ONLY %I.contact', directory) INTO contact_count;
	EXECUTE format($q$SELECT count(*) FROM ONLY %I.identifier WHERE status IN ('suppressed', 'unsubscribed')$q$, directory)
		INTO state_count;
	IF contact_count > 0 OR state_count > 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('directory "%s" is not empty', directory),
			DETAIL = format('It holds %s contacts, and %s suppressed or unsubscribed addresses.', contact_count, state_count),
			HINT = 'Use cascade => true to drop them too.',
			SCHEMA = directory;
	END IF;
	PERFORM contacts.drop_functions(schema_id);
	PERFORM contacts.disarm_records(format('%I.object_type', directory)::regclass);
	PERFORM contacts.drop_tables(schema_id, false);
END
$$;
COMMENT ON FUNCTION contacts.drop_directory(text, boolean) IS 'drops a directory; 2BP01 if it holds contacts or consent states, or if anything else is in its schema or depends on it, unless cascade is true';

CREATE FUNCTION contacts.detach_directory(directory text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
DECLARE
	schema_id oid := contacts.directory_schema(directory);
BEGIN
	PERFORM contacts.drop_functions(schema_id);
	PERFORM contacts.disarm_records(format('%I.object_type', directory)::regclass);
	PERFORM contacts.detach_tables(schema_id);
END
$$;
COMMENT ON FUNCTION contacts.detach_directory(text) IS 'the way out: leaves ordinary tables with ordinary types, their rows, constraints and indexes; nothing of them needs the extension any more; tables under row security stay so, without its policies: only their owner reads them';

-- Versions of the extension whose directories this one can take over, oldest
-- first.  A version that changes a directory adds its steps between them.
CREATE FUNCTION contacts.upgrade_directory(directory text) RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
	known CONSTANT text[] := '{0.1}';
	version text;
BEGIN
	PERFORM contacts.directory_schema(directory);
	EXECUTE format('SELECT version FROM ONLY %I.setting FOR UPDATE', directory) INTO version;
	IF version IS NULL OR version <> ALL (known) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('directory "%s" has version %s, which this version of the extension does not know',
				directory, coalesce(version, 'NULL')),
			HINT = 'Upgrade the extension first: ALTER EXTENSION contacts UPDATE.',
			SCHEMA = directory, TABLE = 'setting', COLUMN = 'version';
	END IF;
	PERFORM contacts.attach_triggers(directory);
	EXECUTE format('UPDATE ONLY %I.setting SET version = $1 WHERE version <> $1', directory)
		USING contacts.extension_version();
	RETURN contacts.extension_version();
END
$$;
COMMENT ON FUNCTION contacts.upgrade_directory(text) IS 'brings a directory to the version of the installed extension and returns that; 55000 for a version it does not know';

-- The planner evaluates what indexes and statistics are over, when it can, with
-- the rights of whoever reads the table.
CREATE FUNCTION contacts.planted_code(directory oid) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_describe_object(o.classid, o.objid, 0)
	FROM pg_class c
		CROSS JOIN LATERAL (
			SELECT 'pg_class'::regclass::oid AS classid, x.indexrelid AS objid FROM pg_index x WHERE x.indrelid = c.oid
			UNION ALL
			SELECT 'pg_statistic_ext'::regclass::oid, s.oid FROM pg_statistic_ext s WHERE s.stxrelid = c.oid) o
		JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.objid
		LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
		LEFT JOIN pg_operator q ON d.refclassid = 'pg_operator'::regclass AND q.oid = d.refobjid
		LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
	WHERE c.relnamespace = directory AND c.relkind = 'r'
		AND coalesce(p.pronamespace, q.oprnamespace, t.typnamespace) <> ALL (ARRAY['pg_catalog'::regnamespace::oid, 'contacts'::regnamespace::oid])
	ORDER BY o.objid LIMIT 1;
END;
COMMENT ON FUNCTION contacts.planted_code(oid) IS 'an index or statistics object of a directory over functions, operators or types that are neither the server''s nor the extension''s: reading the table may run them; NULL if there is none';

-- A plain table without row security is read, so that no code of its owner's
-- runs with the rights of whoever looks at contacts.directory.
CREATE FUNCTION contacts.directory_version(directory oid) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET constraint_exclusion = off
AS $$
DECLARE
	setting regclass;
	version text;
BEGIN
	SELECT c.oid INTO setting
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = directory AND c.relname = 'setting' AND c.relkind = 'r' AND NOT c.relrowsecurity
		AND a.attname = 'version' AND a.atttypid = 'text'::regtype AND a.attgenerated = ''
		AND has_schema_privilege(directory, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
		AND contacts.planted_code(directory) IS NULL;
	IF setting IS NOT NULL THEN
		EXECUTE format('SELECT version FROM ONLY %s', setting) INTO version;
	END IF;
	RETURN version;
END
$$;
COMMENT ON FUNCTION contacts.directory_version(oid) IS 'version of a directory; NULL to those who may not read its table setting, and where reading could run code of its owner''s';

CREATE VIEW contacts.directory WITH (security_invoker = true) AS
	SELECT n.nspname AS name,
		pg_get_userbyid(c.relowner) AS owner,
		contacts.directory_version(n.oid) AS version,
		NOT EXISTS (SELECT FROM contacts.missing_triggers(n.oid)) AS is_armed,
		c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p
			WHERE p.polrelid = c.oid AND p.polname = 'contacts_select') AS has_row_security
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relname = 'contact' AND EXISTS (
		SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
		WHERE t.tgrelid = c.oid AND p.pronamespace = 'contacts'::regnamespace);
COMMENT ON VIEW contacts.directory IS 'the directories of this database, recognised by their triggers';
COMMENT ON COLUMN contacts.directory.name IS 'schema of the directory';
COMMENT ON COLUMN contacts.directory.owner IS 'role that owns its table contact';
COMMENT ON COLUMN contacts.directory.version IS 'version of the extension it was made for or upgraded to; NULL if you may not read its table setting';
COMMENT ON COLUMN contacts.directory.has_row_security IS 'contacts are seen by whom they are shared with; see contacts.enable_row_security()';
COMMENT ON COLUMN contacts.directory.is_armed IS 'all triggers of the extension are there and enabled; see contacts.check_directory()';
GRANT SELECT ON contacts.directory TO PUBLIC;
