-- Suppression lists: exported, and taken over by address or by key
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir privacy_lists
\set ECHO none
\i :rules
\set ECHO all
SELECT contacts.create_directory('privacy_lists_twin', secret => '\x000102030405060708090a0b0c0d0e0f') \g /dev/null
SELECT contacts.create_directory('privacy_lists_other') \g /dev/null

INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', NULL), (3, 'Cyd', 'c@x.org', NULL);
SELECT suppress('a@x.org', 'complaint'), unsubscribe('b@x.org'), suppress('d@x.org', 'bounce'), unsubscribe('+49301234500'), opt_in('c@x.org', '{}');
SELECT erase_person(1) \g /dev/null
-- addresses where they are known, keys always
SELECT semantic_type, value, key IS NOT NULL AS key, state, reason, changed_at = now() AS is_now FROM suppression_list() ORDER BY value, semantic_type;

-- by address, set-based, all kinds
INSERT INTO privacy_lists_other.contact (id, first_name, email) VALUES (1, 'Dan', 'd@x.org'), (2, 'Bea', 'b@x.org');
SELECT privacy_lists_other.suppress('b@x.org', 'bounce');
SELECT l.state, l.reason, privacy_lists_other.import_suppressions(array_agg(l.value), l.state, l.reason, 'privacy_lists')
FROM suppression_list() l WHERE l.value IS NOT NULL GROUP BY l.state, l.reason ORDER BY l.state, l.reason;
SELECT id, email, email_status FROM privacy_lists_other.contact ORDER BY id;
-- nothing known is lowered, the first reason stays
SELECT value, status, status_reason FROM privacy_lists_other.identifier ORDER BY value;
SELECT new_state, reason, source FROM privacy_lists_other.consent_event ORDER BY id;
SELECT import_suppressions('{x@x.org, X@X.org, +49 30 1234509, NULL}'), import_suppressions('{}'), import_suppressions(NULL);
SELECT value, status, status_reason FROM identifier WHERE value IN ('x@x.org', '+49301234509') ORDER BY value;
SELECT * FROM pg_temp.fails($$SELECT import_suppressions('{y@x.org, no address}')$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppressions('{y@x.org}', 'opted_in')$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppressions('{y@x.org}', 'not_opted_in')$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppressions('{y@x.org}', 'asleep')$$) LIMIT 1;
SELECT address_status('y@x.org');

-- by key: erased addresses, too, between directories that share a secret
INSERT INTO privacy_lists_twin.contact (id, first_name, email) VALUES (1, 'Ann', 'a@x.org'), (2, 'Ben', 'b@x.org');
SELECT l.semantic_type, l.state, privacy_lists_twin.import_suppression_keys(array_agg(l.key),
	(SELECT secret_fingerprint FROM setting), l.state, 'import', 'privacy_lists', l.semantic_type)
FROM suppression_list() l GROUP BY l.semantic_type, l.state ORDER BY l.semantic_type, l.state;
SELECT id, email, email_status FROM privacy_lists_twin.contact ORDER BY id;
SELECT semantic_type, value, contact_id, status, status_reason FROM privacy_lists_twin.identifier ORDER BY semantic_type, value, key;
SELECT a.address, privacy_lists_twin.address_status(a.address) FROM unnest('{a@x.org,b@x.org,c@x.org,d@x.org,+49301234500,+49301234509}'::text[]) a (address);
-- a claim of an address known by its key alone meets the state
INSERT INTO privacy_lists_twin.contact (id, first_name, email, mobile_phone) VALUES (3, 'Don', 'd@x.org', '+49301234500');
SELECT id, email_status FROM privacy_lists_twin.contact WHERE id = 3;
-- again it changes nothing
CREATE TEMP TABLE before AS SELECT id, contact_id, value, key, status, status_reason FROM privacy_lists_twin.identifier;
SELECT count(*) FROM (SELECT privacy_lists_twin.import_suppression_keys(array_agg(l.key), (SELECT secret_fingerprint FROM setting), 'unsubscribed') FROM suppression_list() l) x;
SELECT count(*) FROM (SELECT id, contact_id, value, key, status, status_reason FROM privacy_lists_twin.identifier EXCEPT TABLE before) x;
SELECT * FROM contacts.check_directory('privacy_lists_twin');
-- keys of another secret say nothing
SELECT * FROM pg_temp.fails($$SELECT privacy_lists_other.import_suppression_keys(ARRAY[gen_random_uuid()], (SELECT secret_fingerprint FROM privacy_lists.setting))$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppression_keys(ARRAY[gen_random_uuid()], NULL)$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppression_keys(ARRAY[gen_random_uuid()], (SELECT secret_fingerprint FROM setting), 'opted_in')$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppression_keys(ARRAY[gen_random_uuid()], (SELECT secret_fingerprint FROM setting), semantic_type => 'fax')$$);
SELECT import_suppression_keys(NULL, NULL);
-- many
SELECT import_suppressions(array_agg(format('n%s@x.org', n)), 'unsubscribed') FROM generate_series(1, 5000) n;
SELECT privacy_lists_twin.import_suppression_keys(array_agg(key), (SELECT secret_fingerprint FROM setting), 'unsubscribed') FROM suppression_list() WHERE value LIKE 'n%';
SELECT count(*), count(value) FROM privacy_lists_twin.suppression_list();
-- rights
RESET ROLE;
CREATE ROLE regress_contacts_privacy_lists_reader;
GRANT USAGE ON SCHEMA privacy_lists TO regress_contacts_privacy_lists_reader;
SET ROLE regress_contacts_privacy_lists_reader;
SELECT * FROM pg_temp.fails($$SELECT suppression_list()$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppressions('{y@x.org}')$$);
SELECT * FROM pg_temp.fails($$SELECT import_suppression_keys(ARRAY[gen_random_uuid()], '\x00')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.import_states('contact', '{y@x.org}', 'suppressed', NULL, NULL)$$);
SET ROLE regress_contacts_privacy_lists;
SELECT * FROM pg_temp.fails($$SELECT contacts.import_states('contact', '{y@x.org}', 'suppressed', NULL, NULL)$$);

SELECT contacts.drop_directory(d, cascade => true) FROM unnest('{privacy_lists_twin,privacy_lists_other,privacy_lists}'::text[]) d;
RESET ROLE;
DROP OWNED BY regress_contacts_privacy_lists, regress_contacts_privacy_lists_reader;
DROP ROLE regress_contacts_privacy_lists, regress_contacts_privacy_lists_reader;
