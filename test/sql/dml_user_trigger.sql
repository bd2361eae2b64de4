-- Triggers of users beside the extension's (design section 2: propagation
-- re-reads the current row where a user's own trigger may have changed it)
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir dml_user_trigger
\set ECHO none
\i :rules
\set ECHO all

ALTER TABLE contact ALTER id RESTART WITH 100;
-- BEFORE triggers, before and after ours, that change names: the type follows
CREATE FUNCTION change_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.first_name = 'split me' THEN
		NEW.first_name := 'Split';
		NEW.last_name := 'Me';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER aa_names BEFORE INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION change_names();
INSERT INTO contact (id, first_name, email) VALUES (1, 'split me', 'a@x.org'), (2, 'Bob', 'b@x.org');
UPDATE contact SET first_name = 'split me' WHERE id = 2;
SELECT * FROM person;
DROP TRIGGER aa_names ON contact;
-- one that changes the email or the state before ours
CREATE FUNCTION change_email() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.email := replace(NEW.email::text, '@old.org', '@new.org');
	RETURN NEW;
END
$$;
CREATE TRIGGER aa_email BEFORE INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION change_email();
INSERT INTO contact (id, first_name, email) VALUES (3, 'Cyd', 'c@old.org');
UPDATE contact SET email = 'b@old.org' WHERE id = 2;
UPDATE contact SET first_name = 'Cyd 2', email = 'c@old.org' WHERE id = 3; -- no change in the end
SELECT * FROM held;
DROP TRIGGER aa_email ON contact;
-- one that changes the email although the statement does not name it
CREATE FUNCTION surprise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.titles IS NOT NULL THEN
		NEW.email := NEW.titles || '@x.org';
		NEW.titles := NULL;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER aa_surprise BEFORE UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION surprise();
UPDATE contact SET titles = 's' || id;
SELECT * FROM person;
SELECT * FROM held;
SELECT * FROM contacts.check_directory('dml_user_trigger');
DROP TRIGGER aa_surprise ON contact;
-- one that suppresses rows: INSERT and UPDATE that do not come about
CREATE FUNCTION refuse_quietly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zzz_refuse BEFORE INSERT OR UPDATE OR DELETE ON contact FOR EACH ROW EXECUTE FUNCTION refuse_quietly();
INSERT INTO contact (id, first_name, email) VALUES (4, 'Dan', 'd@x.org');
UPDATE contact SET email = 'z@x.org' WHERE id = 1;
DELETE FROM contact;
DROP TRIGGER zzz_refuse ON contact;
SELECT * FROM person;
SELECT count(*) FROM identifier;

-- AFTER ROW: changes the email again
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE contact SET email = 'again_' || email::text WHERE id = NEW.id AND email::text NOT LIKE 'again%';
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_again AFTER INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION again();
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (5, 'Eve', 'e@x.org', '+49301234500'), (6, 'Fay', 'f@x.org', NULL);
UPDATE contact SET email = 'b2@x.org' WHERE id = 2;
UPDATE contact SET email = id || '@x.org' WHERE id IN (1, 3);
SELECT * FROM person;
SELECT * FROM held;
SELECT * FROM contacts.check_directory('dml_user_trigger');
-- the same, firing after ours
ALTER TRIGGER aa_again ON contact RENAME TO zzz_again;
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (7, 'Gus', 'g@x.org', '+49301234500'), (8, 'Hal', 'h@x.org', NULL);
UPDATE contact SET email = 'b3@x.org' WHERE id = 2;
UPDATE contact SET email = 'x' || id || '@x.org' WHERE id IN (1, 3);
SELECT * FROM held;
SELECT * FROM contacts.check_directory('dml_user_trigger');
DROP TRIGGER zzz_again ON contact;
-- AFTER STATEMENT, before and after ours in the order of names
CREATE FUNCTION again_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM contact WHERE email::text LIKE 'y%') THEN -- else it fires itself for ever
		UPDATE contact SET email = 'all_' || email::text WHERE email::text LIKE 'y%';
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_again_all AFTER INSERT OR UPDATE ON contact FOR EACH STATEMENT EXECUTE FUNCTION again_all();
INSERT INTO contact (id, first_name, email) VALUES (9, 'Ida', 'y1@x.org'), (10, 'Jon', 'y2@x.org');
UPDATE contact SET email = 'y3@x.org' WHERE id = 1;
SELECT * FROM held WHERE contact IN (1, 9, 10);
ALTER TRIGGER aa_again_all ON contact RENAME TO zzz_again_all;
INSERT INTO contact (id, first_name, email) VALUES (11, 'Kim', 'y4@x.org'), (12, 'Lea', 'y5@x.org');
UPDATE contact SET email = 'y6@x.org' WHERE id = 1;
SELECT * FROM held WHERE contact IN (1, 11, 12);
SELECT * FROM contacts.check_directory('dml_user_trigger');
DROP TRIGGER zzz_again_all ON contact;
-- one that deletes the contact it was fired for, or its identifiers
CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM contact WHERE id = NEW.id AND first_name = 'gone';
	DELETE FROM identifier WHERE contact_id = NEW.id AND value LIKE 'q%';
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_undo AFTER INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION undo();
INSERT INTO contact (id, first_name, email) VALUES (13, 'gone', 'n@x.org'), (14, 'Moe', 'o@x.org'), (15, 'Ned', 'q@x.org');
UPDATE contact SET first_name = 'gone', email = 'p@x.org' WHERE id = 14;
SELECT * FROM person WHERE id > 12;
SELECT * FROM held WHERE contact > 12 OR contact IS NULL;
SELECT * FROM contacts.check_directory('dml_user_trigger');
ALTER TRIGGER aa_undo ON contact RENAME TO zzz_undo;
INSERT INTO contact (id, first_name, email) VALUES (16, 'gone', 'n@x.org'), (17, 'Ola', 'o@x.org'), (18, 'Pia', 'q2@x.org');
UPDATE contact SET first_name = 'gone', email = 'p@x.org' WHERE id = 17;
SELECT * FROM person WHERE id > 15;
SELECT * FROM contacts.check_directory('dml_user_trigger');
DROP TRIGGER zzz_undo ON contact;

-- on identifier: BEFORE, and AFTER that changes the value again
CREATE FUNCTION change_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.value := replace(NEW.value, '@old.org', '@new.org');
	RETURN NEW;
END
$$;
CREATE TRIGGER aa_value BEFORE INSERT OR UPDATE ON identifier FOR EACH ROW EXECUTE FUNCTION change_value();
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'work', 'W@old.org');
UPDATE identifier SET value = 'i@old.org' WHERE contact_id = 9;
SELECT * FROM held WHERE value LIKE '%new.org';
SELECT * FROM person WHERE id IN (1, 9);
UPDATE contact SET email = 'j@old.org' WHERE id = 10;
SELECT * FROM person WHERE id = 10;
SELECT * FROM held WHERE contact = 10;
SELECT * FROM contacts.check_directory('dml_user_trigger');
INSERT INTO contact (id, first_name, email) VALUES (21, 'Ted', 'k@old.org'), (22, 'Udo', 'l@new.org');
SELECT * FROM person WHERE id IN (21, 22);
SELECT * FROM held WHERE contact IN (21, 22);
SELECT * FROM contacts.check_directory('dml_user_trigger');
-- onto a value that another contact has
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('l@old.org')$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email = 'l@old.org' WHERE id = 21$$);
DROP TRIGGER aa_value ON identifier;
-- one that drops the rows that we need
CREATE TRIGGER zzz_refuse BEFORE INSERT ON identifier FOR EACH ROW EXECUTE FUNCTION refuse_quietly();
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('v@x.org')$$);
DROP TRIGGER zzz_refuse ON identifier;
CREATE FUNCTION value_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE identifier SET value = 'twice_' || value WHERE id = NEW.id AND value LIKE 'r%';
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_value_again AFTER INSERT OR UPDATE ON identifier FOR EACH ROW EXECUTE FUNCTION value_again();
UPDATE identifier SET value = 'r1@x.org' WHERE contact_id = 11 AND slug = 'main';
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (18, 'email', 'r2@x.org');
INSERT INTO contact (id, first_name, email) VALUES (19, 'Rod', 'r3@x.org');
UPDATE contact SET email = 'r4@x.org' WHERE id = 12;
SELECT * FROM person WHERE id IN (11, 12, 18, 19);
SELECT * FROM held WHERE contact IN (11, 12, 18, 19);
SELECT * FROM contacts.check_directory('dml_user_trigger');
ALTER TRIGGER aa_value_again ON identifier RENAME TO zzz_value_again;
UPDATE identifier SET value = 'r5@x.org' WHERE contact_id = 11 AND slug = 'main';
INSERT INTO contact (id, first_name, email) VALUES (20, 'Sue', 'r6@x.org');
UPDATE contact SET email = 'r7@x.org' WHERE id = 12;
SELECT * FROM held WHERE contact IN (11, 12, 20);
SELECT * FROM person WHERE id IN (11, 12, 20);
SELECT * FROM contacts.check_directory('dml_user_trigger');
DROP TRIGGER zzz_value_again ON identifier;
-- one that takes every main slug away
CREATE FUNCTION unlabel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.slug := NULL;
	RETURN NEW;
END
$$;
CREATE TRIGGER zzz_unlabel BEFORE INSERT ON identifier FOR EACH ROW EXECUTE FUNCTION unlabel();
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (18, 'email', 'main', 't@x.org');
SELECT * FROM held WHERE contact = 18;
DROP TRIGGER zzz_unlabel ON identifier;

-- one that tries what fails, and catches the error: what that collected is gone
CREATE FUNCTION careful() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		UPDATE contact SET email = 'taken@x.org' WHERE id = NEW.id AND email::text LIKE 's%';
	EXCEPTION WHEN unique_violation THEN
		UPDATE contact SET titles = 'tried' WHERE id = NEW.id;
	END;
	RETURN NULL;
END
$$;
INSERT INTO contact (id, first_name) VALUES (23, 'Vic');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (23, 'email', 'work', 'taken@x.org');
CREATE TRIGGER aa_careful AFTER INSERT OR UPDATE OF email ON contact FOR EACH ROW EXECUTE FUNCTION careful();
INSERT INTO contact (id, first_name, email) VALUES (24, 'Wim', 's1@x.org'), (25, 'Xia', 's2@x.org');
UPDATE contact SET email = replace(email::text, 's', 's3') WHERE id IN (24, 25);
SELECT id, email, titles FROM contact WHERE id IN (24, 25) ORDER BY id;
SELECT * FROM held WHERE contact IN (23, 24, 25);
ALTER TRIGGER aa_careful ON contact RENAME TO zzz_careful;
UPDATE contact SET email = replace(email::text, 's3', 's4'), titles = NULL WHERE id IN (24, 25);
SELECT id, email, titles FROM contact WHERE id IN (24, 25) ORDER BY id;
SELECT * FROM held WHERE contact IN (23, 24, 25);
DROP TRIGGER zzz_careful ON contact;
SELECT * FROM contacts.check_directory('dml_user_trigger');

-- an audit table filled by triggers of its own; messages would show too often
CREATE TABLE audit (n bigint GENERATED ALWAYS AS IDENTITY, tab name, op text, row_id bigint, email text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO audit (tab, op, row_id, email) VALUES (TG_TABLE_NAME, TG_OP, coalesce(NEW.id, OLD.id),
		coalesce(to_jsonb(NEW), to_jsonb(OLD)) ->> CASE TG_TABLE_NAME WHEN 'contact' THEN 'email' ELSE 'value' END);
	RETURN NULL;
END
$$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON contact FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON identifier FOR EACH ROW EXECUTE FUNCTION audit();
INSERT INTO contact (id, first_name, last_name, email) VALUES (30, 'Tom', 'Ten', 'u@x.org');
UPDATE contact SET email = 'v@x.org' WHERE id = 30;
UPDATE identifier SET value = 'w@x.org' WHERE contact_id = 30;
UPDATE contact SET first_name = 'Tim' WHERE id = 30;
DELETE FROM contact WHERE id = 30;
SELECT tab, op, email FROM audit ORDER BY n;

-- a user's statement trigger with transition tables, and a deferred constraint trigger
CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	SELECT count(*) INTO n FROM new_rows;
	RAISE NOTICE '% % rows', TG_OP, n;
	RETURN NULL;
END
$$;
CREATE TRIGGER aa_count AFTER INSERT ON contact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER zzz_count AFTER INSERT ON contact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON contact DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION again();
INSERT INTO contact (id, first_name, email) VALUES (31, 'Una', 'k@x.org'), (32, 'Vic', 'l@x.org');
SELECT * FROM held WHERE contact IN (31, 32);

SELECT * FROM contacts.check_directory('dml_user_trigger');
SELECT contacts.drop_directory('dml_user_trigger', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_dml_user_trigger;
DROP ROLE regress_contacts_dml_user_trigger;
