-- The DDL guard: what statements do to a directory, by application, owner and
-- superuser.  Each is tried and taken back.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir guard_ddl
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, last_name, email) VALUES (1, 'Ada', 'One', 'a@x.org');
SELECT suppress('z@x.org');
DROP VIEW person, held, log; -- detaching alters the types of columns
-- what users have of their own
ALTER TABLE contact ADD COLUMN shoe_size int DEFAULT 39 CONSTRAINT sane CHECK (shoe_size < 60), ADD COLUMN vip boolean NOT NULL DEFAULT false;
CREATE INDEX contact_shoe_size ON contact (shoe_size);
CREATE UNIQUE INDEX contact_vip ON contact (id) WHERE vip;
CREATE TABLE ticket (id bigint PRIMARY KEY, contact_id bigint, email contacts.email, created_at timestamptz);
CREATE TABLE parent (id bigint NOT NULL);
CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER mine BEFORE UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION mine();
RESET ROLE;
CREATE ROLE regress_contacts_guard_app;
GRANT USAGE ON SCHEMA guard_ddl TO regress_contacts_guard_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON contact, identifier TO regress_contacts_guard_app;
SET client_min_messages = error;

-- Does the role get through with the statement, and what does check_directory()
-- say of it then?
CREATE FUNCTION pg_temp.try(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	findings text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	SELECT string_agg(DISTINCT concat_ws(' ', c.rule, CASE WHEN c.rule <> 'owner' THEN c.object END), ', ') INTO findings
	FROM pg_namespace n, contacts.check_directory(n.nspname, deep => false) c
	WHERE n.nspname IN ('guard_ddl', 'renamed');
	RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = 'allowed' || coalesce(', lacks ' || findings, '');
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	-- what a cascade meets first is not ours to say
	RETURN concat_ws(' ', SQLSTATE, CASE WHEN SQLSTATE IN ('23001', '2BP01') AND statement !~ 'CASCADE|OWNED' THEN SQLERRM END);
END
$$;

CREATE TEMP TABLE attempt (id int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO attempt (statement) VALUES
	-- guards are not disabled, dropped, replaced or renamed
	('ALTER TABLE contact DISABLE TRIGGER zz_guard'),
	('ALTER TABLE ONLY contact DISABLE TRIGGER zz_guard'),
	('ALTER TABLE IF EXISTS guard_ddl.contact DISABLE TRIGGER zz_guard'),
	('ALTER TABLE contact DISABLE TRIGGER USER'),
	('ALTER TABLE contact DISABLE TRIGGER ALL'),
	('ALTER TABLE contact ENABLE TRIGGER USER'),
	('ALTER TABLE contact ENABLE TRIGGER zz_guard'),
	('ALTER TABLE contact ENABLE REPLICA TRIGGER zz_guard'),
	('ALTER TABLE contact ENABLE REPLICA TRIGGER zz_derive'),
	('ALTER TABLE contact ENABLE ALWAYS TRIGGER zz_derive'),
	('ALTER TABLE contact DISABLE TRIGGER contact_is_identified'),
	('ALTER TABLE contact ADD COLUMN x int, DISABLE TRIGGER zz_change'),
	('ALTER TABLE secret DISABLE TRIGGER ALL'),
	('ALTER TABLE identifier_slug DISABLE TRIGGER USER'),
	('ALTER TRIGGER zz_guard ON contact RENAME TO aa_guard'),
	('DROP TRIGGER zz_guard_delete ON identifier'),
	('DROP TRIGGER IF EXISTS zz_guard_delete ON identifier CASCADE'),
	('CREATE OR REPLACE TRIGGER zz_guard AFTER UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION mine()'),
	('DO $d$ BEGIN EXECUTE ''ALTER TABLE contact DISABLE TRIGGER zz_guard''; END $d$'),
	-- nor arming again refused
	('ALTER TABLE contact ENABLE ALWAYS TRIGGER zz_guard, ENABLE TRIGGER zz_derive'),
	-- tables and the schema stay where they are
	('DROP TABLE contact CASCADE'),
	('DROP TABLE consent_event, identifier CASCADE'),
	('DROP TABLE ticket, relationship CASCADE'),
	('ALTER TABLE contact RENAME TO person'),
	('ALTER VIEW contact RENAME TO person'),
	('ALTER INDEX contact RENAME TO person'),
	('ALTER TABLE contact SET SCHEMA public'),
	('ALTER TABLE consent_event SET UNLOGGED'),
	('DROP SCHEMA guard_ddl CASCADE'),
	('ALTER SCHEMA guard_ddl RENAME TO renamed'),
	('DROP OWNED BY CURRENT_ROLE'),
	('DROP OWNED BY regress_contacts_guard_ddl CASCADE'),
	('DROP EXTENSION contacts CASCADE'),
	('DROP TYPE contacts.email CASCADE'),
	('DROP FUNCTION contacts.guard_suppression() CASCADE'),
	('ALTER EXTENSION contacts DROP FUNCTION contacts.guard_suppression()'),
	('ALTER EXTENSION contacts DROP TABLE contacts.model'),
	('DROP EVENT TRIGGER contacts_ddl_guard'),
	-- columns
	('ALTER TABLE contact RENAME COLUMN titles TO honorifics'),
	('ALTER TABLE contact RENAME email TO mail'),
	('ALTER TABLE contact DROP COLUMN titles'),
	('ALTER TABLE identifier DROP COLUMN status CASCADE'),
	('ALTER TABLE contact ALTER titles TYPE varchar(20)'),
	('ALTER TABLE contact ALTER titles TYPE text COLLATE "C"'),
	('ALTER TABLE contact ALTER COLUMN home_phone SET DATA TYPE text'),
	('ALTER TABLE contact ADD x int, ALTER business_phone TYPE text, ADD y int'),
	('ALTER TABLE organization ALTER domain TYPE varchar(99) USING ''x'''),
	('ALTER TABLE organization ALTER created_at TYPE timestamp'),
	('ALTER TABLE contact ALTER mononym DROP NOT NULL'),
	-- constraints and unique indexes that carry a rule
	('ALTER TABLE contact DROP CONSTRAINT contact_email_key CASCADE'),
	('ALTER TABLE contact RENAME CONSTRAINT contact_email_key TO mine'),
	('ALTER INDEX contact_email_key RENAME TO mine'),
	('DROP INDEX relationship_link_key'),
	('ALTER TABLE relationship ADD CONSTRAINT mine UNIQUE USING INDEX relationship_link_key'),
	('ALTER TABLE identifier DROP CONSTRAINT identifier_state_is_in_one_row'),
	('ALTER TABLE identifier DROP CONSTRAINT identifier_state_is_in_one_row, ADD CONSTRAINT identifier_state_is_in_one_row CHECK (true)'),
	('ALTER TABLE identifier DROP CONSTRAINT identifier_contact_id_fkey'),
	('ALTER TABLE identifier ALTER CONSTRAINT identifier_contact_id_fkey DEFERRABLE INITIALLY DEFERRED'),
	('ALTER TABLE contact DROP CONSTRAINT contact_is_identified'),
	-- nothing stands between a table and its triggers
	('CREATE RULE aside AS ON UPDATE TO contact DO INSTEAD NOTHING'),
	('CREATE TABLE child () INHERITS (contact)'),
	('CREATE TABLE child (LIKE contact INCLUDING ALL, FOREIGN KEY (organization_id) REFERENCES organization) INHERITS (contact)'),
	('CREATE SCHEMA elements CREATE TABLE child () INHERITS (guard_ddl.identifier) CREATE TABLE other (id int)'),
	('CREATE TEMP TABLE child () INHERITS (identifier)'),
	('CREATE TABLE child (LIKE identifier INCLUDING ALL); ALTER TABLE child INHERIT identifier'),
	('ALTER TABLE contact INHERIT parent'),
	('CREATE TABLE whole (LIKE secret) PARTITION BY LIST (id); ALTER TABLE whole ATTACH PARTITION secret DEFAULT'),
	-- the setting is the superuser's
	('SET contacts.ddl_guard = off'),
	('SELECT set_config(''contacts.ddl_guard'', ''off'', true)'),
	('SET session_replication_role = replica; ALTER TABLE contact DISABLE TRIGGER zz_guard'),
	-- all else is the owner's
	('ALTER TABLE contact ADD COLUMN note text DEFAULT ''n'', ADD COLUMN token uuid DEFAULT gen_random_uuid() UNIQUE'),
	('ALTER TABLE contact DROP COLUMN shoe_size CASCADE'),
	('ALTER TABLE contact RENAME shoe_size TO size'),
	('ALTER TABLE contact ALTER shoe_size TYPE text, ALTER vip DROP NOT NULL, DROP CONSTRAINT sane'),
	('ALTER TABLE contact ALTER titles SET STATISTICS 500, ALTER titles SET STORAGE EXTERNAL, ALTER titles SET (n_distinct = 5)'),
	('ALTER TABLE contact ALTER first_name SET DEFAULT ''Nobody'''),
	('ALTER TABLE contact ALTER created_at SET NOT NULL, ALTER vip SET DEFAULT true'),
	('ALTER TABLE identifier ADD CONSTRAINT no_spam CHECK (value NOT LIKE ''%@spam.org'') NOT VALID; ALTER TABLE identifier VALIDATE CONSTRAINT no_spam'),
	('CREATE INDEX ON identifier (created_at); CREATE UNIQUE INDEX ON contact (created_at, id)'),
	('DROP INDEX contact_vip, contact_name_idx'),
	('ALTER INDEX contact_name_idx RENAME TO mine'),
	('ALTER INDEX contact_vip RENAME TO mine; ALTER INDEX contact_email_key SET (fillfactor = 70)'),
	('ALTER TABLE ticket ADD FOREIGN KEY (contact_id) REFERENCES contact ON DELETE CASCADE, ADD FOREIGN KEY (email) REFERENCES contact (email)'),
	('ALTER TABLE contact ADD COLUMN ticket_id bigint REFERENCES ticket'),
	('CREATE TRIGGER other AFTER INSERT ON contact FOR EACH ROW EXECUTE FUNCTION mine()'),
	('CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON contact FOR EACH ROW EXECUTE FUNCTION mine()'),
	('ALTER TABLE contact DISABLE TRIGGER mine; ALTER TRIGGER mine ON contact RENAME TO yours; DROP TRIGGER yours ON contact'),
	('DROP FUNCTION mine() CASCADE'),
	('CREATE POLICY few ON contact USING (id > 0); ALTER TABLE contact ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; DROP POLICY few ON contact'),
	('CREATE STATISTICS s ON first_name, last_name FROM contact'),
	('CREATE VIEW v AS SELECT id FROM contact; CREATE RULE aside AS ON DELETE TO v DO INSTEAD NOTHING'),
	('CREATE RULE aside AS ON DELETE TO ticket DO INSTEAD NOTHING'),
	('CREATE TABLE child () INHERITS (ticket)'),
	('CREATE TABLE copy (LIKE contact INCLUDING ALL); DROP TABLE copy'),
	('DROP TABLE ticket, parent'),
	('ALTER TABLE ticket RENAME TO tickets; ALTER TABLE tickets SET SCHEMA guard_ddl; ALTER TABLE tickets SET UNLOGGED'),
	('CLUSTER contact USING contact_pkey; ALTER TABLE contact SET WITHOUT CLUSTER'),
	('REINDEX TABLE contact'),
	('ANALYZE contact; LOCK TABLE contact IN ACCESS EXCLUSIVE MODE'),
	('ALTER TABLE contact SET (fillfactor = 80, autovacuum_enabled = false); ALTER TABLE contact RESET (fillfactor)'),
	('ALTER TABLE contact REPLICA IDENTITY FULL'),
	('ALTER TABLE contact ALTER id SET GENERATED ALWAYS, ALTER id RESTART WITH 500'),
	('ALTER TABLE contact OWNER TO CURRENT_ROLE'),
	('REASSIGN OWNED BY regress_contacts_guard_ddl TO CURRENT_ROLE'),
	('ALTER SCHEMA guard_ddl OWNER TO CURRENT_ROLE'),
	('GRANT SELECT ON contact TO PUBLIC; REVOKE ALL ON ALL TABLES IN SCHEMA guard_ddl FROM PUBLIC'),
	('COMMENT ON TABLE contact IS ''people''; COMMENT ON COLUMN contact.id IS NULL'),
	('SELECT contacts.attach_triggers(''guard_ddl'')'),
	('SELECT * FROM contacts.repair_directory(''guard_ddl'')'),
	('SELECT contacts.upgrade_directory(''guard_ddl'')'),
	('SELECT contacts.rename_directory(''guard_ddl'', ''renamed'')'),
	('SELECT contacts.detach_directory(''guard_ddl'')'),
	('SELECT contacts.drop_directory(''guard_ddl'')'),
	('SELECT contacts.drop_directory(''guard_ddl'', cascade => true)'),
	('CREATE TEMP TABLE contact (id int); ALTER TABLE pg_temp.contact DISABLE TRIGGER ALL; DROP TABLE pg_temp.contact'),
	('CREATE SCHEMA lookalike CREATE TABLE contact (id int) CREATE TABLE identifier (id int); DROP SCHEMA lookalike CASCADE');

\pset format unaligned
\pset tuples_only on
SELECT concat_ws(' ', a.statement, E'\n  app:', t.app, E'\n  owner' || CASE WHEN t.owner = t.superuser THEN ' and superuser:' ELSE ':' END, t.owner,
	CASE WHEN t.owner <> t.superuser THEN E'\n  superuser: ' || t.superuser END)
FROM attempt a CROSS JOIN LATERAL (
	SELECT pg_temp.try('regress_contacts_guard_app', a.statement) AS app,
		pg_temp.try('regress_contacts_guard_ddl', a.statement) AS owner,
		pg_temp.try(session_user, a.statement) AS superuser) t
ORDER BY a.id;
\pset tuples_only off
\pset format aligned

-- what no function can do
SET ROLE regress_contacts_guard_ddl;
VACUUM FULL contact;
CREATE INDEX CONCURRENTLY later ON identifier (created_at);
REINDEX INDEX CONCURRENTLY contact_email_key;
REINDEX TABLE CONCURRENTLY relationship;
DROP INDEX CONCURRENTLY later;
DROP INDEX CONCURRENTLY relationship_link_key;
RESET ROLE;

-- nothing has changed
SELECT * FROM contacts.check_directory('guard_ddl');
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE value = 'z@x.org'$$);

-- the message, in all its fields
SELECT * FROM pg_temp.fails('ALTER TABLE contact DISABLE TRIGGER zz_guard');
SELECT * FROM pg_temp.fails('DROP TRIGGER zz_guard ON contact');
SELECT * FROM pg_temp.fails('ALTER TABLE contact DROP CONSTRAINT contact_email_key CASCADE');
SELECT * FROM pg_temp.fails('ALTER SCHEMA guard_ddl RENAME TO renamed');
SELECT * FROM pg_temp.fails('ALTER EXTENSION contacts DROP TABLE contacts.model');
-- the event trigger's function is no trigger's, nor to be called
SELECT * FROM pg_temp.fails('SELECT contacts.ddl_guard()');

-- the way through, and what check_directory() says of it
SET ROLE regress_contacts_guard_ddl;
SELECT * FROM pg_temp.fails('SET contacts.ddl_guard = off');
RESET ROLE;
SET contacts.ddl_guard = off;
SET ROLE regress_contacts_guard_ddl;
SELECT * FROM contacts.check_directory('guard_ddl', deep => false);
BEGIN;
DROP TRIGGER zz_guard ON contact;
ALTER TABLE contact RENAME COLUMN titles TO honorifics;
ROLLBACK;
BEGIN;
CREATE TABLE child () INHERITS (contact);
RESET ROLE;
SET contacts.ddl_guard = on;
-- harm that was done can be undone
SET ROLE regress_contacts_guard_ddl;
ALTER TABLE child NO INHERIT contact;
DROP TABLE child;
SELECT * FROM contacts.check_directory('guard_ddl', deep => false);
COMMIT;
RESET ROLE;
ALTER ROLE regress_contacts_guard_app SET contacts.ddl_guard = off;
SELECT format('ALTER ROLE regress_contacts_guard_app IN DATABASE %I SET contacts.ddl_guard = no', current_database()) \gexec
ALTER EVENT TRIGGER contacts_ddl_guard ENABLE;
SELECT * FROM contacts.check_directory('guard_ddl', deep => false);
ALTER EVENT TRIGGER contacts_ddl_guard ENABLE ALWAYS;
ALTER ROLE regress_contacts_guard_app SET contacts.ddl_guard = on;
SELECT format('ALTER ROLE regress_contacts_guard_app IN DATABASE %I RESET contacts.ddl_guard', current_database()) \gexec
SELECT * FROM contacts.check_directory('guard_ddl', deep => false);

-- a function of ours that fails leaves the guard on
SET ROLE regress_contacts_guard_ddl;
CREATE VIEW reader AS SELECT email FROM contact;
SELECT * FROM pg_temp.fails($$SELECT contacts.detach_directory('guard_ddl')$$) WHERE fails LIKE '0A000%';
SELECT fails FROM pg_temp.fails('DROP TRIGGER zz_guard ON contact') WHERE fails LIKE '2BP01%';
DROP VIEW reader;
-- renamed, and back
\set SHOW_CONTEXT never
SELECT contacts.rename_directory('guard_ddl', 'guard_ddl'), contacts.rename_directory(NULL, 'x');
SELECT contacts.rename_directory('guard_ddl', NULL);
SELECT contacts.rename_directory('guard_ddl', 'Another "name"');
SELECT "Another ""name""".address_status('z@x.org');
SELECT * FROM contacts.check_directory('Another "name"');
SELECT contacts.rename_directory('Another "name"', 'guard_ddl');
RESET ROLE;
SET ROLE regress_contacts_guard_app;
\set VERBOSITY sqlstate
SELECT contacts.rename_directory('guard_ddl', 'renamed');
SELECT contacts.drop_tables('guard_ddl'::regnamespace, true);
SELECT contacts.detach_tables('guard_ddl'::regnamespace);
SELECT contacts.rename_schema('guard_ddl'::regnamespace, 'renamed');
SELECT contacts.rename_schema(1, 'renamed');
\set VERBOSITY default
RESET ROLE;

SET ROLE regress_contacts_guard_ddl;
SELECT contacts.drop_directory('guard_ddl', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_guard_ddl, regress_contacts_guard_app;
DROP ROLE regress_contacts_guard_ddl, regress_contacts_guard_app;
