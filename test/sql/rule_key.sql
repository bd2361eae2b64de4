-- I10: UNIQUE (key, holder)
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_key
\set ECHO none
\i :rules
\set ECHO all
RESET ROLE;
GRANT SET ON PARAMETER contacts.ddl_guard TO regress_contacts_rule_key; -- to break things
SET ROLE regress_contacts_rule_key;

-- I10: HMAC-SHA-256 under the directory's secret over value type or else
-- semantic type name, a zero byte, canonical value; cut to 16 bytes.
-- The expected keys come from another implementation:
--   printf 'email\0a@x.org' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102030405060708090a0b0c0d0e0f
SELECT contacts.identifier_key('rule_key', 'email', ' A@X.org ') = 'eb3b8a6f-fed7-4e6e-4e36-8314eb2ea946' AS email,
	contacts.identifier_key('rule_key', 'phone', '+49 (30) 1234500') = '8c2fdc81-7f8e-d99f-4a97-535fbf0e9b34' AS phone,
	contacts.identifier_key('rule_key', 'oauth', 'a@x.org') = '8c931e9d-b0a2-615b-324b-30a80470d324' AS oauth,
	contacts.identifier_key('rule_key', 'anonymous', 'a@x.org') = 'f6557cb8-7f85-b357-e8e8-5471855c3b35' AS anonymous;
INSERT INTO semantic_type (name, value_type, is_exclusive) VALUES ('list_email', 'email', true);
SELECT contacts.identifier_key('rule_key', 'list_email', 'a@x.org') = contacts.identifier_key('rule_key', 'email', 'a@x.org') AS is_same;
SELECT contacts.identifier_key('rule_key', 'email', 'no address'), contacts.identifier_key('rule_key', 'phone', '1'),
	contacts.identifier_key('rule_key', 'oauth', ' '), contacts.identifier_key('rule_key', 'email', NULL);
SELECT * FROM pg_temp.fails($$SELECT contacts.identifier_key('rule_key', 'telex', '1')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.identifier_key('rule_nowhere', 'email', 'a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.identifier_key('pg_catalog', 'email', 'a@x.org')$$);

-- I10: holder is 0 for exclusive kinds and contact_id for shared ones
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES
	(1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', '+49301234500');
SELECT contact_id, value, holder, key = contacts.identifier_key('rule_key', semantic_type, value) AS is_its_key
FROM identifier ORDER BY contact_id, value;
-- neither can be written
UPDATE identifier SET key = '00000000-0000-0000-0000-000000000001', holder = 7 WHERE contact_id = 1;
INSERT INTO identifier (contact_id, semantic_type, value, key, holder) VALUES
	(1, 'oauth', 'o', '00000000-0000-0000-0000-000000000001', 7),
	(1, 'uuid', 'u', '00000000-0000-0000-0000-000000000001', -7);
UPDATE identifier SET holder = -id WHERE contact_id = 2;
SELECT contact_id, value, holder, key = contacts.identifier_key('rule_key', semantic_type, value) AS is_its_key
FROM identifier ORDER BY contact_id, value;

-- I10: the state of a shared value stands in its own row alone
SELECT suppress('+49301234500', 'own_wish'), unsubscribe('+49301234501');
SELECT * FROM held WHERE kind = 'phone';
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE contact_id = 1 AND semantic_type = 'phone'$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value, status) VALUES (1, 'phone', '+49301234502', 'suppressed')$$) LIMIT 2;
INSERT INTO contact (id, mobile_phone) VALUES (3, '+49301234501');
DELETE FROM contact WHERE id = 3;
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE value = '+49301234501'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET contact_id = 2 WHERE value = '+49301234501'$$) LIMIT 2;
SELECT address_status('+49 30 1234500'), address_status('+49301234501'), address_status('+49301234502');

-- I10: value, key and kind of a suppressed or unsubscribed row are frozen;
-- changing contact.email leaves the row behind and claims another
SELECT unsubscribe('a@x.org'), suppress('b@x.org');
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'c@x.org' WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'c@x.org' WHERE value = 'b@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET semantic_type = 'oauth', slug = NULL WHERE value = 'b@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET semantic_type = 'list_email', slug = NULL WHERE value = 'a@x.org'$$);
UPDATE identifier SET value = 'A@X.ORG', key = '00000000-0000-0000-0000-000000000001' WHERE value = 'a@x.org';
UPDATE contact SET email = 'c@x.org' WHERE id = 1;
SELECT * FROM held WHERE kind = 'email';

-- the kind of a free value may change
INSERT INTO contact (id, first_name, email) VALUES (4, 'Dan', 'd@x.org');
UPDATE identifier SET semantic_type = 'list_email', slug = NULL WHERE value = 'd@x.org';
SELECT * FROM held WHERE contact = 4;
SELECT id, email FROM contact ORDER BY id;

-- I10: the secret cannot be rotated
SELECT * FROM pg_temp.fails($$UPDATE secret SET value = '\x000102030405060708090a0b0c0d0eff'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM secret$$);
SELECT * FROM pg_temp.fails($$TRUNCATE secret$$);
SELECT * FROM pg_temp.fails($$INSERT INTO secret (value) VALUES ('\x000102030405060708090a0b0c0d0eff')$$);
SELECT * FROM pg_temp.fails($$UPDATE setting SET secret_fingerprint = '\x00'$$);

-- create_directory(name, secret => ...) takes one along: the same keys
SELECT contacts.create_directory('rule_key_other');
SELECT contacts.identifier_key('rule_key_other', 'email', 'a@x.org') <> contacts.identifier_key('rule_key', 'email', 'a@x.org') AS differs;

-- I10: a directory without its secret refuses writes with 55000 (as after a
-- schema-only restore)
SET contacts.ddl_guard = off;
ALTER TABLE secret DISABLE TRIGGER ALL;
CREATE TABLE kept AS TABLE secret;
DELETE FROM secret;
ALTER TABLE secret ENABLE TRIGGER ALL;
ALTER TABLE secret ENABLE ALWAYS TRIGGER zz_changed;
\c -
SET search_path = rule_key;
SET ROLE regress_contacts_rule_key;
\set VERBOSITY sqlstate
INSERT INTO contact (email) VALUES ('e@x.org');
\set VERBOSITY default
INSERT INTO contact (first_name) VALUES ('No address');
UPDATE contact SET first_name = 'x';
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'oauth', 'o2');
SELECT suppress('e@x.org');
SELECT address_status('a@x.org');
SELECT count(*) FROM contact; -- reading works
-- nor does another directory's do
INSERT INTO secret SELECT true, value FROM rule_key_other.secret;
INSERT INTO contact (email) VALUES ('e@x.org');
SET contacts.ddl_guard = off;
ALTER TABLE secret DISABLE TRIGGER ALL;
DELETE FROM secret;
INSERT INTO secret TABLE kept;
ALTER TABLE secret ENABLE TRIGGER ALL;
DROP TABLE kept;
SET contacts.ddl_guard = on;
SELECT contacts.attach_triggers('rule_key') > 0 AS are_armed_again;
\c -
SET search_path = rule_key;
SET ROLE regress_contacts_rule_key;
INSERT INTO contact (id, email) VALUES (9, 'e@x.org');
SELECT id, email FROM contact WHERE id = 9;

SELECT * FROM contacts.check_directory('rule_key');
SELECT contacts.drop_directory('rule_key', cascade => true);
SELECT contacts.drop_directory('rule_key_other');
RESET ROLE;
DROP OWNED BY regress_contacts_rule_key;
DROP ROLE regress_contacts_rule_key;
