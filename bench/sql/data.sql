-- People who do not exist, :rows of them, always the same ones, and the files
-- that a client would send for them.  Addresses are unique and in no order;
-- one in ten has capitals, one phone number in five has separators.

CREATE UNLOGGED TABLE bench.person AS
SELECT n, first_name, last_name,
	CASE WHEN n % 10 = 3 THEN initcap(local_part) ELSE local_part END || '@' || domain AS email_written,
	local_part || '@' || domain AS email,
	calling_code || CASE WHEN n % 5 = 2 THEN ' ' || substr(number, 1, 3) || '-' || substr(number, 4) ELSE number END AS phone_written,
	calling_code || number AS phone
FROM (
	SELECT n, first_name, last_name,
		translate(lower(first_name), 'äöüéèëñçå', 'aoueeenca') || '.' || translate(lower(last_name), 'äöüéèëñçå', 'aoueeenca')
			-- a bijection of n: unique, unordered
			|| to_hex(n::bigint * 2654435761 % 4294967296) AS local_part,
		(ARRAY['gmail.com', 'gmail.com', 'gmail.com', 'gmail.com', 'outlook.com', 'yahoo.com', 'icloud.com', 'gmx.de',
			'web.de', 'orange.fr', 'proton.me', 'hotmail.co.uk', 'example' || h3 % 5000 || '.com', 'example' || h3 % 5000 || '.com',
			'mail.company' || h3 % 20000 || '.org', 'university' || h3 % 300 || '.edu'])[1 + h3 / 65536 % 16] AS domain,
		(ARRAY['+4915', '+1212', '+4477', '+336', '+4366', '+3934', '+3161', '+8190'])[1 + h1 / 65536 % 8] AS calling_code,
		lpad((h2 % 10000000)::text, 7, '0') AS number
	FROM (
		SELECT n, h1, h2, h3,
			(ARRAY['Anna', 'Ben', 'Clara', 'David', 'Elena', 'Felix', 'Greta', 'Hugo', 'Ida', 'Jonas', 'Karla', 'Lukas', 'Maria', 'Noah',
				'Olga', 'Paul', 'Renée', 'Samuel', 'Tilda', 'Umar', 'Vera', 'William', 'Ximena', 'Yusuf', 'Zoë', 'Jürgen', 'François',
				'Mohammed', 'Wei', 'Priya', 'Åsa', 'Begoña'])[1 + h1 % 32] AS first_name,
			(ARRAY['Al', 'Bern', 'Castel', 'Dra', 'Eisen', 'Fern', 'Gold', 'Hart', 'Ives', 'Jans', 'Kow', 'Lind', 'Mar', 'Nor', 'Oren', 'Pet'])[1 + h2 % 16]
				|| (ARRAY['a', 'er', 'in', 'o', 'ell', 'is', 'an', 'u'])[1 + h2 / 16 % 8]
				|| (ARRAY['son', 'mann', 'berg', 'ez', 'ski', 'ton', 'ard', 'ino', 'rup', 'let', 'ner', 'meyer', 'feld', 'ström', 'quist', 'well'])[1 + h2 / 128 % 16] AS last_name
		FROM (
			SELECT n,
				('x' || substr(hash, 1, 7))::bit(28)::int AS h1,
				('x' || substr(hash, 8, 7))::bit(28)::int AS h2,
				('x' || substr(hash, 15, 7))::bit(28)::int AS h3
			FROM generate_series(1, :rows) AS n, md5(n::text) AS hash) AS hashed) AS named) AS addressed;
ALTER TABLE bench.person ADD PRIMARY KEY (n);

-- keys as a client that keeps the tables by hand would have them ready
CREATE FUNCTION bench.client_key(kind text, value text) RETURNS uuid
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN md5(kind || value)::uuid;

-- a tenth of the rows change their address, a tenth of the addresses is
-- suppressed, one in five of which nobody holds
CREATE UNLOGGED TABLE bench.change AS
SELECT n AS id, 'new.' || email AS email, bench.client_key('email', 'new.' || email) AS key
FROM bench.person WHERE n <= :directory_rows AND n % 10 = 7;
CREATE UNLOGGED TABLE bench.suppression AS
SELECT email, bench.client_key('email', email) AS key
FROM (
	SELECT CASE WHEN n % 50 = 8 THEN 'never.seen.' || email ELSE email END AS email
	FROM bench.person WHERE n <= :directory_rows AND n % 10 = 8) AS address;

VACUUM ANALYZE bench.person, bench.change, bench.suppression;
