-- What is held about a person is exported whole and erased whole.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir privacy_person
\set ECHO none
\i :rules
-- In which tables of the directory a word is found, and in how many rows.
CREATE FUNCTION pg_temp.found(word text) RETURNS TABLE (name name, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR name IN SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'privacy_person'::regnamespace AND relkind = 'r' ORDER BY relname COLLATE "C" LOOP
		EXECUTE format('SELECT count(*) FROM %I t WHERE strpos(t::text, $1) > 0', name) INTO rows USING word;
		IF rows > 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;
\set ECHO all

-- zebra is Ada's word, everywhere; what is not about her has another one
ALTER TABLE contact ADD shoe text;
ALTER TABLE identifier ADD remark text;
ALTER TABLE consent_event ADD remark text DEFAULT 'none', ADD touched_at timestamptz;
ALTER TABLE email_message ADD remark text NOT NULL DEFAULT 'none', ADD twice text GENERATED ALWAYS AS (subject || subject) STORED;
INSERT INTO organization (id, name) VALUES (1, 'Zoo');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, home_phone, titles, organization_id, shoe) VALUES
	(1, 'Ada zebra', 'King', 'zebra@x.org', '+49301234500', '+49301234501', 'zebra', 1, 'zebra'),
	(2, 'Bob', 'Two', 'b@x.org', '+49301234500', NULL, NULL, 1, 'horse'),
	(3, 'Cyd', 'Three', 'c@x.org', NULL, NULL, NULL, NULL, NULL);
INSERT INTO identifier (contact_id, semantic_type, slug, value, source, remark) VALUES
	(1, 'email', 'work', 'zebra.work@x.org', 'zebra', 'zebra'), (1, 'anonymous', NULL, 'zebra token', 'zebra', 'zebra'),
	(1, 'phone', 'work', '+49301234502', 'zebra', 'zebra'), (1, 'email', 'other', 'zebra.left@x.org', NULL, NULL),
	(1, 'email', 'billing', 'zebra.moved@x.org', NULL, NULL);
SELECT unsubscribe('b@x.org', source => 'horse'), opt_in('b@x.org', '{"form": "horse"}'), suppress('+49301234500', 'manual', 'horse');
ALTER TABLE consent_event ALTER remark SET DEFAULT 'zebra';
SELECT suppress('zebra@x.org', 'complaint', 'zebra'), unsubscribe('zebra.work@x.org', 'own_wish', 'zebra'),
	suppress('+49301234502', 'manual', 'zebra'),
	suppress('zebra.left@x.org', 'bounce', 'zebra');
ALTER TABLE consent_event ALTER remark SET DEFAULT 'none';
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, note) SELECT id, 1, 2, 'zebra' FROM relationship_type WHERE name = 'sibling';
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, note) SELECT id, 3, 1, 'zebra' FROM relationship_type WHERE name = 'parent';
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, note) SELECT id, 2, 3, 'horse' FROM relationship_type WHERE name = 'colleague';
INSERT INTO relationship (relationship_type_id, contact_id, record_id, note) SELECT id, 1, 1, 'zebra' FROM relationship_type WHERE name = 'employer';
INSERT INTO subscription_topic (id, name) VALUES (1, 'news');
INSERT INTO subscription (contact_id, topic_id, source, evidence) VALUES (1, 1, 'zebra', '{"form": "zebra"}'), (2, 1, 'horse', NULL);
-- history: to Ada, from her, to addresses that were hers, and to others
CREATE TEMP TABLE addressed AS
	SELECT n, contact_id, address, contacts.identifier_key('privacy_person', CASE WHEN address LIKE '+%' THEN 'phone' ELSE 'email' END, address) AS key, word
	FROM (VALUES (1, 1, 'zebra@x.org', 'zebra'), (2, 1, 'zebra.work@x.org', 'zebra'), (3, 1, 'zebra.left@x.org', 'zebra'),
		(4, NULL, 'zebra.left@x.org', 'zebra'), (5, 1, 'zebra.moved@x.org', 'zebra'), (6, 3, 'zebra.moved@x.org', 'horse'),
		(7, 2, 'b@x.org', 'horse'), (8, NULL, 'nobody@x.org', 'horse'), (9, 1, '+49301234500', 'zebra'),
		(10, 2, '+49301234500', 'horse')) v (n, contact_id, address, word);
ALTER TABLE email_message ALTER id RESTART WITH 101;
RESET ROLE;
SET session_replication_role = replica; -- as a restore does
INSERT INTO email_message (id, contact_id, address, key, subject, body, state, provider_id, error, idempotency_key, remark)
	SELECT 2 * n - 1, contact_id, address, key, word, word, CASE n WHEN 1 THEN 'sent' ELSE 'delivered' END, word, word, word || n, word
	FROM addressed WHERE n < 9;
INSERT INTO email_message (id, direction, contact_id, address, subject, body, state) VALUES (21, 'in', 1, 'Ada <zebra@x.org>', 'zebra', 'zebra', 'received');
INSERT INTO email_message (id, contact_id, address, key, subject, state) SELECT 23, 1, address, key, 'zebra', 'queued' FROM addressed WHERE n = 2;
INSERT INTO sms_message (id, contact_id, address, key, body, state, provider_id, error, idempotency_key)
	SELECT 2 * n, contact_id, address, key, word, 'sent', word, word, word || n FROM addressed WHERE n >= 9;
RESET session_replication_role;
SET ROLE regress_contacts_privacy_person;
SELECT record_bounce('zebra.work@x.org', 'soft', 'zebra is full'), record_bounce('zebra.left@x.org', 'soft', 'zebra is full'),
	record_bounce('b@x.org', 'soft', 'horse is full');
-- zebra.left is left behind, zebra.moved is somebody else's now
DELETE FROM identifier WHERE value = 'zebra.left@x.org';
UPDATE identifier SET contact_id = 3, slug = NULL WHERE value = 'zebra.moved@x.org';
-- tables of one's own, in whatever schema
CREATE TABLE policy (id integer PRIMARY KEY, holder bigint REFERENCES contact ON DELETE CASCADE, payer bigint REFERENCES contact, note text);
INSERT INTO policy VALUES (1, 1, NULL, 'zebra'), (2, 2, 2, 'horse'), (3, NULL, NULL, 'horse');
CREATE TEMP TABLE not_referring (contact_id bigint, note text);
RESET ROLE;
CREATE SCHEMA privacy_person_other AUTHORIZATION regress_contacts_privacy_person;
SET ROLE regress_contacts_privacy_person;
ALTER TABLE contact ADD UNIQUE (id, shoe);
CREATE TABLE privacy_person_other.visit (person bigint, shoe text, note text, at date,
	FOREIGN KEY (person, shoe) REFERENCES contact (id, shoe) ON DELETE CASCADE,
	email contacts.email REFERENCES contact (email) ON UPDATE CASCADE ON DELETE CASCADE) PARTITION BY RANGE (at);
CREATE TABLE privacy_person_other.visit_1 PARTITION OF privacy_person_other.visit DEFAULT;
INSERT INTO privacy_person_other.visit VALUES (1, 'zebra', 'zebra', '2020-01-01', NULL), (NULL, NULL, 'zebra', '2021-01-01', 'zebra@x.org'),
	(2, 'horse', 'horse', '2020-01-01', NULL), (NULL, NULL, 'horse', '2020-01-01', 'c@x.org');

-- export: every row of the person, from every table, and nobody else's
SELECT * FROM pg_temp.found('zebra');
CREATE TEMP TABLE exported AS SELECT export_person(1) AS document;
SELECT e.key AS "table", jsonb_array_length(e.value) AS rows,
	(SELECT count(*) FROM jsonb_array_elements(e.value) r WHERE r::text LIKE '%zebra%') AS of_ada,
	(SELECT count(*) FROM jsonb_array_elements(e.value) r WHERE r::text LIKE '%horse%' OR r::text LIKE '%b@x.org%') AS of_others
FROM exported, jsonb_each(document) e WHERE jsonb_typeof(e.value) = 'array' ORDER BY e.key COLLATE "C";
SELECT document ->> 'directory' AS directory, (document ->> 'exported_at')::timestamptz <= now() AS exported FROM exported;
SELECT r ->> 'id' AS id, r ->> 'address' AS address, r ->> 'body' AS body, r ->> 'remark' AS remark FROM exported, jsonb_array_elements(document -> 'email_message') r ORDER BY 1;
SELECT DISTINCT r -> 'evidence' AS evidence FROM jsonb_array_elements(export_person(2) -> 'consent_event') r ORDER BY 1;
-- with the rights of the caller
RESET ROLE;
CREATE ROLE regress_contacts_privacy_person_reader;
GRANT USAGE ON SCHEMA privacy_person TO regress_contacts_privacy_person_reader;
SET ROLE regress_contacts_privacy_person;
GRANT SELECT ON contact, identifier TO regress_contacts_privacy_person_reader;
SET ROLE regress_contacts_privacy_person_reader;
SELECT * FROM pg_temp.fails('SELECT export_person(1)');
SELECT * FROM pg_temp.fails('SELECT erase_person(1)');
SET ROLE regress_contacts_privacy_person;
SELECT * FROM pg_temp.fails('SELECT export_person(4)');
SELECT * FROM pg_temp.fails('SELECT export_person(NULL)');
SELECT * FROM pg_temp.fails('SELECT erase_person(4)');
SELECT * FROM pg_temp.fails('SELECT erase_person(NULL)');
SELECT * FROM pg_temp.fails($$SELECT contacts.export_person('policy', 1)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.erase_person('pg_temp.not_referring', 1, NULL)$$);
-- a table of one's own that refuses the deletion refuses the erasure
UPDATE policy SET payer = 1 WHERE id = 3;
SELECT * FROM pg_temp.fails('SELECT erase_person(1)');
UPDATE policy SET payer = NULL WHERE id = 3;

-- erasure: nothing of hers is found in any table
SELECT erase_person(1, 'request 17') \g /dev/null
SELECT * FROM pg_temp.found('zebra');
SELECT * FROM pg_temp.found('49301234502');
SELECT * FROM pg_temp.found('49301234501');
SELECT count(*) FROM policy;
SELECT address, diagnostic FROM delivery_notice;
SELECT note FROM privacy_person_other.visit ORDER BY at, note;
SELECT reason, jsonb_pretty(counts) AS counts, replace(role, 'regress_contacts_', '') AS role, at = now() AS is_now FROM erasure;
-- of suppressed and unsubscribed values key, state, reason and time remain
SELECT semantic_type AS kind, slug, value, key IS NOT NULL AS key, holder, validated_at, validation_method, source, remark, is_outreach, status, status_reason AS reason,
	status_changed_at IS NOT NULL AS time
FROM identifier WHERE contact_id IS NULL ORDER BY key;
SELECT address_status('zebra@x.org'), address_status('zebra.work@x.org'), address_status('zebra.left@x.org'), address_status('+49301234502');
SELECT new_state, reason, source, evidence, role IS NULL AS no_role, remark FROM consent_event ORDER BY id;
-- messages keep their counts; what is others' is as it was
SELECT id, direction, contact_id AS contact, address, key IS NOT NULL AS key, subject, body, state, provider_id, error, idempotency_key, remark, twice FROM email_message ORDER BY id;
SELECT id, contact_id AS contact, address, key IS NOT NULL AS key, body, state FROM sms_message ORDER BY id;
SELECT contact_id AS contact, value, status FROM identifier WHERE contact_id IS NOT NULL ORDER BY value;
SELECT contact_id, related_contact_id, note FROM relationship ORDER BY id;
SELECT * FROM contacts.check_directory('privacy_person');

-- afterwards a claim, an import and a list meet the state
INSERT INTO contact (id, first_name, last_name, email) VALUES (11, 'Eve', 'New', 'ZEBRA@x.org');
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (11, 'phone', '+49 30 1234502');
UPDATE contact SET email = 'zebra.left@x.org' WHERE id = 3;
CREATE TEMP TABLE incoming (email text, first_name text, email_status text);
INSERT INTO incoming VALUES ('zebra.work@x.org', 'Imported', 'opted_in');
SELECT read, inserted, rejected FROM contacts.import_contacts('privacy_person', 'pg_temp.incoming');
SELECT import_suppressions('{zebra@x.org}', 'unsubscribed');
SELECT id, email, email_status FROM contact ORDER BY email;
SELECT value, status, status_reason FROM identifier WHERE status IN ('suppressed', 'unsubscribed') ORDER BY value;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 11$$) LIMIT 2;
-- so does a message, to who has the address now and to the address alone
SELECT * FROM pg_temp.fails($$SELECT queue_email(11, 'Hello', 'again', 'transactional')$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (address, kind) VALUES ('zebra@x.org', 'transactional')$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (address, kind) VALUES ('zebra.work@x.org', 'marketing')$$) LIMIT 2;

-- the log of erasures is append-only
SELECT * FROM pg_temp.fails($$UPDATE erasure SET reason = NULL$$);
SELECT * FROM pg_temp.fails($$DELETE FROM erasure$$);
SELECT * FROM pg_temp.fails($$TRUNCATE erasure$$);

-- row security: an erasure is whole or none
SELECT id, first_name FROM contact ORDER BY id;
RESET ROLE;
SET ROLE regress_contacts_privacy_person;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA privacy_person TO regress_contacts_privacy_person_reader;
REVOKE ALL ON secret FROM regress_contacts_privacy_person_reader;
GRANT SELECT ON privacy_person_other.visit TO regress_contacts_privacy_person_reader;
GRANT USAGE ON SCHEMA privacy_person_other TO regress_contacts_privacy_person_reader;
ALTER TABLE email_message ENABLE ROW LEVEL SECURITY;
SET ROLE regress_contacts_privacy_person_reader;
SELECT jsonb_array_length(export_person(2) -> 'email_message') AS visible;
SELECT * FROM pg_temp.fails('SELECT erase_person(2)');
SET ROLE regress_contacts_privacy_person;
ALTER TABLE email_message DISABLE ROW LEVEL SECURITY;
SET ROLE regress_contacts_privacy_person_reader;
SELECT erase_person(2, 'with rights') -> 'email_message' AS emails;
SET ROLE regress_contacts_privacy_person;
SELECT id FROM contact ORDER BY id;
-- the last holder of a shared number takes it along
SELECT value, status FROM identifier WHERE key = (SELECT key FROM addressed WHERE n = 9);

-- messages to the address that name nobody or somebody else: what waits is
-- cancelled, what was sent loses the address
INSERT INTO contact (id, first_name, email) VALUES (801, 'Erased', 'erased@x.org'), (802, 'Stays', 'stays@x.org');
INSERT INTO email_message (id, contact_id, address, state, body) VALUES (80001, NULL, 'erased@x.org', 'queued', 'to nobody'),
	(80003, 802, 'erased@x.org', 'queued', 'waits'), (80005, 802, 'erased@x.org', 'sent', 'sent');
SELECT erase_person(801, 'with messages') -> 'contact' AS contacts;
SELECT id, contact_id, address, key, state, body FROM email_message WHERE id > 80000 ORDER BY id;

SET client_min_messages = warning;
SELECT contacts.drop_directory('privacy_person', cascade => true);
DROP SCHEMA privacy_person_other CASCADE;
RESET ROLE;
DROP OWNED BY regress_contacts_privacy_person, regress_contacts_privacy_person_reader;
DROP ROLE regress_contacts_privacy_person, regress_contacts_privacy_person_reader;
