-- What ORMs do: whole rows saved, children first, objects that are stale
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir dml_orm
\set ECHO none
\i :rules
\set ECHO all

-- a save of every column, as an ORM does it, from a copy made at some time
CREATE TEMP TABLE object AS TABLE contact;
CREATE FUNCTION pg_temp.load(contact_id bigint) RETURNS void LANGUAGE sql AS $$
	DELETE FROM object WHERE id = contact_id;
	INSERT INTO object SELECT * FROM contact WHERE id = contact_id $$;
CREATE FUNCTION pg_temp.save(contact_id bigint) RETURNS void LANGUAGE sql AS $$
	UPDATE contact c SET first_name = o.first_name, last_name = o.last_name, mononym = o.mononym, titles = o.titles,
		email = o.email, email_status = o.email_status, mobile_phone = o.mobile_phone, home_phone = o.home_phone,
		business_phone = o.business_phone, time_zone = o.time_zone, is_vendor = o.is_vendor,
		is_reachable = o.is_reachable, is_validated = o.is_validated, contact_type = o.contact_type,
		organization_id = o.organization_id, organization_name = o.organization_name,
		archived_at = o.archived_at, last_seen_at = o.last_seen_at, created_at = o.created_at, updated_at = o.updated_at
	FROM object o WHERE c.id = contact_id AND o.id = contact_id $$;

INSERT INTO organization (name) VALUES ('Org');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, organization_id) VALUES
	(1, 'Ada', 'One', 'a@x.org', '+49301234500', 1), (2, 'Bob', 'Two', 'b@x.org', NULL, NULL), (3, 'Cyd', 'Three', NULL, NULL, NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
SELECT pg_temp.load(n) FROM generate_series(1, 3) n;

-- saved as loaded: nothing happens, no event, no identifier touched
BEGIN;
SELECT pg_temp.save(n) FROM generate_series(1, 3) n;
SELECT count(*) FROM identifier WHERE xmin::text::bigint = txid_current() % 4294967296;
COMMIT;
SELECT count(*) FROM consent_event;

-- what is derived moved on meanwhile: a stale save does not bring it back
SELECT validate_identifier(id, 'otp') FROM identifier WHERE value = 'a@x.org';
UPDATE organization SET name = 'Org 2';
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (3, 'email', 'work', 'w@x.org');
SELECT pg_temp.save(n) FROM generate_series(1, 3) n;
SELECT * FROM person;
SELECT organization_name FROM contact WHERE id = 1;
SELECT * FROM held;
-- the email moved on meanwhile: the last save wins, as with any column
UPDATE contact SET email = 'a2@x.org' WHERE id = 1;
SELECT pg_temp.save(1);
SELECT * FROM held WHERE contact = 1;
-- the identifier was changed meanwhile
UPDATE identifier SET value = 'a3@x.org' WHERE value = 'a@x.org';
SELECT pg_temp.save(1);
SELECT * FROM held WHERE contact = 1;
-- somebody else has taken the stale address
UPDATE contact SET email = 'a4@x.org' WHERE id = 1;
UPDATE contact SET email = 'a@x.org' WHERE id = 2;
SELECT * FROM pg_temp.fails($$SELECT pg_temp.save(1)$$);
UPDATE contact SET email = 'b@x.org' WHERE id = 2;

-- C3: consent moved on meanwhile: a stale save that would lower it is refused
SELECT unsubscribe('b@x.org');
SELECT * FROM pg_temp.fails($$SELECT pg_temp.save(2)$$);
SELECT suppress('b@x.org');
SELECT * FROM pg_temp.fails($$SELECT pg_temp.save(2)$$);
-- one that changes the email as well takes nothing back: the stricter wins (C4)
UPDATE object SET email = 'b5@x.org' WHERE id = 2;
SELECT pg_temp.save(2);
SELECT * FROM person WHERE id = 2;
SELECT * FROM held WHERE value LIKE 'b%';
-- opted in meanwhile, a stale save says not_opted_in: that is free to change
SELECT pg_temp.load(2);
SELECT opt_in('b5@x.org', '{}');
SELECT pg_temp.save(2);
SELECT * FROM person WHERE id = 2;

-- INSERT of a whole object with NULLs and derived values
UPDATE object SET id = 10, email = 'n@x.org', mobile_phone = '+49301234501', contact_type = 'vendor', is_reachable = NULL, is_validated = true,
	organization_name = 'nonsense', updated_at = NULL, created_at = NULL, email_status = NULL WHERE id = 2;
INSERT INTO contact SELECT * FROM object WHERE id = 10;
SELECT * FROM person WHERE id = 10;
SELECT organization_name, created_at IS NOT NULL, updated_at IS NOT NULL FROM contact WHERE id = 10;

-- children saved with their parent: the main row exists already
BEGIN;
INSERT INTO contact (id, first_name, email) VALUES (11, 'Par', 'p@x.org');
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (11, 'email', 'main', 'p@x.org')$$);
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (11, 'email', 'main', 'p@x.org')
	ON CONFLICT (key, holder) DO NOTHING;
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (11, 'email', 'work', 'pw@x.org');
COMMIT;
-- a parent without them, and all in children
BEGIN;
INSERT INTO contact (id, first_name) VALUES (12, 'Chi');
INSERT INTO identifier (contact_id, semantic_type, slug, value, validated_at) VALUES (12, 'email', 'main', 'c@x.org', now()), (12, 'phone', 'main', '+49301234502', NULL);
COMMIT;
SELECT * FROM person WHERE id IN (11, 12);
SELECT * FROM held WHERE contact IN (11, 12);
-- a whole-row save of an identifier, stale
CREATE TEMP TABLE child AS TABLE identifier WITH NO DATA;
INSERT INTO child SELECT * FROM identifier WHERE value IN ('c@x.org', 'pw@x.org');
SELECT suppress('pw@x.org'), unsubscribe('c@x.org');
SELECT * FROM pg_temp.fails($$UPDATE identifier i SET status = c.status, status_reason = c.status_reason FROM child c WHERE c.id = i.id AND c.value = 'pw@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier i SET status = c.status FROM child c WHERE c.id = i.id AND c.value = 'c@x.org'$$);
DELETE FROM child;
INSERT INTO child SELECT * FROM identifier WHERE value IN ('c@x.org', 'pw@x.org');
UPDATE identifier i SET contact_id = c.contact_id, semantic_type = c.semantic_type, slug = c.slug, value = c.value, key = c.key, holder = c.holder,
	validated_at = c.validated_at, validation_method = c.validation_method, is_validated = c.is_validated, source = 'saved',
	is_outreach = c.is_outreach, status = c.status, status_reason = c.status_reason, status_changed_at = c.status_changed_at, created_at = c.created_at
FROM child c WHERE c.id = i.id;
SELECT value, source, status, is_validated FROM identifier WHERE source = 'saved' ORDER BY value;

-- deleting: children first, in one transaction, row by row, as unit of work does
BEGIN;
DELETE FROM identifier WHERE value = 'pw@x.org';
DELETE FROM identifier WHERE value = 'p@x.org';
DELETE FROM contact WHERE id = 11;
DELETE FROM identifier WHERE value = 'c@x.org';
DELETE FROM identifier WHERE value = '+49301234502';
DELETE FROM contact WHERE id = 12;
COMMIT;
-- parent first, then children that are gone: zero rows
BEGIN;
DELETE FROM contact WHERE id = 10;
DELETE FROM identifier WHERE value IN ('n@x.org', '+49301234501');
COMMIT;
-- all contacts at once, and all identifiers of others before
BEGIN;
DELETE FROM identifier WHERE contact_id IS NOT NULL;
SELECT * FROM person;
DELETE FROM contact;
COMMIT;
SELECT * FROM held;
-- re-import of everybody: what must not be forgotten is there again
INSERT INTO contact (id, email) VALUES (21, 'b@x.org'), (22, 'pw@x.org'), (23, 'c@x.org'), (24, 'a@x.org');
SELECT * FROM person;
SELECT * FROM held;

SELECT * FROM contacts.check_directory('dml_orm');
SELECT contacts.drop_directory('dml_orm', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_dml_orm;
DROP ROLE regress_contacts_dml_orm;
