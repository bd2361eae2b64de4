-- Row security: who sees, changes, adds and removes what, by whom it is shared with
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir sharing
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_sharing_team;
CREATE ROLE regress_sharing_viewer IN ROLE regress_sharing_team;
CREATE ROLE regress_sharing_apart NOINHERIT IN ROLE regress_sharing_team;
CREATE ROLE regress_sharing_editor;
CREATE ROLE regress_sharing_stranger;
CREATE ROLE regress_sharing_whole;
CREATE ROLE regress_sharing_reader;
CREATE ROLE regress_sharing_account;
CREATE TEMP VIEW roles AS SELECT string_agg(rolname, ', ' ORDER BY rolname) AS names FROM pg_roles WHERE rolname LIKE 'regress\_sharing\_%';
SELECT format('GRANT USAGE ON SCHEMA sharing TO %s', names) FROM roles \gexec
SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sharing TO %s', names) FROM roles \gexec
SELECT format('REVOKE ALL ON sharing.secret FROM %s', names) FROM roles \gexec
CREATE TABLE public.regress_sharing_policy (id bigint PRIMARY KEY);
CREATE TABLE public.regress_sharing_claim (id uuid PRIMARY KEY);
ALTER TABLE public.regress_sharing_policy OWNER TO regress_contacts_sharing;
ALTER TABLE public.regress_sharing_claim OWNER TO regress_contacts_sharing;
SET ROLE regress_contacts_sharing;

INSERT INTO organization (id, name) VALUES (1, 'Acme'), (2, 'Bolt');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, organization_id) VALUES
	(1, 'Ada', 'One', 'a@x.org', '+49301234500', NULL), (2, 'Bob', 'Two', 'b@x.org', '+49301234500', NULL),
	(3, 'Cay', 'Three', 'c@x.org', NULL, 1), (4, 'Dan', 'Four', 'd@x.org', NULL, NULL),
	(5, 'Eve', 'Five', 'e@x.org', NULL, NULL), (6, 'Fay', 'Six', 'f@x.org', NULL, 2);
ALTER TABLE contact ALTER id RESTART WITH 100;
ALTER TABLE identifier ALTER id RESTART WITH 100;
INSERT INTO public.regress_sharing_policy VALUES (7), (8);
INSERT INTO public.regress_sharing_claim VALUES ('00000000-0000-0000-0000-000000000009');
SELECT contacts.register_object('sharing', 'public.regress_sharing_policy', 'policy', 'Policy') > 0 AS is_registered;
SELECT contacts.register_object('sharing', 'public.regress_sharing_claim', 'claim', 'Claim') > 0 AS is_registered;
INSERT INTO relationship_type (name, label, inverse_name, inverse_label, object_type_id)
	SELECT 'holds_' || api_name, 'Holds', 'held_' || api_name, 'Held', id FROM object_type WHERE api_name IN ('policy', 'claim');
SELECT relate('sibling', 1, 2) > 0 AND relate('sibling', 1, 3) > 0 AND relate('sibling', 2, 4) > 0
	AND relate('holds_policy', 4, 7) > 0 AND relate('holds_policy', 3, 8, ended_on => '2020-01-01') > 0
	AND relate('holds_claim', 5, '00000000-0000-0000-0000-000000000009'::uuid) > 0 AS are_related;
SELECT suppress('nobody@x.org'), unsubscribe('e@x.org');

-- what everybody sees before: all; and nothing after
SET ROLE regress_sharing_viewer;
SELECT count(*) FROM contact;
SET ROLE regress_contacts_sharing;
SELECT contacts.enable_row_security('sharing');
SET ROLE regress_sharing_viewer;
SELECT (SELECT count(*) FROM contact) AS contacts, (SELECT count(*) FROM identifier) AS identifiers,
	(SELECT count(*) FROM relationship) AS links, (SELECT count(*) FROM consent_event) AS events,
	(SELECT count(*) FROM organization) AS organizations, (SELECT count(*) FROM relationship_type) > 0 AS types;
SET ROLE regress_contacts_sharing;
SELECT count(*) FROM contact;

-- sharing one by one, with a group, by organization, by record of either kind, the whole
SELECT contacts.share('sharing', 1, 'regress_sharing_team'), contacts.share('sharing', 1, 'regress_sharing_team') AS again,
	contacts.share('sharing', 2, 'regress_sharing_editor', true),
	contacts.share('sharing', 'organization', 1, 'regress_sharing_account', may_edit => true),
	contacts.share('sharing', 'policy', 7, 'regress_sharing_account'),
	contacts.share('sharing', 'policy', 8, 'regress_sharing_account'),
	contacts.share('sharing', 'claim', '00000000-0000-0000-0000-000000000009'::uuid, 'regress_sharing_reader'),
	contacts.share('sharing', 'contact', 6, 'regress_sharing_reader'),
	contacts.share('sharing', 'regress_sharing_whole', true);

-- what a role sees of each table
RESET ROLE;
CREATE FUNCTION pg_temp.sees(seer name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', seer);
	SELECT concat_ws(' | ', seer,
		(SELECT string_agg(id::text, ',' ORDER BY id) FROM sharing.contact),
		(SELECT string_agg(DISTINCT coalesce(contact_id::text, 'none'), ',') FROM sharing.identifier),
		(SELECT string_agg(contact_id || '-' || coalesce(related_contact_id::text, 'record'), ',' ORDER BY contact_id, related_contact_id) FROM sharing.relationship),
		(SELECT count(*) FROM sharing.consent_event),
		(SELECT count(*) FROM sharing.contact_share), (SELECT count(*) FROM sharing.record_share), (SELECT count(*) FROM sharing.directory_share))
		INTO seen;
	RESET ROLE;
	RETURN seen;
END
$$;
SELECT pg_temp.sees(rolname) FROM pg_roles WHERE rolname LIKE 'regress\_sharing\_%' ORDER BY rolname;
-- by SET ROLE to the group he sees what it sees, though he does not inherit it
SET ROLE regress_sharing_apart;
SELECT contacts.my_roles(), (SELECT count(*) FROM contact);
SET ROLE regress_sharing_viewer;
SELECT contacts.my_roles();

-- a viewer reads
SELECT id, email FROM contact;
SELECT c.id, i.value FROM contact c JOIN identifier i ON i.contact_id = c.id ORDER BY 1, 2;
COPY (SELECT id, first_name FROM contact) TO STDOUT;
COPY contact (id, first_name) TO STDOUT;
SELECT contact_id, related_contact_id FROM related_contact;
SELECT find_contacts('phone', '+49301234500'), find_contact('phone', '+49301234500'), find_contact('email', 'b@x.org');
SELECT pg_temp.fails($$SELECT resolve_contact('email', 'b@x.org')$$);
SELECT contacts.may_see('contact', 1), contacts.may_see('contact', 2), contacts.may_edit('contact', 1), contacts.may_see('contact', 99);
-- and changes nothing
UPDATE contact SET titles = 'Dr';
DELETE FROM contact;
UPDATE identifier SET is_outreach = false;
DELETE FROM identifier;
DELETE FROM relationship;
UPDATE contact_share SET may_edit = true;
SELECT pg_temp.fails('SELECT * FROM contact FOR UPDATE');
\set VERBOSITY terse
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'a2@x.org');
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) SELECT id, 1, 5 FROM relationship_type WHERE name = 'colleague';
SELECT contacts.share('sharing', 1, 'regress_sharing_stranger');
SELECT contacts.share('sharing', 'regress_sharing_viewer');
SELECT contacts.share('sharing', 'organization', 1, 'regress_sharing_viewer');
SELECT relate('colleague', 1, 5);
COPY contact (first_name) FROM STDIN;
\.
\set VERBOSITY default

-- an editor
SET ROLE regress_sharing_editor;
UPDATE contact SET titles = 'Dr', email = 'b2@x.org' RETURNING id, titles, email;
UPDATE contact SET titles = 'Dr' WHERE id = 1;
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'work', 'b3@x.org') RETURNING contact_id, value;
SELECT set_main(id) FROM identifier WHERE value = 'b3@x.org';
SELECT validate_identifier(id) FROM identifier WHERE value = 'b3@x.org';
SELECT email, contact_type FROM contact;
-- moves nothing to where he does not see it
\set VERBOSITY terse
UPDATE identifier SET contact_id = 1 WHERE value = 'b2@x.org';
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'a2@x.org');
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) SELECT id, 2, 5 FROM relationship_type WHERE name = 'colleague';
SELECT relate('colleague', 2, 5);
UPDATE contact SET id = 50;
\set VERBOSITY default
-- shares what he may edit, if he may write the table
SELECT contacts.share('sharing', 2, 'regress_sharing_reader');
SELECT contacts.unshare('sharing', 2, 'regress_sharing_reader');

-- who inserts sees and edits: RETURNING, many, upsert, MERGE, CTE, ghost
SET ROLE regress_sharing_stranger;
INSERT INTO contact (first_name, last_name, email) VALUES ('New', 'One', 'n@x.org') RETURNING id, contact_type;
INSERT INTO contact (first_name) SELECT 'Many ' || n FROM generate_series(1, 3) n RETURNING id;
INSERT INTO contact (first_name) VALUES ('Quiet');
INSERT INTO contact (first_name, email) VALUES ('Up', 'u@x.org') ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name RETURNING id, first_name;
INSERT INTO contact (first_name, email) VALUES ('Up 2', 'u@x.org') ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name RETURNING first_name;
INSERT INTO contact (first_name, email) VALUES ('Up 3', 'u@x.org') ON CONFLICT DO NOTHING RETURNING first_name;
MERGE INTO contact c USING (VALUES ('n@x.org', 'Merged'), ('m@x.org', 'Merged')) v (email, name) ON c.email = v.email
	WHEN MATCHED THEN UPDATE SET titles = v.name WHEN NOT MATCHED THEN INSERT (first_name, email) VALUES (v.name, v.email);
WITH c AS (INSERT INTO contact (first_name) VALUES ('With') RETURNING id)
INSERT INTO identifier (contact_id, semantic_type, value) SELECT id, 'email', 'w@x.org' FROM c RETURNING value;
SELECT create_ghost('token') > 0 AS has_ghost;
SELECT first_name, email, titles FROM contact ORDER BY first_name, email;
SELECT role, may_edit, count(*) FROM contact_share GROUP BY 1, 2;
-- two in one transaction, one rolled back
BEGIN;
INSERT INTO contact (first_name) VALUES ('Stays');
SAVEPOINT s;
INSERT INTO contact (first_name) VALUES ('Goes');
ROLLBACK TO s;
SELECT first_name FROM contact WHERE first_name IN ('Stays', 'Goes');
COMMIT;

-- a hidden contact stays hidden, whatever he tries to insert in its place
\set VERBOSITY terse
INSERT INTO contact (email, first_name) VALUES ('a@x.org', 'Mine') ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name;
INSERT INTO contact (id, first_name) VALUES (1, 'Mine') ON CONFLICT (id) DO UPDATE SET first_name = EXCLUDED.first_name RETURNING *;
WITH c AS (INSERT INTO contact (id, first_name) VALUES (1, 'Mine') ON CONFLICT (id) DO NOTHING RETURNING id)
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'mine@x.org');
WITH c AS (INSERT INTO contact (id, first_name) VALUES (1, 'Mine') ON CONFLICT (id) DO NOTHING RETURNING id)
SELECT id, email FROM contact WHERE id = 1;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (9999, 'email', 'mine@x.org');
SELECT id FROM contact WHERE id = 1;
\set VERBOSITY default
-- and no error tells more of it than was given
SELECT pg_temp.fails($$INSERT INTO contact (email) VALUES ('a@x.org')$$);
SELECT pg_temp.fails($$INSERT INTO contact (email) VALUES ('b2@x.org')$$);
SELECT pg_temp.fails($$INSERT INTO contact (id, email) VALUES (1, 'z@x.org')$$);
SELECT pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'z@x.org')$$);
SELECT pg_temp.fails($$UPDATE contact SET email = 'a@x.org' WHERE first_name = 'Quiet'$$);
SELECT pg_temp.fails($$SELECT relate('sibling', 1, 2)$$);
SELECT pg_temp.fails($$SELECT relate('sibling', id, 2) FROM contact WHERE first_name = 'Quiet'$$);
SELECT pg_temp.fails($$SELECT set_main(1)$$), pg_temp.fails($$SELECT set_main(9999)$$);
SELECT pg_temp.fails($$SELECT contacts.promote_identifier('identifier', 1)$$);
SELECT pg_temp.fails($$SELECT validate_identifier(1)$$), pg_temp.fails($$SELECT invalidate_identifier(9999)$$);
SELECT pg_temp.fails($$SELECT opt_in('d@x.org', '{}')$$), pg_temp.fails($$SELECT opt_in('none@x.org', '{}')$$);
-- an address is suppressed and asked about whoever holds it: it is about mail to it
SELECT suppress('d@x.org'), unsubscribe('+49301234500');
SELECT address_status('d@x.org'), address_status('nobody@x.org'), address_status('e@x.org'), address_status('+49301234500'), address_status('none@x.org');

-- by organization: leaving it would take the contact out of sight
SET ROLE regress_sharing_account;
SELECT id, organization_name FROM contact ORDER BY id;
UPDATE contact SET titles = 'Acc' RETURNING id;
SELECT pg_temp.fails('UPDATE contact SET organization_id = 2 WHERE id = 3');
SELECT pg_temp.fails('UPDATE contact SET organization_id = NULL WHERE id = 3');
INSERT INTO contact (id, first_name, organization_id) VALUES (60, 'Hired', 1) RETURNING id;
SELECT contacts.may_edit('contact', 3), contacts.may_edit('contact', 4), contacts.may_edit('contact', 3, 2);
-- the record goes, the link ends: not linked any more
SET ROLE regress_contacts_sharing;
UPDATE relationship SET ended_on = CURRENT_DATE WHERE record_id = 7;
SET ROLE regress_sharing_account;
SELECT id FROM contact WHERE id = 4;
SET ROLE regress_contacts_sharing;
UPDATE relationship SET ended_on = CURRENT_DATE - 1 WHERE record_id = 7;
SET ROLE regress_sharing_account;
SELECT id FROM contact WHERE id = 4;

-- who has the whole directory has the plans of no row security, and its shares make no rows
SET ROLE regress_sharing_whole;
EXPLAIN (COSTS OFF) SELECT * FROM contact WHERE lower(last_name) = 'one';
INSERT INTO contact (first_name) VALUES ('Whole') RETURNING id > 0 AS is_made;
SELECT count(*) FROM contact_share s JOIN contact c ON c.id = s.contact_id WHERE c.first_name = 'Whole';
SELECT count(*) > 5 AS all, count(*) FILTER (WHERE contact_id IS NULL) > 0 AS and_unheld FROM identifier;
PREPARE everybody AS SELECT count(*) > 5 AS all FROM contact;
EXECUTE everybody;
EXECUTE everybody;
-- a plan made for who sees all is nobody else's, and ends with it
SET ROLE regress_sharing_viewer;
EXECUTE everybody;
SET ROLE regress_contacts_sharing;
SELECT contacts.share('sharing', 'regress_sharing_whole', false);
SET ROLE regress_sharing_whole;
EXECUTE everybody;
UPDATE contact SET titles = 'Whole' WHERE id = 1;
SET ROLE regress_contacts_sharing;
SELECT contacts.unshare('sharing', 'regress_sharing_whole'), contacts.unshare('sharing', 'regress_sharing_whole') AS again;
SET ROLE regress_sharing_whole;
EXECUTE everybody;
-- or with the membership that it came by
RESET ROLE;
GRANT regress_sharing_whole TO regress_sharing_viewer;
SET ROLE regress_contacts_sharing;
SELECT contacts.share('sharing', 'regress_sharing_whole');
SET ROLE regress_sharing_viewer;
EXECUTE everybody;
RESET ROLE;
REVOKE regress_sharing_whole FROM regress_sharing_viewer;
SET ROLE regress_sharing_viewer;
EXECUTE everybody;

-- taken back
SET ROLE regress_contacts_sharing;
SELECT contacts.unshare('sharing', 1, 'regress_sharing_team'), contacts.unshare('sharing', 2, 'regress_sharing_editor'),
	contacts.unshare('sharing', 'organization', 1, 'regress_sharing_account'), contacts.unshare('sharing', 'policy', 7, 'regress_sharing_account'),
	contacts.unshare('sharing', 'claim', '00000000-0000-0000-0000-000000000009'::uuid, 'regress_sharing_reader'),
	contacts.unshare('sharing', 'contact', 6, 'regress_sharing_reader');
SELECT pg_temp.sees(rolname) FROM pg_roles WHERE rolname ~ '^regress_sharing_(viewer|editor|reader|apart)$' ORDER BY rolname;
RESET ROLE;
SELECT pg_temp.sees(rolname) FROM pg_roles WHERE rolname ~ '^regress_sharing_(viewer|editor|reader|apart)$' ORDER BY rolname;
-- a deleted contact takes its shares along
SET ROLE regress_contacts_sharing;
SELECT contacts.share('sharing', 5, 'regress_sharing_team');
DELETE FROM contact WHERE id = 5;
SELECT count(*) FROM contact_share WHERE contact_id = 5;
SELECT * FROM contacts.check_directory('sharing');

SET client_min_messages = warning;
SELECT contacts.drop_directory('sharing', cascade => true);
RESET ROLE;
DROP TABLE public.regress_sharing_policy, public.regress_sharing_claim;
SELECT format('DROP OWNED BY %s', names) FROM roles \gexec
SELECT format('DROP ROLE %s', names) FROM roles \gexec
DROP OWNED BY regress_contacts_sharing;
DROP ROLE regress_contacts_sharing;
