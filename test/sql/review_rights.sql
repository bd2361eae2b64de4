-- A right on one table of a directory is none on another.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir review_rights
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_reader;
GRANT USAGE ON SCHEMA review_rights TO regress_contacts_reader;
GRANT ALL ON contact, consent_event TO regress_contacts_reader;
SET ROLE regress_contacts_reader;
-- keys are for those who may read identifier.key, whatever table they name
SELECT contacts.address_key('contact', 'a@x.org');
SELECT contacts.address_key('consent_event', 'a@x.org');
SELECT contacts.address_key('identifier', 'a@x.org');
SELECT contacts.identifier_key('review_rights', 'email', 'a@x.org');
-- one NULL is no contact
SELECT contacts.only_contact('{NULL}') IS NULL AS is_null, contacts.only_contact('{7}');
-- likewise those who promote, lock and change consent
SELECT contacts.promote_identifier('contact', 1);
SELECT contacts.lock_holder('contact', 1);
SELECT contacts.change_consent('contact', '{a@x.org}', 'suppressed', 'manual');
SELECT contacts.change_consent('identifier', '{a@x.org}', 'suppressed', 'manual');
SELECT contacts.set_exclusive('review_rights', 'phone', true);
-- without a right, and with the right
SELECT contacts.promote_identifier('identifier', 1);
SELECT contacts.lock_holder('identifier', 1);
RESET ROLE;
GRANT SELECT (key), UPDATE (slug) ON identifier TO regress_contacts_reader;
SET ROLE regress_contacts_reader;
SELECT contacts.address_key('identifier', 'a@x.org') = contacts.identifier_key('review_rights', 'email', 'a@x.org') AS is_same;
SELECT contacts.promote_identifier('identifier', 1);

RESET ROLE;
DROP OWNED BY regress_contacts_reader;
DROP ROLE regress_contacts_reader;
SET client_min_messages = warning;
SELECT contacts.drop_directory('review_rights', cascade => true);
DROP OWNED BY regress_contacts_review_rights;
DROP ROLE regress_contacts_review_rights;
