-- C8: what is to go out meets the rules of consent, on every path
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir message_gate
\set ECHO none
\i :rules
\set ECHO all

INSERT INTO contact (id, first_name, email, mobile_phone, home_phone) VALUES
	(1, 'Free', 'a@x.org', '+49301234501', '+49301234509'),
	(2, 'Suppressed', 'b@x.org', '+49301234502', NULL),
	(3, 'Unsubscribed', 'c@x.org', '+49301234503', NULL),
	(4, 'Opted in', 'd@x.org', '+49301234504', NULL),
	(5, 'Archived', 'e@x.org', '+49301234505', NULL),
	(6, 'Not for outreach', 'f@x.org', '+49301234506', NULL),
	(7, 'Nothing', NULL, NULL, '+49301234507'),
	(8, 'Shares with two', 'h@x.org', '+49301234502', NULL);
SELECT suppress('b@x.org'), suppress('+49301234502'), suppress('gone@x.org');
SELECT unsubscribe('c@x.org'), unsubscribe('+49301234503'), unsubscribe('left@x.org');
SELECT opt_in('d@x.org', '{"form": "test"}'), opt_in('+49301234504', '{"form": "test"}');
UPDATE contact SET archived_at = now() WHERE id = 5;
UPDATE identifier SET is_outreach = false WHERE contact_id = 6;

CREATE TEMP VIEW message AS
	SELECT id, channel, kind, contact_id AS contact, address, state, error,
		(key = contacts.identifier_key('message_gate', CASE channel WHEN 'email' THEN 'email' ELSE 'phone' END, address)) AS has_key
	FROM message_history ORDER BY id;

-- who gets what: every contact, both kinds
CREATE FUNCTION pg_temp.sends(statement text, VARIADIC args text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	constraint_ text;
BEGIN
	EXECUTE format(statement, VARIADIC args);
	RAISE EXCEPTION 'undo' USING ERRCODE = 'UUUUU';
EXCEPTION
	WHEN SQLSTATE 'UUUUU' THEN RETURN 'goes';
	WHEN check_violation THEN
		GET STACKED DIAGNOSTICS constraint_ = CONSTRAINT_NAME;
		RETURN constraint_;
END
$$;
CREATE TEMP VIEW outcome AS
	SELECT c.id, c.first_name, k.kind,
		pg_temp.sends('INSERT INTO email_message (contact_id, kind, body) VALUES (%s, %L, ''b'')', c.id::text, k.kind) AS email,
		pg_temp.sends('INSERT INTO sms_message (contact_id, kind, body) VALUES (%s, %L, ''b'')', c.id::text, k.kind) AS sms
	FROM contact c CROSS JOIN (VALUES ('marketing'), ('transactional')) k (kind)
	ORDER BY c.id, k.kind;
SELECT * FROM outcome;
UPDATE setting SET is_texting_enabled = true;
SELECT * FROM outcome;
UPDATE setting SET marketing_needs_opt_in = true;
SELECT id, first_name, email, sms FROM outcome WHERE kind = 'marketing';
UPDATE setting SET marketing_needs_opt_in = false;

-- the errors, in all their fields
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (contact_id, body) VALUES (2, 'b')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO sms_message (contact_id, body) VALUES (8, 'b')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (contact_id, body) VALUES (7, 'b')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO sms_message (contact_id, body) VALUES (7, 'b')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (body) VALUES ('b')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (address, body) VALUES ('nonsense', 'b')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO sms_message (contact_id, address, body) VALUES (1, '030 1234501', 'b')$$);

-- addresses as written, of nobody, of another; texts to the mobile phone only
SELECT a.address, pg_temp.sends('INSERT INTO email_message (contact_id, address, body) VALUES (1, %L, ''b'')', a.address)
FROM (VALUES ('B@X.org'), (' b@x.org '), ('GONE@x.org'), ('left@x.org'), ('never@x.org'), ('e@x.org'), ('f@x.org'), ('h@x.org')) a (address);
SELECT a.address, pg_temp.sends('INSERT INTO sms_message (contact_id, address, body) VALUES (1, %L, ''b'')', a.address)
FROM (VALUES ('+49 30 1234501'), ('+49301234509'), ('+49301234502'), ('+49301234504')) a (address);
SELECT pg_temp.sends('INSERT INTO sms_message (address, body) VALUES (''+49301234501'', ''b'')') AS to_nobody;
SELECT count(*) AS left_behind FROM identifier WHERE value = 'never@x.org';

-- every path to queued and sending
INSERT INTO email_message (id, contact_id, address, state, body)
	SELECT 999 + 2 * n, 2, 'b@x.org', s, 'b' FROM unnest('{sent,delivered,bounced,failed,cancelled}'::text[]) WITH ORDINALITY u (s, n);
INSERT INTO email_message (id, contact_id, address, direction, state, body) VALUES (1011, 2, 'b@x.org', 'in', 'received', 'b');
SELECT * FROM message;
SELECT state, pg_temp.sends('UPDATE email_message SET state = %L WHERE id = %s', s, m.id::text) AS outcome, s AS wanted
FROM email_message m CROSS JOIN unnest('{queued,sending}'::text[]) s WHERE direction = 'out' ORDER BY m.id, s;
SELECT pg_temp.sends('INSERT INTO email_message (contact_id, state, body) VALUES (2, ''sending'', ''b'')') AS insert_sending;
SELECT pg_temp.sends('INSERT INTO email_message (contact_id, body) VALUES (1, ''b''), (2, ''b''), (4, ''b'')') AS insert_many;
SELECT pg_temp.sends('INSERT INTO email_message (id, contact_id, kind, body) VALUES (1001, 4, ''transactional'', ''b'') ON CONFLICT (id) DO UPDATE SET state = ''queued''') AS upsert;
SELECT pg_temp.sends('MERGE INTO email_message m USING (VALUES (1001)) n (id) ON m.id = n.id
	WHEN MATCHED THEN UPDATE SET state = ''queued'' WHEN NOT MATCHED THEN DO NOTHING') AS merge;
SELECT pg_temp.sends('INSERT INTO email_message (id, direction, contact_id, state, body) OVERRIDING SYSTEM VALUE VALUES (2001, ''out'', 2, ''queued'', ''b'')') AS overriding;
CREATE TEMP VIEW outbox AS SELECT contact_id, body FROM email_message;
SELECT pg_temp.sends('INSERT INTO outbox VALUES (2, ''b'')') AS view;
SELECT pg_temp.sends('WITH m AS (INSERT INTO email_message (contact_id, body) VALUES (2, ''b'') RETURNING id) SELECT * FROM m') AS with_;
CREATE TEMP TABLE source (contact_id bigint, body text);
INSERT INTO source VALUES (1, 'b'), (2, 'b');
COPY email_message (contact_id, body) FROM stdin;
1	b
2	b
\.
INSERT INTO email_message (id, contact_id, body) VALUES (101, 1, 'b');
SELECT pg_temp.sends('UPDATE email_message SET address = ''b@x.org'' WHERE id = 101') AS change_of_address;
SELECT pg_temp.sends('UPDATE email_message SET contact_id = 5 WHERE id = 101') AS change_of_contact;
SELECT pg_temp.sends('UPDATE email_message SET key = (SELECT key FROM identifier WHERE value = ''d@x.org'') WHERE id = 101') AS change_of_key;
INSERT INTO email_message (id, contact_id, kind, body) VALUES (103, 3, 'transactional', 'b');
SELECT pg_temp.sends('UPDATE email_message SET kind = ''marketing'' WHERE id = 103') AS change_of_kind;

-- a trigger of a user cannot slip another address or key past it
CREATE FUNCTION pg_temp.slip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.address := 'b@x.org'; RETURN NEW; END $$;
CREATE TRIGGER zzz BEFORE INSERT ON email_message FOR EACH ROW EXECUTE FUNCTION pg_temp.slip();
SELECT * FROM pg_temp.fails($$INSERT INTO email_message (contact_id, body) VALUES (1, 'b')$$);
DROP TRIGGER zzz ON email_message;

-- topics: who left one, who never subscribed, a topic put aside
INSERT INTO subscription_topic (id, name, needs_subscription, archived_at) VALUES (1, 'news', true, NULL), (2, 'offers', false, NULL), (3, 'old', false, now());
INSERT INTO subscription (contact_id, topic_id, state) VALUES (1, 1, 'subscribed'), (3, 1, 'subscribed'), (1, 2, 'unsubscribed');
SELECT c.id, t.name, k.kind, pg_temp.sends('INSERT INTO email_message (contact_id, topic_id, kind, body) VALUES (%s, %s, %L, ''b'')', c.id::text, t.id::text, k.kind)
FROM contact c CROSS JOIN subscription_topic t CROSS JOIN (VALUES ('marketing'), ('transactional')) k (kind)
WHERE c.id IN (1, 3, 4) ORDER BY t.id, c.id, k.kind;
DELETE FROM contact WHERE id = 1;
SELECT pg_temp.sends('INSERT INTO email_message (address, topic_id, body) VALUES (''a@x.org'', 2, ''b'')') AS remembered_by_address;

-- ids tell which table a message is of
SELECT pg_temp.sends('INSERT INTO email_message (id, contact_id, state) VALUES (2, 4, ''sent'')') AS even_email,
	pg_temp.sends('INSERT INTO sms_message (id, contact_id, state) VALUES (1, 4, ''sent'')') AS odd_text,
	pg_temp.sends('INSERT INTO email_message (contact_id, direction) VALUES (4, ''in'')') AS inbound_queued;

SELECT * FROM contacts.check_directory('message_gate');
SELECT contacts.drop_directory('message_gate', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_message_gate;
DROP ROLE regress_contacts_message_gate;
