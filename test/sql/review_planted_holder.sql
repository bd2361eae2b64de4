-- A row is set aside, under a negative holder, only while its successor is
-- inserted: the guard lets it be deleted then (I7).  Nobody else gets there, not
-- even by a trigger that comes after ours (C2).
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir review_planted_holder
\set ECHO none
\i :rules
\set ECHO all
SELECT suppress('a@x.org', 'complaint');
-- a client's holder is replaced
UPDATE identifier SET holder = -id;
SELECT value, holder, status FROM identifier;
-- a trigger's after ours is refused
CREATE FUNCTION plant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.holder := -NEW.id; RETURN NEW; END $$;
CREATE TRIGGER zzz_plant BEFORE UPDATE ON identifier FOR EACH ROW EXECUTE FUNCTION plant();
SELECT * FROM pg_temp.fails($$UPDATE identifier SET source = 'x', holder = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE identifier SET source = 'x'$$);
SELECT * FROM pg_temp.fails($$DELETE FROM identifier$$);
SELECT value, holder, status FROM identifier;
DROP TRIGGER zzz_plant ON identifier;
SELECT * FROM contacts.check_directory('review_planted_holder');
SELECT contacts.drop_directory('review_planted_holder', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_review_planted_holder;
DROP ROLE regress_contacts_review_planted_holder;
