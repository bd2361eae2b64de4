-- Row security: a look-up by address is an index scan below the policy
CREATE ROLE regress_opclass;
CREATE SCHEMA opclass_test;
GRANT USAGE ON SCHEMA opclass_test TO regress_opclass;
SET search_path = opclass_test;

CREATE TABLE person (id int PRIMARY KEY, tenant text, email contacts.email UNIQUE, phone contacts.phone UNIQUE);
INSERT INTO person SELECT n, 'tenant' || n % 10, 'user' || n || '@example.org', '+49301' || 10000 + n FROM generate_series(1, 5000) n;
ANALYZE person;
-- A policy that is not leakproof: what may leak must wait for it.
CREATE FUNCTION visible(tenant text) RETURNS boolean LANGUAGE plpgsql STABLE COST 1000 AS $$
BEGIN
	RETURN tenant = current_setting('regress.tenant');
END
$$;
CREATE POLICY tenant ON person USING (visible(tenant));
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON person TO regress_opclass;
SET regress.tenant = 'tenant7';
SET ROLE regress_opclass;
SET plan_cache_mode = force_generic_plan;
PREPARE by_text(text) AS SELECT id FROM person WHERE email = $1;
PREPARE by_any(text[]) AS SELECT id FROM person WHERE email = ANY ($1) ORDER BY id;
PREPARE by_phone(text) AS SELECT id FROM person WHERE phone = $1;
EXPLAIN (COSTS OFF) SELECT id FROM person WHERE email = 'USER7@example.org';
SELECT id FROM person WHERE email = 'USER7@example.org';
SELECT id FROM person WHERE email = 'USER8@example.org';
EXPLAIN (COSTS OFF) EXECUTE by_text('USER7@example.org');
EXECUTE by_text('USER7@example.org');
EXECUTE by_text('USER8@example.org');
EXPLAIN (COSTS OFF) EXECUTE by_any('{USER7@example.org}');
EXECUTE by_any('{USER7@example.org,USER17@example.org,USER8@example.org}');
EXPLAIN (COSTS OFF) SELECT id FROM person WHERE phone = '+49 301 10007';
EXPLAIN (COSTS OFF) EXECUTE by_phone('+49 301 10007');
EXECUTE by_phone('+49 301 10007');
-- A text function of the address would leak: it waits.
EXPLAIN (COSTS OFF) SELECT id FROM person WHERE email LIKE 'user7@%';

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA opclass_test CASCADE;
DROP ROLE regress_opclass;
