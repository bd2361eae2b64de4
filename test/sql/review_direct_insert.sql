-- Claims written straight into identifier meet what users declared there.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir review_direct_insert
\set ECHO none
\i :rules
\set ECHO all

-- NOT NULL on a column of ours
ALTER TABLE identifier ALTER source SET NOT NULL;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('a@x.org')$$) LIMIT 2;
SET contacts.source = 'test';
INSERT INTO contact (id, email) VALUES (1, 'a@x.org');
ALTER TABLE identifier ALTER source DROP NOT NULL;

-- a deferrable constraint
ALTER TABLE identifier ADD CONSTRAINT one_source UNIQUE (source) DEFERRABLE INITIALLY DEFERRED;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('b@x.org')$$) LIMIT 2;
SET contacts.source = 'other';
INSERT INTO contact (id, email) VALUES (2, 'b@x.org');
ALTER TABLE identifier DROP CONSTRAINT one_source;
SELECT contact_id, value, source FROM identifier ORDER BY contact_id;

-- a contact that is gone before its claims come: a trigger of another table
-- that the same statement writes
CREATE TABLE note (contact_id bigint);
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM review_direct_insert.contact WHERE id = NEW.contact_id;
	RETURN NULL;
END
$$;
CREATE TRIGGER forget AFTER INSERT ON note FOR EACH ROW EXECUTE FUNCTION forget();
WITH made AS (
	INSERT INTO contact (id, email, mobile_phone) VALUES (3, 'c@x.org', '+49301234500') RETURNING id
)
INSERT INTO note SELECT id FROM made;
SELECT count(*) FROM contact WHERE id = 3;
SELECT contact_id, value FROM identifier WHERE value IN ('c@x.org', '+49301234500');
-- likewise a contact that has got another address meanwhile
CREATE OR REPLACE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE review_direct_insert.contact SET email = 'd2@x.org' WHERE id = NEW.contact_id;
	RETURN NULL;
END
$$;
WITH made AS (
	INSERT INTO contact (id, email) VALUES (4, 'd@x.org') RETURNING id
)
INSERT INTO note SELECT id FROM made;
SELECT contact_id, slug, value FROM identifier WHERE contact_id = 4;

-- a kind made by the same statement comes too late for its rows
WITH kind AS (
	INSERT INTO semantic_type (name, value_type) VALUES ('list_email', 'email') RETURNING name
)
INSERT INTO identifier (contact_id, semantic_type, value) SELECT 1, name, 'A2@X.org' FROM kind;
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'telex', '1')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, NULL, '1')$$) LIMIT 2;

SELECT * FROM contacts.check_directory('review_direct_insert');
SET client_min_messages = warning;
SELECT contacts.drop_directory('review_direct_insert', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_review_direct_insert;
DROP ROLE regress_contacts_review_direct_insert;
