-- A new address for one contact in ten, in one statement (by hand: in two).

SET search_path = :variant, public;
SELECT :'variant' = 'plain' AS by_hand \gset
CHECKPOINT;
SELECT bench.start() \g /dev/null
\if :by_hand
	BEGIN;
\endif
UPDATE contact SET email = change.email
	FROM bench.change WHERE contact.id = change.id;
\if :by_hand
	UPDATE identifier SET value = change.email, key = change.key
		FROM bench.change
		WHERE identifier.contact_id = change.id AND semantic_type = 'email' AND slug = 'main';
	COMMIT;
\endif
SELECT bench.stop('email_change', :'variant', :round, (SELECT count(*) FROM bench.change));
VACUUM ANALYZE contact, identifier;
