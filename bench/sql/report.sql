-- Medians, and ratios next to their targets.  Time is CPU time of the backend:
-- what other programs on the machine do does not count in it; wall time stands
-- beside it.

\pset format aligned
\pset tuples_only off
\pset footer off
\pset border 0

CREATE VIEW bench.median AS
SELECT item, variant, count(*) AS runs, max(rows) AS rows,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY wall) AS wall,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu) AS cpu,
	min(cpu) AS least, max(cpu) AS most
FROM bench.measure
WHERE item NOT IN ('upsert_prepare', 'message_prepare', 'duplicates_prepare')
GROUP BY item, variant;

-- what is compared with what: ratio of CPU time of one to that of the other
CREATE TABLE bench.target (
	n int GENERATED ALWAYS AS IDENTITY,
	item text NOT NULL,
	variant text NOT NULL,
	base_item text NOT NULL,
	base text NOT NULL,
	text text NOT NULL,
	at_most float8,
	at_least float8
);
INSERT INTO bench.target (item, variant, base_item, base, text, at_most, at_least) VALUES
	('copy', 'crm', 'copy', 'plain', 'COPY: (b) this extension / (a) two COPYs by hand, no rules', 1.4, NULL),
	('copy', 'handmade_citext', 'copy', 'crm', 'COPY: (c) handmade, citext / (b)', NULL, 3.5),
	('copy', 'handmade_text', 'copy', 'crm', 'COPY: (c'') handmade, text COLLATE "C" / (b)', NULL, 1.6),
	('first_name', 'crm', 'first_name', 'plain', 'UPDATE of first_name: (b) / (a)', 1.1, NULL),
	('email_change', 'crm', 'email_change', 'plain', 'change of email: (b) / (a) two UPDATEs by hand', 2.5, NULL),
	('email_change', 'handmade_citext', 'email_change', 'crm', 'change of email: (c) / (b)', NULL, 3),
	('suppress', 'crm', 'suppress', 'plain', 'suppression: (b) / (a) three statements by hand', 2, NULL),
	('suppress', 'handmade_citext', 'suppress', 'crm', 'suppression: (c) / (b)', NULL, NULL),
	('queue', 'crm', 'queue', 'plain', 'queue_emails: (b) / (a) INSERT .. SELECT of the same rows', 2.5, NULL),
	('hand_out_4', 'crm', 'hand_out_1', 'crm', 'next_emails: four workers / one', 2, NULL),
	('import', 'crm', 'import', 'copy_good', 'import_contacts, 1 % bad rows / COPY of the good ones', 1.6, NULL),
	('relationship', 'crm', 'relationship', 'plain', 'INSERT of links: (b) / (a) both rows by hand', 1.4, NULL),
	('relationship', 'handmade', 'relationship', 'crm', 'INSERT of links: (c) PL/pgSQL row triggers / (b)', NULL, 4),
	('relationship', 'definer', 'relationship', 'crm', 'INSERT of links: (c) with rights on relationship alone / (b)', NULL, 4),
	('relationship', 'lean', 'relationship', 'crm', 'INSERT of links: (c'') likewise, over our indexes / (b)', NULL, NULL),
	('list_page', 'by_contact', 'list_page', 'open', 'page of 50: row security, shared one by one / none', 2, NULL),
	('list_page', 'by_organization', 'list_page', 'open', 'page of 50: row security, shared by organization / none', 2, NULL),
	('list_organization', 'by_contact', 'list_organization', 'open', '50 of an organization: row security, shared one by one / none', 2, NULL),
	('list_organization', 'by_organization', 'list_organization', 'open', '50 of an organization: row security, shared by organization / none', 2, NULL),
	('list_name', 'by_contact', 'list_name', 'open', '50 of a name: row security, shared one by one / none', NULL, NULL),
	('identify', 'crm', 'identify', 'bare', 'identify_many: (b) / the bare INSERT .. ON CONFLICT of the same identifiers', 3, NULL),
	('duplicates', 'crm', 'duplicates', 'scan', 'find_duplicates: 100 of all / one sorted scan of the table', 3, NULL),
	('fan_out', '10000', 'fan_out', '10', 'links of a person, per link: 10,000 / 10 of them', NULL, NULL),
	('unique_insert', 'citext', 'unique_insert', 'email', 'insert into a unique index: citext / email', NULL, 6),
	('unique_insert', 'email', 'unique_insert', 'text', 'insert into a unique index: email / text COLLATE "C"', NULL, NULL),
	('index_build', 'citext', 'index_build', 'email', 'index build: citext / email', NULL, NULL),
	('index_build', 'email', 'index_build', 'text', 'index build: email / text COLLATE "C"', NULL, NULL),
	('look_up', 'email', 'look_up', 'text', 'look-up: email / text COLLATE "C"', 1.15, NULL),
	('look_up', 'email by text', 'look_up', 'text', 'look-up: email by a text / text COLLATE "C"', NULL, NULL),
	('look_up', 'citext', 'look_up', 'email', 'look-up: citext / email', NULL, NULL),
	('join', 'email', 'join', 'text', 'join: email / text COLLATE "C"', NULL, NULL),
	('join', 'citext', 'join', 'email', 'join: citext / email', NULL, NULL);

-- growth: per row, the largest size against the least
INSERT INTO bench.target (item, variant, base_item, base, text, at_most)
	SELECT 'growth_' || operation || '_' || :rows * 5, variant, 'growth_' || operation || '_' || :rows / 10, variant,
		'growth, per ' || CASE operation WHEN 'copy' THEN 'row of COPY' ELSE operation END || ' (' || variant || '): '
			|| :rows * 5 || ' contacts / ' || :rows / 10,
		CASE variant WHEN 'crm' THEN 1.2 END
	FROM unnest('{copy,insert,first_name,email,suppress,find,delete}'::text[]) AS operation,
		unnest('{crm,plain}'::text[]) AS variant;

INSERT INTO bench.target (item, variant, base_item, base, text, at_most)
	SELECT 'identify_growth_' || :rows * 2, v.variant, 'identify_growth_' || :rows / 10, v.variant,
		'growth, per event (' || v.variant || '): ' || :rows * 2 || ' people / ' || :rows / 10, v.at_most
	FROM (VALUES ('crm', 1.2), ('bare', NULL)) v (variant, at_most);

\echo '== Where'
SELECT version();
SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) AS settings
FROM unnest(ARRAY['shared_buffers', 'max_wal_size', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'autovacuum', 'jit',
	'work_mem', 'maintenance_work_mem', 'huge_pages', 'debug_assertions', 'server_encoding']) AS name;
SELECT CASE datlocprovider WHEN 'i' THEN 'ICU ' || daticulocale ELSE 'libc ' || datcollate END AS locale,
	extversion AS contacts, :rows AS contacts_in_directory, :rounds AS rounds
FROM pg_database, pg_extension WHERE datname = current_database() AND extname = 'contacts';

\echo '== Medians, seconds (cpu: of the backend; least and most of the rounds)'
SELECT item, variant, runs, rows, round(wall::numeric, 2) AS wall, round(cpu::numeric, 2) AS cpu,
	round(least::numeric, 2) AS least, round(most::numeric, 2) AS most, round((cpu / rows * 1e6)::numeric, 3) AS us_per_row
FROM bench.median
WHERE item !~ '^upsert'
ORDER BY array_position('{copy,first_name,email_change,suppress,import,input,index_build,unique_insert,look_up,join,relationship,fan_out,path,list_page,list_organization,list_name,identify,duplicates}', item), item,
	array_position('{plain,crm,handmade_citext,handmade_text,handmade,definer,lean,text,email,citext,1,10,100,1000,10000,open,by_contact,by_organization,scan}', variant);

\echo '== Ratios (of CPU time per row; wall beside)'
SELECT t.text AS ratio, round((m.cpu / m.rows * b.rows / b.cpu)::numeric, 2) AS cpu, round((m.wall / m.rows * b.rows / b.wall)::numeric, 2) AS wall,
	coalesce('at most ' || at_most, 'at least ' || at_least, '') AS target,
	CASE WHEN at_most IS NULL AND at_least IS NULL THEN ''
		WHEN m.cpu / m.rows * b.rows / b.cpu <= at_most OR m.cpu / m.rows * b.rows / b.cpu >= at_least THEN 'reached'
		ELSE 'MISSED' END AS verdict
FROM bench.target t
JOIN bench.median m USING (item, variant)
JOIN bench.median b ON (b.item, b.variant) = (t.base_item, t.base)
ORDER BY t.n;

\echo '== Growth of COPY per row, ratio of CPU time: what the size costs (b), and what it costs (a), which has no rules'
SELECT l.variant, l.rows AS contacts, s.rows AS against, round((l.cpu / l.rows * s.rows / s.cpu)::numeric, 2) AS growth
FROM bench.median s
JOIN bench.median l USING (variant)
WHERE s.item = 'growth_copy_' || :rows / 10 AND l.item ~ '^growth_copy_' AND l.rows > s.rows
ORDER BY l.rows, l.variant;

\echo '== Single-row upserts by pgbench: rows per second, and CPU of all backends'
SELECT m.item AS clients, m.variant, round((m.rows / m.wall)::numeric) AS per_second,
	round((m.cpu / m.rows * 1e6)::numeric, 1) AS cpu_us,
	round((b.wall / m.wall)::numeric, 2) AS of_both_by_hand,
	round((c.wall / m.wall)::numeric, 2) AS of_contact_alone,
	CASE WHEN m.item <> 'upsert_4' OR m.variant <> 'upsert_crm' THEN ''
		WHEN b.wall / m.wall >= 0.8 THEN 'at least 0.8 of both: reached' ELSE 'at least 0.8 of both: MISSED' END AS target
FROM bench.median m
JOIN bench.median b ON b.item = m.item AND b.variant = 'upsert_both'
JOIN bench.median c ON c.item = m.item AND c.variant = 'upsert_contact'
WHERE m.item ~ '^upsert_[0-9]'
ORDER BY m.item, m.wall;

\echo '== Private memory of the backend during COPY, MB above an idle one'
SELECT variant, round(max(peak_kb - idle_kb) / 1024.0, 1) AS most,
	CASE WHEN variant <> 'crm' THEN '' WHEN max(peak_kb - idle_kb) <= 120 * 1024 THEN 'at most 120: reached' ELSE 'at most 120: MISSED' END AS target
FROM bench.memory GROUP BY variant ORDER BY variant;

\echo '== Input of one address in SQL, ns (text::contacts.email less the text)'
SELECT round(((e.cpu - t.cpu) / e.rows * 1e9)::numeric) AS ns, 'under 100: '
	|| CASE WHEN (e.cpu - t.cpu) / e.rows * 1e9 < 100 THEN 'reached' ELSE 'MISSED' END AS target
FROM bench.median e, bench.median t
WHERE (e.item, e.variant) = ('input', 'email') AND (t.item, t.variant) = ('input', 'text');

SELECT to_regclass('bench.path') IS NOT NULL AS has_paths \gset
\if :has_paths
\echo '== Shortest chains between people, ten links each, six links at most: milliseconds'
SELECT coalesce(distance::text, CASE WHEN grouping(distance) = 1 THEN 'all' ELSE 'none' END) AS distance, count(*) AS pairs,
	round((avg(wall) * 1000)::numeric, 2) AS average,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY wall) * 1000)::numeric, 2) AS median,
	round((percentile_cont(0.95) WITHIN GROUP (ORDER BY wall) * 1000)::numeric, 2) AS percent_95,
	round((max(wall) * 1000)::numeric, 2) AS most, round((avg(cpu) * 1000)::numeric, 2) AS cpu,
	CASE WHEN grouping(distance) = 0 THEN '' WHEN avg(wall) < 0.5 THEN 'well under 1 s: reached' ELSE 'well under 1 s: MISSED' END AS target
FROM bench.path GROUP BY GROUPING SETS ((distance), ()) ORDER BY grouping(distance), path.distance;
\endif
