-- At most one per side: a type's cardinality changes with its links (rule R1).
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir type_cardinality
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, last_name) SELECT i, 'c' || i, 'x' FROM generate_series(1, 40) i;
INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Best');
SELECT id AS parent FROM relationship_type WHERE name = 'parent' \gset
SELECT id AS child FROM relationship_type WHERE name = 'child' \gset
SELECT id AS sibling FROM relationship_type WHERE name = 'sibling' \gset
SELECT id AS employer FROM relationship_type WHERE name = 'employer' \gset
CREATE TEMP VIEW copied AS
	SELECT t.name, r.is_mirror, r.is_single, r.inverse_is_single, count(*)
	FROM relationship r JOIN relationship_type t ON t.id = r.relationship_type_id
	GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- each of 1 to 12 has two parents, each of 31 and 32 has twelve children
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
SELECT :parent, c, p FROM generate_series(1, 12) c, generate_series(31, 32) p;
INSERT INTO relationship (relationship_type_id, contact_id, record_id, started_on)
VALUES (:employer, 1, 1, NULL), (:employer, 1, 2, NULL), (:employer, 2, 1, NULL), (:employer, 3, 2, NULL);
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (:sibling, 1, 2), (:sibling, 3, 1);

-- tightening what stored links break is refused, with the ids
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true WHERE name = 'parent'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET inverse_is_single = true WHERE name = 'child'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET inverse_is_single = true WHERE name = 'parent'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true WHERE name = 'child'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true WHERE name = 'sibling'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true WHERE name = 'employer'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET inverse_is_single = true WHERE name = 'employer'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true WHERE name = 'employee'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET inverse_is_single = true WHERE name = 'employee'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true, name = 'all' || id$$);

-- ids are for those who may read the links
RESET ROLE;
CREATE ROLE regress_contacts_cardinality_clerk;
SET ROLE regress_contacts_type_cardinality;
GRANT USAGE ON SCHEMA type_cardinality TO regress_contacts_cardinality_clerk;
GRANT SELECT, UPDATE ON relationship_type TO regress_contacts_cardinality_clerk;
RESET ROLE;
SET ROLE regress_contacts_cardinality_clerk;
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_single = true WHERE name = 'parent'$$);
RESET ROLE;
SET ROLE regress_contacts_type_cardinality;

-- links that have ended do not count
UPDATE relationship SET ended_on = '2020-01-01' WHERE relationship_type_id = :parent AND related_contact_id = 32;
UPDATE relationship_type SET is_single = true WHERE name = 'parent';
SELECT * FROM copied WHERE name IN ('parent', 'child');
SELECT name, is_single, inverse_is_single FROM relationship_type WHERE name IN ('parent', 'child') ORDER BY name;
\set VERBOSITY terse
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (:parent, 1, 33);
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (:child, 33, 1);
UPDATE relationship SET ended_on = NULL WHERE relationship_type_id = :parent AND contact_id = 1;
\set VERBOSITY default
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (:parent, 31, 33);

-- both directions at once, then loosened from the other side
DELETE FROM relationship WHERE relationship_type_id = :parent AND contact_id > 1;
UPDATE relationship_type SET is_single = true, inverse_is_single = true WHERE name = 'child';
SELECT * FROM copied WHERE name IN ('parent', 'child');
UPDATE relationship_type SET is_single = NOT is_single, inverse_is_single = NOT inverse_is_single
WHERE name IN ('parent', 'child');
SELECT name, is_single, inverse_is_single FROM relationship_type WHERE name IN ('parent', 'child') ORDER BY name;
SELECT * FROM copied WHERE name IN ('parent', 'child');

-- types that lead to records have links of one side only
DELETE FROM relationship WHERE relationship_type_id = :employer AND (contact_id, record_id) IN ((1, 2), (2, 1));
UPDATE relationship_type SET inverse_is_single = true WHERE name = 'employee';
UPDATE relationship_type SET is_single = true WHERE name = 'employee';
SELECT * FROM copied WHERE name = 'employer';
SELECT name, is_single, inverse_is_single FROM relationship_type WHERE name IN ('employer', 'employee') ORDER BY name;
\set VERBOSITY terse
INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (:employer, 1, 2);
INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (:employer, 9, 1);
\set VERBOSITY default

-- while links exist a type stays what it is, and stays
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_symmetric = true WHERE name = 'parent'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET is_symmetric = false, inverse_name = 'x' WHERE name = 'sibling'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET object_type_id = 2 WHERE name = 'child'$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship_type SET source_type_id = 1 WHERE name = 'employee'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM relationship_type WHERE name = 'parent'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM relationship_type WHERE name = 'employee'$$);
UPDATE relationship_type SET name = 'boss_of', label = 'Boss of', is_archived = true, is_household = true WHERE name = 'employee';
SELECT name, inverse_name, inverse_label, is_archived, is_household FROM relationship_type WHERE id = :employer;
SELECT * FROM contacts.check_directory('type_cardinality');
DELETE FROM relationship;
UPDATE relationship_type SET object_type_id = 2 WHERE name = 'child';
SELECT name, source_type_id, object_type_id FROM relationship_type WHERE name IN ('parent', 'child') ORDER BY name;
DELETE FROM relationship_type WHERE id IN (:parent, :employer);
SELECT count(*) FROM relationship_type WHERE name IN ('parent', 'child', 'employer', 'boss_of');
SELECT * FROM contacts.check_directory('type_cardinality');

SELECT contacts.drop_directory('type_cardinality', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_type_cardinality;
DROP ROLE regress_contacts_type_cardinality, regress_contacts_cardinality_clerk;
