-- contacts.email: input, output and the functions of one address
CREATE ROLE regress_email;
CREATE SCHEMA email_test AUTHORIZATION regress_email;
SET ROLE regress_email;
SET search_path = email_test;

-- What a text is stored as, or why it is refused.
CREATE FUNCTION stored(input text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	reason text;
	advice text;
BEGIN
	RETURN input::contacts.email;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, reason, nullif(advice, ''));
END
$$;
CREATE TABLE example (rule int, n int GENERATED ALWAYS AS IDENTITY, input text);

-- Rule 1: white space, empty, exactly one @.
INSERT INTO example (rule, input) VALUES
	(1, E' \t\r\n\x0B\fa@b.org \n'), (1, 'a @b.org'), (1, 'a@ b.org'), (1, 'a@b. org'),
	(1, U&'\00A0a@b.org'), (1, U&'a@b.org\3000'),
	(1, ''), (1, '   '), (1, 'a'), (1, 'a.b.org'), (1, 'a@b@c.org'), (1, '@'), (1, '@@');

-- Rule 2: the local part.
INSERT INTO example (rule, input) VALUES
	(2, 'first.last@b.org'), (2, '!#$%&''*+-/=?^_`{|}~@b.org'), (2, '0@b.org'),
	(2, '@b.org'), (2, '.a@b.org'), (2, 'a.@b.org'), (2, 'a..b@b.org'), (2, '.@b.org'),
	(2, '"a"@b.org'), (2, '"a b"@b.org'), (2, 'a\ b@b.org'), (2, 'a(c)@b.org'), (2, 'Ann <a@b.org>'),
	(2, '<a@b.org>'), (2, 'a,b@b.org'), (2, 'a;b@b.org'), (2, 'a:b@b.org'), (2, 'mailto:a@b.org'),
	(2, 'a[b]@b.org'), (2, E'a\tb@b.org'), (2, E'a\x01b@b.org'), (2, E'a\x7Fb@b.org'),
	(2, repeat('a', 64) || '@b.org'), (2, repeat('a', 65) || '@b.org'),
	(2, repeat(U&'\00E9', 32) || '@b.org'), (2, repeat(U&'\00E9', 32) || 'a@b.org'),
	(2, U&'a\200Bb@b.org'), (2, U&'a\202Eb@b.org'), (2, U&'a\00ADb@b.org'), (2, U&'a\E000b@b.org'),
	(2, U&'a\FEFFb@b.org'), (2, U&'a\0085b@b.org'), (2, U&'a\0378b@b.org'), (2, U&'a\+0E0041@b.org');

-- Rule 3: the canonical local part.
INSERT INTO example (rule, input) VALUES
	(3, 'First.LAST@b.org'), (3, U&'J\00DCRGEN@b.org'), (3, U&'JU\0308RGEN@b.org'), (3, U&'STRA\00DFE@b.org'),
	(3, U&'STRA\1E9EE@b.org'), (3, U&'\0391\03A3@b.org'), (3, U&'\0418\0412\0410\041D@b.org'), (3, U&'I\0130@b.org'),
	(3, U&'\212B@b.org'), (3, U&'\7528\6237@b.org'), (3, U&'\FF21@b.org');

-- Rule 4: ASCII domains.
INSERT INTO example (rule, input) VALUES
	(4, 'a@Sub.EXAMPLE.Org'), (4, 'a@b-c.org'), (4, 'a@1.2.org'), (4, 'a@x.test'), (4, 'a@x.invalid'), (4, 'a@x.local'),
	(4, 'a@x.xn--p1ai'), (4, 'a@XN--BCHER-KVA.example'), (4, 'a@' || repeat('b', 63) || '.org'),
	(4, 'a@'), (4, 'a@localhost'), (4, 'a@b.org.'), (4, 'a@.b.org'), (4, 'a@b..org'), (4, 'a@-b.org'), (4, 'a@b-.org'),
	(4, 'a@b_c.org'), (4, 'a@b.c'), (4, 'a@b.1c'), (4, 'a@b.c1'), (4, 'a@b.123'), (4, 'a@127.0.0.1'), (4, 'a@[127.0.0.1]'),
	(4, 'a@[IPv6:::1]'), (4, 'a@b!c.org'), (4, 'a@b.org:25'), (4, 'a@' || repeat('b', 64) || '.org');

-- Rule 5: domains beyond ASCII.
INSERT INTO example (rule, input) VALUES
	(5, U&'a@b\00FCcher.example'), (5, U&'a@B\00DCCHER.example'), (5, U&'a@bu\0308cher.example'),
	(5, U&'a@fa\00DF.example'), (5, U&'a@FA\1E9E.example'), (5, U&'a@\043F\0440\0438\043C\0435\0440.\0440\0444'),
	(5, U&'a@\4F8B\5B50.\4E2D\56FD'), (5, U&'a@b\3002org'), (5, U&'a@\2665.example'), (5, U&'a@b\200Bc.example'),
	(5, U&'a@b\200Dc.example'), (5, U&'a@\05D0b.example'), (5, U&'a@b_\00FC.example'), (5, U&'a@\00FC-.example'),
	(5, U&'a@\00FC'), (5, U&'a@' || repeat(U&'\00FC', 64) || '.example');

-- Rule 6: the whole.
INSERT INTO example (rule, input) VALUES
	(6, repeat('a', 64) || '@' || repeat(repeat('b', 61) || '.', 3) || 'org'),
	(6, repeat('a', 64) || '@' || repeat(repeat('b', 61) || '.', 3) || 'orgx'),
	(6, 'a@' || repeat(repeat('b', 49) || '.', 5) || 'or'),
	(6, 'a@' || repeat(repeat('b', 49) || '.', 5) || 'orgg');

-- psql's versions do not agree on the width of invisible characters.
\pset format unaligned
SELECT rule, input, stored(input) FROM example WHERE octet_length(input) < 60 ORDER BY rule, n;
\pset format aligned
SELECT rule, octet_length(input), regexp_replace(stored(input), '(.)\1{5,}', '\1..', 'g') AS stored
FROM example WHERE octet_length(input) >= 60 ORDER BY rule, n;

-- Every way in takes the same addresses: literal, cast, try_email.
SELECT n FROM example
WHERE (contacts.try_email(input)::text IS DISTINCT FROM nullif(stored(input), '')) <> (stored(input) ~ '^(22P02|0A000)')
ORDER BY n;
-- What is stored re-enters unchanged.
SELECT e::text FROM (SELECT contacts.try_email(input) AS e FROM example) s
WHERE e IS NOT NULL AND (e::text::contacts.email)::text COLLATE "C" <> e::text ORDER BY 1;

-- Errors as a client sees them.
SELECT ''::contacts.email;
SELECT 'not an address'::contacts.email;
SELECT NULL::contacts.email IS NULL, contacts.try_email(NULL) IS NULL;

-- Stored in a table: by literal, text, varchar and char, each read back.
CREATE TABLE person (id int PRIMARY KEY, email contacts.email UNIQUE);
INSERT INTO person VALUES (1, 'One@Example.org');
PREPARE by_text(int, text) AS INSERT INTO person VALUES ($1, $2);
PREPARE by_varchar(int, varchar) AS INSERT INTO person VALUES ($1, $2);
PREPARE by_char(int, char(20)) AS INSERT INTO person VALUES ($1, $2);
EXECUTE by_text(2, 'Two@Example.org');
EXECUTE by_varchar(3, 'Three@Example.org');
EXECUTE by_char(4, 'Four@Example.org');
EXECUTE by_text(5, 'ONE@example.ORG');
EXECUTE by_varchar(5, 'none');
INSERT INTO person VALUES (5, 'one@EXAMPLE.org') ON CONFLICT (email) DO UPDATE SET id = 6;
SELECT * FROM person ORDER BY id;
COPY person FROM stdin;
7	Seven@Example.org
\.
COPY person FROM stdin;
8	SEVEN@example.org
\.
SELECT * FROM person ORDER BY id;

-- Functions of an address.
SELECT contacts.local_part(e), contacts.domain(e), contacts.display(e), contacts.mailbox_key(e)
FROM (VALUES (1, 'Ann.Lee+news@Gmail.com'::contacts.email), (2, 'a.n.n.lee@googlemail.com'), (3, 'Ann.Lee+news@example.org'),
	(4, '+a@example.org'), (5, U&'j\00FCrgen@b\00FCcher.example'), (6, 'x@xn--fa-hia.example'), (7, 'x@xn--a.example')) v(n, e)
ORDER BY n;
SELECT pg_typeof(contacts.local_part(e)), pg_typeof(contacts.domain(e)), pg_typeof(contacts.display(e)), pg_typeof(contacts.mailbox_key(e))
FROM (SELECT 'a@b.org'::contacts.email) v(e);

-- Soft errors: 16 has the functions to see them.
SELECT CASE WHEN current_setting('server_version_num')::int >= 160000
	THEN $$SELECT pg_input_is_valid('a@b.org', 'contacts.email') AS valid, pg_input_is_valid('none', 'contacts.email') AS invalid$$
	ELSE 'SELECT true AS valid, false AS invalid' END AS soft_errors
\gset
:soft_errors;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA email_test CASCADE;
DROP ROLE regress_email;
