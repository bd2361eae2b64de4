-- Reading relationships: the same links from either side, from people and from
-- records (R2, R3); households
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir reading_views
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, last_name, email) VALUES
	(1, 'Anna', 'Berg', 'anna@x.org'), (2, 'Berta', 'Berg', NULL), (3, 'Carl', 'Berg', NULL),
	(4, 'Dora', 'Lund', NULL), (5, NULL, NULL, 'e@x.org'), (6, 'Finn', NULL, NULL);
INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Bolt');
CREATE TEMP VIEW type_id AS SELECT name, id FROM relationship_type;
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, started_on, ended_on, note, is_primary)
SELECT t.id, v.contact_id, v.related_contact_id, v.started_on::date, v.ended_on::date, v.note, v.is_primary
FROM (VALUES
	('parent', 1, 2, NULL, NULL, 'by birth', true),
	('child', 3, 1, NULL, NULL, NULL, false),
	('spouse', 2, 3, '2001-01-01', '2010-12-31', 'divorced', false),
	('spouse', 3, 4, '2015-05-05', NULL, NULL, false),
	('referred_by', 1, 5, NULL, NULL, NULL, false)) v (type, contact_id, related_contact_id, started_on, ended_on, note, is_primary)
	JOIN type_id t ON t.name = v.type;
INSERT INTO relationship (relationship_type_id, contact_id, record_id, started_on, ended_on, note, is_primary)
SELECT t.id, v.contact_id, v.record_id, v.started_on::date, v.ended_on::date, v.note, v.is_primary
FROM (VALUES
	('employer', 1, 1, '2019-01-01', '2020-12-31', 'trainee', false),
	('employer', 1, 1, '2021-01-01', NULL, 'engineer', true),
	('employer', 2, 1, NULL, NULL, NULL, false),
	('employer', 2, 2, NULL, NULL, NULL, false)) v (type, contact_id, record_id, started_on, ended_on, note, is_primary)
	JOIN type_id t ON t.name = v.type;

-- each link of two contacts is there once from each side
SELECT contact_id, type, label, related_contact_id AS related, related_name, related_contact_type, started_on, ended_on, note, is_primary
FROM related_contact ORDER BY contact_id, type, related_contact_id;
SELECT count(*) AS links_whose_sides_differ
FROM related_contact v LEFT JOIN related_contact w ON w.relationship_id = -v.relationship_id
WHERE (w.contact_id, w.related_contact_id, w.note, w.started_on, w.ended_on, w.is_primary)
	IS DISTINCT FROM (v.related_contact_id, v.contact_id, v.note, v.started_on, v.ended_on, v.is_primary);

-- R3: from the record's side, under the inverse name
SELECT object, record_id, record_uuid, type, label, contact_id, name, contact_type, started_on, ended_on, note, is_primary
FROM record_relationship ORDER BY object, record_id, contact_id, started_on;

-- the functions: what is, of one type or all, and what was
SELECT type, related_contact_id, related_name FROM related(1);
SELECT type, related_contact_id, related_name FROM related(1, 'parent');
SELECT type, related_contact_id, related_name FROM related(2, 'spouse');
SELECT type, related_contact_id, related_name, ended_on FROM related(2, 'spouse', include_ended => true);
SELECT type, related_contact_id, related_name FROM related(3, 'spouse', true);
SELECT count(*) FROM related(1, 'no such type');
SELECT count(*) FROM related(99);
SELECT count(*) FROM related(NULL);

-- other words show at once; more columns change nothing
UPDATE relationship_type SET label = 'Mother or father' WHERE name = 'parent';
ALTER TABLE contact ADD COLUMN shoe_size integer;
ALTER TABLE relationship ADD COLUMN weight integer;
SELECT label, related_name FROM related(1, 'parent');
SELECT label FROM related(2, 'child');

-- a household is who is connected over its types, by links that go on
SELECT household(3);
SELECT household(1);
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, v.member, v.head
	FROM (VALUES (1, 3), (6, 1)) v (member, head) JOIN type_id t ON t.name = 'household_head';
SELECT household(4) UNION SELECT household(6) ORDER BY 1;
SELECT household(6);
-- round and round
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, 4, 6 FROM type_id t WHERE t.name = 'household_head';
SELECT household(1);
UPDATE relationship SET ended_on = '2022-02-02' WHERE contact_id = 3 AND related_contact_id = 1
	AND relationship_type_id = (SELECT id FROM type_id WHERE name = 'household_member');
UPDATE relationship SET ended_on = '2022-02-02' WHERE contact_id = 6 AND related_contact_id = 4;
SELECT household(1);
SELECT household(3);
SELECT count(*) FROM household(99);
SELECT count(*) FROM household(NULL);
UPDATE relationship_type SET is_household = true WHERE name = 'parent';
SELECT household(2);

-- they read with the rights of whoever asks
RESET ROLE;
CREATE ROLE regress_contacts_reader;
GRANT USAGE ON SCHEMA reading_views TO regress_contacts_reader;
GRANT SELECT ON related_contact, record_relationship TO regress_contacts_reader;
SET ROLE regress_contacts_reader;
SELECT * FROM pg_temp.fails('SELECT * FROM related_contact');
SELECT * FROM pg_temp.fails('SELECT * FROM record_relationship');
SELECT * FROM pg_temp.fails('SELECT * FROM related(1)');
SELECT * FROM pg_temp.fails('SELECT household(1)');
RESET ROLE;
GRANT SELECT ON relationship, relationship_type, object_type, contact TO regress_contacts_reader;
SET ROLE regress_contacts_reader;
SELECT (SELECT count(*) FROM related_contact) AS people, (SELECT count(*) FROM record_relationship) AS records,
	(SELECT count(*) FROM related(1)) AS related, (SELECT count(*) FROM household(1)) AS household;
-- and row security is theirs, too: who is hidden is not named
RESET ROLE;
SET ROLE regress_contacts_reading_views;
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_dora ON contact USING (id <> 4);
SET ROLE regress_contacts_reader;
SELECT related_contact_id FROM related(3) ORDER BY 1;
SELECT count(*) FROM household(4);

RESET ROLE;
SET client_min_messages = warning;
SELECT contacts.drop_directory('reading_views', cascade => true);
DROP OWNED BY regress_contacts_reading_views;
DROP ROLE regress_contacts_reading_views, regress_contacts_reader;
