-- identify(): nobody, one, several; labels, attributes, policy; many sets
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir identify_sets
\set ECHO none
\i :rules
\set ECHO all

-- nobody: a contact is made; again, it is found
SELECT * FROM identify('{"anonymous": "t1"}');
SELECT * FROM identify('{"anonymous": "t1"}');
-- one: what is missing is attached, empty attributes are filled, nothing is overwritten
SELECT * FROM identify('{"anonymous": "t1", "email": "A@X.org"}', '{"first_name": "Ada", "last_name": "One"}', 'web');
SELECT * FROM identify('{"email": "a@x.org"}', '{"first_name": "Eva", "titles": "Dr."}');
SELECT * FROM person;
SELECT * FROM identify('{"email": "a@x.org"}', '{"first_name": "Eva", "titles": null}', overwrite => true);
SELECT first_name, titles FROM contact;
SELECT semantic_type, slug, value, source FROM identifier ORDER BY id;
-- a column of one's own
ALTER TABLE contact ADD shoe_size integer;
SELECT * FROM identify('{"email": "a@x.org"}', '{"shoe_size": 38, "first_name": "No"}');
SELECT * FROM identify('{"email": "b@x.org", "oauth": ["o1", "o2"], "phone": ["+49301234501", "+49301234502"]}', '{"first_name": "Ben", "last_name": "Two", "shoe_size": 44}');
SELECT first_name, shoe_size FROM contact ORDER BY id;
SELECT contact_id, semantic_type, slug, value, holder FROM identifier WHERE contact_id = 2 ORDER BY semantic_type, value;
-- shared kinds do not decide, but where there is nothing else
SELECT * FROM identify('{"email": "c@x.org", "phone": "+49301234501"}', '{"first_name": "Cid", "last_name": "Three"}');
SELECT * FROM identify('{"phone": "+49301234502"}');
SELECT pg_temp.fails($$SELECT identify('{"phone": "+49301234501"}')$$);
SELECT * FROM identify('{"phone": "+49301234503"}');
-- an exclusive value under a label that is taken
SELECT pg_temp.fails($$SELECT identify('[{"semantic_type": "email", "value": "z@x.org", "slug": "main"}, {"semantic_type": "anonymous", "value": "t1"}]')$$);
SELECT pg_temp.fails($$SELECT identify('[{"semantic_type": "email", "value": "y@x.org", "slug": "work"}, {"semantic_type": "email", "value": "z@x.org", "slug": "work"}]')$$);
SELECT find_contact('email', 'z@x.org') IS NULL AS is_nobody;
-- a shared one does without it
SELECT * FROM identify('[{"semantic_type": "phone", "value": "+49301234504", "slug": "main"}, {"semantic_type": "email", "value": "b@x.org"}]');
SELECT slug FROM identifier WHERE value = '+49301234504';
-- several: ghosts fold into the known one, whichever is older
SELECT * FROM identify('{"anonymous": "t2"}');
SELECT * FROM identify('{"anonymous": "t3"}');
SELECT * FROM identify('{"anonymous": ["t3", "t2"], "oauth": "o3"}');
SELECT * FROM identify('{"anonymous": "t2", "email": "a@x.org"}');
SELECT value, slug FROM identifier WHERE contact_id = 1 ORDER BY value;
-- people are suggested, the oldest is returned, and nothing is attached
SELECT * FROM identify('{"email": ["c@x.org", "a@x.org"], "anonymous": "t4"}');
SELECT * FROM identify('{"email": ["c@x.org", "a@x.org"], "anonymous": "t4"}');
SELECT contact_id, other_id, score, reasons, source, state FROM merge_suggestion;
SELECT find_contact('anonymous', 't4') IS NULL AS is_nobody;
-- policy
SELECT * FROM identify('{"anonymous": "t5"}');
UPDATE setting SET identify_merge_policy = 'suggest';
SELECT * FROM identify('{"anonymous": "t5", "email": "a@x.org"}');
SELECT count(*) FROM merge_suggestion;
UPDATE setting SET identify_merge_policy = 'refuse';
SELECT pg_temp.fails($$SELECT identify('{"anonymous": "t5", "email": "a@x.org"}')$$);
UPDATE setting SET identify_merge_policy = 'merge';
-- a suppressed address that nobody holds comes with its state
SELECT suppress('gone@x.org');
SELECT * FROM identify('{"email": "gone@x.org", "anonymous": "t6"}');
SELECT email, email_status FROM contact WHERE email = 'gone@x.org';
SELECT suppress('gone2@x.org');
SELECT * FROM identify('{"email": ["a@x.org", "gone2@x.org"]}');
SELECT contact_id, status FROM identifier WHERE value = 'gone2@x.org';

-- many sets are as one after another
SELECT * FROM identify_many('[
	{"identifiers": {"anonymous": "m1"}},
	{"identifiers": {"anonymous": "m1"}},
	{"identifiers": {"anonymous": "m1", "email": "m@x.org"}},
	{"identifiers": {"email": "m@x.org"}, "attributes": {"first_name": "Mia", "last_name": "Four"}},
	{"identifiers": {"anonymous": "m2"}},
	{"identifiers": {"anonymous": ["m2", "m1"]}},
	{"identifiers": {"anonymous": "m2"}},
	{"identifiers": {"anonymous": "m3", "oauth": "m3"}},
	{"identifiers": {"oauth": "m3"}},
	{"identifiers": {"email": "a@x.org"}}]', 'batch');
SELECT first_name, email FROM contact WHERE email = 'm@x.org';
SELECT * FROM identify_many('[]');
-- all or none, and the set is named
DO $$
DECLARE
	context text;
BEGIN
	PERFORM identify_many('[{"identifiers": {"anonymous": "m4"}}, {"identifiers": {"email": "no"}}]');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RAISE NOTICE '%', split_part(context, E'\n', 1);
END
$$;
SELECT find_contact('anonymous', 'm4') IS NULL AS is_nobody;

-- a new contact of the call shares a number with a known one: whose a set that
-- has nothing else is, is not known
SELECT contact_id AS first_holder FROM identify('{"email": "n1@x.org", "phone": "+46701234599"}') \gset
SELECT pg_temp.fails($$SELECT identify_many('[{"identifiers": {"anonymous": "n2", "phone": "+46701234599"}}, {"identifiers": {"phone": "+46701234599"}}]')$$);
-- a number that only a new contact of the call has is his
SELECT n, outcome FROM identify_many('[{"identifiers": {"anonymous": "n3", "phone": "+46701234598"}}, {"identifiers": {"phone": "+46701234598"}}]');

-- what is refused
SELECT pg_temp.fails($$SELECT identify('{"email": "no"}')$$);
SELECT pg_temp.fails($$SELECT identify('{"fax": "1"}')$$);
SELECT pg_temp.fails($$SELECT identify('{}')$$);
SELECT pg_temp.fails($$SELECT identify('{"email": null}')$$);
SELECT pg_temp.fails($$SELECT identify('{"email": 5}')$$);
SELECT pg_temp.fails($$SELECT identify('"x"')$$);
SELECT pg_temp.fails($$SELECT identify('[{"value": "x"}]')$$);
SELECT pg_temp.fails($$SELECT identify('[{"type": "email", "value": "x"}]')$$);
SELECT pg_temp.fails($$SELECT identify(NULL)$$);
SELECT pg_temp.fails($$SELECT identify('{"oauth": "x"}', '{"email": "x@x.org"}')$$);
SELECT pg_temp.fails($$SELECT identify('{"oauth": "x"}', '{"no_column": 1}')$$);
SELECT pg_temp.fails($$SELECT identify_many('{}')$$);

-- a pair is one in either order
INSERT INTO merge_suggestion (contact_id, other_id) VALUES (3, 2);
SELECT contact_id, other_id FROM merge_suggestion WHERE other_id = 3 ORDER BY contact_id;
SELECT pg_temp.fails('INSERT INTO merge_suggestion (contact_id, other_id) VALUES (2, 3)');
SELECT pg_temp.fails($$INSERT INTO merge_suggestion (id, contact_id, other_id, created_at) VALUES (99, 2, 2, '2026-01-01 00:00')$$);

-- many sets, one after another: who was merged meanwhile is not found any more
INSERT INTO contact (id, email) VALUES (900, 's0@x.org');
SELECT n, contact_id = 900 AS is_known, outcome FROM identify_many('[
	{"identifiers": {"anonymous": ["s1", "s2"]}},
	{"identifiers": {"anonymous": "s2", "email": "s0@x.org"}},
	{"identifiers": {"anonymous": "s1"}}]');
-- the first of several new ones is the oldest, whatever the order of their keys
SELECT n, outcome FROM identify_many((
	SELECT jsonb_agg(s ORDER BY n) FROM generate_series(1, 6) n, LATERAL (VALUES
		(1, jsonb_build_object('identifiers', jsonb_build_object('email', format('s1%s@x.org', n)), 'attributes', '{"titles": "X"}'::jsonb)),
		(2, jsonb_build_object('identifiers', jsonb_build_object('anonymous', format('s1%s', n)), 'attributes', '{"titles": "Y"}'::jsonb)),
		(3, jsonb_build_object('identifiers', jsonb_build_object('anonymous', format('s1%s', n), 'email', format('s1%s@x.org', n))))) v (m, s))) i
	WHERE outcome <> 'created' ORDER BY n;
SELECT email, titles FROM contact WHERE email ~ '^s1.@' ORDER BY id;
SELECT count(*) AS merged, bool_and(survivor_id < ALL (loser_ids)) AS are_oldest FROM merge_history WHERE survivor_id IN (SELECT id FROM contact WHERE email ~ '^s1.@');
-- of two new ones, the one of an earlier odd set is the older
SELECT n, outcome FROM identify_many('[
	{"identifiers": {"phone": "+46701234571"}, "attributes": {"titles": "first"}},
	{"identifiers": {"email": "s2@x.org"}, "attributes": {"titles": "second"}}]');
SELECT titles FROM contact WHERE titles IN ('first', 'second') ORDER BY id;

-- people who are ghosts by name only: a validated address, a password
SELECT contact_id AS v FROM identify('{"email": "v1@x.org"}') \gset
SELECT contact_id AS w FROM identify('{"anonymous": "v2"}') \gset
SELECT contact_id AS x FROM identify('{"anonymous": "v3"}') \gset
SELECT validate_identifier(id) FROM identifier WHERE value = 'v1@x.org';
INSERT INTO credential (contact_id, verifier) VALUES (:w, '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW');
SELECT contact_id = :v AS is_first, outcome FROM identify('{"email": "v1@x.org", "anonymous": "v2"}');
SELECT contact_id = :v AS is_first, other_id = :w AS is_second, reasons FROM merge_suggestion WHERE :v IN (contact_id, other_id);
-- other ghosts fold into them, the older ones too
SELECT contact_id = :w AS is_second, outcome FROM identify('{"anonymous": ["v3", "v2"]}');
-- of ghosts with main addresses of their own only one address could stay
SELECT contact_id AS v FROM identify('{"email": "v4@x.org"}') \gset
SELECT contact_id AS w FROM identify('{"email": "v5@x.org"}') \gset
SELECT contact_id AS x FROM identify('{"anonymous": "v6"}') \gset
SELECT contact_id = :v AS is_first, outcome FROM identify('{"email": ["v4@x.org", "v5@x.org"], "anonymous": ["v6", "v7"]}');
SELECT contact_id = :v AS is_first, other_id = :w AS is_second FROM merge_suggestion WHERE :v IN (contact_id, other_id) OR :x IN (contact_id, other_id);
SELECT contact_id = :v AS is_first, outcome FROM identify('{"email": "v4@x.org", "anonymous": "v6"}');
-- nor where one of them is known
SELECT contact_id AS y FROM identify('{"email": "v8@x.org"}', '{"first_name": "Vi", "last_name": "Eight"}') \gset
SELECT contact_id = :y AS is_known, outcome FROM identify('{"email": ["v5@x.org", "v8@x.org"]}');
SELECT email FROM contact WHERE id IN (:v, :w, :y) ORDER BY id;

-- columns of one's own: given, by default, not null, of a domain
CREATE DOMAIN level AS integer NOT NULL CHECK (VALUE > 0);
ALTER TABLE contact ADD tier text NOT NULL DEFAULT 'basic';
ALTER TABLE contact ADD "Level" level DEFAULT 1;
SELECT outcome FROM identify('{"email": "w1@x.org"}', '{"tier": "gold"}');
SELECT outcome FROM identify('{"email": "w2@x.org"}', '{"first_name": "Wim", "Level": 3}');
SELECT n, outcome FROM identify_many('[
	{"identifiers": {"email": "w3@x.org"}, "attributes": {"tier": "silver", "Level": 4}},
	{"identifiers": {"email": "w4@x.org"}},
	{"identifiers": {"email": "w5@x.org"}, "attributes": {"titles": "Dr.", "tier": null}},
	{"identifiers": {"email": "w6@x.org"}, "attributes": {"tier": "iron"}},
	{"identifiers": {"email": "w1@x.org"}, "attributes": {"tier": "lead", "titles": "Prof."}},
	{"identifiers": {"anonymous": "w7"}, "attributes": {"tier": "tin", "shoe_size": 40}}]');
SELECT * FROM identify('{"email": "w2@x.org"}', '{"tier": "zinc", "Level": 5}', overwrite => true) \g /dev/null
SELECT email, first_name AS first, titles, tier, "Level", shoe_size AS shoe FROM contact WHERE email ~ '^w' OR tier = 'tin' ORDER BY email;
ALTER TABLE contact ALTER tier DROP DEFAULT;
SELECT outcome FROM identify('{"anonymous": "w8"}', '{"tier": "x"}');
SELECT left(f, 5) AS state FROM pg_temp.fails($$SELECT identify('{"anonymous": "w9"}', '{"shoe_size": 1}')$$) f LIMIT 1;
ALTER TABLE contact DROP tier, DROP "Level";

-- blanks say nothing
SELECT outcome FROM identify('{"email": "b1@x.org"}', '{"first_name": "Bea", "last_name": "Blank", "titles": " "}');
SELECT titles IS NULL AS is_null FROM contact WHERE email = 'b1@x.org';
SELECT outcome FROM identify('{"email": "b1@x.org"}', '{"first_name": "", "last_name": "  ", "titles": "", "archived_at": ""}', overwrite => true);
SELECT outcome FROM identify('{"email": "b1@x.org"}', '{"titles": "\t"}');
SELECT first_name, last_name, titles FROM contact WHERE email = 'b1@x.org';
-- nothing is written for them
SELECT xmin AS before FROM contact WHERE email = 'b1@x.org' \gset
SELECT outcome FROM identify('{"email": "b1@x.org"}', '{"titles": "", "first_name": "Bee"}');
SELECT xmin = :'before' AS is_left FROM contact WHERE email = 'b1@x.org';

-- a name is one thing
SELECT outcome FROM identify('{"email": "n4@x.org"}', '{"first_name": "Ada"}');
SELECT outcome FROM identify('{"email": "n4@x.org"}', '{"first_name": "Eve", "last_name": "Other", "titles": "Dr."}');
SELECT first_name, last_name, titles FROM contact WHERE email = 'n4@x.org';
SELECT outcome FROM identify('{"email": "n4@x.org"}', '{"first_name": "Ada", "last_name": "Lovelace"}');
SELECT first_name, last_name FROM contact WHERE email = 'n4@x.org';
SELECT outcome FROM identify('{"email": "n4@x.org"}', '{"last_name": "King"}', overwrite => true);
SELECT first_name, last_name FROM contact WHERE email = 'n4@x.org';
SELECT outcome FROM identify('{"email": "n5@x.org"}');
SELECT outcome FROM identify('{"email": "n5@x.org"}', '{"first_name": "Cher", "mononym": true}');
SELECT outcome FROM identify('{"email": "n5@x.org"}', '{"first_name": "Cher", "last_name": "Bono"}');
SELECT first_name, last_name, mononym, contact_type FROM contact WHERE email = 'n5@x.org';

-- values may stand in an array, and no deeper
SELECT pg_temp.fails($$SELECT identify('{"anonymous": [{"oauth": "z"}, "t"]}')$$);
SELECT pg_temp.fails($$SELECT identify('{"anonymous": [["z"]]}')$$);
SELECT pg_temp.fails($$SELECT identify('{"anonymous": {"oauth": "z"}}')$$);
SELECT count(*) FROM identifier WHERE value IN ('z', 't');
-- nobody has that many identifiers
SELECT pg_temp.fails($$SELECT identify(jsonb_build_object('anonymous', (SELECT jsonb_agg('l' || n) FROM generate_series(1, 1001) n)))$$);
SELECT outcome FROM identify(jsonb_build_object('anonymous', (SELECT jsonb_agg('l' || n % 1000) FROM generate_series(1, 2000) n)));

-- values without an order of their own share a few locks
BEGIN;
SELECT outcome, count(*) FROM identify_many((
	SELECT jsonb_agg(jsonb_build_object('identifiers', jsonb_build_object('phone', '+4670123' || n))) FROM generate_series(1000, 1599) n)) GROUP BY 1;
SELECT count(*) BETWEEN 100 AND 257 AS are_few FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid();
ROLLBACK;

-- triggers of users see every row
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %', NEW.semantic_type, NEW.value; RETURN NEW; END $$;
CREATE TRIGGER see BEFORE INSERT ON identifier FOR EACH ROW EXECUTE FUNCTION see();
SELECT outcome FROM identify('{"email": "u@x.org", "anonymous": "u"}');
DROP TRIGGER see ON identifier;
DROP FUNCTION see();

SELECT * FROM contacts.check_directory(:'dir', true);
\set ECHO none
SET client_min_messages = warning;
SELECT contacts.drop_directory(:'dir', cascade => true) \g /dev/null
RESET ROLE;
SELECT format('DROP OWNED BY regress_contacts_%1$s; DROP ROLE regress_contacts_%1$s', :'dir') \gexec
