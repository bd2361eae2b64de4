-- After pgbench: CPU of its backend, and the time it took.

-- the postmaster counts a backend when it has seen it end
SELECT pg_sleep(0.3) \g /dev/null
WITH used AS (SELECT bench.cpu_of_ended_backends() - cpu AS cpu FROM bench.before)
INSERT INTO bench.measure
	SELECT :'item', :'variant', :round, :rows, :rows / :tps, cpu FROM used;
SELECT format('%s  round %s  %s  %s  %s per s', to_char(clock_timestamp(), 'HH24:MI:SS'), :round, :'item', :'variant', round(:tps, 1));
