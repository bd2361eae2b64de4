-- Ghosts that nobody will miss are deleted
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir ghosts
\set ECHO none
\i :rules
-- What a ghost is kept for is its first name; those without one go.
CREATE FUNCTION pg_temp.ghost(id bigint, why text DEFAULT NULL, age interval DEFAULT '1 year') RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO contact (id, first_name, created_at) VALUES ($1, $2, now() - $3);
	INSERT INTO identifier (contact_id, semantic_type, value) VALUES ($1, 'anonymous', 'token ' || $1);
END;
-- What a cleanup says and leaves.
CREATE TEMP VIEW left_over AS SELECT id, first_name AS why, contact_type AS type FROM contact ORDER BY id;
\set ECHO all
CREATE TABLE flag (id bigint PRIMARY KEY, contact_id bigint REFERENCES contact (id) ON DELETE CASCADE);
ALTER TABLE contact ADD CONSTRAINT id_and_type UNIQUE (id, contact_type);
CREATE TABLE visit (a text, b bigint, kind text, FOREIGN KEY (b, kind) REFERENCES contact (id, contact_type) ON DELETE SET NULL) PARTITION BY LIST (a);
CREATE TABLE visit_x PARTITION OF visit FOR VALUES IN ('x');
CREATE SCHEMA ghosts_elsewhere;
CREATE TABLE note (whose bigint);
SELECT contacts.register_reference('ghosts', 'note', 'whose');
CREATE TABLE ghosts_elsewhere.letter (email contacts.email REFERENCES contact (email) ON DELETE SET NULL);
\set ECHO none
SELECT pg_temp.ghost(n) FROM generate_series(1, 5) n;
SELECT pg_temp.ghost(6, 'young', '89 days'), pg_temp.ghost(7, 'seen'), pg_temp.ghost(8, 'touched'), pg_temp.ghost(9, 'opted in'),
	pg_temp.ghost(10, 'left'), pg_temp.ghost(11, 'state of a number'), pg_temp.ghost(12, 'state without address'),
	pg_temp.ghost(13, 'message'), pg_temp.ghost(14, 'message to the address'), pg_temp.ghost(15, 'open validation'),
	pg_temp.ghost(16, 'relation'), pg_temp.ghost(17, 'relation, too'), pg_temp.ghost(18, 'hold'), pg_temp.ghost(19, 'flag'),
	pg_temp.ghost(20, 'visit'), pg_temp.ghost(21, 'letter'), pg_temp.ghost(22, 'topic'), pg_temp.ghost(23), pg_temp.ghost(24, 'lead'),
	pg_temp.ghost(25, 'vendor'), pg_temp.ghost(26, 'text'), pg_temp.ghost(27, 'note');
\set ECHO all
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (9, 'email', 'i@x.org'), (10, 'email', 'j@x.org'), (11, 'phone', '+49301234500'),
	(12, 'email', 'l@x.org'), (13, 'email', 'm@x.org'), (14, 'email', 'n@x.org'), (15, 'email', 'o@x.org'), (21, 'email', 'u@x.org'),
	(23, 'email', 'w@x.org'), (24, 'email', 'x@x.org'), (26, 'phone', '+49301234501');
SELECT opt_in('i@x.org', '{}'), unsubscribe('j@x.org'), unsubscribe('+49301234500'), unsubscribe('l@x.org');
UPDATE contact SET email = NULL WHERE id = 12;
SELECT queue_email(13, 'Hello', 'hello') IS NOT NULL AS queued;
INSERT INTO email_message (contact_id, address, state) VALUES (NULL, 'n@x.org', 'sent'), (NULL, 'somebody@x.org', 'sent');
UPDATE setting SET is_texting_enabled = true;
SELECT queue_sms(26, 'Hello') IS NOT NULL AS queued;
SELECT length(start_validation(i.id, 'otp')) FROM identifier i WHERE i.value IN ('o@x.org', 'w@x.org') ORDER BY i.id;
UPDATE validation SET expires_at = now() WHERE identifier_id = (SELECT id FROM identifier WHERE value = 'w@x.org');
SELECT relate('sibling', 16, 17) IS NOT NULL AS related;
INSERT INTO legal_hold (contact_id, reason) VALUES (18, 'case');
INSERT INTO flag VALUES (1, 19), (2, NULL);
INSERT INTO note VALUES (27), (NULL);
INSERT INTO visit VALUES ('x', 20, 'ghost'), ('x', NULL, 'ghost');
INSERT INTO ghosts_elsewhere.letter VALUES ('u@x.org');
INSERT INTO subscription_topic (id, name) VALUES (1, 'news');
INSERT INTO subscription (contact_id, topic_id) VALUES (22, 1);
UPDATE contact SET last_name = 'Lead' WHERE id = 24;
UPDATE contact SET is_vendor = true WHERE id = 25;
-- a year passes
RESET ROLE;
SET session_replication_role = replica;
UPDATE ghosts.contact SET updated_at = created_at;
UPDATE ghosts.contact SET last_seen_at = now() WHERE id = 7;
UPDATE ghosts.contact SET updated_at = now() WHERE id = 8;
RESET session_replication_role;
SET ROLE regress_contacts_ghosts;
SELECT id, contact_type FROM contact WHERE contact_type <> 'ghost' ORDER BY id;

\set VERBOSITY sqlstate
-- in one transaction it cannot commit
BEGIN;
CALL cleanup_ghosts();
ROLLBACK;
SELECT * FROM pg_temp.fails('CALL cleanup_ghosts()');
-- nonsense
CALL cleanup_ghosts(batch => 0);
CALL cleanup_ghosts(older_than => '-1 day');
SELECT count(*) FROM contact;

-- names in the caller's search_path are not looked at
CREATE SCHEMA ghosts_trap;
CREATE FUNCTION ghosts_trap.trap(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR ghosts_trap.+ (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = ghosts_trap.trap);
CREATE TEMP TABLE contact (id bigint);
SET search_path = ghosts_trap, pg_catalog, ghosts;
-- batches of two: those that are kept do not stop it
CALL ghosts.cleanup_ghosts(batch => 2);
DROP TABLE pg_temp.contact;
SET search_path = ghosts;
DROP SCHEMA ghosts_trap CASCADE;
SELECT * FROM left_over;
SELECT contact_id, value FROM identifier WHERE contact_id IS NULL OR contact_id < 6 ORDER BY value;
SELECT count(*) AS flags FROM flag;
-- again, it finds nothing to do
CALL cleanup_ghosts();
-- younger ones, too; what no longer refers to anybody
DELETE FROM flag;
DELETE FROM visit;
CALL cleanup_ghosts(older_than => '80 days');
SELECT id, why FROM left_over WHERE id IN (6, 7, 19, 20);
UPDATE setting SET ghost_retention = '0';
CALL cleanup_ghosts();
SELECT * FROM left_over;
SELECT * FROM pg_temp.fails($$UPDATE setting SET ghost_retention = '-1 s'$$) f WHERE f NOT LIKE 'DETAIL%';

\set VERBOSITY default
-- in another isolation level, and after a rename
SET default_transaction_isolation = 'repeatable read';
SELECT pg_temp.ghost(30);
CALL cleanup_ghosts();
RESET default_transaction_isolation;
SELECT pg_temp.ghost(31);
SELECT contacts.rename_directory('ghosts', 'ghosts_renamed');
CALL ghosts_renamed.cleanup_ghosts();
SELECT contacts.rename_directory('ghosts_renamed', 'ghosts');
SELECT count(*) FROM contact WHERE id > 29;

-- who may: administer
RESET ROLE;
CREATE ROLE regress_ghosts_administer;
CREATE ROLE regress_ghosts_edit;
SET ROLE regress_contacts_ghosts;
SELECT contacts.grant_access('ghosts', 'regress_ghosts_administer', 'administer'), contacts.grant_access('ghosts', 'regress_ghosts_edit', 'edit');
SELECT pg_temp.ghost(40);
SET ROLE regress_ghosts_edit;
\set VERBOSITY sqlstate
CALL cleanup_ghosts();
SET ROLE regress_ghosts_administer;
-- only if one may see what refers to contacts
CALL cleanup_ghosts();
SET ROLE regress_contacts_ghosts;
GRANT SELECT ON flag, visit, note TO regress_ghosts_administer;
GRANT USAGE ON SCHEMA ghosts_elsewhere TO regress_ghosts_administer;
GRANT SELECT ON ghosts_elsewhere.letter TO regress_ghosts_administer;
SET ROLE regress_ghosts_administer;
CALL cleanup_ghosts();
SET ROLE regress_contacts_ghosts;
SELECT count(*) FROM contact WHERE id = 40;

-- what the directory keeps about merging and sharing a ghost goes with it; what a
-- user's table has about its identifiers keeps it
CREATE TABLE login (identifier_id bigint REFERENCES identifier ON DELETE CASCADE);
SELECT pg_temp.ghost(n) FROM generate_series(50, 54) n;
INSERT INTO identifier (contact_id, semantic_type, value) SELECT n, 'anonymous', 'login ' || n FROM generate_series(50, 54) n;
SELECT outcome FROM identify('{"anonymous": ["login 50", "login 51"]}');
SELECT dismiss_duplicate(52, 53);
INSERT INTO contact_share (contact_id, role) VALUES (53, 'regress_ghosts_edit');
INSERT INTO login SELECT i.id FROM identifier i WHERE i.contact_id = 54;
UPDATE contact SET last_seen_at = now() - interval '1 year' WHERE id BETWEEN 50 AND 54;
CALL cleanup_ghosts('0');
SELECT id FROM contact WHERE id BETWEEN 50 AND 54 ORDER BY id;
SELECT count(*) FROM contact_alias;
\set VERBOSITY terse
CALL cleanup_ghosts(contact => NULL);
\set VERBOSITY default

SELECT * FROM contacts.check_directory('ghosts');
SET client_min_messages = warning;
SELECT contacts.unregister_reference('ghosts', 'note', 'whose');
DROP TABLE flag, visit, note, login;
DROP SCHEMA ghosts_elsewhere CASCADE;
SELECT contacts.drop_directory('ghosts', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_ghosts, regress_ghosts_administer, regress_ghosts_edit;
DROP ROLE regress_contacts_ghosts, regress_ghosts_administer, regress_ghosts_edit;
