-- I8: archived contacts; I9: contacts carry the name of their organization
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_organization
\set ECHO none
\i :rules
\set ECHO all

-- I8: an archived contact keeps its identifiers, an upsert leaves it archived
INSERT INTO contact (first_name, last_name, email, mobile_phone, archived_at) VALUES
	('Ada', 'One', 'a@x.org', '+49301234500', '2020-02-02');
SELECT * FROM held;
INSERT INTO contact (first_name, last_name, email) VALUES ('Ada', 'Uno', 'A@X.ORG')
	ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name, last_name = EXCLUDED.last_name;
SELECT id, last_name, email, archived_at::date FROM contact;
SELECT find_contact('email', 'a@x.org'), address_status('a@x.org');
DELETE FROM contact;

-- I9: organization_name is a copy
CREATE TEMP VIEW work AS SELECT id, first_name, organization_id AS org, organization_name AS name FROM contact ORDER BY id;
INSERT INTO organization (name, slug) VALUES ('Alpha', 'alpha'), ('Beta', 'beta'), ('Gamma', NULL), ('Delta', NULL);
INSERT INTO contact (id, first_name, organization_id, organization_name) VALUES
	(1, 'Ada', 1, NULL), (2, 'Bob', 1, 'My own'), (3, 'Cyd', 2, NULL), (4, 'Dan', NULL, 'My own'), (5, 'Eve', 3, 'x');
ALTER TABLE contact ALTER id RESTART WITH 100;
SELECT * FROM work;
UPDATE organization SET name = 'Alpha & Co' WHERE id = 1;
SELECT * FROM work;
UPDATE organization SET name = name || ' Ltd' WHERE id IN (1, 2, 4);
SELECT * FROM work;
-- recomputed like contact_type, whatever a client writes
UPDATE contact SET organization_name = 'mine' WHERE id IN (1, 4);
UPDATE contact SET organization_id = 2 WHERE id = 2;
UPDATE contact SET organization_id = NULL, organization_name = 'still here' WHERE id = 3;
UPDATE contact SET organization_name = NULL WHERE id = 5;
SELECT * FROM work;
-- a rename that is none, and a change of something else, touch no contact
BEGIN;
UPDATE organization SET name = name, domain = 'x.org' WHERE id = 1;
SELECT count(*) FROM contact WHERE updated_at = now();
UPDATE organization SET name = 'Alpha' WHERE id = 1;
SELECT id FROM contact WHERE updated_at = now() ORDER BY id;
SELECT id FROM organization WHERE updated_at = now() ORDER BY id;
COMMIT;
-- rename and contact in one transaction, rolled back in part
BEGIN;
UPDATE organization SET name = 'Beta 2' WHERE id = 2;
SAVEPOINT s;
INSERT INTO contact (id, first_name, organization_id) VALUES (6, 'Fay', 2);
UPDATE organization SET name = 'Beta 3' WHERE id = 2;
SELECT * FROM work WHERE org = 2;
ROLLBACK TO s;
INSERT INTO contact (id, first_name, organization_id) VALUES (7, 'Gus', 2);
COMMIT;
SELECT * FROM work;

-- I9: deleting it sets both to NULL
DELETE FROM organization WHERE id IN (1, 2);
SELECT * FROM work;

-- a name is needed, and an organization that exists
SELECT * FROM pg_temp.fails($$UPDATE organization SET name = ' ' WHERE id = 3$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO organization (name) VALUES ('')$$) LIMIT 2;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (first_name, organization_id) VALUES ('Hal', 99)$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET organization_id = 99 WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$INSERT INTO organization (name, slug) VALUES ('Twin', 'gamma'), ('Twin', 'gamma')$$);
INSERT INTO organization (name, created_at, updated_at) VALUES ('Eps', NULL, NULL);
SELECT created_at IS NOT NULL, updated_at = created_at FROM organization WHERE name = 'Eps';
-- the id of an organization with contacts stays; without them it may change
SELECT * FROM pg_temp.fails($$UPDATE organization SET id = 33 WHERE id = 3$$);
UPDATE organization SET id = 44, name = 'Four' WHERE id = 4;
SELECT id, name FROM organization ORDER BY id;

-- time zones: the server must know the zone when it is written
UPDATE contact SET time_zone = 'Europe/Berlin' WHERE id = 1;
SELECT * FROM pg_temp.fails($$UPDATE contact SET time_zone = 'Europe/Atlantis' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (first_name, time_zone) VALUES ('Ida', 'no zone!')$$);
SELECT id, time_zone FROM contact WHERE time_zone IS NOT NULL;

SELECT * FROM contacts.check_directory('rule_organization');
SELECT contacts.drop_directory('rule_organization', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_organization;
DROP ROLE regress_contacts_rule_organization;
