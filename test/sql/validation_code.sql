-- An address is validated by a code that was sent there, once
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir validation_code
\set ECHO none
\i :rules
-- A code that is not that one, and what is kept.
CREATE FUNCTION pg_temp.other(code text) RETURNS text LANGUAGE sql RETURN translate(code, '0123456789', '1234567890');
CREATE TEMP VIEW kept AS
	SELECT v.identifier_id AS identifier, v.method, v.key = i.key AS is_key, octet_length(v.digest) AS digest,
		v.expires_at - v.created_at AS lifetime, v.created_at BETWEEN now() - '1 hour'::interval AND clock_timestamp() AS is_new,
		v.attempts_left AS attempts, v.consumed_at IS NOT NULL AS is_consumed
	FROM validation v JOIN identifier i ON i.id = v.identifier_id ORDER BY v.identifier_id, v.method;
\set ECHO all
INSERT INTO contact (id, first_name, last_name) VALUES (1, 'Ada', 'One'), (2, 'Bob', 'Two'), (3, 'Cyd', 'Three');
INSERT INTO identifier (id, contact_id, semantic_type, slug, value) VALUES
	(11, 1, 'email', 'main', 'a@x.org'), (12, 1, 'email', 'work', 'w@x.org'), (13, 1, 'phone', 'main', '+49301234500'),
	(21, 2, 'phone', 'main', '+49301234500'), (31, 3, 'email', 'main', 'c@x.org'), (32, 3, 'oauth', NULL, 'token');
SELECT * FROM person;

-- a code of six digits, each as likely as any other, and all of them new
SELECT start_validation(11, 'otp') AS code \gset
SELECT :'code' ~ '^[0-9]{6}$' AS is_code;
SELECT * FROM kept;
CREATE TEMP TABLE drawn AS SELECT start_validation(12, 'otp') AS code FROM generate_series(1, 1000);
SELECT count(*) FILTER (WHERE code ~ '^[0-9]{6}$') AS codes, count(DISTINCT code) > 980 AS are_different FROM drawn;
SELECT i, count(DISTINCT substr(code, i, 1)) AS digits FROM drawn CROSS JOIN generate_series(1, 6) i GROUP BY i ORDER BY i;

-- confirming says whose the address is, when and how it was validated, and promotes (I6)
SELECT * FROM confirm_validation(11, pg_temp.other(:'code'));
SELECT attempts, is_consumed FROM kept WHERE identifier = 11;
BEGIN;
SELECT * FROM confirm_validation(11, :'code');
SELECT validated_at BETWEEN now() AND clock_timestamp() AS is_now, validation_method, is_validated FROM identifier WHERE id = 11;
COMMIT;
SELECT id, contact_type FROM contact ORDER BY id;
SELECT attempts, is_consumed FROM kept WHERE identifier = 11;
-- once; and whether a code is right is not told then
SELECT * FROM confirm_validation(11, :'code');
SELECT * FROM confirm_validation(11, pg_temp.other(:'code'));
-- there are no others
SELECT * FROM confirm_validation(31, '000000');
SELECT * FROM confirm_validation(99, '000000');
SELECT * FROM confirm_validation(NULL, '000000');
SELECT * FROM confirm_validation(11, NULL);
-- bound to its identifier, though another has the same value
SELECT start_validation(13, 'otp') AS code \gset
SELECT start_validation(21, 'otp') AS other \gset
SELECT * FROM confirm_validation(21, CASE WHEN :'code' = :'other' THEN '' ELSE :'code' END);
SELECT * FROM confirm_validation(21, :'other');
SELECT * FROM confirm_validation(13, :'code');
SELECT id, is_validated, validation_method FROM identifier ORDER BY id;
-- taken back, it is a lead again; so when the identifier goes, or its value changes
SELECT invalidate_identifier(21);
SELECT id, contact_type FROM contact ORDER BY id;
DELETE FROM identifier WHERE id = 13;
SELECT id, contact_type FROM contact ORDER BY id;
UPDATE contact SET email = 'b@x.org' WHERE id = 1;
SELECT id, validated_at, validation_method, is_validated FROM identifier WHERE id = 11;
SELECT id, contact_type FROM contact ORDER BY id;

-- a new code takes the place of the last; another method does not
SELECT start_validation(31, 'otp') AS first, start_validation(31, 'magic_link') AS token \gset
SELECT start_validation(31, 'otp') AS second \gset
SELECT method, attempts, is_consumed FROM kept WHERE identifier = 31;
SELECT outcome FROM confirm_validation(31, CASE WHEN :'first' = :'second' THEN '' ELSE :'first' END);
SELECT outcome FROM confirm_validation(31, :'second');
SELECT outcome FROM confirm_validation(:'token');

-- attempts are few, however many codes are asked for
UPDATE setting SET validation_attempts = 3;
SELECT start_validation(31, 'otp') AS code \gset
SELECT * FROM confirm_validation(31, pg_temp.other(:'code'));
SELECT * FROM confirm_validation(31, '');
SELECT start_validation(31, 'otp') AS code \gset
SELECT attempts FROM kept WHERE identifier = 31 AND method = 'otp';
SELECT * FROM confirm_validation(31, :'code' || '0');
SELECT * FROM confirm_validation(31, pg_temp.other(:'code'));
SELECT * FROM confirm_validation(31, :'code');
SELECT * FROM pg_temp.fails($$SELECT start_validation(31, 'otp')$$);
-- by a link it goes on, and with a code when the last one has expired
SELECT outcome FROM confirm_validation(start_validation(31, 'magic_link'));
UPDATE validation SET expires_at = clock_timestamp() WHERE identifier_id = 31;
SELECT outcome FROM confirm_validation(31, :'code');
SELECT outcome FROM confirm_validation(31, start_validation(31, 'otp'));
-- an attempt counts if the transaction commits
SELECT start_validation(31, 'otp') AS code \gset
BEGIN;
SELECT outcome FROM confirm_validation(31, '');
ROLLBACK;
SELECT attempts FROM kept WHERE identifier = 31 AND method = 'otp';

-- until when
UPDATE setting SET validation_otp_lifetime = '1 microsecond', validation_link_lifetime = '2 days';
SELECT start_validation(31, 'otp') AS code, start_validation(31, 'magic_link') AS token \gset
SELECT * FROM confirm_validation(31, :'code');
SELECT * FROM confirm_validation(31, pg_temp.other(:'code'));
SELECT method, lifetime FROM kept WHERE identifier = 31;
UPDATE setting SET validation_otp_lifetime = DEFAULT;
SELECT * FROM pg_temp.fails($$UPDATE setting SET validation_otp_lifetime = '0'$$) f WHERE f NOT LIKE 'DETAIL%';
SELECT * FROM pg_temp.fails($$UPDATE setting SET validation_link_lifetime = '-1 s'$$) f WHERE f NOT LIKE 'DETAIL%';
SELECT * FROM pg_temp.fails($$UPDATE setting SET validation_attempts = 0$$) f WHERE f NOT LIKE 'DETAIL%';

-- what was started for another value is void, also when the value comes back
SELECT start_validation(31, 'otp') AS code \gset
UPDATE contact SET email = 'd@x.org' WHERE id = 3;
SELECT * FROM kept WHERE identifier = 31;
SELECT outcome FROM confirm_validation(31, :'code');
UPDATE identifier SET value = 'c@x.org' WHERE id = 31;
SELECT outcome FROM confirm_validation(31, :'code');
-- a value written in another way is the same
SELECT start_validation(31, 'otp') AS code \gset
UPDATE contact SET email = 'C@X.ORG', first_name = 'Cydia' WHERE id = 3;
SELECT outcome FROM confirm_validation(31, :'code');
-- it goes with the identifier, and the identifier takes it along to another contact
SELECT start_validation(31, 'otp') AS code \gset
UPDATE identifier SET contact_id = 2, slug = 'work' WHERE id = 31;
SELECT * FROM confirm_validation(31, :'code');
SELECT count(*) FROM validation WHERE identifier_id = 12;
DELETE FROM identifier WHERE id = 12;
SELECT count(*) FROM validation WHERE identifier_id = 12;

-- what cannot be validated in this way
SELECT * FROM pg_temp.fails($$SELECT start_validation(32, 'otp')$$);
SELECT * FROM pg_temp.fails($$SELECT start_validation(31, 'manual')$$);
SELECT * FROM pg_temp.fails($$SELECT start_validation(31, 'carrier pigeon')$$);
SELECT * FROM pg_temp.fails($$SELECT start_validation(99, 'otp')$$);
SELECT start_validation(NULL, 'otp') IS NULL AS is_null;
-- nothing is sent to a suppressed address (C8), nor to one that nobody holds
SELECT start_validation(31, 'otp') AS code, start_validation(21, 'otp') AS phone \gset
SELECT suppress('c@x.org'), suppress('+49301234500');
SELECT * FROM pg_temp.fails($$SELECT start_validation(31, 'magic_link')$$);
SELECT * FROM pg_temp.fails($$SELECT start_validation(21, 'otp')$$);
SELECT unsubscribe('b@x.org');
SELECT length(start_validation(11, 'otp'));
DELETE FROM contact WHERE id = 2;
SELECT id, contact_id FROM identifier WHERE value = 'c@x.org';
SELECT * FROM pg_temp.fails($$SELECT start_validation(31, 'otp')$$);
SELECT outcome FROM confirm_validation(31, :'code');

-- nor to one that is not for outreach, nor to an archived contact, as no message would be
INSERT INTO contact (id, first_name, last_name, email) VALUES (4, 'Dee', 'Four', 'e@x.org'), (5, 'Eve', 'Five', NULL);
INSERT INTO identifier (id, contact_id, semantic_type, slug, value) VALUES (41, 4, 'phone', 'main', '+49301234509'), (51, 5, 'phone', 'main', '+49301234509');
UPDATE identifier SET is_outreach = false WHERE id = 41;
SELECT * FROM pg_temp.fails($$SELECT start_validation(41, 'otp')$$);
SELECT * FROM pg_temp.fails($$SELECT start_validation(41, 'magic_link')$$);
UPDATE identifier SET is_outreach = true WHERE id = 41;
UPDATE contact SET archived_at = now() WHERE id = 4;
SELECT * FROM pg_temp.fails($$SELECT start_validation(41, 'otp')$$);
UPDATE contact SET archived_at = NULL WHERE id = 4;

-- attempts are the value's: changing it and back gives none
CREATE FUNCTION pg_temp.email_id() RETURNS bigint LANGUAGE sql RETURN (SELECT id FROM identifier WHERE value = 'e@x.org');
SELECT start_validation(pg_temp.email_id(), 'otp') AS code \gset
SELECT outcome FROM confirm_validation(pg_temp.email_id(), '');
UPDATE contact SET email = 'f@x.org' WHERE id = 4;
SELECT v.identifier_id, v.attempts_left, octet_length(v.digest) AS digest FROM validation v
WHERE v.key = contacts.identifier_key('validation_code', 'email', 'e@x.org');
SELECT length(start_validation(id, 'otp')) FROM identifier WHERE value = 'f@x.org';
SELECT attempts FROM kept k JOIN identifier i ON i.id = k.identifier WHERE i.value = 'f@x.org';
UPDATE contact SET email = 'e@x.org' WHERE id = 4;
-- nor does deleting it
SELECT start_validation(pg_temp.email_id(), 'otp') AS code \gset
SELECT attempts FROM kept WHERE identifier = pg_temp.email_id();
SELECT outcome FROM confirm_validation(pg_temp.email_id(), '');
SELECT pg_temp.email_id() AS before \gset
UPDATE contact SET email = NULL WHERE id = 4;
UPDATE contact SET email = 'e@x.org' WHERE id = 4;
SELECT pg_temp.email_id() <> :before AS is_another;
SELECT outcome FROM confirm_validation(pg_temp.email_id(), :'code');
SELECT start_validation(pg_temp.email_id(), 'otp') AS code \gset
SELECT attempts FROM kept WHERE identifier = pg_temp.email_id();
SELECT outcome FROM confirm_validation(pg_temp.email_id(), pg_temp.other(:'code'));
-- nor a move to another contact
UPDATE contact SET email = NULL WHERE id = 4;
UPDATE contact SET email = 'e@x.org' WHERE id = 5;
SELECT replace(f, 'identifier ' || pg_temp.email_id(), 'identifier N') FROM pg_temp.fails(format('SELECT start_validation(%s, %L)', pg_temp.email_id(), 'otp')) f;
SELECT length(start_validation(pg_temp.email_id(), 'magic_link'));
-- a shared value has one count, too
SELECT start_validation(41, 'otp') AS code, start_validation(51, 'otp') AS other \gset
SELECT outcome FROM confirm_validation(41, pg_temp.other(:'code'));
SELECT outcome FROM confirm_validation(41, pg_temp.other(:'code'));
SELECT identifier, attempts FROM kept WHERE identifier IN (41, 51) ORDER BY 1;
SELECT outcome FROM confirm_validation(51, pg_temp.other(:'other'));
SELECT outcome FROM confirm_validation(41, :'code');
-- what is not asked for costs nothing
SELECT outcome FROM confirm_validation(12, '');
-- until the last one has expired; what was left behind goes when the next one is made
SELECT count(*) > 0 AS are_left FROM validation WHERE identifier_id IS NULL;
UPDATE validation SET expires_at = clock_timestamp();
SELECT start_validation(41, 'otp') AS code, length(start_validation(pg_temp.email_id(), 'otp')) \gset
SELECT identifier, attempts FROM kept WHERE identifier IN (41, 51) ORDER BY 1;
SELECT attempts FROM kept WHERE identifier = pg_temp.email_id() AND method = 'otp';
SELECT count(*) FROM validation WHERE identifier_id IS NULL;
SELECT outcome FROM confirm_validation(41, :'code');

-- no secret is kept: not in a row, in whatever form
SELECT start_validation(11, 'otp') AS code \gset
SELECT count(*) FROM validation WHERE strpos(encode(digest, 'escape') || digest::text, :'code') > 0
	OR digest IN (sha256(:'code'::bytea), :'code'::bytea);
-- direct writes gain nothing
SELECT * FROM pg_temp.fails($$INSERT INTO validation (identifier_id) VALUES (11)$$) f WHERE f NOT LIKE 'DETAIL%';
SELECT * FROM pg_temp.fails($$INSERT INTO validation (identifier_id, method, key, digest, expires_at) VALUES (11, 'manual', gen_random_uuid(), '', 'infinity')$$) f WHERE f NOT LIKE 'DETAIL%';
UPDATE validation SET digest = '' WHERE identifier_id = 11;
SELECT outcome FROM confirm_validation(11, '');

-- an erasure takes it all along
SELECT start_validation(11, 'magic_link') IS NOT NULL AS started;
SELECT erase_person(1) ->> 'validation' AS erased;
SELECT count(*) FROM validation WHERE key = contacts.identifier_key('validation_code', 'email', 'b@x.org') OR identifier_id = 11;

SELECT * FROM contacts.check_directory('validation_code');
SELECT contacts.drop_directory('validation_code', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_validation_code;
DROP ROLE regress_contacts_validation_code;
