-- What single.sql does for one operation, :operation; the first calls, which
-- plan and fill the caches, are not counted.

SELECT 'growth_' || :'operation' || '_' || :size AS item \gset
CALL bench.single(:'operation', :size, 1, 100);
CHECKPOINT;
SELECT bench.start() \g /dev/null
CALL bench.single(:'operation', :size, 101, :last);
SELECT bench.stop(:'item', 'crm', :round, :last - 100);
