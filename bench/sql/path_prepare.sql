-- People with ten links each, and some with 1 to 10,000 to others: as a restore
-- of rows brings them, both rows of each link, without triggers.  Each has five
-- links to people drawn at random: no neighbourhoods, which is the worst case.

SELECT setseed(0.7) \g /dev/null
SET session_replication_role = replica;
INSERT INTO crm.contact (id, first_name, last_name)
	SELECT n, 'Ada', 'Number ' || n FROM generate_series(1, :rows + 50) n;
CREATE UNLOGGED TABLE bench.edge AS
	SELECT row_number() OVER () AS n, near, far
	FROM (
		SELECT DISTINCT least(near, far) AS near, greatest(near, far) AS far
		FROM (
			SELECT 1 + (g - 1) / 5 AS near, 1 + floor(random() * :rows)::bigint AS far
			FROM generate_series(1::bigint, :rows * 5::bigint) g
			UNION ALL
			-- ten people each with a fan-out of 1, 10, 100, 1000 and 10000
			SELECT :rows + 1 + 10 * magnitude + hub, 1 + (hub * 7919 + g * 31) % :rows
			FROM generate_series(0, 4) magnitude, generate_series(0, 9) hub,
				generate_series(1, least(power(10, magnitude)::bigint, :rows)) g) drawn
		WHERE near <> far) one;
INSERT INTO crm.relationship (id, relationship_type_id, contact_id, related_contact_id, is_mirror, inverse_type_id)
	SELECT v.sign * e.n, t.id, CASE v.sign WHEN 1 THEN e.near ELSE e.far END,
		CASE v.sign WHEN 1 THEN e.far ELSE e.near END, v.sign < 0, t.id
	FROM bench.edge e, (VALUES (1), (-1)) v (sign), crm.relationship_type t
	WHERE t.name = 'colleague';
DROP TABLE bench.edge;
RESET session_replication_role;
VACUUM ANALYZE crm.contact, crm.relationship, crm.relationship_type;

CREATE TABLE bench.path (
	round int NOT NULL,
	distance int,
	wall float8 NOT NULL,
	cpu float8 NOT NULL
);
COMMENT ON TABLE bench.path IS 'one row per relationship_path() between two people drawn at random; distance NULL: more than six';

-- with a prepared plan, one by one
CREATE FUNCTION bench.find_paths(round int, pairs int, people bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	wall timestamptz;
	cpu float8;
	distance int;
BEGIN
	FOR i IN 1 .. pairs LOOP
		wall := clock_timestamp();
		cpu := bench.cpu();
		distance := (SELECT max(step) FROM crm.relationship_path(
			1 + floor(random() * people)::bigint, 1 + floor(random() * people)::bigint, 6));
		INSERT INTO bench.path VALUES (round, distance,
			extract(epoch FROM clock_timestamp() - wall), bench.cpu() - cpu);
	END LOOP;
END
$$;

-- every column of every link of ten people, over and over
CREATE FUNCTION bench.read_related(first bigint, repeats int) RETURNS void
	LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
	PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
	FOR i IN 1 .. repeats LOOP
		FOR person IN first .. first + 9 LOOP
			PERFORM v.* FROM crm.related_contact v WHERE v.contact_id = person;
		END LOOP;
	END LOOP;
END
$$;
