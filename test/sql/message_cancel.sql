-- C7: suppressing and unsubscribing cancel what waits, in the same transaction
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir message_cancel
\set ECHO none
\i :rules
\set ECHO all
UPDATE setting SET is_texting_enabled = true;
INSERT INTO contact (id, first_name, email, mobile_phone)
	SELECT n, 'Person', chr(96 + n) || '@x.org', '+4930123450' || n FROM generate_series(1, 9) n;
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', NULL, 'z@x.org');

-- two emails and two texts to everybody; what became of them
CREATE FUNCTION pg_temp.fill() RETURNS void LANGUAGE sql AS $$
	DELETE FROM email_message;
	DELETE FROM sms_message;
	INSERT INTO email_message (contact_id, kind, address, body)
		SELECT c.id, k, c.email::text, 'b' FROM contact c CROSS JOIN unnest('{marketing,transactional}'::text[]) k
		WHERE c.email_status <> 'suppressed' AND (k = 'transactional' OR c.email_status <> 'unsubscribed');
	INSERT INTO email_message (address, kind, body)
		SELECT a, k, 'b' FROM unnest('{y@x.org,z@x.org}'::text[]) a CROSS JOIN unnest('{marketing,transactional}'::text[]) k
		WHERE address_status(a) <> 'suppressed' AND (k = 'transactional' OR address_status(a) <> 'unsubscribed');
	INSERT INTO sms_message (contact_id, kind, body)
		SELECT c.id, k, 'b' FROM contact c CROSS JOIN unnest('{marketing,transactional}'::text[]) k
		WHERE address_status(c.mobile_phone::text) <> 'suppressed';
$$;
CREATE TEMP VIEW cancelled AS
	SELECT channel, kind, contact_id AS contact, address, state, error FROM message_history
	WHERE state <> 'queued' ORDER BY channel, address, kind;
CREATE FUNCTION pg_temp.cancels(statement text) RETURNS TABLE (channel text, kind text, contact bigint, address text, state text, error text)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.fill();
	EXECUTE statement;
	RETURN QUERY SELECT * FROM cancelled;
END
$$;

-- the functions, DML on either table, for emails and numbers, held or not
SELECT * FROM pg_temp.cancels($$SELECT unsubscribe('a@x.org')$$);
SELECT * FROM pg_temp.cancels($$SELECT suppress('a@x.org')$$);
SELECT * FROM pg_temp.cancels($$SELECT suppress('Y@X.org')$$);
SELECT * FROM pg_temp.cancels($$SELECT unsubscribe('z@x.org')$$);
SELECT * FROM pg_temp.cancels($$SELECT suppress('+49301234501')$$);
SELECT * FROM pg_temp.cancels($$SELECT suppress_many('{b@x.org,+49301234502}')$$);
SELECT * FROM pg_temp.cancels($$UPDATE contact SET email_status = 'suppressed' WHERE id = 3$$);
SELECT * FROM pg_temp.cancels($$UPDATE identifier SET status = 'unsubscribed' WHERE value = 'd@x.org'$$);
SELECT * FROM pg_temp.cancels($$INSERT INTO contact (id, email) VALUES (50, 'e@x.org') ON CONFLICT (email) DO UPDATE SET email_status = 'suppressed'$$);
SELECT * FROM pg_temp.cancels($$MERGE INTO contact c USING (VALUES (6)) n (id) ON c.id = n.id WHEN MATCHED THEN UPDATE SET email_status = 'suppressed'$$);
-- a complaint is the person's own wish: it follows to the new address (C4)
SELECT suppress('g@x.org', 'complaint');
INSERT INTO email_message (address, body) VALUES ('new@x.org', 'b');
UPDATE contact SET email = 'new@x.org' WHERE id = 7;
SELECT email, email_status FROM contact WHERE id = 7;
SELECT address, state, error FROM email_message WHERE address = 'new@x.org';
-- and through NULL
UPDATE contact SET email_status = 'unsubscribed' WHERE id = 8;
UPDATE contact SET email = NULL WHERE id = 8;
INSERT INTO email_message (address, body) VALUES ('x@x.org', 'b');
UPDATE contact SET email = 'x@x.org' WHERE id = 8;
SELECT address, state, error FROM email_message WHERE address = 'x@x.org';
-- a contact that comes with an address in that state
INSERT INTO email_message (address, body) VALUES ('w@x.org', 'b');
INSERT INTO contact (id, first_name, email, email_status) VALUES (40, 'Late', 'w@x.org', 'unsubscribed');
SELECT address, state, error FROM email_message WHERE address = 'w@x.org';
-- what was taken back is not cancelled
BEGIN;
INSERT INTO email_message (address, body) VALUES ('v@x.org', 'b');
SAVEPOINT s;
SELECT suppress('v@x.org');
SELECT address, state, error FROM email_message WHERE address = 'v@x.org';
ROLLBACK TO SAVEPOINT s;
SELECT address, state, error FROM email_message WHERE address = 'v@x.org';
ROLLBACK;
-- states that allow more cancel nothing
SELECT * FROM pg_temp.cancels($$UPDATE contact SET email_status = 'opted_in' WHERE id = 9$$);
SELECT * FROM pg_temp.cancels($$UPDATE contact SET email_status = 'not_opted_in' WHERE id = 9$$);
-- history stays what it was
INSERT INTO email_message (contact_id, address, state) SELECT 9, 'i@x.org', s FROM unnest('{sent,delivered,bounced,failed}'::text[]) s;
SELECT suppress('i@x.org');
SELECT state, count(*) FROM email_message WHERE address = 'i@x.org' GROUP BY state ORDER BY state;
-- what a worker has is cancelled, too; what he says of it is heard
INSERT INTO contact (id, email) VALUES (20, 'k@x.org'), (21, 'l@x.org');
SELECT queue_email(20, 's', 'b'), queue_email(21, 's', 'b') \g /dev/null
SELECT address FROM next_emails(1000) WHERE contact_id IN (20, 21) ORDER BY address;
SELECT suppress_many('{k@x.org,l@x.org}');
SELECT address, state, error, leased_until FROM email_message WHERE contact_id IN (20, 21) ORDER BY address;
SELECT address, mark_sent(id, 'p-1') FROM email_message WHERE contact_id = 20;
SELECT address, mark_failed(id, 'busy', true) FROM email_message WHERE contact_id = 21;
SELECT address, state, error, provider_id FROM email_message WHERE contact_id IN (20, 21) ORDER BY address;
-- deleting a contact cancels what waits for it; archiving lets it wait until it is handed out
INSERT INTO contact (id, email, mobile_phone) VALUES (30, 'm@x.org', '+49301234511'), (31, 'n@x.org', '+49301234512');
SELECT queue_email(30, 's', 'b'), queue_sms(30, 'b'), queue_email(31, 's', 'b'), queue_sms(31, 'b') \g /dev/null
DELETE FROM contact WHERE id = 30;
UPDATE contact SET archived_at = now() WHERE id = 31;
SELECT contact_id, address, state, error FROM message_history WHERE address IN ('m@x.org', 'n@x.org', '+49301234511', '+49301234512') ORDER BY address;
SELECT count(*) FROM next_emails(1000) WHERE address = 'n@x.org';
SELECT count(*) FROM next_sms(1000) WHERE address = '+49301234512';
SELECT contact_id, address, state, error FROM message_history WHERE contact_id = 31 ORDER BY address;

SELECT * FROM contacts.check_directory('message_cancel');
SELECT contacts.drop_directory('message_cancel', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_message_cancel;
DROP ROLE regress_contacts_message_cancel;
