-- credential: verifiers in their standard forms; a clear password is refused
-- and not repeated; export and erasure
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir credential_verifier
\set ECHO none
\i :rules
\set ECHO all
INSERT INTO contact (first_name, email) SELECT 'A', n || '@x.org' FROM generate_series(1, 8) n;
INSERT INTO credential (contact_id, verifier) VALUES
	(1, 'SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$' || repeat('A', 43) || '=:' || repeat('B', 43) || '='),
	(2, '$2b$12$' || repeat('a', 53)),
	(3, '$2a$10$' || repeat('a', 53)),
	(4, '$2y$04$' || repeat('a', 53)),
	(5, '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27j8K4s3v1yg'),
	(6, '$argon2i$m=4096,t=3,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b27j8K4s3v1yg');
SELECT count(*) FROM credential;
-- nothing of it comes back: not in the message, not in the context
CREATE FUNCTION pg_temp.refused(verifier text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text[] := '{}';
	part text;
BEGIN
	INSERT INTO credential (contact_id, verifier) VALUES (7, verifier);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS part = MESSAGE_TEXT; said := said || part;
	GET STACKED DIAGNOSTICS part = PG_EXCEPTION_DETAIL; said := said || part;
	GET STACKED DIAGNOSTICS part = PG_EXCEPTION_HINT; said := said || part;
	GET STACKED DIAGNOSTICS part = PG_EXCEPTION_CONTEXT; said := said || part;
	RETURN SQLSTATE || CASE WHEN verifier <> '' AND position(verifier IN array_to_string(said, ' ')) > 0 THEN ' repeats it' ELSE '' END;
END
$$;
SELECT v, pg_temp.refused(v) FROM (VALUES ('hunter2'), (''), ('md5' || repeat('0', 32)), ('$1$salt$' || repeat('a', 22)),
	('$2b$12$' || repeat('a', 52)), ('$2b$12$' || repeat('a', 54)), ('$2b$32$' || repeat('a', 53)), ('$2b$03$' || repeat('a', 53)), ('$2x$12$' || repeat('a', 53)),
	('SCRAM-SHA-256$4096:c2FsdA==$short:short'), ('SCRAM-SHA-256$0:c2FsdA==$' || repeat('A', 43) || '=:' || repeat('B', 43) || '='),
	('$argon2id$v=19$m=65536,t=3$c29tZXNhbHQ$RdescudvJCsgt3ub+b27j8K4s3v1yg'), ('$argon2id$v=19$m=65536,t=3,p=4$c2$Rdescudv'),
	('$argon2x$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27j8K4s3v1yg')) x (v) ORDER BY x.v COLLATE "C";
SELECT pg_temp.fails($$INSERT INTO credential (contact_id, verifier) VALUES (7, 'hunter2')$$);
SELECT pg_temp.fails($$UPDATE credential SET verifier = 'hunter2' WHERE contact_id = 1$$);
-- nor the line of a COPY, nor a verifier without a contact
COPY credential (contact_id, verifier) FROM stdin;
7	hunter2
\.
SELECT pg_temp.fails($_$INSERT INTO credential (contact_id, verifier) VALUES (NULL, '$2b$12$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')$_$);
SELECT pg_temp.fails($$INSERT INTO credential (contact_id, verifier) VALUES (7, NULL)$$) LIKE '23502%' AS is_missing LIMIT 1;
-- a new one
UPDATE credential SET updated_at = '2000-01-01', verifier = '$2b$12$' || repeat('b', 53) WHERE contact_id = 2;
SELECT updated_at > '2001-01-01' AS is_set FROM credential WHERE contact_id = 2;
-- an export has no verifier, an erasure leaves none
SELECT jsonb_object_keys(export_person(2) -> 'credential' -> 0) AS key ORDER BY 1;
SELECT erase_person(2) -> 'credential' AS erased;
SELECT count(*) FROM credential WHERE contact_id = 2;
DELETE FROM contact WHERE id = 3;
SELECT contact_id FROM credential ORDER BY 1;
SELECT * FROM contacts.check_directory(:'dir', true);
\set ECHO none
SET client_min_messages = warning;
SELECT contacts.drop_directory(:'dir', cascade => true) \g /dev/null
RESET ROLE;
SELECT format('DROP OWNED BY regress_contacts_%1$s; DROP ROLE regress_contacts_%1$s', :'dir') \gexec
