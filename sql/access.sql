-- Rights: capabilities, made of ordinary GRANTs on the objects of a directory.
--
-- What each capability consists of stands in one table, contacts.privilege.
-- Nothing else is stored: who has which capability is read from the rights that
-- roles have.  So a capability is known by what it alone gives: each has
-- functions or columns of its own (the test access_list sees to that), and
-- functions, which everybody may execute with rights on tables deciding, are
-- granted to name it.

CREATE TABLE contacts.privilege (
	object text NOT NULL,
	columns name[],
	privilege text NOT NULL,
	capabilities text[] NOT NULL
);
COMMENT ON TABLE contacts.privilege IS 'what each capability consists of; see contacts.grant_access()';
COMMENT ON COLUMN contacts.privilege.object IS 'a table or view of a directory, a function of it as name(), or schema';
COMMENT ON COLUMN contacts.privilege.columns IS 'columns that it is granted on; NULL: the whole object';
COMMENT ON COLUMN contacts.privilege.privilege IS 'what may be done with it';
COMMENT ON COLUMN contacts.privilege.capabilities IS 'the capabilities that include it';
GRANT SELECT ON contacts.privilege TO PUBLIC;

INSERT INTO contacts.privilege (object, columns, privilege, capabilities) VALUES
	('schema', NULL, 'USAGE', '{view,edit,manage_subscriptions,send_email,send_sms,capture,authenticate,deliver,administer,merge}'),

	-- people, read: whoever edits reads, too; who sends picks contacts, not identifiers
	('contact', NULL, 'SELECT', '{view,edit,send_email,send_sms,administer,merge}'),
	('organization', NULL, 'SELECT', '{view,edit,send_email,send_sms,administer,merge}'),
	('identifier', NULL, 'SELECT', '{view,edit,send_email,send_sms,administer,merge}'),
	('semantic_type', NULL, 'SELECT', '{view,edit,authenticate,administer,merge}'),
	('identifier_slug', NULL, 'SELECT', '{view,edit,administer,merge}'),
	('relationship', NULL, 'SELECT', '{view,edit,administer,merge}'),
	('relationship_type', NULL, 'SELECT', '{view,edit,administer,merge}'),
	('object_type', NULL, 'SELECT', '{view,edit,administer,merge}'),
	('related_contact', NULL, 'SELECT', '{view,edit,administer}'),
	('record_relationship', NULL, 'SELECT', '{view,edit,administer}'),
	('find_contact()', NULL, 'EXECUTE', '{view}'),
	('find_contacts()', NULL, 'EXECUTE', '{view}'),
	('resolve_contact()', NULL, 'EXECUTE', '{view}'),
	('related()', NULL, 'EXECUTE', '{view}'),
	('household()', NULL, 'EXECUTE', '{view}'),
	('relationship_path()', NULL, 'EXECUTE', '{view}'),
	('address_status()', NULL, 'EXECUTE', '{view,manage_subscriptions}'),
	-- and what was said, agreed and sent
	('consent_event', NULL, 'SELECT', '{view,manage_subscriptions,administer}'),
	('subscription_topic', NULL, 'SELECT', '{view,manage_subscriptions,send_email,send_sms,administer,merge}'),
	('subscription', NULL, 'SELECT', '{view,manage_subscriptions,administer,merge}'),
	('subscription_event', NULL, 'SELECT', '{view,manage_subscriptions,administer,merge}'),
	('topic_audience', NULL, 'SELECT', '{view,administer}'),
	('email_message', NULL, 'SELECT', '{view,send_email,administer,merge}'),
	('sms_message', NULL, 'SELECT', '{view,send_sms,administer,merge}'),
	('message_history', NULL, 'SELECT', '{view,administer}'),
	('delivery_notice', NULL, 'SELECT', '{view,administer}'),
	('legal_hold', NULL, 'SELECT', '{view,administer,merge}'),
	('contact_share', NULL, 'SELECT', '{view,administer,merge}'),
	('merge_suggestion', NULL, 'SELECT', '{view,edit,administer,merge}'),
	('merge_suggestion', NULL, 'INSERT', '{edit,administer,merge}'),
	('merge_suggestion', NULL, 'UPDATE', '{edit,administer,merge}'),
	('merge_suggestion', NULL, 'DELETE', '{edit,administer,merge}'),
	('setting', NULL, 'SELECT', '{view,send_email,send_sms,administer,merge}'),
	('contact_consent', NULL, 'SELECT', '{view,administer}'),
	('consent_history()', NULL, 'EXECUTE', '{view}'),
	('proof_of_consent()', NULL, 'EXECUTE', '{view}'),
	('unsubscribe_token()', NULL, 'EXECUTE', '{view,send_email,send_sms,deliver}'),

	-- people, written: whole rows of contact, whose trigger asks for the right on
	-- identifier.status where a state really changes (C9)
	('contact', NULL, 'INSERT', '{edit,administer,merge}'),
	('contact', NULL, 'UPDATE', '{edit,administer,merge}'),
	('contact', NULL, 'DELETE', '{edit,administer,merge}'),
	('identifier', NULL, 'INSERT', '{edit,administer,merge}'),
	('identifier', '{contact_id,semantic_type,slug,value,validated_at,validation_method,is_validated,source,is_outreach}', 'UPDATE', '{edit}'),
	('identifier', NULL, 'DELETE', '{edit,administer,merge}'),
	('organization', NULL, 'INSERT', '{edit,administer}'),
	('organization', NULL, 'UPDATE', '{edit,administer}'),
	('organization', NULL, 'DELETE', '{edit,administer}'),
	('relationship', NULL, 'INSERT', '{edit,administer,merge}'),
	('relationship', NULL, 'UPDATE', '{edit,administer,merge}'),
	('relationship', NULL, 'DELETE', '{edit,administer,merge}'),
	('create_ghost()', NULL, 'EXECUTE', '{edit}'),
	('identify()', NULL, 'EXECUTE', '{edit}'),
	('dismiss_duplicate()', NULL, 'EXECUTE', '{edit}'),
	('identify_many()', NULL, 'EXECUTE', '{edit}'),
	('relate()', NULL, 'EXECUTE', '{edit}'),
	('unrelate()', NULL, 'EXECUTE', '{edit}'),
	('set_main()', NULL, 'EXECUTE', '{edit}'),
	('validate_identifier()', NULL, 'EXECUTE', '{edit}'),
	('invalidate_identifier()', NULL, 'EXECUTE', '{edit}'),
	-- no row can be made of these two: they are for the functions to ask for
	('validation', '{identifier_id,consumed_at}', 'INSERT', '{edit,authenticate,administer}'),
	('start_validation()', NULL, 'EXECUTE', '{edit,authenticate}'),
	('confirm_validation()', NULL, 'EXECUTE', '{edit,authenticate}'),

	-- consent and subscriptions, by address or contact, without reading people
	('identifier', '{key,holder,status}', 'SELECT', '{manage_subscriptions}'),
	('identifier', '{status}', 'UPDATE', '{manage_subscriptions}'),
	('subscription', NULL, 'INSERT', '{manage_subscriptions,administer,merge}'),
	('subscription', NULL, 'UPDATE', '{manage_subscriptions,administer,merge}'),
	('subscription', NULL, 'DELETE', '{manage_subscriptions,administer,merge}'),
	('suppress()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('suppress_many()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('unsubscribe()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('opt_in()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('subscribe()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('subscribe_many()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('unsubscribe_topic()', NULL, 'EXECUTE', '{manage_subscriptions}'),
	('use_unsubscribe_token()', NULL, 'EXECUTE', '{manage_subscriptions}'),

	-- messages
	('message_template', NULL, 'SELECT', '{view,send_email,send_sms,administer}'),
	('email_message', NULL, 'INSERT', '{send_email,administer}'),
	('sms_message', NULL, 'INSERT', '{send_sms,administer}'),
	('email_message', '{idempotency_key}', 'UPDATE', '{send_email}'),
	('sms_message', '{idempotency_key}', 'UPDATE', '{send_sms}'),
	('queue_email()', NULL, 'EXECUTE', '{send_email}'),
	('queue_emails()', NULL, 'EXECUTE', '{send_email}'),
	('queue_sms()', NULL, 'EXECUTE', '{send_sms}'),
	('queue_sms_many()', NULL, 'EXECUTE', '{send_sms}'),
	('render()', NULL, 'EXECUTE', '{send_email,send_sms}'),
	('render_many()', NULL, 'EXECUTE', '{send_email,send_sms}'),
	('preview()', NULL, 'EXECUTE', '{send_email,send_sms}'),

	-- a public form enters people through the functions, and reads nothing: an
	-- INSERT of its own would tell it by 23505 who is known
	('contact', '{last_seen_at}', 'INSERT', '{capture}'),
	('capture_lead()', NULL, 'EXECUTE', '{capture}'),
	('touch()', NULL, 'EXECUTE', '{capture}'),
	-- an application that logs people in: verifiers, and whose they are
	('credential', NULL, 'SELECT', '{authenticate}'),
	('credential', NULL, 'INSERT', '{authenticate}'),
	('credential', NULL, 'UPDATE', '{authenticate}'),
	('credential', NULL, 'DELETE', '{authenticate,administer}'),
	('identifier', '{contact_id,semantic_type,value}', 'SELECT', '{authenticate}'),
	('register()', NULL, 'EXECUTE', '{authenticate}'),
	('credential', '{contact_id,created_at,updated_at}', 'SELECT', '{view,administer}'),

	-- workers: due messages through the functions alone, and notices
	('email_message', '{leased_until}', 'UPDATE', '{deliver}'),
	('sms_message', '{leased_until}', 'UPDATE', '{deliver}'),
	('delivery_notice', NULL, 'INSERT', '{deliver,administer}'),
	('next_emails()', NULL, 'EXECUTE', '{deliver}'),
	('next_sms()', NULL, 'EXECUTE', '{deliver}'),
	('mark_sent()', NULL, 'EXECUTE', '{deliver}'),
	('mark_failed()', NULL, 'EXECUTE', '{deliver}'),
	('record_bounce()', NULL, 'EXECUTE', '{deliver}'),
	('record_bounces()', NULL, 'EXECUTE', '{deliver}'),
	('record_complaint()', NULL, 'EXECUTE', '{deliver}'),
	('record_complaints()', NULL, 'EXECUTE', '{deliver}'),
	('record_delivery()', NULL, 'EXECUTE', '{deliver}'),
	('record_deliveries()', NULL, 'EXECUTE', '{deliver}'),

	-- merging and its undoing, with all that moves
	('merge_history', NULL, 'SELECT', '{view,merge,administer}'),
	('merge_journal', '{id,merge_id,contact_id,relation,action,columns,before,after,role}', 'SELECT', '{merge,administer}'),
	('merge_journal', '{verifier}', 'SELECT', '{authenticate}'),
	('contact_alias', NULL, 'SELECT', '{view,edit,merge,administer}'),
	('contact_by_id', NULL, 'SELECT', '{view,edit,merge,administer}'),
	('contact_reference', NULL, 'SELECT', '{merge,administer}'),
	('merge_history', '{survivor_id,loser_ids,reason}', 'INSERT', '{merge,administer}'),
	('merge_journal', '{merge_id,contact_id,relation,action,columns,before,after,verifier}', 'INSERT', '{merge,administer}'),
	('contact_alias', NULL, 'INSERT', '{merge,administer}'),
	('merge_history', '{counts,unmerged_by,unmerged_at}', 'UPDATE', '{merge}'),
	('merge_history', NULL, 'UPDATE', '{administer}'),
	('merge_journal', '{contact_id}', 'UPDATE', '{merge,administer}'),
	('contact_alias', NULL, 'UPDATE', '{merge,administer}'),
	('merge_history', NULL, 'DELETE', '{administer}'),
	('merge_journal', NULL, 'DELETE', '{merge,administer}'),
	('contact_alias', NULL, 'DELETE', '{merge,administer}'),
	('contact_reference', NULL, 'INSERT', '{administer}'),
	('contact_reference', NULL, 'UPDATE', '{administer}'),
	('contact_reference', NULL, 'DELETE', '{administer}'),

	-- everything but the secret
	('identifier', NULL, 'UPDATE', '{administer,merge}'),
	-- the guards of the logs let them be blanked only
	('consent_event', NULL, 'UPDATE', '{administer}'),
	('subscription_event', NULL, 'UPDATE', '{administer}'),
	('email_message', NULL, 'UPDATE', '{administer,merge}'),
	('sms_message', NULL, 'UPDATE', '{administer,merge}'),
	('email_message', NULL, 'DELETE', '{administer}'),
	('sms_message', NULL, 'DELETE', '{administer}'),
	('delivery_notice', NULL, 'DELETE', '{administer}'),
	('validation', NULL, 'SELECT', '{administer}'),
	('validation', '{id,identifier_id,method,key,created_at,expires_at,attempts_left,consumed_at}', 'SELECT', '{view}'),
	('validation', NULL, 'DELETE', '{administer}'),
	('legal_hold', NULL, 'INSERT', '{administer}'),
	('legal_hold', NULL, 'UPDATE', '{administer,merge}'),
	('legal_hold', NULL, 'DELETE', '{administer}'),
	('erasure', NULL, 'SELECT', '{administer}'),
	('erasure', NULL, 'INSERT', '{administer}'),
	('directory_share', NULL, 'SELECT', '{administer}'),
	('directory_share', NULL, 'INSERT', '{administer}'),
	('directory_share', NULL, 'UPDATE', '{administer}'),
	('directory_share', NULL, 'DELETE', '{administer}'),
	('contact_share', NULL, 'INSERT', '{administer,merge}'),
	('contact_share', NULL, 'UPDATE', '{administer,merge}'),
	('contact_share', NULL, 'DELETE', '{administer,merge}'),
	('record_share', NULL, 'SELECT', '{administer}'),
	('record_share', NULL, 'INSERT', '{administer}'),
	('record_share', NULL, 'UPDATE', '{administer}'),
	('record_share', NULL, 'DELETE', '{administer}'),
	('setting', NULL, 'UPDATE', '{administer}'),
	('semantic_type', NULL, 'INSERT', '{administer}'),
	('identifier_slug', NULL, 'INSERT', '{administer}'),
	('identifier_slug', NULL, 'DELETE', '{administer}'),
	('relationship_type', NULL, 'INSERT', '{administer}'),
	('relationship_type', NULL, 'UPDATE', '{administer}'),
	('relationship_type', NULL, 'DELETE', '{administer}'),
	('subscription_topic', NULL, 'INSERT', '{administer}'),
	('subscription_topic', NULL, 'UPDATE', '{administer}'),
	('subscription_topic', NULL, 'DELETE', '{administer}'),
	('message_template', NULL, 'INSERT', '{administer}'),
	('message_template', NULL, 'UPDATE', '{administer}'),
	('message_template', NULL, 'DELETE', '{administer}'),
	('export_person()', NULL, 'EXECUTE', '{administer}'),
	('erase_person()', NULL, 'EXECUTE', '{administer}'),
	('suppression_list()', NULL, 'EXECUTE', '{administer}'),
	('import_suppressions()', NULL, 'EXECUTE', '{administer}'),
	('cleanup_ghosts()', NULL, 'EXECUTE', '{administer}'),
	('import_suppression_keys()', NULL, 'EXECUTE', '{administer}');

-- One row for each right that could be granted or revoked.
CREATE FUNCTION contacts.wanted_rights(directory oid)
	RETURNS TABLE (capabilities text[], classid oid, objid oid, column_name name, privilege text, target text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT p.capabilities, 'pg_namespace'::regclass::oid, n.oid, NULL::name, p.privilege, format('SCHEMA %I', n.nspname)
	FROM contacts.privilege p JOIN pg_namespace n ON n.oid = directory
	WHERE p.object = 'schema'
	UNION ALL
	SELECT p.capabilities, 'pg_class'::regclass, c.oid, a.name, p.privilege, format('TABLE %I.%I', n.nspname, c.relname)
	FROM contacts.privilege p
		JOIN pg_class c ON c.relnamespace = directory AND c.relname = p.object AND c.relkind IN ('r', 'v')
		JOIN pg_namespace n ON n.oid = directory
		CROSS JOIN LATERAL unnest(coalesce(p.columns, '{NULL}')) a (name)
	UNION ALL
	SELECT p.capabilities, 'pg_proc'::regclass, f.oid, NULL, p.privilege,
		format('ROUTINE %I.%I(%s)', n.nspname, f.proname, pg_get_function_identity_arguments(f.oid))
	FROM contacts.privilege p
		JOIN pg_proc f ON f.pronamespace = directory AND f.proname || '()' = p.object
		JOIN contacts.model m ON m.kind = 'function' AND m.name = contacts.function_signature(f.oid)
		JOIN pg_namespace n ON n.oid = directory;
END;
COMMENT ON FUNCTION contacts.wanted_rights(oid) IS 'the rights that capabilities consist of, on the objects of a directory';

CREATE FUNCTION contacts.held_rights(directory oid)
	RETURNS TABLE (role oid, classid oid, objid oid, column_name name, privilege text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT x.grantee, o.classid, o.objid, o.column_name, x.privilege_type
	FROM (
		SELECT 'pg_namespace'::regclass::oid AS classid, n.oid AS objid, NULL::name AS column_name, n.nspacl AS acl, n.nspowner AS owner
		FROM pg_namespace n WHERE n.oid = directory
		UNION ALL
		SELECT 'pg_class'::regclass, c.oid, NULL, c.relacl, c.relowner
		FROM pg_class c WHERE c.relnamespace = directory AND c.relkind IN ('r', 'v')
		UNION ALL
		SELECT 'pg_class'::regclass, c.oid, a.attname, a.attacl, c.relowner
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = directory AND c.relkind IN ('r', 'v') AND a.attacl IS NOT NULL
		UNION ALL
		SELECT 'pg_proc'::regclass, p.oid, NULL, p.proacl, p.proowner
		FROM pg_proc p WHERE p.pronamespace = directory
	) o CROSS JOIN LATERAL aclexplode(o.acl) x
	WHERE x.grantee <> 0 AND x.grantee <> o.owner;
END;
COMMENT ON FUNCTION contacts.held_rights(oid) IS 'the rights that roles were granted on the objects of a directory, but for their owner''s and everybody''s';

CREATE FUNCTION contacts.held_capabilities(directory oid)
	RETURNS TABLE (role oid, capability text, is_complete boolean)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT h.role, c.name, count(*) = (
		SELECT count(*) FROM contacts.wanted_rights(directory) x WHERE c.name = ANY (x.capabilities))
	FROM (SELECT DISTINCT * FROM contacts.held_rights(directory)) h
		JOIN contacts.wanted_rights(directory) w ON w.classid = h.classid AND w.objid = h.objid
			AND w.column_name IS NOT DISTINCT FROM h.column_name AND w.privilege = h.privilege
		CROSS JOIN LATERAL unnest(w.capabilities) c (name)
	GROUP BY h.role, c.name
	HAVING bool_or(cardinality(w.capabilities) = 1);
END;
COMMENT ON FUNCTION contacts.held_capabilities(oid) IS 'the capabilities of which a role has what they alone give, and whether it has all of them';

CREATE FUNCTION contacts.access(directory text)
	RETURNS TABLE (role name, capability text, is_complete boolean)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT pg_get_userbyid(h.role), h.capability, h.is_complete
	FROM contacts.held_capabilities(contacts.directory_schema(directory)) h
	ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION contacts.access(text) IS 'which roles were granted which capabilities in a directory, as the rights on its objects tell; is_complete false: some of the rights are missing, grant_access() adds them';

-- Checks what grant_access() and revoke_access() are given; returns the schema.
-- Grants are made one after another.
CREATE FUNCTION contacts.check_access(directory text, role text, capability text) RETURNS oid
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_id oid := contacts.directory_schema(directory);
	known text[] := (SELECT array_agg(DISTINCT c.name ORDER BY c.name) FROM contacts.privilege p CROSS JOIN LATERAL unnest(p.capabilities) c (name));
BEGIN
	IF capability IS NULL OR capability <> ALL (known) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown capability "%s"', coalesce(capability, 'NULL')),
			HINT = format('Capabilities are %s.', array_to_string(known, ', '));
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object',
			MESSAGE = format('role "%s" does not exist', coalesce(role, 'NULL'));
	END IF;
	IF EXISTS (
		SELECT FROM contacts.wanted_rights(schema_id) w
			LEFT JOIN pg_namespace n ON w.classid = 'pg_namespace'::regclass AND n.oid = w.objid
			LEFT JOIN pg_class c ON w.classid = 'pg_class'::regclass AND c.oid = w.objid
			LEFT JOIN pg_proc f ON w.classid = 'pg_proc'::regclass AND f.oid = w.objid
		WHERE NOT pg_has_role(coalesce(n.nspowner, c.relowner, f.proowner), 'USAGE'))
	THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('must be owner of directory "%s"', directory), SCHEMA = directory;
	END IF;
	EXECUTE format('LOCK TABLE ONLY %I.setting IN SHARE UPDATE EXCLUSIVE MODE', directory);
	RETURN schema_id;
END
$$;
COMMENT ON FUNCTION contacts.check_access(text, text, text) IS 'refuses an unknown capability (22023) or role (42704) and others than the owner of the directory (42501)';

CREATE FUNCTION contacts.grant_access(directory text, role text, capability text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_id oid := contacts.check_access(directory, role, capability);
	statement text;
BEGIN
	FOR statement IN
		SELECT format('GRANT %s%s ON %s TO %I', w.privilege,
			' (' || string_agg(quote_ident(w.column_name), ', ') || ')', w.target, role)
		FROM contacts.wanted_rights(schema_id) w
		WHERE capability = ANY (w.capabilities)
		GROUP BY w.privilege, w.target, w.column_name IS NULL
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.grant_access(text, text, text) IS 'gives a role a capability in a directory: view, edit, manage_subscriptions, send_email, send_sms, capture, authenticate, deliver, merge or administer; for the owner; again after an upgrade, it adds what is new';

-- What another capability of the role includes stays.  Revoking a right on a
-- table takes those on its columns along; they are granted again.
CREATE FUNCTION contacts.revoke_access(directory text, role text, capability text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_id oid := contacts.check_access(directory, role, capability);
	statements text[];
	statement text;
BEGIN
	WITH kept AS (
		SELECT h.capability FROM contacts.held_capabilities(schema_id) h
		WHERE pg_get_userbyid(h.role) = revoke_access.role AND h.capability <> revoke_access.capability
	), held AS (
		SELECT w.*, w.capabilities && ARRAY(SELECT k.capability FROM kept k) AS is_kept
		FROM contacts.wanted_rights(schema_id) w
			JOIN (SELECT DISTINCT * FROM contacts.held_rights(schema_id)) h ON h.classid = w.classid AND h.objid = w.objid
				AND h.column_name IS NOT DISTINCT FROM w.column_name AND h.privilege = w.privilege
		WHERE pg_get_userbyid(h.role) = revoke_access.role
	)
	SELECT array_agg(s.statement ORDER BY s.is_kept) INTO statements
	FROM (
		SELECT h.is_kept, format(CASE WHEN h.is_kept THEN 'GRANT %s%s ON %s TO %I' ELSE 'REVOKE %s%s ON %s FROM %I' END, h.privilege,
			' (' || quote_ident(h.column_name) || ')', h.target, revoke_access.role) AS statement
		FROM held h
		WHERE h.is_kept AND h.column_name IS NOT NULL
			OR NOT h.is_kept AND revoke_access.capability = ANY (h.capabilities)
	) s;
	FOREACH statement IN ARRAY coalesce(statements, '{}') LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION contacts.revoke_access(text, text, text) IS 'takes a capability from a role in a directory; what another capability of the role includes stays; for the owner';
