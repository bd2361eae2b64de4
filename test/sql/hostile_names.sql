-- A directory of any name lives a whole life
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE "regress ""Hostile's"" role";
SELECT format('GRANT CREATE ON DATABASE %I TO "regress ""Hostile''s"" role"', current_database()) \gexec
GRANT SET ON PARAMETER contacts.ddl_guard TO "regress ""Hostile's"" role"; -- to break things
SET ROLE "regress ""Hostile's"" role";
SET search_path = '';

CREATE TEMPORARY TABLE hostile (id serial, name text);
INSERT INTO hostile (name) VALUES
	('Tenant 42'), ('two.parts'), ('say "hello"'), ('it''s'), ('new'), ('select'), ('contact'),
	('%I %1$I %s ON % $1 $$'), (E'back\\slash\nbreak'), ('-- comment; DROP SCHEMA contacts'),
	(repeat('x', 63)), (repeat('é', 31) || 'x'), ('日本'), ('a, b');
GRANT SELECT ON hostile TO PUBLIC;

-- One directory: every function over it, DML on every table, every way in and out.
CREATE FUNCTION pg_temp.live(directory text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	contact_id bigint;
	ghost_id bigint;
	found text;
	problem text;
BEGIN
	PERFORM contacts.create_directory(directory, attach => false);
	IF (SELECT count(*) FROM contacts.missing_triggers((SELECT oid FROM pg_namespace WHERE nspname = directory))) < 30 THEN
		RETURN 'attached too early';
	END IF;
	PERFORM contacts.attach_triggers(directory);

	EXECUTE format('INSERT INTO %I.organization (name) VALUES (%L)', directory, 'Acme');
	EXECUTE format($q$INSERT INTO %I.contact (first_name, last_name, email, mobile_phone, organization_id)
		VALUES ('Ada', 'Lovelace', 'Ada@Example.org', '+44 20 7946 0001', 1) RETURNING id$q$, directory) INTO contact_id;
	EXECUTE format($q$INSERT INTO %I.contact (email) VALUES ('ada@example.org') ON CONFLICT (email) DO UPDATE
		SET first_name = 'Augusta' RETURNING id$q$, directory) INTO found;
	IF found::bigint <> contact_id THEN RETURN 'upsert missed'; END IF;
	EXECUTE format($q$INSERT INTO %I.identifier (contact_id, semantic_type, slug, value) VALUES ($1, 'email', 'work', 'ada@work.example')$q$, directory)
		USING contact_id;
	EXECUTE format($q$UPDATE %I.contact SET email = 'ada@home.example' WHERE id = $1$q$, directory) USING contact_id;
	EXECUTE format('UPDATE %I.organization SET name = $1', directory) USING directory;
	EXECUTE format('SELECT %I.create_ghost($1, $2)', directory) INTO ghost_id USING 'token', directory;
	EXECUTE format('SELECT %1$I.validate_identifier(i.id) FROM %1$I.identifier i WHERE i.value = $1', directory) USING 'ada@work.example';
	EXECUTE format('SELECT %1$I.set_main(i.id) FROM %1$I.identifier i WHERE i.value = $1', directory) USING 'ada@work.example';
	EXECUTE format('SELECT concat_ws('' '', first_name, email, contact_type, organization_name = $1) FROM %I.contact WHERE id = $2', directory)
		INTO found USING directory, contact_id;
	IF found <> 'Augusta ada@work.example contact t' THEN RETURN found; END IF;
	EXECUTE format('SELECT %I.suppress($1)', directory) USING 'ada@work.example';
	EXECUTE format('SELECT %I.unsubscribe($1)', directory) USING '+442079460001';
	EXECUTE format('SELECT %1$I.address_status($1) || %1$I.address_status($2)', directory) INTO found USING 'ADA@work.example', '+442079460001';
	IF found <> 'suppressedunsubscribed' THEN RETURN found; END IF;
	EXECUTE format('SELECT %I.find_contact($1, $2)', directory) INTO found USING 'email', 'ada@work.example';
	IF found::bigint IS DISTINCT FROM contact_id THEN RETURN 'not found'; END IF;
	BEGIN
		EXECUTE format('UPDATE %I.contact SET email_status = ''opted_in'' WHERE id = $1', directory) USING contact_id;
		RETURN 'suppression lifted';
	EXCEPTION WHEN restrict_violation THEN
		GET STACKED DIAGNOSTICS found = SCHEMA_NAME;
		IF found <> directory THEN RETURN found; END IF;
	END;
	PERFORM contacts.set_exclusive(directory, 'phone', true);
	IF contacts.identifier_key(directory, 'email', 'X@y.org') IS DISTINCT FROM contacts.identifier_key(directory, 'email', 'x@Y.ORG') THEN
		RETURN 'keys differ';
	END IF;

	SET CONSTRAINTS ALL IMMEDIATE;
	SET CONSTRAINTS ALL DEFERRED;
	SELECT string_agg(c.message, ', ') INTO problem FROM contacts.check_directory(directory) c;
	IF problem IS NOT NULL THEN RETURN problem; END IF;
	SET LOCAL contacts.ddl_guard = off;
	EXECUTE format('ALTER TABLE %I.contact DISABLE TRIGGER USER', directory);
	SET LOCAL contacts.ddl_guard = on;
	EXECUTE format('UPDATE %I.contact SET contact_type = ''vendor''', directory);
	SELECT concat_ws(' ', count(*), sum(r.remaining), max(r.found) FILTER (WHERE r.object = 'contact.contact_type')) INTO found
	FROM contacts.repair_directory(directory) r;
	IF found NOT LIKE '% 0 2' THEN RETURN found; END IF;
	IF contacts.upgrade_directory(directory) <> contacts.extension_version() THEN RETURN 'not upgraded'; END IF;
	IF NOT (SELECT d.is_armed AND d.version IS NOT NULL FROM contacts.directory d WHERE d.name = directory) THEN
		RETURN 'not listed';
	END IF;
	EXECUTE format('DELETE FROM %I.contact', directory);
	BEGIN
		PERFORM contacts.drop_directory(directory);
		RETURN 'dropped with a suppression';
	EXCEPTION WHEN dependent_objects_still_exist THEN
		NULL;
	END;
	RETURN 'lived';
END
$$;

SELECT id, name, pg_temp.live(name) FROM hostile ORDER BY id;

-- renamed: it is recognised by its triggers, and its functions still know it
SELECT contacts.rename_directory('two.parts', 'Two Parts');
SELECT "Two Parts".address_status('ada@work.example');
SELECT contacts.identifier_key('Two Parts', 'email', 'x@y.org') IS NOT NULL AS has_key;
INSERT INTO "Two Parts".contact (first_name, email) VALUES ('Bob', 'bob@example.org');
SELECT * FROM contacts.check_directory('Two Parts');
UPDATE hostile SET name = 'Two Parts' WHERE name = 'two.parts';
SELECT count(*) FROM contacts.directory d JOIN hostile h ON h.name = d.name;

-- no name of a schema stands in what is expected of all of them
SELECT h.name, d.kind, d.relation, d.name, d.definition
FROM hostile h JOIN pg_namespace n ON n.nspname = h.name
	CROSS JOIN contacts.describe_directory(n.oid, '{table,column,not null,default,constraint,index,trigger,view,function}') d
WHERE NOT EXISTS (SELECT FROM contacts.model m
	WHERE m.kind = d.kind AND m.relation = d.relation AND m.name = d.name AND m.definition = d.definition)
ORDER BY h.id, 2, 3, 4;

-- some leave by detaching, the others are dropped
SELECT contacts.detach_directory(name) FROM hostile WHERE id % 2 = 0;
SELECT contacts.drop_directory(name, cascade => true) FROM hostile WHERE id % 2 = 1;
SELECT count(*) FROM contacts.directory d JOIN hostile h ON h.name = d.name;
SELECT count(*) FROM pg_namespace n JOIN hostile h ON h.name = n.nspname;
SELECT format('DROP SCHEMA %I CASCADE', n.nspname) FROM pg_namespace n JOIN hostile h ON h.name = n.nspname ORDER BY h.id \gexec

-- a schema that others renamed to "$user" is not searched for
SELECT contacts.create_directory('dollar');
SELECT contacts.rename_directory('dollar', '$user');
SET contacts.ddl_guard = off;
ALTER SCHEMA dollar RENAME TO "$user";
INSERT INTO "$user".contact (first_name, email) VALUES ('Ann', 'ann@example.org');
SELECT * FROM contacts.check_directory('$user');
ALTER TABLE "$user".contact DISABLE TRIGGER USER;
SET contacts.ddl_guard = on;
SELECT contacts.attach_triggers('$user') > 0 AS is_armed;
SELECT contacts.drop_directory('$user', cascade => true);

RESET ROLE;
DROP OWNED BY "regress ""Hostile's"" role";
DROP ROLE "regress ""Hostile's"" role";
