-- Columns of the three types with the same addresses, in the same order.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE UNLOGGED TABLE bench.address_email (value contacts.email NOT NULL);
CREATE UNLOGGED TABLE bench.address_text (value text COLLATE "C" NOT NULL);
CREATE UNLOGGED TABLE bench.address_citext (value citext NOT NULL);
INSERT INTO bench.address_email SELECT email FROM bench.person WHERE n <= :rows ORDER BY n;
INSERT INTO bench.address_text SELECT email FROM bench.person WHERE n <= :rows ORDER BY n;
INSERT INTO bench.address_citext SELECT email FROM bench.person WHERE n <= :rows ORDER BY n;

-- the other side of joins and the target of inserts
CREATE UNLOGGED TABLE bench.other_email (value contacts.email PRIMARY KEY);
CREATE UNLOGGED TABLE bench.other_text (value text COLLATE "C" PRIMARY KEY);
CREATE UNLOGGED TABLE bench.other_citext (value citext PRIMARY KEY);
VACUUM ANALYZE bench.address_email, bench.address_text, bench.address_citext;
