-- contacts.email and contacts.phone: binary form, as drivers and COPY use it
CREATE ROLE regress_email;
CREATE SCHEMA email_test AUTHORIZATION regress_email;
SET ROLE regress_email;
SET search_path = email_test;

-- Text has the same binary form, so that a file of texts tests the input.
CREATE TABLE source (id int, email text, phone text);
CREATE TABLE target (id int, email contacts.email, phone contacts.phone);
INSERT INTO source VALUES (1, 'Ann@Example.org', '+49 (30) 123456'), (2, U&'J\00DCRGEN@B\00FCCHER.example', NULL), (3, NULL, '+1 650 253 0000');

\copy source TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
\copy target FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
SELECT * FROM target ORDER BY id;

-- Out and in again.
\copy target TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
CREATE TABLE again (LIKE target);
\copy again FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
SELECT count(*) FROM target t JOIN again a ON (a.id, a.email::text, a.phone::text) IS NOT DISTINCT FROM (t.id, t.email::text, t.phone::text);

-- Binary input refuses what text input refuses.
TRUNCATE source, target;
INSERT INTO source VALUES (1, 'no address', NULL);
\copy source TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
\copy target FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
UPDATE source SET email = '';
\copy source TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
\copy target FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
UPDATE source SET email = NULL, phone = '030 123456';
\copy source TO PROGRAM 'cat > "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
\copy target FROM PROGRAM 'cat "$PG_ABS_BUILDDIR/results/email_binary.data"' (FORMAT binary)
SELECT count(*) FROM target;

\! rm -f "$PG_ABS_BUILDDIR/results/email_binary.data"
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA email_test CASCADE;
DROP ROLE regress_email;
