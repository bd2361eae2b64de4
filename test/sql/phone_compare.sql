-- contacts.phone in queries: the same family of operators as email's
CREATE ROLE regress_phone;
CREATE SCHEMA phone_test AUTHORIZATION regress_phone;
SET ROLE regress_phone;
SET search_path = phone_test;

CREATE TABLE person (id int PRIMARY KEY, phone contacts.phone UNIQUE);
INSERT INTO person VALUES (1, '+49 30 123456'), (2, '+1 650 253 0000'), (3, '+44 20 7946 0958'), (4, NULL);
INSERT INTO person VALUES (5, 'tel:+49-30-123456');
INSERT INTO person VALUES (5, 'tel:+49-30-123456') ON CONFLICT (phone) DO NOTHING;

SELECT id, phone = '+49-30-123456' AS eq, phone <> '+49-30-123456' AS ne, phone < '+49-30-123456' AS lt,
	phone <= '+49-30-123456' AS le, phone > '+49-30-123456' AS gt, phone >= '+49-30-123456' AS ge
FROM person ORDER BY id;
SELECT id, phone = '+49-30-123456'::text AS eq, phone <> '+49-30-123456'::text AS ne, phone < '+49-30-123456'::text AS lt,
	phone <= '+49-30-123456'::text AS le, phone > '+49-30-123456'::text AS gt, phone >= '+49-30-123456'::text AS ge
FROM person ORDER BY id;
SELECT id, '+49-30-123456'::text = phone AS eq, '+49-30-123456'::text <> phone AS ne, '+49-30-123456'::text < phone AS lt,
	'+49-30-123456'::text <= phone AS le, '+49-30-123456'::text > phone AS gt, '+49-30-123456'::text >= phone AS ge
FROM person ORDER BY id;
SELECT id, phone = ''::text AS empty, phone = '030 123456'::text AS national, phone = '+49-30-123456'::varchar AS varchar,
	phone = ANY ('{none,+49-30-123456}'::text[]) AS any, phone IN ('+49-30-123456', '+1 650 2530000') AS in
FROM person ORDER BY id;
SELECT min(phone), max(phone), pg_typeof(max(phone)), count(DISTINCT phone) FROM person;
SELECT phone FROM person ORDER BY phone DESC NULLS LAST;
SELECT phone LIKE '+49%' AS "like", phone || '' AS text, length(phone) FROM person ORDER BY id;
SELECT id FROM person WHERE phone = '';
SELECT '+49 30'::text OPERATOR(contacts.=##) '+4930'::text AS no_numbers, '+49 30 123456'::text OPERATOR(contacts.=##) '+49-30-123456'::text AS numbers;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA phone_test CASCADE;
DROP ROLE regress_phone;
