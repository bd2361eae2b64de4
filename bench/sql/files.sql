-- The files that COPY reads, in folder :dir, of the first :rows people.

-- what every client sends
COPY (SELECT first_name, last_name, email_written, phone_written
	FROM bench.person WHERE n <= :rows ORDER BY n)
	TO STDOUT \g :dir/contact.copy
-- what one that keeps both tables by hand sends
COPY (SELECT n, first_name, last_name, email_written, phone_written, true, 'lead'
	FROM bench.person WHERE n <= :rows ORDER BY n)
	TO STDOUT \g :dir/plain_contact.copy
COPY (
	SELECT person.n, kind, 'main', value, bench.client_key(kind, value),
		CASE kind WHEN 'email' THEN 0 ELSE person.n END, CASE kind WHEN 'email' THEN 'not_opted_in' END
	FROM bench.person, LATERAL (VALUES ('email', email), ('phone', phone)) AS identifier (kind, value)
	WHERE person.n <= :rows ORDER BY person.n, kind)
	TO STDOUT \g :dir/plain_identifier.copy
