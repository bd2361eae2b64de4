-- Templates: checked when saved, rendered with the caller's rights
\getenv abs_srcdir PG_ABS_SRCDIR
\set rules :abs_srcdir '/rules.sql'
\set dir template_render
\set ECHO none
\i :rules
\set ECHO all

RESET ROLE;
CREATE ROLE regress_contacts_template_render_clerk;
GRANT USAGE ON SCHEMA template_render TO regress_contacts_template_render_clerk;
SET ROLE regress_contacts_template_render;
\pset null '-'
\pset format unaligned

ALTER TABLE contact ADD COLUMN shoe_size integer, ADD COLUMN "Favourite Colour" text, ADD COLUMN first text;
ALTER TABLE organization ADD COLUMN town text;
INSERT INTO organization (id, name, town) VALUES (1, 'Tom & Jerry "Ltd" <x>', 'Köln');
INSERT INTO contact (id, first_name, last_name, email, organization_id, shoe_size, "Favourite Colour", first) VALUES
	(1, 'Ada', 'Love<lace>', 'a@x.org', 1, 38, 'blue', 'x'), (2, NULL, 'O''Neil', 'b@x.org', NULL, NULL, '  ', NULL),
	(3, E'Eve\r\nBcc: all@x.org', E'a\tb\u0085c\u2028d', NULL, 1, 1, NULL, NULL);
INSERT INTO message_template (id, name, subject, body) VALUES
	(1, 'plain', 'Hello {{first_name|you}}, {{last_name}}', 'Dear {{ first_name | friend }} of {{organization.name|nowhere}} in {{organization.town}}: {{shoe_size|?}} {{Favourite Colour|none}}'),
	(2, 'none', NULL, 'no values');
INSERT INTO message_template (id, name, subject, body, body_format) VALUES
	(3, 'html', '{{organization.name|a & b}}', '<p title="{{last_name}}">{{first_name|<b>you</b>}} &amp; {{organization.name|none}}</p>', 'html');

SELECT * FROM render_many(1, '{1,2}');
SELECT * FROM render_many(3, '{1,2}');
SELECT to_json(t.subject) AS subject, to_json(t.body) AS body FROM render(1, 3) t;
SELECT to_json(t.subject) AS subject, to_json(t.body) AS body FROM render(3, 3) t;
SELECT * FROM render_many(2, '{3,1,1,NULL,99}');
SELECT * FROM render_many(1, '{}') UNION ALL SELECT * FROM render_many(1, NULL) UNION ALL SELECT * FROM render_many(NULL, '{1}');
SELECT * FROM render(3, 2);
SELECT * FROM render('plain', 1);
SELECT * FROM pg_temp.fails($$SELECT * FROM render('nonesuch', 1)$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM render(99, 1)$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM render(1, 99)$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM render_many(99, '{1}')$$);

-- what is text: }} alone, \{{, braces of style sheets, empty texts
SELECT * FROM preview('', '');
SELECT * FROM preview(E'a }} b \\{{ c \\{{{{first_name}}}} { } |', '@media {.a {color: red}} {{mononym}}', 'html', 1);
SELECT * FROM preview('{{first_name|}}', '{{first_name| a | b }}{{first_name}}');
-- a line break in a subject never comes through, whoever wrote it
SELECT * FROM preview(E'a\nb{{first_name}}', '', 'text', 3);

-- refused when saved, with the place: unknown names
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, subject, body) VALUES ('x', 'é {{frist_name}}', '')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', '{{first_name}} {{organization.nix|y}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', '{{First_Name}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', '{{ctid}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', '{{organization.}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', '{{organisation.name}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', '{{1; DROP TABLE contact}}')$$);
SELECT * FROM pg_temp.fails(format('INSERT INTO message_template (name, body) VALUES (''x'', ''{{%s}}'')', repeat('long', 50)));
UPDATE message_template SET body = body || '{{nix}}' WHERE id = 1;
-- and malformed ones
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{first_name')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{first_name}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{{first_name}}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{a|{{first_name}}}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{}}')$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('x', 'ab {{ | x}}')$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM preview('{{nix}}', '')$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM preview('', '{{a')$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM preview('', '', 'rtf')$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM preview('', '', 'text', 99)$$);
SELECT * FROM pg_temp.fails($$INSERT INTO message_template (name, body) VALUES ('plain', '')$$) f WHERE f NOT LIKE 'DETAIL%';
SELECT name FROM message_template ORDER BY id;

-- a column that goes later: as if it had no value; the template still serves
-- and may be changed elsewhere, but not saved again with that name
ALTER TABLE contact DROP COLUMN shoe_size;
ALTER TABLE organization DROP COLUMN town;
SELECT * FROM render(1, 1);
UPDATE message_template SET archived_at = now(), name = 'old' WHERE id = 1;
SELECT * FROM pg_temp.fails($$UPDATE message_template SET body = body || '!' WHERE id = 1$$);
ALTER TABLE contact ADD COLUMN shoe_size text DEFAULT 'huge';
SELECT * FROM render(1, 1);
-- a column renamed is another one; a function is none
CREATE FUNCTION shoe_sizes(contact) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$;
ALTER TABLE contact RENAME shoe_size TO shoe_sizes;
ALTER TABLE contact RENAME shoe_sizes TO other;
SELECT body LIKE '%planted%' AS is_planted FROM render(1, 1);
SELECT * FROM pg_temp.fails($$SELECT * FROM preview('', '{{shoe_sizes}}', 'text', 1)$$);
DROP FUNCTION shoe_sizes(contact);

-- with the rights of who renders, and what he may see
SET ROLE regress_contacts_template_render_clerk;
SET search_path = template_render;
SELECT * FROM pg_temp.fails($$SELECT * FROM render_many(3, '{1}')$$);
RESET ROLE;
GRANT SELECT ON message_template TO regress_contacts_template_render_clerk;
GRANT SELECT (id, first_name, organization_id) ON contact TO regress_contacts_template_render_clerk;
GRANT SELECT ON organization TO regress_contacts_template_render_clerk;
SET ROLE regress_contacts_template_render_clerk;
SELECT * FROM pg_temp.fails($$SELECT * FROM render_many(3, '{1}')$$);
SELECT * FROM preview('{{first_name}}', '{{organization.name}}', 'text', 1);
SELECT * FROM pg_temp.fails($$SELECT * FROM preview('', '{{unsubscribe_token}}', 'text', 1)$$);
SELECT * FROM pg_temp.fails($$SELECT * FROM contacts.render_template('contact', 1, '{1}', NULL)$$);
SET ROLE regress_contacts_template_render;
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY second ON contact TO regress_contacts_template_render_clerk USING (id = 2);
SET ROLE regress_contacts_template_render_clerk;
SELECT * FROM contacts.preview_template('message_template', 'x', '{{first_name|hidden}}', 'text', '{1,2,3}');
SET ROLE regress_contacts_template_render;
ALTER TABLE contact DISABLE ROW LEVEL SECURITY;
DROP POLICY second ON contact;

-- the token of the main address and a topic, or nothing without one
INSERT INTO message_template (id, name, body) VALUES (4, 'link', 'https://x.org/u?t={{unsubscribe_token|none}}');
SELECT contact_id, length(body), body LIKE '%' || contacts.make_unsubscribe_token('identifier', 'email', i.key, NULL) AS is_it
FROM render_many(4, '{1,2,3}') r LEFT JOIN identifier i USING (contact_id) ORDER BY contact_id;
SELECT r.body = 'https://x.org/u?t=' || contacts.make_unsubscribe_token('identifier', 'email', i.key, 5) AS is_it
FROM render(4, 1, 5) r, identifier i WHERE i.contact_id = 1;
SELECT * FROM preview('', '{{unsubscribe_token}}');

-- many
INSERT INTO contact (id, first_name, last_name) SELECT 1000 + n, 'n' || n, 'x' FROM generate_series(1, 2500) n;
SELECT count(*), count(DISTINCT subject) FROM render_many(1, ARRAY(SELECT id FROM contact WHERE id > 1000));

\pset format aligned
SELECT * FROM contacts.check_directory('template_render');
SELECT contacts.drop_directory('template_render', cascade => true);
RESET ROLE;
DROP OWNED BY regress_contacts_template_render, regress_contacts_template_render_clerk;
DROP ROLE regress_contacts_template_render, regress_contacts_template_render_clerk;
