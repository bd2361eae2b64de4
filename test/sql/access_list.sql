-- contacts.privilege is complete: it names what is there, and each capability
-- has something of its own, by which it is known.
SELECT contacts.create_directory('access_list') \g /dev/null
CREATE TEMP VIEW named AS SELECT DISTINCT p.object FROM contacts.privilege p;

-- what is named is there
SELECT p.object AS "not there" FROM named p
WHERE p.object <> 'schema'
	AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'access_list'::regnamespace AND c.relname = p.object)
	AND NOT EXISTS (SELECT FROM pg_proc f WHERE f.pronamespace = 'access_list'::regnamespace AND f.proname || '()' = p.object)
ORDER BY 1;
SELECT p.object, c.name AS "not there" FROM contacts.privilege p CROSS JOIN LATERAL unnest(p.columns) c (name)
WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('access_list.' || p.object)::regclass AND a.attname = c.name)
ORDER BY 1, 2;
-- what is there is named
SELECT c.relname AS "not named" FROM pg_class c
WHERE c.relnamespace = 'access_list'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT IN (SELECT object FROM named)
ORDER BY 1;
SELECT DISTINCT f.proname AS "not named" FROM pg_proc f
WHERE f.pronamespace = 'access_list'::regnamespace AND f.proname || '()' NOT IN (SELECT object FROM named)
ORDER BY 1;
-- what no capability writes
SELECT c.relname, r.privilege AS "nobody's" FROM pg_class c CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) r (privilege)
WHERE c.relnamespace = 'access_list'::regnamespace AND c.relkind = 'r'
	AND NOT EXISTS (SELECT FROM contacts.privilege p WHERE p.object = c.relname AND p.privilege = r.privilege)
ORDER BY 1, 2;
-- what no role should have: rights that lead past the rules
SELECT object, privilege FROM contacts.privilege WHERE privilege IN ('TRUNCATE', 'TRIGGER', 'REFERENCES', 'CREATE') OR object = 'secret' ORDER BY 1, 2;
-- said once
SELECT w.target, w.column_name, w.privilege, count(*) AS times FROM contacts.wanted_rights('access_list'::regnamespace) w
GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3;
-- a capability's own
SELECT c.name, count(*) > 0 AS has_its_own
FROM contacts.privilege p CROSS JOIN LATERAL unnest(p.capabilities) c (name) WHERE cardinality(p.capabilities) = 1
GROUP BY 1 ORDER BY 1;
SELECT DISTINCT c.name AS without_its_own FROM contacts.privilege p CROSS JOIN LATERAL unnest(p.capabilities) c (name)
EXCEPT SELECT p.capabilities[1] FROM contacts.privilege p WHERE cardinality(p.capabilities) = 1 ORDER BY 1;

SELECT contacts.drop_directory('access_list');
