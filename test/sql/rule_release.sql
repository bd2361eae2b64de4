-- I7: what becomes of identifiers that lose their contact
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir rule_release
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (first_name, last_name, email, mobile_phone) VALUES
	('Ada', 'One', 'a@x.org', '+49301234500'),
	('Bob', 'Two', 'b@x.org', '+49301234500'),
	('Cyd', 'Three', 'c@x.org', NULL),
	('Dan', 'Four', 'd@x.org', '+49301234501');
INSERT INTO identifier (contact_id, semantic_type, slug, value, is_validated) VALUES
	(1, 'email', 'work', 'w@x.org', true), (1, 'oauth', NULL, 'o1', false), (1, 'anonymous', NULL, 't1', false);
SELECT suppress('a@x.org', 'complaint', 'feedback loop'), unsubscribe('b@x.org'), suppress('+49301234501', 'bounce');
SELECT opt_in('c@x.org', '{}'), opt_in('+49301234500', '{}');
SELECT unsubscribe('w@x.org', 'manual');
SELECT * FROM person;
SELECT * FROM held;

-- I7: deleting a contact releases its identifiers: suppressed and unsubscribed
-- values stay behind, an opt-in does not
DELETE FROM contact;
SELECT * FROM held;
SELECT * FROM contacts.check_directory('rule_release');
SELECT * FROM log;

-- I7: whoever claims the value later inherits the state: INSERT into contact,
INSERT INTO contact (id, first_name, last_name, email, mobile_phone) VALUES (11, 'Eve', 'One', 'A@X.org', '+49301234501');
-- UPDATE of contact,
INSERT INTO contact (id, first_name) VALUES (12, 'Fay');
UPDATE contact SET email = 'b@x.org' WHERE id = 12;
-- INSERT into identifier
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (12, 'email', 'work', 'W@X.org');
INSERT INTO contact (id, first_name, last_name, email) VALUES (13, 'Gus', 'Three', 'c@x.org');
SELECT * FROM person;
SELECT * FROM held;

-- I7: deleting such a row while held, children first, releases it in the same way
BEGIN;
DELETE FROM identifier WHERE contact_id IN (11, 12);
SELECT * FROM held;
DELETE FROM contact WHERE id IN (11, 12);
COMMIT;
SELECT * FROM held;
SELECT value, source FROM identifier WHERE value = 'a@x.org';
-- I7: only deleting it unheld is refused
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE value = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier WHERE value = 'b@x.org'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier$$);
-- releasing by hand does the same
INSERT INTO contact (id, first_name, email) VALUES (14, 'Hal', 'a@x.org');
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (14, 'oauth', 'o2');
UPDATE identifier SET contact_id = NULL WHERE contact_id = 14;
SELECT * FROM person WHERE id = 14;
SELECT * FROM held;
-- or claims, by UPDATE of the row that was left behind
UPDATE identifier SET contact_id = 14 WHERE value = 'a@x.org';
SELECT * FROM person WHERE id = 14;
SELECT * FROM held WHERE contact = 14;

-- COPY into identifier, a claim twice in one statement, and one that another trigger drops
COPY identifier (contact_id, semantic_type, slug, value) FROM stdin;
14	email	work	b@x.org
14	email	other	y@x.org
\.
SELECT * FROM held WHERE contact = 14;
DELETE FROM identifier WHERE value = 'b@x.org';
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (13, 'email', 'b@x.org'), (14, 'email', 'b@x.org')$$);
SELECT * FROM held WHERE value = 'b@x.org';
CREATE FUNCTION pg_temp.drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zzz_drop BEFORE INSERT ON identifier FOR EACH ROW
	WHEN (NEW.source = 'drop me') EXECUTE FUNCTION pg_temp.drop_row();
INSERT INTO identifier (contact_id, semantic_type, slug, value, source) VALUES
	(14, 'email', 'work', 'b@x.org', 'drop me'), (14, 'email', 'billing', 'w@x.org', NULL);
SELECT * FROM held WHERE kind = 'email';
DROP TRIGGER zzz_drop ON identifier;
SELECT * FROM contacts.check_directory('rule_release');
-- ON CONFLICT: the row that was left behind is no conflict, a held one is
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES
	(14, 'email', 'work', 'b@x.org'), (14, 'email', NULL, 'c@x.org') ON CONFLICT (key, holder) DO NOTHING;
SELECT * FROM held WHERE value IN ('b@x.org', 'c@x.org');

-- an INSERT that says less keeps the state, one that says more raises it
INSERT INTO contact (id, first_name) VALUES (15, 'Ira');
DELETE FROM identifier WHERE value = 'b@x.org';
INSERT INTO identifier (contact_id, semantic_type, value, status, status_reason) VALUES (15, 'email', 'b@x.org', 'suppressed', 'complaint');
SELECT * FROM held WHERE contact = 15;
SELECT * FROM person WHERE id = 15;

-- rows that nobody holds can be written where they say what must not be forgotten
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (semantic_type, value) VALUES ('email', 'n@x.org')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (semantic_type, value, status) VALUES ('email', 'n@x.org', 'opted_in')$$);
INSERT INTO identifier (semantic_type, value, status, status_reason, slug) VALUES
	('email', 'n@x.org', 'unsubscribed', 'own_wish', 'work'), ('email', 'm@x.org', 'suppressed', NULL, NULL);
INSERT INTO contact (id, email) VALUES (16, 'n@x.org');
SELECT * FROM held WHERE value IN ('m@x.org', 'n@x.org');

-- many at once
INSERT INTO contact (id, email) SELECT 1000 + n, format('many%s@x.org', n) FROM generate_series(1, 300) n;
SELECT suppress_many((SELECT array_agg(format('Many%s@x.org', n)) FROM generate_series(1, 300, 2) n), 'bounce');
DELETE FROM contact WHERE id > 1000;
SELECT status, count(*), count(contact_id) FROM identifier WHERE value LIKE 'many%' GROUP BY status ORDER BY status;
INSERT INTO contact (id, email) SELECT 2000 + n, format('many%s@x.org', n) FROM generate_series(1, 300) n;
SELECT status, count(*), count(contact_id) FROM identifier WHERE value LIKE 'many%' GROUP BY status ORDER BY status;
SELECT email_status, count(*) FROM contact WHERE id > 2000 GROUP BY email_status ORDER BY email_status;
UPDATE contact SET email = 'new_' || email::text WHERE id > 2000;
SELECT status, count(*), count(contact_id) FROM identifier WHERE value LIKE '%many%' GROUP BY status ORDER BY status;
SELECT email_status, count(*) FROM contact WHERE id > 2000 GROUP BY email_status ORDER BY email_status;

SELECT * FROM contacts.check_directory('rule_release');
SELECT contacts.drop_directory('rule_release', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_rule_release;
DROP ROLE regress_contacts_rule_release;
