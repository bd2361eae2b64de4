-- COPY of the good rows of the staging table, one statement that no bad row
-- stops.

\set file :dir /good.copy
CHECKPOINT;
SELECT bench.start() \g /dev/null
COPY crm.contact (first_name, last_name, email, mobile_phone) FROM :'file';
SELECT bench.stop('import', 'copy_good', :round, (SELECT count(*) FROM crm.contact));
