-- The DDL guard: what the rules of a directory stand on is not taken away by
-- its owner's DDL.  src/ddl_guard.c says what that is.

CREATE FUNCTION contacts.ddl_guard() RETURNS event_trigger
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.ddl_guard() IS 'the event trigger of the DDL guard: makes sure that the guard is there before a command does anything';
REVOKE EXECUTE ON FUNCTION contacts.ddl_guard() FROM PUBLIC;

CREATE EVENT TRIGGER contacts_ddl_guard ON ddl_command_start
	EXECUTE FUNCTION contacts.ddl_guard();
ALTER EVENT TRIGGER contacts_ddl_guard ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER contacts_ddl_guard IS 'the DDL guard of contact directories; see the setting contacts.ddl_guard';

CREATE FUNCTION contacts.ddl_guard_is_on() RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.ddl_guard_is_on() IS 'the setting contacts.ddl_guard of this session';

CREATE FUNCTION contacts.check_ddl_guard() RETURNS TABLE (object text, message text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 'contacts.ddl_guard', 'is off in this session' WHERE NOT contacts.ddl_guard_is_on()
	UNION ALL
	SELECT 'contacts.ddl_guard', concat_ws(' ', 'is off by default for',
		CASE WHEN s.setrole = 0 THEN 'all roles' ELSE 'role ' || pg_get_userbyid(s.setrole) END,
		CASE WHEN s.setdatabase <> 0 THEN 'in this database' END)
	FROM pg_db_role_setting s JOIN pg_database d ON d.datname = current_database() AND s.setdatabase IN (0, d.oid),
		unnest(s.setconfig) c (setting)
	WHERE CASE WHEN c.setting LIKE 'contacts.ddl\_guard=%' THEN NOT split_part(c.setting, '=', 2)::boolean END
	UNION ALL
	SELECT 'event_triggers', 'is off in this session' WHERE current_setting('event_triggers', true)::boolean IS FALSE
	UNION ALL
	SELECT 'contacts_ddl_guard', 'is no event trigger that is enabled always'
	WHERE NOT EXISTS (SELECT FROM pg_event_trigger e
		WHERE e.evtfoid = 'contacts.ddl_guard'::regproc AND e.evtevent = 'ddl_command_start'
			AND e.evttags IS NULL AND e.evtenabled = 'A');
END;
COMMENT ON FUNCTION contacts.check_ddl_guard() IS 'what check_directory() finds where the DDL guard is off';

-- The last step of drop_directory(), detach_directory() and rename_directory().
CREATE FUNCTION contacts.drop_statements(directory oid) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT s.statement
	FROM (
		SELECT 1 AS step, format('DROP TABLE %s', string_agg(c.oid::regclass::text, ', ')) AS statement
		FROM pg_class c JOIN contacts.model m ON m.kind = 'table' AND m.relation = c.relname
		WHERE c.relnamespace = directory
		UNION ALL
		SELECT 2, format('DROP SCHEMA %I', n.nspname) FROM pg_namespace n WHERE n.oid = directory
	) s
	ORDER BY s.step;
END;
COMMENT ON FUNCTION contacts.drop_statements(oid) IS 'the statements that drop the tables and the schema of a directory, in order';

CREATE FUNCTION contacts.drop_tables(directory oid, everything boolean) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.drop_tables(oid, boolean) IS 'the last step of drop_directory(): drops the schema, with the tables of a directory or with everything';

-- Defaults, constraints and indexes of a column follow its type; the condition
-- of one index, over oids, does not.
CREATE FUNCTION contacts.detach_statements(directory oid) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT s.statement
	FROM (
		SELECT 1 AS step, format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) AS statement
		FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
		WHERE c.relnamespace = directory AND p.pronamespace = 'contacts'::regnamespace AND NOT t.tgisinternal
		UNION ALL
		SELECT 2, format('DROP INDEX IF EXISTS %I.object_type_relation_key', n.nspname) FROM pg_namespace n WHERE n.oid = directory
		UNION ALL
		SELECT 3, format('ALTER TABLE %s %s', c.oid::regclass, string_agg(
			format('ALTER %1$I TYPE text USING %1$I::text', a.attname), ', ' ORDER BY a.attnum))
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relnamespace = directory AND c.relkind IN ('r', 'p', 'f') AND NOT a.attisdropped
			AND t.typnamespace = 'contacts'::regnamespace AND t.typelem = 0
		GROUP BY c.oid
		UNION ALL
		SELECT 4, format($q$CREATE UNIQUE INDEX object_type_relation_key ON %I.object_type (relation) WHERE relation <> '-'$q$, n.nspname)
		FROM pg_namespace n WHERE n.oid = directory
	) s
	ORDER BY s.step;
END;
COMMENT ON FUNCTION contacts.detach_statements(oid) IS 'the statements that take triggers and types of the extension out of the tables of a directory, in order';

CREATE FUNCTION contacts.detach_tables(directory oid) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.detach_tables(oid) IS 'the last step of detach_directory(): the tables become ordinary ones';

CREATE FUNCTION contacts.rename_schema(directory oid, new_name text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.rename_schema(oid, text) IS 'the last step of rename_directory()';

CREATE FUNCTION contacts.rename_directory(directory text, new_name text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM contacts.check_name(new_name);
	PERFORM contacts.rename_schema(contacts.directory_schema(directory), new_name);
END
$$;
COMMENT ON FUNCTION contacts.rename_directory(text, text) IS 'gives a directory another name; what is bound to its tables, its functions and views too, follows';
