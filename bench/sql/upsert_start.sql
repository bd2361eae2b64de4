-- Before pgbench: what all backends that have ended have used so far.

CHECKPOINT;
SELECT setval(pg_get_serial_sequence('plain.contact', 'id'), greatest(max(id), 1)) FROM plain.contact \g /dev/null
CREATE TABLE IF NOT EXISTS bench.before (cpu float8);
TRUNCATE bench.before;
\connect -
SELECT pg_sleep(0.3) \g /dev/null
INSERT INTO bench.before SELECT bench.cpu_of_ended_backends();
