-- C9: changing a consent state needs UPDATE privilege on identifier.status
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_privilege
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
-- editor saves whole contacts; consenter may change consent, too
CREATE ROLE regress_contacts_consent_privilege_editor;
CREATE ROLE regress_contacts_consent_privilege_consenter;
CREATE ROLE regress_contacts_consent_privilege_feeder;
GRANT USAGE ON SCHEMA consent_privilege TO regress_contacts_consent_privilege_editor,
	regress_contacts_consent_privilege_consenter, regress_contacts_consent_privilege_feeder;
SET ROLE regress_contacts_consent_privilege;
GRANT SELECT, INSERT, UPDATE, DELETE ON contact TO regress_contacts_consent_privilege_editor, regress_contacts_consent_privilege_consenter;
GRANT INSERT ON contact TO regress_contacts_consent_privilege_feeder;
GRANT SELECT, UPDATE (status) ON identifier TO regress_contacts_consent_privilege_consenter;
INSERT INTO contact (id, first_name, last_name, email) VALUES
	(1, 'Ada', 'One', 'a@x.org'), (2, 'Bob', 'Two', 'b@x.org'), (3, 'Cyd', 'Three', 'c@x.org'), (4, 'Dan', 'Four', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
SELECT suppress('b@x.org'), unsubscribe('c@x.org');

-- a role that edits contacts may save whole rows, stale ones of another state excepted
SET ROLE regress_contacts_consent_privilege_editor;
CREATE TEMP TABLE stale AS TABLE contact;
UPDATE contact c SET first_name = upper(s.first_name), last_name = s.last_name, mononym = s.mononym, titles = s.titles,
	email = s.email, email_status = s.email_status, mobile_phone = s.mobile_phone, home_phone = s.home_phone,
	business_phone = s.business_phone, time_zone = s.time_zone, is_vendor = s.is_vendor, is_reachable = s.is_reachable,
	is_validated = s.is_validated, contact_type = s.contact_type, organization_id = s.organization_id,
	organization_name = s.organization_name, archived_at = s.archived_at, last_seen_at = s.last_seen_at,
	created_at = s.created_at, updated_at = s.updated_at
FROM stale s WHERE s.id = c.id;
UPDATE contact SET email = 'n@x.org' WHERE id = 1;
UPDATE contact SET email = 'm@x.org' WHERE id = 3; -- C4 takes the wish along, nobody states anything
UPDATE contact SET email = NULL WHERE id = 2;
UPDATE contact SET email = 'b@x.org' WHERE id = 2;
INSERT INTO contact (first_name, email) VALUES ('Eve', 'e@x.org'), ('Fay', 'c@x.org');
INSERT INTO contact (first_name, email, email_status) VALUES ('Gus', 'g@x.org', 'not_opted_in'), ('Hal', 'h@x.org', NULL);
SET ROLE regress_contacts_consent_privilege;
SELECT * FROM person;
SET ROLE regress_contacts_consent_privilege_editor;

-- 42501 only when the value really changes
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'unsubscribed' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'suppressed' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'p@x.org', email_status = 'opted_in' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'p@x.org', email_status = 'suppressed' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'unsubscribed' WHERE id = 4$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'p@x.org', email_status = 'unsubscribed' WHERE id = 4$$);
-- an INSERT that states anything but not_opted_in counts as a change
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('p@x.org', 'opted_in')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('p@x.org', 'unsubscribed')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('p@x.org', 'suppressed')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (first_name, email_status) VALUES ('Ida', 'unsubscribed')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('n@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = EXCLUDED.email_status$$);
SELECT * FROM pg_temp.fails($$MERGE INTO contact c USING (VALUES ('n@x.org')) v (email) ON c.email = v.email WHEN MATCHED THEN UPDATE SET email_status = 'opted_in'$$);
-- what it may not see at all
SELECT * FROM pg_temp.fails($$SELECT count(*) FROM identifier$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in'$$);
SELECT * FROM pg_temp.fails($$SELECT suppress('a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT unsubscribe('a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT opt_in('a@x.org', '{}')$$);
SELECT * FROM pg_temp.fails($$SELECT suppress_many('{a@x.org}')$$);
SELECT * FROM pg_temp.fails($$SELECT address_status('a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.identifier_key('consent_privilege', 'email', 'a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.change_consent('identifier', '{a@x.org}', 'suppressed', 'manual')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.address_key('identifier', 'a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT set_main(1)$$);
SELECT * FROM pg_temp.fails($$SELECT validate_identifier(1)$$);
SELECT * FROM pg_temp.fails($$SELECT create_ghost('t')$$);
SELECT * FROM pg_temp.fails($$SELECT find_contact('email', 'a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.lock_holder('identifier', 1)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.promote_identifier('identifier', 1)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.change_consent('contact', '{a@x.org}', 'suppressed', 'manual')$$);
SELECT * FROM pg_temp.fails($$SELECT value FROM secret$$);
-- deleting contacts is his right, lifting states by it is not
DELETE FROM contact WHERE id = 2;
INSERT INTO contact (id, email) VALUES (2, 'b@x.org');
SELECT id, email, email_status FROM contact WHERE id = 2;

-- with the privilege on the column alone all of it works
SET ROLE regress_contacts_consent_privilege_consenter;
UPDATE contact SET email_status = 'opted_in' WHERE id = 1;
INSERT INTO contact (id, email, email_status) VALUES (20, 'p@x.org', 'opted_in');
UPDATE identifier SET status = 'unsubscribed' WHERE value = 'p@x.org';
SELECT opt_in('p@x.org', '{"form": 1}'), suppress('q@x.org', 'bounce'), unsubscribe('g@x.org');
SELECT suppress_many('{r@x.org,p@x.org}');
SELECT address_status('p@x.org'), address_status('q@x.org'), address_status('r@x.org'), address_status('g@x.org');
SELECT id, email, email_status FROM contact ORDER BY id;
SELECT * FROM pg_temp.fails($$UPDATE identifier SET value = 'z@x.org' WHERE value = 'e@x.org'$$);
SELECT * FROM pg_temp.fails($$SELECT set_main(id) FROM identifier WHERE value = 'e@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE value = 'q@x.org'$$) LIMIT 2;

-- INSERT on contact only
SET ROLE regress_contacts_consent_privilege_feeder;
INSERT INTO contact (first_name, last_name, email, mobile_phone) VALUES ('Jon', 'New', 's@x.org', '+49301234500'), ('Kim', 'New', 'q@x.org', NULL);
COPY contact (first_name, last_name, email) FROM stdin;
Lea	New	t@x.org
\.
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('u@x.org', 'opted_in')$$) LIMIT 1;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('s@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('u@x.org') RETURNING id$$);
SELECT * FROM pg_temp.fails($$SELECT count(*) FROM contact$$);
SET ROLE regress_contacts_consent_privilege;
SELECT * FROM person WHERE last = 'New';
SELECT value, old, new, reason, role FROM log ORDER BY value, id;

-- a function of the owner's may do it for others
CREATE FUNCTION public_unsubscribe(address text) RETURNS void LANGUAGE sql SECURITY DEFINER
	SET search_path = consent_privilege, pg_temp
	AS $$ SELECT consent_privilege.unsubscribe(address) $$;
SET ROLE regress_contacts_consent_privilege_feeder;
SELECT public_unsubscribe('s@x.org');
SET ROLE regress_contacts_consent_privilege;
SELECT value, new, role FROM log ORDER BY id DESC LIMIT 1;

SELECT * FROM contacts.check_directory('consent_privilege');
SELECT contacts.drop_directory('consent_privilege', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_privilege, regress_contacts_consent_privilege_editor,
	regress_contacts_consent_privilege_consenter, regress_contacts_consent_privilege_feeder;
DROP ROLE regress_contacts_consent_privilege, regress_contacts_consent_privilege_editor,
	regress_contacts_consent_privilege_consenter, regress_contacts_consent_privilege_feeder;
