-- What check_directory() finds in messages, and what repair_directory() does
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir message_check
\set ECHO none
\i :rules
\set ECHO all
UPDATE setting SET is_texting_enabled = true;
INSERT INTO contact (id, email, mobile_phone) VALUES (1, 'a@x.org', '+49301234501'), (2, 'b@x.org', '+49301234502');
SELECT suppress('s@x.org'), unsubscribe('b@x.org'), suppress('+49301234502');
INSERT INTO email_message (id, contact_id, address, kind, state, body) VALUES
	(1, 1, 'a@x.org', 'marketing', 'queued', 'b'), (3, 1, 'a@x.org', 'marketing', 'sent', 'b'), (5, 1, 'no address', 'marketing', 'sent', 'b'),
	(7, 2, 'b@x.org', 'transactional', 'queued', 'b'), (9, NULL, NULL, 'marketing', 'sent', NULL);
INSERT INTO sms_message (id, contact_id, body) VALUES (2, 1, 'b');
SELECT * FROM contacts.check_directory('message_check');

-- rows that came past the triggers, as a superuser's replica or restore may bring them
RESET ROLE;
SET session_replication_role = replica;
UPDATE email_message SET key = '00000000-0000-0000-0000-000000000001' WHERE id IN (1, 5, 9);
UPDATE email_message SET key = NULL WHERE id = 3;
INSERT INTO email_message (id, address, key, body)
	SELECT 11, 's@x.org', contacts.identifier_key('message_check', 'email', 's@x.org'), 'b';
INSERT INTO email_message (id, address, body) VALUES (13, 's@x.org', 'b');
INSERT INTO email_message (id, address, key, state, body)
	SELECT 15, 'b@x.org', contacts.identifier_key('message_check', 'email', 'b@x.org'), 'sending', 'b';
INSERT INTO sms_message (id, contact_id, address, key, kind, body)
	SELECT 4, 2, '+49301234502', contacts.identifier_key('message_check', 'phone', '+49301234502'), 'transactional', 'b';
RESET session_replication_role;
SET ROLE regress_contacts_message_check;
SELECT * FROM contacts.check_directory('message_check') ORDER BY object, row_id;
SELECT * FROM contacts.repair_directory('message_check');
SELECT id, address, key IS NOT NULL AS has_key, state, error FROM message_history ORDER BY id;
SELECT * FROM contacts.check_directory('message_check');
-- the keys are those of the addresses
SELECT id, key = contacts.identifier_key('message_check', 'email', address) AS is_right FROM email_message WHERE key IS NOT NULL ORDER BY id;
SELECT contacts.drop_directory('message_check', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_message_check;
DROP ROLE regress_contacts_message_check;
