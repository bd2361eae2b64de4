-- Topics: below the state of the address, logged, remembered by key
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir topic_subscription
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_topic_subscription_clerk;
GRANT USAGE ON SCHEMA topic_subscription TO regress_contacts_topic_subscription_clerk;
SET ROLE regress_contacts_topic_subscription;
CREATE TEMP VIEW topic_log AS
	SELECT t.name AS topic, e.contact_id AS contact, l.value, e.old_state AS old, e.new_state AS new, e.source, e.evidence,
		replace(e.role, 'regress_contacts_', '') AS role
	FROM subscription_event e JOIN subscription_topic t ON t.id = e.topic_id
		LEFT JOIN (SELECT chr(97 + n) || '@x.org' AS value FROM generate_series(0, 25) n) l
			ON e.key = contacts.identifier_key('topic_subscription', 'email', l.value)
	ORDER BY e.id;
CREATE TEMP VIEW audience AS SELECT topic, contact_id, email FROM topic_audience ORDER BY topic, contact_id;
CREATE TEMP VIEW subscribed AS
	SELECT s.contact_id AS contact, t.name AS topic, s.state, s.source, s.evidence
	FROM subscription s JOIN subscription_topic t ON t.id = s.topic_id ORDER BY 1, 2;

INSERT INTO subscription_topic (name, label, needs_subscription) VALUES ('news', 'Newsletter', true), ('product', 'Product notes', false);
SELECT * FROM pg_temp.fails($$INSERT INTO subscription_topic (name) VALUES ('news')$$) f WHERE f NOT LIKE 'DETAIL Failing%';
SELECT * FROM pg_temp.fails($$INSERT INTO subscription_topic (name) VALUES ('News letter')$$) f WHERE f NOT LIKE 'DETAIL Failing%';
SELECT * FROM pg_temp.fails($$INSERT INTO subscription_topic (id, name) VALUES (0, 'zero')$$) f WHERE f NOT LIKE 'DETAIL Failing%';
INSERT INTO contact (id, first_name, email) VALUES (1, 'Ada', 'a@x.org'), (2, 'Bob', 'b@x.org'), (3, 'Cyd', 'c@x.org'), (4, 'Dan', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;

-- one that needs a subscription, one that goes to all who did not leave it
SELECT * FROM audience;
SELECT subscribe(1, 'news', 'web form', '{"text": "Send me news", "form_version": 2}');
SELECT subscribe_many('{3,2,2,NULL,4}', 'news', 'fair');
SELECT unsubscribe_topic(2, 'product', 'phone call');
SELECT * FROM subscribed;
SELECT * FROM audience;
SELECT * FROM topic_log;
-- leaving and coming back; said again it is logged again
SELECT unsubscribe_topic(1, 'news', 'footer');
SELECT unsubscribe_topic(1, 'news', 'footer');
SELECT * FROM audience WHERE topic = 'news';
SELECT subscribe(1, 'news', 'web form');
SELECT subscribe(1, 'news', 'web form, again');
SELECT * FROM audience WHERE topic = 'news';
SELECT * FROM topic_log OFFSET 5;
SELECT * FROM pg_temp.fails($$SELECT subscribe(1, 'nonesuch')$$);
SELECT * FROM pg_temp.fails($$SELECT subscribe(1, NULL)$$);
SELECT * FROM pg_temp.fails($$SELECT subscribe_many('{1}', 'nonesuch')$$);
SELECT * FROM pg_temp.fails($$SELECT subscribe(99, 'news')$$);
SELECT * FROM pg_temp.fails($$SELECT subscribe_many('{1,99}', 'news')$$);
SELECT subscribe_many('{}', 'news'), subscribe_many('{NULL}', 'news');

-- a global unsubscribe wins over every topic; a topic changes no state
SELECT address_status('b@x.org'), count(*) FROM consent_event;
SELECT unsubscribe('c@x.org');
SELECT subscribe(3, 'news');
SELECT * FROM audience;
SELECT address_status('c@x.org');
SELECT opt_in('c@x.org', '{"form": 1}');
SELECT * FROM audience WHERE contact_id = 3;
-- and so do all the rules of who gets marketing
SELECT suppress('c@x.org');
SELECT * FROM audience WHERE contact_id = 3;
UPDATE setting SET marketing_needs_opt_in = true;
SELECT * FROM audience;
SELECT opt_in('a@x.org', '{"form": 1}');
SELECT * FROM audience;
UPDATE contact SET archived_at = now() WHERE id = 1;
SELECT * FROM audience;
UPDATE contact SET archived_at = NULL WHERE id = 1;
UPDATE identifier SET is_outreach = false WHERE value = 'a@x.org';
SELECT * FROM audience;
UPDATE identifier SET is_outreach = true WHERE value = 'a@x.org';
UPDATE subscription_topic SET archived_at = now() WHERE name = 'product';
SELECT * FROM audience;
UPDATE subscription_topic SET archived_at = NULL;
UPDATE setting SET marketing_needs_opt_in = false;

-- plain DML is logged in the same way, by every path
TRUNCATE subscription;
INSERT INTO subscription (contact_id, topic_id) VALUES (1, 1);
UPDATE subscription SET state = 'unsubscribed';
UPDATE subscription SET source = 'note only';
INSERT INTO subscription (contact_id, topic_id, state) VALUES (1, 1, 'subscribed') ON CONFLICT (contact_id, topic_id) DO UPDATE SET state = 'subscribed';
MERGE INTO subscription s USING (VALUES (1), (2)) v (id) ON s.contact_id = v.id
	WHEN MATCHED THEN UPDATE SET state = 'unsubscribed' WHEN NOT MATCHED THEN INSERT (contact_id, topic_id) VALUES (v.id, 1);
COPY subscription (contact_id, topic_id, state, since, source) FROM stdin;
4	1	subscribed	2020-01-01	old list
\.
UPDATE subscription SET contact_id = 3 WHERE contact_id = 4;
DELETE FROM subscription WHERE contact_id = 3;
SELECT * FROM topic_log OFFSET 9;
SELECT * FROM subscribed;
SELECT * FROM pg_temp.fails($$INSERT INTO subscription (contact_id, topic_id, state) VALUES (4, 1, 'perhaps')$$) f WHERE f NOT LIKE 'DETAIL Failing%';
BEGIN;
UPDATE subscription SET since = '2000-01-01', state = state WHERE contact_id = 1;
SELECT since > '2000-01-01' AS stays FROM subscription WHERE contact_id = 1;
ROLLBACK;

-- remembered by the key: after deletion, for who comes with the address later
SELECT unsubscribe_topic(1, 'product', 'letter');
SELECT count(*) FROM subscription_event \gset before_
DELETE FROM contact WHERE id = 1;
SELECT count(*) = :before_count AS unlogged FROM subscription_event;
SELECT count(*) FROM subscription_event WHERE contact_id = 1;
INSERT INTO contact (id, first_name, email) VALUES (5, 'Ada again', 'A@X.org');
SELECT * FROM audience WHERE contact_id = 5;
SELECT subscribe(5, 'product');
SELECT * FROM audience WHERE contact_id = 5;
-- also where the newcomer had subscribed with another address
INSERT INTO contact (id, first_name, email) VALUES (6, 'Eve', 'e@x.org');
SELECT subscribe(6, 'news'), subscribe(6, 'product');
SELECT * FROM audience WHERE contact_id = 6;
INSERT INTO contact (id, first_name, email) VALUES (7, 'Fay', 'f@x.org');
SELECT unsubscribe_topic(7, 'product');
DELETE FROM contact WHERE id = 7;
UPDATE contact SET email = 'f@x.org' WHERE id = 6;
SELECT * FROM audience WHERE contact_id = 6;
SELECT subscribe(6, 'product');
SELECT * FROM audience WHERE contact_id = 6;
-- deleting the row of one who left does not forget it
SELECT unsubscribe_topic(6, 'product');
DELETE FROM subscription WHERE contact_id = 6;
SELECT * FROM audience WHERE contact_id = 6;

-- append-only; blanking is all that erasure needs
SELECT * FROM pg_temp.fails($$DELETE FROM subscription_event$$);
SELECT * FROM pg_temp.fails($$TRUNCATE subscription_event$$);
SET client_min_messages = warning;
SELECT * FROM pg_temp.fails($$TRUNCATE contact CASCADE$$);
RESET client_min_messages;
SELECT * FROM pg_temp.fails($$UPDATE subscription_event SET new_state = 'subscribed' WHERE id = 5$$);
SELECT * FROM pg_temp.fails($$UPDATE subscription_event SET key = NULL$$);
SELECT * FROM pg_temp.fails($$UPDATE subscription_event SET source = 'x' WHERE id = 5$$);
SELECT * FROM pg_temp.fails($$DELETE FROM subscription_topic WHERE name = 'news'$$);
UPDATE subscription_event SET source = NULL, evidence = NULL, role = NULL;
UPDATE subscription_event SET contact_id = NULL WHERE id = 1;
SELECT * FROM topic_log LIMIT 2;
-- a subscriber or a restore takes rows as they come; the guard stands
RESET ROLE;
SET session_replication_role = replica;
INSERT INTO topic_subscription.subscription (contact_id, topic_id) VALUES (2, 2);
SELECT count(*) FROM topic_subscription.subscription_event WHERE topic_id = 2 AND contact_id = 2 AND new_state = 'subscribed';
SELECT * FROM pg_temp.fails($$DELETE FROM topic_subscription.subscription_event$$);
RESET session_replication_role;
-- what the log does not tell is found and mended
SET ROLE regress_contacts_topic_subscription;
SELECT * FROM contacts.check_directory('topic_subscription');
SELECT * FROM contacts.repair_directory('topic_subscription');
SELECT topic, contact, value, old, new, source FROM topic_log WHERE source = 'repair_directory';
RESET ROLE;

-- rights are those on the tables
SET ROLE regress_contacts_topic_subscription_clerk;
SET search_path = topic_subscription;
SELECT * FROM pg_temp.fails($$SELECT subscribe(2, 'news')$$);
RESET ROLE;
GRANT SELECT ON subscription_topic TO regress_contacts_topic_subscription_clerk;
GRANT SELECT, INSERT, UPDATE ON subscription TO regress_contacts_topic_subscription_clerk;
SET ROLE regress_contacts_topic_subscription_clerk;
SELECT subscribe(2, 'news', 'desk');
SELECT * FROM pg_temp.fails($$SELECT * FROM subscription_event$$);
SET ROLE regress_contacts_topic_subscription;
SELECT role FROM topic_log ORDER BY role NULLS FIRST OFFSET (SELECT count(*) - 1 FROM topic_log);

-- many at once, beyond what is settled together
INSERT INTO contact (id, email) SELECT 1000 + n, 'n' || n || '@y.org' FROM generate_series(1, 9000) n;
SELECT subscribe_many(ARRAY(SELECT id FROM contact WHERE id > 1000), 'news', 'batch');
SELECT count(*), count(DISTINCT key) FROM subscription_event WHERE source = 'batch';
SELECT count(*) FROM topic_audience WHERE topic = 'news' AND contact_id > 1000;

SELECT * FROM contacts.check_directory('topic_subscription');
SELECT contacts.drop_directory('topic_subscription', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_topic_subscription, regress_contacts_topic_subscription_clerk;
DROP ROLE regress_contacts_topic_subscription, regress_contacts_topic_subscription_clerk;
