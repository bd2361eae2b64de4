-- Kinds of one value type meet on one key (rule I10): a value that a contact
-- holds, or left behind, under another kind becomes a main one like any other.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir review_kinds
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO semantic_type (name, value_type, is_contactable) VALUES ('list_email', 'email', true);
INSERT INTO identifier_slug VALUES ('list_email', 'work');
INSERT INTO contact (id, first_name, email) VALUES
	(1, 'Ada', 'a@x.org'), (2, 'Bob', 'b@x.org'), (3, 'Cy', NULL), (4, 'Di', 'd@x.org');
INSERT INTO identifier (contact_id, semantic_type, slug, value, status) VALUES
	(1, 'list_email', 'main', 'a2@x.org', 'not_opted_in'), (2, 'list_email', 'work', 'b2@x.org', 'not_opted_in'),
	(3, 'list_email', NULL, 'c@x.org', 'opted_in'), (4, 'list_email', NULL, 'd2@x.org', 'suppressed'),
	(4, 'list_email', 'work', 'd3@x.org', 'unsubscribed');

-- held under the other kind
UPDATE contact SET email = 'a2@x.org' WHERE id = 1;
UPDATE contact SET email = 'b2@x.org' WHERE id = 2;
UPDATE contact SET email = 'c@x.org' WHERE id = 3;
UPDATE contact SET email = 'd2@x.org' WHERE id = 4;
SELECT c.id, c.email, c.email_status, c.is_reachable, i.semantic_type, i.slug, i.value, i.status
FROM contact c JOIN identifier i ON i.contact_id = c.id ORDER BY c.id, i.value;
SELECT * FROM contacts.check_directory('review_kinds');

-- left behind under the other kind
DELETE FROM contact WHERE id = 4;
SELECT semantic_type, value, status FROM identifier WHERE contact_id IS NULL ORDER BY value;
INSERT INTO contact (id, email) VALUES (5, 'd2@x.org'), (6, 'd3@x.org');
SELECT c.id, c.email, c.email_status, i.semantic_type, i.slug, i.status
FROM contact c JOIN identifier i ON i.contact_id = c.id WHERE c.id > 4 ORDER BY c.id;

-- else the kind of a suppressed value stays
SELECT * FROM pg_temp.fails($$UPDATE identifier SET semantic_type = 'list_email' WHERE contact_id = 5$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET semantic_type = 'oauth' WHERE contact_id = 6$$);
SELECT * FROM contacts.check_directory('review_kinds');

SET client_min_messages = warning;
SELECT contacts.drop_directory('review_kinds', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_review_kinds;
DROP ROLE regress_contacts_review_kinds;
