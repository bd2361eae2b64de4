-- COPY of people into the directory :variant.

SET search_path = :variant, public;
\set file :dir /contact.copy
\set plain_contact :dir /plain_contact.copy
\set plain_identifier :dir /plain_identifier.copy
SELECT :'variant' = 'plain' AS by_hand \gset
CHECKPOINT;
-- from here the memory of this backend is watched
SELECT pg_backend_pid() \g :dir/pid
SELECT bench.start() \g /dev/null
\if :by_hand
	BEGIN;
	COPY contact (id, first_name, last_name, email, mobile_phone, is_reachable, contact_type)
		FROM :'plain_contact';
	COPY identifier (contact_id, semantic_type, slug, value, key, holder, status)
		FROM :'plain_identifier';
	COMMIT;
\else
	COPY contact (first_name, last_name, email, mobile_phone) FROM :'file';
\endif
SELECT bench.stop(:'item', :'variant', :round, (SELECT count(*) FROM contact));
VACUUM ANALYZE contact, identifier;
