-- Before pgbench: what all backends that have ended have used so far.

CREATE TABLE IF NOT EXISTS bench.before (cpu float8);
TRUNCATE bench.before;
\connect -
SELECT pg_sleep(0.3) \g /dev/null
INSERT INTO bench.before SELECT bench.cpu_of_ended_backends();
