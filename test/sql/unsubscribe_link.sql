-- Unsubscribe links: unguessable, bound, idempotent, valid for good
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir unsubscribe_link
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_unsubscribe_link_web;
GRANT USAGE ON SCHEMA unsubscribe_link TO regress_contacts_unsubscribe_link_web;
SET ROLE regress_contacts_unsubscribe_link;
CREATE TEMP VIEW topic_log AS
	SELECT t.name AS topic, e.contact_id AS contact, l.value, e.old_state AS old, e.new_state AS new, e.source,
		replace(e.role, 'regress_contacts_', '') AS role
	FROM subscription_event e JOIN subscription_topic t ON t.id = e.topic_id
		LEFT JOIN (SELECT chr(97 + n) || '@x.org' AS value FROM generate_series(0, 25) n) l
			ON e.key = contacts.identifier_key('unsubscribe_link', 'email', l.value)
	ORDER BY e.id;
CREATE FUNCTION pg_temp.token(address text, topic bigint) RETURNS text LANGUAGE sql AS $$
	SELECT contacts.make_unsubscribe_token('unsubscribe_link.identifier', CASE WHEN strpos(address, '@') > 0 THEN 'email' ELSE 'sms' END,
		contacts.address_key('unsubscribe_link.identifier', address), topic) $$;
INSERT INTO subscription_topic (id, name, needs_subscription) VALUES (1, 'news', true), (2, 'product', false);
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', '+49301234500'), (3, 'Cyd', 'c@x.org', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
SELECT subscribe_many('{1,2,3}', 'news');

-- the form: URL-safe, no padding, the same for the same message
INSERT INTO email_message (id, contact_id, address, topic_id, subject, body) VALUES (1, 1, 'a@x.org', 1, 's', 'b'), (3, 1, 'a@x.org', NULL, 's', 'b');
SELECT unsubscribe_token(1) = pg_temp.token('a@x.org', 1) AS of_topic, unsubscribe_token(3) = pg_temp.token('a@x.org', NULL) AS of_address,
	unsubscribe_token(99) IS NULL AS of_none;
SELECT pg_temp.token('A@X.org', 1) ~ '^[A-Za-z0-9_-]{55}$' AS is_safe, pg_temp.token('a@x.org', 1) <> pg_temp.token('a@x.org', 2) AS by_topic,
	pg_temp.token('a@x.org', 1) <> pg_temp.token('b@x.org', 1) AS by_address, pg_temp.token('a@x.org', 0) = pg_temp.token('a@x.org', NULL) AS zero_is_none;
-- the same in every version for good, for links are out there
SELECT pg_temp.token('a@x.org', 1), pg_temp.token('+49301234500', NULL);
SELECT * FROM pg_temp.fails($$SELECT contacts.make_unsubscribe_token('unsubscribe_link.identifier', 'fax', gen_random_uuid(), 1)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.make_unsubscribe_token('unsubscribe_link.contact', 'sms', gen_random_uuid(), 1)$$);

-- by somebody without any right
RESET ROLE;
GRANT TEMP ON DATABASE :DBNAME TO regress_contacts_unsubscribe_link_web;
SELECT pg_temp.token('a@x.org', 1) AS topic_a, pg_temp.token('a@x.org', NULL) AS all_a, pg_temp.token('b@x.org', 2) AS topic_b \gset
SET ROLE regress_contacts_unsubscribe_link_web;
SET search_path = unsubscribe_link;
SELECT use_unsubscribe_token(:'topic_a');
SELECT use_unsubscribe_token(:'topic_a');
SELECT * FROM pg_temp.fails($$SELECT * FROM subscription$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.make_unsubscribe_token('identifier', 'email', gen_random_uuid(), 1)$$);
SELECT * FROM pg_temp.fails($$SELECT unsubscribe_token(1)$$);
-- a delivery worker gets that of a message, and reads none
RESET ROLE;
CREATE ROLE regress_contacts_unsubscribe_link_worker;
GRANT USAGE ON SCHEMA unsubscribe_link TO regress_contacts_unsubscribe_link_worker;
GRANT UPDATE (leased_until) ON unsubscribe_link.email_message TO regress_contacts_unsubscribe_link_worker;
SET ROLE regress_contacts_unsubscribe_link_worker;
SELECT unsubscribe_token(1) = :'topic_a' AS is_it, unsubscribe_token(99) IS NULL AS is_none, unsubscribe_token(NULL) IS NULL AS nor_of_null;
SELECT * FROM pg_temp.fails($$SELECT unsubscribe_token(2)$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.message_unsubscribe_token('contact', 1)$$);
SET ROLE regress_contacts_unsubscribe_link;
-- the topic is left, the address is what it was
SELECT contact_id, topic, email FROM topic_audience ORDER BY 1, 2;
SELECT address_status('a@x.org');
SELECT * FROM topic_log OFFSET 3;
-- coming back is possible, and the link works again
SELECT subscribe(1, 'news', 'form');
SELECT contact_id, topic FROM topic_audience WHERE contact_id = 1 ORDER BY 2;
SELECT use_unsubscribe_token(:'topic_a');
SELECT contact_id, topic FROM topic_audience WHERE contact_id = 1 ORDER BY 2;
-- without a topic: the address, by the person's own wish; said once
SET ROLE regress_contacts_unsubscribe_link_web;
SELECT use_unsubscribe_token(:'all_a');
SELECT use_unsubscribe_token(:'all_a');
SET ROLE regress_contacts_unsubscribe_link;
SELECT id, email_status FROM contact WHERE id = 1;
SELECT value, old, new, reason, source, role FROM log;
-- it does not end a suppression, and is heard there, too
SELECT suppress('a@x.org');
SELECT use_unsubscribe_token(:'all_a'), use_unsubscribe_token(:'all_a');
SELECT value, old, new, reason, source FROM log OFFSET 1;
-- after an opt-in it is a new wish
SELECT use_unsubscribe_token(pg_temp.token('c@x.org', NULL));
SELECT opt_in('c@x.org', '{"form": 1}');
SELECT use_unsubscribe_token(pg_temp.token('c@x.org', NULL));
SELECT value, old, new, source FROM log OFFSET 3;

-- refused without a word: forged, cut, another directory's, in other letters
CREATE TABLE pg_temp.forged (what text, token text);
INSERT INTO forged
	SELECT 'flipped ' || n, overlay(:'topic_a' PLACING translate(substr(:'topic_a', n, 1), 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 'BADCFEHGJILKNMPORQTSVUXWZYbadcfehgjilknmporqtsvuxwzy1032547698_-') FROM n FOR 1)
	FROM generate_series(1, 55) n
	UNION ALL VALUES ('empty', ''), ('cut', left(:'topic_a', 54)), ('padded', :'topic_a' || '='), ('longer', :'topic_a' || 'A'),
		('blank', ' ' || :'topic_a'), ('upper', upper(:'topic_a')), ('not base64', repeat('%', 55)), ('zero', repeat('A', 55)), ('long', repeat('A', 100000));
RESET ROLE;
SET search_path = '';
SELECT contacts.create_directory('unsubscribe_link_2', secret => '\x0102030405060708090a0b0c0d0e0f10') \g /dev/null
INSERT INTO pg_temp.forged SELECT 'other directory', contacts.make_unsubscribe_token('unsubscribe_link_2.identifier', 'email', contacts.identifier_key('unsubscribe_link_2', 'email', 'a@x.org'), 1);
INSERT INTO pg_temp.forged SELECT 'other key', contacts.make_unsubscribe_token('unsubscribe_link_2.identifier', 'email', contacts.identifier_key('unsubscribe_link', 'email', 'a@x.org'), 1);
SELECT contacts.drop_directory('unsubscribe_link_2') \g /dev/null
SET ROLE regress_contacts_unsubscribe_link;
SET search_path = unsubscribe_link;
CREATE FUNCTION pg_temp.answer(token text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(f, '; ') FROM pg_temp.fails(format('SELECT use_unsubscribe_token(%L)', token)) f $$;
SELECT pg_temp.answer(token), count(*) FROM forged GROUP BY 1;
SELECT pg_temp.answer(NULL);
SELECT count(*) FROM subscription_event WHERE source = 'unsubscribe link';

-- valid when the contact is gone, merged, erased, or holds another address
UPDATE contact SET email = 'd@x.org' WHERE id = 2;
SELECT use_unsubscribe_token(:'topic_b');
SELECT * FROM topic_log ORDER BY topic DESC LIMIT 1;
SELECT contact_id, topic FROM topic_audience WHERE contact_id = 2 ORDER BY 2;
-- it is for the address: remembered for who claims it
INSERT INTO contact (id, first_name, email) VALUES (4, 'New', 'b@x.org');
SELECT contact_id, topic FROM topic_audience WHERE contact_id = 4 ORDER BY 2;
-- held under another label: its holder is meant
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (2, 'email', 'work', 'e@x.org');
SELECT use_unsubscribe_token(pg_temp.token('e@x.org', 2));
SELECT contact_id, topic FROM topic_audience WHERE contact_id = 2 ORDER BY 2;
-- nobody holds it and nothing is known of it: by its key
DELETE FROM contact WHERE id = 4;
SELECT count(*) FROM identifier WHERE value = 'b@x.org';
SELECT pg_temp.token('b@x.org', NULL) AS all_b \gset
SELECT use_unsubscribe_token(:'all_b'), use_unsubscribe_token(:'all_b');
SELECT semantic_type, value, status, status_reason FROM identifier WHERE contact_id IS NULL AND value IS NULL;
SELECT address_status('b@x.org');
INSERT INTO contact (id, first_name, email) VALUES (5, 'Bob', 'b@x.org');
SELECT id, email, email_status FROM contact WHERE id = 5;
SELECT value, status FROM identifier WHERE contact_id = 5;
-- a number is shared: who leaves a topic by it, all who hold it do
SELECT use_unsubscribe_token(pg_temp.token('+49301234500', 1)), use_unsubscribe_token(pg_temp.token('+49301234500', NULL));
SELECT contact_id, topic_id, state FROM subscription WHERE contact_id IN (1, 2) ORDER BY 1, 2;
SELECT address_status('+49301234500');
-- an archived topic is left like another one; of one that never was there is nothing to leave
UPDATE subscription_topic SET archived_at = now() WHERE id = 2;
SELECT use_unsubscribe_token(pg_temp.token('z@x.org', 2)), use_unsubscribe_token(pg_temp.token('z@x.org', 77));
SELECT topic, contact, value, new FROM topic_log WHERE value = 'z@x.org';

SELECT * FROM contacts.check_directory('unsubscribe_link');
SELECT contacts.drop_directory('unsubscribe_link', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_unsubscribe_link, regress_contacts_unsubscribe_link_web, regress_contacts_unsubscribe_link_worker;
DROP ROLE regress_contacts_unsubscribe_link, regress_contacts_unsubscribe_link_web, regress_contacts_unsubscribe_link_worker;
