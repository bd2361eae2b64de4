-- C2: suppressed is absorbing, for any role that is bound by triggers
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_suppression
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, email, mobile_phone) VALUES
	(1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', NULL), (3, 'Cyd', 'c@x.org', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
INSERT INTO semantic_type (name, value_type, is_exclusive) VALUES ('list_email', 'email', true);
SELECT suppress('a@x.org', 'complaint'), suppress('d@x.org', 'bounce'), suppress('+49301234500', 'own_wish'),
	unsubscribe('b@x.org'), unsubscribe('e@x.org');
SELECT * FROM held;

-- C2: UPDATE on contact or identifier
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'unsubscribed' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'not_opted_in' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'unsubscribed' WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = NULL WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE value = 'd@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE status = 'suppressed' AND semantic_type = 'phone'$$);
-- upsert, MERGE
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('a@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = EXCLUDED.email_status$$);
SELECT * FROM pg_temp.fails($$MERGE INTO contact c USING (VALUES ('a@x.org')) v (email) ON c.email = v.email WHEN MATCHED THEN UPDATE SET email_status = 'not_opted_in'$$);
SELECT * FROM pg_temp.fails($$MERGE INTO identifier i USING (VALUES ('d@x.org')) v (value) ON i.value = v.value WHEN MATCHED THEN DELETE$$);
-- DELETE of the unheld row
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE value = 'd@x.org'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE value = 'e@x.org'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE contact_id IS NULL AND semantic_type = 'phone'$$);
-- TRUNCATE while a suppressed or unsubscribed row stands
SELECT * FROM pg_temp.fails($$TRUNCATE identifier CASCADE$$);
SET client_min_messages = warning;
SELECT * FROM pg_temp.fails($$TRUNCATE contact CASCADE$$);
SELECT * FROM pg_temp.fails($$TRUNCATE organization RESTART IDENTITY CASCADE$$);
RESET client_min_messages;
-- rename of value or kind
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'z@x.org' WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'z@x.org' WHERE value = 'd@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET semantic_type = 'list_email', slug = NULL WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET semantic_type = 'oauth' WHERE value = 'd@x.org'$$);
-- in two steps: erased first, then given another value
SELECT * FROM pg_temp.fails($$
	UPDATE identifier SET value = NULL WHERE value = 'd@x.org';
	UPDATE identifier SET value = 'z@x.org' WHERE value IS NULL$$);
-- a held row deleted and its place taken in the same statement
SELECT * FROM pg_temp.fails($$
	WITH gone AS (DELETE FROM identifier WHERE value = 'a@x.org')
	INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'work', 'a@x.org')$$);
-- by tricks with what is derived
UPDATE identifier SET holder = -id, key = '00000000-0000-0000-0000-000000000007' WHERE value = 'd@x.org';
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE value = 'd@x.org'$$) LIMIT 1;
UPDATE identifier SET id = id + 1000, is_outreach = false, created_at = '2000-01-01' WHERE value = 'd@x.org';
SELECT * FROM held;

-- C2: deletion of the contact, change of email, re-claim keep it
UPDATE contact SET email = 'n@x.org' WHERE id = 1;
SELECT * FROM person WHERE id = 1;
UPDATE contact SET email = 'a@x.org' WHERE id = 1;
SELECT * FROM person WHERE id = 1;
DELETE FROM contact WHERE id = 1;
UPDATE contact SET email = 'a@x.org' WHERE id = 3;
SELECT * FROM person WHERE id = 3;
UPDATE identifier SET contact_id = 2, slug = 'work' WHERE value = 'a@x.org';
SELECT * FROM person; -- C4: a complaint was his own wish
SELECT set_main(id) FROM identifier WHERE value = 'a@x.org';
SELECT * FROM person;
UPDATE contact SET email = NULL WHERE id = 2;
INSERT INTO contact (id, email) VALUES (4, 'a@x.org'), (5, 'd@x.org');
SELECT * FROM person;
SELECT * FROM held;

-- C2: first reason wins; later ones go to the log
SELECT suppress('a@x.org', 'bounce', 'mail server'), unsubscribe('a@x.org'), suppress('d@x.org', 'screening');
UPDATE identifier SET status_reason = 'manual', status_changed_at = '2000-01-01' WHERE value IN ('a@x.org', 'd@x.org');
SELECT value, status, status_reason, status_changed_at < '2001-01-01' AS was_rewritten
FROM identifier WHERE status = 'suppressed' ORDER BY value;
SELECT value, old, new, reason, source FROM log WHERE value IN ('a@x.org', 'd@x.org');

-- not even replica mode, not even a superuser: the guards are ALWAYS
SELECT * FROM contacts.check_directory('consent_suppression');
RESET ROLE;
SET session_replication_role = replica;
SELECT * FROM pg_temp.fails($$UPDATE consent_suppression.identifier SET status = 'opted_in' WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_suppression.contact SET email_status = 'opted_in' WHERE id = 4$$);
SELECT * FROM pg_temp.fails($$DELETE FROM consent_suppression.identifier WHERE value = 'e@x.org'$$);
SELECT * FROM pg_temp.fails($$TRUNCATE consent_suppression.identifier CASCADE$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_suppression.identifier SET key = '00000000-0000-0000-0000-000000000007' WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM consent_suppression.consent_event$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_suppression.consent_event SET new_state = 'opted_in'$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_suppression.secret SET value = value || '\x00'$$);
SELECT * FROM pg_temp.fails($$UPDATE consent_suppression.setting SET secret_fingerprint = '\x00'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM consent_suppression.identifier_slug WHERE slug = 'main'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM consent_suppression.semantic_type WHERE name = 'oauth'$$);
-- what a publisher allowed passes: a value released, claimed, erased
UPDATE consent_suppression.identifier SET contact_id = NULL, slug = NULL, value = NULL WHERE value = 'd@x.org';
UPDATE consent_suppression.contact SET email = NULL, email_status = 'not_opted_in', first_name = 'Eve', is_reachable = false WHERE id = 5;
RESET session_replication_role;
-- the owner cannot even set it
SET ROLE regress_contacts_consent_suppression;
SET session_replication_role = replica;
SELECT * FROM held WHERE state IN ('suppressed', 'unsubscribed');

-- TRUNCATE where nothing stands in the way
SELECT contacts.create_directory('consent_suppression_2');
INSERT INTO consent_suppression_2.contact (email, email_status) VALUES ('a@x.org', 'opted_in');
SET client_min_messages = warning;
TRUNCATE consent_suppression_2.identifier, consent_suppression_2.contact CASCADE;
RESET client_min_messages;
SELECT count(*) FROM consent_suppression_2.contact;
-- a trigger of a user that swallows the row: an error, not an endless loop
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER aa_swallow BEFORE INSERT ON identifier FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT * FROM pg_temp.fails($$SELECT suppress('swallowed@x.org')$$);
DROP TRIGGER aa_swallow ON identifier;

SELECT contacts.drop_directory('consent_suppression_2');

SELECT * FROM contacts.check_directory('consent_suppression');
SELECT contacts.drop_directory('consent_suppression', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_suppression;
DROP ROLE regress_contacts_consent_suppression;
