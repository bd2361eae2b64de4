# The DDL guard in new sessions, for an owner who is no superuser; restores over
# a directory, and pg_upgrade.

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
$node->safe_psql('postgres', 'CREATE DATABASE original OWNER keeper');
fill_directory($node, 'original', 'keeper');

my $dir = $node->basedir;
my $disarm = 'ALTER TABLE crm.contact DISABLE TRIGGER zz_guard';

# Run SQL in a new session; the SQLSTATE it ends with, 00000 if it succeeds.
sub sqlstate
{
	my ($role, $sql, $options) = @_;

	local $ENV{PGOPTIONS} = $options // '';
	my ($status, undef, $error) = $node->psql('original', $sql,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=sqlstate' ]);

	return '00000' if $status == 0;
	return $error =~ /(?:ERROR|FATAL):\s+(\w{5})/ ? $1 : $error;
}

my $super = $node->safe_psql('original', 'SELECT current_user');

# The extension is trusted: who installs it is no superuser, the event trigger's owner is.
is( $node->safe_psql('original', <<'SQL'),
SELECT r.rolsuper, e.evtenabled, e.evtevent, x.extowner::regrole
FROM pg_event_trigger e JOIN pg_roles r ON r.oid = e.evtowner
	JOIN pg_depend d ON d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e'
	JOIN pg_extension x ON x.oid = d.refobjid
SQL
	't|A|ddl_command_start|keeper',
	'the event trigger belongs to a superuser and to the extension');
is(sqlstate('keeper', 'ALTER EVENT TRIGGER contacts_ddl_guard DISABLE'),
	'42501', 'the owner of the database does not disable it');
is(sqlstate('keeper', 'DROP EVENT TRIGGER contacts_ddl_guard'), '42501', 'nor drop it');

# The first command of a session is guarded.
for my $try (
	[ $disarm, '23001' ],
	[ 'DROP TRIGGER zz_guard ON crm.contact', '2BP01' ],
	[ 'DROP SCHEMA crm CASCADE', '2BP01' ],
	[ 'DROP OWNED BY CURRENT_USER', '2BP01' ],
	[ 'DROP EXTENSION contacts CASCADE', '2BP01' ],
	[ 'ALTER TABLE crm.contact RENAME TO person', '23001' ],
	[ 'CREATE TABLE child () INHERITS (crm.contact)', '23001' ],
	[ 'CREATE SCHEMA s CREATE TABLE child () INHERITS (crm.contact)', '23001' ],
	[ 'CREATE RULE r AS ON UPDATE TO crm.contact DO INSTEAD NOTHING', '23001' ])
{
	is(sqlstate('keeper', $try->[0]), $try->[1], "a new session: $try->[0]");
}

# What later versions add: constraints of NOT NULL are objects, foreign keys may
# be there and not enforced.
if ($node->safe_psql('postgres', 'SHOW server_version_num') >= 180000)
{
	is(sqlstate('keeper', 'ALTER TABLE crm.contact DROP CONSTRAINT contact_mononym_not_null'),
		'23001', 'NOT NULL is not dropped as a constraint');
	is( sqlstate('keeper', 'ALTER TABLE crm.identifier ALTER CONSTRAINT identifier_contact_id_fkey NOT ENFORCED'),
		'23001', 'a foreign key stays enforced');
	is( sqlstate('keeper',
			'BEGIN; ALTER TABLE crm.contact ADD mine int CONSTRAINT mine_not_null NOT NULL DEFAULT 1;'
			  . ' ALTER TABLE crm.contact DROP CONSTRAINT mine_not_null; ROLLBACK'),
		'00000', 'that of a column of the owner\'s is');
}

# The setting is a superuser's, also before the library is loaded.
is(sqlstate('keeper', "SET contacts.ddl_guard = off; $disarm"), '23001', 'owner: SET, then DDL');
is(sqlstate('keeper', "SELECT set_config('contacts.ddl_guard', 'off', false); $disarm"),
	'23001', 'owner: set_config(), then DDL');
is(sqlstate('keeper', $disarm, '-c contacts.ddl_guard=off'), '23001', 'owner: PGOPTIONS');
is(sqlstate('keeper', 'ALTER ROLE keeper SET contacts.ddl_guard = off'), '42501', 'owner: ALTER ROLE');
is(sqlstate('keeper', 'ALTER DATABASE original SET contacts.ddl_guard = off'),
	'42501', 'owner: ALTER DATABASE');
is( sqlstate(
		'keeper',
		"CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql SET contacts.ddl_guard = off"
		  . " AS 'BEGIN $disarm; END'; SELECT public.f()"),
	'42501',
	'owner: a function with the setting');
is(sqlstate('keeper', 'SELECT contacts.build_model()'), '42501', 'owner: a function that has it');
is(unsound($node, 'original'), '', 'nothing came of all that');

is(sqlstate($super, $disarm), '23001', 'a superuser is refused, too');
is(sqlstate($super, "BEGIN; $disarm; ROLLBACK", '-c contacts.ddl_guard=off'),
	'00000', 'but for PGOPTIONS');
is(sqlstate($super, "SET contacts.ddl_guard = off; BEGIN; $disarm; ROLLBACK"), '00000', 'or SET');
is( $node->safe_psql('original', 'SET event_triggers = off; SELECT object FROM contacts.check_ddl_guard()'),
	'event_triggers', 'check_directory tells of event triggers that are off')
  if $node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = 'event_triggers'") > 0;
is(sqlstate($super, 'SELECT contacts.build_model()'), '00000', 'build_model() is for superusers');

$node->safe_psql('original', 'ALTER DATABASE original SET contacts.ddl_guard = off');
like(unsound($node, 'original'), qr/guard.*is off in this session\n.*is off by default for all roles in this database/,
	'check_directory tells of a guard that is off by default');
is(sqlstate('keeper', "BEGIN; $disarm; ROLLBACK"), '00000', 'as it is then');
$node->safe_psql('original', 'ALTER DATABASE original RESET contacts.ddl_guard');

# A restore over the directory.
my $rows = directory_rows($node, 'original');
$node->command_ok([ 'pg_dump', '--format=custom', "--file=$dir/custom.dump", 'original' ], 'pg_dump');
$node->command_ok([ 'pg_dump', '--data-only', '--disable-triggers', '--schema=crm', "--file=$dir/data.sql", 'original' ],
	'pg_dump --data-only --disable-triggers');
my @clean = ('pg_restore', '--clean', '--if-exists', '--exit-on-error', '-d', 'original', "$dir/custom.dump");
my @data = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'original', '-f', "$dir/data.sql");
$node->command_fails(\@clean, 'pg_restore --clean is refused');
is(directory_rows($node, 'original'), $rows, 'and did nothing');
{
	local $ENV{PGOPTIONS} = '-c contacts.ddl_guard=off';
	$node->command_ok(\@clean, 'pg_restore --clean with the guard off');
}
is(directory_rows($node, 'original'), $rows, 'the rows are identical');
is(unsound($node, 'original'), '', 'the directory is sound');
is(sqlstate('keeper', $disarm), '23001', 'and guarded');
$node->command_fails(\@data, 'a restore that disables triggers is refused');
is(unsound($node, 'original'), '', 'and did nothing');

# pg_upgrade, if only to the same version
$node->stop;
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
my $bin = $node->config_data('--bindir');
chdir $dir;
$node->command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir,
		'-b', $bin, '-B', $bin, '-s', $new->host, '-p', $node->port, '-P', $new->port
	],
	'pg_upgrade');
$new->start;
is(directory_rows($new, 'original'), $rows, 'pg_upgrade: the rows are identical');
is(unsound($new, 'original'), '', 'pg_upgrade: the directory is sound');
$node = $new;
is(sqlstate('keeper', $disarm), '23001', 'pg_upgrade: and guarded');

is(sqlstate('keeper', "SELECT contacts.drop_directory('crm', cascade => true)"), '00000', 'drop_directory()');
is(sqlstate($super, 'DROP EXTENSION contacts'), '00000', 'then the extension may go');
$new->safe_psql('postgres', 'DROP DATABASE original');
$new->stop;
done_testing();
