-- What must hold of every object: any row is a defect
CREATE ROLE regress_lint;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_lint', current_database()) \gexec
SET ROLE regress_lint;
SELECT contacts.create_directory('lint_directory');
RESET ROLE;
SET search_path = '';

-- members of the extension, and the objects of a directory
CREATE TEMPORARY VIEW member AS
	SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'contacts';
CREATE TEMPORARY VIEW schema_in AS
	SELECT oid FROM pg_namespace WHERE nspname IN ('contacts', 'lint_directory');
SELECT classid::regclass, count(*) > 0 AS has_some FROM member
WHERE classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass) GROUP BY 1 ORDER BY 1;

-- objects without a comment
SELECT pg_describe_object(m.classid, m.objid, 0) AS without_comment
FROM member m
WHERE obj_description(m.objid, m.classid::regclass::name) IS NULL
	AND NOT (m.classid = 'pg_type'::regclass AND EXISTS (
		SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
		WHERE t.oid = m.objid AND (t.typelem <> 0 AND t.typlen = -1 OR c.relkind <> 'c')))
	AND m.classid NOT IN ('pg_cast'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass)
ORDER BY 1;
SELECT c.oid::regclass AS relation, a.attname AS column_without_comment
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace IN (SELECT oid FROM schema_in) AND c.relkind IN ('r', 'v')
	AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)
ORDER BY 1, 2;
SELECT p.oid::regprocedure AS function_without_comment
FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM schema_in) AND obj_description(p.oid, 'pg_proc') IS NULL
ORDER BY 1;

-- sql and plpgsql functions that look at the caller's search_path
SELECT p.oid::regprocedure AS function, l.lanname
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN (SELECT oid FROM schema_in) AND l.lanname IN ('sql', 'plpgsql')
	AND p.prosqlbody IS NULL AND p.prokind <> 'p'
	AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s = 'search_path=pg_catalog, pg_temp')
ORDER BY 1;
-- with the rights of their owner: none of the extension's own
SELECT p.oid::regprocedure AS security_definer
FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM schema_in) AND p.prosecdef ORDER BY 1;
-- in a directory: atomic bodies over its own tables, so that it can be renamed
SELECT p.oid::regprocedure AS not_atomic
FROM pg_proc p WHERE p.pronamespace = 'lint_directory'::regnamespace AND p.prosqlbody IS NULL AND p.prokind <> 'p' ORDER BY 1;
-- a procedure that commits can have neither: it names everything in full
SELECT p.oid::regprocedure AS procedure,
	regexp_replace(p.prosrc, 'OPERATOR\(pg_catalog\.[^ )]*\)|:=|--[^\n]*', '', 'g') ~ '[-+/<>=|]' AS has_loose_operators
FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM schema_in) AND p.prokind = 'p' ORDER BY 1;

-- views that lend their owner's rights
SELECT c.oid::regclass AS view
FROM pg_class c
WHERE c.relkind = 'v' AND c.relnamespace IN (SELECT oid FROM schema_in)
	AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}' ORDER BY 1;

-- operator classes that do not validate
SELECT o.opcname FROM pg_opclass o JOIN member m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid
WHERE NOT amvalidate(o.oid) ORDER BY 1;
SELECT count(*) > 0 AS has_some FROM pg_opclass o JOIN member m ON m.classid = 'pg_opclass'::regclass AND m.objid = o.oid;

-- trigger functions that everybody could attach to any table; the installer may;
-- record_change() does nothing that the directory it names has not allowed
SELECT p.oid::regprocedure AS trigger_function
FROM pg_proc p
WHERE p.pronamespace = 'contacts'::regnamespace AND p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
	AND (has_function_privilege('regress_lint', p.oid, 'EXECUTE')
		OR NOT has_function_privilege(current_user, p.oid, 'EXECUTE'))
	AND p.proname <> 'record_change'
ORDER BY 1;
-- everybody may call the other functions, which write with the rights of who calls; but for a superuser's one
SELECT p.oid::regprocedure AS not_for_everybody
FROM pg_proc p
WHERE p.pronamespace = 'contacts'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
	AND NOT has_function_privilege('regress_lint', p.oid, 'EXECUTE')
ORDER BY 1;
-- what the extension's own tables and schema let everybody do
SELECT c.oid::regclass AS relation, p.privilege
FROM pg_class c CROSS JOIN unnest('{INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER,REFERENCES}'::text[]) p (privilege)
WHERE c.relnamespace = 'contacts'::regnamespace AND c.relkind IN ('r', 'v')
	AND has_table_privilege('regress_lint', c.oid, p.privilege) ORDER BY 1, 2;
SELECT has_schema_privilege('regress_lint', 'contacts', 'CREATE') AS may_plant,
	has_schema_privilege('regress_lint', 'contacts', 'USAGE') AS may_use;

-- derived columns and states have a default, so that no client must supply them
SELECT c.relname, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'lint_directory'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
	AND (col_description(c.oid, a.attnum) LIKE 'derived%' OR a.attname IN ('email_status', 'status', 'is_validated', 'created_at', 'updated_at'))
	AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
ORDER BY 1, 2;
-- and what a client need not say is all but the names of things
SELECT c.relname, a.attname AS must_be_said
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'lint_directory'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
	AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
ORDER BY 1, 2;

-- foreign keys without an index that finds the rows which reference a key, or
-- narrows them down to those of one kind
SELECT k.conrelid::regclass AS relation, k.conname
FROM pg_constraint k
WHERE k.contype = 'f' AND k.connamespace IN (SELECT oid FROM schema_in)
	AND NOT EXISTS (
		SELECT FROM pg_index x
		WHERE x.indrelid = k.conrelid AND x.indpred IS NULL AND x.indkey[0] = ANY (k.conkey))
ORDER BY 1, 2;

-- every table of a directory and every trigger is in the model
SELECT d.kind, d.relation, d.name
FROM contacts.describe_directory('lint_directory'::regnamespace,
	'{table,column,not null,default,constraint,index,trigger,view,function}') d
WHERE NOT EXISTS (SELECT FROM contacts.model m
	WHERE (m.kind, m.relation, m.name, m.definition) = (d.kind, d.relation, d.name, d.definition)
		AND m.state IS NOT DISTINCT FROM d.state)
ORDER BY 1, 2, 3;
-- guards stand also where session_replication_role is replica
SELECT m.relation, m.name, m.state FROM contacts.model m
WHERE m.kind = 'trigger' AND m.name LIKE 'zz\_guard%' AND m.state <> 'A' ORDER BY 1, 2;
-- the trigger functions say which table they serve: none is left unused
SELECT p.oid::regprocedure AS unused
FROM pg_proc p
WHERE p.pronamespace = 'contacts'::regnamespace AND p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
	AND NOT EXISTS (SELECT FROM contacts.model m WHERE m.kind = 'trigger'
		AND m.definition LIKE '% EXECUTE FUNCTION contacts.' || p.proname || '()')
	AND NOT EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtfoid = p.oid)
ORDER BY 1;

SET client_min_messages = warning;
DROP VIEW pg_temp.member, pg_temp.schema_in;
SELECT contacts.drop_directory('lint_directory');
DROP OWNED BY regress_lint;
DROP ROLE regress_lint;
