-- contacts.email in queries: which operators a client's SQL finds
CREATE ROLE regress_email;
CREATE SCHEMA email_test AUTHORIZATION regress_email;
SET ROLE regress_email;
SET search_path = email_test;

CREATE TABLE person (id int PRIMARY KEY, email contacts.email UNIQUE, t text, v varchar(80), c char(30), n name);
INSERT INTO person (id, email) VALUES (1, 'ann@example.org'), (2, 'Bob@Example.ORG'), (3, 'a_n@example.org'), (4, NULL);

-- The six operators against each kind of operand; the text side is normalised.
SELECT id, email = 'ANN@example.org' AS unknown, email = 'ANN@example.org'::text AS text, email = 'ANN@example.org'::varchar AS varchar,
	email = 'ANN@example.org'::char(20) AS char, 'ANN@example.org'::text = email AS text_left, 'ANN@example.org' = email AS unknown_left
FROM person ORDER BY id;
SELECT id, email <> ' ANN@example.org'::text AS ne, email < ' ANN@example.org'::text AS lt, email <= ' ANN@example.org'::text AS le,
	email > ' ANN@example.org'::text AS gt, email >= ' ANN@example.org'::text AS ge
FROM person ORDER BY id;
SELECT id, ' ANN@example.org'::text <> email AS ne, ' ANN@example.org'::text < email AS lt, ' ANN@example.org'::text <= email AS le,
	' ANN@example.org'::text > email AS gt, ' ANN@example.org'::text >= email AS ge
FROM person ORDER BY id;
SELECT id, email <> 'ANN@example.org' AS ne, email < 'ANN@example.org' AS lt, email <= 'ANN@example.org' AS le,
	email > 'ANN@example.org' AS gt, email >= 'ANN@example.org' AS ge
FROM person ORDER BY id;

-- Text that is no address compares as its bytes and raises nothing; a literal is read as an address.
SELECT id, email = ''::text AS empty, email > ''::text AS above_empty, email = 'ANN'::text AS no_address, email < 'b'::text AS before_b,
	email <> repeat('x', 100000) AS long
FROM person ORDER BY id;
SELECT id FROM person WHERE email = '';
SELECT id FROM person WHERE email <> 'ann';

-- Parameters of every string type, IN lists and arrays.
PREPARE p_text(text) AS SELECT id FROM person WHERE email = $1;
PREPARE p_varchar(varchar) AS SELECT id FROM person WHERE email = $1;
PREPARE p_char(char(20)) AS SELECT id FROM person WHERE email = $1;
PREPARE p_unknown AS SELECT id FROM person WHERE email = $1;
PREPARE p_any(text[]) AS SELECT id FROM person WHERE email = ANY ($1) ORDER BY id;
PREPARE p_any_varchar(varchar[]) AS SELECT id FROM person WHERE email = ANY ($1) ORDER BY id;
PREPARE p_all(text[]) AS SELECT id FROM person WHERE email <> ALL ($1) ORDER BY id;
EXECUTE p_text('BOB@example.org');
EXECUTE p_varchar('BOB@example.org');
EXECUTE p_char('BOB@example.org');
EXECUTE p_unknown('BOB@example.org');
SELECT name, parameter_types FROM pg_prepared_statements WHERE name = 'p_unknown';
EXECUTE p_any('{BOB@example.org,ANN@example.org,nobody}');
EXECUTE p_any_varchar('{BOB@example.org,ANN@example.org,nobody}');
EXECUTE p_all('{BOB@example.org,nobody}');
SELECT id FROM person WHERE email IN ('BOB@example.org', 'ANN@example.org') ORDER BY id;
SELECT id FROM person WHERE email IN ('BOB@example.org', 'ANN@example.org'::text) ORDER BY id;
SELECT id FROM person WHERE email IN ('BOB@example.org', 'ANN@example.org'::varchar) ORDER BY id;
SELECT id FROM person WHERE email NOT IN ('BOB@example.org', 'x'::text) ORDER BY id;
SELECT id FROM person WHERE email BETWEEN 'ANN@example.org'::text AND 'b'::text ORDER BY id;
SELECT id FROM person WHERE (email, id) = ('BOB@example.org'::text, 2);
SELECT id FROM person WHERE email IS NOT DISTINCT FROM 'BOB@example.org'::text;
SELECT id FROM person WHERE email IS DISTINCT FROM 'BOB@example.org'::text ORDER BY id;

-- What works on text works on an address.
SELECT id, email LIKE 'a%' AS "like", email ILIKE 'A%' AS "ilike", email ~ '^a' AS "~", upper(email), length(email), email || '!' AS "||",
	'<' || email || '>' AS brackets, left(email, 3), split_part(email, '@', 2), concat(email, 1), format('%s', email), to_jsonb(email), md5(email)
FROM person WHERE id = 2;
SELECT pg_typeof(coalesce(email, t)), pg_typeof(coalesce(email, v)), pg_typeof(coalesce(email, 'x@y.org')), pg_typeof(nullif(email, 'x@y.org'))
FROM person WHERE id = 1;

-- Two columns of different string types are compared as addresses.
UPDATE person SET t = upper(email), v = upper(email), c = upper(email), n = upper(email);
SELECT id, email = t AS t, t = email AS t_left, email = v AS v, v = email AS v_left, email = c AS c, c = email AS c_left
FROM person ORDER BY id;
-- A name is neither: say what it is meant to be.
SELECT id FROM person WHERE email = n;
SELECT id FROM person WHERE email = n::text ORDER BY id;

-- The operators get in nobody else's way.
SELECT 'a' = 'b' AS unknown, t = 'x' AS text, v = 'x' AS varchar, c = 'x' AS char, n = 'x' AS name, t = v AS text_varchar,
	t = c AS text_char, v = c AS varchar_char, n = t AS name_text, v = n AS varchar_name
FROM person WHERE id = 1;
SELECT 'a' IN ('a', 'b') AS unknown, v IN ('x', 'y') AS varchar, v = ANY ('{x}') AS any, v < 'x' AS lt, 'x' >= v AS ge
FROM person WHERE id = 1;
SELECT email = id FROM person;
SELECT 'a@b.org'::contacts.email = '+49301234567'::contacts.phone;

-- Aggregates, grouping and order are those of the type.
SELECT min(email), max(email), pg_typeof(min(email)), pg_typeof(max(email)), count(DISTINCT email) FROM person;
SELECT min(email), max(email) FROM person WHERE false;
SELECT email FROM person ORDER BY email;
SELECT email FROM person ORDER BY email DESC NULLS LAST;
SELECT lower(t)::contacts.email, count(*) FROM (SELECT t FROM person UNION ALL SELECT lower(t) FROM person) s GROUP BY 1 ORDER BY 1;
SELECT email FROM person UNION SELECT 'ANN@example.org' ORDER BY 1;
SELECT array_agg(email ORDER BY email) @> ARRAY['BOB@example.org'::contacts.email] FROM person;
CREATE FUNCTION plan_has(query text, words text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF strpos(line, words) > 0 THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
SELECT plan_has('SELECT max(email) FROM person', 'Index Only Scan Backward using person_email_key');

-- A pattern is matched against the text, whatever index there is.
SELECT email FROM person WHERE email LIKE 'b%' ORDER BY email;
SELECT count(*) FROM person WHERE email::text LIKE 'b%' OR email ~ '^b' OR email ILIKE 'B%';

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA email_test CASCADE;
DROP ROLE regress_email;
