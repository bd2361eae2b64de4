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
