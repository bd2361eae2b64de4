-- A plain UPDATE of every row that touches no identity.

SET search_path = :variant, public;
CHECKPOINT;
SELECT bench.start() \g /dev/null
UPDATE contact SET first_name = first_name || ' X.';
SELECT bench.stop('first_name', :'variant', :round, (SELECT count(*) FROM contact));
VACUUM ANALYZE contact, identifier;
