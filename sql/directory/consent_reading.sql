-- The log of consent, read.

CREATE FUNCTION consent_history(address text)
	RETURNS TABLE (at timestamptz, old_state text, new_state text, reason text, source text, evidence jsonb, role text, event_id bigint)
	LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT e.at, e.old_state::text, e.new_state::text, e.reason::text, e.source, e.evidence, e.role, e.id
	FROM consent_event e
	WHERE e.key = (SELECT contacts.address_key('identifier'::regclass, $1))
	ORDER BY e.id;
END;
COMMENT ON FUNCTION consent_history(text) IS 'all events of an email address or phone number in their order, also if nobody holds it or it was erased; none if it is no address';

CREATE VIEW contact_consent WITH (security_invoker = true) AS
	SELECT i.contact_id, i.semantic_type, i.slug, i.value, e.at,
		e.old_state, e.new_state, e.reason, e.source, e.evidence, e.role, e.id AS event_id
	FROM identifier i JOIN consent_event e ON e.key = i.key
	WHERE i.contact_id IS NOT NULL;
COMMENT ON VIEW contact_consent IS 'the log of consent for each contact: the events of the addresses that it holds, those from before it held them included';
COMMENT ON COLUMN contact_consent.contact_id IS 'who holds the address';
COMMENT ON COLUMN contact_consent.semantic_type IS 'kind of the address';
COMMENT ON COLUMN contact_consent.slug IS 'its label';
COMMENT ON COLUMN contact_consent.value IS 'the address';
COMMENT ON COLUMN contact_consent.at IS 'when';
COMMENT ON COLUMN contact_consent.old_state IS 'state before; NULL: the address was not known';
COMMENT ON COLUMN contact_consent.new_state IS 'state after';
COMMENT ON COLUMN contact_consent.reason IS 'why';
COMMENT ON COLUMN contact_consent.source IS 'where the wish was met';
COMMENT ON COLUMN contact_consent.evidence IS 'what was agreed to, how and where';
COMMENT ON COLUMN contact_consent.role IS 'role that made the change';
COMMENT ON COLUMN contact_consent.event_id IS 'consent_event.id; the order of events';

CREATE FUNCTION proof_of_consent(contact_id bigint) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT jsonb_build_object(
		'contact_id', c.id,
		'as_of', now(),
		'addresses', coalesce((
			SELECT jsonb_agg(jsonb_build_object(
				'kind', i.semantic_type,
				'label', i.slug,
				'address', i.value,
				'state', coalesce(s.status::text, 'not_opted_in'),
				'reason', s.status_reason,
				'since', s.status_changed_at,
				'validated_at', i.validated_at,
				'validation_method', i.validation_method,
				'agreements', coalesce((
					SELECT jsonb_agg(jsonb_build_object(
						'at', e.at,
						'text', e.evidence -> 'text',
						'form', e.evidence -> 'form',
						'form_version', e.evidence -> 'form_version',
						'source', e.source,
						'evidence', e.evidence) ORDER BY e.id)
					FROM consent_event e WHERE e.key = i.key AND e.new_state::text = 'opted_in'), '[]'),
				'history', coalesce((
					SELECT jsonb_agg(jsonb_build_object(
						'at', e.at,
						'from', e.old_state,
						'to', e.new_state,
						'reason', e.reason,
						'source', e.source,
						'evidence', e.evidence,
						'role', e.role) ORDER BY e.id)
					FROM consent_event e WHERE e.key = i.key), '[]'),
				'notices', coalesce((
					SELECT jsonb_agg(jsonb_build_object(
						'at', n.at,
						'kind', n.kind,
						'source', n.source,
						'diagnostic', n.diagnostic) ORDER BY n.at, n.id)
					FROM delivery_notice n WHERE n.key = i.key AND n.kind <> 'delivery'), '[]'))
				ORDER BY i.semantic_type, i.slug, i.value)
			FROM identifier i
				JOIN semantic_type t ON t.name = i.semantic_type AND t.is_contactable
				LEFT JOIN identifier s ON s.key = i.key AND s.holder = 0
			WHERE i.contact_id = c.id), '[]'),
		'topics', coalesce((
			SELECT jsonb_agg(jsonb_build_object(
				'topic', t.name,
				'label', t.label,
				'state', s.state,
				'since', s.since,
				'source', s.source,
				'evidence', s.evidence,
				'history', coalesce((
					SELECT jsonb_agg(jsonb_build_object(
						'at', e.at,
						'from', e.old_state,
						'to', e.new_state,
						'source', e.source,
						'evidence', e.evidence,
						'role', e.role) ORDER BY e.id)
					FROM subscription_event e WHERE e.contact_id = c.id AND e.topic_id = t.id), '[]'))
				ORDER BY t.name)
			FROM subscription s JOIN subscription_topic t ON t.id = s.topic_id
			WHERE s.contact_id = c.id), '[]'))
	FROM contact c
	WHERE c.id = contacts.existing_contact((SELECT x.id FROM contact x WHERE x.id = $1));
END;
COMMENT ON FUNCTION proof_of_consent(bigint) IS 'one document for an auditor: for each address of the contact its state, what was agreed to, where, when and from which version of a form, the full history, complaints and bounces; and the topics; P0002 for an unknown contact';
