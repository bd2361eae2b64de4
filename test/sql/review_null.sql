-- An owner can drop what keeps NULLs out, where the DDL guard is off; the server must not mind.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir review_null
\set ECHO none
\i :rules
\set ECHO all
RESET ROLE;
GRANT SET ON PARAMETER contacts.ddl_guard TO regress_contacts_review_null; -- to break things
SET ROLE regress_contacts_review_null;

INSERT INTO contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org');
INSERT INTO organization (name) VALUES ('Acme');
SET contacts.ddl_guard = off;
ALTER TABLE contact ALTER email_status DROP NOT NULL, DISABLE TRIGGER zz_derive;
UPDATE contact SET email_status = NULL WHERE id = 1;
UPDATE contact SET email_status = 'opted_in' WHERE id = 1;
UPDATE contact SET email = 'a2@x.org', email_status = NULL WHERE id = 1;
UPDATE contact SET email = 'a3@x.org' WHERE id = 1;
ALTER TABLE contact ENABLE TRIGGER zz_derive;
UPDATE contact SET email = 'a4@x.org' WHERE id = 1;
SELECT c.email, c.email_status, i.value, i.status FROM contact c JOIN identifier i ON i.contact_id = c.id;
ALTER TABLE identifier ALTER semantic_type DROP NOT NULL, ALTER key DROP NOT NULL;
UPDATE identifier SET semantic_type = NULL;
ALTER TABLE identifier DISABLE TRIGGER zz_derive;
UPDATE identifier SET key = NULL, slug = NULL;
ALTER TABLE organization ALTER name DROP NOT NULL;
UPDATE organization SET name = NULL;

SET client_min_messages = warning;
SELECT contacts.drop_directory('review_null', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_review_null;
DROP ROLE regress_contacts_review_null;
