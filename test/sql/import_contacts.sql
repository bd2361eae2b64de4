-- contacts.import_contacts: rows in, rejects out, consent kept, again nothing
CREATE ROLE regress_import;
CREATE ROLE regress_import_clerk;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_import', current_database()) \gexec
SET ROLE regress_import;
SET search_path = '';
SET timezone = 'UTC';
SELECT contacts.create_directory('crm');
CREATE SCHEMA staging;

-- every kind of rejection, beside sound rows
CREATE TABLE staging.people (
	row_number integer, first_name text, last_name varchar(40), email text, mobile_phone text, home_phone text,
	time_zone text, is_vendor text, email_status text, created_at text, work_email text, personal_email text,
	work_phone text, uuid text, organization_name text, organization_slug text, organization_id text);
INSERT INTO crm.organization (name, slug) VALUES ('Acme', 'acme'), ('Twice', 'twice'), ('twice', NULL);
INSERT INTO staging.people (row_number, first_name, last_name, email) VALUES
	(101, 'Ann', 'Lee', ' Ann@Example.ORG '),
	(102, 'Bo', 'Lee', 'ann@example.org'),
	(103, 'Cy', 'Lee', 'nobody'),
	(104, ' ', E'\t', '');
INSERT INTO staging.people (row_number, last_name, email, mobile_phone, home_phone, time_zone, is_vendor, email_status, created_at) VALUES
	(105, 'Phone', 'phone@example.org', '0151 1', NULL, NULL, NULL, NULL, NULL),
	(106, 'Home', 'home@example.org', NULL, 'ext 5', NULL, NULL, NULL, NULL),
	(107, 'Zone', 'zone@example.org', NULL, NULL, 'Europe/Atlantis', NULL, NULL, NULL),
	(108, 'Form', 'form@example.org', NULL, NULL, 'Europe Berlin', NULL, NULL, NULL),
	(109, 'Bool', 'bool@example.org', NULL, NULL, NULL, 'perhaps', NULL, NULL),
	(110, 'State', 'state@example.org', NULL, NULL, NULL, NULL, 'gone', NULL),
	(111, 'Time', 'time@example.org', NULL, NULL, NULL, NULL, NULL, '2026-02-30'),
	(112, 'Sound', 'sound@example.org', '+49 (0)151 12345678', '+49 30 123456', 'europe/BERLIN', 'yes', 'opted_in', '2020-02-29 12:00+00');
INSERT INTO staging.people (row_number, last_name, work_email, personal_email, work_phone, uuid) VALUES
	(113, 'Slugs', 'slugs@work.example', 'slugs@home.example', '+49 30 5555555', 'u-113'),
	(114, 'Work', 'bad@work', NULL, NULL, NULL),
	(115, 'Steals', 'ANN@example.org', NULL, NULL, NULL),
	(116, 'Token', NULL, NULL, NULL, 'u-113'),
	(117, 'Same', 'same@work.example', 'Same@Work.example', NULL, NULL),
	(118, NULL, NULL, NULL, NULL, 'u-118');
INSERT INTO staging.people (row_number, last_name, email, organization_name, organization_slug, organization_id) VALUES
	(119, 'Named', 'named@example.org', 'ACME', NULL, NULL),
	(120, 'Slugged', 'slugged@example.org', NULL, 'acme', NULL),
	(121, 'Unknown', 'unknown@example.org', 'Nowhere', NULL, NULL),
	(122, 'Twice', 'twice@example.org', 'Twice', NULL, NULL),
	(123, 'Once', 'once@example.org', 'Twice', 'twice', NULL),
	(124, 'At odds', 'odds@example.org', 'Acme', 'twice', NULL),
	(125, 'By id', 'byid@example.org', 'Acme', NULL, '999999'),
	(126, 'No id', 'noid@example.org', NULL, NULL, 'one');
-- without anything exclusive: one a person's name, one a shared phone
INSERT INTO staging.people (row_number, first_name, last_name, mobile_phone) VALUES
	(127, 'Dora', 'Name', NULL), (128, NULL, 'Last', NULL), (129, 'First', NULL, NULL),
	(130, 'Father', 'Shared', '+4930777777'), (131, 'Mother', 'Shared', '+4930777777'), (132, NULL, NULL, '+4930888888');
SELECT * FROM contacts.import_contacts('crm', 'staging.people', source => 'fair 2026');
SELECT row_number, column_name, sqlstate, reason FROM staging.people_reject ORDER BY row_number;
SELECT staging, imported_at = now() AS is_now, data FROM staging.people_reject WHERE row_number = 103;
SELECT first_name, last_name, email, email_status, mobile_phone, home_phone, time_zone, is_vendor, contact_type,
	organization_name, created_at = now() AS is_new
FROM crm.contact ORDER BY last_name, first_name, email;
SELECT c.last_name, i.semantic_type, i.slug, i.value, i.source
FROM crm.identifier i JOIN crm.contact c ON c.id = i.contact_id
ORDER BY i.value, c.id;
SELECT created_at FROM crm.contact WHERE email = 'sound@example.org';
SELECT * FROM contacts.check_directory('crm', deep => true);

-- the same again: nothing
CREATE TABLE staging.before AS SELECT c.*, c.xmin AS version FROM crm.contact c;
CREATE TABLE staging.before_identifier AS SELECT i.*, i.xmin AS version FROM crm.identifier i;
SELECT * FROM contacts.import_contacts('crm', 'staging.people', source => 'fair 2027');
SELECT count(*) FROM crm.contact c FULL JOIN staging.before b ON b.id = c.id AND b.version = c.xmin
WHERE b.id IS NULL OR c.id IS NULL;
SELECT count(*) FROM crm.identifier i FULL JOIN staging.before_identifier b ON b.id = i.id AND b.version = i.xmin
WHERE b.id IS NULL OR i.id IS NULL;
SELECT count(*), count(DISTINCT row_number) FROM staging.people_reject;
-- for the rows' sake, not for the options': matched on nothing, the same holds
SELECT * FROM contacts.import_contacts('crm', 'staging.people', match => '{}', mode => 'fill');
DROP TABLE staging.people, staging.people_reject, staging.before, staging.before_identifier;

-- no rows, and rows without a number of their own
CREATE TABLE staging.few (email text, first_name text, last_name text);
SELECT * FROM contacts.import_contacts('crm', 'staging.few');
INSERT INTO staging.few VALUES (E'\x0b\fann@example.org\r\n', E'\tAnna\x0b', ' '), ('new@example.org', 'New', 'vxv'), ('bad', 'Bad', 'Bad');
-- white space at the ends goes, letters do not
SELECT * FROM contacts.import_contacts('crm', 'staging.few');
SELECT row_number, column_name, sqlstate FROM staging.few_reject;
-- an empty value erases nothing
SELECT first_name, last_name FROM crm.contact WHERE email IN ('ann@example.org', 'new@example.org') ORDER BY 1;
UPDATE crm.contact SET last_name = NULL WHERE email = 'new@example.org';
TRUNCATE staging.few;

-- fill: what is there stays
INSERT INTO staging.few VALUES ('ann@example.org', 'Annabel', 'Lea'), ('new@example.org', 'Newer', 'Last');
SELECT * FROM contacts.import_contacts('crm', 'staging.few', mode => 'fill');
SELECT first_name, last_name FROM crm.contact WHERE email IN ('ann@example.org', 'new@example.org') ORDER BY 1;
SELECT * FROM contacts.import_contacts('crm', 'staging.few', mode => 'fill');
SELECT * FROM contacts.import_contacts('crm', 'staging.few', mode => 'update');
SELECT first_name, last_name FROM crm.contact WHERE email IN ('ann@example.org', 'new@example.org') ORDER BY 1;

-- match: by another kind, by several, by id; conflicts name both
CREATE TABLE staging.keyed (line bigint, uuid text, email text, first_name text);
INSERT INTO staging.keyed VALUES (1, 'u-118', 'ghost@example.org', 'Gus'), (2, 'u-113', 'ann@example.org', 'Both'),
	(3, NULL, 'slugs@work.example', NULL), (4, 'u-4', 'slugs@home.example', 'Two');
-- by email alone a held token is another's
SELECT * FROM contacts.import_contacts('crm', 'staging.keyed');
SELECT row_number, column_name, sqlstate, regexp_replace(reason, '\d+', '#', 'g') FROM staging.keyed_reject ORDER BY row_number;
TRUNCATE staging.keyed_reject;
SELECT * FROM contacts.import_contacts('crm', 'staging.keyed', match => '{uuid,email}');
SELECT row_number, column_name, sqlstate, regexp_replace(reason, '\d+', '#', 'g') FROM staging.keyed_reject ORDER BY row_number;
SELECT reason = format('its values identify contacts %s and %s',
	least(crm.find_contact('email', 'ann@example.org'), crm.find_contact('uuid', 'u-113')),
	greatest(crm.find_contact('email', 'ann@example.org'), crm.find_contact('uuid', 'u-113'))) AS names_both
FROM staging.keyed_reject WHERE row_number = 2;
SELECT first_name, email FROM crm.contact WHERE id = crm.find_contact('uuid', 'u-118');
-- by the work address, which became the main one, as the file says
SELECT semantic_type, slug, value FROM crm.identifier
WHERE contact_id = crm.find_contact('uuid', 'u-113') ORDER BY 1, 2, 3;
CREATE TABLE staging.exported AS SELECT * FROM crm.contact;
SELECT count(*) AS contacts FROM crm.contact \gset
SELECT read = :contacts AS reads_all, inserted, updated, unchanged = read AS is_unchanged, rejected
FROM contacts.import_contacts('crm', 'staging.exported', match => '{id}');
UPDATE staging.exported SET titles = 'Dr.', contact_type = 'vendor', is_validated = true WHERE first_name = 'Dora';
INSERT INTO staging.exported (id, first_name, mononym, is_vendor, email_status, is_reachable, is_validated, contact_type, created_at, updated_at)
	VALUES (999999, 'Nobody', false, false, 'not_opted_in', false, false, 'ghost', now(), now());
SELECT inserted, updated, rejected FROM contacts.import_contacts('crm', 'staging.exported', match => '{id}');
SELECT column_name, sqlstate, reason FROM staging.exported_reject;
SELECT titles, contact_type, is_validated FROM crm.contact WHERE first_name = 'Dora';
DROP TABLE staging.exported, staging.exported_reject, staging.keyed, staging.keyed_reject;

-- identifiers: a label goes to the new value in mode update, not in mode fill;
-- what is unlabelled comes in addition
CREATE TABLE staging.labels (email text, work_email text, uuid text, billing_email text);
INSERT INTO staging.labels VALUES ('ann@example.org', 'ann@work.example', 'ann-1', NULL);
SELECT updated FROM contacts.import_contacts('crm', 'staging.labels', match => '{email,uuid}');
SELECT crm.suppress('ann@work.example', 'bounce');
UPDATE staging.labels SET work_email = 'ann@new.example', uuid = 'ann-2', billing_email = 'ann@billing.example';
SELECT updated FROM contacts.import_contacts('crm', 'staging.labels', mode => 'fill');
SELECT semantic_type, slug, value FROM crm.identifier
WHERE contact_id = crm.find_contact('email', 'ann@example.org') ORDER BY 1, 2, 3;
SELECT updated FROM contacts.import_contacts('crm', 'staging.labels');
SELECT unchanged FROM contacts.import_contacts('crm', 'staging.labels');
SELECT semantic_type, slug, value FROM crm.identifier
WHERE contact_id = crm.find_contact('email', 'ann@example.org') ORDER BY 1, 2, 3;
-- the suppression of the one that went stays
SELECT crm.address_status('ann@work.example');
-- labels that change places
ALTER TABLE staging.labels ADD COLUMN personal_email text;
UPDATE staging.labels SET work_email = 'ann@billing.example', billing_email = 'ann@new.example', personal_email = 'ann@example.org';
SELECT crm.validate_identifier(id) FROM crm.identifier WHERE value = 'ann@new.example';
SELECT updated FROM contacts.import_contacts('crm', 'staging.labels');
SELECT unchanged FROM contacts.import_contacts('crm', 'staging.labels');
UPDATE staging.labels SET work_email = 'ann@third.example', personal_email = 'ann@billing.example';
SELECT updated FROM contacts.import_contacts('crm', 'staging.labels');
SELECT unchanged FROM contacts.import_contacts('crm', 'staging.labels');
SELECT slug, value, is_validated FROM crm.identifier
WHERE contact_id = crm.find_contact('email', 'ann@example.org') AND semantic_type = 'email' ORDER BY 1;
DROP TABLE staging.labels, staging.labels_reject;
-- a row that no value tells apart is not the contact that another row changes,
-- and any contact that says the same will do
CREATE TABLE staging.twins (first_name text, titles text, anonymous text, mobile_phone text, work_phone text);
INSERT INTO crm.contact (first_name, mobile_phone) VALUES ('Twin', NULL), ('Other', '+4930111111'), (NULL, '+4930222222');
INSERT INTO crm.identifier (contact_id, semantic_type, value) SELECT id, 'anonymous', 'twin-1' FROM crm.contact WHERE first_name = 'Twin';
INSERT INTO staging.twins VALUES ('Twin', NULL, NULL, NULL, NULL), ('Twin', 'Prof.', 'twin-1', NULL, NULL),
	(NULL, NULL, NULL, '+4930222222', '+4930333333');
SELECT * FROM contacts.import_contacts('crm', 'staging.twins', match => '{anonymous}');
SELECT * FROM contacts.import_contacts('crm', 'staging.twins', match => '{anonymous}');
DELETE FROM crm.contact WHERE mobile_phone = '+4930222222';
DROP TABLE staging.twins, staging.twins_reject;

-- consent is never lowered, and nobody is told off for trying
CREATE TABLE staging.consent (line integer, email text, email_status text, last_name text, uuid text);
INSERT INTO staging.consent VALUES
	(1, 'known@example.org', 'opted_in', 'Known', 'c-1'), (2, 'gone@example.org', 'not_opted_in', 'Gone', 'c-2'),
	(3, 'never@example.org', 'opted_in', 'Never', 'c-3'), (4, 'erased@example.org', 'opted_in', 'Erased', 'c-4');
SELECT crm.suppress('never@example.org', 'complaint');
SELECT crm.unsubscribe('erased@example.org');
SELECT * FROM contacts.import_contacts('crm', 'staging.consent');
SELECT email, email_status FROM crm.contact WHERE last_name IN ('Known', 'Gone', 'Never', 'Erased') ORDER BY 1;
SELECT * FROM contacts.import_contacts('crm', 'staging.consent');
-- a file raises: row 1 by its email, row 2 without one
UPDATE staging.consent SET email_status = 'unsubscribed' WHERE line = 1;
UPDATE staging.consent SET email_status = 'suppressed', email = NULL WHERE line = 2;
UPDATE staging.consent SET email_status = 'not_opted_in' WHERE line > 2;
SELECT * FROM contacts.import_contacts('crm', 'staging.consent', match => '{email,uuid}', source => 'do-not-mail list');
SELECT c.email, c.email_status, i.status, i.status_reason
FROM crm.contact c JOIN crm.identifier i ON i.contact_id = c.id AND i.value = c.email::text
WHERE c.last_name IN ('Known', 'Gone', 'Never', 'Erased') ORDER BY 1;
SELECT old_state, new_state, reason, source FROM crm.consent_event ORDER BY id DESC LIMIT 2;
SELECT * FROM contacts.import_contacts('crm', 'staging.consent', match => '{email,uuid}');
-- opted in by a file is where nothing was known; a new address takes its own state along
UPDATE staging.consent SET email_status = 'opted_in';
UPDATE staging.consent SET email = 'other@example.org' WHERE line = 3;
SELECT * FROM contacts.import_contacts('crm', 'staging.consent', match => '{email,uuid}');
SELECT email, email_status FROM crm.contact WHERE last_name IN ('Known', 'Gone', 'Never', 'Erased') ORDER BY 1;
-- in mode fill an address may go nowhere, its suppression does not
UPDATE staging.consent SET email = 'spare' || line || '@example.org', email_status = CASE line WHEN 1 THEN 'suppressed' ELSE 'unsubscribed' END;
SELECT * FROM contacts.import_contacts('crm', 'staging.consent', match => '{uuid}', mode => 'fill');
SELECT crm.address_status('spare1@example.org'), crm.address_status('spare2@example.org');
SELECT * FROM contacts.import_contacts('crm', 'staging.consent', match => '{uuid}', mode => 'fill');
SELECT * FROM contacts.check_directory('crm', deep => true);
DROP TABLE staging.consent, staging.consent_reject;

-- options that mean nothing, columns that nobody reads
\set VERBOSITY terse
CREATE TABLE staging.odd (email text, "Shoe size" text, phone text, main_email text, line text);
INSERT INTO staging.odd VALUES ('odd@example.org', '44', '1', '2', '3');
SELECT * FROM contacts.import_contacts('crm', 'staging.odd');
SELECT * FROM contacts.import_contacts('crm', 'staging.odd', ignore_unknown => true);
SELECT * FROM contacts.import_contacts('crm', 'staging.few', mode => 'replace');
SELECT * FROM contacts.import_contacts('crm', 'staging.few', mode => NULL);
SELECT * FROM contacts.import_contacts('crm', 'staging.few', match => '{phone}');
SELECT * FROM contacts.import_contacts('crm', 'staging.few', match => '{first_name}');
SELECT * FROM contacts.import_contacts('crm', 'staging.few', region => 'Atlantis');
SELECT * FROM contacts.import_contacts('staging', 'staging.few');
SELECT * FROM contacts.import_contacts('nowhere', 'staging.few');
SELECT * FROM contacts.import_contacts('crm', 'staging.nowhere');
\set VERBOSITY sqlstate
SELECT * FROM contacts.import_contacts('crm', 'staging.few', ignore_unknown => NULL, match => NULL, mode => 'no');
SELECT * FROM contacts.import_contacts('nowhere', 'staging.few');
SELECT * FROM contacts.import_contacts('staging', 'staging.few');
SELECT * FROM contacts.import_contacts(NULL, 'staging.few');
SELECT * FROM contacts.import_contacts('crm', NULL);
SELECT * FROM contacts.import_contacts('crm', 'staging.few', reject_table => 'staging.few');
\set VERBOSITY default
-- more than an index takes
INSERT INTO staging.few VALUES ('long@example.org', 'Long', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i));
SELECT * FROM contacts.import_contacts('crm', 'staging.few');
SELECT row_number, sqlstate, length(data ->> 'last_name') FROM staging.few_reject WHERE sqlstate = '54000';

-- an exclusive phone matches; national numbers are read for a region
CREATE TABLE staging.numbers (mobile_phone text, last_name text);
INSERT INTO staging.numbers VALUES ('0151 2222222', 'National');
SELECT rejected FROM contacts.import_contacts('crm', 'staging.numbers');
SELECT inserted FROM contacts.import_contacts('crm', 'staging.numbers', region => 'DE');
SELECT rejected FROM contacts.import_contacts('crm', 'staging.numbers');
UPDATE crm.contact SET mobile_phone = NULL WHERE last_name = 'Shared';
SELECT contacts.set_exclusive('crm', 'phone', true);
UPDATE staging.numbers SET mobile_phone = '+49 151 2222222', last_name = 'Renamed';
SELECT * FROM contacts.import_contacts('crm', 'staging.numbers', match => '{phone}');
SELECT last_name, mobile_phone FROM crm.contact WHERE mobile_phone = '+491512222222';
SELECT current_setting('contacts.default_region', true) IS DISTINCT FROM 'DE' AS is_reset,
	current_setting('contacts.source', true) = '' AS is_reset_too;

-- organizations are made if asked for, one for all its rows
CREATE TABLE staging.companies (email text, organization_name text, organization_slug text);
INSERT INTO staging.companies VALUES ('a@initech.example', 'Initech', NULL), ('b@initech.example', 'INITECH', NULL),
	('c@globex.example', 'Globex', 'globex'), ('d@globex.example', NULL, 'globex'), ('e@globex.example', 'Globex', NULL),
	('f@solo.example', NULL, 'solo'), ('g@acme.example', 'Acme', 'acme'), ('h@globex.example', 'Other', 'globex');
SELECT * FROM contacts.import_contacts('crm', 'staging.companies');
TRUNCATE staging.companies_reject;
SELECT * FROM contacts.import_contacts('crm', 'staging.companies', make_organizations => true);
SELECT row_number, column_name, sqlstate FROM staging.companies_reject;
SELECT o.name, o.slug, count(c.id) FROM crm.organization o LEFT JOIN crm.contact c ON c.organization_id = o.id
GROUP BY o.id ORDER BY o.name, o.slug;
SELECT * FROM contacts.import_contacts('crm', 'staging.companies', make_organizations => true);
-- moving on, unless only gaps are filled
UPDATE staging.companies SET organization_name = 'Acme', organization_slug = NULL WHERE email = 'a@initech.example';
DELETE FROM staging.companies WHERE email <> 'a@initech.example';
SELECT unchanged FROM contacts.import_contacts('crm', 'staging.companies', mode => 'fill');
SELECT updated FROM contacts.import_contacts('crm', 'staging.companies');
SELECT organization_name FROM crm.contact WHERE email = 'a@initech.example';

-- the user's own columns, kinds, labels, constraints and triggers
CREATE TYPE staging.mood AS ENUM ('glad', 'sad');
ALTER TABLE crm.contact
	ADD COLUMN shoe_size numeric(3,1) CHECK (shoe_size < 60), ADD COLUMN nickname varchar(5) COLLATE "C" DEFAULT 'none',
	ADD COLUMN place point, ADD COLUMN tags text[], ADD COLUMN full_name text GENERATED ALWAYS AS (first_name || last_name) STORED,
	ADD COLUMN badge text UNIQUE, ADD COLUMN mood staging.mood, ADD COLUMN note json;
INSERT INTO crm.semantic_type (name, value_type, is_exclusive) VALUES ('passport', 'text', true), ('fax', 'phone', false);
INSERT INTO crm.identifier_slug (semantic_type, slug) VALUES ('passport', 'old'), ('email', 'club');
CREATE FUNCTION staging.refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN IF NEW.first_name = 'Refused' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON crm.contact FOR EACH ROW EXECUTE FUNCTION staging.refuse();
CREATE TABLE staging.own (line smallint GENERATED ALWAYS AS IDENTITY, first_name text, last_name text, email text, shoe_size text, nickname text, place text, tags text, full_name text,
	badge text, passport text, old_passport text, club_email text, fax text, mood text, note text);
INSERT INTO staging.own (first_name, last_name, email, shoe_size, nickname, place, tags, full_name,
	badge, passport, old_passport, club_email, fax) VALUES
	('Max', 'Own', 'max@example.org', '42.55', 'Maxi', '(1,2)', '{a,b}', 'ignored', 'b1', 'P1', 'P0', 'max@club.example', '+49 30 1234567'),
	('Min', 'Own', 'min@example.org', NULL, NULL, NULL, NULL, NULL, 'b2', NULL, NULL, NULL, NULL),
	('Long', 'Own', 'long@example.org', NULL, 'too long', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('Large', 'Own', 'large@example.org', '1000', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('Check', 'Own', 'check@example.org', '61', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('Point', 'Own', 'point@example.org', NULL, NULL, 'there', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('Badge', 'Own', 'badge@example.org', NULL, NULL, NULL, NULL, NULL, 'b1', NULL, NULL, NULL, NULL),
	('Refused', 'Own', 'refused@example.org', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('Pass', 'Own', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'P0', NULL, NULL, NULL),
	('Ann', 'Badge', 'ann@example.org', NULL, NULL, NULL, NULL, NULL, 'b2', NULL, NULL, NULL, NULL);
SELECT * FROM contacts.import_contacts('crm', 'staging.own', match => '{email,passport}');
SELECT row_number, column_name, sqlstate, reason FROM staging.own_reject ORDER BY row_number;
SELECT first_name, email, shoe_size, nickname, place::text, tags, full_name, badge FROM crm.contact WHERE last_name = 'Own' ORDER BY 1;
SELECT semantic_type, slug, value FROM crm.identifier WHERE contact_id = crm.find_contact('passport', 'P1') ORDER BY 1, 2;
SELECT * FROM contacts.import_contacts('crm', 'staging.own', match => '{email,passport}');
UPDATE staging.own SET place = '(3,4)', tags = '{c}', mood = 'glad', note = '{"a": 1}' WHERE first_name = 'Max';
UPDATE staging.own SET mood = 'angry' WHERE first_name = 'Min';
SELECT updated FROM contacts.import_contacts('crm', 'staging.own', match => '{email,passport}');
SELECT updated FROM contacts.import_contacts('crm', 'staging.own', match => '{email,passport}');
SELECT place::text, tags, mood, note FROM crm.contact WHERE first_name = 'Max';
SELECT DISTINCT row_number, column_name, sqlstate FROM staging.own_reject WHERE column_name = 'mood';
SELECT * FROM contacts.check_directory('crm', deep => true);
-- what must not be empty: a column of the file, and one that the file does not have
DROP TRIGGER refuse ON crm.contact;
UPDATE crm.contact SET nickname = 'x' WHERE nickname IS NULL;
UPDATE crm.contact SET badge = 'badge' || id WHERE badge IS NULL;
ALTER TABLE crm.contact ALTER COLUMN badge SET NOT NULL, ALTER COLUMN nickname SET NOT NULL, ADD COLUMN code text;
INSERT INTO staging.own (email, badge) VALUES ('without@example.org', NULL), ('with@example.org', 'b9'), ('max@example.org', NULL);
DELETE FROM staging.own WHERE line <= 10;
TRUNCATE staging.own_reject;
SELECT * FROM contacts.import_contacts('crm', 'staging.own');
UPDATE crm.contact SET code = 'c';
ALTER TABLE crm.contact ALTER COLUMN code SET NOT NULL;
UPDATE staging.own SET email = 'also.' || email;
SELECT * FROM contacts.import_contacts('crm', 'staging.own');
SELECT row_number, sqlstate, reason FROM staging.own_reject ORDER BY imported_at, row_number;
ALTER TABLE crm.contact DROP COLUMN shoe_size, DROP COLUMN nickname, DROP COLUMN place, DROP COLUMN tags, DROP COLUMN full_name, DROP COLUMN badge, DROP COLUMN code, DROP COLUMN mood, DROP COLUMN note;
DROP TABLE staging.own, staging.own_reject;

-- views, typed columns, partitions, temporary tables
CREATE VIEW staging.view WITH (security_invoker = true) AS
	SELECT 'view@example.org'::contacts.email AS email, 'View'::varchar AS first_name, true AS is_vendor
	UNION ALL SELECT NULL, NULL, NULL;
SELECT * FROM contacts.import_contacts('crm', 'staging.view');
SELECT row_number, sqlstate, data FROM staging.view_reject;
SELECT unchanged FROM contacts.import_contacts('crm', 'staging.view');
CREATE TABLE staging.parts (id integer, email text, first_name text) PARTITION BY LIST (id);
CREATE TABLE staging.part1 PARTITION OF staging.parts FOR VALUES IN (1);
CREATE TABLE staging.part2 PARTITION OF staging.parts FOR VALUES IN (2);
INSERT INTO staging.parts VALUES (2, 'bad two', 'Two'), (1, 'bad one', 'One'), (1, 'one@example.org', 'One'), (2, 'two@example.org', 'Two');
SELECT * FROM contacts.import_contacts('crm', 'staging.parts');
SELECT row_number, data FROM staging.parts_reject ORDER BY row_number;
CREATE TEMPORARY TABLE people (email text);
INSERT INTO people VALUES ('temp@example.org'), ('temp');
SELECT * FROM contacts.import_contacts('crm', 'pg_temp.people');
SELECT relpersistence FROM pg_class WHERE oid = 'pg_temp.people_reject'::regclass;
-- a reject table of one's own, twice in one transaction, undone with it
CREATE TABLE staging.rejects (id integer GENERATED ALWAYS AS IDENTITY, LIKE pg_temp.people_reject INCLUDING DEFAULTS);
BEGIN;
SELECT rejected FROM contacts.import_contacts('crm', 'pg_temp.people', reject_table => 'staging.rejects');
SELECT rejected FROM contacts.import_contacts('crm', 'pg_temp.people', reject_table => 'staging.rejects');
SELECT count(*) FROM staging.rejects;
ROLLBACK;
SELECT count(*) FROM staging.rejects;

-- hostile names
SELECT contacts.create_directory(E'we"ird. $query$ %I ''dir\\');
CREATE SCHEMA "s""c.h";
CREATE TABLE "s""c.h"."$query$ t'a""b %s; DROP TABLE crm.contact; -- and so on to the 6" (email text, "Bad ""co'l $query$ %I" text);
INSERT INTO "s""c.h"."$query$ t'a""b %s; DROP TABLE crm.contact; -- and so on to the 6" VALUES
	('hostile@example.org', 'x'), (E'''); DROP TABLE crm.contact; --', '$query$');
SELECT * FROM contacts.import_contacts(E'we"ird. $query$ %I ''dir\\',
	(SELECT oid::regclass FROM pg_catalog.pg_class WHERE relnamespace = '"s""c.h"'::regnamespace), ignore_unknown => true, source => E'so''ur"ce\\ %s $query$');
SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = '"s""c.h"'::regnamespace AND relkind = 'r' ORDER BY relname;
SELECT row_number, column_name, sqlstate, data FROM "s""c.h"."$query$ t'a""b %s; DROP TABLE crm.contact; -- and so on t_reject";
SELECT email FROM "we""ird. $query$ %I 'dir\".contact;
SELECT source FROM "we""ird. $query$ %I 'dir\".identifier;
SELECT contacts.drop_directory(E'we"ird. $query$ %I ''dir\\', cascade => true);
SET client_min_messages = warning;
DROP SCHEMA "s""c.h" CASCADE;

-- traps in the caller's way
CREATE SCHEMA trap;
CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE TABLE trap.contact (email text);
SET search_path = trap, pg_catalog;
SELECT unchanged, rejected FROM contacts.import_contacts('crm', 'staging.companies');
SET search_path = '';
DROP SCHEMA trap CASCADE;
RESET client_min_messages;

-- the rights are those of the caller
GRANT USAGE ON SCHEMA crm, staging TO regress_import_clerk;
GRANT CREATE ON SCHEMA staging TO regress_import_clerk;
CREATE TABLE staging.clerk (email text, email_status text, work_email text, last_name text);
INSERT INTO staging.clerk VALUES ('clerk1@example.org', 'opted_in', NULL, 'Clerk'), ('clerk2@example.org', 'not_opted_in', NULL, 'Clerk'),
	('ann@example.org', 'suppressed', NULL, NULL), ('never@example.org', 'suppressed', NULL, NULL);
\set VERBOSITY sqlstate
SET ROLE regress_import_clerk;
SELECT * FROM contacts.import_contacts('crm', 'staging.clerk');
RESET ROLE;
SET ROLE regress_import;
GRANT SELECT ON staging.clerk TO regress_import_clerk;
GRANT SELECT ON crm.semantic_type, crm.identifier_slug, crm.identifier, crm.contact TO regress_import_clerk;
SET ROLE regress_import_clerk;
SELECT * FROM contacts.import_contacts('crm', 'staging.clerk');
RESET ROLE;
SET ROLE regress_import;
\set VERBOSITY default
GRANT INSERT ON crm.contact TO regress_import_clerk;
SET ROLE regress_import_clerk;
SELECT * FROM contacts.import_contacts('crm', 'staging.clerk');
SELECT row_number, column_name, sqlstate, reason FROM staging.clerk_reject;
SELECT crm.address_status('ann@example.org'), crm.address_status('clerk1@example.org');
RESET ROLE;
SET ROLE regress_import;
GRANT UPDATE (status) ON crm.identifier TO regress_import_clerk;
GRANT UPDATE ON crm.contact TO regress_import_clerk;
SET ROLE regress_import_clerk;
SELECT * FROM contacts.import_contacts('crm', 'staging.clerk');
SELECT crm.address_status('ann@example.org'), crm.address_status('clerk1@example.org');
RESET ROLE;
SET ROLE regress_import;
-- row security: what the caller may not write is rejected, whom he may not see is not touched
ALTER TABLE crm.contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY clerk ON crm.contact TO regress_import_clerk USING (last_name = 'Clerk');
CREATE POLICY owner ON crm.contact TO regress_import USING (true);
TRUNCATE staging.clerk;
INSERT INTO staging.clerk VALUES ('clerk3@example.org', NULL, NULL, 'Clerk'), ('boss@example.org', NULL, NULL, 'Boss'),
	('ann@example.org', NULL, NULL, 'Hers'), ('clerk1@example.org', NULL, NULL, 'Clerk');
SET ROLE regress_import_clerk;
TRUNCATE staging.clerk_reject;
SELECT * FROM contacts.import_contacts('crm', 'staging.clerk');
SELECT row_number, sqlstate, reason FROM staging.clerk_reject ORDER BY row_number;
RESET ROLE;
SET ROLE regress_import;
SELECT * FROM contacts.check_directory('crm', deep => true);

DROP TABLE pg_temp.people, pg_temp.people_reject;
SET client_min_messages = warning;
DROP SCHEMA staging CASCADE;
SELECT contacts.drop_directory('crm', cascade => true);
RESET ROLE;
RESET client_min_messages;
SELECT format('REVOKE CREATE ON DATABASE %I FROM regress_import', current_database()) \gexec
DROP ROLE regress_import_clerk;
DROP ROLE regress_import;
