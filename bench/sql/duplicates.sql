-- find_duplicates() over all contacts, and one sorted scan of the table: every
-- row and column in order of name, with the same memory.

SET work_mem = '64MB';
SELECT bench.start() \g /dev/null
SELECT count(*) FROM (SELECT c.*, row_number() OVER (ORDER BY c.last_name, c.first_name, c.id) FROM crm.contact c OFFSET 0) s \g /dev/null
SELECT bench.stop('duplicates', 'scan', :round, :rows);
SELECT bench.start() \g /dev/null
SELECT count(*) FROM contacts.find_duplicates('crm') \g /dev/null
SELECT bench.stop('duplicates', 'crm', :round, :rows);
