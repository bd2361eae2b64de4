-- The log of consent, read: by address, by contact, as one document
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir consent_history
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_consent_history_clerk;
GRANT USAGE ON SCHEMA consent_history TO regress_contacts_consent_history_clerk;
SET ROLE regress_contacts_consent_history;
SET timezone = 'UTC';
CREATE FUNCTION pg_temp.history(address text) RETURNS TABLE (old text, new text, reason text, source text, evidence jsonb, role text)
	LANGUAGE sql AS $$ SELECT h.old_state, h.new_state, h.reason, h.source, h.evidence, replace(h.role, 'regress_contacts_', '')
	FROM consent_history.consent_history(address) h $$;
-- the document without the times of this run
CREATE FUNCTION pg_temp.timeless(proof jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(jsonb_pretty(proof), '"20[0-9-]+T[0-9:.+]+"', '"<time>"', 'g') $$;

INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', '+49301234500');
INSERT INTO identifier (contact_id, semantic_type, slug, value) VALUES (1, 'oauth', NULL, 'github:1'), (1, 'email', 'work', 'w@x.org');
INSERT INTO subscription_topic (name, label) VALUES ('news', 'Newsletter');
SELECT opt_in('A@x.org', '{"text": "Send me news", "form": "/newsletter", "form_version": 3, "ip": "192.0.2.1"}');
SELECT unsubscribe('a@x.org', source => 'footer');
SELECT opt_in('a@x.org', '{"text": "Send me news and offers", "form": "/newsletter", "form_version": 4}');
SELECT suppress('+49301234500', 'own_wish', 'phone call');
SELECT record_complaint('w@x.org', 'feedback loop', '2026-01-02');
SELECT subscribe(1, 'news', 'web form', '{"form_version": 4}');

-- by address, in whatever spelling, held or not
SELECT * FROM pg_temp.history(' A@X.ORG');
SELECT * FROM pg_temp.history('+49 30 1234500');
SELECT * FROM pg_temp.history('b@x.org');
SELECT * FROM pg_temp.history('no address');
SELECT * FROM pg_temp.history(NULL);
SELECT at = max(at) OVER (), event_id > 0 FROM consent_history('a@x.org') ORDER BY event_id DESC LIMIT 1;
-- by contact
SELECT contact_id, semantic_type, slug, value, old_state, new_state, reason, source, evidence FROM contact_consent ORDER BY contact_id, event_id;
-- as a document
SELECT pg_temp.timeless(proof_of_consent(1));
SELECT pg_temp.timeless(proof_of_consent(2));
SELECT * FROM pg_temp.fails($$SELECT proof_of_consent(99)$$);
SELECT * FROM pg_temp.fails($$SELECT proof_of_consent(NULL)$$);

-- what happened to an address before somebody held it is part of its history
SELECT suppress('c@x.org', 'import', 'old list');
INSERT INTO contact (id, email) VALUES (3, 'c@x.org');
SELECT new_state, source FROM contact_consent WHERE contact_id = 3;
-- after deletion, and after erasure: by the key
DELETE FROM contact WHERE id = 3;
SELECT * FROM pg_temp.history('c@x.org');
UPDATE identifier SET value = NULL, source = NULL WHERE value = 'c@x.org';
UPDATE consent_event SET source = NULL, evidence = NULL, role = NULL WHERE key = contacts.identifier_key('consent_history', 'email', 'c@x.org');
SELECT * FROM pg_temp.history('C@X.org');
DELETE FROM contact WHERE id = 1;
SELECT new FROM pg_temp.history('a@x.org');

-- with the rights of who reads
SET ROLE regress_contacts_consent_history_clerk;
SET search_path = consent_history;
SELECT * FROM pg_temp.fails($$SELECT * FROM consent_history('a@x.org')$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM contact_consent$$);
SELECT * FROM pg_temp.fails($$SELECT proof_of_consent(2)$$);
RESET ROLE;
GRANT SELECT ON consent_event TO regress_contacts_consent_history_clerk;
GRANT SELECT (key) ON identifier TO regress_contacts_consent_history_clerk;
SET ROLE regress_contacts_consent_history_clerk;
SELECT new FROM pg_temp.history('a@x.org');
SELECT * FROM pg_temp.fails($$SELECT proof_of_consent(2)$$);
SET ROLE regress_contacts_consent_history;

SELECT * FROM contacts.check_directory('consent_history');
SELECT contacts.drop_directory('consent_history', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_consent_history, regress_contacts_consent_history_clerk;
DROP ROLE regress_contacts_consent_history, regress_contacts_consent_history_clerk;
