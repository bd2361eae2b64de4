-- Every derived column is computed again, and what had drifted is told
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir recompute
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO organization (id, name) VALUES (1, 'Org');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, organization_id)
	SELECT n, 'First', 'Last', 'p' || n || '@x.org', '+4930123450' || n % 10, 1 FROM generate_series(1, 20) n;
SELECT relate('parent', 1, 2) IS NOT NULL, queue_email(1, 'Hello', 'hello') IS NOT NULL, record_delivery('p1@x.org');
UPDATE setting SET is_texting_enabled = true;
SELECT queue_sms(1, 'Hello') IS NOT NULL;

-- every column that says it is derived is computed again, or only tells of time or of a statement
SELECT a.attrelid::regclass AS relation, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'recompute'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
	AND col_description(c.oid, a.attnum) LIKE 'derived%'
	AND NOT EXISTS (SELECT FROM contacts.derived_columns() d WHERE d.relation = c.relname AND d.column_name = a.attname)
ORDER BY 1, 2;
SELECT d.relation, d.column_name AS "not there" FROM contacts.derived_columns() d
WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('recompute.' || d.relation)::regclass AND a.attname = d.column_name)
ORDER BY 1, 2;

-- nothing has drifted
SELECT * FROM contacts.recompute('recompute');

-- past the triggers everything can
RESET ROLE;
SET session_replication_role = replica;
SET search_path = recompute;
UPDATE contact SET is_reachable = false WHERE id = 1;
UPDATE contact SET is_validated = true WHERE id IN (2, 3);
UPDATE contact SET contact_type = 'vendor' WHERE id IN (4, 5, 6);
UPDATE contact SET organization_name = 'Old' WHERE id BETWEEN 7 AND 10;
UPDATE contact SET email_status = 'unsubscribed' WHERE id = 11;
UPDATE contact SET email = NULL WHERE id = 12;
UPDATE contact SET mobile_phone = NULL WHERE id IN (13, 14);
UPDATE identifier SET key = gen_random_uuid() WHERE semantic_type = 'email' AND contact_id IN (15, 16);
UPDATE identifier SET holder = 999 WHERE semantic_type = 'phone' AND contact_id = 17;
-- a state that is lost is not made up
UPDATE identifier SET holder = contact_id, status = NULL WHERE semantic_type = 'email' AND contact_id = 18;
UPDATE relationship SET note = 'other' WHERE id < 0;
UPDATE relationship SET is_single = NOT is_single WHERE id > 0;
UPDATE email_message SET key = gen_random_uuid();
UPDATE sms_message SET key = NULL;
RESET session_replication_role;
SET ROLE regress_contacts_recompute;
SET search_path = recompute;
SELECT * FROM contacts.recompute('recompute') WHERE drifted > 0 OR remaining > 0;
SELECT * FROM contacts.recompute('recompute') WHERE drifted > 0 OR remaining > 0;
SELECT c.rule, c.object, c.message FROM contacts.check_directory('recompute') c ORDER BY 1, 2, c.row_id;
SELECT id, email, email_status, mobile_phone, is_reachable, is_validated, contact_type, organization_name FROM contact
WHERE id IN (1, 2, 4, 7, 11, 12, 13) ORDER BY id;

-- what cannot be an address does not keep the rest from being mended
RESET ROLE;
SET session_replication_role = replica;
SET search_path = recompute;
UPDATE email_message SET address = 'foo', state = 'queued';
UPDATE contact SET is_reachable = false WHERE id = 1;
UPDATE relationship SET is_moving = true WHERE id > 0;
RESET session_replication_role;
SET ROLE regress_contacts_recompute;
SET search_path = recompute;
SELECT * FROM contacts.recompute('recompute') WHERE drifted > 0 OR remaining > 0;
SELECT address, key, state, error FROM email_message;
SELECT * FROM contacts.recompute('recompute') WHERE drifted > 0 OR remaining > 0;

-- for the owner
RESET ROLE;
CREATE ROLE regress_recompute_edit;
SET ROLE regress_contacts_recompute;
SELECT contacts.grant_access('recompute', 'regress_recompute_edit', 'edit');
SET ROLE regress_recompute_edit;
\set VERBOSITY sqlstate
SELECT * FROM contacts.recompute('recompute');
SET ROLE regress_contacts_recompute;
SELECT contacts.drop_directory('recompute', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_recompute, regress_recompute_edit;
DROP ROLE regress_contacts_recompute, regress_recompute_edit;
