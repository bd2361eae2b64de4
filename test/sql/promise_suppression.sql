-- The promises about suppression, each by name.  What is tried stands in a
-- table: a name, a statement, the SQLSTATE it is to end with.  After each one
-- the states are read back, within its transaction and when it is undone.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir promise_suppression
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_promise_suppression_clerk;
GRANT USAGE ON SCHEMA promise_suppression TO regress_contacts_promise_suppression_clerk;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA promise_suppression TO regress_contacts_promise_suppression_clerk;
REVOKE ALL ON promise_suppression.secret FROM regress_contacts_promise_suppression_clerk;
SET ROLE regress_contacts_promise_suppression;

-- held as main address, under another label, by nobody, erased; a number that two share
INSERT INTO organization (id, name) VALUES (1, 'Org');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, organization_id) VALUES
	(1, 'Ada', 'A', 'held@x.org', '+49301234500', 1), (2, 'Bob', 'B', 'bob@x.org', '+49301234500', NULL), (3, 'Cyd', 'C', NULL, NULL, NULL);
INSERT INTO identifier (id, contact_id, semantic_type, slug, value) VALUES (101, 2, 'email', 'work', 'work@x.org');
ALTER TABLE contact ALTER id RESTART WITH 1000;
ALTER TABLE identifier ALTER id RESTART WITH 1000;
INSERT INTO semantic_type (name, value_type, is_exclusive) VALUES ('list_email', 'email', true);
INSERT INTO subscription_topic (id, name) VALUES (1, 'news');
SELECT suppress_many('{held@x.org,work@x.org,nobody@x.org,erased@x.org,+49301234500}', 'complaint', 'loop');
UPDATE identifier SET value = NULL WHERE value = 'erased@x.org';
CREATE VIEW person_view AS SELECT id, first_name, email, email_status FROM contact;
CREATE VIEW address_view AS SELECT id, contact_id, value, status FROM identifier WHERE semantic_type = 'email';
CREATE TABLE people (first_name text, email text, email_status text);
INSERT INTO people VALUES ('Ada', 'held@x.org', 'opted_in'), ('New', 'nobody@x.org', 'opted_in'), ('New', 'ERASED@X.org', 'opted_in');

-- One row for each address whose suppression does not stand as it was made.
CREATE VIEW pg_temp.lost AS
	SELECT w.address, address_status(w.address) AS state, i.status_reason AS reason, i.n
	FROM unnest('{held@x.org,work@x.org,nobody@x.org,erased@x.org,+49301234500}'::text[]) w (address)
		CROSS JOIN LATERAL (
			SELECT count(*) AS n, min(i.status_reason) AS status_reason FROM identifier i
			WHERE i.holder = 0 AND i.key = contacts.address_key('promise_suppression.identifier', w.address)) i
	WHERE address_status(w.address) IS DISTINCT FROM 'suppressed'
		OR i.n <> 1 OR i.status_reason IS DISTINCT FROM 'complaint'
		OR EXISTS (SELECT FROM contact c WHERE c.email::text = w.address AND c.email_status <> 'suppressed');

CREATE TEMP TABLE attempt (n serial, name text, statement text, expected text DEFAULT '23001');
GRANT SELECT ON attempt, lost TO PUBLIC;

-- Run the statement and undo it: what it ended with, and whether all stood.
CREATE FUNCTION pg_temp.try(statement text, OUT ended text, OUT stands boolean) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE statement;
		SET CONSTRAINTS ALL IMMEDIATE;
		ended := 'done';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS ended = RETURNED_SQLSTATE;
	END;
	stands := NOT EXISTS (SELECT FROM pg_temp.lost);
	RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	stands := stands AND NOT EXISTS (SELECT FROM pg_temp.lost);
END
$$;

INSERT INTO attempt (name, statement, expected) VALUES
-- plain DML on contact
('update to opted_in', $$UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$, '23001'),
('update to not_opted_in', $$UPDATE contact SET email_status = 'not_opted_in' WHERE id = 1$$, '23001'),
('update to unsubscribed', $$UPDATE contact SET email_status = 'unsubscribed' WHERE id = 1$$, '23001'),
('update to default', $$UPDATE contact SET email_status = DEFAULT WHERE id = 1$$, '23001'),
('update to null', $$UPDATE contact SET email_status = NULL WHERE id = 1$$, 'done'),
('update of every contact', $$UPDATE contact SET email_status = 'opted_in'$$, '23001'),
('update of a joined table', $$UPDATE contact c SET email_status = 'opted_in' FROM organization o WHERE o.id = c.organization_id$$, '23001'),
('update by a whole row', $$UPDATE contact SET (first_name, email, email_status) = ROW ('Ada', 'held@x.org', 'opted_in') WHERE id = 1$$, '23001'),
('update in a WITH', $$WITH u AS (UPDATE contact SET email_status = 'opted_in' WHERE id = 1 RETURNING id) SELECT * FROM u$$, '23001'),
('update by a cursor', $$DO 'DECLARE c CURSOR FOR SELECT * FROM contact WHERE id = 1 FOR UPDATE; BEGIN OPEN c; MOVE c; UPDATE contact SET email_status = ''opted_in'' WHERE CURRENT OF c; END'$$, '23001'),
('update by a prepared statement', $$DO 'BEGIN EXECUTE ''DEALLOCATE ALL''; EXECUTE ''PREPARE p AS UPDATE promise_suppression.contact SET email_status = $1 WHERE id = 1''; EXECUTE ''EXECUTE p (''''opted_in'''')''; END'$$, '23001'),
('update through a view', $$UPDATE person_view SET email_status = 'opted_in' WHERE id = 1$$, '23001'),
('state and address at once', $$UPDATE contact SET email = 'other@x.org', email_status = 'opted_in' WHERE id = 1$$, 'done'),
-- on identifier
('identifier to opted_in', $$UPDATE identifier SET status = 'opted_in' WHERE value = 'held@x.org'$$, '23001'),
('identifier to null', $$UPDATE identifier SET status = NULL WHERE value = 'held@x.org'$$, '23001'),
('identifier under another label', $$UPDATE identifier SET status = 'opted_in' WHERE value = 'work@x.org'$$, '23001'),
('identifier that nobody holds', $$UPDATE identifier SET status = 'unsubscribed' WHERE value = 'nobody@x.org'$$, '23001'),
('identifier that was erased', $$UPDATE identifier SET status = 'opted_in' WHERE value IS NULL$$, '23514'),
('state of a shared number', $$UPDATE identifier SET status = 'opted_in' WHERE semantic_type = 'phone' AND status = 'suppressed'$$, '23001'),
('identifier through a view', $$UPDATE address_view SET status = 'opted_in' WHERE value = 'nobody@x.org'$$, '23001'),
('delete through a view', $$DELETE FROM address_view WHERE value = 'nobody@x.org'$$, '23001'),
('another reason and time', $$UPDATE identifier SET status_reason = 'import', status_changed_at = '2000-01-01' WHERE status = 'suppressed'$$, 'done'),
('rename of the value', $$UPDATE identifier SET value = 'other@x.org' WHERE value = 'held@x.org'$$, '23001'),
('rename of a value nobody holds', $$UPDATE identifier SET value = 'other@x.org' WHERE value = 'nobody@x.org'$$, '23001'),
('rename of an erased value', $$UPDATE identifier SET value = 'other@x.org' WHERE value IS NULL$$, '23001'),
('change of semantic type', $$UPDATE identifier SET semantic_type = 'oauth' WHERE value = 'nobody@x.org'$$, '23001'),
('change to another kind of email', $$UPDATE identifier SET semantic_type = 'list_email', slug = NULL WHERE value = 'work@x.org'$$, '23001'),
('another key', $$UPDATE identifier SET key = gen_random_uuid()$$, 'done'),
('another holder', $$UPDATE identifier SET holder = -id$$, 'done'),
('erased, then named anew', $$WITH e AS (UPDATE identifier SET value = NULL WHERE value = 'nobody@x.org' RETURNING id) UPDATE identifier SET value = 'x@x.org' WHERE id IN (SELECT id FROM e)$$, 'done'),
('insert beside it', $$INSERT INTO identifier (semantic_type, value, status) VALUES ('email', 'nobody@x.org', 'unsubscribed')$$, '23505'),
('insert as another kind', $$INSERT INTO identifier (contact_id, semantic_type, value, status) VALUES (3, 'list_email', 'nobody@x.org', 'opted_in')$$, 'done'),
-- upsert, MERGE
('upsert', $$INSERT INTO contact (email, email_status) VALUES ('held@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = EXCLUDED.email_status$$, '23001'),
('upsert, another spelling', $$INSERT INTO contact (email, email_status) VALUES (' HELD@X.ORG', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = 'unsubscribed'$$, '23001'),
('upsert that does nothing', $$INSERT INTO contact (email, email_status) VALUES ('held@x.org', 'opted_in') ON CONFLICT DO NOTHING$$, 'done'),
('upsert of an address nobody holds', $$INSERT INTO contact (email, email_status) VALUES ('nobody@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = 'opted_in'$$, 'done'),
('upsert on identifier', $$INSERT INTO identifier (semantic_type, value, status) VALUES ('email', 'nobody@x.org', 'unsubscribed') ON CONFLICT (key, holder) DO UPDATE SET status = EXCLUDED.status$$, '23001'),
('merge into contact', $$MERGE INTO contact c USING people p ON c.email = p.email WHEN MATCHED THEN UPDATE SET email_status = p.email_status WHEN NOT MATCHED THEN INSERT (first_name, email, email_status) VALUES (p.first_name, p.email, p.email_status)$$, '23001'),
('merge that inserts', $$MERGE INTO contact c USING people p ON false WHEN NOT MATCHED AND p.first_name = 'New' THEN INSERT (first_name, email, email_status) VALUES (p.first_name, p.email, p.email_status)$$, 'done'),
('merge that deletes', $$MERGE INTO identifier i USING people p ON i.value = p.email WHEN MATCHED THEN DELETE$$, '23001'),
-- claims, also by other spellings
('claim as opted_in', $$INSERT INTO contact (email, email_status) VALUES ('nobody@x.org', 'opted_in')$$, 'done'),
('claim in capitals', $$INSERT INTO contact (email, email_status) VALUES (E'\tNoBody@X.ORG ', 'opted_in')$$, 'done'),
('claim of the erased one', $$INSERT INTO contact (email, email_status) VALUES ('Erased@x.org', 'opted_in')$$, 'done'),
('claim by an update', $$UPDATE contact SET email = 'nobody@x.org' WHERE id = 3$$, 'done'),
('claim with a state by an update', $$UPDATE contact SET email = 'nobody@x.org', email_status = 'opted_in' WHERE id = 3$$, 'done'),
('claim as identifier', $$INSERT INTO identifier (contact_id, semantic_type, slug, value, status) VALUES (3, 'email', 'main', 'NOBODY@x.org', 'opted_in')$$, 'done'),
('claim of the number', $$UPDATE contact SET mobile_phone = '+49 (30) 12345-00' WHERE id = 3$$, 'done'),
('number as tel: with a state', $$INSERT INTO identifier (contact_id, semantic_type, value, status) VALUES (3, 'phone', 'tel:+49-30-1234500', 'opted_in')$$, '23514'),
('number made exclusive', $$DO 'BEGIN UPDATE contact SET mobile_phone = NULL WHERE id = 2; PERFORM contacts.set_exclusive(''promise_suppression'', ''phone'', true); END'$$, 'done'),
-- deletion and return, cascades, moves
('deletion and return', $$WITH d AS (DELETE FROM contact WHERE id = 1) SELECT; INSERT INTO contact (id, email, email_status) VALUES (1, 'held@x.org', 'opted_in')$$, 'done'),
('deletion of every contact', $$DELETE FROM contact$$, 'done'),
('identifiers first, as ORMs do', $$DELETE FROM identifier WHERE contact_id = 1; DELETE FROM contact WHERE id = 1; INSERT INTO contact (email, email_status) VALUES ('held@x.org', 'opted_in')$$, 'done'),
('deletion of a held identifier', $$DELETE FROM identifier WHERE value = 'work@x.org'$$, 'done'),
('deletion of an unheld one', $$DELETE FROM identifier WHERE value = 'nobody@x.org'$$, '23001'),
('deletion of an erased one', $$DELETE FROM identifier WHERE value IS NULL$$, '23001'),
('deletion of the number''s state', $$DELETE FROM identifier WHERE semantic_type = 'phone' AND contact_id IS NULL$$, '23001'),
('deletion of all identifiers', $$DELETE FROM identifier$$, '23001'),
('deleted and claimed in one statement', $$WITH d AS (DELETE FROM identifier WHERE value = 'work@x.org') INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (3, 'email', 'work', 'work@x.org')$$, '23505'),
('cascade from the organization', $$DELETE FROM organization$$, 'done'),
('cascade of a user''s foreign key', $$CREATE TABLE account (id bigint PRIMARY KEY); INSERT INTO account VALUES (1); ALTER TABLE contact ADD COLUMN account_id bigint REFERENCES account ON DELETE CASCADE; UPDATE contact SET account_id = 1 WHERE id = 1; DELETE FROM account$$, 'done'),
('truncate identifier', $$TRUNCATE identifier CASCADE$$, '23001'),
('truncate contact and all', $$TRUNCATE contact CASCADE$$, '23001'),
('truncate by way of organization', $$TRUNCATE organization RESTART IDENTITY CASCADE$$, '23001'),
('address left and taken again', $$UPDATE contact SET email = NULL WHERE id = 1; UPDATE contact SET email = 'held@x.org' WHERE id = 1; UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$, '23001'),
('address passed to another contact', $$UPDATE contact SET email = NULL WHERE id = 1; UPDATE contact SET email = 'held@x.org', email_status = 'opted_in' WHERE id = 3$$, 'done'),
('identifier moved to another contact', $$UPDATE identifier SET contact_id = 3, slug = 'main', status = 'opted_in' WHERE value = 'work@x.org'$$, '23001'),
('contacts merged by hand', $$UPDATE identifier SET contact_id = 3, slug = NULL WHERE contact_id = 2; DELETE FROM contact WHERE id = 2$$, 'done'),
('promoted to main', $$SELECT set_main(101); UPDATE contact SET email_status = 'opted_in' WHERE id = 2$$, '23001'),
-- the functions
('opt_in of a held address', $$SELECT opt_in('held@x.org', '{"form": 1}')$$, '23001'),
('opt_in of the number', $$SELECT opt_in('+49301234500', '{"form": 1}')$$, '23001'),
('unsubscribe', $$SELECT unsubscribe('held@x.org')$$, 'done'),
('suppress for another reason', $$SELECT suppress_many('{held@x.org,nobody@x.org,erased@x.org}', 'manual')$$, 'done'),
('a delivery', $$SELECT record_delivery('held@x.org')$$, 'done'),
('a bounce', $$SELECT record_bounce('held@x.org', 'hard')$$, 'done'),
('a subscription', $$SELECT subscribe(1, 'news', 'form', '{"form": 1}')$$, 'done'),
('an unsubscribe link', $$SELECT use_unsubscribe_token(contacts.make_unsubscribe_token('identifier', 'email', contacts.address_key('identifier', 'held@x.org'), 0))$$, 'done'),
('validation', $$SELECT validate_identifier(id, 'otp') FROM identifier WHERE value = 'held@x.org'$$, 'done'),
('import', $$SELECT * FROM contacts.import_contacts('promise_suppression', 'promise_suppression.people')$$, 'done'),
('erasure of the person', $$SELECT erase_person(1, 'letter')$$, 'done'),
('erasure and return', $$SELECT erase_person(1); INSERT INTO contact (email, email_status) VALUES ('held@x.org', 'opted_in')$$, 'done'),
('erasure of who shares the number', $$SELECT erase_person(2), erase_person(1)$$, 'done'),
('import of a list as unsubscribed', $$SELECT import_suppressions('{held@x.org,nobody@x.org}', 'unsubscribed')$$, 'done'),
('import of keys as unsubscribed', $$SELECT import_suppression_keys(ARRAY(SELECT key FROM identifier WHERE status = 'suppressed' AND semantic_type = 'email'), (SELECT secret_fingerprint FROM setting), 'unsubscribed')$$, 'done'),
('repair', $$SELECT * FROM contacts.repair_directory('promise_suppression')$$, 'done'),
('another secret', $$UPDATE secret SET value = value || '\x00'$$, '23001'),
('the log shortened', $$DELETE FROM consent_event$$, '23001'),
('the log rewritten', $$UPDATE consent_event SET new_state = 'opted_in'$$, '23001'),
('an opt-in forged in the log', $$INSERT INTO consent_event (key, old_state, new_state) SELECT key, 'unsubscribed', 'opted_in' FROM identifier; UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$, '23001'),
('a user''s trigger that rewrites', $$CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := ''opted_in''; RETURN NEW; END'; CREATE TRIGGER zzz BEFORE UPDATE ON identifier FOR EACH ROW EXECUTE FUNCTION meddle(); UPDATE identifier SET is_outreach = false WHERE value = 'held@x.org'$$, '23001'),
('a savepoint that is rolled back', $$DO 'BEGIN BEGIN PERFORM promise_suppression.suppress(''held@x.org'', ''import''); RAISE EXCEPTION ''back''; EXCEPTION WHEN raise_exception THEN UPDATE promise_suppression.contact SET email_status = ''opted_in'' WHERE id = 1; END; END'$$, '23001'),
('read only of nothing', $$UPDATE contact SET email_status = 'opted_in' WHERE false$$, 'done');
SELECT count(*) >= 40 AS are_enough FROM attempt;

-- No path lowers it: as the owner, and as a role that may write every table
SET client_min_messages = error;
SELECT * FROM pg_temp.lost;
SELECT a.n, a.name, t.ended, t.stands FROM attempt a CROSS JOIN LATERAL pg_temp.try(a.statement) t
WHERE (t.ended, t.stands) IS DISTINCT FROM (a.expected, true) ORDER BY a.n;
SELECT expected, count(*) FROM attempt GROUP BY 1 ORDER BY 1;

-- with every table open to it, another role does not get further
SET ROLE regress_contacts_promise_suppression_clerk;
SELECT a.n, a.name, t.ended, t.stands FROM attempt a CROSS JOIN LATERAL pg_temp.try(a.statement) t
WHERE NOT t.stands OR (t.ended <> a.expected AND t.ended <> '42501') ORDER BY a.n;
SET ROLE regress_contacts_promise_suppression;
-- nor do REPEATABLE READ and SERIALIZABLE
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT a.n, a.name, t.ended, t.stands FROM attempt a CROSS JOIN LATERAL pg_temp.try(a.statement) t
WHERE (t.ended, t.stands) IS DISTINCT FROM (a.expected, true) ORDER BY a.n;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT a.n, a.name, t.ended, t.stands FROM attempt a CROSS JOIN LATERAL pg_temp.try(a.statement) t
WHERE (t.ended, t.stands) IS DISTINCT FROM (a.expected, true) ORDER BY a.n;
COMMIT;
-- what cannot be run within a function: COPY, savepoints, a held cursor
COPY contact (first_name, email, email_status) FROM stdin;
Copied	nobody@x.org	opted_in
Copied	ERASED@x.org	opted_in
\.
SELECT email, email_status FROM contact WHERE first_name = 'Copied' ORDER BY email::text COLLATE "C";
SELECT * FROM lost;
COPY identifier (contact_id, semantic_type, value, status) FROM stdin;
3	email	held@x.org	opted_in
\.
DELETE FROM contact WHERE first_name = 'Copied';
SELECT * FROM lost;
BEGIN;
SAVEPOINT s;
SELECT suppress('held@x.org');
DELETE FROM contact WHERE id = 1;
ROLLBACK TO s;
UPDATE contact SET email_status = 'opted_in' WHERE id = 1;
COMMIT;
SELECT * FROM lost;

-- Keyed by the normalised address: one row for all spellings
SELECT suppress_many('{Spelt@Example.org," spelt@example.ORG ",spelt@example.org,+49 30 12345-01,tel:+49301234501}', 'manual');
SELECT address_status('SPELT@EXAMPLE.ORG') AS email, address_status('+49 (30) 1234501') AS number;
SELECT value, count(*) FROM identifier WHERE holder = 0 AND value IN ('spelt@example.org', '+49301234501') GROUP BY 1 ORDER BY 1;
SELECT key, count(*) FROM identifier WHERE holder = 0 GROUP BY key HAVING count(*) > 1;

-- Effective at commit, and for the rest of its own transaction
BEGIN;
SELECT suppress('soon@x.org');
SELECT address_status('soon@x.org');
INSERT INTO contact (id, email, email_status) VALUES (10, 'soon@x.org', 'opted_in');
SELECT email_status FROM contact WHERE id = 10;
COMMIT;
SELECT address_status('soon@x.org');

-- Survives deletion and erasure of the person
DELETE FROM contact WHERE id = 10;
UPDATE identifier SET value = NULL, source = NULL WHERE value = 'soon@x.org';
UPDATE consent_event SET source = NULL, evidence = NULL, role = NULL;
SELECT address_status('soon@x.org');
INSERT INTO contact (id, email) VALUES (10, 'Soon@x.org') RETURNING email_status;
SELECT email_status FROM contact WHERE id = 10;

-- Never expires: nothing in the catalogue or the settings says how long
SELECT c.relname, a.attname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'promise_suppression'::regnamespace AND c.relname IN ('identifier', 'consent_event', 'setting')
	AND a.attname ~ 'expire|until|ttl|retention' AND a.attname NOT LIKE 'sms%' AND a.attname NOT LIKE 'ghost%' ORDER BY 1, 2;
\set old '2001-01-01'
INSERT INTO identifier (semantic_type, value, status, status_reason, status_changed_at) VALUES ('email', 'old@x.org', 'suppressed', 'manual', :'old');
SELECT status, status_changed_at::date FROM identifier WHERE value = 'old@x.org';
INSERT INTO contact (id, email) VALUES (11, 'old@x.org');
SELECT email_status FROM contact WHERE id = 11;

-- The first reason wins, and later reasons do not make it removable
SELECT suppress('held@x.org', reason) FROM unnest('{own_wish,bounce,screening,manual,import}'::contacts.state_reason[]) reason \g /dev/null
SELECT status_reason FROM identifier WHERE value = 'held@x.org';
UPDATE contact SET email_status = 'opted_in' WHERE id = 1;
SELECT * FROM pg_temp.fails($$SELECT opt_in('held@x.org', '{"form": 1}')$$);

-- A new address of the person starts clean where the rule says so (C4)
INSERT INTO contact (id, first_name, email) SELECT 20 + n, reason, reason || '@y.org'
	FROM unnest('{complaint,own_wish,bounce,screening,manual,import}'::text[]) WITH ORDINALITY r (reason, n);
SELECT suppress(email::text, first_name) FROM contact WHERE id > 20 \g /dev/null
UPDATE contact SET email = 'new_' || email::text WHERE id > 20;
SELECT first_name AS reason, email_status FROM contact WHERE id > 20 ORDER BY id;
SELECT DISTINCT address_status(first_name || '@y.org') FROM contact WHERE id > 20;

-- Queued messages are cancelled, in the same transaction
INSERT INTO contact (id, first_name, email) VALUES (30, 'Gus', 'gus@x.org');
INSERT INTO email_message (id, contact_id, address, kind, body) VALUES (301, 30, 'gus@x.org', 'marketing', 'x'), (303, 30, 'gus@x.org', 'transactional', 'x');
BEGIN;
SELECT record_complaint('gus@x.org');
SELECT id, state FROM email_message ORDER BY id;
COMMIT;
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (contact_id, address, kind, body) VALUES (30, 'gus@x.org', 'transactional', 'x')$$);

-- Export and import carry it: as addresses, and as keys where the secret is shared
UPDATE identifier SET value = NULL WHERE value = 'erased@x.org';
RESET ROLE;
SET search_path = '';
SELECT contacts.create_directory('promise_suppression_2', secret => '\x0102030405060708090a0b0c0d0e0f10') \g /dev/null
SELECT contacts.create_directory('promise_suppression_3', secret => '\x000102030405060708090a0b0c0d0e0f') \g /dev/null
SELECT count(*) FILTER (WHERE value IS NULL) > 0 AS some_are_erased FROM promise_suppression.suppression_list() WHERE state = 'suppressed';
SELECT promise_suppression_2.import_suppressions(array_agg(value)) = count(value) AS all_named FROM promise_suppression.suppression_list() WHERE state = 'suppressed';
SELECT promise_suppression_3.import_suppression_keys(array_agg(key), (SELECT secret_fingerprint FROM promise_suppression.setting), semantic_type => semantic_type) = count(*) AS all_keys
FROM promise_suppression.suppression_list() WHERE state = 'suppressed' GROUP BY semantic_type;
SELECT * FROM pg_temp.fails($$SELECT promise_suppression_2.import_suppression_keys('{}', (SELECT secret_fingerprint FROM promise_suppression.setting))$$);
INSERT INTO promise_suppression_2.contact (email, mobile_phone) VALUES ('Nobody@x.org', '+49301234500'), ('erased@x.org', NULL);
INSERT INTO promise_suppression_3.contact (email, mobile_phone) VALUES ('Nobody@x.org', '+49301234500'), ('erased@x.org', NULL);
SELECT 2 AS directory, email, email_status, promise_suppression_2.address_status(mobile_phone::text) FROM promise_suppression_2.contact
UNION ALL SELECT 3, email, email_status, promise_suppression_3.address_status(mobile_phone::text) FROM promise_suppression_3.contact ORDER BY 1, 2;
SELECT contacts.drop_directory('promise_suppression_2', cascade => true), contacts.drop_directory('promise_suppression_3', cascade => true);
SET ROLE regress_contacts_promise_suppression;
SET search_path = promise_suppression;

-- Unsubscribed is not suppressed: it ends by an opt-in, and lets transactional mail pass
INSERT INTO contact (id, first_name, email) VALUES (31, 'Hal', 'hal@x.org');
SELECT unsubscribe('hal@x.org');
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 31$$);
INSERT INTO email_message (id, contact_id, address, kind, body) VALUES (311, 31, 'hal@x.org', 'transactional', 'x');
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (contact_id, address, kind, body) VALUES (31, 'hal@x.org', 'marketing', 'x')$$);
SELECT opt_in('hal@x.org', '{"form": 1}');
SELECT email_status FROM contact WHERE id = 31;
INSERT INTO email_message (id, contact_id, address, kind, body) VALUES (313, 31, 'hal@x.org', 'marketing', 'x');

-- What is not promised: the owner's DDL and a superuser
BEGIN;
RESET ROLE;
SELECT pg_catalog.set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name = 'contacts.ddl_guard' \g /dev/null
ALTER TABLE promise_suppression.identifier DISABLE TRIGGER USER;
ALTER TABLE promise_suppression.contact DISABLE TRIGGER USER;
UPDATE promise_suppression.identifier SET status = 'opted_in' WHERE value = 'nobody@x.org';
SET search_path = promise_suppression;
SELECT address, state FROM lost;
-- is found afterwards
SELECT rule, object, message FROM contacts.check_directory('promise_suppression') WHERE rule IN ('C2', 'C5');
ROLLBACK;

SET ROLE regress_contacts_promise_suppression;
SET search_path = promise_suppression;
SELECT * FROM lost;
SELECT * FROM contacts.check_directory('promise_suppression');
SET client_min_messages = warning;
SELECT contacts.drop_directory('promise_suppression', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_promise_suppression, regress_contacts_promise_suppression_clerk;
DROP ROLE regress_contacts_promise_suppression, regress_contacts_promise_suppression_clerk;
