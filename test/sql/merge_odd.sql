-- Merging and undoing among tables of all sorts, forged journals, and changes that
-- make an undo impossible.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir merge_odd
\set ECHO none
\i :rules
\set ECHO all
RESET ROLE;
CREATE ROLE regress_contacts_merge_forger;
CREATE TABLE public.treasure (id integer PRIMARY KEY, who text);
SET ROLE regress_contacts_merge_odd;
SELECT contacts.grant_access('merge_odd', 'regress_contacts_merge_forger', 'merge') \g /dev/null
CREATE FUNCTION pg_temp.merge(survivor bigint, loser bigint, choices jsonb DEFAULT NULL) RETURNS bigint LANGUAGE sql
	RETURN (contacts.merge_contacts('merge_odd', survivor, ARRAY[loser], choices => choices) ->> 'merge_id')::bigint;
CREATE FUNCTION pg_temp.undo() RETURNS TABLE (relation text, row_key jsonb, what text) LANGUAGE sql
	AS $$ SELECT * FROM contacts.unmerge('merge_odd', (SELECT max(id) FROM merge_odd.merge_history)) ORDER BY 1, 2 $$;
INSERT INTO contact (id, first_name, last_name, email) VALUES (1, 'Ann', 'Lee', 'a@x.org'), (2, 'Ann', 'Lee', 'b@x.org'), (3, 'Cid', 'Roe', 'c@x.org');

-- a journal is written as whoever merges, cannot be rewritten, and is undone only
-- by who could do no more
SELECT pg_temp.merge(1, 2);
SET ROLE regress_contacts_merge_forger;
INSERT INTO merge_journal (merge_id, contact_id, relation, action, before)
	VALUES (1, 1, 'public.treasure'::regclass, 'removed', '{"id": 1, "who": "forged"}');
SELECT pg_temp.fails($$INSERT INTO merge_journal (merge_id, contact_id, relation, action, role) VALUES (1, 1, 'public.treasure'::regclass, 'removed', 'postgres')$$);
SELECT pg_temp.fails($$UPDATE merge_journal SET before = '{}'$$);
SELECT pg_temp.fails($$INSERT INTO merge_history (survivor_id, loser_ids, merged_by) VALUES (1, '{2}', 'postgres')$$);
SET ROLE regress_contacts_merge_odd;
SELECT pg_temp.fails('SELECT * FROM pg_temp.undo()');
SELECT pg_temp.fails($$UPDATE merge_journal SET before = '{}'$$);
-- nor by the owner
INSERT INTO merge_journal (merge_id, contact_id, relation, action, before, role)
	VALUES (1, 1, 'public.treasure'::regclass, 'removed', '{"id": 2, "who": "owner"}', 'postgres');
SELECT DISTINCT role FROM merge_journal ORDER BY 1;
RESET ROLE;
SELECT * FROM pg_temp.fails($$SELECT contacts.unmerge('merge_odd', 1)$$) f WHERE f LIKE '42501%';
TABLE public.treasure;
SET ROLE regress_contacts_merge_odd;
DELETE FROM merge_journal WHERE relation::oid = 'public.treasure'::regclass;
SELECT * FROM pg_temp.undo();

-- a trigger on one partition that keeps its rows: nothing is lost by the cascade
CREATE TABLE lot (id integer, contact_id bigint REFERENCES contact ON DELETE CASCADE, note text) PARTITION BY RANGE (id);
CREATE TABLE lot_1 PARTITION OF lot FOR VALUES FROM (0) TO (10);
CREATE TABLE lot_2 PARTITION OF lot FOR VALUES FROM (10) TO (20);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON lot_1 FOR EACH ROW EXECUTE FUNCTION keep();
INSERT INTO lot VALUES (1, 2, 'one'), (11, 2, 'two');
SELECT pg_temp.fails('SELECT pg_temp.merge(1, 2)');
SELECT * FROM lot ORDER BY id;
DROP TABLE lot;

-- columns and tables of any name and type, rows that refer to each other
ALTER TABLE contact ADD c text, ADD t text DEFAULT 'x', ADD i integer;
CREATE EXTENSION hstore SCHEMA merge_odd;
CREATE TYPE pair AS (x integer, y text);
CREATE TABLE "the ONLY table" ("a, b" integer PRIMARY KEY, t text, "max.v" text, contact_id bigint REFERENCES contact, kind text,
	h hstore, p pair, r integer[], f double precision, d interval, UNIQUE (contact_id, kind));
INSERT INTO "the ONLY table" VALUES
	(1, NULL, NULL, 1, 'k', NULL, NULL, NULL, NULL, NULL),
	(2, 'tt', 'vv', 2, 'k', 'a=>1', '(1,"a b")', '[0:1]={1,2}', pi(), '-1 day -1:00'),
	(3, 'tt', 'vv', 2, 'l', 'a=>1', '(1,"a b")', '[0:1]={1,2}', pi(), '-1 day -1:00');
CREATE TABLE chain (id integer PRIMARY KEY, contact_id bigint UNIQUE REFERENCES contact, next integer REFERENCES chain, v text);
INSERT INTO chain VALUES (2, 2, 2, 'precious'), (1, 1, 2, NULL);
CREATE TABLE a_line (id integer, contact_id bigint REFERENCES contact, n integer);
CREATE TABLE b_order (contact_id bigint REFERENCES contact, n integer, PRIMARY KEY (contact_id, n));
ALTER TABLE a_line ADD FOREIGN KEY (contact_id, n) REFERENCES b_order ON UPDATE CASCADE;
INSERT INTO b_order VALUES (2, 1);
INSERT INTO a_line VALUES (1, 2, 1);
CREATE TEMP VIEW everything AS
	SELECT 'table' AS tab, o::text AS row FROM "the ONLY table" o UNION ALL SELECT 'chain', c::text FROM chain c
	UNION ALL SELECT 'line', l::text FROM a_line l UNION ALL SELECT 'order', b::text FROM b_order b
	UNION ALL SELECT 'contact', concat_ws('|', id, first_name, email, c.c, c.t) FROM contact c;
CREATE TEMP TABLE before AS TABLE everything;
SET extra_float_digits = 0;
SET intervalstyle = sql_standard;
SELECT pg_temp.merge(1, 2) > 0 AS merged;
RESET extra_float_digits;
RESET intervalstyle;
SELECT "a, b", t, "max.v", contact_id, kind, h, p, r, f = pi() AS is_pi, d FROM "the ONLY table" ORDER BY 1;
TABLE chain;
TABLE a_line;
TABLE b_order;
SET extra_float_digits = 0;
SELECT * FROM pg_temp.undo();
RESET extra_float_digits;
SELECT * FROM (TABLE everything EXCEPT ALL TABLE before) d ORDER BY 1, 2;
SELECT * FROM (TABLE before EXCEPT ALL TABLE everything) d ORDER BY 1, 2;
DROP VIEW everything;
DROP TABLE a_line, b_order;

-- a row that does not take values over is not deleted for it
CREATE FUNCTION keep_first() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.id = 1 THEN RETURN NULL; END IF; RETURN NEW; END';
CREATE TRIGGER keep_first BEFORE UPDATE ON chain FOR EACH ROW EXECUTE FUNCTION keep_first();
UPDATE chain SET next = NULL WHERE id = 2;
SELECT pg_temp.fails('SELECT pg_temp.merge(1, 2)');
DROP TABLE chain;

-- consent: a wish of the survivor is one, too, and an address is not lost to a choice
BEGIN;
SELECT unsubscribe('a@x.org'), opt_in('b@x.org', '{"form": 1}') \g /dev/null
SELECT pg_temp.merge(1, 2, '{"email": 2}') > 0 AS merged;
SELECT email, email_status FROM contact WHERE id = 1;
ROLLBACK;
BEGIN;
SELECT suppress('a@x.org', 'complaint'), opt_in('b@x.org', '{"form": 1}') \g /dev/null
SELECT pg_temp.merge(1, 2, '{"email": 2}') > 0 AS merged;
SELECT email, email_status FROM contact WHERE id = 1;
ROLLBACK;
BEGIN;
SELECT unsubscribe('a@x.org'), opt_in('b@x.org', '{"form": 1}') \g /dev/null
UPDATE contact SET email = NULL WHERE id = 1;
SELECT pg_temp.merge(1, 2) > 0 AS merged;
SELECT email, email_status FROM contact WHERE id = 1;
ROLLBACK;
INSERT INTO contact (id, first_name, last_name, mobile_phone) VALUES (5, 'Ann', 'Lee', '+49301234505');
SELECT pg_temp.fails($$SELECT pg_temp.merge(1, 5, '{"email": 5}')$$);

-- what is left of an undo is of whom it was of, through later merges
CREATE TABLE thing (id integer PRIMARY KEY, contact_id bigint REFERENCES contact, v text);
INSERT INTO thing VALUES (2, 2, 'of two'), (3, 3, 'of three');
SELECT contacts.merge_contacts('merge_odd', 1, '{2,3}') ->> 'survivor_id' AS survivor;
UPDATE thing SET v = v || ', changed';
SELECT * FROM pg_temp.undo();
SELECT contact_id, before ->> 'v' AS v FROM merge_journal ORDER BY id;
SELECT pg_temp.merge(3, 2) > 0 AS merged;
SELECT contact_id, before ->> 'v' AS v FROM merge_journal WHERE merge_id < (SELECT max(id) FROM merge_history) ORDER BY id;
SELECT * FROM pg_temp.undo();
SELECT contact_id, before ->> 'v' AS v FROM merge_journal ORDER BY id;
DELETE FROM merge_journal;
DROP TABLE thing;

-- what cannot be undone is left, and told; the rest is undone
CREATE TABLE account (id integer PRIMARY KEY, contact_id bigint UNIQUE REFERENCES contact);
ALTER TABLE contact ADD account_id integer REFERENCES account;
INSERT INTO account VALUES (1, 1), (2, 2);
UPDATE contact SET account_id = id WHERE id < 3;
CREATE TABLE renamed (id integer PRIMARY KEY, contact_id bigint REFERENCES contact);
CREATE TABLE retyped (id integer PRIMARY KEY, contact_id bigint REFERENCES contact, kind text, v text, UNIQUE (contact_id, kind));
CREATE TABLE guarded (id integer PRIMARY KEY, contact_id bigint REFERENCES contact);
CREATE TABLE moved (id integer PRIMARY KEY, contact_id bigint REFERENCES contact);
INSERT INTO renamed VALUES (1, 2);
INSERT INTO retyped VALUES (1, 1, 'k', NULL), (2, 2, 'k', 'of two');
INSERT INTO guarded VALUES (1, 2), (2, 2);
INSERT INTO moved VALUES (1, 2), (2, 2);
SELECT pg_temp.merge(1, 2) > 0 AS merged;
ALTER TABLE renamed RENAME contact_id TO whose;
ALTER TABLE retyped ALTER v TYPE integer USING 7;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 1 THEN RAISE 'no'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT * FROM pg_temp.undo();
SELECT id, account_id FROM contact WHERE id < 3 ORDER BY id;
SELECT * FROM account ORDER BY id;
SELECT * FROM guarded ORDER BY id;
SELECT * FROM moved ORDER BY id;
SELECT * FROM renamed;
DROP TABLE renamed, retyped, guarded;
DELETE FROM merge_journal;

-- an id that was used again
SELECT pg_temp.merge(1, 2) > 0 AS merged;
INSERT INTO contact (id, last_name) VALUES (2, 'Other');
SELECT pg_temp.fails('SELECT * FROM pg_temp.undo()');
SELECT pg_temp.merge(3, 2) > 0 AS merged;
SELECT * FROM contact_by_id WHERE id = 2;
SELECT contacts.check_directory('merge_odd');

-- what a dry run tells: a constraint that would be looked at at the end, a trigger
-- that refuses
INSERT INTO contact (id, last_name) VALUES (11, 'Eve'), (12, 'Eva');
CREATE TABLE slow (contact_id bigint REFERENCES contact, span int4range,
	EXCLUDE USING gist (int8range(contact_id, contact_id, '[]') WITH &&, span WITH &&) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO slow VALUES (11, '[1,3)'), (12, '[2,4)');
CREATE TABLE guarded (id integer PRIMARY KEY, contact_id bigint REFERENCES contact);
CREATE TRIGGER refuse BEFORE UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT contacts.merge_contacts('merge_odd', 11, '{12}', dry_run => true) -> 'tables' -> 'merge_odd.slow' AS slow;
DROP TABLE slow;
INSERT INTO guarded VALUES (1, 12);
SELECT contacts.merge_contacts('merge_odd', 11, '{12}', dry_run => true) -> 'tables' -> 'merge_odd.guarded' AS guarded;
DROP TABLE guarded;

-- registered columns: of one's own tables, of children too, and nothing hidden
CREATE TABLE loose (contact bigint, note text);
CREATE TABLE loose_child () INHERITS (loose);
INSERT INTO loose VALUES (12, 'parent');
INSERT INTO loose_child VALUES (12, 'child');
SELECT contacts.register_reference('merge_odd', 'loose', 'contact');
SELECT pg_temp.fails($$SELECT contacts.register_reference('merge_odd', 'merge_history', 'survivor_id')$$);
SELECT pg_temp.fails($$SELECT contacts.register_reference('merge_odd', 'public.treasure', 'id')$$);
ALTER TABLE loose ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON loose USING (note <> 'child');
SELECT pg_temp.fails('SELECT pg_temp.merge(11, 12)');
ALTER TABLE loose DISABLE ROW LEVEL SECURITY;
SELECT pg_temp.merge(11, 12) > 0 AS merged;
SELECT tableoid::regclass, * FROM loose ORDER BY note;

-- names that change while a session remembers them
INSERT INTO contact (id, last_name) VALUES (13, 'Eve'), (14, 'Eve');
CREATE SCHEMA merge_odd_before;
CREATE TABLE merge_odd_before.item (contact_id bigint REFERENCES contact);
INSERT INTO merge_odd_before.item VALUES (13), (14);
SELECT pg_temp.merge(11, 13) > 0 AS merged;
ALTER SCHEMA merge_odd_before RENAME TO merge_odd_after;
SELECT pg_temp.merge(11, 14) > 0 AS merged;
TABLE merge_odd_after.item;

SELECT * FROM contacts.check_directory('merge_odd');
\set ECHO none
SET client_min_messages = warning;
DROP SCHEMA merge_odd_after CASCADE;
SELECT contacts.drop_directory('merge_odd', cascade => true) \g /dev/null
RESET ROLE;
DROP TABLE public.treasure;
DROP OWNED BY regress_contacts_merge_odd, regress_contacts_merge_forger;
DROP ROLE regress_contacts_merge_odd, regress_contacts_merge_forger;
