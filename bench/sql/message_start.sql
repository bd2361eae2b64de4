-- Before the workers: all messages are due, nobody has one.

UPDATE crm.email_message SET state = 'queued', leased_until = NULL, attempts = 0;
VACUUM FULL ANALYZE crm.email_message;
CHECKPOINT;
CREATE TABLE IF NOT EXISTS bench.before (cpu float8);
TRUNCATE bench.before;
\connect -
SELECT pg_sleep(0.3) \g /dev/null
INSERT INTO bench.before SELECT bench.cpu_of_ended_backends();
