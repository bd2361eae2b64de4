-- What users do to the tables: columns, constraints, indexes, foreign keys,
-- renames (design sections 1, 2 and 8)
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir dml_alter
\set ECHO none
\i :rules
\set ECHO all
-- much of this is what the DDL guard refuses
RESET ROLE;
GRANT SET ON PARAMETER contacts.ddl_guard TO regress_contacts_dml_alter;
SET ROLE regress_contacts_dml_alter;

INSERT INTO contact (id, first_name, last_name, email, mobile_phone) VALUES
	(1, 'Ada', 'One', 'a@x.org', '+49301234500'), (2, 'Bob', 'Two', 'b@x.org', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
PREPARE change (bigint, text) AS UPDATE contact SET email = $2 WHERE id = $1;
EXECUTE change (1, 'a1@x.org');

-- columns added, dropped, with defaults, NOT NULL, generated, identity
ALTER TABLE contact ADD COLUMN gone1 int DEFAULT 1, ADD COLUMN note text NOT NULL DEFAULT 'none',
	ADD COLUMN full_name text GENERATED ALWAYS AS (coalesce(first_name, '') || ' ' || coalesce(last_name, '')) STORED,
	ADD COLUMN number int GENERATED ALWAYS AS IDENTITY;
ALTER TABLE identifier ADD COLUMN gone2 text, ADD COLUMN checked boolean NOT NULL DEFAULT true,
	ADD COLUMN serial int DEFAULT 7;
ALTER TABLE semantic_type ADD COLUMN label text;
ALTER TABLE setting ADD COLUMN mine text DEFAULT 'x';
ALTER TABLE consent_event ADD COLUMN mine text DEFAULT 'y';
ALTER TABLE organization ADD COLUMN mine text DEFAULT 'z';
ALTER TABLE contact DROP COLUMN gone1;
ALTER TABLE identifier DROP COLUMN gone2;
EXECUTE change (1, 'a2@x.org');
INSERT INTO contact (id, first_name, last_name, email, note, mobile_phone) VALUES (3, 'Cyd', 'Three', 'c@x.org', 'new', '+49301234501');
UPDATE contact SET first_name = 'Ada 2', email_status = 'opted_in' WHERE id = 1;
INSERT INTO identifier (contact_id, semantic_type, slug, value, checked) VALUES (3, 'email', 'work', 'w@x.org', false);
SELECT suppress('c@x.org'), suppress('z@x.org');
SELECT id, full_name, number, note, email, email_status, contact_type FROM contact ORDER BY id;
SELECT contact_id, value, checked, serial, status FROM identifier ORDER BY contact_id, value;
SELECT value, new, mine FROM log JOIN consent_event USING (id) ORDER BY id;
DELETE FROM identifier WHERE contact_id = 3;
SELECT contact_id, value, checked, serial, status FROM identifier WHERE contact_id IS NULL ORDER BY value;
SELECT * FROM contacts.check_directory('dml_alter');

-- the order of columns changes (as after a dump of altered tables)
ALTER TABLE identifier DROP COLUMN serial;
ALTER TABLE identifier ADD COLUMN serial int GENERATED ALWAYS AS (length(value)) STORED;
INSERT INTO contact (id, first_name, email) VALUES (4, 'Dan', 'd@x.org');
UPDATE contact SET email = 'dd@x.org' WHERE id = 4;
SELECT value, serial FROM identifier WHERE contact_id = 4;
ALTER TABLE identifier DROP COLUMN serial;

-- constraints and indexes of users hold for rows that maintenance writes, too
ALTER TABLE identifier ADD CONSTRAINT no_spam CHECK (value NOT LIKE '%@spam.org');
SELECT fails FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('x@spam.org')$$) WHERE fails !~ '^DETAIL';
SELECT fails FROM pg_temp.fails($$UPDATE contact SET email = 'x@spam.org' WHERE id = 4$$) WHERE fails !~ '^DETAIL';
ALTER TABLE identifier DROP CONSTRAINT no_spam;
ALTER TABLE identifier ADD COLUMN origin text;
UPDATE identifier SET origin = id::text;
ALTER TABLE identifier ALTER origin SET DEFAULT 'here', ADD CONSTRAINT one_origin UNIQUE (origin, contact_id) DEFERRABLE INITIALLY DEFERRED;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (id, email, mobile_phone) VALUES (9, 'two@x.org', '+49301234509')$$);
ALTER TABLE identifier DROP CONSTRAINT one_origin;
ALTER TABLE identifier ADD CONSTRAINT one_origin UNIQUE (origin, contact_id);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (id, email, mobile_phone) VALUES (9, 'two@x.org', '+49301234509')$$);
ALTER TABLE identifier DROP CONSTRAINT one_origin, ADD CONSTRAINT not_twice EXCLUDE USING btree (origin WITH =) WHERE (origin = 'here');
SELECT * FROM pg_temp.fails($$INSERT INTO contact (id, email, mobile_phone) VALUES (9, 'two@x.org', '+49301234509')$$);
ALTER TABLE identifier DROP CONSTRAINT not_twice;
ALTER TABLE identifier ALTER origin SET DEFAULT NULL, ALTER origin SET NOT NULL;
SELECT fails FROM pg_temp.fails($$INSERT INTO contact (id, email, mobile_phone) VALUES (9, 'two@x.org', '+49301234509')$$) WHERE fails !~ '^DETAIL';
ALTER TABLE identifier DROP COLUMN origin;
CREATE TABLE source_of (name text PRIMARY KEY);
INSERT INTO source_of VALUES ('here');
ALTER TABLE identifier ADD COLUMN origin text REFERENCES source_of;
ALTER TABLE identifier ALTER origin SET DEFAULT 'nowhere';
SELECT * FROM pg_temp.fails($$INSERT INTO contact (id, email) VALUES (9, 'two@x.org')$$);
ALTER TABLE identifier ALTER origin SET DEFAULT 'here';
INSERT INTO contact (id, email) VALUES (9, 'two@x.org');
SELECT contact_id, value, origin FROM identifier WHERE origin IS NOT NULL;
DELETE FROM contact WHERE id = 9;
ALTER TABLE identifier DROP COLUMN origin;
DROP TABLE source_of;
CREATE UNIQUE INDEX one_per_domain ON identifier (split_part(value, '@', 2)) WHERE value LIKE '%@one.org';
INSERT INTO contact (id, email) VALUES (9, 'a@one.org');
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('b@one.org')$$);
DELETE FROM contact WHERE id = 9;
DROP INDEX one_per_domain;
CREATE INDEX ON contact (email_status, contact_type);
SET contacts.ddl_guard = off;
CREATE RULE nothing AS ON UPDATE TO contact WHERE NEW.titles = 'rule' DO INSTEAD NOTHING;
UPDATE contact SET titles = 'rule', email = 'never@x.org' WHERE id = 1;
UPDATE contact SET titles = 'no rule', email = 'always@x.org' WHERE id = 1;
DROP RULE nothing ON contact;
SET contacts.ddl_guard = on;
SELECT id, email, titles FROM contact WHERE id = 1;
SELECT * FROM contacts.check_directory('dml_alter');

-- users' tables with foreign keys to contact and identifier
CREATE TABLE ticket (id int PRIMARY KEY, contact_id bigint REFERENCES contact ON DELETE CASCADE, identifier_id bigint REFERENCES identifier);
CREATE TABLE newsletter (email contacts.email REFERENCES contact (email) ON UPDATE CASCADE ON DELETE SET NULL, topic text);
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (10, 'Eve', 'e@x.org', '+49301234502'), (11, 'Fay', 'f@x.org', NULL);
INSERT INTO ticket SELECT 1, 10, id FROM identifier WHERE value = 'e@x.org';
INSERT INTO ticket VALUES (2, 11, NULL);
INSERT INTO newsletter VALUES ('E@x.org', 'news'), ('f@x.org', 'news');
UPDATE contact SET email = 'ee@x.org' WHERE id = 10;
SELECT * FROM newsletter ORDER BY topic, email;
SELECT t.id, t.contact_id, i.value FROM ticket t LEFT JOIN identifier i ON i.id = t.identifier_id ORDER BY 1;
-- the row of the identifier stays what it is; what goes is held by the key
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = NULL WHERE id = 10$$) WHERE fails !~ '^DETAIL';
SELECT * FROM pg_temp.fails($$DELETE FROM contact WHERE id = 10$$) WHERE fails !~ '^DETAIL';
UPDATE ticket SET identifier_id = NULL;
DELETE FROM contact WHERE id IN (10, 11);
SELECT * FROM ticket;
SELECT * FROM newsletter;
DROP TABLE ticket, newsletter;

-- the columns of a contract table are read by name: other tables may come and go
SET contacts.ddl_guard = off;
ALTER TABLE contact RENAME COLUMN titles TO honorifics;
ALTER TABLE contact ALTER COLUMN first_name SET DEFAULT 'Nobody';
INSERT INTO contact (id, honorifics) VALUES (12, 'Dr');
SELECT first_name, honorifics FROM contact WHERE id = 12;
ALTER TABLE contact RENAME COLUMN honorifics TO titles;
ALTER TABLE contact ALTER COLUMN first_name DROP DEFAULT;
-- one of the contract's columns renamed: an error that says so, nothing half done
ALTER TABLE identifier RENAME COLUMN slug TO label;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'g@x.org' WHERE id = 4$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (4, 'oauth', 'o')$$);
UPDATE contact SET first_name = 'Dan 2' WHERE id = 4; -- needs no identifier
ALTER TABLE identifier RENAME COLUMN label TO slug;
ALTER TABLE contact RENAME COLUMN email TO mail;
SELECT * FROM pg_temp.fails($$UPDATE contact SET mail = 'g@x.org' WHERE id = 4$$);
ALTER TABLE contact RENAME COLUMN mail TO email;
-- a table renamed
ALTER TABLE identifier RENAME TO identifiers;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'g@x.org' WHERE id = 4$$);
SELECT * FROM pg_temp.fails($$UPDATE identifiers SET value = 'g@x.org' WHERE contact_id = 4$$);
ALTER TABLE identifiers RENAME TO identifier;
ALTER TABLE semantic_type RENAME TO kind;
UPDATE contact SET email = 'g@x.org' WHERE id = 4;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET is_validated = true WHERE contact_id = 4$$);
ALTER TABLE kind RENAME TO semantic_type;
ALTER TABLE consent_event RENAME TO history;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 4$$);
ALTER TABLE history RENAME TO consent_event;
SELECT * FROM person WHERE id = 4;
EXECUTE change (4, 'h@x.org');
SELECT * FROM held WHERE contact = 4;

-- the schema renamed, in the middle of a session with saved plans, and back
ALTER SCHEMA dml_alter RENAME TO "Other Name";
UPDATE "Other Name".contact SET email = 'i@x.org' WHERE id = 4;
SELECT "Other Name".suppress('i@x.org');
SELECT "Other Name".address_status('i@x.org');
INSERT INTO "Other Name".contact (id, email) VALUES (13, 'j@x.org');
SELECT contact_id, value, status FROM "Other Name".identifier WHERE contact_id IN (4, 13) ORDER BY 1;
SELECT * FROM contacts.check_directory('Other Name');
CREATE SCHEMA dml_alter;
SELECT contacts.create_directory('dml_alter_2');
DROP SCHEMA dml_alter;
ALTER SCHEMA dml_alter_2 RENAME TO dml_alter; -- another directory under the old name
UPDATE "Other Name".contact SET email = 'k@x.org' WHERE id = 13;
INSERT INTO dml_alter.contact (id, email) VALUES (13, 'k@x.org');
UPDATE dml_alter.contact SET email = 'l@x.org' WHERE id = 13;
SELECT value FROM "Other Name".identifier WHERE contact_id = 13 UNION ALL SELECT value FROM dml_alter.identifier;
SELECT contacts.drop_directory('dml_alter', cascade => true);
ALTER SCHEMA "Other Name" RENAME TO dml_alter;
SET contacts.ddl_guard = on;

-- the owner changes: maintenance runs as the new one; one table of another owner is refused
RESET ROLE;
CREATE ROLE regress_contacts_dml_alter_heir;
ALTER TABLE dml_alter.identifier OWNER TO regress_contacts_dml_alter_heir;
SET ROLE regress_contacts_dml_alter;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('m@x.org')$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'm@x.org' WHERE id = 4$$);
RESET ROLE;
ALTER TABLE dml_alter.identifier OWNER TO regress_contacts_dml_alter;
SET ROLE regress_contacts_dml_alter;
INSERT INTO contact (id, email) VALUES (14, 'm@x.org');
SELECT * FROM held WHERE contact = 14;

-- a table that inherits, an index dropped, a trigger disabled: reads of rows stay apart
SET contacts.ddl_guard = off;
CREATE TABLE child () INHERITS (contact);
SET contacts.ddl_guard = on;
INSERT INTO child (id, first_name, email, number) OVERRIDING SYSTEM VALUE VALUES (1000, 'Not mine', 'n@x.org', 1);
INSERT INTO contact (id, email) VALUES (15, 'n@x.org');
DROP TABLE child;
DROP INDEX identifier_semantic_type_value_idx;
UPDATE contact SET email = 'o@x.org' WHERE id = 15;
SELECT find_contact('email', 'o@x.org');
SELECT rule, object, message FROM contacts.check_directory('dml_alter');
CREATE INDEX identifier_semantic_type_value_idx ON identifier (semantic_type, value);
SET contacts.ddl_guard = off;
ALTER TABLE contact DISABLE TRIGGER zz_change_settle;
SET contacts.ddl_guard = on;
UPDATE contact SET email = 'p@x.org' WHERE id = 15; -- settled row by row then
SELECT * FROM held WHERE contact = 15;
SELECT rule, object, message FROM contacts.check_directory('dml_alter');
ALTER TABLE contact ENABLE TRIGGER zz_change_settle;
-- where the rows that were collected cannot be settled, nothing is committed
SET contacts.ddl_guard = off;
ALTER TABLE identifier DISABLE TRIGGER zz_change_settle;
SET contacts.ddl_guard = on;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (15, 'oauth', 'o15');
DELETE FROM identifier WHERE contact_id = 15;
ALTER TABLE identifier ENABLE TRIGGER zz_change_settle;
SELECT * FROM held WHERE contact = 15;

SELECT * FROM contacts.check_directory('dml_alter');
SELECT contacts.drop_directory('dml_alter', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_dml_alter, regress_contacts_dml_alter_heir;
DROP ROLE regress_contacts_dml_alter, regress_contacts_dml_alter_heir;
