-- R1, R2: the ends of a link change, and the other row of it stands where this
-- one comes to; what others have is refused as ever
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir relationship_moving
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name) SELECT n, 'Person ' || n FROM generate_series(1, 9) n;
CREATE TEMP VIEW link AS
	SELECT r.id, t.name AS type, r.contact_id AS contact, r.related_contact_id AS related, r.is_moving AS moving
	FROM relationship r JOIN relationship_type t ON t.id = r.relationship_type_id ORDER BY abs(r.id), r.id DESC;

-- another head: below the member, then above, from either row
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 5, 2 FROM relationship_type WHERE name = 'household_head';
UPDATE relationship SET related_contact_id = 8 WHERE contact_id = 5;
SELECT * FROM link;
UPDATE relationship SET contact_id = 3 WHERE contact_id = 8;
SELECT * FROM link;
UPDATE relationship SET contact_id = 9 WHERE contact_id = 3;
SELECT * FROM link;
-- the member still has one head
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 5, 1 FROM relationship_type WHERE name = 'household_head'$$);
-- and takes nobody else's place by moving
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 6, 2 FROM relationship_type WHERE name = 'household_head';
SELECT * FROM pg_temp.fails('UPDATE relationship SET contact_id = 6 WHERE contact_id = 5');
SELECT * FROM pg_temp.fails('UPDATE relationship SET related_contact_id = 6 WHERE related_contact_id = 5');
SELECT * FROM link;

-- spouses: one of them stays, on whichever end
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 3, 4 FROM relationship_type WHERE name = 'spouse';
UPDATE relationship SET contact_id = 4, related_contact_id = 7 WHERE contact_id = 3 AND related_contact_id = 4;
SELECT * FROM link WHERE type = 'spouse';
UPDATE relationship SET contact_id = 7, related_contact_id = 4 WHERE contact_id = 4 AND related_contact_id = 7;
SELECT * FROM link WHERE type = 'spouse';
UPDATE relationship SET contact_id = 1, related_contact_id = 4 WHERE contact_id = 4 AND related_contact_id = 7;
SELECT * FROM link WHERE type = 'spouse';
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 4, 9 FROM relationship_type WHERE name = 'spouse'$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 9, 1 FROM relationship_type WHERE name = 'spouse'$$);
-- several at once; what a client says of it is replaced
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT id, 5, 6 FROM relationship_type WHERE name = 'spouse';
UPDATE relationship r SET contact_id = related_contact_id, related_contact_id = contact_id + 3, is_moving = true
	FROM relationship_type t WHERE t.id = r.relationship_type_id AND t.name = 'spouse' AND r.id > 0;
SELECT * FROM link WHERE type = 'spouse';
UPDATE relationship SET is_moving = true;
SELECT count(*) FROM relationship WHERE is_moving;
-- of another type: the head becomes the member
UPDATE relationship r SET relationship_type_id = t.id FROM relationship_type t
	WHERE t.name = 'household_member' AND r.contact_id = 5 AND r.related_contact_id = 9;
SELECT * FROM link WHERE type LIKE 'household%';

RESET ROLE;
SET client_min_messages = warning;
SELECT contacts.drop_directory('relationship_moving', cascade => true);
DROP OWNED BY regress_contacts_relationship_moving;
DROP ROLE regress_contacts_relationship_moving;
