-- I2: phone is shared by default; contacts.set_exclusive() changes that
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_shared
\set ECHO none
\i :rules
\set ECHO all

-- I2: several contacts may hold a phone
INSERT INTO contact (first_name, last_name, email, mobile_phone) VALUES
	('Ada', 'One', 'a@x.org', '+49301234500'),
	('Bob', 'One', 'b@x.org', '+49 30 1234500'),
	('Cyd', 'One', NULL, '+49301234501');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (3, 'phone', 'home', '+49 30-1234500');
SELECT * FROM person;
SELECT * FROM held;
-- a look-up that resolves to several says to which, to none is an error only where one is needed
SELECT * FROM find_contacts('phone', '+49 30 1234500');
SELECT * FROM pg_temp.fails($$SELECT find_contact('phone', '+49301234500')$$);
SELECT * FROM pg_temp.fails($$SELECT resolve_contact('phone', '+49301234500')$$);
SELECT find_contact('phone', '+49301234501'), resolve_contact('phone', '+49301234501'), find_contact('phone', '+49301234509');
SELECT * FROM find_contacts('phone', '+49301234509');
SELECT * FROM pg_temp.fails($$SELECT resolve_contact('phone', '+49301234509')$$);
SELECT * FROM pg_temp.fails($$SELECT resolve_contact('email', 'no address')$$);
SELECT find_contact('telex', '1'), find_contact('email', NULL), find_contact(NULL, 'a@x.org');
-- but each once
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (3, 'phone', 'work', '+49301234500')$$);

-- I2: types and their properties change through functions only
SELECT * FROM pg_temp.fails($$UPDATE semantic_type SET is_exclusive = true WHERE name = 'phone'$$);
SELECT * FROM pg_temp.fails($$UPDATE semantic_type SET is_contactable = NOT is_contactable WHERE name = 'email'$$);
SELECT * FROM pg_temp.fails($$UPDATE semantic_type SET value_type = 'text', is_contactable = false WHERE name = 'phone'$$);
SELECT * FROM pg_temp.fails($$UPDATE semantic_type SET name = 'token' WHERE name = 'anonymous'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM semantic_type WHERE name = 'uuid'$$);
SET client_min_messages = warning;
SELECT * FROM pg_temp.fails($$TRUNCATE semantic_type CASCADE$$);
RESET client_min_messages;
UPDATE semantic_type SET name = name, is_exclusive = is_exclusive; -- nothing changes
SELECT * FROM semantic_type ORDER BY name;

-- I2: email is always exclusive
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('rule_shared', 'email', false)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO semantic_type (name, value_type, is_exclusive) VALUES ('list_email', 'email', false)$$);
SELECT contacts.set_exclusive('rule_shared', 'email', true);

-- I2: set_exclusive checks ...
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('rule_shared', 'phone', true)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('rule_shared', 'telex', true)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('rule_nowhere', 'phone', true)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('pg_catalog', 'phone', true)$$);
SELECT name, is_exclusive FROM semantic_type WHERE name = 'phone';

-- ... and then enforces; states of values and validations survive
SELECT suppress('+49301234500', 'complaint'), unsubscribe('+49301234501'), suppress('+49301234509', 'bounce');
SELECT * FROM pg_temp.fails($$SELECT opt_in('+49301234502', '{"form": 1}')$$);
INSERT INTO contact (id, first_name, last_name, mobile_phone) VALUES
	(4, 'Dan', 'Two', '+49301234502'), (5, 'Eve', 'Two', '+49301234503'), (6, 'Fay', 'Two', '+49301234504');
ALTER TABLE contact ALTER id RESTART WITH 100;
SELECT opt_in('+49301234502', '{"form": 1}'), opt_in('+49301234503', '{"form": 2}');
UPDATE identifier SET validated_at = '2020-02-02', validation_method = 'otp' WHERE contact_id IN (3, 5) AND slug = 'main';
DELETE FROM identifier WHERE contact_id = 3 AND slug = 'home';
UPDATE contact SET mobile_phone = NULL WHERE id = 2;
SELECT * FROM held WHERE kind = 'phone';
SELECT contacts.set_exclusive('rule_shared', 'phone', true);
SELECT * FROM held WHERE kind = 'phone';
SELECT value, validated_at::date, validation_method FROM identifier WHERE is_validated ORDER BY value;
SELECT * FROM person;
SELECT * FROM pg_temp.fails($$UPDATE contact SET mobile_phone = '+49301234500' WHERE id = 2$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (mobile_phone) VALUES ('+49301234503')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (2, 'phone', '+49301234503')$$);
INSERT INTO contact (id, mobile_phone) VALUES (7, '+49301234509');
SELECT * FROM held WHERE contact = 7;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE value = '+49301234500'$$);
SELECT * FROM contacts.check_directory('rule_shared');

-- and back: the states go to rows of their own
SELECT contacts.set_exclusive('rule_shared', 'phone', false);
SELECT * FROM held WHERE kind = 'phone';
SELECT value, validated_at::date, validation_method FROM identifier WHERE is_validated ORDER BY value;
UPDATE contact SET mobile_phone = '+49301234500' WHERE id = 2;
SELECT * FROM person;
SELECT address_status('+49301234500'), address_status('+49301234501'), address_status('+49301234502'),
	address_status('+49301234503'), address_status('+49301234504'), address_status('+49301234508');
SELECT * FROM contacts.check_directory('rule_shared');
-- the last holder of an opted-in number is gone, and so is the opt-in
UPDATE contact SET mobile_phone = NULL WHERE id IN (1, 4);
SELECT * FROM held WHERE value IN ('+49301234500', '+49301234502');
SELECT * FROM log;

-- a kind of text goes the same way
SELECT contacts.set_exclusive('rule_shared', 'anonymous', false);
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'anonymous', 't'), (2, 'anonymous', 't');
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('rule_shared', 'anonymous', true)$$);
SELECT * FROM held WHERE kind = 'anonymous';

-- for the owner alone
RESET ROLE;
CREATE ROLE regress_contacts_rule_shared_other;
GRANT USAGE ON SCHEMA rule_shared TO regress_contacts_rule_shared_other;
GRANT ALL ON ALL TABLES IN SCHEMA rule_shared TO regress_contacts_rule_shared_other;
REVOKE ALL ON secret FROM regress_contacts_rule_shared_other;
SET ROLE regress_contacts_rule_shared_other;
SELECT * FROM pg_temp.fails($$SELECT contacts.set_exclusive('rule_shared', 'phone', true)$$);
SELECT * FROM pg_temp.fails($$UPDATE semantic_type SET is_exclusive = true WHERE name = 'phone'$$);
SET ROLE regress_contacts_rule_shared;

-- kinds may be added: those of one value type meet on the same key
INSERT INTO semantic_type (name, value_type, is_exclusive, is_contactable) VALUES
	('private_email', 'email', true, true), ('fax', 'phone', true, false), ('badge', 'text', true, false);
INSERT INTO identifier (contact_id, semantic_type, value) VALUES
	(3, 'private_email', 'C@X.org'), (3, 'fax', '+49 30 1234507'), (3, 'badge', ' B 7 ');
SELECT * FROM held WHERE kind IN ('private_email', 'fax', 'badge');
SELECT * FROM person WHERE id = 3;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('c@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (3, 'private_email', 'a@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (3, 'private_email', 'no address')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (3, 'fax', '030')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (3, 'pager', '1')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (3, NULL, '1')$$) LIMIT 1;
INSERT INTO contact (id, mobile_phone) VALUES (8, '+49301234507');
SELECT * FROM held WHERE value = '+49301234507';

SELECT * FROM contacts.check_directory('rule_shared');
SELECT contacts.drop_directory('rule_shared', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_shared, regress_contacts_rule_shared_other;
DROP ROLE regress_contacts_rule_shared, regress_contacts_rule_shared_other;
