-- I6: contact_type is computed
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_type
\set ECHO none
\i :rules
\set ECHO all

-- I6: contacts.compute_type() is the one function that defines the rule
SELECT first, last, mononym, vendor, reach, valid, rule,
	contacts.compute_type(first, last, mononym, vendor, reach, valid, rule)
FROM (VALUES (NULL, NULL), ('F', NULL), (NULL, 'L'), ('F', 'L'), (' ', E'\t')) n (first, last),
	(VALUES (false, false), (true, false), (true, true), (false, true)) f (reach, valid),
	(VALUES (false), (true)) m (mononym), (VALUES ('both'), ('any')) r (rule),
	(VALUES (false)) v (vendor)
ORDER BY rule, mononym, first COLLATE "C", last COLLATE "C", reach, valid;
SELECT contacts.compute_type('F', 'L', false, true, true, true), contacts.compute_type(NULL, NULL, NULL, true, NULL, NULL),
	contacts.compute_type('F', 'L', NULL, NULL, true, NULL), contacts.compute_type(NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM pg_temp.fails($$SELECT contacts.compute_type('F', 'L', false, false, true, true, 'some')$$);

-- I6: ghost without a name or without an identifier of a contactable kind
INSERT INTO contact (id, first_name, last_name, mononym, email, mobile_phone, is_vendor) VALUES
	(1, 'Ada', 'One', false, 'a@x.org', NULL, false),
	(2, 'Bob', NULL, false, 'b@x.org', NULL, false),
	(3, NULL, 'Three', false, NULL, '+49301234503', false),
	(4, NULL, 'Four', true, NULL, '+49301234504', false),
	(5, 'Eve', NULL, true, 'e@x.org', NULL, false),
	(6, 'Fay', 'Six', false, NULL, NULL, false),
	(7, 'Gus', NULL, false, NULL, NULL, true),
	(8, NULL, NULL, true, 'h@x.org', NULL, false);
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (6, 'oauth', 'o6');
SELECT * FROM person;
-- contact if one is validated, by whatever slug
SELECT validate_identifier(id, 'otp') FROM identifier WHERE value IN ('a@x.org', 'b@x.org', '+49301234503', '+49301234504', 'o6');
INSERT INTO identifier (contact_id, semantic_type, slug, value, validated_at) VALUES (5, 'phone', 'work', '+49301234505', now());
SELECT * FROM person;

-- I6: it falls as well as rises
SELECT invalidate_identifier(id) FROM identifier WHERE value IN ('a@x.org', '+49301234504');
UPDATE identifier SET is_validated = false WHERE contact_id = 5 AND is_validated;
DELETE FROM identifier WHERE value = '+49301234503';
SELECT * FROM person WHERE id IN (1, 3, 4, 5);
SELECT * FROM held WHERE kind IN ('email', 'phone');
UPDATE contact SET email = NULL WHERE id = 1;
UPDATE contact SET mobile_phone = '+49301234506' WHERE id = 6;
UPDATE contact SET last_name = 'Two' WHERE id = 2;
UPDATE contact SET is_vendor = true WHERE id = 5;
UPDATE contact SET is_vendor = false, last_name = 'Seven' WHERE id = 7;
UPDATE contact SET mononym = false WHERE id = 4;
SELECT * FROM person;
UPDATE contact SET first_name = '' WHERE id = 2;
SELECT * FROM person WHERE id = 2;
-- the identifier that makes a contact reachable passes from one to another
UPDATE identifier SET contact_id = 1, slug = 'work' WHERE value = 'b@x.org';
SELECT * FROM person WHERE id IN (1, 2);
-- a validated address that changes is not validated any more, an exchanged one is
UPDATE identifier SET is_validated = true, validation_method = 'magic_link' WHERE value = 'e@x.org';
UPDATE contact SET email = 'f@x.org', is_vendor = false WHERE id = 5;
SELECT * FROM person WHERE id = 5;
SELECT * FROM held WHERE contact = 5;
UPDATE contact SET email = 'B@x.org' WHERE id = 1;
SELECT * FROM person WHERE id = 1;
-- one that another contact of the kind replaces, while another one is validated
INSERT INTO identifier (contact_id, semantic_type, slug, value, is_validated) VALUES (5, 'phone', 'home', '+49301234507', true);
UPDATE contact SET email = 'g@x.org', mobile_phone = '+49301234508' WHERE id = 5;
SELECT * FROM person WHERE id = 5;
UPDATE contact SET email = NULL WHERE id = 5;
SELECT * FROM person WHERE id = 5;
-- both in one statement
UPDATE contact SET email = 'e@x.org', mobile_phone = '+49301234507' WHERE id = 5;
SELECT * FROM person WHERE id = 5;
SELECT * FROM held WHERE contact = 5;

-- I6: whatever a client writes there is replaced, never an error
UPDATE contact SET contact_type = 'vendor', is_reachable = true, is_validated = true WHERE id IN (1, 2, 3);
SELECT * FROM person WHERE id IN (1, 2, 3);
UPDATE contact SET contact_type = NULL, is_reachable = NULL, is_validated = NULL, mononym = NULL, is_vendor = NULL,
	created_at = NULL, updated_at = NULL, email_status = NULL, organization_name = 'x' WHERE id IN (1, 2);
SELECT * FROM person WHERE id IN (1, 2);
SELECT id, mononym, is_vendor, organization_name, created_at IS NULL AS no_time FROM contact WHERE id IN (1, 2) ORDER BY id;
INSERT INTO contact (id, first_name, contact_type, is_reachable, is_validated) VALUES (9, 'Ida', 'contact', true, true);
INSERT INTO contact (id, first_name, contact_type, is_reachable, is_validated, mononym, is_vendor, email_status, created_at, updated_at)
VALUES (10, 'Jon', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM person WHERE id > 8;
SELECT * FROM pg_temp.fails($$UPDATE contact SET contact_type = 'friend' WHERE id = 9$$);

-- I6: updated_at is set by trigger, created_at is the client's
INSERT INTO contact (id, first_name, created_at, updated_at) VALUES (11, 'Kim', '2001-01-01', '2002-02-02');
SELECT created_at::date, updated_at::date FROM contact WHERE id = 11;
UPDATE contact SET updated_at = '2003-03-03' WHERE id = 11;
SELECT created_at::date, updated_at = (SELECT max(updated_at) FROM contact) AND updated_at > '2020-01-01' AS is_now FROM contact WHERE id = 11;
BEGIN;
UPDATE contact SET titles = 'Dr' WHERE id = 11;
SELECT updated_at = now() AS is_now FROM contact WHERE id = 11;
COMMIT;

-- I6: setting name_rule
UPDATE setting SET name_rule = 'any';
SELECT * FROM person;
INSERT INTO contact (id, first_name, mobile_phone) VALUES (12, 'Lea', '+49301234509');
SELECT * FROM person WHERE id = 12;
SELECT * FROM contacts.check_directory('rule_type');
BEGIN;
UPDATE setting SET name_rule = 'both';
SELECT * FROM person WHERE id = 12;
ROLLBACK;
SELECT * FROM person WHERE id = 12;
UPDATE contact SET titles = 'Dr' WHERE id = 12;
SELECT * FROM person WHERE id = 12;
UPDATE setting SET name_rule = 'both';
SELECT * FROM person;
SELECT * FROM pg_temp.fails($$UPDATE setting SET name_rule = 'none'$$) LIMIT 1;
SELECT * FROM pg_temp.fails($$DELETE FROM setting$$);
SELECT * FROM pg_temp.fails($$TRUNCATE setting$$);

-- validation: writing either of the two columns sets both; they agree
UPDATE identifier SET validated_at = '2020-02-02' WHERE value = 'h@x.org';
SELECT validated_at::date, validation_method, is_validated FROM identifier WHERE value = 'h@x.org';
UPDATE identifier SET is_validated = false WHERE value = 'h@x.org';
SELECT validated_at::date, validation_method, is_validated FROM identifier WHERE value = 'h@x.org';
UPDATE identifier SET is_validated = true WHERE value = 'h@x.org';
SELECT validated_at IS NOT NULL AS has_time, validation_method, is_validated FROM identifier WHERE value = 'h@x.org';
UPDATE identifier SET validation_method = 'otp' WHERE value = 'h@x.org';
SELECT validated_at IS NOT NULL AS has_time, validation_method, is_validated FROM identifier WHERE value = 'h@x.org';
UPDATE identifier SET validated_at = NULL WHERE value = 'h@x.org';
SELECT validated_at::date, validation_method, is_validated FROM identifier WHERE value = 'h@x.org';
SELECT * FROM pg_temp.fails($$UPDATE identifier SET validated_at = now(), validation_method = 'guess' WHERE value = 'h@x.org'$$);
SELECT * FROM pg_temp.fails($$SELECT validate_identifier(0)$$);
SELECT * FROM pg_temp.fails($$SELECT invalidate_identifier(0)$$);

SELECT * FROM contacts.check_directory('rule_type');
SELECT contacts.drop_directory('rule_type', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_type;
DROP ROLE regress_contacts_rule_type;
