# Directory.pm: what the TAP tests share: a filled directory, and its contents
# as text.

package Directory;

use strict;
use warnings;

use Exporter 'import';
our @EXPORT = qw(fill_directory directory_rows directory_triggers unsound);

# Make a directory crm in $db of $node, as $role or the superuser, that holds rows of every
# kind: held and released values, every state, shared and erased ones.
sub fill_directory
{
	my ($node, $db, $role) = @_;
	my @as_role = $role ? (extra_params => [ '-U', $role ]) : ();

	$node->safe_psql($db, <<'SQL', @as_role);
CREATE EXTENSION contacts;
SELECT contacts.create_directory('crm');
INSERT INTO crm.organization (name) VALUES ('Acme'), ('Öl & Söhne');
INSERT INTO crm.contact (first_name, last_name, email, mobile_phone, organization_id)
	SELECT 'First' || g, 'Last' || g, 'person' || g || '@example.org',
		'+46701' || 100000 + g / 2, 1 + g % 2
	FROM generate_series(1, 200) AS g;
INSERT INTO crm.identifier (contact_id, semantic_type, slug, value)
	SELECT id, 'email', 'work', 'work' || id || '@example.com'
	FROM crm.contact WHERE id <= 50;
SELECT crm.create_ghost('token-' || g, 'website') FROM generate_series(1, 20) AS g;
SELECT crm.validate_identifier(id, 'otp') FROM crm.identifier WHERE slug = 'work' AND contact_id <= 20;
UPDATE crm.contact SET archived_at = now() WHERE id BETWEEN 30 AND 35;
SELECT crm.suppress('person1@example.org', 'complaint', 'feedback loop');
SELECT crm.suppress('nobody@example.org', 'bounce');
SELECT crm.suppress('forgotten@example.org', 'own_wish');
SELECT crm.suppress('+46701100005', 'own_wish');
SELECT crm.unsubscribe('person2@example.org', 'own_wish');
SELECT crm.unsubscribe('person3@example.org', 'own_wish');
SELECT crm.opt_in('person3@example.org', '{"page": "/join"}');
SELECT crm.opt_in('person4@example.org', '{"page": "/join"}');
DELETE FROM crm.contact WHERE id IN (1, 5);
UPDATE crm.contact SET email = 'second@example.org' WHERE id = 2;
UPDATE crm.identifier SET value = NULL WHERE value = 'forgotten@example.org';
SQL
	return;
}

# Every row of every table of crm, as text in a stable order.
sub directory_rows
{
	my ($node, $db) = @_;
	my $tables = $node->safe_psql($db,
		"SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace"
		  . " AND relkind = 'r' ORDER BY relname COLLATE \"C\"");

	return join "\n", map {
		"--- $_\n" . $node->safe_psql($db,
			"SELECT t::text FROM crm.$_ AS t ORDER BY t::text COLLATE \"C\"")
	} split /\n/, $tables;
}

# Every trigger of crm's tables, with the way it is enabled.
sub directory_triggers
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, <<'SQL');
SELECT c.relname, t.tgname, t.tgenabled
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'crm'::regnamespace AND NOT t.tgisinternal
ORDER BY c.relname COLLATE "C", t.tgname COLLATE "C"
SQL
}

# What check_directory() complains of; empty if the directory is sound.
sub unsound
{
	my ($node, $db) = @_;

	return $node->safe_psql($db,
		"SELECT * FROM contacts.check_directory('crm', deep => true)");
}

1;
