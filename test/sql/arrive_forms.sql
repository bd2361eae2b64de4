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
-- a lead gets one, and keeps its name; who has one, or a validated address, does not
SELECT register('Eve', 'Other', 'a@x.org', :'verifier');
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Eve', 'Other', 'a@x.org', :'verifier'));
SELECT pg_temp.fails($$SELECT register('Eve', 'Other', 'e@x.org', 'correct horse')$$);
SELECT pg_temp.fails($$SELECT register('Eve', 'Other', 'e@x.org', NULL)$$);
SELECT verifier = :'verifier' AS is_it FROM credential WHERE contact_id = find_contact('email', 'a@x.org');
RESET ROLE;
SET ROLE regress_contacts_arrive_forms;
SELECT find_contact('email', 'e@x.org') IS NULL AS is_nobody;
SELECT first_name FROM contact WHERE email = 'a@x.org';
UPDATE identifier SET is_validated = true WHERE value = 's@x.org';
RESET ROLE;
SET ROLE regress_arrive_authenticate;
SELECT pg_temp.fails(format('SELECT register(%L, %L, %L, %L)', 'Eve', 'Other', 's@x.org', :'verifier'));
RESET ROLE;

SET ROLE regress_contacts_arrive_forms;
SELECT * FROM contacts.check_directory(:'dir', true);
\set ECHO none
SET client_min_messages = warning;
SELECT contacts.drop_directory(:'dir', cascade => true) \g /dev/null
RESET ROLE;
DROP OWNED BY regress_arrive_capture, regress_arrive_authenticate, regress_arrive_view;
DROP ROLE regress_arrive_capture, regress_arrive_authenticate, regress_arrive_view;
SELECT format('DROP OWNED BY regress_contacts_%1$s; DROP ROLE regress_contacts_%1$s', :'dir') \gexec
