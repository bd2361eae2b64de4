-- Who sees which contacts under row security: what its policies ask, and the
-- policies themselves.

CREATE FUNCTION contacts.my_roles() RETURNS name[]
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.my_roles() IS 'the current role and the roles that it inherits from';

CREATE FUNCTION contacts.may_see_support(internal) RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_see_support(internal) IS 'planner support of may_see(): true, once and for all, where the whole directory is shared with the current role';
CREATE FUNCTION contacts.may_edit_support(internal) RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_edit_support(internal) IS 'planner support of may_edit(), likewise';

CREATE FUNCTION contacts.may_see(contact regclass, contact_id bigint) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE COST 50 SUPPORT contacts.may_see_support AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_see(regclass, bigint) IS 'does row security let the current role see the contact of the directory of that table contact?  NULL stands for rows without a contact, which who sees the whole directory sees';
CREATE FUNCTION contacts.may_see(contact regclass, contact_id bigint, organization_id bigint) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE COST 50 SUPPORT contacts.may_see_support AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_see(regclass, bigint, bigint) IS 'likewise, as if that were the organization of the contact';
CREATE FUNCTION contacts.may_edit(contact regclass, contact_id bigint) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE COST 50 SUPPORT contacts.may_edit_support AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_edit(regclass, bigint) IS 'does row security let the current role change the contact and what belongs to it?';
CREATE FUNCTION contacts.may_edit(contact regclass, contact_id bigint, organization_id bigint) RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE COST 50 SUPPORT contacts.may_edit_support AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_edit(regclass, bigint, bigint) IS 'likewise, as if that were the organization of the contact';

CREATE FUNCTION contacts.may_see_key(contact regclass, key uuid) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.may_see_key(regclass, uuid) IS 'does row security let the current role see a contact that holds the value with this key?';

CREATE FUNCTION contacts.is_new_contact(contact regclass, contact_id bigint) RETURNS boolean
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 50 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.is_new_contact(regclass, bigint) IS 'did the statement that is running insert the contact?';

CREATE FUNCTION contacts.contact_share() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.contact_share() IS 'AFTER INSERT on contact: under row security, who inserts a contact may see and edit it';

-- The tables whose rows belong to a contact: every table of the directory, and
-- of its owner, with a foreign key contact_id to contact, others' included.
-- Its further foreign keys to contact lead to contacts that are to be seen.
CREATE FUNCTION contacts.secured_tables(directory oid)
	RETURNS TABLE (relation oid, name name, others name[])
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT t.oid, t.relname,
		coalesce(array_agg(a.attname ORDER BY a.attname) FILTER (WHERE a.attname <> 'contact_id'), '{}')
	FROM pg_class c
		JOIN pg_constraint k ON k.confrelid = c.oid AND k.contype = 'f' AND cardinality(k.conkey) = 1
		JOIN pg_class t ON t.oid = k.conrelid AND t.relnamespace = c.relnamespace AND t.relowner = c.relowner
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
		JOIN pg_attribute b ON b.attrelid = c.oid AND b.attnum = k.confkey[1] AND b.attname = 'id'
	WHERE c.relnamespace = directory AND c.relname = 'contact' AND t.oid <> c.oid
	GROUP BY t.oid, t.relname
	HAVING bool_or(a.attname = 'contact_id');
END;
COMMENT ON FUNCTION contacts.secured_tables(oid) IS 'the tables of a directory whose rows belong to a contact, and their other foreign keys to contact';

-- A row that is not stored yet has no place: the ctid that none has.  Who
-- writes it may see it, as RETURNING does, before there is a share of it.
CREATE FUNCTION contacts.wanted_policies(directory oid)
	RETURNS TABLE (relation name, name name, command text, using_clause text, check_clause text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH term AS (
		SELECT format('contacts.may_see(%L::regclass, ', format('%I.contact', n.nspname)) AS see,
			format('contacts.may_edit(%L::regclass, ', format('%I.contact', n.nspname)) AS edit,
			format('contacts.is_new_contact(%L::regclass, ', format('%I.contact', n.nspname)) AS is_new,
			' OR ctid = ''(4294967295,0)''::tid' AS is_unstored
		FROM pg_namespace n WHERE n.oid = directory
	), condition AS (
		SELECT 'contact'::name AS relation,
			t.see || 'id, organization_id)' || t.is_unstored AS may_read,
			'true' AS may_insert,
			t.edit || 'id, organization_id)' AS may_change,
			t.edit || 'id, organization_id)' AS may_become
		FROM term t
		UNION ALL
		SELECT s.name,
			format('(%scontact_id)%s)', t.see, o.seen) || t.is_unstored,
			format('(contact_id IS NULL OR %1$scontact_id) OR %2$scontact_id))%3$s', t.edit, t.is_new, o.seen_or_new),
			format('%scontact_id)%s', t.edit, o.seen),
			format('(contact_id IS NULL OR %scontact_id))%s', t.edit, o.seen)
		FROM term t CROSS JOIN contacts.secured_tables(directory) s
			CROSS JOIN LATERAL (
				SELECT coalesce(string_agg(format(' AND (%1$I IS NULL OR %2$s%1$I))', c, t.see), ''), ''),
					coalesce(string_agg(format(' AND (%1$I IS NULL OR %2$s%1$I) OR %3$s%1$I))', c, t.see, t.is_new), ''), '')
				FROM unnest(s.others) c) o (seen, seen_or_new)
		UNION ALL
		SELECT k.relation, t.see || 'NULL) OR ' || replace(t.see, 'may_see(', 'may_see_key(') || 'key)' || t.is_unstored,
			coalesce(k.may_insert, t.edit || 'NULL)'), t.edit || 'NULL)', t.edit || 'NULL)'
		FROM term t, (VALUES ('consent_event'::name, NULL), ('delivery_notice', 'true'), ('validation', NULL)) k (relation, may_insert)
		UNION ALL
		SELECT s.relation, t.see || 'NULL) OR role = ANY (contacts.my_roles())' || t.is_unstored,
			t.edit || 'NULL)', t.edit || 'NULL)', t.edit || 'NULL)'
		FROM term t, (VALUES ('directory_share'::name), ('record_share')) s (relation)
	)
	SELECT c.relation, 'contacts_select'::name, 'SELECT', c.may_read, NULL FROM condition c
	UNION ALL
	SELECT c.relation, 'contacts_insert', 'INSERT', NULL, c.may_insert FROM condition c
	UNION ALL
	SELECT c.relation, 'contacts_update', 'UPDATE', c.may_change, c.may_become FROM condition c
	UNION ALL
	SELECT c.relation, 'contacts_delete', 'DELETE', c.may_change, NULL FROM condition c;
END;
COMMENT ON FUNCTION contacts.wanted_policies(oid) IS 'the policies that enable_row_security() makes on a directory';

CREATE FUNCTION contacts.drop_policies(directory oid) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		SELECT format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass)
		FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
		WHERE c.relnamespace = directory
			AND p.polname IN ('contacts_select', 'contacts_insert', 'contacts_update', 'contacts_delete')
		ORDER BY c.relname, p.polname
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.drop_policies(oid) IS 'drops the policies that enable_row_security() made; row security stays on';

CREATE FUNCTION contacts.make_policies(directory oid) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	PERFORM contacts.drop_policies(directory);
	FOR statement IN
		SELECT format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', n.nspname, w.relation)
		FROM contacts.wanted_policies(directory) w JOIN pg_namespace n ON n.oid = directory
		WHERE w.command = 'SELECT'
		UNION ALL
		SELECT format('CREATE POLICY %I ON %I.%I FOR %s', w.name, n.nspname, w.relation, w.command)
			|| coalesce(' USING (' || w.using_clause || ')', '') || coalesce(' WITH CHECK (' || w.check_clause || ')', '')
		FROM contacts.wanted_policies(directory) w JOIN pg_namespace n ON n.oid = directory
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.make_policies(oid) IS 'what enable_row_security() does';
