-- C4: what becomes of the state when a contact's main email changes
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_email_change
\set ECHO none
\i :rules
\set ECHO all

-- Every old state against every state of the new address: the contact has
-- o@x.org, the new address is n@x.org.
CREATE FUNCTION outcome(old_state text, old_reason text, new_state text, change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	INSERT INTO contact (id, first_name, email) VALUES (1, 'x', 'o@x.org');
	IF new_state IN ('unsubscribed', 'suppressed') THEN
		INSERT INTO identifier (semantic_type, value, status, status_reason) VALUES ('email', 'n@x.org', new_state, 'manual');
	ELSIF new_state IS NOT NULL THEN
		INSERT INTO identifier (contact_id, semantic_type, slug, value, status) VALUES (1, 'email', 'work', 'n@x.org', new_state);
	END IF;
	UPDATE identifier SET status = old_state, status_reason = old_reason WHERE value = 'o@x.org';
	EXECUTE change;
	SELECT concat_ws(' ', c.email_status, '/', i.status, '| old one:', o.status) INTO STRICT result
	FROM contact c LEFT JOIN identifier i ON i.contact_id = c.id AND i.value = c.email::text
		LEFT JOIN identifier o ON o.value = 'o@x.org'
	WHERE c.id = 1;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN result;
END
$$;
CREATE TEMP VIEW case_ AS
	SELECT o.n AS o_n, o.state AS old_state, o.reason AS old_reason, n.n AS n_n, n.state AS new_state
	FROM (VALUES (1, 'not_opted_in', NULL), (2, 'opted_in', 'own_wish'), (3, 'unsubscribed', 'own_wish'),
		(4, 'suppressed', 'complaint'), (5, 'suppressed', 'own_wish'), (6, 'suppressed', 'bounce'), (7, 'suppressed', 'screening'),
		(8, 'suppressed', 'manual'), (9, 'suppressed', 'import')) o (n, state, reason),
		(VALUES (1, NULL), (2, 'not_opted_in'), (3, 'opted_in'), (4, 'unsubscribed'), (5, 'suppressed')) n (n, state);
-- state of contact / state of its new email | state of the old one
SELECT old_state, old_reason, new_state,
	outcome(old_state, old_reason, new_state, $$UPDATE contact SET email = 'n@x.org' WHERE id = 1$$) AS "update of contact"
FROM case_ ORDER BY o_n, n_n;
-- promoting another identifier to main is a change of email
SELECT old_state, old_reason, new_state,
	outcome(old_state, old_reason, new_state, $$SELECT set_main(id) FROM identifier WHERE value = 'n@x.org'$$) AS "set_main"
FROM case_ WHERE n_n IN (2, 3) ORDER BY o_n, n_n;
-- through NULL, by whatever way: nothing is laundered
SELECT count(DISTINCT outcome), old_state, old_reason, new_state, min(outcome) AS "through NULL"
FROM case_, (VALUES
	($$UPDATE contact SET email = NULL WHERE id = 1; UPDATE contact SET email = 'n@x.org' WHERE id = 1$$),
	($$DELETE FROM identifier WHERE contact_id = 1 AND slug = 'main'; UPDATE contact SET email = 'n@x.org' WHERE id = 1$$),
	($$UPDATE identifier SET contact_id = NULL WHERE contact_id = 1 AND slug = 'main'; UPDATE contact SET email = 'n@x.org' WHERE id = 1$$),
	($$UPDATE contact SET email = NULL WHERE id = 1; UPDATE contact SET email_status = email_status, titles = 'Dr' WHERE id = 1; UPDATE contact SET email = 'n@x.org', titles = NULL WHERE id = 1$$)
	) v (change), outcome(old_state, old_reason, new_state, change)
WHERE n_n IN (1, 4, 5)
GROUP BY o_n, n_n, old_state, old_reason, new_state ORDER BY o_n, n_n;
-- while email is NULL
SELECT old_state, old_reason, outcome(old_state, old_reason, NULL, $$UPDATE contact SET email = NULL WHERE id = 1$$) AS "email is NULL"
FROM case_ WHERE n_n = 1 ORDER BY o_n;
-- by DML on identifier: its row gets another slug, then another row becomes main
SELECT old_state, old_reason, new_state, outcome(old_state, old_reason, new_state, $$
	UPDATE identifier SET slug = NULL WHERE contact_id = 1 AND slug = 'main';
	UPDATE identifier SET slug = 'main' WHERE value = 'n@x.org'$$) AS "slugs by hand"
FROM case_ WHERE n_n IN (2, 3) ORDER BY o_n, n_n;
-- it is moved to another contact
SELECT old_state, old_reason, outcome(old_state, old_reason, NULL, $$
	INSERT INTO contact (id, first_name) VALUES (2, 'y');
	UPDATE identifier SET contact_id = 2 WHERE value = 'o@x.org'$$) AS "moved away"
FROM case_ WHERE n_n = 1 ORDER BY o_n;
-- where one statement changes email and email_status, the stricter wins
SELECT old_state, old_reason, asked, outcome(old_state, old_reason, NULL,
		format('UPDATE contact SET email = %L, email_status = %L WHERE id = 1', 'n@x.org', asked)) AS "both changed"
FROM case_, unnest('{not_opted_in,opted_in,unsubscribed,suppressed}'::text[]) WITH ORDINALITY a (asked, n)
WHERE n_n = 1 AND o_n IN (1, 2, 3, 4, 6) ORDER BY o_n, n;
SELECT new_state, asked, outcome('not_opted_in', NULL, new_state,
		format('UPDATE contact SET email = %L, email_status = %L WHERE id = 1', 'n@x.org', asked)) AS "both changed"
FROM case_, unnest('{not_opted_in,opted_in,unsubscribed,suppressed}'::text[]) WITH ORDINALITY a (asked, n)
WHERE o_n = 1 AND n_n IN (2, 3, 4, 5) ORDER BY n_n, n;
-- a client's state on a contact without an email: only a wish stays
SELECT asked, outcome('not_opted_in', NULL, NULL,
		format('UPDATE contact SET email = NULL, email_status = %L WHERE id = 1', asked)) AS "set with NULL",
	outcome('not_opted_in', NULL, NULL,
		format('UPDATE contact SET email = NULL WHERE id = 1; UPDATE contact SET email_status = %L WHERE id = 1', asked)) AS "set later"
FROM unnest('{not_opted_in,opted_in,unsubscribed,suppressed}'::text[]) WITH ORDINALITY a (asked, n) ORDER BY n;
DROP FUNCTION outcome(text, text, text, text) CASCADE;

-- C4: while email is NULL, unsubscribed cannot be lowered by hand, and the next
-- email starts from it
INSERT INTO contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org');
SELECT unsubscribe('a@x.org');
UPDATE contact SET email = NULL WHERE id = 1;
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$);
SELECT * FROM pg_temp.fails($$UPDATE contact SET email_status = 'not_opted_in' WHERE id = 1$$);
UPDATE contact SET email = 'b@x.org', email_status = 'opted_in' WHERE id = 1;
SELECT * FROM person;
SELECT * FROM held;
SELECT opt_in('b@x.org', '{}');
SELECT * FROM person;
-- the old one still is unsubscribed, whoever takes it
UPDATE contact SET email = 'a@x.org' WHERE id = 1;
SELECT * FROM person;
SELECT * FROM held;
-- an email given by INSERT into identifier
DELETE FROM identifier WHERE contact_id = 1;
INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'c@x.org');
SELECT * FROM person;
SELECT * FROM held;
-- to a contact inserted without an email, but with a wish
INSERT INTO contact (id, first_name, email_status) VALUES (2, 'Bob', 'unsubscribed'), (3, 'Cyd', 'suppressed'), (4, 'Dan', 'opted_in');
SELECT * FROM person;
UPDATE contact SET email = lower(first_name) || '@x.org' WHERE id IN (2, 3, 4);
SELECT * FROM person;
SELECT * FROM held;

SELECT * FROM contacts.check_directory('consent_email_change');
SELECT contacts.drop_directory('consent_email_change', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_email_change;
DROP ROLE regress_contacts_consent_email_change;
