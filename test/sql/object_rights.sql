-- What can be registered and by whom, and what is fixed (rules R3, R4).
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir object_rights
\set ECHO none
\i :rules
\set ECHO all

-- object type contact is fixed, but for its label
SELECT * FROM pg_temp.fails($$UPDATE object_type SET api_name = 'person' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE object_type SET relation = 'object_rights.setting'::regclass WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE object_type SET key_column = 'email' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE object_type SET id = 100 WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$DELETE FROM object_type$$);
SET client_min_messages = warning;
SELECT * FROM pg_temp.fails($$TRUNCATE object_type CASCADE$$);
RESET client_min_messages;
SELECT * FROM pg_temp.fails($$SELECT contacts.unregister_object('object_rights', 'contact')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'organization', 'contact', 'Contact')$$);
UPDATE object_type SET label = 'Person', api_name = api_name, relation = relation, id = id WHERE id = 1;
UPDATE object_type SET api_name = 'company' WHERE id = 2;
SELECT * FROM object_type ORDER BY id;
UPDATE object_type SET api_name = 'organization' WHERE id = 2;
-- the guards stand in replica mode, too
RESET ROLE;
SET session_replication_role = replica;
SELECT * FROM pg_temp.fails($$UPDATE object_rights.object_type SET api_name = 'person' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$DELETE FROM object_rights.object_type WHERE id = 1$$);
RESET session_replication_role;
SET ROLE regress_contacts_object_rights;

-- a table reads as its name, - if there is none; its binary form is the same
SELECT 'object_rights.contact'::contacts.relation, 'no.such'::contacts.relation, '-'::contacts.relation,
	'1259'::contacts.relation, 'contact'::contacts.relation = 'contact'::regclass AS same, 'contact'::contacts.relation::oid = 'contact'::regclass AS oid;
SELECT convert_from(contacts.relation_send('contact'::contacts.relation), 'UTF8');
SELECT * FROM pg_temp.fails($$SELECT 'a b c'::contacts.relation$$);

-- tables that cannot be registered
CREATE TABLE plain (id bigint PRIMARY KEY);
CREATE TEMP TABLE fleeting (id bigint PRIMARY KEY);
CREATE UNLOGGED TABLE volatile (id bigint PRIMARY KEY);
CREATE TABLE parted (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE VIEW seen AS SELECT * FROM plain;
CREATE TABLE keyless (id bigint, name text PRIMARY KEY);
CREATE TABLE two_keys (a integer NOT NULL UNIQUE, b uuid NOT NULL UNIQUE, c bigint UNIQUE, d bigint NOT NULL,
	e numeric NOT NULL UNIQUE, f integer NOT NULL UNIQUE DEFERRABLE, UNIQUE (a, d));
CREATE UNIQUE INDEX ON two_keys (d) WHERE d > 0;
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'fleeting', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'volatile', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'part', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'seen', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'plain_pkey', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'identifier', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'contact', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'keyless', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'two_keys', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'two_keys', 'x', 'X', 'c')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'two_keys', 'x', 'X', 'f')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'plain', 'x', 'X', 'nothing')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'plain', 'No name', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'plain', NULL, 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 0, 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('pg_catalog', 'plain', 'x', 'X')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'pg_class', 'x', 'X')$$);
SELECT contacts.register_object('object_rights', 'two_keys', 'two', 'Two', 'b') > 2 AS done;
SELECT contacts.register_object('object_rights', 'plain', 'plain', 'Plain') > 2 AS done;
-- again: another label, another key while nothing uses it; another name or table is refused
SELECT contacts.register_object('object_rights', 'two_keys', 'two', 'Second', 'a') > 2 AS done;
SELECT contacts.register_object('object_rights', 'two_keys', 'two', 'Second') > 2 AS done;
SELECT api_name, label, relation, key_column FROM object_type WHERE id > 2 ORDER BY api_name;
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'two_keys', 'three', 'Three')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'parted', 'two', 'Two')$$);
SELECT tgname, tgrelid::regclass FROM pg_trigger
WHERE tgfoid = 'contacts.record_change'::regproc AND tgrelid <> 'organization'::regclass ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT * FROM contacts.check_directory('object_rights');

-- with links its key stays; a trigger disabled or dropped is found and mended
INSERT INTO relationship_type (name, inverse_name, object_type_id) SELECT 'has', 'of', id FROM object_type WHERE api_name = 'two';
INSERT INTO contact (id, first_name) VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO two_keys (a, b, d, e, f) VALUES (1, '00000000-0000-0000-0000-000000000001', 1, 1, 1), (2, '00000000-0000-0000-0000-000000000002', 2, 2, 2);
INSERT INTO relationship (relationship_type_id, contact_id, record_id)
SELECT t.id, c.id, 1 FROM relationship_type t, contact c WHERE t.name = 'has';
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'two_keys', 'two', 'Two', 'b')$$);
SELECT contacts.register_object('object_rights', 'two_keys', 'two', 'Two') > 2 AS done;
ALTER TABLE two_keys DISABLE TRIGGER USER;
DROP TRIGGER zz_record_truncate_1 ON two_keys;
DELETE FROM two_keys WHERE a = 1;
SELECT rule, object, message FROM contacts.check_directory('object_rights') ORDER BY message;
SELECT * FROM contacts.repair_directory('object_rights');
SELECT count(*) FROM relationship;
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'two_keys'::regclass AND tgname LIKE 'zz%' ORDER BY 1;
-- the key cannot be dropped unnoticed; without it no links are taken
SELECT * FROM pg_temp.fails($$ALTER TABLE two_keys DROP COLUMN a$$);
SET client_min_messages = warning;
ALTER TABLE two_keys DROP COLUMN a CASCADE;
RESET client_min_messages;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	SELECT id, 1, 2 FROM relationship_type WHERE name = 'has'$$);
SELECT rule, object, message FROM contacts.check_directory('object_rights') ORDER BY message;
SELECT * FROM contacts.repair_directory('object_rights');
SELECT contacts.unregister_object('object_rights', 'two');

-- types and pairs planted without triggers
RESET ROLE;
SET session_replication_role = replica;
INSERT INTO relationship_type (id, name, label, inverse_name, inverse_label) VALUES (500, 'alone', 'Alone', 'none', 'None');
INSERT INTO relationship_type (id, name, label, inverse_id, inverse_name, inverse_label) VALUES (501, 'lost', 'Lost', 502, 'found', 'Found');
UPDATE relationship_type SET name = 'mother', label = 'Mother', is_household = true WHERE name = 'parent';
UPDATE relationship_type SET is_single = true WHERE name = 'employee';
INSERT INTO relationship (relationship_type_id, contact_id, record_id, inverse_type_id)
SELECT id, 1, 77, inverse_id FROM relationship_type WHERE name = 'employer';
RESET session_replication_role;
SET ROLE regress_contacts_object_rights;
SELECT rule, object, message FROM contacts.check_directory('object_rights') ORDER BY object, message;
SELECT * FROM contacts.repair_directory('object_rights');
SELECT t.id, t.name, t.label, i.name AS inverse, t.inverse_name, t.inverse_label, t.is_household, t.is_single, t.inverse_is_single
FROM relationship_type t JOIN relationship_type i ON i.id = t.inverse_id
WHERE t.id IN (500, 501, 502) OR t.name IN ('none', 'mother', 'child', 'employer', 'employee') ORDER BY t.name;

-- a table of another owner: who owns it and may write object_type registers it
RESET ROLE;
CREATE ROLE regress_contacts_object_owner;
CREATE ROLE regress_contacts_object_app;
CREATE SCHEMA object_other AUTHORIZATION regress_contacts_object_owner;
SET ROLE regress_contacts_object_owner;
CREATE TABLE object_other.deal (id integer PRIMARY KEY, owner text);
ALTER TABLE object_other.deal ENABLE ROW LEVEL SECURITY;
ALTER TABLE object_other.deal FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON object_other.deal USING (false) WITH CHECK (true);
INSERT INTO object_other.deal VALUES (1, 'x'), (2, 'y'), (3, 'z');
GRANT USAGE ON SCHEMA object_other TO regress_contacts_object_rights;
RESET ROLE;
SET ROLE regress_contacts_object_rights;
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'object_other.deal', 'deal', 'Deal')$$);
-- naming another's table looks into it as little as it arms it
INSERT INTO object_type (api_name, label, relation, key_column) VALUES ('deal', 'Deal', 'object_other.deal'::regclass, 'id');
INSERT INTO relationship_type (name, inverse_name, object_type_id) SELECT 'in_deal', 'party', id FROM object_type WHERE api_name = 'deal';
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) SELECT id, 1, 1 FROM relationship_type WHERE name = 'in_deal'$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) SELECT id, 1, 9 FROM relationship_type WHERE name = 'in_deal'$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.arm_records('object_type', 'object_other.deal')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.missing_records('object_type', 'object_other.deal', '{1,9}'::bigint[])$$);
SELECT rule, object, message FROM contacts.check_directory('object_rights') ORDER BY message;
GRANT USAGE ON SCHEMA object_rights TO regress_contacts_object_owner, regress_contacts_object_app;
RESET ROLE;
SET ROLE regress_contacts_object_owner;
SET search_path = '';
SELECT * FROM pg_temp.fails($$SELECT contacts.register_object('object_rights', 'object_other.deal', 'deal', 'Deal')$$);
RESET ROLE;
SET ROLE regress_contacts_object_rights;
SET search_path = object_rights;
GRANT SELECT, INSERT, UPDATE ON object_type TO regress_contacts_object_owner;
GRANT SELECT ON relationship_type, relationship TO regress_contacts_object_owner;
GRANT SELECT, INSERT ON relationship TO regress_contacts_object_app;
GRANT SELECT ON relationship_type TO regress_contacts_object_app;
RESET ROLE;
SET ROLE regress_contacts_object_owner;
SELECT contacts.register_object('object_rights', 'object_other.deal', 'deal', 'Deal') > 2 AS done;
-- who writes links needs no rights on the table, whose row security is not in the way
RESET ROLE;
SET ROLE regress_contacts_object_app;
INSERT INTO relationship (relationship_type_id, contact_id, record_id) SELECT id, 1, 1 FROM relationship_type WHERE name = 'in_deal';
INSERT INTO relationship (relationship_type_id, contact_id, record_id) SELECT id, 2, 2 FROM relationship_type WHERE name = 'in_deal';
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) SELECT id, 1, 9 FROM relationship_type WHERE name = 'in_deal'$$);
-- who deletes records needs no rights on the directory
RESET ROLE;
SET ROLE regress_contacts_object_owner;
ALTER TABLE object_other.deal DISABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA object_other TO regress_contacts_object_app;
GRANT SELECT, DELETE ON object_other.deal TO regress_contacts_object_app;
RESET ROLE;
SET ROLE regress_contacts_object_app;
DELETE FROM object_other.deal WHERE id = 1;
SELECT count(*) FROM relationship WHERE relationship_type_id = (SELECT id FROM relationship_type WHERE name = 'in_deal');
SELECT * FROM pg_temp.fails($$SELECT contacts.disarm_records('object_type', 'object_other.deal')$$);
RESET ROLE;
SET ROLE regress_contacts_object_rights;
SELECT * FROM contacts.check_directory('object_rights');
-- the owner of the directory may let go
DELETE FROM relationship WHERE record_id = 2;
SELECT contacts.unregister_object('object_rights', 'deal');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'object_other.deal'::regclass;

-- a trigger made by hand does nothing but what a registration allows
RESET ROLE;
SET ROLE regress_contacts_object_owner;
CREATE TABLE object_other.mine (id text, n bigint);
INSERT INTO object_other.mine VALUES ('abcdefgh', 1), ('abcdefgh', 2);
CREATE TRIGGER own AFTER DELETE ON object_other.mine FOR EACH ROW
	WHEN (OLD.id IS NOT NULL AND 'object_rights.object_type'::regclass IS NOT NULL) EXECUTE FUNCTION contacts.record_change();
CREATE TRIGGER own_class AFTER DELETE ON object_other.mine FOR EACH ROW
	WHEN (OLD.id IS NOT NULL AND 'pg_class'::regclass IS NOT NULL) EXECUTE FUNCTION contacts.record_change();
CREATE TRIGGER own_bare AFTER DELETE ON object_other.mine FOR EACH ROW EXECUTE FUNCTION contacts.record_change();
DELETE FROM object_other.mine WHERE n = 1;
RESET ROLE;
SET ROLE regress_contacts_object_rights;
INSERT INTO object_type (api_name, label, relation, key_column) VALUES ('mine', 'Mine', 'object_other.mine'::regclass, 'n');
RESET ROLE;
SET ROLE regress_contacts_object_owner;
DELETE FROM object_other.mine WHERE n = 2;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA object_other CASCADE;
SET ROLE regress_contacts_object_rights;
SELECT contacts.drop_directory('object_rights', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_object_rights, regress_contacts_object_owner, regress_contacts_object_app;
DROP ROLE regress_contacts_object_rights, regress_contacts_object_owner, regress_contacts_object_app;
