-- An address is validated by the token of a link; who may
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir validation_link
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (id, first_name, last_name) VALUES (1, 'Ada', 'One'), (2, 'Bob', 'Two');
INSERT INTO identifier (id, contact_id, semantic_type, slug, value) VALUES
	(11, 1, 'email', 'main', 'a@x.org'), (21, 2, 'email', 'main', 'b@x.org'), (22, 2, 'phone', 'main', '+49301234500');

SELECT start_validation(11, 'magic_link') AS token \gset
SELECT :'token' ~ '^[A-Za-z0-9_-]{32}$' AS is_token;
SELECT method, expires_at - created_at AS lifetime, attempts_left, consumed_at FROM validation;
-- each character counts, and each bit of the last one
SELECT count(*) AS "not wrong" FROM generate_series(1, 32) i
	CROSS JOIN LATERAL confirm_validation(overlay(:'token' PLACING CASE substr(:'token', i, 1) WHEN 'A' THEN 'B' ELSE 'A' END FROM i)) c
WHERE (c.contact_id IS NULL, c.outcome, c.sqlstate) IS DISTINCT FROM (true, 'wrong', 'V0001');
SELECT c.* FROM (VALUES (''), ('x'), (NULL), (:'token' || 'A'), (left(:'token', 31)), (' ' || :'token')) t (token)
	CROSS JOIN LATERAL confirm_validation(t.token) c;
SELECT contact_type FROM contact WHERE id = 1;
SELECT * FROM confirm_validation(:'token');
SELECT contact_type FROM contact WHERE id = 1;
SELECT validation_method, validated_at IS NOT NULL AS is_validated FROM identifier WHERE id = 11;
SELECT * FROM confirm_validation(:'token');
-- the token of a link is no code, nor a code the token of one
SELECT start_validation(11, 'magic_link') AS token, start_validation(11, 'otp') AS code \gset
SELECT outcome FROM confirm_validation(11, :'token');
SELECT outcome FROM confirm_validation(:'code');
-- tokens are different, and the last one counts
SELECT start_validation(21, 'magic_link') AS first \gset
SELECT start_validation(21, 'magic_link') AS second \gset
SELECT :'first' <> :'second' AS differs;
SELECT outcome FROM confirm_validation(:'first');
SELECT outcome FROM confirm_validation(:'second');
-- expired, which only who has the token is told
SELECT start_validation(21, 'magic_link') AS token \gset
UPDATE validation SET expires_at = clock_timestamp() WHERE identifier_id = 21;
SELECT * FROM confirm_validation(:'token');
SELECT outcome FROM confirm_validation(:'second');
-- void with the value
SELECT start_validation(21, 'magic_link') AS token \gset
UPDATE identifier SET value = 'c@x.org' WHERE id = 21;
SELECT outcome FROM confirm_validation(:'token');
SELECT id, is_validated FROM identifier ORDER BY id;

-- who may: without a capability nobody, with authenticate without any right on people
RESET ROLE;
CREATE ROLE regress_validation_none;
CREATE ROLE regress_validation_view;
CREATE ROLE regress_validation_edit;
CREATE ROLE regress_validation_login;
SET ROLE regress_contacts_validation_link;
GRANT USAGE ON SCHEMA validation_link TO regress_validation_none;
SELECT contacts.grant_access('validation_link', 'regress_validation_view', 'view'), contacts.grant_access('validation_link', 'regress_validation_edit', 'edit'),
	contacts.grant_access('validation_link', 'regress_validation_login', 'authenticate');
SELECT start_validation(11, 'magic_link') AS token, start_validation(21, 'otp') AS code \gset
RESET ROLE;
CREATE FUNCTION pg_temp.state(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE TABLE pg_temp.statement (name text, statement text);
INSERT INTO pg_temp.statement VALUES
	('start', $$SELECT start_validation(22, 'otp')$$), ('confirm a code', $$SELECT confirm_validation(22, 'x')$$),
	('confirm a token', $$SELECT confirm_validation('x')$$), ('read', 'SELECT * FROM validation'), ('read a digest', 'SELECT digest FROM validation'),
	('write one', $$INSERT INTO validation (identifier_id, method, key, digest, expires_at) VALUES (22, 'magic_link', gen_random_uuid(), '', 'infinity')$$),
	('write what is granted', 'INSERT INTO validation (identifier_id, consumed_at) VALUES (22, now())'), ('use one again', 'UPDATE validation SET consumed_at = NULL'),
	('gain time', $$UPDATE validation SET expires_at = 'infinity'$$), ('gain attempts', 'UPDATE validation SET attempts_left = 99'),
	('delete', 'DELETE FROM validation');
GRANT SELECT ON pg_temp.statement TO PUBLIC;
SET ROLE regress_validation_none;
SELECT s.name, pg_temp.state(s.statement) FROM pg_temp.statement s ORDER BY s.name;
SET ROLE regress_validation_view;
SELECT s.name, pg_temp.state(s.statement) FROM pg_temp.statement s ORDER BY s.name;
SET ROLE regress_validation_edit;
SELECT s.name, pg_temp.state(s.statement) FROM pg_temp.statement s ORDER BY s.name;
SET ROLE regress_validation_login;
SELECT s.name, pg_temp.state(s.statement) FROM pg_temp.statement s ORDER BY s.name;
SELECT pg_temp.state('SELECT id FROM identifier') AS "reads identifiers";
SELECT outcome, contact_id FROM confirm_validation(21, :'code');
SELECT outcome, contact_id FROM confirm_validation(:'token');
SELECT length(start_validation(11, 'otp'));

-- under row security: whoever edits starts what he sees; who logs people in starts and confirms
SET ROLE regress_contacts_validation_link;
SELECT contacts.enable_row_security('validation_link');
SELECT contacts.share('validation_link', 1, 'regress_validation_edit', may_edit => true);
SET ROLE regress_validation_edit;
SELECT pg_temp.state($$SELECT start_validation(11, 'otp')$$) AS shared, pg_temp.state($$SELECT start_validation(21, 'otp')$$) AS hidden,
	pg_temp.state($$SELECT start_validation(99, 'otp')$$) AS missing;
SET ROLE regress_contacts_validation_link;
SELECT start_validation(21, 'otp') AS code \gset
SET ROLE regress_validation_edit;
-- what he does not see he cannot burn
SELECT outcome, contact_id FROM confirm_validation(21, '');
SELECT outcome, contact_id FROM confirm_validation(21, :'code');
SELECT outcome, contact_id FROM confirm_validation(11, '');
SET ROLE regress_contacts_validation_link;
SELECT identifier_id, attempts_left FROM validation WHERE method = 'otp' AND identifier_id IN (11, 21) ORDER BY 1;
SET ROLE regress_validation_login;
SELECT start_validation(21, 'magic_link') AS token \gset
SELECT outcome, contact_id FROM confirm_validation(:'token');
SELECT outcome, contact_id FROM confirm_validation(21, :'code');

-- the owner's triggers run as the owner, and catch nothing of the caller's
SET ROLE regress_contacts_validation_link;
CREATE TABLE trail (what text);
CREATE FUNCTION leave_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trail VALUES (TG_TABLE_NAME || ' ' || lower(TG_OP));
	RETURN NULL;
END
$$;
CREATE TRIGGER zzz_trail AFTER UPDATE ON identifier FOR EACH ROW EXECUTE FUNCTION leave_trail();
SET ROLE regress_validation_login;
CREATE TEMP TABLE trail (what text);
GRANT INSERT ON pg_temp.trail TO PUBLIC;
SELECT outcome FROM confirm_validation(11, start_validation(11, 'otp'));
SELECT count(*) AS caught FROM pg_temp.trail;
SHOW search_path;
DROP TABLE pg_temp.trail;
SET ROLE regress_contacts_validation_link;
SELECT what, count(*) FROM trail GROUP BY 1;

SET ROLE regress_contacts_validation_link;
SELECT * FROM contacts.check_directory('validation_link');
SELECT contacts.drop_directory('validation_link', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_validation_link, regress_validation_none, regress_validation_view, regress_validation_edit, regress_validation_login;
DROP ROLE regress_contacts_validation_link, regress_validation_none, regress_validation_view, regress_validation_edit, regress_validation_login;
