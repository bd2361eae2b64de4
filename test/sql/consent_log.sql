-- C5: consent_event is an append-only log of every change
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_log
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_consent_log_clerk;
GRANT USAGE ON SCHEMA consent_log TO regress_contacts_consent_log_clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON consent_log.contact, consent_log.identifier TO regress_contacts_consent_log_clerk;
SET ROLE regress_contacts_consent_log;
-- what the last statements have logged
CREATE TEMP TABLE seen (id bigint);
CREATE FUNCTION pg_temp.news() RETURNS SETOF log LANGUAGE sql AS $$
	WITH now_seen AS (INSERT INTO pg_temp.seen SELECT max(id) FROM log RETURNING 1)
	SELECT log.* FROM pg_temp.log, now_seen WHERE id > coalesce((SELECT max(s.id) FROM pg_temp.seen s), 0) ORDER BY log.id $$;

-- C5: each change exactly one event, by every way
INSERT INTO contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org'), (2, 'Bob', 'b@x.org'), (3, 'Cyd', 'c@x.org');
ALTER TABLE contact ALTER id RESTART WITH 100;
SELECT count(*) FROM consent_event; -- not_opted_in is no event
UPDATE contact SET email_status = 'opted_in' WHERE id = 1;
SELECT * FROM pg_temp.news();
UPDATE identifier SET status = 'not_opted_in' WHERE value = 'a@x.org';
SELECT * FROM pg_temp.news();
UPDATE identifier SET status = 'unsubscribed', status_reason = 'complaint' WHERE value = 'a@x.org';
SELECT * FROM pg_temp.news();
UPDATE contact SET email_status = 'unsubscribed' WHERE id = 1; -- no change
UPDATE identifier SET status = status, status_reason = 'manual' WHERE value = 'a@x.org';
SELECT * FROM pg_temp.news();
SELECT opt_in('a@x.org', '{"form": 1}');
SELECT * FROM pg_temp.news();
SELECT unsubscribe('a@x.org', source => 'footer link');
SELECT * FROM pg_temp.news();
SELECT suppress('a@x.org', 'complaint', 'feedback loop');
SELECT * FROM pg_temp.news();
SELECT suppress('A@X.org', 'bounce', 'mail server'); -- said again: logged, with the state that stays
SELECT * FROM pg_temp.news();
SELECT suppress_many('{b@x.org,B@X.ORG,+49301234500,d@x.org,NULL}', 'screening', 'list');
SELECT value, old, new, reason, source, evidence, role, is_now FROM pg_temp.news() ORDER BY value;
INSERT INTO contact (id, email, email_status) VALUES (4, 'e@x.org', 'opted_in'), (5, 'f@x.org', 'unsubscribed'), (6, 'g@x.org', 'suppressed');
SELECT value, old, new, reason, source, evidence, role, is_now FROM pg_temp.news() ORDER BY value;
COPY contact (id, email, email_status) FROM stdin;
7	h@x.org	opted_in
8	i@x.org	not_opted_in
\.
SELECT * FROM pg_temp.news();
INSERT INTO identifier (contact_id, semantic_type, slug, value, status, status_reason, source) VALUES
	(7, 'email', 'work', 'j@x.org', 'opted_in', 'own_wish', 'fair'), (NULL, 'email', NULL, 'k@x.org', 'suppressed', 'bounce', 'old list');
SELECT value, old, new, reason, source, evidence, role, is_now FROM pg_temp.news() ORDER BY value;
-- moves of identifiers and contacts change no state; a released opt-in ends
UPDATE identifier SET contact_id = 8, slug = 'personal' WHERE value = 'j@x.org';
SELECT set_main(id) FROM identifier WHERE value = 'j@x.org';
UPDATE contact SET first_name = 'x', mobile_phone = '+49301234501' WHERE id = 8;
DELETE FROM contact WHERE id IN (5, 6);
INSERT INTO contact (id, email) VALUES (5, 'f@x.org'), (6, 'g@x.org');
SELECT * FROM pg_temp.news();
DELETE FROM contact WHERE id = 4;
SELECT * FROM pg_temp.news();
UPDATE contact SET email = 'l@x.org' WHERE id = 7;
SELECT * FROM pg_temp.news();
UPDATE contact SET email = 'm@x.org', email_status = 'opted_in' WHERE id = 3;
SELECT * FROM pg_temp.news();
DELETE FROM identifier WHERE contact_id = 3;
SELECT * FROM pg_temp.news();
-- C4 takes a wish to the new address
UPDATE contact SET email = 'n@x.org' WHERE id = 5;
SELECT * FROM pg_temp.news();
-- an upsert and a MERGE
INSERT INTO contact (email, email_status) VALUES ('c@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = 'unsubscribed';
INSERT INTO contact (email, email_status) VALUES ('c@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = 'unsubscribed';
MERGE INTO contact c USING (VALUES ('c@x.org'), ('p@x.org')) v (email) ON c.email = v.email
	WHEN MATCHED THEN UPDATE SET email_status = 'suppressed'
	WHEN NOT MATCHED THEN INSERT (email, email_status) VALUES (v.email, 'opted_in');
SELECT * FROM pg_temp.news();
-- many rows in one statement
UPDATE contact SET email_status = 'suppressed';
SELECT value, old, new, reason, source, evidence, role, is_now FROM pg_temp.news() ORDER BY value;

-- what is rolled back is not logged
BEGIN;
SELECT suppress('q@x.org');
SAVEPOINT s;
SELECT suppress('r@x.org');
ROLLBACK TO s;
SELECT suppress('s@x.org');
SELECT is_now FROM log ORDER BY id DESC LIMIT 1;
COMMIT;
SELECT * FROM pg_temp.news();

-- C5: role is the one that acts, also where maintenance writes
SET ROLE regress_contacts_consent_log_clerk;
UPDATE consent_log.contact SET email = 'u@x.org', email_status = 'opted_in' WHERE id = 8;
SELECT consent_log.suppress('u@x.org', 'manual', 'clerk');
SELECT * FROM pg_temp.fails($$SELECT * FROM consent_log.consent_event$$);
SELECT * FROM pg_temp.fails($$INSERT INTO consent_log.consent_event (key, new_state) VALUES ('00000000-0000-0000-0000-000000000000', 'opted_in')$$);
SET ROLE regress_contacts_consent_log;
SELECT * FROM pg_temp.news();
RESET ROLE;
SET SESSION AUTHORIZATION regress_contacts_consent_log_clerk;
SELECT consent_log.suppress('v@x.org');
RESET SESSION AUTHORIZATION;
SELECT consent_log.suppress('w@x.org');
SET ROLE regress_contacts_consent_log;
SELECT value, role = 'consent_log_clerk' AS is_clerk, role = session_user AS is_superuser FROM pg_temp.news();

-- C5: append-only; erasure blanks evidence, source and role, the only change
SELECT * FROM pg_temp.fails($$DELETE FROM consent_event$$);
SELECT * FROM pg_temp.fails($$TRUNCATE consent_event$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET new_state = 'opted_in' WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET old_state = NULL WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET reason = NULL WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET key = '00000000-0000-0000-0000-000000000000' WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET at = '2000-01-01' WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET id = -id WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET role = 'somebody' WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET source = 'elsewhere' WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET evidence = '{"form": 2}' WHERE id = 4$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET evidence = NULL, source = NULL, role = NULL, reason = 'import' WHERE id = 4$$);
UPDATE consent_event SET id = id, evidence = evidence;
UPDATE consent_event SET evidence = NULL, source = NULL, role = NULL
WHERE key = contacts.identifier_key('consent_log', 'email', 'a@x.org');
SELECT * FROM log WHERE value = 'a@x.org';
ALTER TABLE consent_event ADD COLUMN mine text;
UPDATE consent_event SET evidence = NULL;
SELECT * FROM pg_temp.fails($$UPDATE consent_event SET mine = 'note' WHERE id = 4$$);
UPDATE consent_event SET mine = NULL;
ALTER TABLE consent_event DROP COLUMN mine;

SELECT * FROM contacts.check_directory('consent_log');
SELECT contacts.drop_directory('consent_log', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_log, regress_contacts_consent_log_clerk;
DROP ROLE regress_contacts_consent_log, regress_contacts_consent_log_clerk;
