-- What many have in common: large groups are divided by name, or left out
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir duplicates_groups
\set ECHO none
\i :rules
\set ECHO all

-- 300 people of one name say nothing
INSERT INTO contact (first_name, last_name, email) SELECT 'Jan', 'Jansen', format('jan%s@x.org', n) FROM generate_series(1, 300) n;
SELECT count(*) FROM contacts.find_duplicates('duplicates_groups', NULL);

-- 300 people behind one number: those of one name among them do
DELETE FROM contact;
INSERT INTO contact (id, first_name, last_name, email, business_phone)
	SELECT n, 'Pat' || chr(97 + n % 26), 'Le' || chr(97 + n / 26 % 26), format('p%s@x.org', n), '+49301234500' FROM generate_series(1, 300) n;
INSERT INTO contact (id, first_name, last_name, email, business_phone) VALUES
	(1001, 'Quirin', 'Quell', 'q1@x.org', '+49301234500'), (1002, 'Quell', 'Quirin', 'q2@x.org', '+49301234500');
SELECT contact_id, other_id, reasons FROM contacts.find_duplicates('duplicates_groups', NULL) WHERE reasons @> '{same_phone}';

-- of several sizes the smaller groups go first: 60 groups of 20 are more
-- pairs than there may be, 50 groups of two are not
DELETE FROM contact;
INSERT INTO contact (first_name, last_name, email)
	SELECT 'A' || translate((n / 20)::text, '0123456789', 'bcdfghjklm'), 'Many', format('m%s@x.org', n) FROM generate_series(0, 1199) n
	UNION ALL SELECT 'E' || translate((n / 2)::text, '0123456789', 'bcdfghjklm'), 'Few', format('f%s@x.org', n) FROM generate_series(0, 99) n;
SELECT evidence & 4 > 0 AS of_name, namesakes, count(*) FROM contacts.duplicate_pairs('duplicates_groups', NULL)
WHERE evidence & 4 > 0 GROUP BY 1, 2 ORDER BY 2;

-- no pair twice, none of one contact, the lower id first
SELECT count(*) - count(DISTINCT (contact_id, other_id)) AS twice, count(*) FILTER (WHERE contact_id >= other_id) AS wrong
FROM contacts.duplicate_pairs('duplicates_groups', NULL);

-- nobody at all
DELETE FROM contact;
SELECT * FROM contacts.find_duplicates('duplicates_groups');

SELECT contacts.drop_directory('duplicates_groups', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_duplicates_groups;
DROP ROLE regress_contacts_duplicates_groups;
