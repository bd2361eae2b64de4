-- INSERT .. ON CONFLICT, both branches, and MERGE (rules I1, I4, I6, I8, C1, C3)
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir dml_upsert
\set ECHO none
\i :rules
\set ECHO all

-- I1: ON CONFLICT (email) DO UPDATE works on contact
INSERT INTO contact (first_name, last_name, email) VALUES ('Ada', 'One', 'a@x.org'), ('Bob', 'Two', 'b@x.org')
	ON CONFLICT (email) DO UPDATE SET first_name = 'never' RETURNING id, first_name, email, contact_type;
INSERT INTO contact (first_name, last_name, email, mobile_phone) VALUES
	('Ada', 'Uno', 'A@X.org', '+49301234500'), ('Cyd', 'Three', 'c@x.org', '+49301234501')
	ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name, last_name = EXCLUDED.last_name,
		mobile_phone = EXCLUDED.mobile_phone
	RETURNING id, last_name, email, mobile_phone, contact_type, xmax <> 0 AS was_updated;
SELECT * FROM person;
SELECT * FROM held;
-- on the constraint, by name; and on the primary key with a change of email
INSERT INTO contact (email, titles) VALUES ('b@x.org', 'Dr') ON CONFLICT ON CONSTRAINT contact_email_key
	DO UPDATE SET titles = EXCLUDED.titles WHERE contact.titles IS NULL;
INSERT INTO contact (id, email) VALUES (2, 'n@x.org') ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email;
SELECT * FROM held WHERE contact = 2;
-- nothing changes: no row is updated
INSERT INTO contact (email, titles) VALUES ('n@x.org', 'Prof') ON CONFLICT (email)
	DO UPDATE SET titles = EXCLUDED.titles WHERE contact.titles IS NULL RETURNING id;
SELECT id, titles FROM contact WHERE id = 2;

-- DO NOTHING, also without a target; within the statement, too
INSERT INTO contact (email) VALUES ('a@x.org'), ('d@x.org'), ('D@X.ORG') ON CONFLICT (email) DO NOTHING;
INSERT INTO contact (email) VALUES ('a@x.org'), ('e@x.org') ON CONFLICT DO NOTHING;
SELECT email FROM contact ORDER BY email;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, first_name) VALUES ('f@x.org', '1'), ('F@X.ORG', '2')
	ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name$$);
-- a conflict with an address under another slug is no conflict of contact's: 23505 (I1)
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'work', 'w@x.org');
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('w@x.org') ON CONFLICT (email) DO NOTHING$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('w@x.org') ON CONFLICT DO NOTHING$$);
SELECT count(*) FROM contact WHERE email = 'w@x.org';

-- the DO UPDATE branch that takes another's address, or promotes a second one of its own
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('n@x.org') ON CONFLICT (email) DO UPDATE SET email = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email) VALUES ('n@x.org') ON CONFLICT (email) DO UPDATE SET email = 'w@x.org'$$);
INSERT INTO contact (email) VALUES ('a@x.org') ON CONFLICT (email) DO UPDATE SET email = 'w@x.org';
SELECT * FROM held WHERE contact = 1;

-- both branches in one statement, with states that are known (C1, C3)
SELECT unsubscribe('x@x.org'), suppress('y@x.org');
INSERT INTO contact (email, first_name) VALUES ('w@x.org', 'Ada 2'), ('x@x.org', 'Xan'), ('y@x.org', 'Yan'), ('z@x.org', 'Zoe')
	ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name;
SELECT * FROM person WHERE first IN ('Ada 2', 'Xan', 'Yan', 'Zoe');
-- again, whole rows: stating what is so is no change, stating less raises
INSERT INTO contact (email, first_name, email_status) VALUES ('x@x.org', 'Xan 2', 'unsubscribed'), ('y@x.org', 'Yan 2', 'suppressed')
	ON CONFLICT (email) DO UPDATE SET first_name = EXCLUDED.first_name, email_status = EXCLUDED.email_status;
SELECT * FROM pg_temp.fails($$INSERT INTO contact (email, email_status) VALUES ('z@x.org', 'opted_in'), ('x@x.org', 'opted_in')
	ON CONFLICT (email) DO UPDATE SET email_status = EXCLUDED.email_status$$);
SELECT * FROM person WHERE email >= 'x@x.org';

-- upsert of identifiers
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'work', 'v@x.org'), (2, 'oauth', NULL, 'o1'), (2, 'oauth', NULL, 'o1')
	ON CONFLICT (key, holder) DO NOTHING;
INSERT INTO identifier (contact_id, semantic_type, slug, value, source) VALUES (4, 'email', 'work', 'V@X.org', 'second'), (4, 'phone', 'home', '+49301234502', 'new')
	ON CONFLICT (key, holder) DO UPDATE SET source = EXCLUDED.source;
SELECT contact_id, slug, value, source FROM identifier WHERE source IS NOT NULL ORDER BY value COLLATE "C";
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'main', 'u@x.org')
	ON CONFLICT (contact_id, semantic_type, slug) DO UPDATE SET value = EXCLUDED.value;
SELECT * FROM person WHERE id = 2;
SELECT * FROM held WHERE contact = 2;
-- that replaces an address which must stay behind: the guard refuses
INSERT INTO contact (id, first_name, email) VALUES (50, 'Sam', 's@x.org');
SELECT unsubscribe('s@x.org');
SELECT * FROM pg_temp.fails($$INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (50, 'email', 'main', 't@x.org')
	ON CONFLICT (contact_id, semantic_type, slug) DO UPDATE SET value = EXCLUDED.value$$);

-- MERGE: insert, update, delete and nothing in one statement
CREATE TEMP TABLE wanted (email text, first_name text, action text);
INSERT INTO wanted VALUES ('w@x.org', 'Merged', 'update'), ('C@x.org', NULL, 'delete'), ('d@x.org', 'Dee', 'nothing'),
	('g@x.org', 'Gus', 'insert'), ('y@x.org', 'Yan 3', 'delete'), ('q@x.org', 'Quin', 'insert');
MERGE INTO contact c USING wanted w ON c.email = w.email
	WHEN MATCHED AND w.action = 'delete' THEN DELETE
	WHEN MATCHED AND w.action = 'nothing' THEN DO NOTHING
	WHEN MATCHED THEN UPDATE SET first_name = w.first_name, email = 'merged_' || w.email
	WHEN NOT MATCHED THEN INSERT (first_name, email) VALUES (w.first_name, w.email);
SELECT * FROM person;
SELECT * FROM held;
-- an address that the one lets go and the other takes
MERGE INTO contact c USING (VALUES ('q@x.org', 'qq@x.org'), ('g@x.org', 'q2@x.org')) v (was, now) ON c.email = v.was
	WHEN MATCHED THEN UPDATE SET email = v.now;
MERGE INTO contact c USING (VALUES ('qq@x.org')) v (email) ON c.email = v.email
	WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (email) VALUES (v.email);
MERGE INTO contact c USING (VALUES ('qq@x.org')) v (email) ON c.email = v.email
	WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (email) VALUES (v.email);
SELECT value, contact_id IS NOT NULL AS is_held FROM identifier WHERE value LIKE 'q%' ORDER BY value;
-- MERGE into identifier
MERGE INTO identifier i USING (VALUES ('email', 'u@x.org'), ('email', 'k@x.org'), ('oauth', 'o1')) v (kind, value)
	ON i.semantic_type = v.kind AND i.value = v.value
	WHEN MATCHED AND v.kind = 'oauth' THEN DELETE
	WHEN MATCHED THEN UPDATE SET value = 'uu@x.org', is_validated = true
	WHEN NOT MATCHED THEN INSERT (contact_id, semantic_type, slug, value) VALUES (2, v.kind, 'personal', v.value);
SELECT * FROM held WHERE contact = 2;
SELECT * FROM person WHERE id = 2;

SELECT * FROM contacts.check_directory('dml_upsert');
SELECT contacts.drop_directory('dml_upsert', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_dml_upsert;
DROP ROLE regress_contacts_dml_upsert;
