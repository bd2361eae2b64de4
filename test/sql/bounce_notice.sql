-- Bounces, complaints and deliveries: what follows from a notice
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir bounce_notice
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_bounce_notice_hook;
GRANT USAGE ON SCHEMA bounce_notice TO regress_contacts_bounce_notice_hook;
SET ROLE regress_contacts_bounce_notice;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TEMP VIEW notice AS
	SELECT address, kind, at, source, diagnostic, provider_id AS provider FROM delivery_notice ORDER BY key, at, kind, provider_id;
CREATE TEMP VIEW state AS
	SELECT contact_id AS contact, value, status AS state, status_reason AS reason, source FROM identifier WHERE status <> 'not_opted_in' ORDER BY value;
INSERT INTO contact (id, first_name, email, mobile_phone) VALUES (1, 'Ada', 'a@x.org', '+49301234500'), (2, 'Bob', 'b@x.org', '+49301234500'), (3, 'Cyd', 'c@x.org', NULL);
ALTER TABLE contact ALTER id RESTART WITH 100;

-- a hard bounce suppresses, once; the same notice again is none
SELECT record_bounce('a@x.org', 'hard', '550 5.1.1 unknown user', '2026-01-01 10:00');
SELECT record_bounce(' A@X.ORG ', 'hard', '550 5.1.1 unknown user', '2026-01-01 10:00');
SELECT * FROM state;
SELECT value, old, new, reason, source, role FROM log;
-- again later: told again, the first reason stays
SELECT record_complaint('a@x.org', 'feedback loop', '2026-01-02');
SELECT * FROM state;
SELECT value, old, new, reason, source FROM log;
-- C4: a bounce says nothing of the person's other addresses, a complaint does
UPDATE contact SET email = 'd@x.org' WHERE id = 1;
SELECT record_complaint('b@x.org', 'feedback loop', '2026-01-02');
UPDATE contact SET email = 'e@x.org' WHERE id = 2;
SELECT id, email, email_status FROM contact ORDER BY id;
SELECT address_status('a@x.org') AS a, address_status('b@x.org') AS b;
-- also by way of NULL
SELECT record_complaint('c@x.org');
UPDATE contact SET email = NULL WHERE id = 3;
UPDATE contact SET email = 'f@x.org' WHERE id = 3;
SELECT email, email_status FROM contact WHERE id = 3;

-- a block says something of the sender
SELECT record_bounce('d@x.org', 'block', 'blocked using a list', '2026-01-01'), address_status('d@x.org');

-- soft bounces: as many as the setting says, in its window, since a delivery
SELECT soft_bounce_limit, soft_bounce_window FROM setting;
UPDATE setting SET soft_bounce_limit = 3, soft_bounce_window = '10 days';
SELECT record_bounces('{g@x.org,g@x.org}', '{soft,soft}', '{full,full}', '{2026-01-01,2026-01-02}');
SELECT record_bounce('g@x.org', 'soft', 'full', '2026-01-01'), address_status('g@x.org') AS same_again;
SELECT record_bounce('g@x.org', 'soft', 'full', '2026-01-11'), address_status('g@x.org') AS out_of_the_window;
SELECT record_delivery('g@x.org', '2026-01-11 12:00');
SELECT record_bounces('{g@x.org,g@x.org}', '{soft,soft}', NULL, '{2026-01-12,2026-01-13}');
SELECT address_status('g@x.org') AS two_since_the_delivery;
SELECT record_bounce('g@x.org', 'block', NULL, '2026-01-14'), address_status('g@x.org') AS a_block_does_not_count;
SELECT record_bounce('g@x.org', 'soft', NULL, '2026-01-21 23:59');
SELECT address_status('g@x.org') AS the_third;
-- late and out of order: the series that they complete counts
SELECT record_bounces('{h@x.org,h@x.org}', '{soft,soft}', NULL, '{2026-01-01,2026-01-03}');
SELECT record_bounce('h@x.org', 'soft', NULL, '2026-01-02');
SELECT address_status('h@x.org') AS between;
SELECT record_bounces('{i@x.org,i@x.org,i@x.org}', '{soft,soft,soft}', NULL, '{2026-01-03,2026-01-02,2026-01-01}');
SELECT address_status('i@x.org') AS in_one_batch;
-- a delivery that is told late comes too late
SELECT record_delivery('i@x.org', '2026-01-02 12:00'), address_status('i@x.org');
-- several messages that bounce in one second are several
SELECT record_bounces('{j@x.org,j@x.org,j@x.org}', '{soft,soft,soft}', NULL, '{2026-01-01,2026-01-01,2026-01-01}', '{m1,m2,m1}');
SELECT address_status('j@x.org');
SELECT record_bounces('{j@x.org,j@x.org}', '{soft,soft}', NULL, '{2026-01-01,2026-01-01}', '{m2,m3}');
SELECT address_status('j@x.org');
UPDATE setting SET soft_bounce_limit = 1;
SELECT record_bounce('k@x.org', 'soft');
SELECT address_status('k@x.org');
UPDATE setting SET soft_bounce_limit = 3;

-- addresses that nobody holds, numbers, and several in one batch
SELECT record_bounces('{l@x.org,NULL,+49301234507,M@x.org,l@x.org}', '{hard,hard,hard,soft,hard}', '{a,b,c}', '{2026-01-01,2026-01-01,2026-01-01,2026-01-01,2026-01-01}');
SELECT record_complaints('{n@x.org,+49301234500}', '{loop,carrier}');
SELECT record_complaints('{n@x.org,o@x.org}', NULL, '{2026-02-01,2026-02-01}');
SELECT record_deliveries('{p@x.org,p@x.org,NULL}', '{2026-01-01,2026-01-01}');
SELECT record_deliveries('{}'), record_bounces('{}', '{}'), record_complaints(NULL);
SELECT record_bounce(NULL, 'hard'), record_complaint(NULL), record_delivery(NULL);
-- complaint and bounce of one address in one statement: the complaint is the reason
INSERT INTO delivery_notice (address, kind, at, source) VALUES
	('q@x.org', 'hard_bounce', '2026-01-01', 's1'), ('q@x.org', 'complaint', '2026-01-01', 's2'), ('q@x.org', 'delivery', '2026-01-01', 's3');
SELECT * FROM state;
INSERT INTO contact (id, email) VALUES (4, 'l@x.org');
SELECT email_status FROM contact WHERE id = 4;

-- refused, all or none
SELECT * FROM pg_temp.fails($$SELECT record_bounces('{r@x.org,r at x.org}', '{hard,hard}')$$);
SELECT * FROM pg_temp.fails($$SELECT record_complaint('')$$);
SELECT * FROM pg_temp.fails($$SELECT record_delivery('030 1234')$$);
SELECT * FROM pg_temp.fails($$SELECT record_bounces('{r@x.org,s@x.org}', '{hard,harder}', NULL, '{2026-01-01,2026-01-01}')$$) f WHERE f NOT LIKE 'DETAIL%';
SELECT * FROM pg_temp.fails($$SELECT record_bounces('{r@x.org,s@x.org}', '{hard}')$$) f WHERE f NOT LIKE 'DETAIL%';
SELECT * FROM pg_temp.fails($$INSERT INTO delivery_notice (kind) VALUES ('delivery')$$);
SELECT address_status('r@x.org'), count(*) FROM notice WHERE address = 'r@x.org' GROUP BY 1;

-- a notice stays as it was recorded, but for what names the person; old ones may go
SELECT * FROM pg_temp.fails($$UPDATE delivery_notice SET kind = 'delivery' WHERE address = 'a@x.org'$$);
SELECT * FROM pg_temp.fails($$UPDATE delivery_notice SET address = 'x@x.org' WHERE address = 'a@x.org'$$);
UPDATE delivery_notice SET address = NULL, diagnostic = NULL, source = NULL WHERE address = 'a@x.org';
SELECT kind, at, source, diagnostic FROM notice WHERE address IS NULL;
SELECT record_bounce('a@x.org', 'hard', NULL, '2026-01-01 10:00') AS known_by_its_key;
DELETE FROM delivery_notice WHERE at < '2026-01-02';
SELECT address_status('a@x.org');
-- rows that come back from a copy bring their keys
CREATE TEMP TABLE copy AS SELECT * FROM delivery_notice;
DELETE FROM delivery_notice;
INSERT INTO delivery_notice SELECT * FROM copy;
SELECT * FROM delivery_notice EXCEPT SELECT * FROM copy;
SELECT count(*) = (SELECT count(*) FROM copy) AS all_there FROM delivery_notice;

-- what becomes of the message: told by provider id and address
INSERT INTO email_message (id, kind, contact_id, address, subject, body) VALUES (101, 'transactional', 3, 'f@x.org', 's', 'b'), (103, 'transactional', 3, 'f@x.org', 's', 'b'), (105, 'transactional', 3, 'f@x.org', 's', 'b');
UPDATE email_message SET state = 'sending', leased_until = now() + '1 hour' WHERE id IN (101, 103);
UPDATE email_message SET state = 'sent', sent_at = now(), leased_until = NULL, provider_id = 'p' || id WHERE id IN (101, 103);
SELECT record_deliveries('{f@x.org,z@x.org,f@x.org}', NULL, '{p101,p103,p105}');
SELECT record_bounce('f@x.org', 'block', '554 no', provider_id => 'p101');
SELECT record_delivery('f@x.org', provider_id => 'p101', at => '2026-03-03');
SELECT id, state, error FROM email_message ORDER BY id;

-- who may insert notices needs no right on states, and none to read
SET ROLE regress_contacts_bounce_notice_hook;
SET search_path = bounce_notice;
SELECT * FROM pg_temp.fails($$SELECT record_bounce('t@x.org', 'hard')$$);
RESET ROLE;
GRANT INSERT ON delivery_notice TO regress_contacts_bounce_notice_hook;
SET ROLE regress_contacts_bounce_notice_hook;
SELECT record_bounce('t@x.org', 'hard'), record_complaint('u@x.org'), record_delivery('v@x.org');
SELECT * FROM pg_temp.fails($$SELECT * FROM delivery_notice$$);
SET ROLE regress_contacts_bounce_notice;
SELECT value, new, reason, role FROM log WHERE value IN ('t@x.org', 'u@x.org') ORDER BY value;

-- under row security the hook still records; notices show to who sees a holder of the address
SELECT contacts.enable_row_security('bounce_notice') \g /dev/null
RESET ROLE;
GRANT SELECT ON delivery_notice TO regress_contacts_bounce_notice_hook;
SET ROLE regress_contacts_bounce_notice_hook;
SELECT record_bounce('x@x.org', 'hard'), record_complaint('e@x.org', at => '2026-03-01');
SELECT record_complaint('e@x.org', at => '2026-03-01');
SELECT count(*) FROM delivery_notice;
RESET ROLE;
INSERT INTO contact_share (contact_id, role) VALUES (2, 'regress_contacts_bounce_notice_hook');
SET ROLE regress_contacts_bounce_notice_hook;
SELECT DISTINCT address FROM delivery_notice ORDER BY 1;
SET ROLE regress_contacts_bounce_notice;
SELECT contacts.disable_row_security('bounce_notice') \g /dev/null
SELECT address_status('x@x.org'), address_status('e@x.org');

-- a savepoint that goes takes the notice and what followed along
BEGIN;
SAVEPOINT s;
SELECT record_complaint('w@x.org', at => '2026-01-01');
ROLLBACK TO s;
SELECT record_complaint('w@x.org', at => '2026-01-01');
SELECT address_status('w@x.org');
ROLLBACK;
SELECT address_status('w@x.org');

-- a key that is another address's is found, and left to people
RESET ROLE;
SET session_replication_role = replica;
INSERT INTO bounce_notice.delivery_notice (id, address, key, kind) VALUES (9001, 'y@x.org', contacts.identifier_key('bounce_notice', 'email', 'z@x.org'), 'delivery');
RESET session_replication_role;
SET ROLE regress_contacts_bounce_notice;
SELECT * FROM contacts.check_directory('bounce_notice');
SELECT * FROM contacts.repair_directory('bounce_notice');
DELETE FROM delivery_notice WHERE id = 9001;

-- many at once, beyond what is settled together
SELECT record_bounces(ARRAY(SELECT 'n' || n || '@y.org' FROM generate_series(1, 9000) n), array_fill('hard'::text, '{9000}'), NULL, array_fill('2026-01-01'::timestamptz, '{9000}'));
SELECT record_bounces(ARRAY(SELECT 'n' || n || '@y.org' FROM generate_series(0, 9000) n), array_fill('hard'::text, '{9001}'), NULL, array_fill('2026-01-01'::timestamptz, '{9001}'));
SELECT count(*) FROM identifier WHERE status_reason = 'bounce' AND value LIKE '%@y.org';

SELECT * FROM contacts.check_directory('bounce_notice');
SELECT contacts.drop_directory('bounce_notice', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_bounce_notice, regress_contacts_bounce_notice_hook;
DROP ROLE regress_contacts_bounce_notice, regress_contacts_bounce_notice_hook;
