-- How names are compared, and with whose rights
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir duplicates_names
\set ECHO none
\i :rules
\set ECHO all

SELECT name, contacts.folded_name(name), contacts.folded_name(name, true) AS with_marks
FROM unnest('{"Jürgen  MÜLLER",O''Brien,Jean-Luc,J.R.,Straße,Łódź,"Björn Ødegård",ΆΝΝΑ,"  ",山田,"İbrahim DİLEK"}'::text[]) WITH ORDINALITY n (name, i) ORDER BY i;
SELECT a, b, round(contacts.name_similarity(a, b)::numeric, 3) AS alike
FROM (VALUES (1, 'anna arp', 'anna arp'), (2, 'anna arp', 'arp anna'), (3, 'catherine', 'katherine'), (4, 'müller', 'muller'), (5, 'bob', 'xyz'), (6, '', ''), (7, '', 'a')) v (i, a, b)
ORDER BY i;

-- pg_trgm, where it is installed, in whatever schema; a function of the same
-- name in front of it is not taken
INSERT INTO contact (id, first_name, last_name, email) VALUES
	(1, 'Catherine', 'Fischer', 'a@x.org'), (2, 'Katherine', 'Fisher', 'b@x.org');
SELECT contacts.similarity_function();
SELECT * FROM contacts.find_duplicates('duplicates_names');
CREATE FUNCTION similarity(text, text) RETURNS real LANGUAGE sql IMMUTABLE AS 'SELECT 0::real';
CREATE FUNCTION pg_temp.similarity(text, text) RETURNS real LANGUAGE sql IMMUTABLE AS 'SELECT 0::real';
SELECT contacts.similarity_function();
RESET ROLE;
SELECT count(*) > 0 AS has_trgm FROM pg_available_extensions WHERE name = 'pg_trgm' \gset
\if :has_trgm
CREATE SCHEMA "regress trgm";
CREATE EXTENSION pg_trgm SCHEMA "regress trgm";
SET ROLE regress_contacts_duplicates_names;
SELECT contacts.similarity_function();
RESET ROLE;
GRANT USAGE ON SCHEMA "regress trgm" TO PUBLIC;
SET ROLE regress_contacts_duplicates_names;
SELECT contacts.similarity_function();
SELECT contact_id, other_id, reasons, score > 0 AS has_score FROM contacts.find_duplicates('duplicates_names');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA "regress trgm" CASCADE;
RESET client_min_messages;
\endif
SET ROLE regress_contacts_duplicates_names;
DROP FUNCTION similarity(text, text);

-- the caller's rights: rows that are hidden are in no pair
RESET ROLE;
CREATE ROLE regress_contacts_duplicates_reader;
SET ROLE regress_contacts_duplicates_names;
SELECT contacts.enable_row_security('duplicates_names');
INSERT INTO contact (id, first_name, last_name, email) VALUES (3, 'Catherine', 'Fischer', 'c@x.org');
SET ROLE regress_contacts_duplicates_reader;
SELECT pg_temp.fails($$SELECT contacts.find_duplicates('duplicates_names')$$);
RESET ROLE;
SET ROLE regress_contacts_duplicates_names;
SELECT contacts.grant_access('duplicates_names', 'regress_contacts_duplicates_reader', 'view');
SELECT contacts.share('duplicates_names', 1, 'regress_contacts_duplicates_reader');
SELECT contacts.share('duplicates_names', 2, 'regress_contacts_duplicates_reader');
SET ROLE regress_contacts_duplicates_reader;
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_names') ORDER BY 1, 2;
SELECT pg_temp.fails($$SELECT contacts.suggest_duplicates('duplicates_names')$$);
SELECT pg_temp.fails($$SELECT dismiss_duplicate(1, 2)$$);
RESET ROLE;
SET ROLE regress_contacts_duplicates_names;
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_names') ORDER BY 1, 2;

SELECT contacts.drop_directory('duplicates_names', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_duplicates_names, regress_contacts_duplicates_reader;
DROP ROLE regress_contacts_duplicates_names, regress_contacts_duplicates_reader;
