-- (c) as whoever writes relationship needs it who has rights on nothing else, as
-- with (b): the trigger functions run as their owner, with a search_path of
-- their own.

\ir relationship_handmade.sql
ALTER FUNCTION handmade.derive() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION handmade.mirror() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
