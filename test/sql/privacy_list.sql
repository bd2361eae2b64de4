-- contacts.personal_data is complete: it names every table and every column of
-- a fresh directory.  If this test fails, say in sql/privacy.sql whether what
-- it lists is about a person, how its rows are found and what erasure does.
SELECT contacts.create_directory('privacy_list') \g /dev/null
CREATE TEMP VIEW tab AS
	SELECT c.oid, c.relname FROM pg_class c
	WHERE c.relnamespace = 'privacy_list'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'm');
CREATE TEMP VIEW listed AS
	SELECT p.*, l.name AS listed
	FROM contacts.personal_data p CROSS JOIN LATERAL unnest(p.personal || p.other || p.contact_column || p.key_column) l (name);
CREATE TEMP VIEW unclassified AS
	SELECT t.relname, a.attname
	FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE NOT EXISTS (SELECT FROM listed l WHERE l.relation = t.relname AND l.listed IN (a.attname, '*'));

SELECT relname, attname AS "not classified" FROM unclassified ORDER BY 1, 2;
-- what is listed is there
SELECT l.relation, l.listed AS "not there" FROM listed l
WHERE l.listed <> '*' AND NOT EXISTS (
	SELECT FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = l.listed WHERE t.relname = l.relation)
ORDER BY 1, 2;
-- no column is both
SELECT p.relation FROM contacts.personal_data p WHERE p.personal && p.other ORDER BY 1;
-- what is blanked can be NULL
SELECT p.relation, a.attname AS "cannot be blanked"
FROM contacts.personal_data p JOIN tab t ON t.relname = p.relation
	JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = ANY (p.personal)
WHERE p.erasure = 'blank' AND a.attnotnull ORDER BY 1, 2;
-- what goes goes with the contact; an index finds what is looked for
SELECT p.relation AS "does not go"
FROM contacts.personal_data p JOIN tab t ON t.relname = p.relation
WHERE p.erasure = 'delete' AND p.key_column IS NULL AND p.relation NOT IN ('contact', 'legal_hold') AND NOT EXISTS (
	SELECT FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = p.contact_column
	WHERE k.conrelid = t.oid AND k.contype = 'f' AND k.confrelid = 'privacy_list.contact'::regclass
		AND k.conkey = ARRAY[a.attnum] AND k.confdeltype = 'c')
ORDER BY 1;
SELECT p.relation, c.name AS "without index"
FROM contacts.personal_data p JOIN tab t ON t.relname = p.relation
	CROSS JOIN LATERAL (VALUES (p.contact_column), (p.key_column)) c (name)
WHERE NOT EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = c.name
	WHERE x.indrelid = t.oid AND x.indpred IS NULL AND x.indkey[0] = a.attnum)
	AND c.name IS NOT NULL
ORDER BY 1, 2;
-- only what holds no contact and no key is kept
SELECT t.relname, a.attname AS "tells a person"
FROM contacts.personal_data p JOIN tab t ON t.relname = p.relation
	JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname IN ('contact_id', 'key', 'address', 'email', 'phone', 'value')
WHERE p.erasure = 'keep' AND p.relation <> 'secret' ORDER BY 1, 2;

-- the test would notice
CREATE TABLE privacy_list.letter (id bigint, address text);
ALTER TABLE privacy_list.organization ADD founder text;
ALTER TABLE privacy_list.contact ADD shoe_size integer;
SELECT relname, attname AS "not classified" FROM unclassified ORDER BY 1, 2;
DROP TABLE privacy_list.letter;
SELECT contacts.drop_directory('privacy_list', cascade => true);
