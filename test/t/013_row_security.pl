# Row security is dumped and restored with its directory, where roles of its
# shares may be missing, and holds on a hot standby.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE keeper LOGIN;
CREATE ROLE team;
CREATE ROLE clara LOGIN IN ROLE team;
CREATE ROLE backoffice LOGIN;
CREATE ROLE passing;
SQL
$node->safe_psql('postgres', "CREATE DATABASE $_ OWNER keeper") for qw(original restored);

fill_directory($node, 'original', 'keeper');
$node->safe_psql('original', <<'SQL', extra_params => [ '-U', 'keeper' ]);
GRANT USAGE ON SCHEMA crm TO team, backoffice;
GRANT SELECT ON crm.contact, crm.identifier, crm.relationship, crm.consent_event TO team, backoffice;
GRANT INSERT ON crm.contact TO team;
CREATE TABLE crm.note (id bigint PRIMARY KEY, contact_id bigint REFERENCES crm.contact, note text);
GRANT SELECT ON crm.note TO team;
INSERT INTO crm.note VALUES (1, 10, 'seen'), (2, 12, 'hidden');
CREATE POLICY own ON crm.organization USING (name <> 'Acme');
SELECT contacts.enable_row_security('crm');
SELECT contacts.share('crm', 10, 'team'), contacts.share('crm', 20, 'passing'),
	contacts.share('crm', 'organization', 2, 'clara'), contacts.share('crm', 'backoffice');
SQL
# from here on a share names a role that is not there
$node->safe_psql('postgres', 'DROP ROLE passing');

# What a role sees, here or there.
sub seen
{
	my ($where, $db, $role) = @_;

	return $where->safe_psql($db, <<'SQL', extra_params => [ '-U', $role ]);
SELECT count(*), min(id), max(id) FROM crm.contact;
SELECT count(*), count(DISTINCT contact_id) FROM crm.identifier;
SELECT count(*) FROM crm.consent_event;
SELECT id FROM crm.contact WHERE email = 'person10@example.org' OR email = 'person12@example.org';
SQL
}

sub policies
{
	my ($db) = @_;

	return $node->safe_psql($db, <<'SQL');
SELECT c.relname, c.relrowsecurity, p.polname, p.polcmd, pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' ORDER BY c.relname COLLATE "C", p.polname
SQL
}

my %sees = map { $_ => seen($node, 'original', $_) } qw(clara backoffice);
like($sees{clara}, qr/^\d\d\|/, 'a role sees what is shared with it');
like($sees{clara}, qr/^10$/m, 'also by its group');
unlike($sees{clara}, qr/^12$/m, 'but not the others');
like($sees{backoffice}, qr/^2\d\d\|/, 'who has the whole directory sees it');
is(unsound($node, 'original'), '', 'the directory that is dumped is sound');

# as its owner, who is no superuser
my $file = $node->basedir . '/crm.dump';
command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-U', 'keeper', '-Fc', '-f', $file, 'original' ],
	'the owner dumps it');
command_ok([ 'pg_restore', '-h', $node->host, '-p', $node->port, '-U', 'keeper', '--exit-on-error', '-d', 'restored', $file ],
	'the owner restores it');
is(policies('restored'), policies('original'), 'restored: the same policies');
is(directory_rows($node, 'restored'), directory_rows($node, 'original'), 'restored: the same rows');
is(unsound($node, 'restored'), '', 'restored: the directory is sound');
is(seen($node, 'restored', $_), $sees{$_}, "restored: $_ sees the same") for sort keys %sees;
is($node->safe_psql('restored', 'SELECT id FROM crm.note', extra_params => [ '-U', 'clara' ]),
	'1', 'restored: and of a table that was added');
like(
	$node->safe_psql('restored',
		"INSERT INTO crm.contact (last_name) VALUES ('Restored') RETURNING last_name; SELECT count(*) FROM crm.contact WHERE last_name = 'Restored'",
		extra_params => [ '-U', 'clara' ]),
	qr/^Restored\n1$/, 'restored: who inserts sees');

# who may not see everything cannot dump it by mistake
command_fails([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-U', 'backoffice', '-t', 'crm.contact', '-f', "$file.2", 'original' ],
	'nobody dumps what he sees as if it were all');

# a standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(seen($standby, 'original', $_), $sees{$_}, "standby: $_ sees the same") for sort keys %sees;
$node->safe_psql('original', "SELECT contacts.unshare('crm', 10, 'team'), contacts.unshare('crm', 'backoffice')");
$node->wait_for_catchup($standby);
unlike(seen($standby, 'original', 'clara'), qr/^10$/m, 'standby: a share that was taken back');
like(seen($standby, 'original', 'backoffice'), qr/^0\|/, 'standby: of the whole, too');
$standby->stop;

$node->stop;
done_testing();
