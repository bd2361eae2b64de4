-- Links of people with a fan-out of 1 to 10,000, and chains between people.

\set fan_out 1
\ir fan_out.sql
\set fan_out 10
\ir fan_out.sql
\set fan_out 100
\ir fan_out.sql
\set fan_out 1000
\ir fan_out.sql
\set fan_out 10000
\ir fan_out.sql

SELECT setseed(0.1 + :round * 0.01) \g /dev/null
SELECT bench.find_paths(:round, 10, :rows) \g /dev/null
DELETE FROM bench.path WHERE round = :round;
SELECT bench.start() \g /dev/null
SELECT bench.find_paths(:round, 1000, :rows) \g /dev/null
SELECT bench.stop('path', 'crm', :round, 1000);
