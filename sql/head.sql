\echo Use "CREATE EXTENSION contacts" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

-- A member of the extension, owned by whoever runs the script (the bootstrap
-- superuser, since the extension is trusted): nobody can plant objects in it.
CREATE SCHEMA contacts;
COMMENT ON SCHEMA contacts IS 'types, trigger functions and functions of the extension contacts';
GRANT USAGE ON SCHEMA contacts TO PUBLIC;
