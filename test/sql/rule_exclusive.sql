-- I1: an exclusive value identifies at most one contact
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_exclusive
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (first_name, last_name, email, mobile_phone) VALUES
	('Ada', 'One', 'a@x.org', '+49301234500'),
	('Bob', 'Two', 'b@x.org', '+49301234500');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES
	(1, 'email', 'work', 'W@X.org'),
	(1, 'oauth', NULL, 'google:1'),
	(2, 'anonymous', NULL, 't1'),
	(2, 'anonymous', NULL, 't2'),
	(2, 'uuid', NULL, '6f5902ac-237c-4a8e-9d1b-5d3c5e5b1c11');
SELECT * FROM person;
SELECT * FROM held;

-- I1: a collision on contact.email is the server's own
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('A@X.ORG')$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'a@x.org' WHERE id = 2$$);

-- I1: whatever slug it has; one met by maintenance has the same form
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('w@x.org')$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'w@x.org' WHERE id = 2$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'work', 'w@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (2, 'email', 'a@x.org')$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'W@x.ORG' WHERE value = 'b@x.org'$$);
UPDATE contact SET archived_at = now() WHERE id = 1;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('w@x.org')$$);
UPDATE contact SET archived_at = NULL WHERE id = 1;

-- I1: the HINT names the holder to those only who may read it
RESET ROLE;
CREATE ROLE regress_contacts_rule_exclusive_writer;
SET ROLE regress_contacts_rule_exclusive;
GRANT USAGE ON SCHEMA rule_exclusive TO regress_contacts_rule_exclusive_writer;
GRANT INSERT ON contact TO regress_contacts_rule_exclusive_writer;
SET ROLE regress_contacts_rule_exclusive_writer;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('w@x.org')$$);
SET ROLE regress_contacts_rule_exclusive;
GRANT SELECT ON contact TO regress_contacts_rule_exclusive_writer;
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY anybody ON contact USING (id > 1) WITH CHECK (true);
SET ROLE regress_contacts_rule_exclusive_writer;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('w@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('a@x.org')$$);
SELECT id FROM contact ORDER BY id;
SET ROLE regress_contacts_rule_exclusive;
DROP POLICY anybody ON contact;
ALTER TABLE contact DISABLE ROW LEVEL SECURITY;

-- I1: the other exclusive kinds; their values are compared as they are
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (2, 'oauth', 'google:1')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'anonymous', 't2')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (2, 'anonymous', 't2')$$);
INSERT INTO identifier (contact_id, semantic_type, value) VALUES
	(2, 'oauth', 'GOOGLE:1'),
	(2, 'oauth', 't2'), -- another kind, another key
	(2, 'oauth', repeat('long ', 40000));
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'oauth', ' ')$$);
SELECT contact_id, semantic_type, left(value, 12), length(value) FROM identifier
WHERE contact_id = 2 AND semantic_type NOT IN ('email', 'phone') ORDER BY semantic_type, value COLLATE "C";

-- I1: exchanging emails goes through NULL
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = CASE id WHEN 1 THEN 'b@x.org' ELSE 'a@x.org' END$$);
BEGIN;
UPDATE contact SET email = NULL WHERE id = 1;
UPDATE contact SET email = 'a@x.org' WHERE id = 2;
UPDATE contact SET email = 'b@x.org' WHERE id = 1;
COMMIT;
SELECT * FROM person;
SELECT * FROM held WHERE kind = 'email';

-- a value passes from one contact to another in one UPDATE, the first in the
-- table letting go of it
INSERT INTO contact (id, email) VALUES (21, 'm@x.org'), (22, 'n@x.org'), (23, 'o@x.org');
UPDATE contact SET email = CASE id WHEN 21 THEN 'p@x.org' WHEN 22 THEN 'm@x.org' ELSE 'n@x.org' END WHERE id > 20;
SELECT * FROM person WHERE id > 20;
SELECT * FROM held WHERE contact > 20;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = CASE id WHEN 21 THEN 'm@x.org' WHEN 22 THEN 'z@x.org' END WHERE id IN (21, 22)$$);
DELETE FROM contact WHERE id > 20;

-- a value let go can be claimed at once, in the same transaction and later
BEGIN;
DELETE FROM contact WHERE id = 1;
INSERT INTO contact (id, email) VALUES (11, 'b@x.org'), (12, 'w@x.org');
COMMIT;
SELECT * FROM held WHERE kind = 'email';

SELECT * FROM contacts.check_directory('rule_exclusive');
SELECT contacts.drop_directory('rule_exclusive', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_exclusive, regress_contacts_rule_exclusive_writer;
DROP ROLE regress_contacts_rule_exclusive, regress_contacts_rule_exclusive_writer;
