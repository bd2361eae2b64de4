-- Whoever may make a schema can have the extension look at it: tables that are
-- not those of a directory are refused, whatever they hold.
CREATE ROLE regress_contacts_fake;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_contacts_fake', current_database()) \gexec
SET ROLE regress_contacts_fake;
SET search_path = '';

-- views and values of other types in place of the secret and the settings
CREATE SCHEMA review_fake;
CREATE TABLE review_fake.contact (id bigint);
CREATE TABLE review_fake.identifier (id bigint, key uuid, status text, slug text);
CREATE TABLE review_fake.setting (name_rule text, secret_fingerprint bytea);
CREATE TABLE review_fake.semantic_type (name text, value_type text, is_exclusive boolean, is_contactable boolean);
CREATE VIEW review_fake.secret AS SELECT '\x00'::bytea AS value;
SELECT contacts.identifier_key('review_fake', 'email', 'a@x.org');
SELECT contacts.address_key('review_fake.identifier', 'a@x.org');
SELECT contacts.change_consent('review_fake.identifier', '{a@x.org}', 'suppressed', 'manual');
DROP VIEW review_fake.secret;
CREATE TABLE review_fake.secret (value bigint);
INSERT INTO review_fake.secret VALUES (4711);
SELECT contacts.identifier_key('review_fake', 'email', 'a@x.org');
DROP TABLE review_fake.secret;
CREATE TABLE review_fake.secret (value bytea) PARTITION BY LIST (value);
SELECT contacts.identifier_key('review_fake', 'email', 'a@x.org');
SET client_min_messages = warning;
DROP SCHEMA review_fake CASCADE;
RESET client_min_messages;

-- an owner who alters what the triggers read
SELECT contacts.create_directory('review_fake');
INSERT INTO review_fake.contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org');
ALTER TABLE review_fake.contact ALTER organization_name TYPE bigint USING 4711;
UPDATE review_fake.contact SET titles = 'Dr' WHERE id = 1;
ALTER TABLE review_fake.contact ALTER organization_name TYPE text[] USING '{}';
UPDATE review_fake.contact SET titles = 'Dr' WHERE id = 1;
-- other string types and domains are fine
CREATE DOMAIN review_fake.company AS varchar(40);
ALTER TABLE review_fake.contact ALTER organization_name TYPE review_fake.company USING NULL;
CREATE DOMAIN review_fake.moment AS timestamptz;
ALTER TABLE review_fake.contact ALTER updated_at TYPE review_fake.moment;
INSERT INTO review_fake.organization (id, name) VALUES (1, 'Acme');
UPDATE review_fake.contact SET organization_id = 1 WHERE id = 1;
SELECT organization_name FROM review_fake.contact;

-- NULLs where a directory has none
ALTER TABLE review_fake.contact ALTER email_status DROP NOT NULL, DISABLE TRIGGER zz_derive;
UPDATE review_fake.contact SET email_status = NULL WHERE id = 1;
UPDATE review_fake.contact SET email_status = 'opted_in' WHERE id = 1;
UPDATE review_fake.contact SET email = 'a2@x.org', email_status = NULL WHERE id = 1;
UPDATE review_fake.contact SET email = 'a3@x.org' WHERE id = 1;
ALTER TABLE review_fake.contact ENABLE TRIGGER zz_derive;
UPDATE review_fake.contact SET email = 'a4@x.org' WHERE id = 1;
SELECT email, email_status FROM review_fake.contact;
ALTER TABLE review_fake.identifier ALTER semantic_type DROP NOT NULL, ALTER key DROP NOT NULL;
UPDATE review_fake.identifier SET semantic_type = NULL;
ALTER TABLE review_fake.identifier DISABLE TRIGGER zz_derive;
UPDATE review_fake.identifier SET key = NULL, slug = NULL;
ALTER TABLE review_fake.organization ALTER name DROP NOT NULL;
UPDATE review_fake.organization SET name = NULL;

SET client_min_messages = warning;
SELECT contacts.drop_directory('review_fake', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_fake;
DROP ROLE regress_contacts_fake;
