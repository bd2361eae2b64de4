-- Registering a table makes its records relatable; links follow them (rule R3).
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir object_register
\set ECHO none
\i :rules
\set ECHO all

CREATE SCHEMA object_data;
CREATE TABLE object_data.policy (name text, id integer PRIMARY KEY);
CREATE TABLE object_data.asset (id text PRIMARY KEY, key uuid NOT NULL UNIQUE, other smallint NOT NULL);
CREATE TABLE object_data.claim (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id);
CREATE TABLE object_data.claim_low PARTITION OF object_data.claim FOR VALUES FROM (0) TO (100);
-- a partition whose columns are in another order
CREATE TABLE object_data.claim_high (gone text, name text, id bigint NOT NULL);
ALTER TABLE object_data.claim_high DROP COLUMN gone;
ALTER TABLE object_data.claim ATTACH PARTITION object_data.claim_high FOR VALUES FROM (100) TO (200);

SELECT contacts.register_object('object_register', 'object_data.policy', 'policy', 'Policy');
SELECT contacts.register_object('object_register', 'object_data.asset', 'asset', 'Asset');
SELECT contacts.register_object('object_register', 'object_data.claim', 'claim', 'Claim');
SELECT * FROM object_type ORDER BY id;
SELECT t.tgrelid::regclass AS table, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid) LIKE '%object_type%' AS names_directory
FROM pg_trigger t WHERE t.tgfoid = 'contacts.record_change'::regproc
ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname COLLATE "C";
SELECT * FROM contacts.check_directory('object_register');

CREATE TEMP VIEW link AS
	SELECT t.name, r.contact_id AS contact, coalesce(r.record_id::text, right(r.record_uuid::text, 2)) AS record
	FROM relationship r JOIN relationship_type t ON t.id = r.relationship_type_id
	ORDER BY t.name, r.contact_id, r.record_id, r.record_uuid;
CREATE FUNCTION pg_temp.type(text) RETURNS bigint LANGUAGE sql AS 'SELECT id FROM object_register.relationship_type WHERE name = $1';
INSERT INTO contact (id, first_name, last_name) VALUES (1, 'Ann', 'A'), (2, 'Bob', 'B'), (3, 'Cid', 'C');
INSERT INTO relationship_type (name, inverse_name, object_type_id)
SELECT v.name, v.inverse, o.id
FROM (VALUES ('holds', 'holder', 'policy'), ('insures', 'insurer', 'policy'), ('owns', 'owner', 'asset'), ('claims', 'claimant', 'claim')) v (name, inverse, object)
	JOIN object_type o ON o.api_name = v.object;
INSERT INTO object_data.policy VALUES ('p', 1), ('p', 2), ('p', 3), ('p', -4);
INSERT INTO object_data.asset
SELECT i, ('00000000-0000-0000-0000-0000000000' || lpad(i::text, 2, '0'))::uuid, i FROM generate_series(1, 20) i;
INSERT INTO object_data.claim SELECT i, 'c' FROM generate_series(90, 110) i;

-- links to records that exist; several roles on one record, one role on many
INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES
	(pg_temp.type('holds'), 1, 1), (pg_temp.type('holds'), 1, 2), (pg_temp.type('insures'), 1, 1),
	(pg_temp.type('holds'), 2, -4), (pg_temp.type('claims'), 1, 90), (pg_temp.type('claims'), 2, 110), (pg_temp.type('claims'), 3, 91);
INSERT INTO relationship (relationship_type_id, contact_id, record_uuid)
SELECT pg_temp.type('owns'), 1, key FROM object_data.asset WHERE other < 4;
SELECT * FROM link;

-- to records that do not: one of many, beyond the range of the key, of a partition, changed
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	SELECT pg_temp.type('holds'), 3, i FROM generate_series(1, 10) i$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('holds'), 3, 99999999999)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('claims'), 3, 500)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_uuid)
	VALUES (pg_temp.type('owns'), 3, '00000000-0000-0000-0000-000000000077')$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship SET record_id = 5 WHERE record_id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship SET relationship_type_id = pg_temp.type('claims') WHERE record_id = 2$$);
SELECT * FROM pg_temp.fails($$UPDATE relationship SET relationship_type_id = pg_temp.type('employer') WHERE record_id = 2$$);
-- a record of the same transaction will do, and one that a link moves to
BEGIN;
INSERT INTO object_data.policy VALUES ('new', 7);
INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('holds'), 3, 7);
UPDATE relationship SET record_id = 3 WHERE record_id = 7;
SELECT * FROM link WHERE contact = 3;
ROLLBACK;
-- the kind of key
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('owns'), 3, 1)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_uuid)
	VALUES (pg_temp.type('holds'), 3, '00000000-0000-0000-0000-000000000001')$$);

-- a record deleted takes its links along, by whatever statement; a key changed is followed
DELETE FROM object_data.policy WHERE id = 1;
SELECT * FROM link;
UPDATE object_data.policy SET id = id + 100;
UPDATE object_data.asset SET key = '00000000-0000-0000-0000-000000000099', id = 'x' WHERE other = 3;
UPDATE object_data.asset SET id = 'y' WHERE other = 2;
SELECT * FROM link;
MERGE INTO object_data.asset a USING (VALUES (1), (2)) v (i) ON a.other = v.i
WHEN MATCHED AND v.i = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET id = 'z';
WITH gone AS (DELETE FROM object_data.claim WHERE id IN (90, 110) RETURNING id) SELECT count(*) FROM gone;
DELETE FROM object_data.claim_low WHERE id = 92;
SELECT * FROM link;
-- of a partitioned table no key changes that links lead to
SELECT * FROM pg_temp.fails($$UPDATE object_data.claim SET id = 93 WHERE id = 91$$);
SELECT * FROM pg_temp.fails($$UPDATE object_data.claim SET id = 193 WHERE id = 91$$);
UPDATE object_data.claim SET id = 193 WHERE id = 95;
UPDATE object_data.claim SET name = 'x', id = id WHERE id = 91;
-- truncated: one partition, all
INSERT INTO relationship (relationship_type_id, contact_id, record_id)
SELECT pg_temp.type('claims'), 1, id FROM object_data.claim WHERE id BETWEEN 98 AND 102;
TRUNCATE object_data.claim_low;
SELECT * FROM link WHERE name = 'claims';
BEGIN;
TRUNCATE object_data.claim, object_data.asset;
SELECT * FROM link;
ROLLBACK;
SELECT * FROM link;
SELECT * FROM contacts.check_directory('object_register');

-- shares follow records as links do
INSERT INTO record_share (object_type_id, record_id, role)
SELECT o.id, v.record, 'someone' FROM (VALUES ('policy', 96), ('policy', 103), ('claim', 98), ('claim', 99), ('claim', 101)) v (object, record)
	JOIN object_type o ON o.api_name = v.object;
INSERT INTO object_data.claim VALUES (98), (99);
UPDATE object_data.policy SET id = 196 WHERE id = 96;
SELECT * FROM pg_temp.fails($$UPDATE object_data.claim SET id = 97 WHERE id = 98$$);
DELETE FROM object_data.policy WHERE id = 103;
DELETE FROM object_data.claim WHERE id = 98;
SELECT o.api_name, s.record_id FROM record_share s JOIN object_type o ON o.id = s.object_type_id ORDER BY 1, 2;
TRUNCATE object_data.claim_low;
SELECT o.api_name, s.record_id FROM record_share s JOIN object_type o ON o.id = s.object_type_id ORDER BY 1, 2;
UPDATE object_data.policy SET id = 96 WHERE id = 196;
TRUNCATE object_data.claim_high;
SELECT o.api_name, s.record_id FROM record_share s JOIN object_type o ON o.id = s.object_type_id ORDER BY 1, 2;
SELECT * FROM contacts.check_directory('object_register');
INSERT INTO object_data.claim SELECT i, 'c' FROM generate_series(100, 110) i;
INSERT INTO object_data.policy VALUES ('p', 103);

-- organizations are registered from the start
INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Best'), (3, 'Cars');
INSERT INTO relationship (relationship_type_id, contact_id, record_id)
SELECT pg_temp.type('employer'), 1, i FROM generate_series(1, 3) i;
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('employer'), 1, 4)$$);
DELETE FROM organization WHERE id = 1;
UPDATE organization SET id = 20 WHERE id = 2;
SELECT * FROM link WHERE name = 'employer';
SELECT * FROM pg_temp.fails('TRUNCATE organization');

-- renames of directory, schema, table, column are followed
SELECT contacts.rename_directory('object_register', 'object_renamed');
ALTER TABLE object_data.asset RENAME key TO unique_id;
ALTER TABLE object_data.asset RENAME TO property;
ALTER SCHEMA object_data RENAME TO object_store;
SET search_path = object_renamed;
DELETE FROM object_store.property WHERE other = 2;
SELECT name, contact, record FROM link WHERE name = 'owns';
INSERT INTO relationship (relationship_type_id, contact_id, record_uuid) VALUES
	((SELECT id FROM relationship_type WHERE name = 'owns'), 2, '00000000-0000-0000-0000-000000000011');
SELECT * FROM contacts.check_directory('object_renamed');
SELECT * FROM contacts.repair_directory('object_renamed');
SELECT * FROM object_type ORDER BY id;
SELECT contacts.rename_directory('object_renamed', 'object_register');
ALTER SCHEMA object_store RENAME TO object_data;
SET search_path = object_register;

-- unregistered: not while links lead there
SELECT * FROM pg_temp.fails($$SELECT contacts.unregister_object('object_register', 'asset')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.unregister_object('object_register', 'nothing')$$);
DELETE FROM relationship WHERE record_uuid IS NOT NULL;
SELECT contacts.unregister_object('object_register', 'asset');
SELECT api_name FROM object_type ORDER BY id;
SELECT count(*) FROM relationship_type WHERE name IN ('owns', 'owner');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'object_data.property'::regclass;
DROP TABLE object_data.property;

-- a new partition lacks the trigger for TRUNCATE until the directory is repaired
CREATE TABLE object_data.claim_top PARTITION OF object_data.claim FOR VALUES FROM (200) TO (300);
SELECT object, message FROM contacts.check_directory('object_register');
SELECT * FROM contacts.repair_directory('object_register');
INSERT INTO object_data.claim VALUES (201);
INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('claims'), 3, 201);
TRUNCATE object_data.claim_top;
SELECT * FROM link WHERE contact = 3;

-- two directories over one table
SELECT contacts.create_directory('object_second') \g /dev/null
SELECT contacts.register_object('object_second', 'object_data.policy', 'policy', 'Policy');
INSERT INTO object_second.contact (id, first_name) VALUES (1, 'Zoe');
INSERT INTO object_second.relationship_type (name, inverse_name, object_type_id) VALUES ('holds', 'holder', 3);
INSERT INTO object_second.relationship (relationship_type_id, contact_id, record_id)
SELECT id, 1, 102 FROM object_second.relationship_type WHERE name = 'holds';
DELETE FROM object_data.policy WHERE id = 102;
SELECT (SELECT count(*) FROM object_second.relationship) AS second, (SELECT count(*) FROM link WHERE name = 'holds') AS first;
-- a dropped directory takes its triggers along: records can still be deleted
SET client_min_messages = warning;
RESET ROLE;
SET contacts.ddl_guard = off;
DROP SCHEMA object_second CASCADE;
RESET contacts.ddl_guard;
SET ROLE regress_contacts_object_register;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'object_data.policy'::regclass;
DELETE FROM object_data.policy WHERE id = 103;
-- a dropped table: the links stay, for people to decide
DROP TABLE object_data.policy;
SELECT rule, object, message FROM contacts.check_directory('object_register');
SELECT * FROM pg_temp.fails($$INSERT INTO relationship (relationship_type_id, contact_id, record_id) VALUES (pg_temp.type('holds'), 3, 1)$$);
CREATE TABLE object_data.contract (id bigint PRIMARY KEY);
SELECT contacts.register_object('object_register', 'object_data.contract', 'policy', 'Contract');
SELECT * FROM object_type WHERE api_name = 'policy';
SELECT rule, object, message FROM contacts.check_directory('object_register');
SELECT * FROM contacts.repair_directory('object_register');
SELECT * FROM link;

-- the two ways out
SELECT contacts.create_directory('object_second') \g /dev/null
SELECT contacts.register_object('object_second', 'object_data.contract', 'policy', 'Policy');
SELECT contacts.drop_directory('object_second');
DROP VIEW person, held, log, link;
SELECT contacts.detach_directory('object_register');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'object_data.contract'::regclass;
SELECT * FROM object_type ORDER BY id;
DELETE FROM object_data.contract;
DROP SCHEMA object_data CASCADE;
DROP SCHEMA object_register CASCADE;
RESET ROLE;
DROP OWNED BY regress_contacts_object_register;
DROP ROLE regress_contacts_object_register;
