-- Merging contacts and undoing it: every table that refers to them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir merge_contacts
\i :rules
SET client_min_messages = warning;
SET search_path = merge_contacts, public;
RESET ROLE;
CREATE ROLE regress_contacts_merge_other;
CREATE SCHEMA merge_other AUTHORIZATION regress_contacts_merge_other;
GRANT USAGE ON SCHEMA merge_other TO regress_contacts_merge_contacts;
SET ROLE regress_contacts_merge_contacts;
GRANT USAGE ON SCHEMA merge_contacts TO regress_contacts_merge_other;
GRANT REFERENCES, SELECT ON contact TO regress_contacts_merge_other;

INSERT INTO contact (id, first_name, last_name, email, mobile_phone, created_at) VALUES
	(1, 'Ann', NULL, 'a@x.org', '+49301234501', '2020-01-01'),
	(2, 'Ann', 'Lee', 'b@x.org', '+49301234501', '2019-01-01'),
	(3, NULL, NULL, 'c@x.org', '+49301234503', '2021-01-01'),
	(4, 'Dan', 'Fox', 'd@x.org', NULL, '2022-01-01'),
	(5, 'Eve', 'Roe', 'e@x.org', NULL, '2022-01-01');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES
	(2, 'anonymous', 'main', 'token 1'), (2, 'anonymous', NULL, 'token 2'), (1, 'email', 'work', 'f@x.org'), (2, 'email', 'work', 'g@x.org');
SELECT relate('spouse', 1, 4), relate('spouse', 2, 5), relate('sibling', 1, 2), relate('parent', 4, 2), relate('parent', 4, 1, note => NULL);
INSERT INTO subscription_topic (name) VALUES ('news'), ('offers');
SELECT subscribe(1, 'news'), unsubscribe_topic(2, 'news'), subscribe(2, 'offers');

-- tables of users: a unique kind with children, composite keys, self
-- references, deferred constraints, ON DELETE actions, partitions, another
-- owner's, triggers, none at all, views
CREATE TABLE policy (id integer PRIMARY KEY, contact_id bigint REFERENCES contact ON DELETE CASCADE, kind text, note text, UNIQUE (contact_id, kind));
CREATE TABLE claim (id integer PRIMARY KEY, policy_id integer REFERENCES policy ON DELETE CASCADE, sum integer);
INSERT INTO policy VALUES (1, 1, 'car', NULL), (2, 2, 'car', 'of 2'), (3, 2, 'life', 'of 2');
INSERT INTO claim VALUES (1, 1, 10), (2, 2, 20), (3, 3, 30);
ALTER TABLE contact ADD COLUMN tenant integer NOT NULL DEFAULT 7, ADD COLUMN referrer bigint REFERENCES contact, ADD COLUMN customer_no text UNIQUE, ADD UNIQUE (tenant, id);
UPDATE contact SET tenant = 8 WHERE id = 2;
UPDATE contact SET referrer = 2 WHERE id IN (1, 4);
UPDATE contact SET customer_no = 'C2' WHERE id = 2;
CREATE TABLE visit (tenant integer, who bigint, at integer, FOREIGN KEY (tenant, who) REFERENCES contact (tenant, id) ON DELETE SET NULL);
INSERT INTO visit VALUES (8, 2, 1), (7, 1, 2), (8, 2, 3);
CREATE TABLE deferred (id integer PRIMARY KEY, contact_id bigint REFERENCES contact DEFERRABLE INITIALLY DEFERRED, parent integer REFERENCES deferred);
INSERT INTO deferred VALUES (1, 2, NULL), (2, 1, 1);
CREATE TABLE part (contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE, region text, PRIMARY KEY (contact_id, region)) PARTITION BY LIST (region);
CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu');
CREATE TABLE part_us PARTITION OF part FOR VALUES IN ('us');
INSERT INTO part VALUES (1, 'eu'), (2, 'eu'), (2, 'us');
CREATE TABLE stamped (id integer PRIMARY KEY, contact_id bigint REFERENCES contact ON DELETE SET NULL, changes integer NOT NULL DEFAULT 0);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM policy; NEW.changes := NEW.changes + 1; RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
INSERT INTO stamped VALUES (1, 2), (2, 2);
CREATE TABLE loose (contact integer, note text);
INSERT INTO loose VALUES (1, 'same'), (2, 'same'), (2, 'same'), (2, 'other');
CREATE VIEW policy_view AS SELECT contact_id, count(*) AS n FROM policy GROUP BY 1;
CREATE MATERIALIZED VIEW policy_kept AS SELECT contact_id, count(*) AS n FROM policy GROUP BY 1;
SELECT contacts.register_reference('merge_contacts', 'loose', 'contact');
SELECT * FROM pg_temp.fails($$SELECT contacts.register_reference('merge_contacts', 'loose', 'note')$$);
SET ROLE regress_contacts_merge_other;
CREATE TABLE merge_other.order_ (id integer PRIMARY KEY, buyer bigint REFERENCES merge_contacts.contact);
INSERT INTO merge_other.order_ VALUES (1, 2);
SET ROLE regress_contacts_merge_contacts;
CREATE TEMP VIEW everything AS
	SELECT 'contact' AS tab, to_jsonb(t) - '{created_at,updated_at}'::text[] AS row FROM contact t
	UNION ALL SELECT 'identifier', to_jsonb(t) - '{created_at,key}'::text[] FROM identifier t
	UNION ALL SELECT 'relationship', to_jsonb(t) - 'created_at' FROM relationship t
	UNION ALL SELECT 'subscription', to_jsonb(t) - 'since' FROM subscription t
	UNION ALL SELECT 'policy', to_jsonb(t) FROM policy t UNION ALL SELECT 'claim', to_jsonb(t) FROM claim t
	UNION ALL SELECT 'visit', to_jsonb(t) FROM visit t UNION ALL SELECT 'deferred', to_jsonb(t) FROM deferred t
	UNION ALL SELECT 'part', to_jsonb(t) FROM part t UNION ALL SELECT 'stamped', to_jsonb(t) - 'changes' FROM stamped t
	UNION ALL SELECT 'loose', to_jsonb(t) FROM loose t;
CREATE TEMP TABLE before AS SELECT * FROM everything;

-- another owner's table is changed with the caller's rights only
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_contacts', 1, '{2}')$$);
SET ROLE regress_contacts_merge_other;
GRANT SELECT, UPDATE ON merge_other.order_ TO regress_contacts_merge_contacts;
SET ROLE regress_contacts_merge_contacts;
-- a dry run says the same and changes nothing
SELECT contacts.merge_contacts('merge_contacts', 1, '{2}', dry_run => true) AS dry \gset
SELECT count(*) FROM (TABLE everything EXCEPT ALL TABLE before) d;
SELECT contacts.merge_contacts('merge_contacts', 1, '{2}', reason => 'same person') AS wet \gset
SELECT t.key, t.value FROM jsonb_each(:'wet'::jsonb -> 'tables') t ORDER BY t.key COLLATE "C";
SELECT :'wet'::jsonb - '{merge_id,dry_run}'::text[] = :'dry'::jsonb - 'dry_run' AS same;
TABLE person;
SELECT id, tenant, referrer, customer_no, created_at::date FROM contact ORDER BY id;
TABLE held;
SELECT id, relationship_type_id AS type, contact_id AS contact, related_contact_id AS related, ended_on = CURRENT_DATE AS ended FROM relationship ORDER BY id;
SELECT contact_id, topic_id, state FROM subscription ORDER BY 1, 2;
SELECT * FROM policy ORDER BY id;
SELECT * FROM claim ORDER BY id;
SELECT * FROM visit ORDER BY at;
SELECT * FROM deferred ORDER BY id;
SELECT * FROM part ORDER BY region;
SELECT * FROM stamped ORDER BY id;
SELECT * FROM loose ORDER BY note, contact;
SELECT * FROM merge_other.order_;
SELECT * FROM policy_view;
SELECT * FROM contacts.check_directory('merge_contacts');
-- old ids
SELECT * FROM contact_by_id ORDER BY id;
SELECT find_contact(2), resolve_contact(2), find_contact(99), resolve_contact('email', 'b@x.org');
SELECT * FROM pg_temp.fails('SELECT resolve_contact(99)');
SELECT survivor_id, loser_ids, reason, unmerged_at FROM merge_history;

-- a chain, and what cannot be merged
SELECT contacts.merge_contacts('merge_contacts', 4, '{1}') ->> 'survivor_id' AS survivor;
SELECT * FROM contact_by_id ORDER BY id;
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_contacts', 4, '{1}')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_contacts', 4, '{4}')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_contacts', 4, '{}')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_contacts', 4, '{5}', choices => '{"id": 5}')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.merge_contacts('merge_contacts', 4, '{5}', choices => '{"titles": 3}')$$);
SELECT * FROM pg_temp.fails(format('SELECT contacts.unmerge(''merge_contacts'', %s)', (SELECT min(id) FROM merge_history)));

-- undone in reverse order: everything is as it was
SELECT * FROM contacts.unmerge('merge_contacts', (SELECT max(id) FROM merge_history));
SELECT * FROM contacts.unmerge('merge_contacts', (SELECT min(id) FROM merge_history));
SELECT * FROM (TABLE everything EXCEPT ALL TABLE before) d ORDER BY 1, 2;
SELECT * FROM (TABLE before EXCEPT ALL TABLE everything) d ORDER BY 1, 2;
SELECT count(*) FROM merge_journal;
SELECT count(*) FROM contact_alias;
SELECT * FROM contacts.check_directory('merge_contacts');
SELECT * FROM pg_temp.fails(format('SELECT contacts.unmerge(''merge_contacts'', %s)', (SELECT min(id) FROM merge_history)));
SELECT * FROM pg_temp.fails('SELECT contacts.unmerge(''merge_contacts'', 12345)');

-- what has changed since stays where it is
INSERT INTO deferred VALUES (3, 1, NULL);
SELECT contacts.merge_contacts('merge_contacts', NULL, '{1,2,3}', choices => '{"email": 3, "first_name": 1}') AS wet \gset
TABLE person;
UPDATE policy SET note = 'changed' WHERE id = 3;
DELETE FROM deferred WHERE id = 2;
UPDATE deferred SET parent = 1 WHERE id = 3;
SELECT suppress('b@x.org', 'complaint');
SELECT * FROM contacts.unmerge('merge_contacts', (:'wet'::jsonb ->> 'merge_id')::bigint) ORDER BY relation, row_key;
TABLE person;
SELECT * FROM policy ORDER BY id;
SELECT * FROM deferred ORDER BY id;
SELECT contact_id, relation, action FROM merge_journal ORDER BY id;
SELECT * FROM contacts.check_directory('merge_contacts');

-- consent: a wish of one is a wish of all
SELECT unsubscribe('d@x.org');
SELECT contacts.merge_contacts('merge_contacts', 5, '{4}') ->> 'survivor_id' AS survivor;
SELECT value, state, reason FROM held WHERE contact = 5 AND kind = 'email';
-- erasure: nothing of the merged remains
SELECT (erase_person(5) ->> 'merge_journal')::integer > 0 AS had_journal;
SELECT count(*) FROM merge_journal j WHERE j.before::text LIKE '%d@x.org%' OR j.after::text LIKE '%d@x.org%';
SELECT * FROM contacts.check_directory('merge_contacts');

SELECT contacts.unregister_reference('merge_contacts', 'loose', 'contact'), contacts.unregister_reference('merge_contacts', 'loose', 'contact');
RESET ROLE;
DROP SCHEMA merge_other CASCADE;
SET ROLE regress_contacts_merge_contacts;
SELECT contacts.drop_directory('merge_contacts', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_merge_contacts, regress_contacts_merge_other;
DROP ROLE regress_contacts_merge_contacts, regress_contacts_merge_other;
