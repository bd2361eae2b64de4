-- Queueing for one and for many, handing out, marking
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir message_queue
\set ECHO none
\i :rules
\set ECHO all
UPDATE setting SET is_texting_enabled = true, lease_duration = '1 hour';
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES
	(1, 'Ada', 'a@x.org', '+49301234501'), (2, 'Bob', 'b@x.org', NULL), (3, 'Cyd', NULL, '+49301234503'),
	(4, 'Dan', 'd@x.org', '+49301234504'), (5, 'Eve', 'e@x.org', NULL);
SELECT suppress('d@x.org'), suppress('+49301234504'), unsubscribe('e@x.org');
INSERT INTO message_template (id, name, kind, subject, body, body_format) VALUES
	(1, 'welcome', 'transactional', 'Hi {{first_name|you}}', '<p>{{first_name|you}}</p>', 'html'),
	(2, 'reminder', 'marketing', NULL, 'Dear {{first_name}}', 'text');
INSERT INTO message_template (id, name, body, archived_at) VALUES (3, 'old', 'Old', now());
INSERT INTO subscription_topic (id, name) VALUES (1, 'news');
SELECT subscribe(1, 'news');
CREATE TEMP VIEW message AS
	SELECT id, contact_id AS contact, kind, template_id AS template, topic_id AS topic, subject, body, body_format AS format,
		state, send_at - now() AS in_, attempts, provider_id AS provider, error
	FROM message_history ORDER BY id;

-- one contact: the id, or the error
BEGIN;
SELECT queue_email(1, 'Subject', 'Body');
SELECT queue_email(1, template => 'welcome');
SELECT queue_email(2, 'Own subject', template => 'welcome', body_format => 'text');
SELECT queue_email(5, template => 'welcome'), queue_email(1, 'News', 'Body', topic => 'news', send_at => now() + interval '1 day');
SELECT queue_sms(3, 'Text'), queue_sms(1, template => 'reminder'), queue_sms(1, 'Code', kind => 'transactional');
SELECT * FROM message;
COMMIT;
SELECT * FROM pg_temp.fails($$SELECT queue_email(4, 's', 'b')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(5, 's', 'b')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(3, 's', 'b')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(2, 's', 'b', topic => 'news')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(99, 's', 'b')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(NULL, 's', 'b')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(1, template => 'none')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(1, template => 'old')$$);
SELECT * FROM pg_temp.fails($$SELECT queue_email(1, 's', 'b', topic => 'none')$$);
SELECT split_part(line, ' ', 1) FROM pg_temp.fails($$SELECT queue_email(1, 's', 'b', kind => 'spam')$$) line LIMIT 1;
SELECT * FROM pg_temp.fails($$SELECT queue_sms(2, 'b')$$);

-- many: one row for each, whatever the order, each contact once
DELETE FROM email_message;
DELETE FROM sms_message;
SELECT contact_id, message_id IS NOT NULL AS has_id, result FROM queue_emails('{5,3,1,99,4,2,1,NULL}', 's', 'b');
SELECT contact_id, message_id IS NOT NULL AS has_id, result FROM queue_emails('{5,3,1,99,4,2}', template => 'welcome');
SELECT contact_id, message_id IS NOT NULL AS has_id, result FROM queue_emails('{5,1,2}', 'n', 'b', topic => 'news');
SELECT contact_id, message_id IS NOT NULL AS has_id, result FROM queue_sms_many('{5,3,1,99,4,2}', template => 'reminder');
SELECT * FROM queue_emails('{}', 's', 'b');
SELECT * FROM queue_emails(NULL, 's', 'b');
SELECT * FROM queue_emails('{4,99}', template => 'welcome');
SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM message;
CREATE TEMP TABLE answer AS SELECT * FROM queue_emails('{2,1,4}', 's', 'again');
SELECT r.contact_id, m.contact_id = r.contact_id AND m.state = r.result AND m.body = 'again' AS is_right FROM answer r LEFT JOIN email_message m ON m.id = r.message_id ORDER BY 1;

-- the same request, again, queues a message once
SELECT queue_email(1, 's', 'b', idempotency_key => 'order 17') = queue_email(1, 's', 'b', idempotency_key => 'order 17') AS is_same,
	queue_email(1, 's', 'b', idempotency_key => 'order 17') = queue_email(2, 's', 'b', idempotency_key => 'order 17') AS is_same_for_another,
	queue_sms(1, 'b', idempotency_key => 'order 17') = queue_sms(1, 'b', idempotency_key => 'order 17') AS is_same_text;
SELECT a.contact_id, a.message_id = b.message_id AS is_same, b.result
FROM queue_emails('{1,2}', 's', 'b', idempotency_key => 'letter') a JOIN queue_emails('{2,1,4}', 's', 'b', idempotency_key => 'letter') b USING (contact_id)
ORDER BY 1;
UPDATE email_message SET state = 'sent' WHERE idempotency_key = 'letter' AND contact_id = 1;
SELECT contact_id, result FROM queue_emails('{1,2,5}', 's', 'b', kind => 'transactional', idempotency_key => 'letter');

-- handing out: what is due, first what is due first, each to one worker
DELETE FROM email_message;
INSERT INTO email_message (contact_id, address, subject, body, send_at) SELECT 1, 'a@x.org', 's', n::text, now() - n * interval '1 minute' FROM generate_series(-1, 5) n;
SELECT h.body, h.address, h.contact_id, h.subject, h.body_format, h.kind, h.attempts, h.leased_until - statement_timestamp() AS lease FROM next_emails(2) h;
SELECT body FROM next_emails(2);
SELECT body FROM next_emails();
SELECT body FROM next_emails();
SELECT * FROM next_emails(0);
SELECT * FROM next_emails(NULL);
SELECT body, state, attempts FROM email_message ORDER BY send_at;
-- what nobody speaks of is handed out again when its lease is over
UPDATE email_message SET leased_until = now() - interval '1 second' WHERE body IN ('4', '5');
SELECT body, attempts FROM next_emails();
-- sent, also if it is said again or late
CREATE FUNCTION pg_temp.id(text) RETURNS bigint LANGUAGE sql AS 'SELECT id FROM email_message WHERE body = $1';
SELECT mark_sent(pg_temp.id('5'), 'p-5'), mark_sent(pg_temp.id('5'), 'p-5'), mark_failed(pg_temp.id('5'), 'late'), mark_sent(pg_temp.id('-1')), mark_sent(99999), mark_sent(NULL);
SELECT body, state, provider_id, sent_at = statement_timestamp() OR sent_at IS NOT NULL AS is_dated, leased_until, error FROM email_message WHERE body IN ('5', '-1') ORDER BY body;
-- failed for good, or to be tried again
SELECT mark_failed(pg_temp.id('4'), 'no such box'), mark_failed(pg_temp.id('4'), 'again'), mark_failed(pg_temp.id('3'), 'busy', true),
	mark_failed(pg_temp.id('2'), 'busy', true, now() + interval '5 minutes'), mark_failed(pg_temp.id('1'), NULL), mark_failed(pg_temp.id('0'), 'now', true, now());
SELECT body, state, error, CASE WHEN state = 'queued' THEN round(extract(epoch FROM send_at - now()) / 60) END AS minutes, leased_until, attempts FROM email_message WHERE body <> '-1' ORDER BY body;
SELECT body, attempts FROM next_emails();
SELECT mark_sent(pg_temp.id('0'), 'p-0'), mark_sent(pg_temp.id('4'), 'p-4');
SELECT body, state, error, provider_id FROM email_message WHERE body IN ('0', '4') ORDER BY body;
-- consent is looked at again; what is refused does not count, nor keep the others back
DELETE FROM email_message;
INSERT INTO contact (id, email) SELECT n, 'm' || n || '@x.org' FROM generate_series(101, 130) n;
SELECT count(*) FROM queue_emails((SELECT array_agg(id) FROM contact WHERE id > 100), 's', 'b');
UPDATE identifier SET is_outreach = false WHERE contact_id BETWEEN 101 AND 110;
UPDATE contact SET archived_at = now() WHERE id BETWEEN 111 AND 120;
SELECT contact_id FROM next_emails(5);
SELECT state, error, count(*) FROM email_message GROUP BY 1, 2 ORDER BY 1, 2;
UPDATE setting SET marketing_needs_opt_in = true;
SELECT contact_id FROM next_emails();
SELECT state, error, count(*) FROM email_message GROUP BY 1, 2 ORDER BY 1, 2;
UPDATE setting SET marketing_needs_opt_in = false;
-- texts
SELECT h.contact_id, h.address, h.body, h.kind, h.attempts FROM next_sms() h ORDER BY h.contact_id, h.body;
SELECT contact_id, mark_sent(id, 'sms-' || contact_id) FROM sms_message WHERE contact_id = 3;
UPDATE setting SET is_texting_enabled = false;
UPDATE sms_message SET leased_until = now() - interval '1 second' WHERE state = 'sending';
SELECT * FROM next_sms();
SELECT contact_id, state, error, provider_id FROM sms_message ORDER BY contact_id, id;

-- rights: a worker sees what it is handed, a sender queues, neither does the other
RESET ROLE;
CREATE ROLE regress_message_worker;
CREATE ROLE regress_message_sender;
GRANT USAGE ON SCHEMA message_queue TO regress_message_worker, regress_message_sender;
GRANT UPDATE (leased_until) ON message_queue.email_message TO regress_message_worker;
GRANT SELECT ON message_queue.contact, message_queue.setting, message_queue.message_template, message_queue.subscription_topic TO regress_message_sender;
GRANT SELECT (id, contact_id, state, idempotency_key), UPDATE (idempotency_key) ON message_queue.email_message TO regress_message_sender;
GRANT INSERT (contact_id, address, kind, template_id, topic_id, subject, body, body_format, send_at, idempotency_key)
	ON message_queue.email_message TO regress_message_sender;
SET ROLE regress_message_sender;
SELECT contact_id, result FROM queue_emails('{1,4}', 's', 'b');
SELECT queue_email(2, template => 'welcome') > 0 AS is_queued;
SELECT line FROM pg_temp.fails('SELECT * FROM next_emails()') line LIMIT 1;
SELECT line FROM pg_temp.fails('SELECT mark_sent(1)') line LIMIT 1;
SELECT line FROM pg_temp.fails($$SELECT queue_sms(1, 'b')$$) line LIMIT 1;
SELECT line FROM pg_temp.fails($$SELECT contacts.message_refusals('sms_message', '{1}', '{+49301234501}', 'marketing', NULL)$$) line LIMIT 1;
SELECT line FROM pg_temp.fails($$SELECT contacts.message_refusals('contact', '{1}', '{a@x.org}', 'marketing', NULL)$$) line LIMIT 1;
SELECT line FROM pg_temp.fails('SELECT body FROM email_message') line LIMIT 1;
SELECT line FROM pg_temp.fails('UPDATE email_message SET state = ''sending''') line LIMIT 1;
SET ROLE regress_message_worker;
SELECT address, subject FROM next_emails() ORDER BY address;
SELECT line FROM pg_temp.fails('SELECT * FROM next_sms()') line LIMIT 1;
SELECT line FROM pg_temp.fails('SELECT address FROM email_message') line LIMIT 1;
SELECT line FROM pg_temp.fails('SELECT email FROM contact') line LIMIT 1;
SELECT line FROM pg_temp.fails($$SELECT queue_email(1, 's', 'b')$$) line LIMIT 1;
SELECT line FROM pg_temp.fails('SELECT suppress(''a@x.org'')') line LIMIT 1;
SELECT mark_sent(1);
RESET ROLE;
DROP OWNED BY regress_message_worker, regress_message_sender;
DROP ROLE regress_message_worker, regress_message_sender;
SET ROLE regress_contacts_message_queue;

-- a trigger of a user that swallows what is done to messages: nothing is
-- handed out, and nothing waits for ever
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
BEGIN;
INSERT INTO email_message (address, body) VALUES ('swallowed@x.org', 'b');
CREATE TRIGGER aa_swallow BEFORE UPDATE ON email_message FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT suppress('swallowed@x.org');
SET LOCAL statement_timeout = '10s';
SELECT count(*) FROM next_emails(1000) WHERE address = 'swallowed@x.org';
ROLLBACK;

SELECT * FROM contacts.check_directory('message_queue');
SELECT contacts.drop_directory('message_queue', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_message_queue;
DROP ROLE regress_contacts_message_queue;
