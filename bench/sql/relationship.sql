-- Links into an empty table in one INSERT; (a): both rows of each, ready-made.

SELECT CASE :'variant' WHEN 'definer' THEN 'handmade' ELSE :'variant' END AS schema \gset
SET search_path = :schema, public;
SELECT :'variant' = 'plain' AS by_hand \gset
INSERT INTO contact (id, first_name) SELECT n, 'Ada' FROM generate_series(1, :rows / 5) n;
VACUUM ANALYZE contact;
CHECKPOINT;
SELECT bench.start() \g /dev/null
\if :by_hand
	INSERT INTO relationship (id, relationship_type_id, contact_id, related_contact_id, started_on,
			is_mirror, inverse_type_id, is_single, inverse_is_single)
		SELECT l.n, t.id, l.near, l.far, l.started_on, false, t.inverse_id, t.is_single, t.inverse_is_single
		FROM bench.link l JOIN relationship_type t ON t.name = l.type
		UNION ALL
		SELECT -l.n, t.inverse_id, l.far, l.near, l.started_on, true, t.id, t.inverse_is_single, t.is_single
		FROM bench.link l JOIN relationship_type t ON t.name = l.type;
\else
	INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id, started_on)
		SELECT t.id, l.near, l.far, l.started_on
		FROM bench.link l JOIN relationship_type t ON t.name = l.type;
\endif
SELECT bench.stop('relationship', :'variant', :round, :rows);
SELECT 'rows: ' || count(*) || ', mirrors: ' || count(*) FILTER (WHERE is_mirror) FROM relationship;
