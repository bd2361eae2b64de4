-- Links to insert: as many as :rows among a fifth as many people, of three
-- types, in no order; both ends random.

DROP TABLE IF EXISTS bench.link;
SELECT setseed(0.3) \g /dev/null
CREATE UNLOGGED TABLE bench.link AS
	SELECT row_number() OVER () AS n, type, near, far, '2020-01-01'::date + (near % 1000)::int AS started_on
	FROM (
		SELECT DISTINCT ON (least(near, far), greatest(near, far)) type, near, far
		FROM (
			SELECT ('{parent,sibling,manager}'::text[])[1 + g % 3] AS type,
				1 + floor(random() * (:rows / 5))::bigint AS near, 1 + floor(random() * (:rows / 5))::bigint AS far
			FROM generate_series(1, :rows * 1.02) g) drawn
		WHERE near <> far
		ORDER BY least(near, far), greatest(near, far), type) one
	ORDER BY md5(near || ' ' || far)
	LIMIT :rows;
VACUUM ANALYZE bench.link;
