-- Chains of people: the shortest, from either end the same, as far as they are
-- to be sought
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir reading_path
\set ECHO none
\i :rules
\set ECHO all

-- the function that relates: both rows are made by the directory
CREATE FUNCTION pg_temp.link(type text, near bigint, far bigint, ended_on date DEFAULT NULL) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO reading_path.relationship (relationship_type_id, contact_id, related_contact_id, ended_on)
	SELECT t.id, near, far, ended_on FROM reading_path.relationship_type t WHERE t.name = type
$$;
INSERT INTO contact (id, first_name) SELECT n, 'Person ' || n FROM generate_series(1, 12) n;
SELECT pg_temp.link(type, near, far) FROM (VALUES
	('parent', 1, 2), ('sibling', 3, 2), ('manager', 3, 4), ('child', 4, 5), ('spouse', 6, 5), ('colleague', 6, 7),
	('referred_by', 8, 7)) v (type, near, far) \g /dev/null

-- what each is to the one before
SELECT * FROM relationship_path(1, 7);
-- the same chain from the other end
SELECT * FROM relationship_path(7, 1);
SELECT p.step, p.type, r.contact_id AS from_contact, r.related_contact_id AS to_contact
FROM relationship_path(7, 1) p JOIN relationship r ON r.id = p.relationship_id ORDER BY p.step;
-- no further than asked for: six links if nothing is said
SELECT count(*) FROM relationship_path(1, 8);
SELECT max(step) FROM relationship_path(1, 8, 7);
SELECT count(*) FROM relationship_path(1, 3, 1);
SELECT max(step) FROM relationship_path(1, 3, 2);
SELECT count(*) FROM relationship_path(1, 2, 0);
-- oneself
SELECT * FROM relationship_path(5, 5);
SELECT * FROM relationship_path(5, 5, 0);
-- nobody, no chain
SELECT count(*) FROM relationship_path(1, 12);
SELECT count(*) FROM relationship_path(1, 99);
SELECT count(*) FROM relationship_path(99, 99);
SELECT count(*) FROM relationship_path(NULL, 1);
SELECT count(*) FROM relationship_path(1, NULL);
SELECT count(*) FROM relationship_path(1, 2, NULL);
SELECT * FROM pg_temp.fails('SELECT * FROM relationship_path(1, 2, -1)');
SELECT * FROM pg_temp.fails('SELECT * FROM relationship_path(1, 1, -1)');
-- round and round
SELECT pg_temp.link('colleague', 1, 3) \g /dev/null
SELECT pg_temp.link('colleague', 8, 1) \g /dev/null
SELECT step, contact_id, type FROM relationship_path(1, 7);
SELECT step, contact_id, type FROM relationship_path(2, 5);
-- a link that has ended leads nowhere, on whichever side it was ended
UPDATE relationship SET ended_on = '2020-02-02' WHERE contact_id = 7 AND related_contact_id = 8;
SELECT step, contact_id, type FROM relationship_path(1, 7);
UPDATE relationship SET ended_on = NULL WHERE contact_id = 8 AND related_contact_id = 7;
SELECT max(step) FROM relationship_path(1, 7);
-- neither does an organization
INSERT INTO organization (id, name) VALUES (1, 'Acme');
INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	SELECT t.id, n, 1 FROM relationship_type t, generate_series(11, 12) n WHERE t.name = 'employer';
SELECT count(*) FROM relationship_path(11, 12);
-- within a statement that writes, what was there before it
WITH linked AS (
	INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, 11, 12 FROM relationship_type t WHERE t.name = 'colleague' RETURNING id)
SELECT (SELECT count(*) FROM linked) AS linked, (SELECT count(*) FROM relationship_path(11, 12)) AS steps;
SELECT count(*) FROM relationship_path(11, 12);
-- any number of searches in one statement
SELECT c.id, (SELECT max(p.step) FROM relationship_path(1, c.id) p) AS distance FROM contact c ORDER BY c.id;

-- Many people: chains are as short as those of a search from one end, and each
-- step is a link that goes on.
INSERT INTO contact (id, first_name) SELECT n, 'Person ' || n FROM generate_series(101, 500) n;
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, ended_on)
	SELECT DISTINCT ON (least(near, far), greatest(near, far)) t.id, near, far, ended_on
	FROM (SELECT 101 + n % 400 AS near, 101 + (n * n * 7 + n * 31 + 3) % 397 AS far,
			CASE WHEN n % 5 = 0 THEN '2020-02-02'::date END AS ended_on FROM generate_series(1::bigint, 560) n) v,
		relationship_type t
	WHERE near <> far AND t.name = 'manager'
	ORDER BY least(near, far), greatest(near, far), near;
CREATE TEMP TABLE pair AS
	SELECT 101 + n AS near, 101 + (n * 13 + 5) % 400 AS far FROM generate_series(0, 99) n;
CREATE TEMP TABLE found AS
	SELECT near, far, p.* FROM pair, relationship_path(near, far, 9) p;
CREATE TEMP TABLE distance AS
	WITH RECURSIVE reached (near, contact_id, depth) AS (
		SELECT DISTINCT near, near::bigint, 0 FROM pair
		UNION
		SELECT d.near, r.related_contact_id, d.depth + 1
		FROM reached d JOIN relationship r ON r.contact_id = d.contact_id AND r.ended_on IS NULL AND r.related_contact_id IS NOT NULL
		WHERE d.depth < 9)
	SELECT near, contact_id AS far, min(depth) AS depth FROM reached GROUP BY near, contact_id;
SELECT count(*) FILTER (WHERE f.steps IS NOT NULL) > 20 AS some_have_chains,
	count(*) FILTER (WHERE f.steps IS NULL) > 5 AS some_have_none,
	count(DISTINCT f.steps) > 4 AS of_many_lengths,
	count(*) FILTER (WHERE f.steps IS DISTINCT FROM d.depth) AS of_wrong_length
FROM pair p
	LEFT JOIN (SELECT near, far, max(step) AS steps FROM found GROUP BY near, far) f USING (near, far)
	LEFT JOIN distance d USING (near, far);
SELECT count(*) AS steps_that_are_no_link
FROM found a JOIN found b ON (b.near, b.far, b.step) = (a.near, a.far, a.step + 1)
	LEFT JOIN relationship r ON r.id = b.relationship_id AND r.contact_id = a.contact_id
		AND r.related_contact_id = b.contact_id AND r.ended_on IS NULL
	LEFT JOIN relationship_type t ON t.id = r.relationship_type_id AND t.name = b.type
WHERE t.id IS NULL;
SELECT count(*) AS chains_that_do_not_begin_or_end
FROM pair p
WHERE EXISTS (SELECT FROM found f WHERE (f.near, f.far) = (p.near, p.far))
	AND NOT (EXISTS (SELECT FROM found f WHERE (f.near, f.far, f.step, f.contact_id) = (p.near, p.far, 0, p.near) AND f.type IS NULL)
		AND EXISTS (SELECT FROM found f WHERE (f.near, f.far, f.contact_id) = (p.near, p.far, p.far)));

-- more people on a level than are looked up or fetched at once: 101 knows 2500
-- people, each of whom knows another one, and one of these knows 102
INSERT INTO contact (id, first_name) SELECT n, 'Person ' || n FROM generate_series(1001, 6001) n;
DELETE FROM relationship WHERE contact_id IN (101, 102);
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, near, far FROM relationship_type t, (
		SELECT 101, 1000 + n FROM generate_series(1, 2500) n
		UNION ALL SELECT 3500 + n, 1000 + n FROM generate_series(1, 2500) n
		UNION ALL SELECT 6001, 102 UNION ALL SELECT 5999, 6001) v (near, far)
	WHERE t.name = 'colleague';
SELECT step, contact_id FROM relationship_path(101, 102);
SELECT step, contact_id FROM relationship_path(102, 101);
SELECT step, contact_id FROM relationship_path(101, 3500);
-- nobody is left to ask
SELECT count(*) FROM relationship_path(101, 12, 1000000);

-- the rights and the row security of whoever asks
RESET ROLE;
CREATE ROLE regress_contacts_seeker;
GRANT USAGE ON SCHEMA reading_path TO regress_contacts_seeker;
GRANT SELECT ON relationship_type TO regress_contacts_seeker;
GRANT SELECT (id) ON contact TO regress_contacts_seeker;
SET ROLE regress_contacts_seeker;
SELECT * FROM pg_temp.fails('SELECT * FROM relationship_path(1, 2)');
SELECT * FROM pg_temp.fails($$SELECT * FROM contacts.relationship_path('relationship', 1, 2, 6)$$);
RESET ROLE;
GRANT SELECT ON relationship TO regress_contacts_seeker;
SET ROLE regress_contacts_seeker;
SELECT step, contact_id FROM relationship_path(2, 4);
SELECT * FROM pg_temp.fails('SELECT * FROM contacts.relationship_path(0, 1, 2, 6)');
RESET ROLE;
ALTER TABLE relationship ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_three ON relationship USING (3 NOT IN (contact_id, related_contact_id));
SET ROLE regress_contacts_seeker;
SELECT step, contact_id FROM relationship_path(2, 4);
SELECT step, contact_id FROM relationship_path(4, 5);

RESET ROLE;
SET client_min_messages = warning;
SELECT contacts.drop_directory('reading_path', cascade => true);
DROP OWNED BY regress_contacts_reading_path;
DROP ROLE regress_contacts_reading_path, regress_contacts_seeker;
