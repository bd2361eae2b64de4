-- A type of relationships and its inverse are two rows that are one (rule R1).
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir type_pair
\set ECHO none
\i :rules
\set ECHO all

CREATE TEMP VIEW kind AS
	SELECT t.name, t.label, i.name AS inverse, t.inverse_name, t.inverse_label, t.is_symmetric AS sym,
		t.is_single AS single, t.inverse_is_single AS inv_single, t.is_household AS home, t.is_archived AS old,
		t.description
	FROM relationship_type t LEFT JOIN relationship_type i ON i.id = t.inverse_id AND i.inverse_id = t.id
	ORDER BY t.name;

-- what a directory starts with is sound
SELECT count(*) FROM kind WHERE inverse IS NULL;
SELECT * FROM contacts.check_directory('type_pair');
DELETE FROM relationship_type;
SELECT count(*) FROM relationship_type;

-- a type makes its inverse; labels come from the names
INSERT INTO relationship_type (name, inverse_name, is_single, description)
VALUES ('tax_adviser', 'client', true, 'Who does the taxes') RETURNING name, label, inverse_label;
INSERT INTO relationship_type (name, label, is_symmetric, is_single, inverse_is_single)
VALUES ('friend', ' ', true, false, true);
INSERT INTO relationship_type (name, label, inverse_name, inverse_label, is_household) VALUES
	('landlord', 'Lets to', 'tenant', '', true),
	('neighbour', NULL, 'beside', 'Lives beside', false);
SELECT * FROM kind;
SELECT count(*) FILTER (WHERE source_type_id <> 1 OR object_type_id <> 1) FROM relationship_type;

-- both rows of a pair in one statement: each says its own side, in any order
INSERT INTO relationship_type (name, inverse_name, label, is_single) VALUES
	('b_side', 'a_side', 'B', true), ('a_side', 'b_side', 'A', false), ('c_side', 'd_side', 'C', false);
COPY relationship_type (id, name, label, inverse_id, inverse_name, inverse_label) FROM stdin;
900	up	Up	901	down	Down
901	down	Down	900	up	Up
\.
SELECT * FROM kind WHERE name LIKE '%_side' OR name IN ('up', 'down');
SELECT id, inverse_id FROM relationship_type WHERE id >= 900 ORDER BY id;

-- the inverse that a client says is no matter
INSERT INTO relationship_type (name, inverse_name, inverse_id) VALUES ('e_side', 'f_side', 900);
UPDATE relationship_type SET inverse_id = 900;
UPDATE relationship_type SET inverse_id = NULL;
SELECT count(*) FROM kind WHERE inverse IS NULL;
SELECT name, inverse FROM kind WHERE name IN ('e_side', 'f_side', 'up', 'friend');
DELETE FROM relationship_type WHERE name IN ('a_side', 'c_side', 'f_side', 'up');

-- changes from either side, of one row or of all
UPDATE relationship_type SET name = 'bookkeeper', inverse_label = 'Keeps books for' WHERE name = 'tax_adviser';
UPDATE relationship_type SET is_archived = true, description = 'gone', inverse_name = 'lessor', inverse_is_single = true
WHERE name = 'tenant';
UPDATE relationship_type SET inverse_label = 'Pal' WHERE name = 'friend';
UPDATE relationship_type SET inverse_is_single = true, inverse_name = 'pal' WHERE name = 'friend';
SELECT * FROM kind;
UPDATE relationship_type SET label = upper(label), name = name || '_x';
UPDATE relationship_type SET is_archived = name = 'bookkeeper_x';
SELECT * FROM kind;
-- where a statement says two things of a pair, the first row of it holds
UPDATE relationship_type SET description = name;
SELECT count(DISTINCT description), count(*) FROM relationship_type WHERE NOT is_symmetric;
SELECT * FROM contacts.check_directory('type_pair');

-- an ORM saves all columns as it read them: nothing happens
CREATE TEMP TABLE version AS SELECT ctid AS row, id FROM relationship_type;
UPDATE relationship_type SET name = name, label = label, inverse_id = inverse_id, inverse_name = inverse_name,
	inverse_label = inverse_label, is_symmetric = is_symmetric, is_single = is_single, description = description
WHERE name = 'bookkeeper_x';
SELECT t.name FROM relationship_type t JOIN version v USING (id) WHERE t.ctid <> v.row;

-- symmetric for not symmetric, and back
UPDATE relationship_type SET is_symmetric = true WHERE name = 'bookkeeper_x';
SELECT * FROM kind WHERE name IN ('bookkeeper_x', 'client_x');
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_symmetric = false WHERE name = 'bookkeeper_x'$$);
UPDATE relationship_type SET is_symmetric = false, inverse_name = 'firm', inverse_label = '' WHERE name = 'bookkeeper_x';
SELECT * FROM kind WHERE name IN ('bookkeeper_x', 'firm');
UPDATE relationship_type SET is_symmetric = true WHERE name IN ('bookkeeper_x', 'firm');
SELECT name, inverse, sym FROM kind WHERE name IN ('bookkeeper_x', 'firm');

-- what is refused
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES ('', 'empty')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES (NULL, 'empty')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES ('one', ' ')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name) VALUES ('one')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES ('one', 'Two')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES ('same', 'same')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES ('one', 'pal_x')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship_type (name, inverse_name) VALUES ('pal_x', 'one')$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET inverse_name = 'pal_x' WHERE name = 'lessor_x'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET id = 5000 WHERE name = 'lessor_x'$$);
INSERT INTO relationship_type (name, inverse_name) VALUES ('pal_x', 'lessor_x'), ('lessor_x', 'other')
ON CONFLICT DO NOTHING;
INSERT INTO relationship_type (name, inverse_name, label) VALUES ('lessor_x', 'tenant_x', 'Lessor')
ON CONFLICT (name) DO UPDATE SET label = EXCLUDED.label;
MERGE INTO relationship_type t USING (VALUES ('tenant_x', 'Tenant'), ('guest', 'Guest')) s (name, label) ON t.name = s.name
WHEN MATCHED THEN UPDATE SET label = s.label
WHEN NOT MATCHED THEN INSERT (name, label, inverse_name) VALUES (s.name, s.label, 'host');
SELECT * FROM kind;

-- either side deleted takes the other along
DELETE FROM relationship_type WHERE name = 'host';
DELETE FROM relationship_type WHERE name IN ('lessor_x', 'tenant_x');
SELECT name FROM kind;

-- rights on the table are enough; the rest is done as the owner
RESET ROLE;
CREATE ROLE regress_contacts_type_clerk;
SET ROLE regress_contacts_type_pair;
GRANT USAGE ON SCHEMA type_pair TO regress_contacts_type_clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON relationship_type TO regress_contacts_type_clerk;
RESET ROLE;
SET ROLE regress_contacts_type_clerk;
INSERT INTO relationship_type (name, inverse_name) VALUES ('coach', 'player');
UPDATE relationship_type SET label = 'Plays for', is_single = true WHERE name = 'player';
SELECT name, label, inverse_label, is_single, inverse_is_single FROM relationship_type WHERE name IN ('coach', 'player') ORDER BY name;
DELETE FROM relationship_type WHERE name = 'player';
RESET ROLE;
SET ROLE regress_contacts_type_pair;

-- a trigger of the user's may have the last word on a row; its inverse hears it
CREATE FUNCTION last_word() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.label = 'Player' THEN NEW.label := 'Team member'; END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER zzz_user BEFORE INSERT ON relationship_type FOR EACH ROW EXECUTE FUNCTION last_word();
INSERT INTO relationship_type (name, inverse_name) VALUES ('coach', 'player');
SELECT name, label, inverse_label FROM relationship_type WHERE name IN ('coach', 'player') ORDER BY name;
SELECT * FROM contacts.check_directory('type_pair');
DROP TRIGGER zzz_user ON relationship_type;
DROP FUNCTION last_word();

SELECT contacts.drop_directory('type_pair', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_type_pair;
DROP ROLE regress_contacts_type_pair, regress_contacts_type_clerk;
