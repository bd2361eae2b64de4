-- Row security of a directory: on, off, again, checked, mended, dropped; with whom it is shared
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir sharing_on
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_sharing_role;
CREATE ROLE regress_sharing_other;
GRANT USAGE ON SCHEMA sharing_on TO regress_sharing_role;
SET ROLE regress_contacts_sharing_on;
GRANT SELECT, INSERT, UPDATE, DELETE ON contact, identifier TO regress_sharing_role;
INSERT INTO contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org'), (2, 'Bob', 'b@x.org');
CREATE FUNCTION pg_temp.secured() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', c.relname, CASE WHEN c.relrowsecurity THEN 'on' ELSE 'off' END,
		string_agg(p.polname, ', ' ORDER BY p.polname))
	FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
	WHERE c.relnamespace = 'sharing_on'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname !~ '_message$|^subscription|^legal_hold' GROUP BY c.oid
	HAVING c.relrowsecurity OR count(p.oid) > 0 ORDER BY c.relname $$;

-- only the owner, only a directory
SET ROLE regress_sharing_role;
SELECT pg_temp.fails($$SELECT contacts.enable_row_security('sharing_on')$$);
SELECT pg_temp.fails($$SELECT contacts.disable_row_security('sharing_on')$$);
SET ROLE regress_contacts_sharing_on;
SELECT pg_temp.fails($$SELECT contacts.enable_row_security('public')$$);
SELECT pg_temp.fails($$SELECT contacts.enable_row_security('nowhere')$$);

-- off before, and a policy of the user's own
SELECT has_row_security FROM contacts.directory WHERE name = 'sharing_on';
SELECT pg_temp.secured();
CREATE POLICY own ON contact AS RESTRICTIVE USING (first_name <> 'Bob');
SELECT contacts.enable_row_security('sharing_on');
SELECT has_row_security FROM contacts.directory WHERE name = 'sharing_on';
SELECT * FROM contacts.check_directory('sharing_on');
SELECT contacts.share('sharing_on', 'regress_sharing_role', true);
SET ROLE regress_sharing_role;
SELECT id FROM contact;
SET ROLE regress_contacts_sharing_on;

-- a table that is added is missed, and taken in; other keys lead to contacts that are to be seen
CREATE TABLE note (id bigint PRIMARY KEY, contact_id bigint REFERENCES contact, about_id bigint REFERENCES contact, note text);
CREATE TABLE parted (contact_id bigint NOT NULL REFERENCES contact, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
CREATE TABLE other (contact bigint REFERENCES contact);
GRANT SELECT, INSERT, UPDATE ON note, parted, parted_1 TO regress_sharing_role;
SELECT rule, object, message FROM contacts.check_directory('sharing_on', deep => false) ORDER BY object;
SELECT contacts.enable_row_security('sharing_on');
SELECT * FROM contacts.check_directory('sharing_on');
SELECT pg_temp.secured();
SELECT pg_get_expr(polqual, polrelid) AS using, pg_get_expr(polwithcheck, polrelid) AS check FROM pg_policy WHERE polrelid = 'note'::regclass ORDER BY polname;
SELECT contacts.unshare('sharing_on', 'regress_sharing_role'), contacts.share('sharing_on', 1, 'regress_sharing_role', true);
INSERT INTO note VALUES (1, 1, NULL, 'a'), (2, 1, 2, 'b'), (3, 2, 1, 'c'), (4, NULL, NULL, 'd');
INSERT INTO parted VALUES (1, '2024-01-01'), (2, '2024-01-01');
SET ROLE regress_sharing_role;
SELECT id FROM note ORDER BY id;
SELECT * FROM parted;
SELECT * FROM parted_1;
INSERT INTO note VALUES (5, 1, 1, 'e') RETURNING id;
INSERT INTO note VALUES (6, NULL, NULL, 'f') RETURNING id;
INSERT INTO parted VALUES (1, '2024-01-02') RETURNING at;
SELECT pg_temp.fails('INSERT INTO note VALUES (7, 1, 2)');
SELECT pg_temp.fails('UPDATE note SET about_id = 2');
SELECT pg_temp.fails('INSERT INTO parted VALUES (2, now())');
UPDATE note SET contact_id = NULL WHERE id = 5;
SELECT id FROM note ORDER BY id;
SET ROLE regress_contacts_sharing_on;
SELECT id, contact_id FROM note ORDER BY id;

-- altered, disabled, dropped: found and mended
ALTER POLICY contacts_select ON contact USING (true);
ALTER POLICY contacts_update ON identifier TO regress_sharing_role;
DROP POLICY contacts_delete ON relationship;
ALTER TABLE contact_share DISABLE ROW LEVEL SECURITY;
SELECT rule, object, message FROM contacts.check_directory('sharing_on') ORDER BY object;
SELECT * FROM contacts.repair_directory('sharing_on');
SELECT * FROM contacts.check_directory('sharing_on');

-- off: exactly what was put on, and on again with the shares that are there
SELECT contacts.disable_row_security('sharing_on');
SELECT pg_temp.secured();
SELECT has_row_security FROM contacts.directory WHERE name = 'sharing_on';
SET ROLE regress_sharing_role;
SELECT count(*) FROM identifier WHERE contact_id = 2;
SET ROLE regress_contacts_sharing_on;
INSERT INTO contact (id, first_name) VALUES (3, 'Cay');
SELECT count(*) FROM contact_share;
SELECT contacts.disable_row_security('sharing_on');
DROP POLICY own ON contact;
SELECT contacts.enable_row_security('sharing_on');
SET ROLE regress_sharing_role;
SELECT id FROM contact;
SET ROLE regress_contacts_sharing_on;

-- sharing: what is not there
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 1, 'regress_sharing_nobody')$$);
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 'regress_sharing_nobody')$$);
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 99, 'regress_sharing_role')$$);
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 'contact', 99, 'regress_sharing_role')$$);
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 'organization', 99, 'regress_sharing_role')$$);
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 'organization', '00000000-0000-0000-0000-000000000001'::uuid, 'regress_sharing_role')$$);
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 'nothing', 1, 'regress_sharing_role')$$);
SELECT pg_temp.fails($$SELECT contacts.share('nowhere', 1, 'regress_sharing_role')$$);
\set VERBOSITY terse
INSERT INTO record_share (object_type_id, record_id, role) VALUES (1, 1, 'x');
INSERT INTO record_share (object_type_id, role) VALUES (2, 'x');
\set VERBOSITY default
SELECT contacts.unshare('sharing_on', 99, 'regress_sharing_nobody'), contacts.unshare('sharing_on', 'nothing', 1, 'x'),
	contacts.share('sharing_on', 1, NULL) IS NULL AS nothing;
SET ROLE regress_sharing_role;
SELECT pg_temp.fails($$SELECT contacts.share('sharing_on', 1, 'regress_sharing_other')$$);
SELECT pg_temp.fails($$SELECT contacts.unshare('sharing_on', 1, 'regress_sharing_role')$$);
-- the functions of the policies, called with anything
SELECT contacts.may_see('contact', NULL), contacts.may_edit(NULL, 1), contacts.is_new_contact('contact', 1), contacts.may_see_key('contact', NULL);
SELECT pg_temp.fails($$SELECT contacts.may_see('pg_class', 1)$$);
SELECT pg_temp.fails($$SELECT contacts.may_see(1, 1)$$);
SELECT pg_temp.fails($$SELECT contacts.is_new_contact('pg_class', 1)$$);
SET ROLE regress_contacts_sharing_on;
SELECT contacts.may_see('contact', 1), contacts.may_edit('contact', 2); -- no row security for the owner
-- unless he wants it
ALTER TABLE contact FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM contact;
INSERT INTO contact (id, first_name) VALUES (4, 'Dan') RETURNING id;
SELECT id FROM contact;
ALTER TABLE contact NO FORCE ROW LEVEL SECURITY;
-- a role of the same name sees what the name sees; a role that is not there, nothing
INSERT INTO contact_share (contact_id, role) VALUES (2, 'regress_sharing_late');
RESET ROLE;
CREATE ROLE regress_sharing_late;
GRANT regress_sharing_late TO regress_sharing_role;
SET ROLE regress_sharing_role;
SELECT id FROM contact ORDER BY id;
RESET ROLE;
ALTER ROLE regress_sharing_late RENAME TO regress_sharing_later;
SET ROLE regress_sharing_role;
SELECT id FROM contact ORDER BY id;
SET ROLE regress_contacts_sharing_on;

-- a directory under row security is renamed, detached and dropped as any
SELECT contacts.rename_directory('sharing_on', $$sharing's \ on$$);
SELECT * FROM contacts.check_directory($$sharing's \ on$$, deep => false);
SET ROLE regress_sharing_role;
SELECT id FROM "sharing's \ on".contact;
RESET ROLE;
SET ROLE regress_contacts_sharing_on;
SELECT contacts.rename_directory($$sharing's \ on$$, 'sharing_on');
SET client_min_messages = warning;
DROP TABLE note, parted, other;
DROP VIEW person, held, log;
RESET client_min_messages;
DELETE FROM contact;
BEGIN;
SELECT contacts.drop_directory('sharing_on');
SELECT count(*) FROM pg_namespace WHERE nspname = 'sharing_on';
ROLLBACK;
INSERT INTO contact (first_name) VALUES ('Left');
SELECT contacts.detach_directory('sharing_on');
SELECT pg_temp.secured() LIMIT 2;
SELECT first_name FROM contact;
SET ROLE regress_sharing_role;
SELECT first_name FROM contact;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA sharing_on CASCADE;
DROP OWNED BY regress_sharing_role, regress_sharing_other, regress_sharing_later, regress_contacts_sharing_on;
DROP ROLE regress_sharing_role, regress_sharing_other, regress_sharing_later, regress_contacts_sharing_on;
