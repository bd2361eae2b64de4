-- touch(), capture_lead(), register(), and what they tell whom
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir arrive_forms
\set ECHO none
\i :rules
\set ECHO all
SELECT create_ghost('token');
RESET ROLE;
CREATE ROLE regress_arrive_capture;
CREATE ROLE regress_arrive_authenticate;
CREATE ROLE regress_arrive_view;
SET ROLE regress_contacts_arrive_forms;
SELECT contacts.grant_access('arrive_forms', 'regress_arrive_capture', 'capture');
SELECT contacts.grant_access('arrive_forms', 'regress_arrive_authenticate', 'authenticate');
SELECT contacts.grant_access('arrive_forms', 'regress_arrive_view', 'view');
\set verifier '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27j8K4s3v1yg'
RESET ROLE;

SET ROLE regress_arrive_capture;
SELECT touch('token'), touch('none'), touch('') IS NULL AS is_blank;
-- the answer is the same for who is known
SELECT capture_lead('Ada', 'One', 'a@x.org', '+49301234501', 'form');
SELECT capture_lead('Eve', 'Other', 'A@x.org', '+49301234502', 'form');
SELECT capture_lead('Eve', 'Other', NULL, '+49301234501');
SELECT pg_temp.fails($$SELECT capture_lead('Eve', 'Other', 'a@')$$);
SELECT pg_temp.fails($$SELECT capture_lead('Eve', 'Other', NULL)$$);
-- nor what the functions stand on: they take names and addresses, and nothing else
SELECT pg_temp.fails($$SELECT contacts.capture_lead('identifier', NULL, NULL, NULL, NULL, NULL)$$);
SELECT pg_temp.fails($$SELECT contacts.capture_lead(NULL, 'Eve', 'Other', 'e@x.org', NULL, NULL)$$);
SELECT pg_temp.fails($$SELECT contacts.register_contact(NULL, 'Eve', 'Other', 'e@x.org', NULL)$$);
SELECT left(f, 5) AS is_none FROM pg_temp.fails($$SELECT contacts.capture_lead('identifier', '[{"identifiers": {"oauth": "mine"}, "attributes": {"is_vendor": true}}]'::jsonb, NULL)$$) f LIMIT 1;
SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments FROM pg_proc p
WHERE p.pronamespace = 'contacts'::regnamespace AND p.proname IN ('capture_lead', 'register_contact', 'touch') ORDER BY 1;
-- nor does an INSERT: what is granted for the functions enters nobody
SELECT pg_temp.fails($$INSERT INTO contact (last_name, email) VALUES ('Other', 'a@x.org')$$);
SELECT left(f, 5) AS is_nobody FROM pg_temp.fails('INSERT INTO contact (last_seen_at) VALUES (now())') f LIMIT 1;
-- and nothing can be read or registered
SELECT pg_temp.fails('SELECT * FROM contact');
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Eve', 'Other', 'e@x.org', :'verifier'));
SELECT pg_temp.fails($$SELECT identify('{"email": "a@x.org"}')$$);
RESET ROLE;
SET ROLE regress_contacts_arrive_forms;
SELECT * FROM person;
SELECT * FROM held;
SELECT id, last_seen_at = now() AS is_now FROM contact WHERE last_seen_at IS NOT NULL;
SELECT source FROM identifier WHERE value = 'a@x.org';
-- seen again within a minute, nothing is written; after that it is
SELECT xmin AS before FROM contact WHERE id = 1 \gset
SELECT touch('token');
SELECT xmin = :before AS is_same FROM contact WHERE id = 1;
UPDATE contact SET last_seen_at = now() - interval '2 minutes' WHERE id = 1;
SELECT touch('token');
SELECT last_seen_at > now() - interval '1 minute' AS is_seen FROM contact WHERE id = 1;
-- a suppressed address stays so
SELECT suppress('s@x.org');
SELECT capture_lead('Sue', 'Two', 's@x.org');
SELECT email, email_status FROM contact WHERE email = 's@x.org';
RESET ROLE;

SET ROLE regress_arrive_view;
SELECT pg_temp.fails('SELECT * FROM credential');
SELECT pg_temp.fails($$SELECT capture_lead('V', 'W', 'v@x.org')$$);
SELECT pg_temp.fails($$SELECT touch('token')$$);
RESET ROLE;

SET ROLE regress_arrive_authenticate;
SELECT register('Bob', 'Two', 'b@x.org', :'verifier') IS NOT NULL AS is_registered;
-- who is known does not, whoever that is: with a credential, a lead, a ghost
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Eve', 'Other', 'B@x.org', :'verifier'));
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Eve', 'Other', 'a@x.org', :'verifier'));
SELECT pg_temp.fails(format('SELECT contacts.register_contact(%L, %L, %L, %L, %L)', 'identifier', 'Eve', 'Other', 'a@x.org', :'verifier'));
SELECT pg_temp.fails(format('SELECT register(%L, %L, NULL, %L)', 'Eve', 'Other', :'verifier'));
SELECT pg_temp.fails($$SELECT register('Eve', 'Other', 'e@x.org', 'correct horse')$$);
SELECT pg_temp.fails($$SELECT register('Eve', 'Other', 'e@x.org', NULL)$$);
SELECT contact_id = find_contact('email', 'b@x.org') AS is_his, verifier = :'verifier' AS is_it FROM credential;
-- but after the proof, from whoever writes credentials
RESET ROLE;
SELECT id AS address FROM identifier WHERE value = 'a@x.org' \gset
SET ROLE regress_arrive_authenticate;
SELECT start_validation(:address, 'otp') AS code \gset
SELECT outcome, contact_id AS proved FROM confirm_validation(:address, :'code') \gset
INSERT INTO credential (contact_id, verifier) VALUES (:proved, :'verifier') ON CONFLICT (contact_id) DO UPDATE SET verifier = excluded.verifier;
SELECT contact_id = find_contact('email', 'a@x.org') AS is_hers FROM credential WHERE contact_id = :proved;
RESET ROLE;
SET ROLE regress_contacts_arrive_forms;
SELECT find_contact('email', 'e@x.org') IS NULL AS is_nobody;
SELECT first_name FROM contact WHERE email = 'a@x.org';
UPDATE identifier SET is_validated = true WHERE value = 's@x.org';
RESET ROLE;
SET ROLE regress_arrive_authenticate;
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Eve', 'Other', 's@x.org', :'verifier'));
RESET ROLE;

-- what the owner's triggers and constraints do tells nothing, and catches nothing of the caller's
SET ROLE regress_contacts_arrive_forms;
CREATE TABLE trail (what text);
CREATE FUNCTION leave_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trail VALUES (TG_TABLE_NAME || ' ' || lower(TG_OP) || ' ' || current_user);
	RETURN NULL;
END
$$;
CREATE TRIGGER zzz_trail AFTER INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION leave_trail();
CREATE TRIGGER zzz_trail AFTER INSERT ON credential FOR EACH ROW EXECUTE FUNCTION leave_trail();
ALTER TABLE contact ADD CONSTRAINT is_well_behaved CHECK (first_name <> 'Mallory');
UPDATE contact SET last_seen_at = NULL WHERE id = 1;
TRUNCATE trail;
GRANT ALL ON trail TO PUBLIC;
RESET ROLE;
GRANT regress_arrive_authenticate TO regress_arrive_capture;
SET ROLE regress_arrive_capture;
CREATE TEMP TABLE trail (what text);
GRANT INSERT ON pg_temp.trail TO PUBLIC;
SELECT touch('token');
SELECT capture_lead('Tom', 'Trail', 't@x.org', '+49301234505');
SELECT register('Uma', 'Trail', 'u@x.org', :'verifier') IS NOT NULL AS is_registered;
SELECT count(*) AS caught FROM pg_temp.trail;
SHOW search_path;
DROP TABLE pg_temp.trail;
SELECT DISTINCT what FROM trail ORDER BY 1;
-- nobody is known, by email, by phone: the same
SELECT pg_temp.fails($$SELECT capture_lead('Mallory', 'M', 'm@x.org')$$);
SELECT pg_temp.fails($$SELECT capture_lead('Mallory', 'M', 't@x.org')$$);
SELECT pg_temp.fails($$SELECT capture_lead('Mallory', 'M', NULL, '+49301234505')$$);
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Mallory', 'M', 'm@x.org', :'verifier'));
BEGIN;
SELECT capture_lead('Tom', 'Again', 't@x.org');
SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS is_assigned;
COMMIT;
SELECT capture_lead('Tom', 'Again', NULL, '+49301234505');
RESET ROLE;
SET ROLE regress_contacts_arrive_forms;
SELECT first_name, last_name, email, mobile_phone FROM contact WHERE first_name IN ('Tom', 'Mallory');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'not today', DETAIL = NEW::text;
END
$$;
CREATE TRIGGER a_refuse BEFORE INSERT ON contact FOR EACH ROW EXECUTE FUNCTION refuse();
SET ROLE regress_arrive_capture;
SELECT capture_lead('Tom', 'Again', 't@x.org');
SELECT capture_lead('New', 'Person', 'n@x.org');
RESET ROLE;

SET ROLE regress_contacts_arrive_forms;
DROP TRIGGER a_refuse ON contact;
SELECT * FROM contacts.check_directory(:'dir', true);
\set ECHO none
SET client_min_messages = warning;
SELECT contacts.drop_directory(:'dir', cascade => true) \g /dev/null
RESET ROLE;
DROP OWNED BY regress_arrive_capture, regress_arrive_authenticate, regress_arrive_view;
DROP ROLE regress_arrive_capture, regress_arrive_authenticate, regress_arrive_view;
SELECT format('DROP OWNED BY regress_contacts_%1$s; DROP ROLE regress_contacts_%1$s', :'dir') \gexec
