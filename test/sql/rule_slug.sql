-- I5: a slug is unique per semantic type per contact
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_slug
\set ECHO none
\i :rules
\set ECHO all

-- I5: the catalogue is rows; every type gets main by itself
SELECT * FROM identifier_slug ORDER BY semantic_type, slug;
INSERT INTO semantic_type (name) VALUES ('badge'), ('locker');
INSERT INTO identifier_slug VALUES ('badge', 'spare');
SELECT * FROM identifier_slug WHERE semantic_type IN ('badge', 'locker') ORDER BY semantic_type, slug;
SELECT * FROM pg_temp.fails($$INSERT INTO identifier_slug VALUES ('badge', 'Upper')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO semantic_type (name) VALUES ('Badge 2')$$);

-- I5: a Work email and a Work phone are fine, two Work emails are not
INSERT INTO contact (first_name) VALUES ('Ada'), ('Bob');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES
	(1, 'email', 'work', 'a@x.org'), (1, 'phone', 'work', '+49301234500'), (2, 'email', 'work', 'b@x.org');
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'work', 'c@x.org')$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET contact_id = 1 WHERE contact_id = 2$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'secretary', 'c@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'oauth', 'work', 'c')$$);

-- I5: the default is main where free, else none; unlabelled ones in any number
INSERT INTO identifier (contact_id, semantic_type, value) VALUES
	(1, 'anonymous', 't1'), (1, 'anonymous', 't2'), (1, 'anonymous', 't3'), (2, 'anonymous', 't4'),
	(1, 'email', 'd@x.org'), (1, 'email', 'e@x.org');
SELECT * FROM held;
SELECT id, email FROM contact ORDER BY id;
-- without a label explicitly is the same thing
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', NULL, 'f@x.org');
SELECT id, email FROM contact ORDER BY id;
-- a label may be taken away and given
UPDATE identifier SET slug = NULL WHERE value = 'f@x.org';
SELECT id, email FROM contact ORDER BY id;
UPDATE identifier SET slug = 'main' WHERE value = 'b@x.org';
SELECT id, email FROM contact ORDER BY id;
-- a moved one has no label of its own at its new contact unless it brings one
UPDATE identifier SET contact_id = 2 WHERE value IN ('t2', 't3', 'e@x.org');
SELECT * FROM held WHERE contact = 2;
UPDATE identifier SET contact_id = 2, slug = 'personal' WHERE value = 'd@x.org';
SELECT * FROM held WHERE contact = 2 AND kind = 'email';
SELECT id, email FROM contact ORDER BY id;

-- I5: slug main cannot be removed or renamed, one in use cannot be removed
SELECT * FROM pg_temp.fails($$DELETE FROM identifier_slug WHERE semantic_type = 'locker'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier_slug SET slug = 'first' WHERE semantic_type = 'locker'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier_slug SET semantic_type = 'badge' WHERE semantic_type = 'locker'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier_slug WHERE slug = 'work'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier_slug SET slug = 'job' WHERE slug = 'work' AND semantic_type = 'phone'$$);
SET client_min_messages = warning;
SELECT * FROM pg_temp.fails($$TRUNCATE identifier_slug CASCADE$$);
RESET client_min_messages;
DELETE FROM identifier_slug WHERE slug = 'billing';
UPDATE identifier_slug SET slug = 'reserve' WHERE slug = 'spare';
SELECT * FROM identifier_slug ORDER BY semantic_type, slug;

SELECT * FROM contacts.check_directory('rule_slug');
SELECT contacts.drop_directory('rule_slug', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_slug;
DROP ROLE regress_contacts_rule_slug;
