-- Who may merge: the caller's rights and row security.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir merge_rights
\set ECHO none
\i :rules
\set ECHO all
RESET ROLE;
CREATE ROLE regress_contacts_merger;
SET ROLE regress_contacts_merge_rights;
SELECT contacts.grant_access('merge_rights', 'regress_contacts_merger', 'edit');
INSERT INTO contact (id, first_name, last_name, email) VALUES
	(1, 'Ann', 'Lee', 'a@x.org'), (2, 'Ann', 'Lee', 'b@x.org'), (3, 'Bea', 'Fox', 'c@x.org'), (4, 'Cid', 'Roe', 'd@x.org');
INSERT INTO legal_hold (contact_id, reason) VALUES (2, 'case');
CREATE TABLE note (id integer PRIMARY KEY, contact_id bigint REFERENCES contact ON DELETE CASCADE, said text);
INSERT INTO note VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z');
SET ROLE regress_contacts_merger;
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_rights', 1, '{2}')$$);
RESET ROLE;
SET ROLE regress_contacts_merge_rights;
SELECT contacts.grant_access('merge_rights', 'regress_contacts_merger', 'merge');
SET ROLE regress_contacts_merger;
-- a table without the right is named; one that nothing moves in needs none
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_rights', 1, '{2}')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_rights', 1, '{3}')$$);
SELECT contacts.merge_contacts('merge_rights', 1, '{4}') -> 'tables' AS tables;
SET ROLE regress_contacts_merge_rights;
GRANT SELECT, UPDATE ON note TO regress_contacts_merger;
-- the hold follows
SET ROLE regress_contacts_merger;
SELECT contacts.merge_contacts('merge_rights', 1, '{2}') -> 'tables' -> 'merge_rights.legal_hold' AS hold;
SELECT contact_id FROM legal_hold;
SELECT * FROM contacts.unmerge('merge_rights', (SELECT max(id) FROM merge_history));
SELECT contact_id FROM legal_hold;
SELECT id, email FROM contact ORDER BY id;

-- row security: rows that cannot be seen are not left behind
SET ROLE regress_contacts_merge_rights;
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY loud ON note USING (said <> 'y');
SET ROLE regress_contacts_merger;
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_rights', 1, '{2}')$$);
SELECT contacts.merge_contacts('merge_rights', 1, '{3}') -> 'tables' -> 'merge_rights.note' AS note;
SET ROLE regress_contacts_merge_rights;
SELECT * FROM note ORDER BY id;
ALTER TABLE note DISABLE ROW LEVEL SECURITY;
SELECT contacts.enable_row_security('merge_rights');
SET ROLE regress_contacts_merger;
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_rights', 1, '{2}')$$);
SET ROLE regress_contacts_merge_rights;
INSERT INTO contact_share (contact_id, role, may_edit) VALUES (1, 'regress_contacts_merger', true), (2, 'regress_contacts_merger', true);
SET ROLE regress_contacts_merger;
SELECT contacts.merge_contacts('merge_rights', 1, '{2}') ->> 'survivor_id' AS survivor;
SELECT id FROM contact;
SELECT * FROM contacts.unmerge('merge_rights', (SELECT max(id) FROM merge_history));
SET ROLE regress_contacts_merge_rights;
SELECT contact_id, role, may_edit FROM contact_share ORDER BY 1, 2;
SELECT * FROM contacts.check_directory('merge_rights');

SET client_min_messages = warning;
SELECT contacts.drop_directory('merge_rights', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_merge_rights, regress_contacts_merger;
DROP ROLE regress_contacts_merge_rights, regress_contacts_merger;
