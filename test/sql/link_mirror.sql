-- R2: a link between contacts has two rows that are made, changed and deleted
-- together, from whichever side.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir link_mirror
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (id, first_name) SELECT n, chr(96 + n) FROM generate_series(1, 9) n;
INSERT INTO organization (id, name) VALUES (1, 'Acme');
CREATE TEMP VIEW link AS
	SELECT r.id, t.name AS type, r.contact_id AS near, r.related_contact_id AS far, r.record_id AS record,
		r.started_on, r.ended_on, r.note, r.is_primary AS pri, r.is_mirror AS mir, i.name AS inverse,
		r.is_single AS one, r.inverse_is_single AS inv_one
	FROM relationship r LEFT JOIN relationship_type t ON t.id = r.relationship_type_id
		LEFT JOIN relationship_type i ON i.id = r.inverse_type_id
	ORDER BY abs(r.id), r.id DESC;
CREATE FUNCTION pg_temp.type(name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT id FROM link_mirror.relationship_type t WHERE t.name = $1 $$;

-- one, several, with all that a link has; what is derived is not listened to
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('parent'), 1, 2) RETURNING id, is_mirror, inverse_type_id = pg_temp.type('child') AS is_child;
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, started_on, ended_on, note, is_primary,
		is_mirror, inverse_type_id, is_single, inverse_is_single)
	VALUES (pg_temp.type('manager'), 3, 1, '2020-01-01', '2021-01-01', 'was', true, true, 99, true, true),
		(pg_temp.type('household_head'), 2, 3, NULL, NULL, repeat('long ', 3), NULL, NULL, NULL, NULL, NULL);
INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('employer'), 1, 1);
SELECT * FROM link;
SELECT count(*) AS same_time FROM relationship r JOIN relationship m ON m.id = -r.id AND m.created_at = r.created_at WHERE r.id > 0;

-- entered again, from either side, also in one statement
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('parent'), 1, 2)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('child'), 2, 1)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('sibling'), 8, 9), (pg_temp.type('sibling'), 9, 8)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	VALUES (pg_temp.type('employer'), 1, 1)$$) LIMIT 2;
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('child'), 2, 1), (pg_temp.type('sibling'), 9, 8), (pg_temp.type('sibling'), 8, 9)
	ON CONFLICT DO NOTHING RETURNING contact_id, related_contact_id;
-- other direction, other period: other links
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, started_on)
	VALUES (pg_temp.type('parent'), 2, 1, NULL), (pg_temp.type('parent'), 1, 2, '2000-01-01');
SELECT id, type, near, far, started_on FROM link WHERE near IN (8, 9) OR started_on = '2000-01-01' OR type = 'parent';

-- what cannot be
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('sibling'), 1, 1)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('employer'), 1, 2)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	VALUES (pg_temp.type('sibling'), 1, 2)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_uuid)
	VALUES (pg_temp.type('employer'), 1, '00000000-0000-0000-0000-000000000001')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	VALUES (pg_temp.type('employee'), 1, 2)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id) VALUES (pg_temp.type('sibling'), 1)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (999, 1, 2)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) VALUES (NULL, 1, 2)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('sibling'), 1, 77)$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id)
	VALUES (0, pg_temp.type('sibling'), 1, 2)$$) LIMIT 2;
UPDATE relationship_type SET is_archived = true WHERE name = 'colleague';
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	VALUES (pg_temp.type('colleague'), 1, 2)$$);

-- changes: from either side, of both rows, of everything
UPDATE relationship SET note = 'n', ended_on = '2022-02-02' WHERE id = 1;
UPDATE relationship SET note = 'm', is_primary = true WHERE id = -1;
SELECT * FROM link WHERE abs(id) = 1;
UPDATE relationship SET note = 'same' WHERE abs(id) = 1;
SELECT id, note FROM link WHERE abs(id) = 1;
UPDATE relationship SET note = CASE WHEN is_mirror THEN 'mirror' ELSE 'wins' END WHERE abs(id) = 1;
SELECT id, note FROM link WHERE abs(id) = 1;
UPDATE relationship SET contact_id = 5 WHERE id = 1;
UPDATE relationship SET contact_id = 6, relationship_type_id = pg_temp.type('report') WHERE id = -1;
SELECT * FROM link WHERE abs(id) = 1;
SELECT * FROM pg_temp.fails($$UPDATE relationship SET contact_id = related_contact_id WHERE id = -1$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$UPDATE relationship SET relationship_type_id = pg_temp.type('colleague') WHERE id = -1$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$UPDATE relationship SET contact_id = 77 WHERE id = 1$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$UPDATE relationship SET id = 100 WHERE id = 1$$);
-- what is derived stays as it is, whoever writes it
UPDATE relationship SET is_mirror = NOT is_mirror, is_single = NOT is_single, inverse_is_single = true,
	inverse_type_id = 3, note = note || '!' WHERE abs(id) IN (1, 2);
SELECT * FROM link WHERE abs(id) IN (1, 2);
-- to a record and back
UPDATE relationship SET relationship_type_id = pg_temp.type('employer'), related_contact_id = NULL, record_id = 1 WHERE id = 1;
SELECT * FROM link WHERE abs(id) = 1;
UPDATE relationship SET relationship_type_id = pg_temp.type('child'), related_contact_id = 7, record_id = NULL WHERE id = 1;
SELECT * FROM link WHERE abs(id) = 1;
SELECT * FROM pg_temp.fails($$UPDATE relationship SET relationship_type_id = pg_temp.type('employer'),
	related_contact_id = NULL, record_id = 1 WHERE id = -1$$) LIMIT 2;

-- deletion: from either side, of both, with a contact, with the table
DELETE FROM relationship WHERE id = -1;
DELETE FROM relationship WHERE abs(id) = 2;
SELECT id, type, near, far FROM link;
DELETE FROM contact WHERE id = 2;
SELECT id, type, near, far FROM link;
DELETE FROM contact WHERE id IN (8, 9);
SELECT id, type, near, far FROM link;
TRUNCATE relationship;
SELECT count(*) FROM relationship;

SELECT * FROM contacts.check_directory('link_mirror');
SET client_min_messages = warning;
SELECT contacts.drop_directory('link_mirror', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_link_mirror;
DROP ROLE regress_contacts_link_mirror;
