-- Row security of a directory, and with whom its contacts are shared.

CREATE FUNCTION contacts.enable_row_security(directory text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM contacts.make_policies(contacts.directory_schema(directory));
END
$$;
COMMENT ON FUNCTION contacts.enable_row_security(text) IS 'puts row security on a directory: roles other than its owner see the contacts that are shared with them, and what belongs to those; again, to take in tables that were added; for the owner';

-- A table with policies of its own keeps its row security.
CREATE FUNCTION contacts.disable_row_security(directory text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_id oid := contacts.directory_schema(directory);
	secured regclass[] := ARRAY(
		SELECT c.oid FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
		WHERE c.relnamespace = schema_id AND p.polname = 'contacts_select' ORDER BY c.relname);
	relation regclass;
BEGIN
	PERFORM contacts.drop_policies(schema_id);
	FOREACH relation IN ARRAY secured LOOP
		IF NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = relation) THEN
			EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', relation);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.disable_row_security(text) IS 'takes the row security of enable_row_security() away; shares stay, and so do other policies and, with them, the row security of their tables; for the owner';

-- What check_directory() says of a directory with any of the policies.
CREATE FUNCTION contacts.missing_policies(directory oid)
	RETURNS TABLE (relation name, name name, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH found AS MATERIALIZED (
		SELECT d.* FROM contacts.describe_directory(directory, '{policy}') d
	)
	SELECT w.relation, w.name,
		CASE WHEN f.name IS NULL THEN 'is missing: see contacts.enable_row_security()'
			ELSE format('is %s; expected: %s', f.definition, m.definition) END
	FROM contacts.wanted_policies(directory) w
		LEFT JOIN found f ON f.relation = w.relation AND f.name = w.name
		LEFT JOIN contacts.model m ON m.kind = 'policy' AND m.relation = w.relation AND m.name = w.name
	WHERE EXISTS (SELECT FROM found) AND (f.name IS NULL OR f.definition <> m.definition)
	UNION ALL
	SELECT DISTINCT f.relation, ''::name, 'row security is not enabled'
	FROM found f WHERE f.state = 'disabled';
END;
COMMENT ON FUNCTION contacts.missing_policies(oid) IS 'policies of enable_row_security() that a directory under row security lacks or has altered';

CREATE FUNCTION contacts.require_role(role name) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('role "%s" does not exist', role);
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.require_role(name) IS '42704 if there is no such role';

-- The type of object that a share is of: its id and whether there is such a
-- record, as far as the caller can see.
CREATE FUNCTION contacts.require_record(directory text, object text, record text) RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type record;
	is_found boolean;
BEGIN
	EXECUTE format('SELECT t.id, t.relation::oid AS relation, t.key_column FROM %I.object_type t WHERE t.api_name = $1', directory)
		INTO type USING object;
	IF type.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('directory "%s" has no object "%s"', directory, object),
			HINT = 'See contacts.register_object().',
			SCHEMA = directory, TABLE = 'object_type';
	END IF;
	IF type.relation <> 0 THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I = %L)', type.relation::regclass, type.key_column, record)
			INTO is_found;
		IF NOT is_found THEN
			RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
				MESSAGE = format('there is no %s %s', object, record),
				SCHEMA = directory, TABLE = 'record_share';
		END IF;
	END IF;
	RETURN type.id;
END
$$;
COMMENT ON FUNCTION contacts.require_record(text, text, text) IS 'the id of a type of object, 42704 if there is none; 23503 if it has no such record';

CREATE FUNCTION contacts.share(directory text, contact_id bigint, role name, may_edit boolean DEFAULT false)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM contacts.directory_schema(directory), contacts.require_role(role);
	EXECUTE format('INSERT INTO %I.contact_share AS s (contact_id, role, may_edit) VALUES ($1, $2, $3)
		ON CONFLICT ON CONSTRAINT contact_share_pkey DO UPDATE SET may_edit = EXCLUDED.may_edit
		WHERE s.may_edit <> EXCLUDED.may_edit', directory) USING contact_id, role, may_edit;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.share(text, bigint, name, boolean) IS 'shares a contact with a role, or changes whether the role may edit it; false if that was so already; 42704 for an unknown role, 23503 for an unknown contact';

CREATE FUNCTION contacts.share(directory text, object text, record_id bigint, role name, may_edit boolean DEFAULT false)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	IF object = 'contact' THEN
		RETURN contacts.share(directory, record_id, role, may_edit);
	END IF;
	PERFORM contacts.directory_schema(directory), contacts.require_role(role);
	EXECUTE format('INSERT INTO %I.record_share AS s (object_type_id, record_id, role, may_edit) VALUES ($1, $2, $3, $4)
		ON CONFLICT (object_type_id, record_id, role) DO UPDATE SET may_edit = EXCLUDED.may_edit
		WHERE s.may_edit <> EXCLUDED.may_edit', directory)
		USING contacts.require_record(directory, object, record_id::text), record_id, role, may_edit;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.share(text, text, bigint, name, boolean) IS 'shares the contacts that are linked to a record, or belong to an organization, with a role; false if that was so already; 42704 for an unknown role or object, 23503 for an unknown record';

CREATE FUNCTION contacts.share(directory text, object text, record_uuid uuid, role name, may_edit boolean DEFAULT false)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM contacts.directory_schema(directory), contacts.require_role(role);
	EXECUTE format('INSERT INTO %I.record_share AS s (object_type_id, record_uuid, role, may_edit) VALUES ($1, $2, $3, $4)
		ON CONFLICT (object_type_id, record_uuid, role) DO UPDATE SET may_edit = EXCLUDED.may_edit
		WHERE s.may_edit <> EXCLUDED.may_edit', directory)
		USING contacts.require_record(directory, object, record_uuid::text), record_uuid, role, may_edit;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.share(text, text, uuid, name, boolean) IS 'likewise, for records with a uuid';

CREATE FUNCTION contacts.share(directory text, role name, may_edit boolean DEFAULT false)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM contacts.directory_schema(directory), contacts.require_role(role);
	EXECUTE format('INSERT INTO %I.directory_share AS s (role, may_edit) VALUES ($1, $2)
		ON CONFLICT (role) DO UPDATE SET may_edit = EXCLUDED.may_edit
		WHERE s.may_edit <> EXCLUDED.may_edit', directory) USING role, may_edit;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.share(text, name, boolean) IS 'shares all contacts, those to come included, with a role; false if that was so already; 42704 for an unknown role';

CREATE FUNCTION contacts.unshare(directory text, contact_id bigint, role name) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM contacts.directory_schema(directory);
	EXECUTE format('DELETE FROM %I.contact_share s WHERE s.contact_id = $1 AND s.role = $2', directory) USING contact_id, role;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.unshare(text, bigint, name) IS 'takes back that a contact is shared with a role, which need not exist any more; false if it was not';

CREATE FUNCTION contacts.unshare(directory text, object text, record_id bigint, role name) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	IF object = 'contact' THEN
		RETURN contacts.unshare(directory, record_id, role);
	END IF;
	PERFORM contacts.directory_schema(directory);
	EXECUTE format('DELETE FROM %1$I.record_share s USING %1$I.object_type t
		WHERE t.id = s.object_type_id AND t.api_name = $1 AND s.record_id = $2 AND s.role = $3', directory)
		USING object, record_id, role;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.unshare(text, text, bigint, name) IS 'likewise of a record';

CREATE FUNCTION contacts.unshare(directory text, object text, record_uuid uuid, role name) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM contacts.directory_schema(directory);
	EXECUTE format('DELETE FROM %1$I.record_share s USING %1$I.object_type t
		WHERE t.id = s.object_type_id AND t.api_name = $1 AND s.record_uuid = $2 AND s.role = $3', directory)
		USING object, record_uuid, role;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.unshare(text, text, uuid, name) IS 'likewise of a record with a uuid';

CREATE FUNCTION contacts.unshare(directory text, role name) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM contacts.directory_schema(directory);
	EXECUTE format('DELETE FROM %I.directory_share s WHERE s.role = $1', directory) USING role;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed > 0;
END
$$;
COMMENT ON FUNCTION contacts.unshare(text, name) IS 'takes back that the whole directory is shared with a role; what is shared with it one by one stays so';
