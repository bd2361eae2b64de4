-- Every plan the server may choose finds the same rows, and the index is used
CREATE ROLE regress_opclass;
CREATE SCHEMA opclass_test AUTHORIZATION regress_opclass;
SET ROLE regress_opclass;
SET search_path = opclass_test;

CREATE TABLE person (id int PRIMARY KEY, email contacts.email UNIQUE, phone contacts.phone);
INSERT INTO person SELECT n, 'user' || n || '@example.org', '+49301' || 10000 + n FROM generate_series(1, 1000) n;
CREATE INDEX person_phone ON person (phone);
CREATE TABLE list (n int, t text, v varchar(80), p text);
INSERT INTO list SELECT n, s, s, p FROM (
	SELECT n, CASE n % 3 WHEN 0 THEN 'USER' || n || '@Example.ORG' WHEN 1 THEN 'user' || n || '@example.org' ELSE 'no address ' || n END,
		CASE n % 3 WHEN 0 THEN '+49 (30) 1-' || 10000 + n WHEN 1 THEN 'tel:+49301' || 10000 + n ELSE 'none' END
	FROM generate_series(901, 1100) n) g(n, s, p);
INSERT INTO list VALUES (0, NULL, NULL, NULL);
ANALYZE person;
ANALYZE list;

SET jit = off;		-- enable_x = off looks expensive

-- Look-ups by parameter use the index.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE q_text(text) AS SELECT id FROM person WHERE email = $1;
PREPARE q_varchar(varchar) AS SELECT id FROM person WHERE email = $1;
PREPARE q_left(text) AS SELECT id FROM person WHERE $1 = email;
PREPARE q_any(text[]) AS SELECT id FROM person WHERE email = ANY ($1) ORDER BY id;
PREPARE q_any_varchar(varchar[]) AS SELECT id FROM person WHERE email = ANY ($1) ORDER BY id;
PREPARE q_range(text, text) AS SELECT id FROM person WHERE email >= $1 AND email < $2;
PREPARE q_phone(text) AS SELECT id FROM person WHERE phone = $1;
EXPLAIN (COSTS OFF) EXECUTE q_text('USER7@example.org');
EXECUTE q_text('USER7@example.org');
EXPLAIN (COSTS OFF) EXECUTE q_varchar('USER7@example.org');
EXECUTE q_varchar('USER7@example.org');
EXPLAIN (COSTS OFF) EXECUTE q_left('USER7@example.org');
EXECUTE q_left('USER7@example.org');
EXPLAIN (COSTS OFF) EXECUTE q_any('{USER9@example.org,USER7@example.org,user7@example.org,none}');
EXECUTE q_any('{USER9@example.org,USER7@example.org,user7@example.org,none}');
EXPLAIN (COSTS OFF) EXECUTE q_any_varchar('{USER9@example.org,none}');
EXECUTE q_any_varchar('{USER9@example.org,none}');
EXPLAIN (COSTS OFF) EXECUTE q_range('USER99@example.org', 'user99@f');
EXECUTE q_range('USER99@example.org', 'user99@f');
EXPLAIN (COSTS OFF) EXECUTE q_phone('+49 (30) 1-10007');
EXECUTE q_phone('+49 (30) 1-10007');
RESET enable_bitmapscan;
EXPLAIN (COSTS OFF) SELECT id FROM person WHERE email = ANY ('{USER9@example.org,USER7@example.org}'::text[]);
EXPLAIN (COSTS OFF) SELECT id FROM person WHERE email IN ('USER9@example.org', 'USER7@example.org');
RESET enable_seqscan;

-- The queries to be run under every plan.
CREATE TABLE query (n int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, sql text, rows bigint, total bigint);
INSERT INTO query (sql) SELECT unnest(ARRAY[
	'SELECT p.id FROM person p JOIN list l ON p.email = l.t',
	'SELECT p.id FROM list l JOIN person p ON l.t = p.email',
	'SELECT p.id FROM person p JOIN list l ON p.email = l.v',
	'SELECT p.id FROM list l LEFT JOIN person p ON l.t = p.email',
	'SELECT l.n AS id FROM list l FULL JOIN person p ON l.t = p.email',
	'SELECT id FROM person WHERE email IN (SELECT t FROM list)',
	'SELECT n AS id FROM list WHERE t IN (SELECT email FROM person)',
	'SELECT id FROM person WHERE email IN (SELECT v FROM list)',
	'SELECT id FROM person WHERE email NOT IN (SELECT t FROM list WHERE t IS NOT NULL)',
	'SELECT n AS id FROM list WHERE t NOT IN (SELECT email FROM person)',
	'SELECT id FROM person p WHERE EXISTS (SELECT FROM list l WHERE l.t = p.email)',
	'SELECT id FROM person p WHERE NOT EXISTS (SELECT FROM list l WHERE l.t = p.email)',
	'SELECT id FROM person WHERE email = ANY (ARRAY(SELECT t FROM list))',
	'SELECT id FROM person WHERE email <> ALL (ARRAY(SELECT t FROM list WHERE t IS NOT NULL))',
	'SELECT a.id FROM person a JOIN list l ON a.email = l.t JOIN person b ON b.email = l.t JOIN list m ON m.t = a.email',
	'SELECT p.id FROM person p JOIN list l ON p.phone = l.p',
	'SELECT id FROM person WHERE phone IN (SELECT p FROM list)',
	'SELECT id FROM person WHERE phone NOT IN (SELECT p FROM list WHERE p IS NOT NULL)']);

-- The join nodes of a plan, each kind once.
CREATE FUNCTION joins(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found text[];
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || sql LOOP
		found := found || substring(line FROM '(Hash|Merge)(?: \w+)* Join') || substring(line FROM 'Nested Loop|hashed SubPlan');
	END LOOP;
	RETURN (SELECT string_agg(DISTINCT f, ', ' ORDER BY f) FROM unnest(found) f);
END
$$;
CREATE FUNCTION run(sql text, OUT rows bigint, OUT total bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*), coalesce(sum(id), 0) FROM (%s) s', sql) INTO rows, total;
END
$$;
CREATE VIEW answer AS
SELECT n, r.rows, r.total, (r.rows, r.total) IS NOT DISTINCT FROM (q.rows, q.total) AS same, joins(sql)
FROM query q, run(sql) r;

-- What they must find: the same joins over texts normalised by hand.
CREATE TABLE text_person AS SELECT id, email::text COLLATE "C" AS email, phone::text COLLATE "C" AS phone FROM person;
CREATE TABLE text_list AS SELECT n, coalesce(contacts.try_email(t)::text, t) COLLATE "C" AS t,
	coalesce(contacts.try_email(v)::text, v) COLLATE "C" AS v, coalesce(contacts.try_phone(p)::text, p) COLLATE "C" AS p FROM list;
UPDATE query SET (rows, total) = (SELECT rows, total
	FROM run(regexp_replace(sql, '\m(person|list)\M', 'text_\1', 'g')));
SELECT n, sql, rows, total FROM query ORDER BY n;

SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT * FROM answer ORDER BY n;
SET enable_hashagg = off;
SELECT * FROM answer WHERE NOT same ORDER BY n;
RESET enable_hashagg;
SET enable_sort = off;
SELECT * FROM answer WHERE NOT same ORDER BY n;
RESET enable_sort;

SET enable_mergejoin = on;
SET enable_hashjoin = off;
SELECT * FROM answer ORDER BY n;
SET enable_hashagg = off;
SELECT * FROM answer WHERE NOT same ORDER BY n;
RESET enable_hashagg;

SET enable_mergejoin = off;
SET enable_nestloop = on;
SELECT * FROM answer ORDER BY n;
SET enable_hashagg = off;
SET enable_memoize = off;
SELECT * FROM answer WHERE NOT same ORDER BY n;
SET enable_seqscan = off;
SELECT * FROM answer WHERE NOT same ORDER BY n;
SET enable_material = off;
SET work_mem = '64kB';
SELECT * FROM answer WHERE NOT same ORDER BY n;

-- In parallel.
RESET ALL;
SET jit = off;
SET search_path = opclass_test;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT * FROM answer WHERE NOT same ORDER BY n;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA opclass_test CASCADE;
DROP ROLE regress_opclass;
