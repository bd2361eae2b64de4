-- A contact under a legal hold is neither erased nor deleted, by whatever way
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir privacy_hold
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, last_name, email) VALUES (1, 'Ada', 'One', 'a@x.org'), (2, 'Bob', 'Two', 'b@x.org'), (3, 'Cyd', 'Three', 'c@x.org');
SELECT suppress('b@x.org');
INSERT INTO legal_hold (contact_id, reason) VALUES (2, 'case 17'), (2, 'tax');
SELECT contact_id, reason, replace(role, 'regress_contacts_', '') AS role, created_at = now() AS is_now FROM legal_hold ORDER BY id;

SELECT * FROM pg_temp.fails('SELECT erase_person(2)');
SELECT * FROM pg_temp.fails('DELETE FROM contact WHERE id = 2');
SELECT * FROM pg_temp.fails('DELETE FROM contact');
SELECT * FROM pg_temp.fails($$MERGE INTO contact c USING (VALUES (2)) v (id) ON c.id = v.id WHEN MATCHED THEN DELETE$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$WITH gone AS (DELETE FROM contact RETURNING id) SELECT count(*) FROM gone$$) LIMIT 2;
SET client_min_messages = warning;
SELECT * FROM pg_temp.fails('TRUNCATE contact CASCADE') LIMIT 2;
RESET client_min_messages;
SELECT * FROM pg_temp.fails('TRUNCATE legal_hold');
SELECT * FROM pg_temp.fails('UPDATE contact SET id = 4 WHERE id = 2') LIMIT 1;
-- cascades of others meet it, too
CREATE TABLE household (id bigint PRIMARY KEY);
ALTER TABLE contact ADD household_id bigint REFERENCES household ON DELETE CASCADE;
INSERT INTO household VALUES (1);
UPDATE contact SET household_id = 1;
SELECT * FROM pg_temp.fails('DELETE FROM household') LIMIT 2;
-- whoever enters a hold must be able to name somebody
SELECT * FROM pg_temp.fails($$INSERT INTO legal_hold (contact_id, reason) VALUES (99, 'nobody')$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO legal_hold (contact_id) VALUES (1)$$) LIMIT 1;
-- others go
DELETE FROM contact WHERE id = 1;
SELECT erase_person(3) -> 'contact' AS contacts;
SELECT id FROM contact;
-- what a hold does not do: values may change
UPDATE contact SET last_name = NULL, email = NULL WHERE id = 2;
SELECT id, first_name, last_name, email FROM contact;
-- a hold of several ends, and the contact stays; the last one ends
DELETE FROM legal_hold WHERE reason = 'tax';
SELECT * FROM pg_temp.fails('SELECT erase_person(2)') LIMIT 2;
DELETE FROM legal_hold;
SELECT erase_person(2) -> 'legal_hold' AS holds;
SELECT id FROM contact;
TRUNCATE legal_hold;

-- a logical subscriber takes deletions as they come, but truncates no holds
INSERT INTO contact (id, first_name) VALUES (5, 'Eve');
INSERT INTO legal_hold (contact_id, reason) VALUES (5, 'case 18');
RESET ROLE;
SET session_replication_role = replica;
SELECT * FROM pg_temp.fails('TRUNCATE privacy_hold.legal_hold') LIMIT 1;
DELETE FROM privacy_hold.contact;
DELETE FROM privacy_hold.legal_hold;
RESET session_replication_role;
SET ROLE regress_contacts_privacy_hold;
SELECT * FROM contacts.check_directory('privacy_hold');
SELECT contacts.drop_directory('privacy_hold', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_privacy_hold;
DROP ROLE regress_contacts_privacy_hold;
