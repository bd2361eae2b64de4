-- Merging: what a directory's own tables do.  Messages, topics that were left,
-- credentials, validations; and a table of a user that takes no two.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir merge_directory
\set ECHO none
\i :rules
\set ECHO all
RESET ROLE;
CREATE ROLE regress_contacts_merge_clerk;
CREATE ROLE regress_contacts_merge_porter;
SET ROLE regress_contacts_merge_directory;
SELECT contacts.grant_access('merge_directory', 'regress_contacts_merge_clerk', 'merge'),
	contacts.grant_access('merge_directory', 'regress_contacts_merge_porter', 'merge'),
	contacts.grant_access('merge_directory', 'regress_contacts_merge_porter', 'authenticate') \g /dev/null
CREATE TEMP VIEW queue AS
	SELECT id, contact_id AS contact, address, kind, state, error FROM email_message;
UPDATE setting SET is_texting_enabled = true;

-- C8: what waits goes to the survivor, unless it may not be sent to him; the
-- address stays that which it was queued for
INSERT INTO contact (id, first_name, last_name, email, mobile_phone) VALUES
	(1, 'Ann', 'Lee', 'a@x.org', '+49301234501'), (2, 'Ann', 'Lee', 'b@x.org', '+49301234501'),
	(3, 'Ann', 'Lee', 'c@x.org', NULL);
UPDATE contact SET email_status = 'opted_in' WHERE id <> 3;
INSERT INTO email_message (id, contact_id, kind, subject, body, idempotency_key) VALUES
	(101, 1, 'marketing', 's', 'b', 'spring'), (103, 2, 'marketing', 's', 'b', 'spring'), (105, 2, 'marketing', 's', 'b', NULL),
	(107, 2, 'transactional', 's', 'b', NULL), (109, 3, 'marketing', 's', 'b', NULL);
INSERT INTO sms_message (id, contact_id, kind, body) VALUES (102, 2, 'transactional', 'b');
SELECT contacts.merge_contacts('merge_directory', 1, '{2}') -> 'tables' -> 'merge_directory.email_message' AS messages;
SELECT * FROM queue ORDER BY id;
SELECT id, contact_id, address, state FROM sms_message;
SELECT * FROM contacts.check_directory('merge_directory');
-- a contact that was put aside gets nothing new
UPDATE contact SET archived_at = now() WHERE id = 1;
SELECT contacts.merge_contacts('merge_directory', 1, '{3}') -> 'tables' -> 'merge_directory.email_message' AS messages;
SELECT * FROM queue WHERE id = 109;
SELECT * FROM contacts.unmerge('merge_directory', 2);
SELECT * FROM contacts.unmerge('merge_directory', 1);
SELECT id, contact FROM queue ORDER BY id;
SELECT * FROM contacts.check_directory('merge_directory');

-- a topic that one of them left stays left, and is remembered by address
INSERT INTO contact (id, first_name, last_name, email) VALUES (4, 'Bo', 'Fox', 'd@x.org'), (5, 'Bo', 'Fox', 'e@x.org');
INSERT INTO subscription_topic (id, name) VALUES (1, 'news'), (2, 'offers');
SELECT subscribe(4, 'news'), subscribe(5, 'news'), unsubscribe_topic(5, 'news'), subscribe(5, 'offers') \g /dev/null
SELECT contacts.merge_contacts('merge_directory', 4, '{5}') -> 'tables' -> 'merge_directory.subscription' AS topics;
SELECT topic_id, state FROM subscription WHERE contact_id = 4 ORDER BY topic_id;
SELECT topic_id, contact_id, old_state, new_state FROM subscription_event ORDER BY id;
SELECT count(*) FROM topic_audience WHERE topic = 'news';
SELECT pg_temp.fails($$INSERT INTO email_message (contact_id, topic_id, kind, subject, body) VALUES (4, 1, 'marketing', 's', 'b')$$);
-- the address leaves the merged contact, and still knows
DELETE FROM contact WHERE id = 4;
INSERT INTO contact (id, first_name, last_name, email) VALUES (6, 'Bo', 'Fox', 'e@x.org');
SELECT pg_temp.fails($$INSERT INTO email_message (contact_id, topic_id, kind, subject, body) VALUES (6, 1, 'marketing', 's', 'b')$$);
SELECT * FROM contacts.check_directory('merge_directory');

-- a credential moves where there is none; else the survivor's stays
INSERT INTO contact (id, first_name, last_name, email) VALUES (10, 'Cy', 'Roe', 'f@x.org'), (11, 'Cy', 'Roe', 'g@x.org'), (12, 'Cy', 'Roe', 'h@x.org');
INSERT INTO credential (contact_id, verifier) VALUES (11, '$2b$12$' || repeat('a', 53)), (12, '$2b$12$' || repeat('b', 53));
-- who may merge and not authenticate meets what he may not
SET ROLE regress_contacts_merge_clerk;
SELECT pg_temp.fails($$SELECT contacts.merge_contacts('merge_directory', 10, '{11,12}')$$);
SELECT pg_temp.fails($$SELECT verifier FROM merge_journal$$);
SET ROLE regress_contacts_merge_porter;
SELECT contacts.merge_contacts('merge_directory', 10, '{11,12}', dry_run => true) -> 'tables' -> 'merge_directory.credential' AS credentials;
SELECT contacts.merge_contacts('merge_directory', 10, '{11,12}') -> 'tables' -> 'merge_directory.credential' AS credentials;
SELECT contact_id, right(verifier, 1) FROM credential;
RESET ROLE;
SET ROLE regress_contacts_merge_directory;
SELECT count(*) AS verifiers_in_images FROM merge_journal WHERE (before || coalesce(after, '{}'))::text LIKE '%$2b$%';
SET ROLE regress_contacts_merge_clerk;
SELECT pg_temp.fails($$SELECT contacts.unmerge('merge_directory', (SELECT max(id) FROM merge_history))$$);
SET ROLE regress_contacts_merge_porter;
SELECT * FROM contacts.unmerge('merge_directory', (SELECT max(id) FROM merge_history));
SELECT contact_id, right(verifier, 1) FROM credential ORDER BY 1;
-- a password that was changed since stays where it is
SELECT contacts.merge_contacts('merge_directory', 10, '{11}') ->> 'merge_id' AS merge_id \gset
UPDATE credential SET verifier = '$2b$12$' || repeat('c', 53) WHERE contact_id = 10;
SELECT * FROM contacts.unmerge('merge_directory', :merge_id);
SELECT contact_id, right(verifier, 1) FROM credential ORDER BY 1;

-- a number that both have, with codes under way: the loser's is void; who merges
-- needs no right on validation
SET ROLE regress_contacts_merge_directory;
INSERT INTO contact (id, first_name, last_name, mobile_phone) VALUES (20, 'Di', 'Sun', '+49301234520'), (21, 'Di', 'Sun', '+49301234520');
SELECT count(start_validation(id, 'otp')) AS codes FROM identifier WHERE contact_id IN (20, 21);
SET ROLE regress_contacts_merge_clerk;
SELECT contacts.merge_contacts('merge_directory', 20, '{21}') -> 'tables' -> 'merge_directory.identifier' AS numbers;
SET ROLE regress_contacts_merge_directory;
SELECT i.contact_id FROM validation v JOIN identifier i ON i.id = v.identifier_id;
SET ROLE regress_contacts_merge_clerk;
SELECT * FROM contacts.unmerge('merge_directory', (SELECT max(id) FROM merge_history));
SET ROLE regress_contacts_merge_directory;
SELECT contact_id, value FROM identifier WHERE contact_id IN (20, 21) ORDER BY 1;

-- an exclusion constraint has no two rows to make one of: refused as a whole
CREATE TABLE stay (contact_id bigint REFERENCES contact, during int4range, EXCLUDE USING gist (int8range(contact_id, contact_id, '[]') WITH &&, during WITH &&));
INSERT INTO stay VALUES (20, '[1,5)'), (21, '[4,8)'), (21, '[8,9)');
SELECT contacts.merge_contacts('merge_directory', 20, '{21}', dry_run => true) -> 'tables' -> 'merge_directory.stay' AS stays;
SELECT pg_temp.fails($$SELECT contacts.merge_contacts('merge_directory', 20, '{21}')$$);
SELECT contact_id, during FROM stay ORDER BY during;
UPDATE stay SET during = '[5,8)' WHERE during = '[4,8)';
SELECT contacts.merge_contacts('merge_directory', 20, '{21}') -> 'tables' -> 'merge_directory.stay' AS stays;
SELECT contact_id, during FROM stay ORDER BY during;

SELECT * FROM contacts.check_directory('merge_directory');
\set ECHO none
SET client_min_messages = warning;
SELECT contacts.drop_directory('merge_directory', cascade => true) \g /dev/null
RESET ROLE;
DROP OWNED BY regress_contacts_merge_directory, regress_contacts_merge_clerk, regress_contacts_merge_porter;
DROP ROLE regress_contacts_merge_directory, regress_contacts_merge_clerk, regress_contacts_merge_porter;
