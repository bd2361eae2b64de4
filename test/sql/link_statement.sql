-- R2: whatever statement writes links, and whatever users added to the table.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir link_statement
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (id, first_name) SELECT n, 'n' || n FROM generate_series(1, 200) n;
INSERT INTO organization (id, name) VALUES (1, 'Acme');
CREATE TEMP VIEW link AS
	SELECT r.id, t.name AS type, r.contact_id AS near, coalesce(r.related_contact_id, r.record_id) AS far, r.started_on, r.note
	FROM relationship r JOIN relationship_type t ON t.id = r.relationship_type_id
	ORDER BY abs(r.id), r.id DESC;
-- rows, and pairs whose rows are each other's mirrors
CREATE TEMP VIEW pairs AS
	SELECT count(*) AS rows, count(*) FILTER (WHERE related_contact_id IS NULL) AS to_records,
		count(*) FILTER (WHERE EXISTS (SELECT FROM relationship m WHERE m.id = -r.id AND m.contact_id = r.related_contact_id
			AND m.related_contact_id = r.contact_id AND m.relationship_type_id = r.inverse_type_id
			AND m.inverse_type_id = r.relationship_type_id AND m.is_single = r.inverse_is_single
			AND (m.started_on, m.ended_on, m.note, m.is_primary)
				IS NOT DISTINCT FROM (r.started_on, r.ended_on, r.note, r.is_primary))) AS paired
	FROM relationship r;
SELECT id AS parent FROM relationship_type WHERE name = 'parent' \gset
SELECT id AS child FROM relationship_type WHERE name = 'child' \gset
SELECT id AS sibling FROM relationship_type WHERE name = 'sibling' \gset
SELECT id AS employer FROM relationship_type WHERE name = 'employer' \gset

-- no row at all
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) SELECT :parent, 1, 2 WHERE false;
UPDATE relationship SET note = 'x';
DELETE FROM relationship;

-- many at once, more than are written together
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, note)
	SELECT CASE (a + b) % 2 WHEN 0 THEN :parent ELSE :sibling END, a, b, 'to ' || b
	FROM generate_series(1, 150) a, generate_series(1, 150) b WHERE a < b AND (a + b) % 5 < 3;
SELECT * FROM pairs;
UPDATE relationship SET note = note || '!', started_on = '2020-01-01' WHERE contact_id % 2 = 0;
SELECT * FROM pairs;
SELECT count(*) FILTER (WHERE note LIKE '%!') AS once, count(*) FILTER (WHERE note LIKE '%!!') AS twice FROM relationship;
UPDATE relationship SET relationship_type_id = inverse_type_id, contact_id = related_contact_id, related_contact_id = contact_id
	WHERE id BETWEEN -3000 AND 3000;
SELECT * FROM pairs;
DELETE FROM relationship WHERE contact_id % 3 = 0;
SELECT * FROM pairs;
DELETE FROM contact WHERE id % 3 = 1;
SELECT * FROM pairs;
DELETE FROM relationship;
ALTER TABLE relationship ALTER id RESTART WITH 1;

-- COPY: of links, of both rows in any order, of an export, of links twice
COPY relationship (relationship_type_id, contact_id, related_contact_id, started_on) FROM stdin;
4	2	3	2020-01-01
5	6	5	\N
2	5	6	\N
\.
COPY relationship (id, relationship_type_id, contact_id, related_contact_id) FROM stdin;
-10	5	9	8
10	4	8	9
11	2	8	9
-11	2	9	8
12	2	8	11
\.
SELECT * FROM link;
SELECT * FROM pairs;
CREATE TEMP TABLE export AS TABLE relationship;
DELETE FROM relationship;
INSERT INTO relationship SELECT * FROM export ORDER BY id;
SELECT * FROM pairs;
INSERT INTO relationship SELECT * FROM export ORDER BY id DESC ON CONFLICT DO NOTHING;
SELECT * FROM pairs;
DELETE FROM relationship;
INSERT INTO relationship SELECT * FROM export WHERE id > 0;
SELECT count(*) FROM export e JOIN relationship r ON r = e;
COPY relationship (relationship_type_id, contact_id, related_contact_id) FROM stdin;
2	12	14
2	14	12
\.
-- mirrors that are none
SELECT line FROM (VALUES ('-20, 2, 8, 12'), ('-1, 4, 2, 3'), ('-12, 2, 11, 14')) v (v),
	pg_temp.fails(format('INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id) VALUES (%s)', v)) f (line);
SELECT line FROM pg_temp.fails($$INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, note)
	VALUES (21, 2, 8, 12, 'a'), (-21, 2, 12, 8, 'b')$$) f (line);
SELECT line FROM pg_temp.fails($$INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id)
	VALUES (21, 4, 8, 12), (-21, 4, 12, 8)$$) f (line) LIMIT 2;

-- upsert
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, note)
	VALUES (1, 4, 2, 3, 'up'), (30, 2, 14, 15, 'new'), (-30, 2, 15, 14, 'new'), (31, 2, 14, 17, 'new')
	ON CONFLICT (id) DO UPDATE SET note = excluded.note;
SELECT * FROM link WHERE note IS NOT NULL;
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, note) VALUES (4, 2, 3, 'no'), (5, 15, 12, 'new')
	ON CONFLICT DO NOTHING;
SELECT * FROM pairs;

-- MERGE: all that it can do, at once
MERGE INTO relationship r USING (VALUES (1, 'merged'), (30, NULL), (-31, 'mirror'), (99, 'made')) s (id, note) ON r.id = s.id
	WHEN MATCHED AND s.note IS NULL THEN DELETE
	WHEN MATCHED THEN UPDATE SET note = s.note
	WHEN NOT MATCHED THEN INSERT (id, relationship_type_id, contact_id, related_contact_id, note) VALUES (s.id, 4, 18, 20, s.note);
SELECT * FROM link WHERE abs(id) IN (1, 30, 31, 99);
SELECT * FROM pairs;

-- several parts of one statement; savepoints
WITH made AS (
	INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id) VALUES (40, 2, 20, 21), (41, 2, 20, 23) RETURNING id
), gone AS (
	DELETE FROM relationship WHERE id = -99
)
UPDATE relationship SET note = 'with' WHERE id = 31;
SELECT * FROM link WHERE abs(id) IN (31, 40, 41, 99);
BEGIN;
UPDATE relationship SET note = 'outer' WHERE id = -40;
SAVEPOINT s;
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id) VALUES (50, 2, 24, 26);
DELETE FROM relationship WHERE id = 41;
ROLLBACK TO s;
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id) VALUES (51, 2, 24, 26);
COMMIT;
SELECT * FROM link WHERE abs(id) BETWEEN 40 AND 59;

-- something else that the statement sets off is ahead of the mirrors
CREATE TABLE aside (link_id bigint, what text);
CREATE FUNCTION aside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.what = 'delete' THEN
		DELETE FROM link_statement.relationship WHERE id = NEW.link_id;
	ELSIF NEW.what = 'contact' THEN
		DELETE FROM link_statement.contact WHERE id = 29;
	ELSE
		UPDATE link_statement.relationship SET note = NEW.what WHERE id = NEW.link_id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER aside AFTER INSERT ON aside FOR EACH ROW EXECUTE FUNCTION aside();
WITH made AS (
	INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id)
		VALUES (60, 2, 27, 30), (61, 2, 27, 29), (62, 2, 27, 32) RETURNING id
)
INSERT INTO aside SELECT id, CASE id WHEN 60 THEN 'delete' WHEN 61 THEN 'contact' ELSE 'changed' END FROM made;
SELECT * FROM link WHERE near = 27 OR far = 27;
SELECT * FROM pairs;
DROP TABLE aside;

-- columns of users keep what they hold; mirrors get defaults
ALTER TABLE relationship ADD colour text DEFAULT 'grey', ADD rank integer;
UPDATE relationship SET colour = 'red' WHERE id = 62;
UPDATE relationship SET rank = 7 WHERE id = -62;
UPDATE relationship SET note = 'again' WHERE id = 62;
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, colour) VALUES (63, 2, 33, 35, 'blue');
SELECT id, note, colour, rank FROM relationship WHERE abs(id) IN (62, 63) ORDER BY id;
ALTER TABLE relationship ADD CONSTRAINT no_black CHECK (colour <> 'black'), ALTER colour SET DEFAULT 'black';
SELECT line FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, colour)
	VALUES (2, 33, 36, 'blue')$$) f (line) LIMIT 2;
ALTER TABLE relationship ALTER colour SET DEFAULT 'white';

-- triggers of users see both rows, and what they make of them is heeded
CREATE TABLE seen (id bigint, what text);
CREATE FUNCTION note_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO link_statement.seen VALUES (coalesce(NEW.id, OLD.id), TG_OP);
	RETURN NULL;
END
$$;
CREATE TRIGGER seen AFTER INSERT OR UPDATE OR DELETE ON relationship FOR EACH ROW EXECUTE FUNCTION note_seen();
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id) VALUES (70, 2, 36, 38);
UPDATE relationship SET note = 'x' WHERE id = -70;
DELETE FROM relationship WHERE id = 70;
SELECT * FROM seen ORDER BY what, id;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF lower(NEW.note) = 'drop' AND NEW.id < 0 THEN
		RETURN NULL;
	END IF;
	NEW.note := upper(NEW.note);
	IF NEW.note = 'ONE SIDE' AND NEW.id < 0 THEN
		NEW.note := 'OTHER';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON relationship FOR EACH ROW EXECUTE FUNCTION shout();
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, note) VALUES (71, 2, 36, 38, 'loud');
UPDATE relationship SET note = 'louder' WHERE id = -71;
SELECT id, note FROM relationship WHERE abs(id) = 71 ORDER BY id;
SELECT line FROM (VALUES ('drop'), ('one side')) v (v), pg_temp.fails(format(
	'INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, note) VALUES (72, 2, 36, 39, %L)', v)) f (line);
SELECT line FROM pg_temp.fails($$UPDATE relationship SET note = 'one side' WHERE id = 71$$) f (line);
DROP TRIGGER shout ON relationship;
DROP TRIGGER seen ON relationship;

SELECT * FROM contacts.check_directory('link_statement') WHERE rule <> 'default' AND object <> 'relationship.no_black';
SET client_min_messages = warning;
SELECT contacts.drop_directory('link_statement', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_link_statement;
DROP ROLE regress_contacts_link_statement;
