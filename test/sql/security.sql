-- Row security, search_path, planted objects, rights of trigger functions
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir security
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_security_tenant;
CREATE ROLE regress_contacts_security_mallory;
GRANT USAGE ON SCHEMA security TO regress_contacts_security_tenant, regress_contacts_security_mallory;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_contacts_security_mallory', current_database()) \gexec
SET ROLE regress_contacts_security;

-- FORCE ROW LEVEL SECURITY on every table: rules hold over rows that nobody
-- sees, and maintenance writes them
INSERT INTO contact (id, first_name, last_name, email, mobile_phone) VALUES
	(1, 'Ada', 'One', 'a@x.org', '+49301234500'), (2, 'Bob', 'Two', 'b@x.org', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'work', 'w@x.org');
SELECT suppress('s@x.org');
GRANT SELECT, INSERT, UPDATE, DELETE ON contact TO regress_contacts_security_tenant;
GRANT SELECT ON organization TO regress_contacts_security_tenant;
CREATE FUNCTION pg_temp.secure(on_off text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{contact,identifier,consent_event,semantic_type,identifier_slug,setting,secret,organization}'::text[] LOOP
		EXECUTE format('ALTER TABLE security.%I %s ROW LEVEL SECURITY', t, CASE on_off WHEN 'on' THEN 'ENABLE' ELSE 'DISABLE' END);
		EXECUTE format('ALTER TABLE security.%I %s ROW LEVEL SECURITY', t, CASE on_off WHEN 'on' THEN 'FORCE' ELSE 'NO FORCE' END);
	END LOOP;
END
$$;
SELECT pg_temp.secure('on');
CREATE POLICY own_rows ON contact TO regress_contacts_security_tenant USING (id >= 10) WITH CHECK (id >= 10);
SELECT count(*) FROM contact; -- the owner sees nothing
\c -
SET search_path = security;
SET ROLE regress_contacts_security_tenant;
INSERT INTO contact (id, first_name, last_name, email, mobile_phone) VALUES (10, 'Ten', 'Ten', 'ten@x.org', '+49301234500'), (11, 'Sup', 'Pressed', 's@x.org', NULL);
UPDATE contact SET email = 'ten2@x.org', mobile_phone = NULL WHERE id = 10;
SELECT id, email, email_status, mobile_phone, contact_type FROM contact ORDER BY id;
UPDATE contact SET email = 'never@x.org' WHERE id = 1;
DELETE FROM contact WHERE id = 1;
-- the addresses of hidden contacts are taken nevertheless, and who has them is not told
INSERT INTO contact (email) VALUES ('a@x.org');
INSERT INTO contact (email) VALUES ('w@x.org');
\set VERBOSITY sqlstate
INSERT INTO contact (email) VALUES ('a@x.org') ON CONFLICT (email) DO NOTHING;
INSERT INTO contact (email, first_name) VALUES ('a@x.org', 'Mine') ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name;
INSERT INTO contact (id, email) VALUES (3, 'low@x.org');
UPDATE contact SET email_status = 'opted_in' WHERE id = 10;
\set VERBOSITY default
DELETE FROM contact WHERE id = 11;
INSERT INTO contact (id, email) VALUES (12, 's@x.org');
SELECT id, email, email_status, contact_type FROM contact ORDER BY id;
-- the owner, who sees no row either, writes rows that stay sound
SET ROLE regress_contacts_security;
CREATE POLICY owner_inserts ON contact FOR INSERT TO regress_contacts_security WITH CHECK (true);
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (20, 'Own', 'own@x.org', '+49301234507');
INSERT INTO contact (email) VALUES ('own@x.org');
SELECT suppress('own@x.org'), suppress('new@x.org');
DROP POLICY owner_inserts ON contact;
RESET ROLE;
SELECT id, email, email_status, contact_type FROM contact ORDER BY id;
SELECT contact_id, slug, value, status FROM identifier ORDER BY contact_id, slug, value;
SELECT * FROM contacts.check_directory('security');
DROP POLICY own_rows ON contact;
DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{contact,identifier,consent_event,semantic_type,identifier_slug,setting,secret,organization}'::text[] LOOP
		EXECUTE format('ALTER TABLE security.%I DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;

-- a search_path full of traps, first in the path and in pg_temp
SET ROLE regress_contacts_security_mallory;
CREATE SCHEMA trap;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
CREATE TABLE trap.sprung (what text);
GRANT INSERT ON trap.sprung TO PUBLIC;
CREATE FUNCTION trap.spring(what text) RETURNS void LANGUAGE sql AS $$ INSERT INTO trap.sprung VALUES (what || ' as ' || current_user) $$;
CREATE TABLE trap.contact (id bigint, email text, mobile_phone text, email_status text);
CREATE TABLE trap.identifier (id bigint, contact_id bigint, semantic_type text, slug text, value text, key uuid, holder bigint, status text);
CREATE TABLE trap.secret (id boolean DEFAULT true, value bytea DEFAULT '\x00000000000000000000000000000000');
CREATE TABLE trap.setting (id boolean DEFAULT true, version text, name_rule text, secret_fingerprint bytea);
CREATE TABLE trap.semantic_type (name text, value_type text, is_exclusive boolean, is_contactable boolean);
CREATE TABLE trap.consent_event (key uuid, old_state text, new_state text, reason text, source text, evidence jsonb, role text);
CREATE TABLE trap.organization (id bigint, name text);
INSERT INTO trap.semantic_type VALUES ('email', 'text', false, false), ('phone', 'text', false, false);
CREATE FUNCTION trap.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('unnest'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
CREATE FUNCTION trap.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('unnest'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
CREATE FUNCTION trap.count(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('count'); RETURN 7; END $$;
CREATE FUNCTION trap.try_email(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('try_email'); RETURN $1; END $$;
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('now'); RETURN '2000-01-01'; END $$;
CREATE FUNCTION trap.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= bigint'); RETURN false; END $$;
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equal);
CREATE OPERATOR trap.<> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= text'); RETURN true; END $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE OPERATOR trap.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= uuid'); RETURN false; END $$;
CREATE OPERATOR trap.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(boolean, boolean) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= boolean'); RETURN false; END $$;
CREATE OPERATOR trap.<> (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(contacts.email, contacts.email) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= email'); RETURN false; END $$;
CREATE OPERATOR trap.= (LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = trap.equal);
CREATE OPERATOR trap.<> (LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(contacts.phone, contacts.phone) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= phone'); RETURN false; END $$;
CREATE OPERATOR trap.= (LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = trap.equal);
CREATE OPERATOR trap.<> (LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(contacts.consent_state, contacts.consent_state) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('= state'); RETURN false; END $$;
CREATE OPERATOR trap.= (LEFTARG = contacts.consent_state, RIGHTARG = contacts.consent_state, FUNCTION = trap.equal);
CREATE OPERATOR trap.<> (LEFTARG = contacts.consent_state, RIGHTARG = contacts.consent_state, FUNCTION = trap.equal);
CREATE FUNCTION trap.negative(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring('- bigint'); RETURN 1; END $$;
CREATE OPERATOR trap.- (RIGHTARG = bigint, FUNCTION = trap.negative);
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (false);
CREATE DOMAIN trap.bigint AS pg_catalog.int8 CHECK (false);
CREATE DOMAIN trap.uuid AS pg_catalog.uuid CHECK (false);
RESET ROLE;
\c -
SET ROLE regress_contacts_security;
SET search_path = trap, pg_temp, pg_catalog;
CREATE TEMP TABLE contact (id bigint, email pg_catalog.text);
CREATE TEMP TABLE identifier (id bigint, key uuid);
INSERT INTO security.contact (id, first_name, last_name, email, mobile_phone) VALUES (30, 'Tia', 'Trap', 'trap@x.org', '+49301234501'), (31, 'Tom', 'Trap', 's2@x.org', NULL);
UPDATE security.contact SET email = 'trap2@x.org', mobile_phone = NULL, email_status = 'opted_in' WHERE id OPERATOR(pg_catalog.=) 30;
UPDATE security.contact SET first_name = 'Tia 2' WHERE id OPERATOR(pg_catalog.=) 30;
INSERT INTO security.identifier (contact_id, semantic_type, slug, value) VALUES (30, 'email', 'work', 'trap3@x.org'), (30, 'phone', NULL, '+49301234502');
UPDATE security.identifier SET is_validated = true WHERE value OPERATOR(pg_catalog.=) 'trap3@x.org';
UPDATE security.identifier SET value = 'trap4@x.org' WHERE value OPERATOR(pg_catalog.=) 'trap3@x.org';
SELECT security.suppress('trap4@x.org', 'bounce'), security.unsubscribe('nobody@x.org'), security.opt_in('trap2@x.org', '{}');
SELECT security.set_main(id) FROM security.identifier WHERE value OPERATOR(pg_catalog.=) 'trap4@x.org';
SELECT security.create_ghost('token');
SELECT security.validate_identifier(id) FROM security.identifier WHERE value OPERATOR(pg_catalog.=) 'trap2@x.org';
SELECT security.find_contact('email', 'trap2@x.org'), security.find_contact('phone', '+49301234502'), security.resolve_contact('anonymous', 'token') OPERATOR(pg_catalog.>) 0;
SELECT security.address_status('trap4@x.org'), security.address_status('nobody@x.org');
SELECT contacts.set_exclusive('security', 'anonymous', false), contacts.set_exclusive('security', 'anonymous', true);
INSERT INTO security.organization (id, name) VALUES (1, 'Org');
UPDATE security.contact SET organization_id = 1 WHERE id OPERATOR(pg_catalog.=) 30;
UPDATE security.organization SET name = 'Org 2';
UPDATE security.setting SET name_rule = 'any';
UPDATE security.setting SET name_rule = 'both';
DELETE FROM security.identifier WHERE value OPERATOR(pg_catalog.=) 'nobody@x.org';
DELETE FROM security.identifier WHERE value OPERATOR(pg_catalog.=) 'trap4@x.org';
DELETE FROM security.contact WHERE id OPERATOR(pg_catalog.=) 31;
TRUNCATE security.identifier CASCADE;
INSERT INTO security.semantic_type (name) VALUES ('trapped');
SELECT * FROM contacts.check_directory('security');
SELECT rule, object FROM contacts.repair_directory('security');
RESET ROLE;
SET search_path = '';
SELECT * FROM trap.sprung ORDER BY what;
SELECT (SELECT count(*) FROM trap.contact) AS contact, (SELECT count(*) FROM trap.identifier) AS identifier, (SELECT count(*) FROM trap.consent_event) AS consent_event;
SELECT id, email, email_status, contact_type, organization_name FROM security.contact WHERE id >= 30 ORDER BY id;
SELECT contact_id, slug, value, status, is_validated FROM security.identifier WHERE value LIKE 'trap%' ORDER BY value;

-- search_path = '' and everything qualified
SET ROLE regress_contacts_security;
INSERT INTO security.contact (id, first_name, last_name, email) VALUES (40, 'No', 'Path', 'np@x.org');
UPDATE security.contact SET email = 'np2@x.org' WHERE id = 40;
SELECT security.find_contact('email', 'np2@x.org'), security.address_status('np2@x.org');
DELETE FROM security.contact WHERE id = 40;

-- the trigger functions are no tools: nobody else makes triggers of them
SET ROLE regress_contacts_security_mallory;
CREATE TABLE trap.victim (id bigint, email contacts.email);
CREATE TRIGGER t BEFORE INSERT ON trap.victim FOR EACH ROW EXECUTE FUNCTION contacts.contact_derive();
CREATE TRIGGER t AFTER INSERT ON trap.victim FOR EACH ROW EXECUTE FUNCTION contacts.identifier_change();
SELECT contacts.contact_derive();
RESET ROLE;
-- nor do they work for others than their tables: 39P01
SET client_min_messages = warning;
CREATE SCHEMA misuse;
CREATE TABLE misuse.t (id bigint);
CREATE FUNCTION misuse.try(event text, level text, function text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER x %s ON misuse.t FOR EACH %s EXECUTE FUNCTION contacts.%I()', event, level, function);
	INSERT INTO misuse.t VALUES (1);
	UPDATE misuse.t SET id = 2;
	DELETE FROM misuse.t;
	TRUNCATE misuse.t;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN RETURN 'no error';
	WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT p.proname, string_agg(DISTINCT left(misuse.try(e.event, e.level, p.proname), 5), ' ') AS errors
FROM pg_catalog.pg_proc p, (VALUES
	('BEFORE INSERT OR UPDATE OR DELETE', 'ROW'), ('AFTER INSERT OR UPDATE OR DELETE', 'ROW'), ('BEFORE INSERT', 'STATEMENT'),
	('AFTER INSERT OR UPDATE OR DELETE', 'STATEMENT'), ('BEFORE TRUNCATE', 'STATEMENT'), ('AFTER TRUNCATE', 'STATEMENT')) e (event, level)
WHERE p.pronamespace = 'contacts'::regnamespace AND p.prorettype = 'pg_catalog.trigger'::regtype
GROUP BY p.proname ORDER BY p.proname;
SELECT contacts.contact_derive();
DROP SCHEMA misuse CASCADE;
-- functions that run as the owner do so for the tables of a directory alone
SET ROLE regress_contacts_security_mallory;
CREATE TABLE trap.identifier2 (LIKE trap.identifier);
\set VERBOSITY terse
SELECT contacts.change_consent('trap.identifier', '{a@x.org}', 'suppressed', 'manual');
SELECT contacts.change_consent('trap.identifier2', '{a@x.org}', 'suppressed', 'manual');
SELECT contacts.lock_holder('trap.identifier', 1);
SELECT contacts.promote_identifier('trap.identifier', 1);
SELECT contacts.address_key('trap.identifier', 'a@x.org');
SELECT contacts.identifier_key('security', 'email', 'a@x.org');
SELECT contacts.set_exclusive('security', 'phone', true);
-- tables that only look like a directory's: other types, views
CREATE SCHEMA fake;
CREATE TABLE fake.identifier (key pg_catalog.uuid);
CREATE VIEW fake.setting AS SELECT 'any'::pg_catalog.text AS name_rule, '\x00'::bytea AS secret_fingerprint;
CREATE VIEW fake.secret AS SELECT '\x00'::bytea AS value;
CREATE VIEW fake.semantic_type AS SELECT 1 AS name;
SELECT contacts.identifier_key('fake', 'email', 'a@x.org');
DROP VIEW fake.setting, fake.secret, fake.semantic_type;
CREATE TABLE fake.secret AS SELECT 5 AS value;
CREATE TABLE fake.setting AS SELECT 6 AS name_rule, 7 AS secret_fingerprint;
CREATE TABLE fake.semantic_type AS SELECT 1 AS name, 2 AS value_type, 3 AS is_exclusive, 4 AS is_contactable;
SELECT contacts.identifier_key('fake', 'email', 'a@x.org');
SELECT contacts.address_key('fake.identifier', 'a@x.org');
-- a directory whose owner alters types
SELECT contacts.create_directory('fake_2');
INSERT INTO fake_2.contact (first_name, email) VALUES ('Eve', 'e@x.org');
RESET ROLE;
SET contacts.ddl_guard = off;
SET ROLE regress_contacts_security_mallory;
SELECT contacts.drop_functions('fake_2'::pg_catalog.regnamespace) \g /dev/null
ALTER TABLE fake_2.contact ALTER time_zone TYPE pg_catalog.int8 USING 1, ALTER is_vendor DROP DEFAULT;
UPDATE fake_2.contact SET time_zone = 5;
INSERT INTO fake_2.contact (first_name, time_zone) VALUES ('Eve', 7);
UPDATE fake_2.identifier SET value = 'f@x.org';
ALTER TABLE fake_2.contact ALTER time_zone TYPE contacts.time_zone USING NULL;
UPDATE fake_2.identifier SET value = 'f@x.org';
ALTER TABLE fake_2.semantic_type DROP CONSTRAINT semantic_type_is_contactable, ALTER is_contactable DROP DEFAULT,
	ALTER is_contactable TYPE pg_catalog.int8 USING 1;
UPDATE fake_2.contact SET email = 'g@x.org';
SELECT email FROM fake_2.contact;
SELECT contacts.drop_directory('fake_2', cascade => true);
\set VERBOSITY default
RESET ROLE;
SET contacts.ddl_guard = on;

SELECT * FROM contacts.check_directory('security');
SET ROLE regress_contacts_security;
SELECT contacts.drop_directory('security', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_security, regress_contacts_security_tenant, regress_contacts_security_mallory;
DROP ROLE regress_contacts_security, regress_contacts_security_tenant, regress_contacts_security_mallory;
