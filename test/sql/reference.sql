-- doc/reference.md is complete: it mentions every member of the extension and
-- every part of a fresh directory, and no function, type or setting that is
-- not there.  If this test fails, document what it lists.
\set document `cat "$PG_ABS_SRCDIR/../doc/reference.md"`
LOAD 'contacts';
SELECT contacts.create_directory('documented') \g /dev/null

-- The lines of the document, with the heading that they stand under.  An open
-- parenthesis counts as the end of a name, as a backquote does.
CREATE TEMP TABLE line AS
	SELECT first_value(text) OVER (PARTITION BY part ORDER BY n) AS heading, translate(text, '(', '`') AS text
	FROM (
		SELECT n, text, count(*) FILTER (WHERE text LIKE '##%') OVER (ORDER BY n) AS part
		FROM regexp_split_to_table(:'document', '\n') WITH ORDINALITY l (text, n)
	) numbered;

-- What must be mentioned: words that stand in one line, under a heading if one
-- is given.
CREATE TEMP VIEW wanted AS
	WITH member AS (
		SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
		WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'contacts'
	), argument AS (
		SELECT p.oid, array_agg(a.name || ' ' ORDER BY a.n) FILTER (WHERE coalesce(p.proargmodes[a.n], 'i') = 'i') AS words
		FROM pg_proc p CROSS JOIN unnest(p.proargnames) WITH ORDINALITY a (name, n)
		WHERE a.name <> '' GROUP BY p.oid
	), tab AS (
		SELECT c.oid, c.relname, format('### `%s`', c.relname) AS heading
		FROM pg_class c WHERE c.relnamespace = 'documented'::regnamespace AND c.relkind IN ('r', 'v')
	)
	-- members: functions, those of PUBLIC's API with the names of their arguments
	SELECT pg_describe_object(m.classid, m.objid, 0) AS object, NULL AS heading,
		ARRAY[CASE WHEN p.prokind = 'a'
			THEN format('`%s`%s', p.proname, replace(p.proargtypes[0]::regtype::text, 'contacts.', '')) ELSE format('`contacts.%s`', p.proname) END] AS words,
		coalesce(a.words, '{}') AS arguments
	FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
		LEFT JOIN argument a ON a.oid = p.oid
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), NULL, ARRAY[format('`contacts.%s`', t.typname)], '{}'
	FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid AND t.typelem = 0
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), NULL, format('`contacts.%s`', c.relname)
		|| ARRAY(SELECT format('`%s`', a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0), '{}'
	FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind <> 'c'
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), '### Operators', ARRAY[
		format('`%s%s`', CASE WHEN o.oprnamespace <> 'pg_catalog'::regnamespace THEN 'contacts.' END, o.oprname),
		format('`%s, %s`', replace(o.oprleft::regtype::text, 'contacts.', ''), replace(o.oprright::regtype::text, 'contacts.', ''))], '{}'
	FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND o.oid = m.objid
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), '### Operators', ARRAY[format('`%s`', o.opcname), format('`%s`', a.amname)], '{}'
	FROM member m JOIN pg_opclass o ON m.classid = 'pg_opclass'::regclass AND o.oid = m.objid JOIN pg_am a ON a.oid = o.opcmethod
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), '### Operators', ARRAY[format('`%s`', o.opfname), format('`%s`', a.amname)], '{}'
	FROM member m JOIN pg_opfamily o ON m.classid = 'pg_opfamily'::regclass AND o.oid = m.objid JOIN pg_am a ON a.oid = o.opfmethod
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), '### Operators',
		ARRAY[format('| `%s` | `%s` |', format_type(c.castsource, NULL), format_type(c.casttarget, NULL))], '{}'
	FROM member m JOIN pg_cast c ON m.classid = 'pg_cast'::regclass AND c.oid = m.objid
	UNION ALL
	SELECT pg_describe_object(m.classid, m.objid, 0), NULL, ARRAY[format('`%s`', e.evtname)], '{}'
	FROM member m JOIN pg_event_trigger e ON m.classid = 'pg_event_trigger'::regclass AND e.oid = m.objid
	UNION ALL
	SELECT 'constraint ' || k.conname, NULL, ARRAY[format('`%s`', k.conname)], '{}'
	FROM pg_constraint k WHERE k.connamespace = 'contacts'::regnamespace AND k.contypid <> 0
	UNION ALL
	SELECT 'setting ' || s.name, '## Settings', ARRAY[format('| `%s` |', s.name)], '{}'
	FROM pg_settings s WHERE s.name LIKE 'contacts.%'
	-- a directory
	UNION ALL
	SELECT format('table %s', t.relname), t.heading, '{}', '{}' FROM tab t
	UNION ALL
	SELECT format('column %s.%s', t.relname, a.attname), t.heading, ARRAY[format('| `%s` |', a.attname)], '{}'
	FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT format('constraint %s', k.conname), t.heading, ARRAY[format('| `%s` |', k.conname)], '{}'
	FROM tab t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
	UNION ALL
	SELECT format('index %s', i.relname), t.heading, ARRAY[format('| `%s` |', i.relname)], '{}'
	FROM tab t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
	UNION ALL
	SELECT format('trigger %s.%s', t.relname, g.tgname), t.heading,
		ARRAY[format('| `%s` |', g.tgname), format('`contacts.%s`', p.proname)], '{}'
	FROM tab t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal JOIN pg_proc p ON p.oid = g.tgfoid
	UNION ALL
	SELECT format('function %s', p.proname), '## Functions of a directory', format('| `%s`', p.proname) || coalesce(a.words, '{}'), '{}'
	FROM pg_proc p LEFT JOIN argument a ON a.oid = p.oid WHERE p.pronamespace = 'documented'::regnamespace;

CREATE TEMP VIEW missing AS
	SELECT w.object FROM wanted w
	WHERE NOT EXISTS (
		SELECT FROM line l
		WHERE (w.heading IS NULL OR w.heading = l.heading)
			AND NOT EXISTS (SELECT FROM unnest(w.words) word WHERE strpos(l.text, word) = 0)
			AND (l.heading = '## Support'
				OR NOT EXISTS (SELECT FROM unnest(w.arguments) word WHERE strpos(l.text, word) = 0)));
SELECT object AS "not in the reference" FROM missing ORDER BY object COLLATE "C";

-- members of a kind that this test does not know
SELECT DISTINCT d.classid::regclass FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'contacts' AND d.classid NOT IN
	('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass,
	'pg_opfamily'::regclass, 'pg_cast'::regclass, 'pg_namespace'::regclass, 'pg_event_trigger'::regclass);

-- what the reference mentions and is not there
SELECT DISTINCT m[1] AS "only in the reference" FROM regexp_matches(:'document', '`contacts\.([a-z_]+)', 'g') m
WHERE m[1] NOT IN (
	SELECT proname FROM pg_proc WHERE pronamespace = 'contacts'::regnamespace
	UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'contacts'::regnamespace
	UNION ALL SELECT replace(name, 'contacts.', '') FROM pg_settings WHERE name LIKE 'contacts.%')
ORDER BY 1;

-- the test would notice
ALTER TABLE documented.contact ADD COLUMN shoe_size integer CHECK (shoe_size > 0);
CREATE FUNCTION documented.find_contact(shoe_size integer) RETURNS bigint LANGUAGE sql RETURN shoe_size;
SELECT object FROM missing ORDER BY object COLLATE "C";

SELECT contacts.drop_directory('documented', cascade => true);
