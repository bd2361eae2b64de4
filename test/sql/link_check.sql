-- check_directory() finds what is wrong with links, and repair_directory() mends it.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir link_check
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (id, first_name) SELECT n, 'n' || n FROM generate_series(1, 40) n;
INSERT INTO organization (id, name) VALUES (1, 'Acme');
INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, note) VALUES
	(1, 4, 1, 2, 'no mirror'), (2, 4, 3, 4, 'mirror only'), (3, 4, 5, 6, 'unequal'), (4, 2, 7, 8, 'orphan'),
	(5, 2, 9, 10, 'orphan'), (6, 6, 11, 12, 'copies'), (7, 1, 13, 14, 'spouses'), (8, 2, 15, 16, 'to record'),
	(9, 1, 17, 18, 'no mirror, but a spouse'), (10, 2, 20, 21, 'mirror only, and there is another'), (11, 2, 30, 31, 'sound'),
	(12, 1, 32, 33, 'moving'), (13, 1, 34, 35, 'moving, and there is another');
INSERT INTO relationship (id, relationship_type_id, contact_id, record_id, note) VALUES (20, 14, 1, 1, 'employer');
ALTER TABLE relationship ALTER id RESTART WITH 100;
CREATE TEMP VIEW link AS
	SELECT r.id, t.name AS type, r.contact_id AS near, coalesce(r.related_contact_id, r.record_id) AS far, r.note,
		r.inverse_type_id AS inverse, r.is_single AS one, r.inverse_is_single AS inv_one
	FROM relationship r LEFT JOIN relationship_type t ON t.id = r.relationship_type_id
	ORDER BY abs(r.id), r.id DESC;
SELECT * FROM contacts.check_directory('link_check');

-- planted with triggers off
RESET ROLE;
SET session_replication_role = replica;
DELETE FROM relationship WHERE id IN (-1, 2, -9, 10);
UPDATE relationship SET note = 'other', contact_id = 19 WHERE id = -3;
DELETE FROM contact WHERE id IN (7, 10);
UPDATE relationship SET is_single = false WHERE id = 6;
UPDATE relationship SET inverse_type_id = 5 WHERE id = -6;
UPDATE relationship SET is_moving = true WHERE abs(id) IN (12, 13);
INSERT INTO relationship (id, relationship_type_id, inverse_type_id, contact_id, related_contact_id, note) VALUES
	(30, 1, 1, 14, 22, 'second spouse'), (31, 1, 1, 18, 23, 'spouse after all'), (32, 2, 2, 20, 21, 'another'),
	(35, 1, 1, 34, 36, 'another spouse'), (33, 99, 98, 24, 25, 'no type'), (34, 14, 15, 24, 25, 'no record');
INSERT INTO relationship (id, relationship_type_id, inverse_type_id, contact_id, related_contact_id, note, is_mirror) VALUES
	(-20, 2, 2, 26, 27, 'mirror of a record', true), (-32, 2, 2, 21, 20, 'another', true);
RESET session_replication_role;
SET ROLE regress_contacts_link_check;
SELECT * FROM contacts.check_directory('link_check') ORDER BY rule, object, row_id, message;
SELECT * FROM contacts.repair_directory('link_check');
-- what people have to decide remains
SELECT * FROM contacts.check_directory('link_check') ORDER BY rule, object, row_id, message;
SELECT * FROM link;
DELETE FROM relationship WHERE id IN (30, 31, 33, 34, 35);
SELECT * FROM contacts.repair_directory('link_check');
SELECT * FROM contacts.check_directory('link_check');
SELECT * FROM link WHERE near IN (13, 14, 17, 18);
SELECT id, is_moving FROM relationship WHERE abs(id) IN (12, 13) ORDER BY id;

SET client_min_messages = warning;
SELECT contacts.drop_directory('link_check', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_link_check;
DROP ROLE regress_contacts_link_check;
