-- C1 and C3: the state belongs to the value; what may follow what
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_state
\set ECHO none
\i :rules
\set ECHO all

-- C1: contact.email_status shows the state of the main email; both change together
INSERT INTO contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org');
UPDATE contact SET email_status = 'opted_in' WHERE id = 1;
SELECT * FROM held;
UPDATE identifier SET status = 'not_opted_in' WHERE contact_id = 1;
SELECT * FROM person;
UPDATE identifier SET status = 'opted_in', status_reason = 'own_wish' WHERE contact_id = 1;
SELECT * FROM person;
SELECT * FROM held;
INSERT INTO contact (id, first_name, email, email_status) VALUES (2, 'Bob', 'b@x.org', 'opted_in'), (3, 'Cyd', 'c@x.org', NULL);
INSERT INTO identifier (contact_id, semantic_type, slug, value, status) VALUES (2, 'email', 'work', 'w@x.org', 'opted_in');
SELECT * FROM person;
SELECT * FROM held;
-- the state of another address of his is not the contact's
SELECT unsubscribe('w@x.org');
SELECT * FROM person WHERE id = 2;
SELECT address_status('w@x.org'), address_status('b@x.org'), address_status('B@X.ORG '), address_status('nobody@x.org'),
	address_status('no address'), address_status(NULL);
-- it belongs to the value, not to the contact: it goes along with the identifier
UPDATE identifier SET contact_id = 1, slug = 'personal' WHERE value = 'w@x.org';
SELECT * FROM held;
SELECT set_main(id) FROM identifier WHERE value = 'w@x.org';
SELECT * FROM person WHERE id = 1;

-- C3, every step by DML on identifier: old state in rows, new state in columns
CREATE TABLE step (was contacts.consent_state, now contacts.consent_state, dml_identifier text, dml_contact text);
CREATE FUNCTION try_steps() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	s step;
	states text[] := '{not_opted_in,opted_in,unsubscribed,suppressed}';
	a text;
	b text;
BEGIN
	FOREACH a IN ARRAY states LOOP FOREACH b IN ARRAY states LOOP
		s := (a, b, NULL, NULL);
		BEGIN
			INSERT INTO contact (id, email, email_status) VALUES (90, 'z@x.org', a);
			UPDATE identifier SET status = b WHERE value = 'z@x.org';
			SELECT status INTO STRICT s.dml_identifier FROM identifier WHERE value = 'z@x.org';
			ASSERT s.dml_identifier = (SELECT email_status::text FROM contact WHERE id = 90);
			RAISE EXCEPTION USING ERRCODE = 'ZZ000'; -- roll back
		EXCEPTION
			WHEN SQLSTATE 'ZZ000' THEN NULL;
			WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS s.dml_identifier = CONSTRAINT_NAME;
				s.dml_identifier := SQLSTATE || ' ' || s.dml_identifier;
		END;
		BEGIN
			INSERT INTO contact (id, email, email_status) VALUES (90, 'z@x.org', a);
			UPDATE contact SET email_status = b WHERE id = 90;
			SELECT status INTO STRICT s.dml_contact FROM identifier WHERE value = 'z@x.org';
			ASSERT s.dml_contact = (SELECT email_status::text FROM contact WHERE id = 90);
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION
			WHEN SQLSTATE 'ZZ000' THEN NULL;
			WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS s.dml_contact = CONSTRAINT_NAME;
				s.dml_contact := SQLSTATE || ' ' || s.dml_contact;
		END;
		INSERT INTO step VALUES (s.*);
	END LOOP; END LOOP;
END
$$;
SELECT try_steps();
TABLE step;
-- and by the functions
TRUNCATE step;
CREATE FUNCTION try_functions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	a text;
	call text;
	result text;
BEGIN
	FOREACH a IN ARRAY '{not_opted_in,opted_in,unsubscribed,suppressed}'::text[] LOOP
		FOREACH call IN ARRAY '{"opt_in(''z@x.org'', ''{}'')",unsubscribe(''z@x.org''),suppress(''z@x.org'')}'::text[] LOOP
			BEGIN
				INSERT INTO contact (id, email, email_status) VALUES (90, 'z@x.org', a);
				EXECUTE 'SELECT ' || call;
				SELECT status INTO STRICT result FROM identifier WHERE value = 'z@x.org';
				ASSERT result = (SELECT email_status::text FROM contact WHERE id = 90);
				RAISE EXCEPTION USING ERRCODE = 'ZZ000';
			EXCEPTION
				WHEN SQLSTATE 'ZZ000' THEN NULL;
				WHEN OTHERS THEN
					GET STACKED DIAGNOSTICS result = CONSTRAINT_NAME;
					result := SQLSTATE || ' ' || result;
			END;
			INSERT INTO step VALUES (a, NULL, call, result);
		END LOOP;
	END LOOP;
END
$$;
SELECT try_functions();
SELECT was, dml_identifier AS call, dml_contact AS now FROM step;
DROP FUNCTION try_steps();
DROP FUNCTION try_functions();
DROP TABLE step;

-- C3: the errors in full
INSERT INTO contact (id, first_name, email) VALUES (10, 'Uma', 'u@x.org'), (11, 'Sue', 's@x.org');
SELECT unsubscribe('u@x.org'), suppress('s@x.org');
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE value = 'u@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'not_opted_in' WHERE id = 10$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('u@x.org', 'opted_in') ON CONFLICT (email) DO UPDATE SET email_status = EXCLUDED.email_status$$);
SELECT * FROM pg_temp.fails($$SELECT opt_in('s@x.org', '{}')$$);
SELECT * FROM pg_temp.fails($$SELECT opt_in('a@x.org', NULL)$$);
SELECT * FROM pg_temp.fails($$SELECT opt_in('nobody@x.org', '{}')$$);
SELECT * FROM pg_temp.fails($$SELECT opt_in('no address', '{}')$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'maybe' WHERE id = 10$$);
SELECT * FROM person WHERE id >= 10;
-- a whole-row save that says nothing new is none
UPDATE contact SET first_name = first_name, email = email, email_status = email_status WHERE id >= 10;
UPDATE contact SET email_status = 'unsubscribed', email = 'U@X.org' WHERE id = 10;
UPDATE contact SET email_status = 'suppressed' WHERE id = 11;
SELECT * FROM person WHERE id >= 10;

-- C3: opt_in is the one step down; no session flag stays behind
BEGIN;
SELECT opt_in('u@x.org', '{"form": "newsletter", "ip": "192.0.2.1"}');
SELECT * FROM person WHERE id = 10;
SELECT unsubscribe('u@x.org');
SELECT * FROM pg_temp.fails($$UPDATE identifier SET status = 'opted_in' WHERE value = 'u@x.org'$$);
ROLLBACK;
SELECT * FROM person WHERE id = 10;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 10$$);
SELECT opt_in('u@x.org', '{"form": "newsletter"}');
UPDATE contact SET email_status = 'unsubscribed' WHERE id = 10;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 10$$);
-- the event of an earlier transaction, or of another address, is not enough
BEGIN;
INSERT INTO consent_event (key, old_state, new_state)
	VALUES (contacts.identifier_key('consent_state', 'email', 'a@x.org'), 'unsubscribed', 'opted_in');
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 10$$);
ROLLBACK;

-- C3: INSERT and COPY into contact that say less than the value's state keep it
-- and go on, with one WARNING per statement that counts such rows
DELETE FROM contact WHERE id IN (10, 11);
INSERT INTO contact (id, email, email_status) VALUES (20, 'u@x.org', 'opted_in'), (21, 's@x.org', 'unsubscribed'), (22, 'n@x.org', 'opted_in');
SELECT * FROM person WHERE id >= 20;
DELETE FROM contact WHERE id IN (20, 21);
-- says nothing: no warning
INSERT INTO contact (id, email) VALUES (20, 'u@x.org'), (21, 's@x.org');
SELECT * FROM person WHERE id >= 20;
DELETE FROM contact WHERE id IN (20, 21);
COPY contact (id, email, email_status) FROM stdin;
20	u@x.org	opted_in
21	s@x.org	suppressed
\.
SELECT * FROM person WHERE id >= 20;
DELETE FROM contact WHERE id IN (20, 21);
-- says more: the stricter one wins
INSERT INTO contact (id, email, email_status) VALUES (20, 'u@x.org', 'suppressed');
SELECT * FROM person WHERE id = 20;
SELECT * FROM held WHERE value = 'u@x.org';
-- ON CONFLICT's INSERT branch likewise warns
INSERT INTO contact (id, email, email_status) VALUES (21, 's@x.org', 'opted_in')
	ON CONFLICT (email) DO UPDATE SET email_status = EXCLUDED.email_status;
SELECT * FROM person WHERE id = 21;

SELECT * FROM contacts.check_directory('consent_state');
SELECT contacts.drop_directory('consent_state', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_state;
DROP ROLE regress_contacts_consent_state;
