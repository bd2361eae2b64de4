-- Single-row operations in a directory of :size contacts, each a statement of
-- its own with a prepared plan; the mean of some thousands.

CREATE OR REPLACE PROCEDURE bench.single(operation text, size int, first int, last int) LANGUAGE plpgsql AS $$
DECLARE
	n int;						-- distinct ids, in no order
BEGIN
	FOR i IN first .. last LOOP
		n := 1 + (i::bigint * 2654435761 % size);
		CASE operation
		WHEN 'insert' THEN
			INSERT INTO crm.contact (first_name, last_name, email, mobile_phone)
				VALUES ('Ada', 'Example', 'single' || i || '.' || n || '@example.org', '+4930' || 1000000 + i);
		WHEN 'first_name' THEN
			UPDATE crm.contact SET first_name = 'Ada' WHERE id = n;
		WHEN 'email' THEN
			UPDATE crm.contact SET email = 'changed' || i || '.' || n || '@example.org' WHERE id = n;
		WHEN 'suppress' THEN
			PERFORM crm.suppress('changed' || i || '.' || n || '@example.org', 'complaint');
		WHEN 'find' THEN
			IF crm.find_contact('email', 'changed' || i || '.' || n || '@example.org') IS DISTINCT FROM n THEN
				RAISE 'not found: %', n;
			END IF;
		WHEN 'delete' THEN
			DELETE FROM crm.contact WHERE id = n;
		END CASE;
		COMMIT;
	END LOOP;
END
$$;

-- no row twice
SELECT least(2100, :size) AS last \gset
\set operation insert
\ir single_operation.sql
\set operation first_name
\ir single_operation.sql
\set operation email
\ir single_operation.sql
\set operation suppress
\ir single_operation.sql
\set operation find
\ir single_operation.sql
\set operation delete
\ir single_operation.sql
