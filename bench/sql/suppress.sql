-- Suppression of as many addresses as a tenth of the contacts; one in five of
-- them nobody holds.

SET search_path = :variant, public;
SELECT :'variant' = 'plain' AS by_hand, :'variant' = 'crm' AS by_us \gset
CHECKPOINT;
SELECT bench.start() \g /dev/null
\if :by_hand
	BEGIN;
	WITH suppressed AS (
		INSERT INTO identifier AS held (semantic_type, value, key, status, status_reason, status_changed_at)
			SELECT 'email', email, key, 'suppressed', 'complaint', now() FROM bench.suppression
			ON CONFLICT (key, holder) DO UPDATE
				SET status = 'suppressed', status_reason = 'complaint', status_changed_at = now()
				WHERE held.status <> 'suppressed'
			RETURNING key)
	INSERT INTO consent_event (key, old_state, new_state, reason)
		SELECT key, 'not_opted_in', 'suppressed', 'complaint' FROM suppressed;
	UPDATE contact SET email_status = 'suppressed'
		FROM identifier JOIN bench.suppression USING (key)
		WHERE contact.id = identifier.contact_id AND identifier.slug = 'main';
	COMMIT;
\elif :by_us
	SELECT crm.suppress_many(array_agg(email), 'complaint') FROM bench.suppression \g /dev/null
\else
	SELECT suppress_many(array_agg(email), 'complaint') FROM bench.suppression \g /dev/null
\endif
SELECT bench.stop('suppress', :'variant', :round, (SELECT count(*) FROM bench.suppression));
SELECT 'suppressed: ' || count(*) || ', of contacts: ' || count(contact_id)
	|| ', logged: ' || (SELECT count(*) FROM consent_event)
	|| ', shown: ' || (SELECT count(*) FROM contact WHERE email_status = 'suppressed')
FROM identifier WHERE status = 'suppressed';
VACUUM ANALYZE contact, identifier;
