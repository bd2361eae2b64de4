-- R1: at most one that has not ended, from either side, by unique indexes alone.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir link_single
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (id, first_name) SELECT n, chr(96 + n) FROM generate_series(1, 9) n;
INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Bolt');
CREATE FUNCTION pg_temp.link(type text, near bigint, far bigint, started_on date DEFAULT NULL, ended_on date DEFAULT NULL)
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO link_single.relationship (relationship_type_id, contact_id, related_contact_id, record_id, started_on, ended_on)
	SELECT t.id, $2, CASE t.object_type_id WHEN 1 THEN $3 END, CASE t.object_type_id WHEN 1 THEN NULL ELSE $3 END, $4, $5
	FROM link_single.relationship_type t WHERE t.name = $1 $$;
CREATE TEMP VIEW link AS
	SELECT r.id, t.name AS type, r.contact_id AS near, coalesce(r.related_contact_id, r.record_id) AS far, r.started_on, r.ended_on
	FROM relationship r JOIN relationship_type t ON t.id = r.relationship_type_id
	ORDER BY abs(r.id), r.id DESC;

-- spouses: whoever is named first, whoever is the other
SELECT pg_temp.link('spouse', 1, 2) \g /dev/null
SELECT s.near, s.far, f.line FROM (VALUES (1, 3), (3, 1), (2, 3), (3, 2), (2, 1)) s (near, far),
	pg_temp.fails(format($$SELECT pg_temp.link('spouse', %s, %s)$$, near, far)) f (line)
	WHERE f.line ~ '^(\d|ON)' ORDER BY 1, 2, 3;
SELECT s.near, s.far, f.line FROM (VALUES (1, 2), (2, 1)) s (near, far),
	pg_temp.fails(format($$SELECT pg_temp.link('spouse', %s, %s, '2020-01-01')$$, near, far)) f (line)
	WHERE f.line ~ '^(\d|ON)' ORDER BY 1, 2, 3;
-- two in one statement
SELECT line FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, n, 9 FROM relationship_type t, generate_series(7, 8) n WHERE t.name = 'spouse'$$) f (line) WHERE line ~ '^(\d|ON)';
-- remarriage, to another and to the same; an end can be taken back only while nobody came
UPDATE relationship SET ended_on = '2020-12-31' WHERE id = -1;
SELECT pg_temp.link('spouse', 3, 1) \g /dev/null
SELECT line FROM pg_temp.fails($$UPDATE relationship SET ended_on = NULL WHERE id = 1$$) f (line) WHERE line ~ '^(\d|ON)';
UPDATE relationship SET ended_on = '2021-12-31' WHERE contact_id = 3;
SELECT pg_temp.link('spouse', 2, 1, '2022-01-01') \g /dev/null
SELECT * FROM link;
-- ends that move
UPDATE relationship SET contact_id = 9 WHERE id = 12;
UPDATE relationship SET contact_id = 3 WHERE id = -12;
SELECT * FROM link WHERE started_on IS NOT NULL;

-- one from one side, many from the other
SELECT pg_temp.link('household_head', 4, 5) \g /dev/null
SELECT pg_temp.link('household_head', 6, 5) \g /dev/null
SELECT pg_temp.link('household_member', 5, 7) \g /dev/null
SELECT line FROM pg_temp.fails($$SELECT pg_temp.link('household_head', 4, 8)$$) f (line) WHERE line ~ '^(\d|ON)';
SELECT line FROM pg_temp.fails($$SELECT pg_temp.link('household_member', 8, 7)$$) f (line) WHERE line ~ '^(\d|ON)';
-- moving there is refused, from both sides
SELECT line FROM pg_temp.fails($$UPDATE relationship SET contact_id = 6 WHERE contact_id = 7$$) f (line) WHERE line ~ '^(\d|ON)';
SELECT line FROM pg_temp.fails($$UPDATE relationship SET related_contact_id = 6 WHERE related_contact_id = 7$$) f (line) WHERE line ~ '^(\d|ON)';
SELECT * FROM link WHERE type ~ 'household';

-- one for a record, one for the contact
INSERT INTO relationship_type (name, inverse_name, object_type_id, is_single, inverse_is_single)
	SELECT 'chair_of', 'chair', id, false, true FROM object_type WHERE api_name = 'organization';
INSERT INTO relationship_type (name, inverse_name, object_type_id, is_single, inverse_is_single)
	SELECT 'main_employer', 'main_employee', id, true, false FROM object_type WHERE api_name = 'organization';
SELECT pg_temp.link('chair_of', 1, 1), pg_temp.link('chair_of', 1, 2) \g /dev/null
SELECT line FROM pg_temp.fails($$SELECT pg_temp.link('chair_of', 2, 1)$$) f (line) WHERE line ~ '^(\d|ON)';
SELECT pg_temp.link('main_employer', 1, 1), pg_temp.link('main_employer', 2, 1) \g /dev/null
SELECT line FROM pg_temp.fails($$SELECT pg_temp.link('main_employer', 2, 2)$$) f (line) WHERE line ~ '^(\d|ON)';

-- is_primary is plain data
SELECT pg_temp.link('employer', 1, 1), pg_temp.link('employer', 1, 2) \g /dev/null
UPDATE relationship SET is_primary = true WHERE relationship_type_id = (SELECT id FROM relationship_type WHERE name = 'employer');

-- cardinality that changes reaches both rows, also in the transaction that changed it
BEGIN;
UPDATE relationship_type SET is_single = false WHERE name = 'household_head';
SELECT pg_temp.link('household_head', 4, 8) \g /dev/null
SELECT id, contact_id, is_single, inverse_is_single FROM relationship WHERE contact_id = 4 OR related_contact_id = 4 ORDER BY abs(id), id;
ROLLBACK;
SELECT line FROM pg_temp.fails($$SELECT pg_temp.link('household_head', 4, 8)$$) f (line) WHERE line ~ '^(\d|ON)';
SELECT DISTINCT r.is_single, r.inverse_is_single, is_mirror FROM relationship r
	JOIN relationship_type t ON t.id = r.relationship_type_id WHERE t.name = 'household_head' ORDER BY 3;

SELECT * FROM contacts.check_directory('link_single');
SET client_min_messages = warning;
SELECT contacts.drop_directory('link_single', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_link_single;
DROP ROLE regress_contacts_link_single;
