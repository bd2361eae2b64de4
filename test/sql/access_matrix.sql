-- Every capability and every action: allowed, or refused with 42501
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir access_matrix
\set ECHO none
\i :rules
\set ECHO all
UPDATE setting SET is_texting_enabled = true;
INSERT INTO organization (id, name) VALUES (1, 'Org');
INSERT INTO contact (id, first_name, last_name, email, mobile_phone, organization_id) VALUES
	(1, 'Ada', 'One', 'a@x.org', '+49301234501', 1), (2, 'Bob', 'Two', 'b@x.org', '+49301234502', NULL), (3, 'Cyd', 'Three', 'c@x.org', NULL, NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;
INSERT INTO identifier (id, contact_id, semantic_type, slug, value) VALUES (99, 1, 'email', 'work', 'w@x.org');
INSERT INTO subscription_topic (id, name, needs_subscription) VALUES (1, 'news', false);
INSERT INTO subscription (contact_id, topic_id) VALUES (2, 1);
INSERT INTO message_template (id, name, subject, body) VALUES (1, 'hello', 'Hello {{first_name}}', 'Dear {{first_name}}');
INSERT INTO email_message (id, contact_id, subject) VALUES (9001, 1, 'one'), (9003, 2, 'two');
INSERT INTO sms_message (id, contact_id, body) VALUES (9002, 1, 'one');
INSERT INTO legal_hold (contact_id, reason) VALUES (3, 'case');
-- columns of one's own are blanked by whoever may erase
ALTER TABLE consent_event ADD remark text DEFAULT 'x';
ALTER TABLE email_message ADD remark text DEFAULT 'x';
SELECT suppress('gone@x.org');
SELECT unsubscribe_token(9001) AS token \gset

RESET ROLE;
SET client_min_messages = warning;
SET jit = off; -- a statement of each kind runs once or twice
-- one role for each capability, one that may only use the schema
CREATE TABLE pg_temp.actor AS
	SELECT DISTINCT c.name AS capability, 'regress_access_' || c.name AS role
	FROM contacts.privilege p CROSS JOIN LATERAL unnest(p.capabilities) c (name);
INSERT INTO pg_temp.actor VALUES ('none', 'regress_access_none');
GRANT SELECT ON pg_temp.actor TO PUBLIC;
\set ECHO none
SELECT format('CREATE ROLE %I', role) FROM pg_temp.actor \gexec
\set ECHO all
SET ROLE regress_contacts_access_matrix;
SELECT contacts.grant_access('access_matrix', role, capability) FROM pg_temp.actor WHERE capability <> 'none' \g /dev/null
GRANT USAGE ON SCHEMA access_matrix TO regress_access_none;
SELECT * FROM contacts.access('access_matrix');
RESET ROLE;

CREATE TABLE pg_temp.action (n integer GENERATED ALWAYS AS IDENTITY, name text, statement text);
INSERT INTO pg_temp.action (name, statement) VALUES
	('read contacts', $$SELECT * FROM contact$$),
	('read a name', $$SELECT first_name FROM contact WHERE id = 1$$),
	('read identifiers', $$SELECT * FROM identifier$$),
	('read keys and states', $$SELECT key, holder, status FROM identifier$$),
	('read organizations', $$SELECT * FROM organization$$),
	('read relationships', $$SELECT * FROM relationship$$),
	('read related contacts', $$SELECT * FROM related_contact$$),
	('read records'' contacts', $$SELECT * FROM record_relationship$$),
	('read kinds and labels', $$SELECT * FROM semantic_type, identifier_slug$$),
	('read relationship types', $$SELECT * FROM relationship_type, object_type$$),
	('read the log of consent', $$SELECT * FROM consent_event$$),
	('read consent by contact', $$SELECT * FROM contact_consent$$),
	('read topics', $$SELECT * FROM subscription_topic$$),
	('read subscriptions', $$SELECT * FROM subscription, subscription_event$$),
	('read audiences', $$SELECT * FROM topic_audience$$),
	('read templates', $$SELECT * FROM message_template$$),
	('read emails', $$SELECT * FROM email_message$$),
	('read texts', $$SELECT * FROM sms_message$$),
	('read all messages', $$SELECT * FROM message_history$$),
	('read notices', $$SELECT * FROM delivery_notice$$),
	('read holds', $$SELECT * FROM legal_hold$$),
	('read erasures', $$SELECT * FROM erasure$$),
	('read shares', $$SELECT * FROM directory_share, record_share$$),
	('share a contact', $$SELECT contacts.share('access_matrix', 1, 'regress_access_view'::name)$$),
	('read settings', $$SELECT * FROM setting$$),
	('read the secret', $$SELECT * FROM secret$$),
	('find_contact()', $$SELECT find_contact('email', 'a@x.org')$$),
	('resolve_contact()', $$SELECT resolve_contact('email', 'a@x.org')$$),
	('address_status()', $$SELECT address_status('a@x.org')$$),
	('identifier_key()', $$SELECT contacts.identifier_key('access_matrix', 'email', 'a@x.org')$$),
	('related(), household()', $$SELECT related(1), household(1)$$),
	('relationship_path()', $$SELECT relationship_path(1, 2)$$),
	('consent_history()', $$SELECT consent_history('a@x.org')$$),
	('proof_of_consent()', $$SELECT proof_of_consent(1)$$),
	('unsubscribe_token()', $$SELECT unsubscribe_token(9001)$$),
	('insert a contact', $$INSERT INTO contact (first_name, last_name, email) VALUES ('Eve', 'New', 'e@x.org')$$),
	('insert it with a type', $$INSERT INTO contact (first_name, is_vendor) VALUES ('Eve', true)$$),
	('insert it as opted in', $$INSERT INTO contact (first_name, email, email_status) VALUES ('Eve', 'e@x.org', 'opted_in')$$),
	('insert it and read its id', $$INSERT INTO contact (first_name) VALUES ('Eve') RETURNING id$$),
	('upsert a contact', $$INSERT INTO contact (first_name, email) VALUES ('Eve', 'a@x.org') ON CONFLICT (email) DO UPDATE SET first_name = 'Eve'$$),
	('save a whole row', $$UPDATE contact SET (first_name, last_name, mononym, titles, email, email_status, mobile_phone, home_phone, business_phone, time_zone,
		is_vendor, is_reachable, is_validated, contact_type, organization_id, organization_name, archived_at, last_seen_at, created_at, updated_at)
		= ('Adele', last_name, mononym, titles, email, email_status, mobile_phone, home_phone, business_phone, time_zone,
		is_vendor, is_reachable, is_validated, contact_type, organization_id, organization_name, archived_at, last_seen_at, created_at, updated_at) WHERE id = 1$$),
	('change an email', $$UPDATE contact SET email = 'f@x.org' WHERE id = 1$$),
	('archive a contact', $$UPDATE contact SET archived_at = now() WHERE id = 1$$),
	('delete a contact', $$DELETE FROM contact WHERE id = 1$$),
	('truncate contacts', $$TRUNCATE contact CASCADE$$),
	('insert an identifier', $$INSERT INTO identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'g@x.org')$$),
	('insert it as opted in', $$INSERT INTO identifier (contact_id, semantic_type, value, status) VALUES (1, 'email', 'g@x.org', 'opted_in')$$),
	('relabel an identifier', $$UPDATE identifier SET slug = 'other' WHERE id = 99$$),
	('not to be written to', $$UPDATE identifier SET is_outreach = false WHERE id = 99$$),
	('delete an identifier', $$DELETE FROM identifier WHERE id = 99$$),
	('set_main()', $$SELECT set_main(99)$$),
	('validate_identifier()', $$SELECT validate_identifier(99)$$),
	('start_validation()', $$SELECT start_validation(99, 'otp')$$),
	('confirm_validation()', $$SELECT confirm_validation(99, 'x'), confirm_validation('x')$$),
	('read validations', $$SELECT * FROM validation$$),
	('create_ghost()', $$SELECT create_ghost('token')$$),
	('identify()', $$SELECT identify('{"email": "a@x.org", "oauth": "o"}', '{"titles": "Dr."}')$$),
	('touch()', $$SELECT touch('token')$$),
	('capture_lead()', $$SELECT capture_lead('Eve', 'New', 'e@x.org')$$),
	('register()', $$SELECT register('Eve', 'New', 'e@x.org', '$2b$12$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')$$),
	('read verifiers', $$SELECT verifier FROM credential$$),
	('read suggestions', $$SELECT * FROM merge_suggestion$$),
	('dismiss a suggestion', $$UPDATE merge_suggestion SET state = 'dismissed'$$),
	('write an organization', $$UPDATE organization SET name = 'Other'$$),
	('find duplicates', $$SELECT contacts.find_duplicates('access_matrix')$$),
	('dismiss_duplicate()', $$SELECT dismiss_duplicate(1, 2)$$),
	('relate contacts', $$INSERT INTO relationship (relationship_type_id, contact_id, related_contact_id) SELECT id, 1, 2 FROM relationship_type WHERE name = 'sibling'$$),
	('change email_status', $$UPDATE contact SET email_status = 'opted_in' WHERE id = 1$$),
	('suppress by contact', $$UPDATE contact SET email_status = 'suppressed' WHERE id = 1$$),
	('change a state by key', $$UPDATE identifier SET status = 'opted_in' WHERE key = (SELECT min(key::text)::uuid FROM identifier WHERE status = 'not_opted_in' AND holder = 0)$$),
	('suppress()', $$SELECT suppress('a@x.org')$$),
	('suppress_many()', $$SELECT suppress_many('{a@x.org}')$$),
	('unsubscribe()', $$SELECT unsubscribe('a@x.org')$$),
	('opt_in()', $$SELECT opt_in('a@x.org', '{}')$$),
	('subscribe()', $$SELECT subscribe(1, 'news')$$),
	('subscribe_many()', $$SELECT subscribe_many('{1,2}', 'news')$$),
	('unsubscribe_topic()', $$SELECT unsubscribe_topic(2, 'news')$$),
	('use_unsubscribe_token()', format($$SELECT use_unsubscribe_token(%L)$$, :'token')),
	('write a topic', $$UPDATE subscription_topic SET label = 'News'$$),
	('write the log of consent', $$INSERT INTO consent_event (key, new_state) VALUES ('00000000-0000-0000-0000-000000000000', 'opted_in')$$),
	('blank the log of consent', $$UPDATE consent_event SET evidence = NULL$$),
	('insert an email', $$INSERT INTO email_message (contact_id, subject) VALUES (1, 'x')$$),
	('insert a text', $$INSERT INTO sms_message (contact_id, body) VALUES (1, 'x')$$),
	('change an email''s state', $$UPDATE email_message SET state = 'sent' WHERE id = 9001$$),
	('cancel all emails', $$UPDATE email_message SET state = 'cancelled'$$),
	('delete emails', $$DELETE FROM email_message$$),
	('queue_email()', $$SELECT queue_email(1, 'Hello', 'x', kind => 'transactional')$$),
	('queue_email() by template', $$SELECT queue_email(1, template => 'hello', topic => 'news', idempotency_key => 'k')$$),
	('queue_emails()', $$SELECT queue_emails('{1,2}', template => 'hello', topic => 'news')$$),
	('queue_sms()', $$SELECT queue_sms(1, 'Hello')$$),
	('queue_sms_many()', $$SELECT queue_sms_many('{1,2}', 'Hello')$$),
	('next_emails()', $$SELECT * FROM next_emails(1)$$),
	('next_sms()', $$SELECT * FROM next_sms(1)$$),
	('mark_sent()', $$SELECT mark_sent(9001), mark_sent(9002)$$),
	('mark_failed()', $$SELECT mark_failed(9001, 'x'), mark_failed(9002, 'x')$$),
	('render()', $$SELECT render('hello', 1)$$),
	('preview()', $$SELECT preview('{{first_name}}', '{{last_name}}', contact_id => 1)$$),
	('write a template', $$UPDATE message_template SET subject = 'x'$$),
	('record_bounce()', $$SELECT record_bounce('a@x.org', 'hard')$$),
	('record_complaint()', $$SELECT record_complaint('a@x.org')$$),
	('record_delivery()', $$SELECT record_delivery('a@x.org')$$),
	('write a notice', $$UPDATE delivery_notice SET address = NULL$$),
	('hold a contact', $$INSERT INTO legal_hold (contact_id, reason) VALUES (1, 'case')$$),
	('release holds', $$DELETE FROM legal_hold$$),
	('export_person()', $$SELECT export_person(1)$$),
	('erase_person()', $$SELECT erase_person(1)$$),
	('suppression_list()', $$SELECT suppression_list()$$),
	('import_suppressions()', $$SELECT import_suppressions('{x@x.org}')$$),
	('forge an erasure', $$UPDATE erasure SET reason = 'x'$$),
	('add a kind', $$INSERT INTO semantic_type (name) VALUES ('fax')$$),
	('add a label', $$INSERT INTO identifier_slug VALUES ('email', 'spare')$$),
	('add a relationship type', $$INSERT INTO relationship_type (name, inverse_name) VALUES ('tutor', 'pupil')$$),
	('change a setting', $$UPDATE setting SET name_rule = 'any'$$),
	('change the secret', $$UPDATE secret SET value = value$$),
	('set_exclusive()', $$SELECT contacts.set_exclusive('access_matrix', 'phone', true)$$),
	('grant_access()', $$SELECT contacts.grant_access('access_matrix', current_user, 'administer')$$),
	('disable a trigger', $$ALTER TABLE contact DISABLE TRIGGER zz_derive$$),
	('make a table', $$CREATE TABLE access_matrix.mine ()$$);

-- what becomes of a statement, which is undone
CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
BEGIN
	PERFORM set_config('role', role, true);
	EXECUTE statement;
	SET CONSTRAINTS ALL IMMEDIATE;
	RAISE EXCEPTION USING ERRCODE = 'ZZZZZ';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'ZZZZZ' THEN 'yes' WHEN '42501' THEN '-' ELSE SQLSTATE END;
END
$$;
SET search_path = access_matrix, pg_temp;
-- yes: allowed; -: 42501
CREATE TABLE pg_temp.outcome AS
	SELECT n, name, capability, pg_temp.attempt(role, statement) AS outcome FROM pg_temp.action, pg_temp.actor;
SELECT name AS action, view, edit, manage_subscriptions AS manage, send_email AS email, send_sms AS sms, capture, authenticate AS login, deliver, administer AS admin, none
FROM (SELECT n, name, jsonb_object_agg(capability, outcome) AS o FROM pg_temp.outcome GROUP BY n, name) x
	CROSS JOIN LATERAL jsonb_to_record(o) r (view text, edit text, manage_subscriptions text, send_email text, send_sms text, capture text, authenticate text, deliver text, administer text, none text)
ORDER BY n;
-- every capability has its column, nothing happened to stay
SELECT count(*) AS capabilities FROM pg_temp.actor;
SELECT count(*), min(first_name) FROM contact;

-- a role that loses a capability keeps what another gives it
SET ROLE regress_contacts_access_matrix;
SELECT contacts.grant_access('access_matrix', 'regress_access_none', c) FROM unnest('{edit,send_email,manage_subscriptions}'::text[]) c \g /dev/null
SELECT contacts.revoke_access('access_matrix', 'regress_access_none', 'edit') \g /dev/null
SELECT * FROM contacts.access('access_matrix') WHERE role = 'regress_access_none';
RESET ROLE;
SELECT o.name, o.outcome AS before, a.outcome AS after
FROM (
		SELECT n, name, CASE WHEN bool_or(outcome = 'yes') THEN 'yes' ELSE '-' END AS outcome FROM pg_temp.outcome
		WHERE capability IN ('send_email', 'manage_subscriptions') GROUP BY n, name) o
	JOIN (SELECT n, pg_temp.attempt('regress_access_none', statement) AS outcome FROM pg_temp.action OFFSET 0) a USING (n)
WHERE a.outcome <> o.outcome ORDER BY n;
-- and nothing is left of the last one
SET ROLE regress_contacts_access_matrix;
SELECT contacts.revoke_access('access_matrix', 'regress_access_none', c) FROM unnest('{send_email,manage_subscriptions}'::text[]) c \g /dev/null
SELECT * FROM contacts.held_rights('access_matrix'::regnamespace) WHERE role = 'regress_access_none'::regrole;
-- a role that has part of a capability
REVOKE SELECT ON organization FROM regress_access_view;
GRANT UPDATE (email) ON contact TO regress_access_capture;
SELECT * FROM contacts.access('access_matrix') WHERE NOT is_complete;
SELECT contacts.grant_access('access_matrix', 'regress_access_view', 'view') \g /dev/null
SELECT * FROM contacts.access('access_matrix') WHERE NOT is_complete;
-- rights that were granted by hand are not taken
SELECT contacts.revoke_access('access_matrix', 'regress_access_capture', 'capture') \g /dev/null
SELECT column_name, privilege FROM contacts.held_rights('access_matrix'::regnamespace) WHERE role = 'regress_access_capture'::regrole;

-- who may, and what is known
SELECT * FROM pg_temp.fails($$SELECT contacts.grant_access('access_matrix', 'regress_access_view', 'fly')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.grant_access('access_matrix', 'regress_access_view', NULL)$$) LIMIT 1;
SELECT * FROM pg_temp.fails($$SELECT contacts.grant_access('access_matrix', 'regress_nobody', 'view')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.grant_access('access_matrix', 'public', 'view')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.grant_access('access_nowhere', 'regress_access_view', 'view')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.revoke_access('access_matrix', 'regress_access_view', 'fly')$$) LIMIT 1;
SELECT * FROM pg_temp.fails($$SELECT contacts.access('access_nowhere')$$);
SET ROLE regress_access_administer;
SELECT * FROM pg_temp.fails($$SELECT contacts.grant_access('access_matrix', 'regress_access_view', 'edit')$$);
SELECT * FROM pg_temp.fails($$SELECT contacts.revoke_access('access_matrix', 'regress_access_view', 'view')$$);
SELECT count(*) FROM contacts.access('access_matrix');
-- a superuser grants as the owner
RESET ROLE;
SELECT contacts.grant_access('access_matrix', 'regress_access_view', 'edit') \g /dev/null
SELECT DISTINCT x.grantor::regrole FROM pg_catalog.pg_class c, aclexplode(c.relacl) x WHERE c.relnamespace = 'access_matrix'::regnamespace;
-- a function of one's own that bears the name of one of the directory's is nobody's business
SET ROLE regress_contacts_access_matrix;
CREATE FUNCTION suppress(integer) RETURNS integer LANGUAGE sql RETURN $1;
REVOKE EXECUTE ON FUNCTION suppress(integer) FROM PUBLIC;
SELECT contacts.grant_access('access_matrix', 'regress_access_manage_subscriptions', 'manage_subscriptions') \g /dev/null
SELECT has_function_privilege('regress_access_manage_subscriptions', 'suppress(integer)', 'EXECUTE') AS own,
	has_function_privilege('regress_access_manage_subscriptions', 'suppress(text, contacts.state_reason, text)', 'EXECUTE') AS directorys;
RESET ROLE;
-- names that must be quoted
CREATE ROLE "regress access's";
SET ROLE regress_contacts_access_matrix;
SELECT contacts.create_directory('Access "matrix"') \g /dev/null
SELECT contacts.grant_access('Access "matrix"', 'regress access''s', 'capture') \g /dev/null
SELECT * FROM contacts.access('Access "matrix"') WHERE role = 'regress access''s';
SELECT contacts.revoke_access('Access "matrix"', 'regress access''s', 'capture') \g /dev/null
SELECT * FROM contacts.access('Access "matrix"') WHERE role = 'regress access''s';

SELECT contacts.drop_directory('Access "matrix"');
SELECT contacts.drop_directory('access_matrix', cascade => true);
RESET ROLE;
\set ECHO none
SELECT format('DROP ROLE %I', role) FROM pg_temp.actor \gexec
\set ECHO all
DROP ROLE "regress access's";
DROP OWNED BY regress_contacts_access_matrix;
DROP ROLE regress_contacts_access_matrix;
