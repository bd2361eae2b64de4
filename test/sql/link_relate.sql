-- relate() and unrelate(); the rights that writing links needs.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir link_relate
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (id, first_name) SELECT n, 'n' || n FROM generate_series(1, 9) n;
INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Bolt');
CREATE TEMP VIEW link AS
	SELECT r.id, t.name AS type, r.contact_id AS near, coalesce(r.related_contact_id, r.record_id) AS far,
		r.started_on, r.ended_on, r.note, r.is_primary
	FROM relationship r JOIN relationship_type t ON t.id = r.relationship_type_id
	ORDER BY abs(r.id), r.id DESC;

-- Anna's (1) parent is Berta (2); what is there is kept, from either side
SELECT relate('parent', 1, 2, note => 'first');
SELECT relate('parent', 1, 2, note => 'second'), relate('child', 2, 1, note => 'third'), relate('parent', 2, 1);
SELECT relate('manager', 1, 3, '2020-01-01', '2021-12-31', 'long ago', true);
SELECT relate('manager', 1, 3, '2020-01-01'), relate('report', 3, 1, '2020-01-01'), relate('report', 3, 1);
SELECT relate('employer', 1, 1, '2020-01-01', is_primary => true), relate('employer', 1, 1, '2020-01-01'), relate('employer', 1, 2);
SELECT * FROM link;

-- what cannot be
SELECT * FROM pg_temp.fails($$SELECT relate('nemesis', 1, 2)$$);
SELECT * FROM pg_temp.fails($$SELECT relate(NULL, 1, 2)$$);
SELECT * FROM pg_temp.fails($$SELECT relate('sibling', 1, 1)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$SELECT relate('sibling', 1, NULL::bigint)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$SELECT relate('sibling', NULL, 2)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$SELECT relate('sibling', 1, 77)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$SELECT relate('sibling', 1, '00000000-0000-0000-0000-000000000001'::uuid)$$);
SELECT * FROM pg_temp.fails($$SELECT relate('employer', 1, '00000000-0000-0000-0000-000000000001'::uuid)$$);
SELECT * FROM pg_temp.fails($$SELECT relate('employee', 1, 1)$$);
SELECT relate('spouse', 4, 5);
SELECT * FROM pg_temp.fails($$SELECT relate('spouse', 5, 6)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$SELECT contacts.make_link('contact', 'spouse', 5, 6, NULL, NULL, NULL, NULL, false)$$);

SELECT unrelate(id) FROM link WHERE type = 'child' AND near = 2 AND note = 'first';
SELECT unrelate(1), unrelate(-1), unrelate(NULL);
SELECT * FROM link WHERE type IN ('parent', 'child');

-- rights: INSERT makes both rows; relate() needs SELECT, too
\set VERBOSITY terse
RESET ROLE;
CREATE ROLE regress_contacts_link_relate_writer;
GRANT USAGE ON SCHEMA link_relate TO regress_contacts_link_relate_writer;
GRANT INSERT ON link_relate.relationship TO regress_contacts_link_relate_writer;
SET ROLE regress_contacts_link_relate_writer;
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (2, 7, 8), (2, 9, 8);
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (2, 8, 7);
SELECT relate('sibling', 8, 7);
SELECT relate('sibling', 6, 7);
UPDATE relationship SET note = 'x';
RESET ROLE;
GRANT SELECT ON link_relate.relationship TO regress_contacts_link_relate_writer;
SET ROLE regress_contacts_link_relate_writer;
SELECT relate('sibling', 6, 7);
DELETE FROM relationship;
RESET ROLE;
REVOKE INSERT ON link_relate.relationship FROM regress_contacts_link_relate_writer;
GRANT UPDATE (note), DELETE ON link_relate.relationship TO regress_contacts_link_relate_writer;
SET ROLE regress_contacts_link_relate_writer;
SELECT relate('sibling', 6, 9);
UPDATE relationship SET note = 'x' WHERE id = (SELECT min(id) FROM relationship);
UPDATE relationship SET contact_id = 1 WHERE contact_id = 2;
SELECT count(*) FROM relationship WHERE note = 'x';
DELETE FROM relationship WHERE note = 'x' AND is_mirror;
SELECT count(*) FROM relationship WHERE note = 'x';
SET ROLE regress_contacts_link_relate;

SELECT * FROM contacts.check_directory('link_relate');
SET client_min_messages = warning;
SELECT contacts.drop_directory('link_relate', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_link_relate_writer;
DROP ROLE regress_contacts_link_relate_writer;
DROP OWNED BY regress_contacts_link_relate;
DROP ROLE regress_contacts_link_relate;
