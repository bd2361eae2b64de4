-- C6: erasing a person; C7: suppressing addresses that no contact holds
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_erasure
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, email, mobile_phone) VALUES
	(1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', NULL), (3, 'Cyd', 'c@x.org', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
INSERT INTO semantic_type (name, value_type, is_exclusive) VALUES ('list_email', 'email', true);
SELECT suppress('a@x.org', 'complaint', 'letter'), unsubscribe('b@x.org', source => 'link'), suppress('+49301234500', 'own_wish');
SELECT opt_in('c@x.org', '{"form": 1}');

-- C6: not while somebody holds it
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = NULL WHERE value = 'a@x.org'$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = NULL WHERE value = 'c@x.org'$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = NULL, contact_id = NULL WHERE value = 'c@x.org'$$) LIMIT 2;
-- C6: setting value to NULL with key and state kept is always legal
DELETE FROM contact;
UPDATE identifier SET value = NULL, source = NULL;
UPDATE consent_event SET evidence = NULL, source = NULL, role = NULL;
SELECT * FROM held;
SELECT semantic_type, key, status FROM identifier ORDER BY key;
SELECT address_status('a@x.org'), address_status('b@x.org'), address_status('+49301234500'), address_status('c@x.org');
SELECT * FROM contacts.check_directory('consent_erasure');
-- not lifted, deleted nor given another key
SELECT * FROM pg_temp.fails($$DELETE FROM identifier$$) LIMIT 1;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE semantic_type = 'email'$$) LIMIT 1;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'z@x.org' WHERE status = 'suppressed' AND semantic_type = 'email'$$) LIMIT 1;
UPDATE identifier SET key = '00000000-0000-0000-0000-000000000001', holder = 12;
SELECT key <> '00000000-0000-0000-0000-000000000001' AS is_kept, holder FROM identifier;
-- released and erased in one statement
INSERT INTO contact (id, first_name, email) VALUES (4, 'Dan', 'd@x.org');
SELECT suppress('d@x.org', 'bounce');
UPDATE identifier SET contact_id = NULL, value = NULL WHERE value = 'd@x.org';
SELECT * FROM person;
SELECT * FROM held;

-- C6: a later claim of the same address meets the state: by INSERT into contact,
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (11, 'Eve', 'a@x.org', '+49301234500');
-- UPDATE of contact,
UPDATE contact SET email = 'b@x.org' WHERE id = 4;
-- INSERT into identifier
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (4, 'email', 'work', 'd@x.org');
SELECT * FROM person;
SELECT * FROM held;
-- suppressing it again does not fill the shared number's own row
SELECT suppress('+49301234500', 'manual');
SELECT value, status, status_reason FROM identifier WHERE semantic_type = 'phone' AND contact_id IS NULL;
-- writing the value it had does
UPDATE identifier SET value = '+49 30 1234500' WHERE semantic_type = 'phone' AND contact_id IS NULL;
SELECT * FROM held WHERE kind = 'phone';
SELECT * FROM contacts.check_directory('consent_erasure');
-- an erased value of another kind of email
DELETE FROM contact WHERE id = 4;
UPDATE identifier SET value = NULL WHERE contact_id IS NULL AND semantic_type = 'email';
INSERT INTO contact (id, first_name) VALUES (5, 'Fay');
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (5, 'list_email', 'd@x.org');
SELECT * FROM held WHERE contact = 5;
-- upserted, and erased while many are claimed at once
INSERT INTO contact (id, email) SELECT 1000 + n, format('n%s@x.org', n) FROM generate_series(1, 50) n;
SELECT suppress_many((SELECT array_agg(email::text) FROM contact WHERE id > 1000), 'bounce');
DELETE FROM contact WHERE id > 1000;
UPDATE identifier SET value = NULL WHERE value LIKE 'n%';
SELECT count(*), count(value), count(contact_id) FROM identifier WHERE status_reason = 'bounce';
INSERT INTO contact (id, email) SELECT 2000 + n, format('N%s@x.org', n) FROM generate_series(1, 100) n
	ON CONFLICT (email) DO NOTHING;
SELECT email_status, count(*) FROM contact WHERE id > 2000 GROUP BY 1 ORDER BY 1;
SELECT count(*), count(value), count(contact_id) FROM identifier WHERE status_reason = 'bounce';

-- a row restored with its key and without its value
INSERT INTO identifier (semantic_type, key, status, status_reason)
	VALUES ('email', contacts.identifier_key('consent_erasure', 'email', 'k@x.org'), 'suppressed', 'import');
SELECT address_status('k@x.org');
INSERT INTO contact (id, email) VALUES (6, 'k@x.org');
SELECT * FROM person WHERE id = 6;

-- C7: suppressing works for addresses that no contact holds, for many at once
SELECT suppress('U@X.ORG'), unsubscribe('+49 (30) 1234501', 'complaint', 'sms stop');
SELECT suppress_many('{v@x.org, V@x.ORG, +49 30 1234502, NULL}', 'import', 'old system'), suppress_many('{}'), suppress_many(NULL);
SELECT semantic_type, value, status, status_reason, source, contact_id FROM identifier
WHERE value IN ('u@x.org', 'v@x.org', '+49301234501', '+49301234502') ORDER BY value COLLATE "C";
SELECT old, new, value, reason, source FROM log WHERE value IN ('u@x.org', 'v@x.org', '+49301234501', '+49301234502') ORDER BY value COLLATE "C";
-- all or none
SELECT * FROM pg_temp.fails($$SELECT suppress_many('{w@x.org, no address}')$$);
SELECT * FROM pg_temp.fails($$SELECT suppress_many('{w@x.org, 030 1234567}')$$);
SELECT * FROM pg_temp.fails($$SELECT suppress('w@x.org', 'mood')$$);
SELECT * FROM pg_temp.fails($$SELECT suppress('')$$);
SELECT address_status('w@x.org');
SELECT suppress(NULL);
-- more than a chunk, held and unheld mixed, in an array of two dimensions
SELECT suppress_many((SELECT array_agg(ARRAY[format('n%s@x.org', n), format('o%s@x.org', n)]) FROM generate_series(1, 10000) n), 'import');
SELECT status, count(*), count(contact_id) FROM identifier WHERE value ~ '^[no][0-9]+@' GROUP BY status;
SELECT email_status, count(*) FROM contact WHERE id > 2000 GROUP BY 1 ORDER BY 1;

SELECT * FROM contacts.check_directory('consent_erasure');
SELECT contacts.drop_directory('consent_erasure', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_erasure;
DROP ROLE regress_contacts_consent_erasure;
