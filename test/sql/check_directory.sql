-- check_directory() finds every broken rule, repair_directory() what is derived
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_check;
CREATE ROLE regress_check_reader;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_check', current_database()) \gexec
GRANT SET ON PARAMETER contacts.ddl_guard TO regress_check; -- to break things
SET ROLE regress_check;
SELECT contacts.create_directory('chk', secret => sha256('check'));
SET search_path = chk;

INSERT INTO organization (name) VALUES ('Analytical Engines'), ('Acme');
INSERT INTO contact (first_name, last_name, email, mobile_phone, organization_id) VALUES
	('Ada', 'Lovelace', 'ada@example.org', '+442079460001', 1),
	('Bob', 'Stone', 'bob@example.org', '+442079460001', 2),
	('Cy', 'Twombly', 'cy@example.org', NULL, NULL),
	('Dee', 'Brown', NULL, '+442079460004', NULL),
	('Eve', NULL, 'eve@example.org', NULL, NULL);
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES
	(1, 'email', 'work', 'ada@work.example'), (2, 'oauth', 'main', 'google|2'), (3, 'phone', 'work', '+442079460003');
UPDATE identifier SET is_validated = true WHERE value = 'ada@work.example';
UPDATE contact SET email_status = 'unsubscribed' WHERE id = 2;
UPDATE contact SET email_status = 'suppressed' WHERE id = 3;
INSERT INTO identifier (semantic_type, value, status, status_reason) VALUES
	('email', 'gone@example.org', 'suppressed', 'bounce'), ('phone', '+442079460009', 'unsubscribed', 'own_wish');
SELECT * FROM contacts.check_directory('chk');
SELECT * FROM contacts.repair_directory('chk');

-- Break things as only the owner can, look, repair.
CREATE PROCEDURE disarm() LANGUAGE plpgsql SET contacts.ddl_guard = off AS $$
DECLARE
	tab text;
BEGIN
	FOR tab IN SELECT DISTINCT relation FROM contacts.model WHERE kind = 'trigger' LOOP
		EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', tab);
	END LOOP;
END
$$;

-- I4, I6, I9, C1: what is derived
CALL disarm();
UPDATE contact SET contact_type = 'vendor', is_reachable = false WHERE id = 1;
UPDATE contact SET is_validated = true, organization_name = 'Ghosts' WHERE id = 2;
UPDATE contact SET organization_name = 'Ghosts', contact_type = 'contact' WHERE id = 3;
UPDATE contact SET organization_name = NULL, last_name = ' ' WHERE id = 1;
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT * FROM contacts.check_directory('chk') ORDER BY rule, object, row_id;
SELECT * FROM contacts.repair_directory('chk');
SELECT id, last_name, contact_type, is_reachable, is_validated, organization_name FROM contact ORDER BY id;

-- I4: each side is there without the other
CALL disarm();
UPDATE contact SET email = 'bob.stone@example.org' WHERE id = 2;
DELETE FROM identifier WHERE contact_id = 2 AND semantic_type = 'email';
DELETE FROM identifier WHERE contact_id = 1 AND semantic_type = 'phone';
UPDATE contact SET email = NULL WHERE id = 3;
UPDATE contact SET mobile_phone = NULL WHERE id = 4;
UPDATE contact SET email = 'ada@work.example' WHERE id = 1;
UPDATE identifier SET slug = 'personal' WHERE contact_id = 1 AND semantic_type = 'email' AND slug = 'main';
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT * FROM contacts.check_directory('chk') ORDER BY rule, object, row_id;
SELECT * FROM contacts.repair_directory('chk');
SELECT c.id, c.email, c.email_status, c.mobile_phone, c.contact_type FROM contact c ORDER BY c.id;
SELECT contact_id, semantic_type, slug, value, status FROM identifier ORDER BY contact_id, semantic_type, value;

-- I4: both sides are there and differ, or another contact holds the value: for people to decide
CALL disarm();
UPDATE contact SET email = 'eva@example.org' WHERE id = 5;
UPDATE contact SET email = 'ada@example.org' WHERE id = 4;
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT * FROM contacts.repair_directory('chk');
SELECT * FROM contacts.check_directory('chk') ORDER BY rule, object, row_id;
CALL disarm();
UPDATE contact SET email = 'eve@example.org' WHERE id = 5;
UPDATE contact SET email = NULL WHERE id = 4;
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT * FROM contacts.check_directory('chk');

-- C1: the stricter state wins, whichever side has it
CALL disarm();
UPDATE contact SET email_status = 'suppressed' WHERE id = 1;
UPDATE contact SET email_status = 'opted_in' WHERE id = 3;
UPDATE identifier SET status = 'opted_in' WHERE value = 'eve@example.org';
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT * FROM contacts.check_directory('chk') ORDER BY rule, object, row_id;
SELECT * FROM contacts.repair_directory('chk');
SELECT c.id, c.email, c.email_status, i.status, (SELECT new_state FROM consent_event e WHERE e.key = i.key ORDER BY id DESC LIMIT 1) AS logged
FROM contact c JOIN identifier i ON i.contact_id = c.id AND i.value = c.email::text WHERE c.id IN (1, 3, 5) ORDER BY c.id;

-- C2, C5: the log knows of a suppression that was lifted, the row of one that was not logged
CALL disarm();
UPDATE identifier SET status = 'opted_in' WHERE value = 'cy@example.org';
UPDATE contact SET email_status = 'opted_in' WHERE id = 3;
DELETE FROM identifier WHERE value = 'gone@example.org';
DELETE FROM consent_event WHERE key = contacts.identifier_key('chk', 'phone', '+442079460009');
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT rule, object, row_id, regexp_replace(message, '[0-9a-f-]{36}', 'X') FROM contacts.check_directory('chk') ORDER BY rule, object, row_id;
SELECT * FROM contacts.repair_directory('chk');
SELECT c.email, c.email_status, i.status FROM contact c JOIN identifier i ON i.contact_id = c.id WHERE i.value = 'cy@example.org';
SELECT old_state, new_state, source FROM consent_event WHERE key = contacts.identifier_key('chk', 'phone', '+442079460009');
-- the erased suppression is known by its key alone: it comes back by suppressing the address
INSERT INTO identifier (semantic_type, value, status, status_reason) VALUES ('email', 'gone@example.org', 'suppressed', 'bounce');
SELECT * FROM contacts.check_directory('chk');

-- I1, I5, I7, I10: identifiers
CALL disarm();
UPDATE identifier SET key = gen_random_uuid() WHERE value IN ('ada@example.org', '+442079460009', 'google|2');
UPDATE identifier SET holder = 77 WHERE contact_id = 1 AND semantic_type = 'phone';
UPDATE identifier SET holder = -1 WHERE value = 'gone@example.org';
INSERT INTO identifier (semantic_type, value, key) VALUES ('uuid', 'nobodys', gen_random_uuid());
UPDATE identifier SET value = 'Bob.Stone@Example.org' WHERE value = 'bob.stone@example.org';
DELETE FROM identifier_slug WHERE semantic_type = 'uuid';
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT c.rule, c.object, coalesce(i.value, c.message) AS what FROM contacts.check_directory('chk') c LEFT JOIN identifier i ON i.id = c.row_id AND c.object LIKE 'identifier%'
ORDER BY 1, 2, 3;
SELECT * FROM contacts.repair_directory('chk');
SELECT * FROM contacts.repair_directory('chk');
CALL disarm();
UPDATE identifier SET value = 'bob.stone@example.org' WHERE value = 'Bob.Stone@Example.org';
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT * FROM contacts.check_directory('chk');

-- I3, I7: contacts that nothing identifies, identifiers of contacts that are gone
CALL disarm();
INSERT INTO contact (id, first_name) VALUES (100, NULL), (101, E' \t');
SET contacts.ddl_guard = off;
ALTER TABLE identifier DROP CONSTRAINT identifier_contact_id_fkey;
SET contacts.ddl_guard = on;
DELETE FROM contact WHERE id = 2;
SELECT contacts.attach_triggers('chk') > 0 AS is_armed;
SELECT c.rule, c.object, c.row_id, c.message FROM contacts.check_directory('chk') c ORDER BY 1, 2, 3;
DELETE FROM contact WHERE id IN (100, 101);
SELECT * FROM contacts.repair_directory('chk');
ALTER TABLE identifier ADD CONSTRAINT identifier_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contact ON DELETE SET NULL NOT VALID;
SELECT object, message FROM contacts.check_directory('chk', deep => false);
ALTER TABLE identifier VALIDATE CONSTRAINT identifier_contact_id_fkey;
SELECT * FROM contacts.check_directory('chk');

-- the triggers: missing, disabled, disarmed, altered; users' own are their own
SET contacts.ddl_guard = off;
DROP TRIGGER zz_claim ON contact;
ALTER TABLE contact DISABLE TRIGGER zz_derive;
ALTER TABLE contact ENABLE REPLICA TRIGGER zz_change;
ALTER TABLE identifier ENABLE ALWAYS TRIGGER zz_derive;
ALTER TABLE identifier ENABLE TRIGGER zz_guard_update;
DROP TRIGGER zz_guard_delete ON identifier;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zz_guard_delete AFTER DELETE ON identifier FOR EACH ROW EXECUTE FUNCTION nothing();
DROP TRIGGER zz_guard ON secret;
CREATE TRIGGER zz_guard AFTER UPDATE ON secret FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER mine AFTER INSERT ON contact FOR EACH ROW EXECUTE FUNCTION nothing();
SET contacts.ddl_guard = on;
SELECT is_armed FROM contacts.directory WHERE name = 'chk';
SELECT * FROM contacts.check_directory('chk', deep => false);
SELECT * FROM contacts.repair_directory('chk');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'contact'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT is_armed FROM contacts.directory WHERE name = 'chk';
DROP TRIGGER mine ON contact;
-- a renamed trigger is a missing one; the other does no harm
SET contacts.ddl_guard = off;
ALTER TRIGGER zz_guard ON consent_event RENAME TO my_guard;
SET contacts.ddl_guard = on;
SELECT object, message FROM contacts.check_directory('chk', deep => false);
ALTER TRIGGER my_guard ON consent_event RENAME TO zz_guard; -- it is not one of ours by that name

-- what pg_restore --disable-triggers does, and what a superuser can do
RESET ROLE;
SET contacts.ddl_guard = off;
ALTER TABLE chk.identifier DISABLE TRIGGER ALL;
SET contacts.ddl_guard = on;
SELECT rule, object, regexp_replace(message, '[0-9]+', 'N') FROM contacts.check_directory('chk', deep => false) WHERE rule = 'constraint' ORDER BY 1, 2, 3;
SET contacts.ddl_guard = off;
ALTER TABLE chk.identifier ENABLE TRIGGER ALL;
SET contacts.ddl_guard = on;
SET ROLE regress_check;
SELECT * FROM contacts.check_directory('chk', deep => false);
SELECT * FROM contacts.repair_directory('chk');

-- the rest of the catalogue
BEGIN;
SET contacts.ddl_guard = off;
ALTER TABLE contact ALTER is_reachable DROP DEFAULT, ALTER contact_type SET DEFAULT 'lead', ALTER is_vendor DROP NOT NULL;
ALTER TABLE contact DROP CONSTRAINT contact_email_key;
ALTER TABLE identifier DROP CONSTRAINT identifier_state_is_in_one_row;
ALTER TABLE identifier ADD CONSTRAINT identifier_state_is_in_one_row CHECK (true);
DROP INDEX contact_organization_id_idx, identifier_semantic_type_value_idx;
CREATE INDEX contact_organization_id_idx ON contact (organization_id) WHERE organization_id > 10;
ALTER INDEX contact_name_idx SET (fillfactor = 70);
ALTER TABLE organization ADD note text, ADD rating integer NOT NULL DEFAULT 0, ADD CHECK (rating < 10);
CREATE INDEX ON organization (rating);
GRANT SELECT (value) ON secret TO regress_check_reader;
GRANT UPDATE ON secret TO PUBLIC;
SET contacts.ddl_guard = on;
SELECT rule, object, message FROM contacts.check_directory('chk') ORDER BY 1, 2, 3;
SELECT * FROM contacts.repair_directory('chk');
ROLLBACK;
BEGIN;
SELECT p.oid::regprocedure AS function FROM pg_proc p WHERE pronamespace = 'chk'::regnamespace AND proname = 'opt_in' \gset
DROP FUNCTION :function;
SELECT rule, object, message FROM contacts.check_directory('chk', deep => false);
ROLLBACK;
-- a table or column that is missing or something else ends the check there
BEGIN;
SET contacts.ddl_guard = off;
ALTER TABLE organization RENAME TO company;
ALTER TABLE contact ALTER titles TYPE varchar(10);
CREATE VIEW organization AS SELECT * FROM company;
SET contacts.ddl_guard = on;
SELECT rule, object, message FROM contacts.check_directory('chk') WHERE rule IN ('table', 'column') ORDER BY 1, 2;
SELECT contacts.repair_directory('chk');
ROLLBACK;
BEGIN;
SET contacts.ddl_guard = off;
CREATE TABLE child () INHERITS (contact);
SET contacts.ddl_guard = on;
SELECT rule, object, message FROM contacts.check_directory('chk');
ROLLBACK;
RESET ROLE;
BEGIN;
ALTER TABLE chk.consent_event OWNER TO regress_check_reader;
SELECT rule, object, message FROM contacts.check_directory('chk', deep => false);
ROLLBACK;
SET ROLE regress_check;

-- how the session words names does not matter
SET quote_all_identifiers = on;
SELECT * FROM contacts.check_directory('chk', deep => false);
SELECT contacts.attach_triggers('chk');
RESET quote_all_identifiers;

-- settings, secret, kinds
BEGIN;
CALL disarm();
DELETE FROM secret;
DELETE FROM setting;
SELECT rule, object, message FROM contacts.check_directory('chk') WHERE rule <> 'trigger';
ROLLBACK;
BEGIN;
CALL disarm();
UPDATE secret SET value = sha256('another');
SELECT rule, object, message FROM contacts.check_directory('chk') WHERE rule <> 'trigger';
ROLLBACK;
SELECT * FROM contacts.check_directory('chk');

-- who may: deep needs to read everything, the catalogue is everybody's
SET ROLE regress_check_reader;
SELECT * FROM contacts.check_directory('chk', deep => false);
SELECT * FROM contacts.check_directory('chk');
SELECT * FROM contacts.repair_directory('chk');
SET ROLE regress_check;
-- hidden rows are no sound rows
ALTER TABLE contact ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY few ON contact USING (id = 1);
SELECT * FROM contacts.check_directory('chk');
ALTER TABLE contact DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
DROP POLICY few ON contact;
SELECT * FROM contacts.check_directory('nowhere');
SELECT * FROM contacts.check_directory('public');

-- traps in the directory do not catch who checks it
CREATE FUNCTION trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION trap(contacts.consent_state, contacts.consent_state) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR = (LEFTARG = contacts.consent_state, RIGHTARG = contacts.consent_state, FUNCTION = trap);
CREATE OPERATOR <> (LEFTARG = text, RIGHTARG = text, FUNCTION = trap);
CREATE FUNCTION btrim(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
RESET ROLE;
SET search_path = chk, pg_catalog;
SELECT count(*) FROM contacts.check_directory('chk');
SELECT count(*) FROM contacts.repair_directory('chk');
RESET search_path;

SELECT contacts.drop_directory('chk', cascade => true);
DROP OWNED BY regress_check, regress_check_reader;
DROP ROLE regress_check, regress_check_reader;
