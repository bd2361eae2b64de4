-- What an import meets: everyone, and one row in a hundred is bad.

CREATE UNLOGGED TABLE bench.staging AS
SELECT first_name, last_name,
	CASE WHEN n % 200 = 5 THEN replace(email_written, '@', ' at ') ELSE email_written END AS email,
	CASE WHEN n % 200 = 105 THEN '555 CALL ME' ELSE phone_written END AS mobile_phone
FROM bench.person WHERE n <= :rows ORDER BY n;
VACUUM ANALYZE bench.staging;
COPY (SELECT first_name, last_name, email_written, phone_written
	FROM bench.person WHERE n <= :rows AND n % 100 <> 5 ORDER BY n)
	TO STDOUT \g :dir/good.copy
