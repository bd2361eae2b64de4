-- Columns of the three types with the same addresses, in the same order.

CREATE UNLOGGED TABLE bench.written (value text NOT NULL);
INSERT INTO bench.written SELECT email_written FROM bench.person WHERE n <= :rows;
CREATE UNLOGGED TABLE bench.address_email (value contacts.email NOT NULL);
INSERT INTO bench.address_email SELECT email FROM bench.person WHERE n <= :rows ORDER BY n;
CREATE UNLOGGED TABLE bench.address_text (value text COLLATE "C" NOT NULL);
INSERT INTO bench.address_text SELECT email FROM bench.person WHERE n <= :rows ORDER BY n;
CREATE UNLOGGED TABLE bench.address_citext (value citext NOT NULL);
INSERT INTO bench.address_citext SELECT email FROM bench.person WHERE n <= :rows ORDER BY n;

-- the target of inserts and the other side of joins
CREATE UNLOGGED TABLE bench.other_email (value contacts.email PRIMARY KEY);
CREATE UNLOGGED TABLE bench.other_text (value text COLLATE "C" PRIMARY KEY);
CREATE UNLOGGED TABLE bench.other_citext (value citext PRIMARY KEY);

-- what is looked up: as many as a fifth of the addresses, in no order
CREATE UNLOGGED TABLE bench.sought_text (value text COLLATE "C" NOT NULL);
INSERT INTO bench.sought_text SELECT value FROM bench.address_text ORDER BY md5(value) LIMIT :rows / 5;
CREATE UNLOGGED TABLE bench.sought_email (value contacts.email NOT NULL);
INSERT INTO bench.sought_email SELECT value FROM bench.sought_text;
CREATE UNLOGGED TABLE bench.sought_citext (value citext NOT NULL);
INSERT INTO bench.sought_citext SELECT value FROM bench.sought_text;
VACUUM ANALYZE bench.written, bench.address_email, bench.address_text, bench.address_citext,
	bench.sought_email, bench.sought_text, bench.sought_citext;

-- look-ups with a prepared plan, one by one; each must find its row
SELECT format($function$
	CREATE FUNCTION bench.%I(addresses %s[]) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		address %2$s;
		found_address %s;
	BEGIN
		PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
		FOREACH address IN ARRAY addresses LOOP
			SELECT value INTO STRICT found_address FROM bench.%I WHERE value = address;
		END LOOP;
	END $$ $function$, name, parameter, type, source)
FROM (VALUES
	('look_up_email', 'contacts.email', 'contacts.email', 'address_email'),
	('look_up_email_by_text', 'text', 'contacts.email', 'other_email'),
	('look_up_text', 'text', 'text', 'address_text'),
	('look_up_citext', 'citext', 'citext', 'address_citext')) AS v (name, parameter, type, source)
\gexec
