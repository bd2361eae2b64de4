-- Pairs of contacts that may be one person: what finds them, what keeps them out
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir duplicates_find
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Other');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, organization_id) VALUES
	-- one mailbox; the second pair has nothing else in common
	(1, 'Anna', 'Arp', 'anna.arp@gmail.com', NULL, NULL), (2, 'Anna', 'Arp', 'annaarp+news@gmail.com', NULL, NULL),
	(3, 'Bodo', 'Beck', 'team@x.org', NULL, NULL), (4, 'Xenia', 'Quast', 'team+q@x.org', NULL, NULL),
	-- diacritics, swapped, alike
	(5, 'Jürgen', 'Müller', 'c@x.org', NULL, NULL), (6, 'Jurgen', 'MULLER', 'd@x.org', NULL, NULL),
	(7, 'Emil', 'Egger', 'e@x.org', NULL, NULL), (8, 'Egger', 'Emil', 'f@x.org', NULL, NULL),
	(9, 'Catherine', 'Fischer', 'g@x.org', NULL, NULL), (10, 'Katherine', 'Fisher', 'h@x.org', NULL, NULL),
	-- one name and organization; one name; organization and initials alone say nothing
	(11, 'Gerd', 'Gut', 'i@x.org', NULL, 1), (12, 'Gerd', 'Gut', 'j@x.org', NULL, 1),
	(13, 'Hans', 'Horn', 'k@x.org', NULL, 1), (14, 'Hans', 'Horn', 'l@x.org', NULL, 2),
	(15, 'Ida', 'Igel', 'm@x.org', NULL, 2), (16, 'Ivo', 'Ingwer', 'n@x.org', NULL, 2),
	-- a phone number of both
	(17, 'Karl', 'Kunz', 'o@x.org', NULL, NULL), (18, 'Karla', 'Kunz', 'p@x.org', NULL, NULL),
	-- a misspelt name that organization and initials lead to
	(19, 'Lisbeth', 'Langermann', 'q@x.org', NULL, 2), (20, 'Lisbeth', 'Langemann', 'r@x.org', NULL, 2);
UPDATE contact SET business_phone = '+49301234501' WHERE id IN (17, 18);
INSERT INTO contact (id, last_name, mononym, email) VALUES (21, 'Madonna', true, 's@x.org'), (22, 'madonna', true, 't@x.org');
SELECT * FROM contacts.find_duplicates('duplicates_find');
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_find', 2);
SELECT count(*) FROM contacts.find_duplicates('duplicates_find', NULL);
SELECT count(*) FROM contacts.find_duplicates('duplicates_find', 0);

-- a mailbox among the other addresses
INSERT INTO contact (id, first_name, last_name, email) VALUES (30, 'Nora', 'Nagel', 'u@x.org'), (31, 'Nora', 'Zorn', 'nora@x.org');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (30, 'email', 'work', 'nora+work@x.org');
SELECT * FROM contacts.find_duplicates('duplicates_find') WHERE other_id = 31;

-- neither ghosts nor archived contacts
ALTER TABLE contact ALTER id RESTART WITH 40;
SELECT create_ghost('one'), create_ghost('two');
UPDATE contact SET first_name = 'Oda', organization_id = 1 WHERE id IN (40, 41);
UPDATE contact SET archived_at = now() WHERE id IN (12, 31);
SELECT id, contact_type FROM contact WHERE id IN (40, 41) ORDER BY id;
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_find') WHERE other_id IN (12, 31, 41);
-- not with a whole name either
UPDATE contact SET last_name = 'Orth' WHERE id IN (40, 41);
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_find') WHERE other_id IN (12, 31, 41);
DELETE FROM contact WHERE id IN (40, 41);
UPDATE contact SET archived_at = NULL WHERE id IN (12, 31);

-- a no is remembered, in either order, also where the pair was suggested before
SELECT contacts.suggest_duplicates('duplicates_find', 3);
SELECT contacts.suggest_duplicates('duplicates_find', 3);
SELECT contact_id, other_id, score, reasons, source, state FROM merge_suggestion ORDER BY contact_id;
SELECT dismiss_duplicate(2, 1), dismiss_duplicate(21, 22);
SELECT contacts.suggest_duplicates('duplicates_find', NULL);
SELECT contact_id, other_id, source, state FROM merge_suggestion ORDER BY contact_id;
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_find') WHERE contact_id IN (1, 21);
SELECT pg_temp.fails('SELECT dismiss_duplicate(1, 1)') LIMIT 1;
SELECT pg_temp.fails('SELECT dismiss_duplicate(1, 999)');
-- what identify() saw is not replaced by a comparison; what changed is
UPDATE merge_suggestion SET source = 'identify', score = 1, reasons = '{seen}' WHERE contact_id = 5;
UPDATE contact SET first_name = 'Jürgen' WHERE id = 6;
UPDATE contact SET organization_id = 1 WHERE id IN (7, 8);
SELECT contacts.suggest_duplicates('duplicates_find', NULL);
SELECT contact_id, score, reasons, source FROM merge_suggestion WHERE contact_id IN (5, 7) ORDER BY contact_id;

-- since: one of a pair changed, or got an address; what came past the triggers
-- does no harm
RESET ROLE;
SET session_replication_role = replica;
UPDATE contact SET updated_at = '2020-01-01' WHERE id <> 10;
UPDATE identifier SET created_at = '2020-01-01' WHERE contact_id <> 31;
INSERT INTO identifier (contact_id, semantic_type, slug, value, created_at) VALUES (30, 'email', 'bad', 'none', '2020-01-01');
RESET session_replication_role;
SET ROLE regress_contacts_duplicates_find;
SELECT contact_id, other_id FROM contacts.find_duplicates('duplicates_find', since => '2021-01-01') ORDER BY 1;
SELECT count(*) FROM contacts.find_duplicates('duplicates_find', since => '2019-01-01');
SELECT count(*) FROM contacts.find_duplicates('duplicates_find', since => 'infinity');

SELECT pg_temp.fails($$SELECT contacts.find_duplicates('pg_catalog')$$);
SELECT pg_temp.fails($$SELECT contacts.suggest_duplicates('nowhere')$$);
SELECT pg_temp.fails($$SELECT contacts.duplicate_pairs(NULL, NULL)$$);
SELECT pg_temp.fails($$SELECT contacts.find_duplicates(NULL)$$);
SELECT pg_temp.fails($$SELECT contacts.find_duplicates('duplicates_find', -1)$$);
SELECT pg_temp.fails($$SELECT dismiss_duplicate(NULL, 1)$$) LIKE '23502%' AS is_missing LIMIT 1;

-- what was found once and is not any more is withdrawn, where all are looked for
INSERT INTO contact (id, first_name, last_name, email, business_phone) VALUES
	(90, 'Solveig', 'Quist', 'sq@x.org', '+46701239001'), (91, 'Solveig', 'Quist', 'sq@y.org', '+46701239001');
SELECT contacts.suggest_duplicates('duplicates_find', NULL) > 0 AS stored;
SELECT state FROM merge_suggestion WHERE contact_id = 90;
UPDATE contact SET first_name = 'Tove', last_name = 'Holm', business_phone = NULL WHERE id = 91;
SELECT contacts.suggest_duplicates('duplicates_find');
SELECT state FROM merge_suggestion WHERE contact_id = 90;
SELECT contacts.suggest_duplicates('duplicates_find', NULL);
SELECT state FROM merge_suggestion WHERE contact_id = 90;
SELECT DISTINCT state, source FROM merge_suggestion ORDER BY 1, 2;

-- two large mailboxes of people of all names do not crowd out the likeliest pair
INSERT INTO contact (id, first_name, last_name, email)
	SELECT 1000 + n, translate(md5('f' || n), '0123456789', 'ghijklmnop'), translate(md5('l' || n), '0123456789', 'ghijklmnop'),
		format('team%s+%s@y.org', n % 2, n)
	FROM generate_series(1, 180) n;
INSERT INTO contact (id, first_name, last_name, email, business_phone) VALUES
	(9001, 'Anna', 'Arp', 'aa@x.org', '+46701239002'), (9002, 'Anna', 'Arp', 'aa@y.org', '+46701239002');
SELECT contact_id, other_id, score FROM contacts.find_duplicates('duplicates_find') WHERE contact_id = 9001;

SELECT contacts.drop_directory('duplicates_find', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_duplicates_find;
DROP ROLE regress_contacts_duplicates_find;
