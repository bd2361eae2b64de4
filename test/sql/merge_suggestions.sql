-- Merging contacts that suggestions name, and undoing it
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir merge_suggestions
\set ECHO none
\i :rules
\set ECHO all

CREATE TEMP VIEW pairs AS SELECT id, contact_id, other_id, state FROM merge_suggestion ORDER BY id;
INSERT INTO contact (first_name, last_name, email)
	SELECT 'First' || n, 'Last', 'p' || n || '@x.org' FROM generate_series(1, 5) n;
INSERT INTO merge_suggestion (contact_id, other_id, state) VALUES
	(2, 4, 'open'), (2, 3, 'dismissed'), (3, 4, 'open'), (1, 2, 'open'), (4, 5, 'open'), (1, 5, 'open');

-- the pair goes; 1 and 4 come in order; a no to 2 and 3 holds for 4 and 3
SELECT contacts.merge_contacts(:'dir', 4, '{2}') -> 'tables' -> 'merge_suggestions.merge_suggestion' AS rows;
TABLE pairs;
SELECT * FROM contacts.unmerge(:'dir', 1);
TABLE pairs;

-- several at once, all pairs of them
SELECT contacts.merge_contacts(:'dir', 3, '{1,2,4}') -> 'tables' -> 'merge_suggestions.merge_suggestion' AS rows;
TABLE pairs;
SELECT * FROM contacts.unmerge(:'dir', 2);
TABLE pairs;

-- a survivor that was deleted does not come back
SELECT contacts.merge_contacts(:'dir', 4, '{5}') ->> 'merge_id' AS merge;
DELETE FROM contact WHERE id = 4;
SELECT pg_temp.fails(format('SELECT contacts.unmerge(%L, 3)', :'dir'));

-- a number that both have, main one of the loser, who has another
INSERT INTO contact (id, first_name, mobile_phone) VALUES (11, 'Ada', '+49301234501'), (12, 'Bo', '+49301234501');
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (12, 'phone', '+49301234502');
SELECT contacts.merge_contacts(:'dir', 11, '{12}') ->> 'merge_id' AS merge;
SELECT * FROM contacts.unmerge(:'dir', 4);
SELECT contact_id, slug, value FROM identifier WHERE semantic_type = 'phone' ORDER BY contact_id, slug;

SELECT * FROM contacts.check_directory(:'dir', true);
\set ECHO none
SET client_min_messages = warning;
SELECT contacts.drop_directory(:'dir', cascade => true) \g /dev/null
RESET ROLE;
SELECT format('DROP OWNED BY regress_contacts_%1$s; DROP ROLE regress_contacts_%1$s', :'dir') \gexec
