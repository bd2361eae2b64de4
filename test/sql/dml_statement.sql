-- Statements of any shape: many rows, no rows, COPY, CTEs, joins, savepoints
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir dml_statement
\set ECHO none
\i :rules
\set ECHO all

-- zero rows
INSERT INTO contact (email) SELECT 'a@x.org' WHERE false;
INSERT INTO identifier (contact_id, semantic_type, value) SELECT 1, 'email', 'a@x.org' WHERE false;
UPDATE contact SET email = 'a@x.org' WHERE false;
UPDATE contact SET email = NULL, mobile_phone = NULL, email_status = 'suppressed';
DELETE FROM contact;
UPDATE identifier SET value = 'x', contact_id = 1, status = 'opted_in';
DELETE FROM identifier;
UPDATE organization SET name = 'x';
DELETE FROM organization;
COPY contact (email) FROM stdin;
\.
SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM identifier), (SELECT count(*) FROM consent_event);

-- COPY, with duplicates: nothing of it stays
COPY contact (id, first_name, last_name, email, mobile_phone) FROM stdin;
1	Ada	One	A@x.org	+49 30 1234500
2	Bob	Two	b@x.org	\N
3	Cyd	\N	\N	+49301234500
\.
COPY contact (id, first_name, email) FROM stdin;
4	Dan	d@x.org
5	Eve	B@X.ORG
\.
COPY contact (id, first_name, email) FROM stdin;
4	Dan	d@x.org
5	Eve	D@X.ORG
\.
COPY contact (id, first_name, email) FROM stdin;
4	Dan	no address
\.
COPY identifier (contact_id, semantic_type, slug, value) FROM stdin;
1	email	work	w@x.org
2	email	work	W@x.org
\.
COPY identifier (contact_id, semantic_type, slug, value) FROM stdin;
1	email	work	w@x.org
1	oauth	\N	o1
1	oauth	\N	o2
9	email	work	v@x.org
\.
COPY identifier (contact_id, semantic_type, slug, value) FROM stdin;
1	email	work	w@x.org
1	oauth	\N	o1
2	oauth	\N	o2
\.
SELECT * FROM person;
SELECT * FROM held;
\copy (SELECT id, email, mobile_phone, email_status, contact_type FROM contact ORDER BY id) TO stdout

-- many rows, more than are collected before they are settled (8192)
INSERT INTO contact (id, first_name, last_name, email, mobile_phone)
	SELECT n, 'F' || n, 'L' || n, format('m%s@x.org', n), '+4930' || 10000000 + n % 1000 FROM generate_series(1001, 10000) n;
SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE slug = 'main') FROM identifier WHERE contact_id > 1000;
UPDATE contact SET email = replace(email::text, 'm', 'k'), mobile_phone = NULL WHERE id > 1000;
SELECT semantic_type, count(*), count(*) FILTER (WHERE value LIKE 'k%') FROM identifier WHERE contact_id > 1000 GROUP BY 1;
SELECT contact_type, count(*), count(*) FILTER (WHERE is_reachable) FROM contact WHERE id > 1000 GROUP BY 1;
UPDATE contact SET email_status = 'unsubscribed' WHERE id % 1000 = 0 AND id > 1000;
UPDATE identifier SET is_validated = true WHERE contact_id > 1000 AND semantic_type = 'email';
SELECT contact_type, count(*) FROM contact WHERE id > 1000 GROUP BY 1 ORDER BY 1;
UPDATE identifier SET value = 'j_' || value WHERE contact_id > 1000 AND semantic_type = 'email' AND status = 'not_opted_in';
SELECT contact_type, count(*), count(*) FILTER (WHERE email::text LIKE 'j%') FROM contact WHERE id > 1000 GROUP BY 1 ORDER BY 1;
DELETE FROM identifier WHERE contact_id > 1500;
SELECT count(*), count(contact_id) FROM identifier WHERE value ~ '^(j_)?[mk]';
SELECT email_status, count(*), count(email) FROM contact WHERE id > 1000 GROUP BY 1 ORDER BY 1;
DELETE FROM contact WHERE id > 1000;
SELECT status, count(*), count(contact_id) FROM identifier WHERE value ~ '^(j_)?[mk]' GROUP BY 1;
SELECT * FROM contacts.check_directory('dml_statement');

-- more than a chunk of claims (65536) in one INSERT
SELECT contacts.create_directory('dml_statement_2');
INSERT INTO dml_statement_2.contact (first_name, last_name, email, mobile_phone)
	SELECT 'F', 'L', format('m%s@x.org', n), '+4930' || 10000000 + n % 1000 FROM generate_series(1, 33000) n;
SELECT semantic_type, count(*), count(DISTINCT contact_id), count(DISTINCT key) FROM dml_statement_2.identifier GROUP BY 1 ORDER BY 1;
SELECT * FROM contacts.check_directory('dml_statement_2');
SELECT contacts.drop_directory('dml_statement_2', cascade => true);

-- data-modifying CTEs
WITH c AS (INSERT INTO contact (id, first_name) VALUES (10, 'Gil') RETURNING id),
	i AS (INSERT INTO identifier (contact_id, semantic_type, value) SELECT id, 'email', 'g@x.org' FROM c RETURNING contact_id, slug, value)
SELECT * FROM i;
SELECT * FROM person WHERE id = 10;
WITH c AS (INSERT INTO contact (id, email) VALUES (11, 'h@x.org') RETURNING id, email),
	o AS (UPDATE contact SET email = 'gg@x.org' WHERE id = 10 RETURNING id),
	d AS (DELETE FROM contact WHERE id = 3 RETURNING id),
	s AS (SELECT suppress('s@x.org'))
SELECT (SELECT id FROM c), (SELECT id FROM o), (SELECT id FROM d);
SELECT * FROM person;
SELECT * FROM held WHERE contact IS NOT NULL;
-- a contact and its identifier changed by two parts of one statement, in agreement
WITH i AS (UPDATE identifier SET value = 'g2@x.org' WHERE value = 'gg@x.org')
UPDATE contact SET first_name = 'Gil 2' WHERE id = 10;
SELECT * FROM person WHERE id = 10;
WITH i AS (UPDATE identifier SET value = 'g3@x.org' WHERE value = 'g2@x.org')
UPDATE contact SET email = 'g3@x.org' WHERE id = 10;
SELECT * FROM person WHERE id = 10;
SELECT * FROM held WHERE contact = 10;
WITH i AS (DELETE FROM identifier WHERE contact_id = 10)
DELETE FROM contact WHERE id = 10;
SELECT count(*) FROM identifier WHERE value LIKE 'g%';

-- an UPDATE that meets a contact twice through a join changes it once
UPDATE contact c SET email = i.value || '.example' FROM identifier i WHERE i.contact_id = c.id AND c.id = 1 AND i.semantic_type IN ('phone', 'email')
	AND i.value LIKE '%@%';
SELECT count(*), min(email::text) ~ '^[aw]@x.org.example$' FROM contact WHERE id = 1;
SELECT slug, value ~ '^[aw]@x.org.example$' AS is_new FROM identifier WHERE contact_id = 1 AND slug = 'main' AND semantic_type = 'email';
UPDATE contact SET email = 'a@x.org' WHERE id = 1;

-- savepoints: what a subtransaction collected goes with it
BEGIN;
UPDATE contact SET email = 'a1@x.org' WHERE id = 1;
SAVEPOINT s1;
UPDATE contact SET email = 'a2@x.org' WHERE id = 1;
INSERT INTO contact (id, email) VALUES (20, 'a1@x.org');
SAVEPOINT s2;
DELETE FROM contact WHERE id IN (1, 20);
ROLLBACK TO s2;
SELECT * FROM held WHERE contact IN (1, 20) AND kind = 'email';
ROLLBACK TO s1;
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'personal', 'a2@x.org');
RELEASE s1;
COMMIT;
SELECT * FROM held WHERE contact IN (1, 20) AND kind = 'email';
-- statements that fail after they collected changes, caught in PL/pgSQL
CREATE FUNCTION pg_temp.try(statements text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOREACH s IN ARRAY statements LOOP
		BEGIN
			EXECUTE s;
			RETURN NEXT 'ok';
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT SQLSTATE || ' ' || SQLERRM;
		END;
	END LOOP;
END
$$;
BEGIN;
SELECT * FROM pg_temp.try(ARRAY[
	$$UPDATE contact SET email = 'z@x.org' WHERE id IN (1, 2)$$,
	$$UPDATE contact SET email = CASE id WHEN 1 THEN 'z@x.org' ELSE 'w@x.org' END WHERE id IN (1, 2)$$,
	$$UPDATE contact SET email = 'z@x.org', email_status = 'opted_in' WHERE id = 1$$,
	$$UPDATE identifier SET value = 'b@x.org' WHERE contact_id = 1 AND semantic_type = 'email'$$,
	$$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (2, 'email', 's@x.org'), (2, 'email', 'w@x.org')$$,
	$$DELETE FROM identifier WHERE value = 's@x.org'$$,
	$$UPDATE contact SET email = 'y@x.org' WHERE id = 2$$,
	$$INSERT INTO contact (id, email) VALUES (21, 's@x.org')$$]);
COMMIT;
SELECT * FROM person;
SELECT * FROM held WHERE contact IS NOT NULL;
SELECT * FROM contacts.check_directory('dml_statement');

-- a cursor, a prepared statement used often enough for a generic plan, a loop
PREPARE change (bigint, text) AS UPDATE contact SET email = $2 WHERE id = $1;
EXECUTE change (1, 'p1@x.org');
EXECUTE change (1, 'p2@x.org');
EXECUTE change (1, 'p3@x.org');
EXECUTE change (1, 'p4@x.org');
EXECUTE change (1, 'p5@x.org');
EXECUTE change (1, 'p6@x.org');
EXECUTE change (1, 'p7@x.org');
SELECT email FROM contact WHERE id = 1;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM contact ORDER BY id FOR UPDATE;
FETCH c;
UPDATE contact SET email = 'current@x.org' WHERE CURRENT OF c;
DELETE FROM identifier WHERE contact_id = 1 AND slug = 'main' AND semantic_type = 'email';
COMMIT;
SELECT * FROM held WHERE contact = 1;
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		INSERT INTO contact (id, email) VALUES (30 + i, format('loop%s@x.org', i));
		UPDATE contact SET email = format('loop%s@x.org', i + 3) WHERE id = 30 + i;
		DELETE FROM contact WHERE id = 28 + i;
	END LOOP;
END
$$;
SELECT * FROM held WHERE contact > 30;

-- transactions ended within a block
DO $$
BEGIN
	INSERT INTO contact (id, first_name, email) VALUES (35, 'Bo', 'block1@x.org');
	COMMIT;
	UPDATE contact SET email = 'block2@x.org' WHERE id = 35;
	ROLLBACK;
	UPDATE contact SET email = 'block3@x.org' WHERE id = 35;
	COMMIT;
END
$$;
SELECT * FROM held WHERE contact = 35;
-- a value passes from one to another within many subtransactions
DO $$
BEGIN
	FOR i IN 1..200 LOOP
		BEGIN
			UPDATE contact SET email = NULL WHERE id = 35;
			UPDATE contact SET email = format('block%s@x.org', i) WHERE id = 35;
			IF i % 3 = 0 THEN
				RAISE EXCEPTION USING ERRCODE = 'ZZ000';
			END IF;
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN NULL;
		END;
	END LOOP;
END
$$;
SELECT * FROM held WHERE contact = 35;

-- an updatable view over contact
CREATE VIEW mine AS SELECT id, first_name, email, email_status FROM contact WHERE id >= 40;
INSERT INTO mine (id, first_name, email) VALUES (40, 'Via', 'view@x.org');
UPDATE mine SET email = 'view2@x.org', email_status = 'opted_in';
SELECT * FROM held WHERE contact = 40;
DELETE FROM mine;
SELECT count(*) FROM identifier WHERE value LIKE 'view%';
DROP VIEW mine;

SELECT * FROM contacts.check_directory('dml_statement');
SELECT contacts.drop_directory('dml_statement', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_dml_statement;
DROP ROLE regress_contacts_dml_statement;
