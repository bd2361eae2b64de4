-- contacts.phone: input, output, regions and the functions of one number
CREATE ROLE regress_phone;
CREATE SCHEMA phone_test AUTHORIZATION regress_phone;
SET ROLE regress_phone;
SET search_path = phone_test;

-- What a text is stored as, or why it is refused; region NULL: as input does.
CREATE FUNCTION stored(input text, region text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	reason text;
BEGIN
	IF region IS NULL THEN
		RETURN input::contacts.phone;
	END IF;
	RETURN contacts.phone(input, region);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, reason = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, coalesce(nullif(reason, ''), message));
END
$$;
CREATE TABLE example (n int GENERATED ALWAYS AS IDENTITY, input text);

-- The international form: separators, tel:, (0).
INSERT INTO example (input) VALUES
	('+4930123456'), ('+49 30 123456'), ('+49-30-123.456'), ('+49 (30) 123456'), (E' \t+49 30 123456\n'), ('tel:+49-30-123456'), ('TEL:+49 30 123456'),
	('+49 (0)30 123456'), ('+49(0) 30 123456'), ('+44 (0)20 7946 0958'), ('+1 (0)650 253 0000'), ('+39 06 698 12345'), ('+1 650 253 0000'),
	('+1 (650) 253-0000'), ('+7 495 123 45 67'), ('+800 1234 5678'), ('+290 12345'),
	(''), ('   '), ('+'), ('tel:'), ('030 123456'), ('0049 30 123456'), ('49 30 123456'),
	('+49301'), ('+4930'), ('+493012345678901'), ('+4930123456789012'),
	('+999 123456'), ('+0 123456'), ('+00 49 30 123456'),
	('+49 30 123456 ext. 7'), ('+49 30 123456 x7'), ('+49 30 123456;ext=7'), ('+1 800 FLOWERS'), ('+49/30/123456'), ('+49 30 123456#'),
	('++4930123456'), ('+49 30 +123456'), ('phone:+4930123456'), (U&'+49\00A030 123456'), (U&'\FF0B4930123456'), (U&'+49 30 \0661\0662\0663456');
SELECT input, stored(input) FROM example ORDER BY n;

-- Every way in takes the same numbers, and what is stored re-enters unchanged.
SELECT input FROM example
WHERE (contacts.try_phone(input)::text IS DISTINCT FROM stored(input)) <> (stored(input) ~ '^22P02') ORDER BY n;
SELECT p FROM (SELECT contacts.try_phone(input) AS p FROM example) s
WHERE p IS NOT NULL AND (p::text::contacts.phone)::text COLLATE "C" <> p::text ORDER BY 1;

-- National formats, by region.
SELECT region, input, stored(input, region)
FROM (VALUES (1, 'DE', '030 123456'), (2, 'de', '030 123456'), (3, 'DE', '0049 30 123456'), (4, 'DE', '+49 30 123456'), (5, 'DE', '+44 20 7946 0958'),
	(6, 'DE', '(030) 123456'), (7, 'DE', '030/123456'), (8, 'GB', '020 7946 0958'), (9, 'US', '(650) 253-0000'), (10, 'US', '1 650 253 0000'),
	(11, 'US', '011 49 30 123456'), (12, 'IT', '06 698 12345'), (13, 'FR', '01 23 45 67 89'), (14, 'RU', '8 495 123 45 67'), (15, 'DE', ''),
	(16, 'DE', '12'), (17, 'XX', '030 123456'), (18, '', '030 123456'), (19, 'DEU', '030 123456'), (20, '49', '030 123456')) v(n, region, input)
ORDER BY n;
SELECT contacts.phone(NULL, 'DE') IS NULL, contacts.phone('030 123456', NULL) IS NULL;
SELECT contacts.phone('030 123456', 'XX');

-- Errors as a client sees them.
SELECT ''::contacts.phone;
SELECT '030 123456'::contacts.phone;

-- The setting: text input takes national formats, the operators do not.
CREATE TABLE person (id int PRIMARY KEY, phone contacts.phone);
SHOW contacts.default_region;
INSERT INTO person VALUES (1, '030 123456');
SET contacts.default_region = 'DE';
INSERT INTO person VALUES (1, '030 123456'), (2, '+1 650 253 0000');
PREPARE by_text(int, text) AS INSERT INTO person VALUES ($1, $2);
EXECUTE by_text(3, '(040) 123456');
COPY person FROM stdin;
4	089 123456
\.
SELECT contacts.try_phone('030 123456'), '030 123456'::text::contacts.phone;
SELECT id, phone, phone = '030 123456' AS literal, phone = '030 123456'::text AS text, phone = '+49 30 123456'::text AS international
FROM person ORDER BY id;
SET contacts.default_region = 'gb';
EXECUTE by_text(5, '020 7946 0958');
RESET contacts.default_region;
EXECUTE by_text(6, '020 7946 0958');
SET contacts.default_region = 'XX';
SET contacts.default_region = 'Germany';
SET contacts.default_region = '';
SET contacts.defualt_region = 'DE';
SELECT * FROM person ORDER BY id;

-- Functions of a number.
SELECT p, contacts.phone_country_code(p), contacts.phone_possible(p)
FROM (VALUES (1, '+4930123456'::contacts.phone), (2, '+16502530000'), (3, '+165025300001'), (4, '+1650253'), (5, '+80012345678'), (6, '+3780549882345'),
	(7, '+74951234567'), (8, '+2471234'), (9, '+393331234567')) v(n, p)
ORDER BY n;
SELECT pg_typeof(contacts.phone_country_code('+4930123456'));

-- Soft errors: 16 has the functions to see them.
SELECT CASE WHEN current_setting('server_version_num')::int >= 160000
	THEN $$SELECT pg_input_is_valid('+49 30 123456', 'contacts.phone') AS valid, pg_input_is_valid('none', 'contacts.phone') AS invalid$$
	ELSE 'SELECT true AS valid, false AS invalid' END AS soft_errors
\gset
:soft_errors;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA phone_test CASCADE;
DROP ROLE regress_phone;
