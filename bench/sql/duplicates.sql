-- find_duplicates() over all contacts, and one sorted scan of the table: every
-- row and column in order of name, with the same memory.

SET work_mem = '64MB';
SET max_parallel_workers_per_gather = 0;
SELECT bench.start() \g /dev/null
SELECT count(s) FROM (SELECT c.* FROM crm.contact c ORDER BY c.last_name, c.first_name, c.id OFFSET 0) s \g /dev/null
SELECT bench.stop('duplicates', 'scan', :round, :rows);
SELECT bench.start() \g /dev/null
SELECT count(*) FROM contacts.find_duplicates('crm') \g /dev/null
SELECT bench.stop('duplicates', 'crm', :round, :rows);
