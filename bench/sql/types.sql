-- The type email against text COLLATE "C" and citext: each operation for the
-- three types in turn.

-- once to warm up: the library is loaded at its first use
SELECT count(value::contacts.email) FROM bench.written \g /dev/null

SELECT bench.start() \g /dev/null
SELECT count(value) FROM bench.written \g /dev/null
SELECT bench.stop('input', 'text', :round, :rows);
SELECT bench.start() \g /dev/null
SELECT count(value::contacts.email) FROM bench.written \g /dev/null
SELECT bench.stop('input', 'email', :round, :rows);

\set type email
\ir type.sql
\set type text
\ir type.sql
\set type citext
\ir type.sql

-- an address that comes as a text, as drivers send it
SELECT bench.look_up_email_by_text(ARRAY(SELECT value::text FROM bench.sought_email LIMIT 1000)) \g /dev/null
SELECT bench.start() \g /dev/null
SELECT bench.look_up_email_by_text(ARRAY(SELECT value::text FROM bench.sought_email)) \g /dev/null
SELECT bench.stop('look_up', 'email by text', :round, (SELECT count(*) FROM bench.sought_email));
