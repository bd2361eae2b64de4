-- (a) The tables and indexes of a directory, foreign keys on, without any
-- trigger of ours.

DROP SCHEMA IF EXISTS plain CASCADE;
SELECT contacts.create_directory('plain') \g /dev/null
SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger
WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'plain'::regnamespace)
	AND NOT tgisinternal
\gexec
