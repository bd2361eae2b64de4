-- Looking at directories runs no code of their owners with other rights: the
-- planner evaluates what an index is over.
CREATE ROLE regress_contacts_planted;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_contacts_planted', current_database()) \gexec
SET ROLE regress_contacts_planted;
SET search_path = '';
\set SHOW_CONTEXT never
SELECT contacts.create_directory('review_planted');
CREATE FUNCTION review_planted.f(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'regress_contacts_planted' THEN
		RAISE WARNING 'runs with the rights of another';
	END IF;
	RETURN $1;
END
$$;
CREATE INDEX ON review_planted.setting ((review_planted.f(1)));
RESET ROLE;
SELECT name, version IS NULL AS is_unread, is_armed FROM contacts.directory WHERE name = 'review_planted';
SELECT * FROM contacts.check_directory('review_planted');
SELECT * FROM contacts.check_directory('review_planted', deep => false);
-- the owner looks at his own
SET ROLE regress_contacts_planted;
SELECT name, version IS NULL AS is_unread FROM contacts.directory WHERE name = 'review_planted';
SELECT * FROM contacts.check_directory('review_planted');

-- likewise what statistics are over; an index over functions of the server is fine
DROP INDEX review_planted.setting_f_idx;
CREATE INDEX ON review_planted.contact (upper(last_name)) WHERE archived_at IS NULL;
RESET ROLE;
SELECT * FROM contacts.check_directory('review_planted');
SELECT name, version IS NULL AS is_unread FROM contacts.directory WHERE name = 'review_planted';
SET ROLE regress_contacts_planted;
CREATE STATISTICS review_planted.s ON (review_planted.f(1)), version FROM review_planted.setting;
RESET ROLE;
SELECT * FROM contacts.check_directory('review_planted');
SELECT name, version IS NULL AS is_unread FROM contacts.directory WHERE name = 'review_planted';

SET client_min_messages = error;
SELECT contacts.drop_directory('review_planted', cascade => true);
DROP OWNED BY regress_contacts_planted;
DROP ROLE regress_contacts_planted;
