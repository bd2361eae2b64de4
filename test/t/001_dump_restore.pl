# A directory survives every form of dump, restored into an empty database by
# the owner of that database, who is no superuser.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN');

my $dir = $node->basedir;
my @as_keeper = ('-h', $node->host, '-p', $node->port, '-U', 'keeper');

sub create_database
{
	my ($db) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db OWNER keeper");
	return;
}

# Run SQL as keeper; the SQLSTATE it ends with, 00000 if it succeeds.
sub sqlstate
{
	my ($db, $sql) = @_;
	my ($status, undef, $error) = $node->psql($db, $sql,
		extra_params => [ '-U', 'keeper', '-v', 'VERBOSITY=sqlstate' ]);

	return '00000' if $status == 0;
	return $error =~ /ERROR:\s+(\w{5})/ ? $1 : $error;
}

create_database('original');
fill_directory($node, 'original', 'keeper');
my $rows = directory_rows($node, 'original');
my $triggers = directory_triggers($node, 'original');

is(unsound($node, 'original'), '', 'the directory that is dumped is sound');
like($rows, qr/forgotten|,suppressed,/, 'it holds suppressed values');
unlike($rows, qr/forgotten/, 'the erased value is gone');
like($triggers, qr/\|A$/m, 'it has guards that are always enabled');

# A restored directory equals the original and keeps its promise.
sub is_restored
{
	my ($db, $how) = @_;

	is(directory_rows($node, $db), $rows, "$how: rows are identical");
	is(directory_triggers($node, $db), $triggers, "$how: triggers are enabled as they were");
	is(unsound($node, $db), '', "$how: the directory is sound");
	is( sqlstate($db, "UPDATE crm.identifier SET status = 'opted_in' WHERE value = 'nobody\@example.org'"),
		'23001',
		"$how: a suppression stays");
	is( $node->safe_psql($db, <<'SQL', extra_params => [ '-U', 'keeper' ]),
INSERT INTO crm.contact (last_name, email) VALUES ('Back', 'person1@example.org');
SELECT email_status FROM crm.contact WHERE last_name = 'Back'
SQL
		'suppressed',
		"$how: a suppressed address that is claimed again is suppressed");
	return;
}

for my $format ('custom', 'plain')
{
	my $file = "$dir/$format.dump";
	my $db = "from_$format";

	command_ok([ 'pg_dump', @as_keeper, "--format=$format", "--file=$file", 'original' ],
		"$format: dump");
	create_database($db);
	command_ok(
		$format eq 'plain'
		? [ 'psql', '-X', '-q', @as_keeper, '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', $file ]
		: [ 'pg_restore', @as_keeper, '--exit-on-error', '-d', $db, $file ],
		"$format: restore by the owner of the database");
	is_restored($db, $format);
}

# One directory of several, with the extension it needs.
command_ok(
	[ 'pg_dump', @as_keeper, '-n', 'crm', '-e', 'contacts', "--file=$dir/schema.sql", 'original' ],
	'pg_dump -n crm -e contacts');
create_database('one_directory');
command_ok(
	[ 'psql', '-X', '-q', @as_keeper, '-v', 'ON_ERROR_STOP=1', '-d', 'one_directory', '-f', "$dir/schema.sql" ],
	'restore of one directory');
is_restored('one_directory', 'one directory');

# The definitions alone: without its secret a directory takes no writes, since
# every key it computed would be a wrong one.
command_ok(
	[ 'pg_dump', @as_keeper, '--schema-only', "--file=$dir/definitions.sql", 'original' ],
	'pg_dump --schema-only');
create_database('definitions');
command_ok(
	[ 'psql', '-X', '-q', @as_keeper, '-v', 'ON_ERROR_STOP=1', '-d', 'definitions', '-f', "$dir/definitions.sql" ],
	'restore of the definitions');
is( sqlstate('definitions', "INSERT INTO crm.contact (last_name, email) VALUES ('A', 'a\@example.org')"),
	'55000',
	'a directory without its secret refuses a contact with an email');
isnt(unsound($node, 'definitions'), '', 'check_directory tells that it is incomplete');

# The rows alone, into those definitions, as the operations page says.
command_ok(
	[ 'pg_dump', @as_keeper, '--data-only', "--file=$dir/data.sql", 'original' ],
	'pg_dump --data-only');
$node->command_ok(
	[
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'definitions',
		'-c', 'SET session_replication_role = replica', '-f', "$dir/data.sql"
	],
	'restore of the rows in replica mode');
is_restored('definitions', 'data only');

$node->stop;
done_testing();
