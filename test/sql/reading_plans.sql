-- Reading all links of a contact or of a record, from either side, is one range
-- of an index, whether there are one or 10,000 of them
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir reading_plans
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name) SELECT n, 'Ada' FROM generate_series(1, 12000) n;
INSERT INTO organization (id, name) SELECT n, 'Acme' FROM generate_series(1, 10) n;
-- person 1 has one link, 2 ten, 3 a hundred, 4 a thousand, 5 ten thousand, half
-- of them entered from the other side; the others have five each
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, CASE WHEN n % 2 = 0 THEN hub ELSE 1999 + n END, CASE WHEN n % 2 = 0 THEN 1999 + n ELSE hub END
	FROM relationship_type t, generate_series(1, 5) hub, generate_series(1, (10 ^ (hub - 1))::integer) n
	WHERE t.name = 'manager';
INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id)
	SELECT t.id, n, 2000 + (n + 17 * k) % 10000
	FROM relationship_type t, generate_series(2000, 11999) n, generate_series(1, 3) k WHERE t.name = 'colleague';
INSERT INTO relationship (relationship_type_id, contact_id, record_id)
	SELECT t.id, n, 1 + n % 10 FROM relationship_type t, generate_series(2001, 12000) n WHERE t.name = 'employer';
SET ROLE NONE;
VACUUM ANALYZE reading_plans.relationship, reading_plans.relationship_type, reading_plans.contact, reading_plans.object_type;
SET ROLE regress_contacts_reading_plans;

-- The scans of relationship that a query makes: by node types, with the index,
-- how often, how many rows came of it and how many were read in vain.  Versions
-- differ in whether the other table's column stands left or right.
CREATE FUNCTION pg_temp.scans(query text)
	RETURNS TABLE (scan text, index_name text, condition text, loops text, rows text, in_vain text) LANGUAGE plpgsql
AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	RETURN QUERY
		WITH RECURSIVE node (plan) AS (
			SELECT plan -> 0 -> 'Plan'
			UNION ALL
			SELECT child FROM node n, jsonb_array_elements(n.plan -> 'Plans') child)
		SELECT replace(n.plan ->> 'Node Type', 'Bitmap Heap Scan', 'Index Scan'),
			coalesce(n.plan ->> 'Index Name', n.plan -> 'Plans' -> 0 ->> 'Index Name'),
			regexp_replace(regexp_replace(coalesce(n.plan ->> 'Index Cond', n.plan ->> 'Recheck Cond'),
				'''(\d+)''::bigint', '\1'), '\((\w+\.\w+) = (\w+)\)', '(\2 = \1)'),
			n.plan ->> 'Actual Loops', split_part(n.plan ->> 'Actual Rows', '.', 1),
			split_part(coalesce(n.plan ->> 'Rows Removed by Filter', '0'), '.', 1)
		FROM node n WHERE n.plan ->> 'Relation Name' = 'relationship';
END
$$;

-- from a contact's side
SELECT hub, s.* FROM generate_series(1, 5) hub,
	pg_temp.scans(format('SELECT * FROM related_contact WHERE contact_id = %s', hub)) s ORDER BY hub;
-- the same links from the other side
SELECT n, s.* FROM unnest('{2000,2005,11999}'::int[]) n,
	pg_temp.scans(format('SELECT * FROM related_contact WHERE contact_id = %s', n)) s ORDER BY n;
-- of one type
SELECT hub, s.* FROM generate_series(1, 4) hub,
	pg_temp.scans(format('SELECT * FROM related(%s, ''report'')', hub)) s ORDER BY hub;
-- all that the table has of a contact, records included
SELECT s.* FROM pg_temp.scans('SELECT * FROM relationship WHERE contact_id = 2005') s;
-- with a plan that does not know whom: as a driver prepares it
SET plan_cache_mode = force_generic_plan;
PREPARE of_contact (bigint) AS SELECT * FROM related_contact WHERE contact_id = $1;
SELECT hub, s.scan, s.index_name, s.loops, s.rows, s.in_vain FROM generate_series(1, 5) hub,
	pg_temp.scans(format('EXECUTE of_contact(%s)', hub)) s ORDER BY hub;
RESET plan_cache_mode;
-- from a record's side
SELECT s.* FROM pg_temp.scans($$SELECT * FROM record_relationship WHERE object = 'organization' AND record_id = 7$$) s;
SELECT s.* FROM pg_temp.scans($$SELECT * FROM record_relationship WHERE contact_id = 2005$$) s;

RESET ROLE;
SET client_min_messages = warning;
SELECT contacts.drop_directory('reading_plans', cascade => true);
DROP OWNED BY regress_contacts_reading_plans;
DROP ROLE regress_contacts_reading_plans;
