-- Included by the tests of the rules: makes a role and a directory of the name
-- in the variable dir, owned by the role, acts as the role with the directory
-- in search_path, and makes what the tests look at it with.  The secret is
-- given so that keys, and with them orders and ids, are the same in every run.
CREATE ROLE regress_contacts_:dir;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_contacts_%s', current_database(), :'dir') \gexec
SET ROLE regress_contacts_:dir;
SET search_path = '';
SELECT contacts.create_directory(:'dir', secret => '\x000102030405060708090a0b0c0d0e0f') \g /dev/null
SET search_path = :dir;

-- What a statement fails with, in all its fields.
CREATE FUNCTION pg_temp.fails(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	code text; message text; detail text; hint text; schema_ text; table_ text; column_ text; constraint_ text;
BEGIN
	EXECUTE statement;
	SET CONSTRAINTS ALL IMMEDIATE;
	SET CONSTRAINTS ALL DEFERRED;
	RETURN NEXT 'did not fail';
EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, schema_ = SCHEMA_NAME, table_ = TABLE_NAME, column_ = COLUMN_NAME,
		constraint_ = CONSTRAINT_NAME;
	RETURN NEXT code || ' ' || message;
	IF constraint_ || column_ || table_ || schema_ <> '' THEN
		RETURN NEXT concat_ws(' ', 'ON ' || concat_ws('.', nullif(schema_, ''), nullif(table_, ''), nullif(column_, '')),
			'CONSTRAINT ' || nullif(constraint_, ''));
	END IF;
	IF detail <> '' THEN
		RETURN NEXT 'DETAIL ' || detail;
	END IF;
	IF hint <> '' THEN
		RETURN NEXT 'HINT ' || hint;
	END IF;
END
$$;

-- The tables without times and keys.
CREATE TEMP VIEW person AS
	SELECT id, first_name AS first, last_name AS last, email, email_status AS state, mobile_phone AS mobile,
		contact_type AS type, is_reachable AS reach, is_validated AS valid
	FROM contact ORDER BY id;
CREATE TEMP VIEW held AS
	SELECT contact_id AS contact, semantic_type AS kind, slug, value, holder, status AS state,
		status_reason AS reason, is_validated AS valid
	FROM identifier ORDER BY contact_id, semantic_type, slug, value COLLATE "C", status;

-- The log; the tests use addresses of one letter at x.org and a few numbers.
CREATE TEMP VIEW log AS
	SELECT e.id, a.value, e.old_state AS old, e.new_state AS new, e.reason, e.source, e.evidence,
		replace(e.role, 'regress_contacts_', '') AS role, e.at = now() AS is_now
	FROM consent_event e LEFT JOIN (
		SELECT chr(97 + n) || '@x.org', 'email' FROM generate_series(0, 25) n
		UNION ALL SELECT '+4930123450' || n, 'phone' FROM generate_series(0, 9) n) a (value, kind)
		ON e.key = contacts.identifier_key((SELECT relnamespace::regnamespace::text
			FROM pg_catalog.pg_class WHERE oid = 'identifier'::regclass), a.kind, a.value)
	ORDER BY e.id;
