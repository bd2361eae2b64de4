-- Lists of fifty people, as somebody who sees some: with row security and without.

SELECT :'variant' = 'open' AS is_open \gset
SELECT CASE :'list' WHEN 'name' THEN 20 ELSE 1000 END AS repeats \gset
\if :is_open
	SELECT contacts.disable_row_security('crm') \g /dev/null
\else
	SELECT contacts.enable_row_security('crm') \g /dev/null
\endif
SELECT setseed(0.1) \g /dev/null
-- a way to see them that is not asked for where row security is off
SELECT CASE :'variant' WHEN 'by_organization' THEN 1 ELSE 0 END AS remainder \gset
SET ROLE bench_reader;
SELECT bench.read_lists(:'list', 2, :rows / 50, :remainder) \g /dev/null
RESET ROLE;
SELECT bench.start() \g /dev/null
SET ROLE bench_reader;
SELECT bench.read_lists(:'list', :repeats, :rows / 50, :remainder) \g /dev/null
RESET ROLE;
SELECT bench.stop('list_' || :'list', :'variant', :round, :repeats);
