-- I3: a contact exists by at least one of first_name, last_name, email,
-- mobile_phone, or any identifier
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_identified
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (first_name) VALUES ('Ada');
INSERT INTO contact (last_name) VALUES ('Two');
INSERT INTO contact (email) VALUES ('c@x.org');
INSERT INTO contact (mobile_phone) VALUES ('+49301234500');
SELECT create_ghost('token 1');
SELECT * FROM person;
SELECT * FROM held;

-- I3: else 23514, at the end of the transaction
SELECT * FROM pg_temp.fails($$INSERT INTO contact DEFAULT VALUES$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (titles, home_phone, business_phone, is_vendor) VALUES ('Dr', '+4930123450', '+4930123451', true)$$);
BEGIN;
INSERT INTO contact (id) VALUES (100);
SELECT count(*) FROM contact WHERE id = 100;
COMMIT;
SELECT count(*) FROM contact WHERE id = 100;

-- I3: blank names count as missing and are stored as NULL
SELECT * FROM pg_temp.fails($$INSERT INTO contact (first_name, last_name) VALUES ('', E' \t\n\r\x0B\f')$$);
INSERT INTO contact (id, first_name, last_name) VALUES (20, '  ', ' Lee '), (21, E'\u00A0', ''), (22, 'v', 'V');
SELECT id, first_name IS NULL AS no_first, quote_literal(last_name) FROM contact WHERE id > 19 ORDER BY id;
UPDATE contact SET first_name = ' ', last_name = 'L' WHERE id = 20;
SELECT id, first_name IS NULL AS no_first, last_name FROM contact WHERE id = 20;

-- I3: contact and token may come in two statements of a transaction
BEGIN;
INSERT INTO contact (id) VALUES (30);
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (30, 'anonymous', 'token 2');
COMMIT;
BEGIN;
INSERT INTO contact (id) VALUES (31);
UPDATE contact SET first_name = 'late' WHERE id = 31;
COMMIT;
SELECT * FROM person WHERE id IN (30, 31);

-- the last one cannot be taken away, in whatever way
SELECT * FROM pg_temp.fails($$UPDATE contact SET first_name = NULL WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET last_name = ' ' WHERE id = 2$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = NULL WHERE id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET mobile_phone = NULL WHERE id = 4$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE contact_id = 3$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE contact_id = 4$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE contact_id = 5$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET contact_id = 1 WHERE contact_id = 5$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET contact_id = NULL WHERE contact_id = 5$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET contact_id = NULL WHERE contact_id = 3$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET contact_id = 1 WHERE contact_id = 3$$);
SELECT * FROM held;
-- one of two can
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (5, 'oauth', 'o1');
DELETE FROM identifier WHERE contact_id = 5 AND semantic_type = 'anonymous';
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE contact_id = 5 AND semantic_type = 'oauth'$$);
SELECT * FROM held WHERE contact = 5;
-- the contact itself can go, its identifiers first (as ORMs do) or with it
BEGIN;
DELETE FROM identifier WHERE contact_id = 5;
DELETE FROM contact WHERE id = 5;
COMMIT;
DELETE FROM contact WHERE id = 30;
SELECT count(*) FROM identifier WHERE semantic_type IN ('anonymous', 'oauth');
-- one identifier replaced by another within a transaction
BEGIN;
INSERT INTO contact (id) VALUES (32);
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (32, 'anonymous', 't');
DELETE FROM identifier WHERE contact_id = 32;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (32, 'uuid', 'u');
COMMIT;
SELECT * FROM held WHERE contact = 32;
-- within a savepoint that is rolled back
BEGIN;
INSERT INTO contact (id) VALUES (33);
SAVEPOINT s;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (33, 'anonymous', 't');
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM contact WHERE id = 33;

-- I3: the functions answer at once
SELECT * FROM pg_temp.fails($$SELECT create_ghost('')$$);
SELECT * FROM pg_temp.fails($$SELECT create_ghost(NULL)$$) LIMIT 2;
SELECT create_ghost('token 3', 'web') AS ghost \gset
SELECT :ghost = find_contact('anonymous', 'token 3') AS is_found;
SELECT * FROM pg_temp.fails($$SELECT create_ghost('token 3')$$);
SELECT semantic_type, value, source FROM identifier WHERE value LIKE 'token%' ORDER BY value;

-- a name given to a ghost makes no difference to the rule
UPDATE contact SET first_name = 'G' WHERE id = (SELECT find_contact('anonymous', 'token 3'));
DELETE FROM identifier WHERE value = 'token 3';
SELECT first_name FROM contact WHERE first_name = 'G';

SELECT * FROM contacts.check_directory('rule_identified');
SELECT contacts.drop_directory('rule_identified', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_identified;
DROP ROLE regress_contacts_rule_identified;
