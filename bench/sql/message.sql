-- As many messages as a tenth of the contacts, queued in one call; by hand: the
-- same rows, with ready-made addresses and keys, by INSERT .. SELECT.

SET search_path = :variant, public;
SELECT :'variant' = 'plain' AS by_hand, :rows / 10 AS messages \gset
CHECKPOINT;
SELECT bench.start() \g /dev/null
\if :by_hand
	INSERT INTO email_message (contact_id, address, key, subject, body)
		SELECT c.id, i.value, i.key, 'The subject', 'The text of a message.'
		FROM contact c JOIN identifier i ON i.contact_id = c.id AND i.semantic_type = 'email' AND i.slug = 'main'
		WHERE c.id <= :messages;
\else
	SELECT count(*) FROM queue_emails((SELECT array_agg(id) FROM contact WHERE id <= :messages), 'The subject', 'The text of a message.') \g /dev/null
\endif
SELECT bench.stop('queue', :'variant', :round, (SELECT count(*) FROM email_message));
VACUUM ANALYZE email_message;
