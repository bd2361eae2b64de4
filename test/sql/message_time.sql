-- When messages go: local times over changes of the clocks, quiet hours
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir message_time
\set ECHO none
\i :rules
\set ECHO all
SET TIME ZONE 'UTC';

-- the first moment, not before the one given, at which clocks show the time
SELECT a.after, a.clock, a.zone, contacts.at_local_time(a.after, a.clock, a.zone, 'UTC') AS at,
	contacts.at_local_time(a.after, a.clock, a.zone, 'UTC') AT TIME ZONE a.zone AS local
FROM (VALUES
	-- today, now, tomorrow
	('2026-06-01 06:00+00'::timestamptz, '09:00'::time, 'Europe/Berlin'),
	('2026-06-01 07:00+00', '09:00', 'Europe/Berlin'),
	('2026-06-01 07:00:00.000001+00', '09:00', 'Europe/Berlin'),
	('2026-06-01 12:00+00', '09:00', 'America/New_York'),
	('2026-06-01 14:00+00', '09:00', 'America/New_York'),
	('2026-06-01 12:00+00', '09:00', 'Pacific/Kiritimati'),
	('2026-06-01 12:00+00', '09:00', 'Asia/Kolkata'),
	-- the day before the clocks change, and that day
	('2026-03-28 12:00+00', '09:00', 'Europe/Berlin'),
	('2026-03-29 00:00+00', '09:00', 'Europe/Berlin'),
	('2026-10-24 12:00+00', '09:00', 'Europe/Berlin'),
	('2026-10-25 00:00+00', '09:00', 'Europe/Berlin'),
	('2026-03-08 00:00+00', '09:00', 'America/New_York'),
	('2026-11-01 00:00+00', '09:00', 'America/New_York'),
	('2026-04-04 12:00+00', '09:00', 'Australia/Lord_Howe'),
	-- a time that is skipped: as much later as the clock was put forward
	('2026-03-28 12:00+00', '02:30', 'Europe/Berlin'),
	('2026-03-29 00:59+00', '02:30', 'Europe/Berlin'),
	('2026-03-29 01:31+00', '02:30', 'Europe/Berlin'),
	('2026-03-07 12:00+00', '02:00', 'America/New_York'),
	('2026-03-28 12:00+00', '00:30', 'Asia/Beirut'),
	-- a time that comes twice: the second one, once
	('2026-10-24 12:00+00', '02:30', 'Europe/Berlin'),
	('2026-10-25 00:31+00', '02:30', 'Europe/Berlin'),
	('2026-10-25 01:31+00', '02:30', 'Europe/Berlin'),
	('2026-10-31 12:00+00', '01:30', 'America/New_York'),
	-- a date that a zone left out
	('2011-12-29 20:00+00', '09:00', 'Pacific/Apia'),
	('2011-12-30 08:00+00', '09:00', 'Pacific/Apia')
	) a (after, clock, zone);
-- every hour around each change: never early, never more than 25 hours later, and the clock shows it but where it is skipped
SELECT z.zone, count(*),
	count(*) FILTER (WHERE at < after) AS early,
	count(*) FILTER (WHERE at > after + interval '25 hours 30 minutes') AS late,
	count(*) FILTER (WHERE (at AT TIME ZONE z.zone)::time <> clock) AS shown_otherwise
FROM (VALUES ('Europe/Berlin', '2026-03-29'::timestamptz), ('Europe/Berlin', '2026-10-25'), ('America/New_York', '2026-03-08'),
		('America/New_York', '2026-11-01'), ('Australia/Lord_Howe', '2026-04-05'), ('America/St_Johns', '2026-03-08'), ('UTC', '2026-01-01')) z (zone, day)
	CROSS JOIN generate_series(z.day - interval '36 hours', z.day + interval '48 hours', '30 minutes') AS after
	CROSS JOIN (SELECT h * interval '30 minutes' + time '00:00' FROM generate_series(0, 47) h) c (clock)
	CROSS JOIN LATERAL contacts.at_local_time(after, clock, z.zone, NULL) AS at
GROUP BY z.zone, z.day ORDER BY z.zone, z.day;
-- no zone, a zone that has gone
SELECT contacts.at_local_time('2026-06-01 06:00+00', '09:00', NULL, 'Europe/Berlin') AS default_zone,
	contacts.at_local_time('2026-06-01 06:00+00', '09:00', 'Gone/Away', 'Europe/Berlin') AS gone,
	contacts.at_local_time('2026-06-01 06:00+00', '09:00', NULL, NULL) AS utc,
	contacts.at_local_time('2026-06-01 06:00+00', NULL, 'Europe/Berlin', NULL) AS no_time,
	contacts.at_local_time(NULL, '09:00', 'Europe/Berlin', NULL) AS no_moment;
SELECT * FROM pg_temp.fails($$SELECT contacts.at_local_time('infinity', '09:00', 'UTC', 'UTC')$$);

-- quiet hours: within a day, over midnight, none
SELECT q.at, q.quiet_from, q.quiet_until, q.zone, contacts.after_quiet_hours(q.at, q.quiet_from, q.quiet_until, q.zone, 'UTC') AS goes
FROM (VALUES
	('2026-06-01 10:59+00'::timestamptz, '13:00'::time, '15:00'::time, 'Europe/Berlin'),
	('2026-06-01 11:00+00', '13:00', '15:00', 'Europe/Berlin'),
	('2026-06-01 12:59+00', '13:00', '15:00', 'Europe/Berlin'),
	('2026-06-01 13:00+00', '13:00', '15:00', 'Europe/Berlin'),
	('2026-06-01 18:59+00', '21:00', '08:00', 'Europe/Berlin'),
	('2026-06-01 19:00+00', '21:00', '08:00', 'Europe/Berlin'),
	('2026-06-01 23:00+00', '21:00', '08:00', 'Europe/Berlin'),
	('2026-06-02 06:00+00', '21:00', '08:00', 'Europe/Berlin'),
	('2026-06-01 23:00+00', '21:00', '08:00', 'America/New_York'),
	('2026-06-02 02:00+00', '21:00', '08:00', 'America/New_York'),
	('2026-03-28 23:00+00', '21:00', '08:00', 'Europe/Berlin'),
	('2026-10-24 23:00+00', '21:00', '08:00', 'Europe/Berlin'),
	('2026-06-01 12:00+00', '08:00', '08:00', 'UTC'),
	('2026-06-01 12:00+00', NULL, NULL, 'UTC')
	) q (at, quiet_from, quiet_until, zone);

-- the contact's zone, then the setting's; after send_at, if there is one
INSERT INTO contact (id, email, mobile_phone, time_zone) VALUES
	(1, 'a@x.org', '+49301234501', 'Europe/Berlin'), (2, 'b@x.org', '+49301234502', 'America/New_York'), (3, 'c@x.org', '+49301234503', NULL);
UPDATE setting SET default_time_zone = 'Asia/Tokyo', is_texting_enabled = true, sms_quiet_from = '21:00', sms_quiet_until = '08:00';
SELECT * FROM pg_temp.fails($$UPDATE setting SET default_time_zone = 'Gone/Away'$$);
SELECT * FROM pg_temp.fails($$UPDATE setting SET sms_quiet_from = NULL$$) WITH ORDINALITY f (line, n) WHERE n < 3;
SELECT * FROM queue_emails('{1,2,3}', 's', 'b', send_at => '2026-03-28 12:00+00', local_time => '02:30');
SELECT queue_email(1, 's', 'b', send_at => '2026-10-24 12:00+00', local_time => '02:30');
SELECT * FROM queue_sms_many('{1,2,3}', 'b', send_at => '2026-06-01 20:00+00');
SELECT queue_sms(1, 'b', send_at => '2026-06-01 20:00+00');
SELECT queue_sms(1, 'b', kind => 'transactional', send_at => '2026-06-01 20:00+00');
SELECT queue_sms(1, 'b', send_at => '2026-06-01 20:00+00', local_time => '23:00');
SELECT id, channel, contact_id, kind, send_at FROM message_history ORDER BY id;
-- without send_at: the next time from now on
SELECT queue_email(n, 's', 'now', local_time => '09:00') FROM generate_series(1, 3) n;
SELECT m.contact_id, m.send_at >= m.created_at AS not_early, m.send_at < m.created_at + interval '25 hours' AS not_late,
	(m.send_at AT TIME ZONE coalesce(c.time_zone::text, 'Asia/Tokyo'))::time AS local_time
FROM email_message m JOIN contact c ON c.id = m.contact_id WHERE m.body = 'now' ORDER BY m.contact_id;

-- a text that was queued past the function waits, too: it is quiet all day here but for a second
UPDATE contact SET time_zone = NULL;
UPDATE setting SET default_time_zone = 'UTC', sms_quiet_from = '00:00', sms_quiet_until = '23:59:59.999999';
DELETE FROM sms_message;
INSERT INTO sms_message (contact_id, kind, body) VALUES (1, 'marketing', 'quiet'), (2, 'transactional', 'code');
SELECT contact_id, body FROM next_sms();
SELECT contact_id, state, attempts, send_at > now() AS later, 
	CASE WHEN state = 'queued' THEN (send_at AT TIME ZONE 'UTC')::time END AS local_time
FROM sms_message ORDER BY contact_id;

SELECT * FROM contacts.check_directory('message_time');
SELECT contacts.drop_directory('message_time', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_message_time;
DROP ROLE regress_contacts_message_time;
