-- The operator families of email and phone: complete, and one order for all
CREATE ROLE regress_opclass;
CREATE SCHEMA opclass_test AUTHORIZATION regress_opclass;
SET ROLE regress_opclass;
SET search_path = opclass_test;

-- Every operator class of the extension is valid.
SELECT c.opcname, a.amname, c.opcdefault, c.opcintype::regtype, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE c.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_opclass'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'contacts'))
ORDER BY 1, 2;

-- Deduplication and abbreviated keys are there.
SELECT f.opfname, p.amproclefttype::regtype, p.amprocrighttype::regtype, p.amprocnum, p.amproc
FROM pg_opfamily f JOIN pg_am a ON a.oid = f.opfmethod JOIN pg_amproc p ON p.amprocfamily = f.oid
WHERE f.opfnamespace = 'contacts'::regnamespace AND a.amname = 'btree' AND p.amprocnum > 1
ORDER BY 1, p.amproclefttype::regtype::text, p.amprocnum;
CREATE TABLE duplicate (e contacts.email, t text COLLATE "C");
INSERT INTO duplicate SELECT e, e FROM (SELECT ('user' || n % 100 || '@example.org')::contacts.email AS e FROM generate_series(1, 20000) n) s;
CREATE INDEX duplicate_e ON duplicate (e);
CREATE INDEX duplicate_t ON duplicate (t);
SELECT pg_relation_size('duplicate_e') = pg_relation_size('duplicate_t') AS deduplicated;

-- Labels of the functions: who may be pushed below a row security policy.
SELECT o.oprname, o.oprleft::regtype, o.oprright::regtype, p.proleakproof, p.provolatile, p.proparallel, p.proisstrict,
	o.oprcanmerge, o.oprcanhash, o.oprcom <> 0 AS has_commutator, o.oprnegate <> 0 AS has_negator, o.oprrest, o.oprjoin
FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
WHERE 'contacts.email'::regtype IN (o.oprleft, o.oprright) OR o.oprnamespace = 'contacts'::regnamespace AND p.proname LIKE 'email%'
ORDER BY o.oprleft::regtype::text, o.oprright::regtype::text, o.oprname COLLATE "C";
-- phone has the same.
SELECT count(*), count(DISTINCT (p.proleakproof, p.provolatile, p.proparallel, p.proisstrict))
FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
WHERE 'contacts.phone'::regtype IN (o.oprleft, o.oprright) OR o.oprnamespace = 'contacts'::regnamespace AND p.proname LIKE 'phone%';
SELECT proname, provolatile FROM pg_proc
WHERE pronamespace = 'contacts'::regnamespace AND proname ~ '^(email|phone)_(in|out|recv|send)$|^(try_)?(email|phone)$'
ORDER BY 1, 2;
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast
WHERE castsource::regtype::text ~ '^contacts\.' OR casttarget::regtype::text ~ '^contacts\.'
ORDER BY castsource::regtype::text, casttarget::regtype::text;
SELECT typname, typcategory, typispreferred, typstorage, typcollation FROM pg_type
WHERE oid IN ('contacts.email'::regtype, 'contacts.phone'::regtype) ORDER BY 1;

-- A few thousand values: addresses in several spellings, texts that are none.
CREATE TABLE spelling (t text);
INSERT INTO spelling
SELECT s FROM (SELECT n, md5(n::text) AS h FROM generate_series(1, 1500) n) g,
	LATERAL (VALUES (left(h, 1 + n % 20) || '@example.org'), (upper(left(h, 1 + n % 20)) || '@EXAMPLE.org '),
		(left(h, n % 20)), (upper(left(h, n % 20))), ('a' || U&'\00C9' || n % 100 || '@b' || U&'\00FC' || '.example'),
		(repeat(left(h, 1 + n % 7), 6) || '@example.com')) v(s);
INSERT INTO spelling VALUES (''), (' '), ('@'), ('a@b'), (repeat('x', 5000)), (repeat(' ', 400) || 'ann@example.org');
CREATE TABLE address (e contacts.email);
INSERT INTO address SELECT contacts.try_email(t) FROM spelling WHERE contacts.try_email(t) IS NOT NULL;
SELECT count(*), count(DISTINCT t), count(DISTINCT contacts.try_email(t)) FROM spelling;

-- Addresses sort as their bytes (abbreviated keys), and compare so.
SELECT count(*) AS out_of_order
FROM (SELECT e, lead(e) OVER (ORDER BY e) AS next FROM address) s
WHERE convert_to(e, 'UTF8') > convert_to(next, 'UTF8');
SELECT count(*) AS wrong FROM (SELECT DISTINCT e FROM address) a, (SELECT DISTINCT e FROM address LIMIT 200) b
WHERE (a.e < b.e) <> (convert_to(a.e, 'UTF8') < convert_to(b.e, 'UTF8'))
OR (a.e <= b.e) <> (convert_to(a.e, 'UTF8') <= convert_to(b.e, 'UTF8'))
OR (a.e = b.e) <> (convert_to(a.e, 'UTF8') = convert_to(b.e, 'UTF8'))
OR (a.e <> b.e) <> (convert_to(a.e, 'UTF8') <> convert_to(b.e, 'UTF8'))
OR (a.e >= b.e) <> (convert_to(a.e, 'UTF8') >= convert_to(b.e, 'UTF8'))
OR (a.e > b.e) <> (convert_to(a.e, 'UTF8') > convert_to(b.e, 'UTF8'));

-- What a text compares as, by its definition: the model of the next checks.
CREATE TABLE model AS
SELECT t, contacts.try_email(t) AS e, convert_to(coalesce(contacts.try_email(t)::text, t), 'UTF8') AS bytes
FROM (SELECT DISTINCT t FROM spelling) s;
SELECT count(*) AS wrong FROM (SELECT * FROM model ORDER BY md5(t) LIMIT 700) a, (SELECT * FROM model ORDER BY md5(t) DESC LIMIT 300) b
WHERE (a.t OPERATOR(contacts.<#) b.t) <> (a.bytes < b.bytes)
OR (a.t OPERATOR(contacts.<=#) b.t) <> (a.bytes <= b.bytes)
OR (a.t OPERATOR(contacts.=#) b.t) <> (a.bytes = b.bytes)
OR (a.t OPERATOR(contacts.>=#) b.t) <> (a.bytes >= b.bytes)
OR (a.t OPERATOR(contacts.>#) b.t) <> (a.bytes > b.bytes)
OR (a.e < b.t) <> (a.bytes < b.bytes) OR (a.t < b.e) <> (a.bytes < b.bytes)
OR (a.e <= b.t) <> (a.bytes <= b.bytes) OR (a.t <= b.e) <> (a.bytes <= b.bytes)
OR (a.e = b.t) <> (a.bytes = b.bytes) OR (a.t = b.e) <> (a.bytes = b.bytes)
OR (a.e <> b.t) <> (a.bytes <> b.bytes) OR (a.t <> b.e) <> (a.bytes <> b.bytes)
OR (a.e >= b.t) <> (a.bytes >= b.bytes) OR (a.t >= b.e) <> (a.bytes >= b.bytes)
OR (a.e > b.t) <> (a.bytes > b.bytes) OR (a.t > b.e) <> (a.bytes > b.bytes)
OR sign(contacts.email_text_cmp(a.e, b.t)) <> CASE WHEN a.bytes < b.bytes THEN -1 WHEN a.bytes > b.bytes THEN 1 ELSE 0 END
OR sign(contacts.text_email_cmp(a.t, b.e)) <> CASE WHEN a.bytes < b.bytes THEN -1 WHEN a.bytes > b.bytes THEN 1 ELSE 0 END
OR sign(contacts.email_texts_cmp(a.t, b.t)) <> CASE WHEN a.bytes < b.bytes THEN -1 WHEN a.bytes > b.bytes THEN 1 ELSE 0 END;

-- Texts sort as the model (abbreviated keys of texts).
SELECT count(*) AS out_of_order
FROM (SELECT bytes, lead(bytes) OVER (ORDER BY t USING OPERATOR(contacts.<#)) AS next FROM model) s
WHERE bytes > next;
SELECT count(*) AS out_of_order
FROM (SELECT bytes, lead(bytes) OVER (ORDER BY t USING OPERATOR(contacts.>#)) AS next FROM model) s
WHERE bytes < next;

-- Equal means equal hash, across types and with a seed.
SELECT count(*), count(*) FILTER (WHERE contacts.email_hash(e) <> contacts.email_texts_hash(t)
	OR contacts.email_hash_extended(e, 7) <> contacts.email_texts_hash_extended(t, 7)
	OR contacts.email_hash_extended(e, 8) = contacts.email_hash_extended(e, 7)) AS wrong
FROM model WHERE e IS NOT NULL;
SELECT count(DISTINCT bytes), count(DISTINCT contacts.email_texts_hash_extended(t, 0)) FROM model;
SELECT contacts.phone_hash('+49 30 123456') = contacts.phone_texts_hash('tel:+49-30-123456') AS hash,
	contacts.phone_hash_extended('+49 30 123456', 5) = contacts.phone_texts_hash_extended('tel:+49-30-123456', 5) AS extended;

-- Partitioned by hash, with hash indexes.
CREATE TABLE part (e contacts.email) PARTITION BY HASH (e);
CREATE TABLE part0 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part1 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO part SELECT DISTINCT e FROM address;
CREATE INDEX part_e ON part USING hash (e);
SELECT (SELECT count(*) FROM part0) > 500 AS spread, (SELECT count(*) FROM part1) > 500 AS spread;
SELECT e FROM part WHERE e = 'AÉ7@bü.example';
SELECT e FROM part WHERE e = 'AÉ7@bü.example'::text;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA opclass_test CASCADE;
DROP ROLE regress_opclass;
