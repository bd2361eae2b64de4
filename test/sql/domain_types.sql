-- The domains over text: what they take, and that every driver's text binds
CREATE ROLE regress_domain;
CREATE SCHEMA domain_test AUTHORIZATION regress_domain;
SET ROLE regress_domain;
SET search_path = domain_test;

CREATE FUNCTION taken(value text, type regtype) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	violated text;
BEGIN
	EXECUTE format('SELECT $1::%s', type) USING value;
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || violated;
END
$$;

SELECT t.type, v.value, taken(v.value, t.type)
FROM (VALUES ('contacts.contact_type'::regtype, 'ghost lead contact vendor Ghost customer'),
	('contacts.consent_state', 'not_opted_in opted_in unsubscribed suppressed SUPPRESSED unknown'),
	('contacts.validation_method', 'otp magic_link manual sms'),
	('contacts.state_reason', 'own_wish complaint bounce screening manual import other'),
	('contacts.time_zone', 'UTC Europe/Berlin America/Argentina/Buenos_Aires Etc/GMT+5 Etc/GMT-0 Mars/Olympus ' || repeat('x', 64) || ' ' || repeat('y', 65)
		|| ' CET-1CEST,M3.5.0 Europe.Berlin ' || U&'Z\00FCrich')) t(type, names),
	unnest(string_to_array(t.names, ' ')) WITH ORDINALITY v(value, n)
ORDER BY t.type::text, v.n;
SELECT t.type, taken('', t.type) AS empty, taken(' UTC', t.type) AS space, taken(NULL, t.type) AS null
FROM unnest('{contacts.contact_type,contacts.consent_state,contacts.validation_method,contacts.state_reason,contacts.time_zone}'::regtype[]) t(type)
ORDER BY t.type::text;

-- Every zone of the server has the form.
SELECT count(*) > 300 AS many, count(*) FILTER (WHERE taken(name, 'contacts.time_zone') <> 'taken') AS refused FROM pg_timezone_names;

-- Parameters of every string type bind and compare.
CREATE TABLE sample (id int, kind contacts.contact_type, state contacts.consent_state);
PREPARE by_text(int, text, text) AS INSERT INTO sample VALUES ($1, $2, $3);
PREPARE by_varchar(int, varchar, varchar) AS INSERT INTO sample VALUES ($1, $2, $3);
EXECUTE by_text(1, 'lead', 'opted_in');
EXECUTE by_varchar(2, 'ghost', 'suppressed');
EXECUTE by_text(3, 'none', 'opted_in');
SELECT * FROM sample WHERE kind = 'lead' OR state = 'suppressed'::varchar ORDER BY id;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA domain_test CASCADE;
DROP ROLE regress_domain;
