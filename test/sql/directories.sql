-- Directories are made, attached, upgraded, detached and dropped
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_directory;
CREATE ROLE regress_directory_other;
CREATE ROLE regress_directory_reader;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_directory, regress_directory_other', current_database()) \gexec
GRANT SET ON PARAMETER contacts.ddl_guard TO regress_directory; -- to break things
SET ROLE regress_directory;
SET search_path = '';

-- a new one is armed, and so is its catalogue
SELECT contacts.create_directory('dir_one');
SELECT name, owner, version = (SELECT extversion FROM pg_extension WHERE extname = 'contacts') AS is_current, is_armed
FROM contacts.directory WHERE name LIKE 'dir_%';
SELECT * FROM contacts.check_directory('dir_one');
SELECT name_rule, length(secret_fingerprint) FROM dir_one.setting;
SELECT length(value) FROM dir_one.secret;
SELECT name, value_type, is_exclusive, is_contactable FROM dir_one.semantic_type ORDER BY name;
SELECT current_setting('search_path') AS search_path, current_user;

-- two directories have two secrets, unless one takes the other's along
SELECT contacts.create_directory('dir_two');
SELECT (SELECT value FROM dir_one.secret) = (SELECT value FROM dir_two.secret) AS is_same;
SELECT contacts.drop_directory('dir_two');
SELECT contacts.create_directory('dir_two', secret => (SELECT value FROM dir_one.secret));
SELECT (SELECT value FROM dir_one.secret) = (SELECT value FROM dir_two.secret) AS is_same,
	(SELECT secret_fingerprint FROM dir_one.setting) = (SELECT secret_fingerprint FROM dir_two.setting) AS is_told,
	contacts.identifier_key('dir_one', 'email', 'a@example.org')
		= contacts.identifier_key('dir_two', 'email', 'A@example.org') AS has_same_keys;
SELECT contacts.drop_directory('dir_two');

-- what cannot be made
\set VERBOSITY sqlstate
SELECT contacts.create_directory('dir_one');
SELECT contacts.create_directory('public');
SELECT contacts.create_directory('contacts');
SELECT contacts.create_directory('pg_directory');
SELECT contacts.create_directory('$user');
SELECT contacts.create_directory('');
SELECT contacts.create_directory(NULL);
SELECT contacts.create_directory(repeat('x', 64));
SELECT contacts.create_directory('dir_two', secret => '\x000102030405060708090a0b0c0d0e');
\set VERBOSITY default
SELECT contacts.create_directory('dir_two', secret => '\x00');
SELECT contacts.create_directory(repeat('é', 32));
SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'dir_%' AND nspname <> 'dir_one';
SET ROLE regress_directory_reader;
SELECT contacts.create_directory('dir_two');
SET ROLE regress_directory;

-- the secret is the owner's alone, default privileges or not
ALTER DEFAULT PRIVILEGES FOR ROLE regress_directory GRANT ALL ON TABLES TO regress_directory_reader, PUBLIC;
SELECT contacts.create_directory('dir_two');
ALTER DEFAULT PRIVILEGES FOR ROLE regress_directory REVOKE ALL ON TABLES FROM regress_directory_reader, PUBLIC;
SELECT has_table_privilege('regress_directory_reader', 'dir_two.contact', 'SELECT') AS may_read_contacts,
	has_table_privilege('regress_directory_reader', 'dir_two.secret', 'SELECT') AS may_read_secret,
	has_any_column_privilege('regress_directory_reader', 'dir_two.secret', 'SELECT, UPDATE, INSERT') AS may_anything;
SELECT * FROM contacts.check_directory('dir_two', deep => false);
SELECT contacts.drop_directory('dir_two');

-- triggers can be attached later, by the owner only, to what has the right shape only
SELECT contacts.create_directory('dir_two', attach => false);
SELECT name FROM contacts.directory WHERE name LIKE 'dir_%';
SELECT count(*) = (SELECT count(*) FROM contacts.model WHERE kind = 'trigger') AS all_are_missing
FROM contacts.check_directory('dir_two') WHERE rule = 'trigger' AND message = 'is missing';
CREATE TRIGGER mine AFTER INSERT ON dir_two.contact FOR EACH ROW EXECUTE FUNCTION contacts.guard_fixed();
GRANT USAGE ON SCHEMA dir_two TO regress_directory_other;
SET ROLE regress_directory_other;
SELECT contacts.attach_triggers('dir_two');
SET ROLE regress_directory;
SELECT contacts.attach_triggers('dir_nowhere');
SELECT contacts.attach_triggers('pg_catalog');
SELECT contacts.attach_triggers(NULL) IS NULL AS does_nothing;

ALTER TABLE dir_two.contact ALTER titles TYPE varchar(20);
SELECT contacts.attach_triggers('dir_two');
ALTER TABLE dir_two.contact ALTER titles TYPE text;
CREATE FUNCTION dir_two.trap(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE DOMAIN dir_two.text AS text CHECK (VALUE IS NULL OR dir_two.trap(VALUE));
ALTER TABLE dir_two.identifier_slug ADD slug_ dir_two.text;
ALTER TABLE dir_two.identifier_slug RENAME slug TO slug__;
ALTER TABLE dir_two.identifier_slug RENAME slug_ TO slug;
SELECT contacts.attach_triggers('dir_two');
ALTER TABLE dir_two.identifier_slug DROP slug;
ALTER TABLE dir_two.identifier_slug RENAME slug__ TO slug;
DROP DOMAIN dir_two.text;
DROP FUNCTION dir_two.trap(text);
CREATE TABLE dir_two.child () INHERITS (dir_two.contact);
SELECT contacts.attach_triggers('dir_two');
DROP TABLE dir_two.child;
ALTER TABLE dir_two.setting RENAME TO setting_;
CREATE VIEW dir_two.setting AS SELECT * FROM dir_two.setting_;
SELECT contacts.attach_triggers('dir_two');
DROP VIEW dir_two.setting;
SELECT contacts.attach_triggers('dir_two');
CREATE TEMPORARY TABLE setting (LIKE dir_two.setting_);
SELECT contacts.attach_triggers('dir_two');
DROP TABLE pg_temp.setting;
ALTER TABLE dir_two.setting_ RENAME TO setting;
RESET ROLE;
ALTER TABLE dir_two.secret OWNER TO regress_directory_other;
SELECT contacts.attach_triggers('dir_two');
SET ROLE regress_directory;
SELECT contacts.attach_triggers('dir_two');
RESET ROLE;
ALTER TABLE dir_two.secret OWNER TO regress_directory;
SET ROLE regress_directory;
SELECT contacts.attach_triggers('dir_two') = (SELECT count(*) FROM contacts.model WHERE kind = 'trigger') AS all_are_made;
SELECT contacts.attach_triggers('dir_two') AS again;
SELECT current_user, current_setting('search_path') AS search_path;
SELECT * FROM contacts.check_directory('dir_two');

-- planted operators stay out of the conditions of the triggers
SELECT contacts.drop_directory('dir_two');
SELECT contacts.create_directory('dir_two', attach => false);
CREATE FUNCTION dir_two.never(contacts.consent_state, contacts.consent_state) RETURNS boolean
	LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR dir_two.= (LEFTARG = contacts.consent_state, RIGHTARG = contacts.consent_state, FUNCTION = dir_two.never);
CREATE OPERATOR dir_two.<> (LEFTARG = contacts.consent_state, RIGHTARG = contacts.consent_state, FUNCTION = dir_two.never);
SET search_path = dir_two;
SELECT contacts.attach_triggers('dir_two') > 0 AS are_made;
SET search_path = '';
SELECT count(*) FROM pg_trigger WHERE pg_get_triggerdef(oid) LIKE '%OPERATOR(%';
INSERT INTO dir_two.contact (first_name, email, email_status) VALUES ('Ann', 'ann@example.org', 'suppressed');
UPDATE dir_two.contact SET email_status = 'opted_in';
SELECT contacts.drop_directory('dir_two', cascade => true);

-- everybody may see the list; the version is for who may read the settings
SET ROLE regress_directory_reader;
SELECT name, owner, version, is_armed FROM contacts.directory WHERE name LIKE 'dir_%';
SET ROLE regress_directory;
GRANT USAGE ON SCHEMA dir_one TO regress_directory_reader;
GRANT SELECT ON dir_one.setting TO regress_directory_reader;
SET contacts.ddl_guard = off;
ALTER TABLE dir_one.contact DISABLE TRIGGER zz_claim;
SET contacts.ddl_guard = on;
SET ROLE regress_directory_reader;
SELECT name, version IS NOT NULL AS has_version, is_armed FROM contacts.directory WHERE name LIKE 'dir_%';
SET ROLE regress_directory;
SELECT contacts.attach_triggers('dir_one');
-- a policy is code of the owner's: it does not run for who looks at the list
CREATE FUNCTION dir_one.trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE POLICY trap ON dir_one.setting USING (dir_one.trap());
ALTER TABLE dir_one.setting ENABLE ROW LEVEL SECURITY;
SET ROLE regress_directory_reader;
SELECT name, version, is_armed FROM contacts.directory WHERE name LIKE 'dir_%';
SET ROLE regress_directory;
ALTER TABLE dir_one.setting DISABLE ROW LEVEL SECURITY;
DROP POLICY trap ON dir_one.setting;
DROP FUNCTION dir_one.trap();

-- upgrade: nothing to do for this version, and no guessing about others
SELECT contacts.upgrade_directory('dir_one') = version AS is_current FROM dir_one.setting;
UPDATE dir_one.setting SET version = '99';
SELECT contacts.upgrade_directory('dir_one');
SELECT rule, object, replace(message, contacts.extension_version(), 'X') AS message
FROM contacts.check_directory('dir_one');
UPDATE dir_one.setting SET version = contacts.extension_version();
SELECT contacts.upgrade_directory('public');
SET ROLE regress_directory_reader;
SELECT contacts.upgrade_directory('dir_one');
SET ROLE regress_directory;

-- a directory with contacts or consent states is not dropped by mistake
INSERT INTO dir_one.contact (first_name, last_name, email)
VALUES ('Ada', 'Lovelace', 'ada@example.org'), ('Bob', 'Stone', 'bob@example.org');
INSERT INTO dir_one.identifier (semantic_type, value, status) VALUES ('email', 'gone@example.org', 'suppressed');
SELECT contacts.drop_directory('dir_one');
DELETE FROM dir_one.contact;
SELECT contacts.drop_directory('dir_one');
SET ROLE regress_directory_reader;
SELECT contacts.drop_directory('dir_one', cascade => true);
SET ROLE regress_directory_other;
SELECT contacts.drop_directory('public');
SELECT contacts.drop_directory('dir_nowhere');
SET ROLE regress_directory;
SELECT contacts.drop_directory('dir_one', cascade => true);
SELECT count(*) FROM pg_namespace WHERE nspname = 'dir_one';
-- nor with other people's tables
SELECT contacts.create_directory('dir_one');
CREATE TABLE dir_one.note (contact_id bigint REFERENCES dir_one.contact, note text);
SELECT contacts.drop_directory('dir_one');
SELECT * FROM contacts.check_directory('dir_one');
ALTER TABLE dir_one.note DROP CONSTRAINT note_contact_id_fkey;
SELECT contacts.drop_directory('dir_one');
DROP TABLE dir_one.note;
SELECT contacts.drop_directory('dir_one');
SELECT count(*) FROM pg_namespace WHERE nspname = 'dir_one';

-- the way out: plain tables, nothing of the extension
SELECT contacts.create_directory('dir_one');
INSERT INTO dir_one.organization (name) VALUES ('Analytical Engines');
INSERT INTO dir_one.contact (first_name, last_name, email, mobile_phone, time_zone, organization_id)
VALUES ('Ada', 'Lovelace', 'Ada@example.org', '+44 20 7946 0000', 'Europe/London', 1);
INSERT INTO dir_one.identifier (semantic_type, value, status, status_reason)
VALUES ('email', 'gone@example.org', 'suppressed', 'complaint');
CREATE FUNCTION dir_one.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER mine BEFORE INSERT ON dir_one.contact FOR EACH ROW EXECUTE FUNCTION dir_one.mine();
ALTER TABLE dir_one.organization ADD phone contacts.phone;
CREATE TEMPORARY TABLE plain_before AS
	SELECT c.*, i.value, i.key, i.status FROM dir_one.contact c FULL JOIN dir_one.identifier i ON i.contact_id = c.id;
CREATE TEMPORARY TABLE model_before AS
	SELECT * FROM contacts.describe_directory('dir_one'::regnamespace, '{not null,default,constraint,index}');
SET ROLE regress_directory_other;
SELECT contacts.detach_directory('dir_one');
SET ROLE regress_directory;
SELECT contacts.detach_directory('dir_one');
SELECT count(*) AS left_of_the_extension
FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE c.relnamespace = 'dir_one'::regnamespace AND d.refobjid IN (
	SELECT x.objid FROM pg_depend x JOIN pg_extension e ON e.oid = x.refobjid AND x.deptype = 'e'
	WHERE e.extname = 'contacts');
SELECT tgrelid::regclass, tgname FROM pg_trigger
WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'dir_one'::regnamespace) AND NOT tgisinternal;
SELECT proname FROM pg_proc WHERE pronamespace = 'dir_one'::regnamespace;
SELECT count(*) AS rows, bool_and(b::text = a::text) AS are_the_same
FROM (SELECT b, row_number() OVER (ORDER BY b.id, b.value) AS n FROM plain_before b) b
	FULL JOIN (SELECT a, row_number() OVER (ORDER BY a.id, a.value) AS n
		FROM (SELECT c.*, i.value, i.key, i.status FROM dir_one.contact c FULL JOIN dir_one.identifier i ON i.contact_id = c.id) a) a USING (n);
SELECT b.kind, b.relation, b.name, b.definition AS before, a.definition AS after
FROM model_before b FULL JOIN contacts.describe_directory('dir_one'::regnamespace, '{not null,default,constraint,index}') a
	USING (kind, relation, name)
WHERE a.definition IS DISTINCT FROM b.definition
ORDER BY 1, 2, 3;
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN contacts.model m ON m.kind = 'column' AND m.relation = c.relname AND m.name = a.attname
WHERE c.relnamespace = 'dir_one'::regnamespace AND m.definition LIKE 'contacts.%' ORDER BY 1, 2;
INSERT INTO dir_one.contact (email) VALUES ('ada@example.org');
INSERT INTO dir_one.contact (email) VALUES ('');
SELECT contacts.check_directory('dir_one');
SELECT contacts.detach_directory('dir_one');
SELECT name FROM contacts.directory WHERE name LIKE 'dir_%';
-- and the extension can be dropped, but for the tests' other tables
RESET ROLE;
DROP TABLE pg_temp.plain_before, pg_temp.model_before;
BEGIN;
DROP EXTENSION contacts;
SELECT first_name, email, mobile_phone, contact_type, organization_name FROM dir_one.contact ORDER BY id;
ROLLBACK;

DROP SCHEMA dir_one CASCADE;
DROP OWNED BY regress_directory, regress_directory_other, regress_directory_reader;
DROP ROLE regress_directory, regress_directory_other, regress_directory_reader;
