-- I4: contact.email is the email identifier with slug main, contact.mobile_phone
-- the phone identifier with slug main
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_main
\set ECHO none
\i :rules
\set ECHO all

-- I4: the identifier follows the contact
INSERT INTO contact (first_name, last_name, email, mobile_phone) VALUES ('Ada', 'One', 'A@x.org', '+49 30 1234500');
SELECT * FROM held;
UPDATE contact SET email = 'b@x.org', mobile_phone = '+49301234501';
SELECT * FROM held;
UPDATE contact SET email = NULL, mobile_phone = NULL;
SELECT * FROM held;
SELECT * FROM person;
UPDATE contact SET email = 'c@x.org', mobile_phone = '+49301234502';
SELECT * FROM held;
SELECT * FROM person;

-- I4: the contact follows the identifier, in the same statement
UPDATE identifier SET value = 'D@X.org' WHERE semantic_type = 'email';
UPDATE identifier SET value = '+49 30 1234503' WHERE semantic_type = 'phone';
SELECT * FROM person;
DELETE FROM identifier;
SELECT * FROM person;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'e@x.org'), (1, 'phone', '+49301234504');
SELECT * FROM person;
SELECT * FROM held;
WITH changed AS (UPDATE identifier SET value = 'f@x.org' WHERE semantic_type = 'email' RETURNING contact_id, value)
SELECT * FROM changed;
SELECT * FROM person;

-- I4: removing the main row sets contact.email to NULL: by moving it, too
INSERT INTO contact (id, first_name, last_name) VALUES (2, 'Bob', 'Two');
UPDATE identifier SET contact_id = 2 WHERE semantic_type = 'email';
SELECT * FROM person;
UPDATE identifier SET slug = 'work' WHERE semantic_type = 'email';
SELECT * FROM person;
UPDATE identifier SET slug = 'main' WHERE semantic_type = 'email';
UPDATE identifier SET contact_id = NULL WHERE semantic_type = 'email';
SELECT * FROM person;
SELECT * FROM held;

-- I4: a contact whose email becomes his own work address exchanges the slugs,
-- validation stays
UPDATE contact SET email = 'a@x.org' WHERE id = 1;
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'work', 'w@x.org');
UPDATE identifier SET validated_at = '2020-02-02', validation_method = 'otp' WHERE value = 'w@x.org';
SELECT * FROM person WHERE id = 1;
UPDATE contact SET email = 'W@x.org' WHERE id = 1;
SELECT * FROM held WHERE kind = 'email';
SELECT * FROM person WHERE id = 1;
SELECT validated_at::date, validation_method FROM identifier WHERE value = 'w@x.org';
-- an unlabelled one: the former main one is unlabelled then
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'u@x.org');
SELECT * FROM held WHERE kind = 'email';
UPDATE contact SET email = 'u@x.org' WHERE id = 1;
SELECT * FROM held WHERE kind = 'email';
-- where there is no main one
UPDATE contact SET email = NULL WHERE id = 1;
SELECT * FROM held WHERE kind = 'email';
UPDATE contact SET email = 'a@x.org' WHERE id = 1;
SELECT * FROM held WHERE kind = 'email';
-- likewise a phone
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'phone', 'work', '+49301234508');
UPDATE contact SET mobile_phone = '+49301234508' WHERE id = 1;
SELECT * FROM held WHERE kind = 'phone';
SELECT * FROM person WHERE id = 1;

-- set_main(identifier_id) does the same
SELECT set_main(id) FROM identifier WHERE value = 'w@x.org';
SELECT set_main(id) FROM identifier WHERE value = 'w@x.org'; -- nothing to do
SELECT set_main(id) FROM identifier WHERE value = '+49301234504';
SELECT * FROM held WHERE kind IN ('email', 'phone');
SELECT * FROM person WHERE id = 1;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'oauth', 'o1'), (1, 'oauth', 'o2');
INSERT INTO identifier_slug VALUES ('oauth', 'old');
UPDATE identifier SET slug = 'old' WHERE value = 'o2';
SELECT set_main(id) FROM identifier WHERE value = 'o2';
SELECT * FROM held WHERE kind = 'oauth';
SELECT set_main(id) FROM identifier WHERE value = 'o2';
SELECT * FROM pg_temp.fails($$SELECT set_main(0)$$);
SELECT suppress('z@x.org');
SELECT * FROM pg_temp.fails($$SELECT set_main(id) FROM identifier WHERE value = 'z@x.org'$$);

-- home_phone and business_phone inform only: no identity
UPDATE contact SET home_phone = '+49301234507', business_phone = '+49301234506' WHERE id = 2;
SELECT * FROM held WHERE contact = 2;
SELECT * FROM person WHERE id = 2;

-- id is the key, email can change like a name; id stays while
-- identifiers are held
UPDATE contact SET email = 'b@x.org' WHERE id = 2;
SELECT * FROM pg_temp.fails($$UPDATE contact SET id = 22 WHERE id = 2$$) LIMIT 1;
SELECT find_contact('email', 'B@X.org'), find_contact('email', 'A@x.org'), find_contact('email', 'nobody@x.org'),
	find_contact('email', 'no address'), find_contact('phone', '+49 30 1234504'), find_contact('oauth', 'o1');

-- the email and its identifier by hand in one transaction: whoever comes second finds it done
BEGIN;
UPDATE identifier SET value = 'n@x.org' WHERE value = 'b@x.org';
UPDATE contact SET email = 'n@x.org' WHERE id = 2;
COMMIT;
SELECT * FROM held WHERE contact = 2;

SELECT * FROM contacts.check_directory('rule_main');
SELECT contacts.drop_directory('rule_main', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_main;
DROP ROLE regress_contacts_rule_main;
