-- Databases that are not UTF8 take ASCII addresses only (rule 6)
CREATE DATABASE regress_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
SELECT current_database() AS home
\gset

\c regress_latin1
SET client_encoding = UTF8;
CREATE EXTENSION contacts;
SELECT 'Ann@Example.org'::contacts.email;
SELECT contacts.display('ann@xn--bcher-kva.example');
SELECT contacts.try_email(chr(252) || '@example.org') IS NULL AS not_taken;
DO $$ BEGIN PERFORM (chr(252) || '@example.org')::contacts.email; END $$;
\set VERBOSITY sqlstate
DO $$ BEGIN PERFORM ('a@' || chr(252) || '.example')::contacts.email; END $$;
\set VERBOSITY default
SELECT 'ann@example.org'::contacts.email = chr(252) || '@example.org' AS equal, 'ann@example.org'::contacts.email < chr(252) AS less;

\c regress_ascii
\set VERBOSITY sqlstate
CREATE EXTENSION contacts;
SELECT 'Ann@Example.org'::contacts.email;
DO $$ BEGIN PERFORM (chr(252) || '@example.org')::contacts.email; END $$;
SELECT 'ann@example.org'::contacts.email = (chr(252) || '@example.org')::text AS equal;

\c :home
DROP DATABASE regress_latin1;
DROP DATABASE regress_ascii;
