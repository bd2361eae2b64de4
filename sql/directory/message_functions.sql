-- Messages: queued, handed out to delivery workers, marked.  What refuses a
-- message stands in the triggers; these functions ask first, where one contact
-- must not stop the others.

CREATE FUNCTION queue_email(contact_id bigint, subject text DEFAULT NULL, body text DEFAULT NULL, kind text DEFAULT NULL,
	template text DEFAULT NULL, topic text DEFAULT NULL, send_at timestamptz DEFAULT NULL, local_time time DEFAULT NULL,
	body_format text DEFAULT NULL, idempotency_key text DEFAULT NULL) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	WITH request AS MATERIALIZED (
		SELECT CASE WHEN $5 IS NOT NULL THEN contacts.existing_template(
				(SELECT t.id FROM message_template t WHERE t.name = $5 AND t.archived_at IS NULL), $5) END AS template_id,
			CASE WHEN $6 IS NOT NULL THEN contacts.existing_topic(
				(SELECT p.id FROM subscription_topic p WHERE p.name = $6), $6) END AS topic_id,
			coalesce($4, (SELECT t.kind FROM message_template t WHERE t.name = $5), 'marketing') AS kind,
			coalesce($9, (SELECT t.body_format FROM message_template t WHERE t.name = $5), 'text') AS body_format,
			coalesce($7, now()) AS send_at,
			(SELECT s.default_time_zone::text FROM setting s) AS time_zone
	)
	INSERT INTO email_message AS m (contact_id, address, kind, template_id, topic_id, subject, body, body_format, send_at, idempotency_key)
	SELECT c.id, c.email::text, r.kind, r.template_id, r.topic_id,
		coalesce($2, d.subject), coalesce($3, d.body), r.body_format,
		contacts.at_local_time(r.send_at, $8, c.time_zone::text, r.time_zone),
		$10
	FROM request r
		CROSS JOIN (SELECT contacts.existing_contact((SELECT c.id FROM contact c WHERE c.id = $1)) AS id OFFSET 0) e
		JOIN contact c ON c.id = e.id
		LEFT JOIN LATERAL (
			SELECT x.subject, x.body
			FROM contacts.render_template('message_template'::regclass, r.template_id, ARRAY[e.id], r.topic_id) x
			WHERE r.template_id IS NOT NULL) d ON true
	ON CONFLICT (contact_id, idempotency_key) WHERE idempotency_key IS NOT NULL
	DO UPDATE SET idempotency_key = EXCLUDED.idempotency_key
	RETURNING id;
END;
COMMENT ON FUNCTION queue_email(bigint, text, text, text, text, text, timestamptz, time, text, text) IS 'queues an email to the main address of a contact and returns its id; from a template or with its own subject and body; kind: that of the template, else marketing; send_at: when, local_time: the next time that it is so late where the contact lives; the same idempotency_key queues it once; 23514 if consent refuses it (rule C8), P0002 for an unknown contact, template or topic';

CREATE FUNCTION queue_emails(contact_ids bigint[], subject text DEFAULT NULL, body text DEFAULT NULL, kind text DEFAULT NULL,
	template text DEFAULT NULL, topic text DEFAULT NULL, send_at timestamptz DEFAULT NULL, local_time time DEFAULT NULL,
	body_format text DEFAULT NULL, idempotency_key text DEFAULT NULL)
	RETURNS TABLE (contact_id bigint, message_id bigint, result text)
	LANGUAGE sql VOLATILE SET work_mem = '64MB'
BEGIN ATOMIC
	WITH request AS MATERIALIZED (
		SELECT CASE WHEN $5 IS NOT NULL THEN contacts.existing_template(
				(SELECT t.id FROM message_template t WHERE t.name = $5 AND t.archived_at IS NULL), $5) END AS template_id,
			CASE WHEN $6 IS NOT NULL THEN contacts.existing_topic(
				(SELECT p.id FROM subscription_topic p WHERE p.name = $6), $6) END AS topic_id,
			coalesce($4, (SELECT t.kind FROM message_template t WHERE t.name = $5), 'marketing') AS kind,
			coalesce($9, (SELECT t.body_format FROM message_template t WHERE t.name = $5), 'text') AS body_format,
			coalesce($7, now()) AS send_at,
			(SELECT s.default_time_zone::text FROM setting s) AS time_zone
	), wanted AS MATERIALIZED (
		SELECT array_agg(w.id) AS ids, array_agg(w.is_there) AS are_there,
			array_agg(w.address) AS addresses, array_agg(w.send_at) AS send_ats
		FROM (
			SELECT u.id, c.id IS NOT NULL AS is_there, c.email::text AS address,
				contacts.at_local_time(r.send_at, $8, c.time_zone::text, r.time_zone) AS send_at
			FROM request r
				CROSS JOIN (SELECT DISTINCT x.id FROM unnest($1) x (id) WHERE x.id IS NOT NULL) u
				LEFT JOIN contact c ON c.id = u.id
			ORDER BY u.id) w
	), answered AS MATERIALIZED (
		SELECT u.id, u.address, u.send_at,
			CASE WHEN u.is_there THEN u.refusal ELSE 'email_message_contact_id_fkey' END AS refusal
		FROM request r CROSS JOIN wanted w
			CROSS JOIN LATERAL unnest(w.ids, w.are_there, w.addresses, w.send_ats,
				contacts.message_refusals('email_message'::regclass, w.ids, w.addresses, r.kind, r.topic_id))
				AS u (id, is_there, address, send_at, refusal)
	), rendered AS MATERIALIZED (
		SELECT d.contact_id, d.subject, d.body
		FROM request r
			CROSS JOIN LATERAL (SELECT array_agg(a.id) AS ids FROM answered a WHERE a.refusal IS NULL) w
			CROSS JOIN LATERAL contacts.render_template('message_template'::regclass, r.template_id, w.ids, r.topic_id) d
		WHERE r.template_id IS NOT NULL
	), queued AS (
		INSERT INTO email_message AS m (contact_id, address, kind, template_id, topic_id, subject, body, body_format, send_at, idempotency_key)
		SELECT a.id, a.address, r.kind, r.template_id, r.topic_id,
			coalesce($2, d.subject), coalesce($3, d.body), r.body_format, a.send_at, $10
		FROM request r CROSS JOIN answered a
			LEFT JOIN rendered d ON d.contact_id = a.id
		WHERE a.refusal IS NULL
		ORDER BY a.id
		ON CONFLICT (contact_id, idempotency_key) WHERE idempotency_key IS NOT NULL
		DO UPDATE SET idempotency_key = EXCLUDED.idempotency_key
		RETURNING m.contact_id, m.id, m.state
	)
	SELECT q.contact_id, q.id, q.state FROM queued q
	UNION ALL
	SELECT a.id, NULL, a.refusal FROM answered a WHERE a.refusal IS NOT NULL
	ORDER BY 1;
END;
COMMENT ON FUNCTION queue_emails(bigint[], text, text, text, text, text, timestamptz, time, text, text) IS 'queue_email() for many contacts at once: one row for each, with the id of the message and its state (queued), or with no id and the constraint that refuses it (rule C8)';

CREATE FUNCTION queue_sms(contact_id bigint, body text DEFAULT NULL, kind text DEFAULT NULL,
	template text DEFAULT NULL, topic text DEFAULT NULL, send_at timestamptz DEFAULT NULL, local_time time DEFAULT NULL,
	idempotency_key text DEFAULT NULL) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	WITH request AS MATERIALIZED (
		SELECT CASE WHEN $4 IS NOT NULL THEN contacts.existing_template(
				(SELECT t.id FROM message_template t WHERE t.name = $4 AND t.archived_at IS NULL), $4) END AS template_id,
			CASE WHEN $5 IS NOT NULL THEN contacts.existing_topic(
				(SELECT p.id FROM subscription_topic p WHERE p.name = $5), $5) END AS topic_id,
			coalesce($3, (SELECT t.kind FROM message_template t WHERE t.name = $4), 'marketing') AS kind,
			coalesce($6, now()) AS send_at,
			(SELECT s.sms_quiet_from FROM setting s) AS quiet_from,
			(SELECT s.sms_quiet_until FROM setting s) AS quiet_until,
			(SELECT s.default_time_zone::text FROM setting s) AS time_zone
	)
	INSERT INTO sms_message AS m (contact_id, address, kind, template_id, topic_id, body, send_at, idempotency_key)
	SELECT c.id, c.mobile_phone::text, r.kind, r.template_id, r.topic_id,
		coalesce($2, d.body),
		contacts.after_quiet_hours(contacts.at_local_time(r.send_at, $7, c.time_zone::text, r.time_zone),
				CASE WHEN r.kind = 'marketing' THEN r.quiet_from END, r.quiet_until, c.time_zone::text, r.time_zone),
		$8
	FROM request r
		CROSS JOIN (SELECT contacts.existing_contact((SELECT c.id FROM contact c WHERE c.id = $1)) AS id OFFSET 0) e
		JOIN contact c ON c.id = e.id
		LEFT JOIN LATERAL (
			SELECT x.subject, x.body
			FROM contacts.render_template('message_template'::regclass, r.template_id, ARRAY[e.id], r.topic_id) x
			WHERE r.template_id IS NOT NULL) d ON true
	ON CONFLICT (contact_id, idempotency_key) WHERE idempotency_key IS NOT NULL
	DO UPDATE SET idempotency_key = EXCLUDED.idempotency_key
	RETURNING id;
END;
COMMENT ON FUNCTION queue_sms(bigint, text, text, text, text, timestamptz, time, text) IS 'queues a text message to the mobile phone of a contact and returns its id; as queue_email(); marketing waits for the end of the quiet hours where the contact lives';

CREATE FUNCTION queue_sms_many(contact_ids bigint[], body text DEFAULT NULL, kind text DEFAULT NULL,
	template text DEFAULT NULL, topic text DEFAULT NULL, send_at timestamptz DEFAULT NULL, local_time time DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
	RETURNS TABLE (contact_id bigint, message_id bigint, result text)
	LANGUAGE sql VOLATILE SET work_mem = '64MB'
BEGIN ATOMIC
	WITH request AS MATERIALIZED (
		SELECT CASE WHEN $4 IS NOT NULL THEN contacts.existing_template(
				(SELECT t.id FROM message_template t WHERE t.name = $4 AND t.archived_at IS NULL), $4) END AS template_id,
			CASE WHEN $5 IS NOT NULL THEN contacts.existing_topic(
				(SELECT p.id FROM subscription_topic p WHERE p.name = $5), $5) END AS topic_id,
			coalesce($3, (SELECT t.kind FROM message_template t WHERE t.name = $4), 'marketing') AS kind,
			coalesce($6, now()) AS send_at,
			(SELECT s.sms_quiet_from FROM setting s) AS quiet_from,
			(SELECT s.sms_quiet_until FROM setting s) AS quiet_until,
			(SELECT s.default_time_zone::text FROM setting s) AS time_zone
	), wanted AS MATERIALIZED (
		SELECT array_agg(w.id) AS ids, array_agg(w.is_there) AS are_there,
			array_agg(w.address) AS addresses, array_agg(w.send_at) AS send_ats
		FROM (
			SELECT u.id, c.id IS NOT NULL AS is_there, c.mobile_phone::text AS address,
				contacts.after_quiet_hours(contacts.at_local_time(r.send_at, $7, c.time_zone::text, r.time_zone),
				CASE WHEN r.kind = 'marketing' THEN r.quiet_from END, r.quiet_until, c.time_zone::text, r.time_zone) AS send_at
			FROM request r
				CROSS JOIN (SELECT DISTINCT x.id FROM unnest($1) x (id) WHERE x.id IS NOT NULL) u
				LEFT JOIN contact c ON c.id = u.id
			ORDER BY u.id) w
	), answered AS MATERIALIZED (
		SELECT u.id, u.address, u.send_at,
			CASE WHEN u.is_there THEN u.refusal ELSE 'sms_message_contact_id_fkey' END AS refusal
		FROM request r CROSS JOIN wanted w
			CROSS JOIN LATERAL unnest(w.ids, w.are_there, w.addresses, w.send_ats,
				contacts.message_refusals('sms_message'::regclass, w.ids, w.addresses, r.kind, r.topic_id))
				AS u (id, is_there, address, send_at, refusal)
	), rendered AS MATERIALIZED (
		SELECT d.contact_id, d.subject, d.body
		FROM request r
			CROSS JOIN LATERAL (SELECT array_agg(a.id) AS ids FROM answered a WHERE a.refusal IS NULL) w
			CROSS JOIN LATERAL contacts.render_template('message_template'::regclass, r.template_id, w.ids, r.topic_id) d
		WHERE r.template_id IS NOT NULL
	), queued AS (
		INSERT INTO sms_message AS m (contact_id, address, kind, template_id, topic_id, body, send_at, idempotency_key)
		SELECT a.id, a.address, r.kind, r.template_id, r.topic_id,
			coalesce($2, d.body), a.send_at, $8
		FROM request r CROSS JOIN answered a
			LEFT JOIN rendered d ON d.contact_id = a.id
		WHERE a.refusal IS NULL
		ORDER BY a.id
		ON CONFLICT (contact_id, idempotency_key) WHERE idempotency_key IS NOT NULL
		DO UPDATE SET idempotency_key = EXCLUDED.idempotency_key
		RETURNING m.contact_id, m.id, m.state
	)
	SELECT q.contact_id, q.id, q.state FROM queued q
	UNION ALL
	SELECT a.id, NULL, a.refusal FROM answered a WHERE a.refusal IS NOT NULL
	ORDER BY 1;
END;
COMMENT ON FUNCTION queue_sms_many(bigint[], text, text, text, text, timestamptz, time, text) IS 'queue_sms() for many contacts at once: one row for each, with the id of the message and its state (queued), or with no id and the constraint that refuses it (rule C8)';

CREATE FUNCTION next_emails(n integer DEFAULT 100)
	RETURNS TABLE (id bigint, contact_id bigint, address text, subject text, body text, body_format text, kind text,
		attempts integer, leased_until timestamptz)
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT h.id, h.contact_id, h.address, h.subject, h.body, h.body_format, h.kind, h.attempts, h.leased_until
	FROM contacts.hand_out_emails('email_message'::regclass, $1) h;
END;
COMMENT ON FUNCTION next_emails(integer) IS 'hands up to n emails that are due to a delivery worker, each to one only, until leased_until; what may not go any more is cancelled; then mark_sent() or mark_failed()';

CREATE FUNCTION next_sms(n integer DEFAULT 100)
	RETURNS TABLE (id bigint, contact_id bigint, address text, body text, kind text, attempts integer, leased_until timestamptz)
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT h.id, h.contact_id, h.address, h.body, h.kind, h.attempts, h.leased_until
	FROM contacts.hand_out_texts('sms_message'::regclass, $1) h;
END;
COMMENT ON FUNCTION next_sms(integer) IS 'hands up to n text messages that are due to a delivery worker, as next_emails(); marketing waits for the end of the quiet hours';

CREATE FUNCTION mark_sent(id bigint, provider_id text DEFAULT NULL) RETURNS boolean
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.mark_message(
		CASE WHEN $1 % 2 = 1 THEN 'email_message'::regclass ELSE 'sms_message'::regclass END,
		$1, $2, NULL, NULL, NULL);
END;
COMMENT ON FUNCTION mark_sent(bigint, text) IS 'the email or text message was given to the provider, which calls it provider_id; false if that was known, or the message was never handed out';

CREATE FUNCTION mark_failed(id bigint, error text, retry boolean DEFAULT false, retry_at timestamptz DEFAULT NULL) RETURNS boolean
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.mark_message(
		CASE WHEN $1 % 2 = 1 THEN 'email_message'::regclass ELSE 'sms_message'::regclass END,
		$1, NULL, coalesce($2, 'failed'), $3, $4);
END;
COMMENT ON FUNCTION mark_failed(bigint, text, boolean, timestamptz) IS 'the email or text message could not be sent: failed, or, with retry, due again at retry_at (default: after as many times lease_duration as it was handed out); false if the message is in nobody''s hands any more';
