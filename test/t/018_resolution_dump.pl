# A dump in the middle of open validations and merges: what was sent to people
# before it confirms after the restore, once, and what could not, cannot; old ids
# resolve, and a merge is undone.

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

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION contacts;
SELECT contacts.create_directory('crm');
INSERT INTO crm.contact (id, first_name, last_name) VALUES (1, 'Ada', 'One'), (2, 'Bob', 'Two'), (3, 'Cyd', 'Three'), (4, 'Dan', 'Four'),
	(5, 'Eve', 'Five'), (6, 'Eva', 'Five');
INSERT INTO crm.identifier (id, contact_id, semantic_type, value) VALUES
	(1, 1, 'email', 'one@example.org'), (2, 2, 'email', 'two@example.org'), (3, 3, 'email', 'three@example.org'), (4, 4, 'email', 'four@example.org'),
	(5, 5, 'email', 'five@example.org'), (6, 6, 'email', 'six@example.org');
SELECT setval('crm.contact_id_seq', 100), setval('crm.identifier_id_seq', 100);
SQL

# What a statement answers in the database.
sub answer
{
	my ($db, $sql) = @_;

	return $node->safe_psql($db, $sql);
}

my $code = answer('postgres', q{SELECT crm.start_validation(1, 'otp')});
my $token = answer('postgres', q{SELECT crm.start_validation(2, 'magic_link')});
my $spent = answer('postgres', q{SELECT crm.start_validation(3, 'otp')});
my $tired = answer('postgres', q{SELECT crm.start_validation(4, 'otp')});
my $moved = answer('postgres', q{SELECT crm.start_validation(6, 'otp')});
answer('postgres', q{SELECT contacts.merge_contacts('crm', 5, '{6}', reason => 'the same person')});
answer('postgres', "SELECT crm.confirm_validation(3, '$spent')");
answer('postgres', q{SELECT crm.confirm_validation(4, '')}) for 1 .. 4;

my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', "--file=$dump", 'postgres' ], 'dumped');
unlike(slurp_file($dump), qr/\Q$token\E/, 'no token is in the dump');
my %restores = (
	whole => [],
	disabled => ['--disable-triggers']);

foreach my $db (sort keys %restores)
{
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	if ($db eq 'disabled')
	{
		$node->command_ok([ 'pg_restore', '-d', $db, '--section=pre-data', '--section=post-data', $dump ], 'the definitions are restored');
		local $ENV{PGOPTIONS} = '-c contacts.ddl_guard=off';
		$node->command_ok([ 'pg_restore', '-d', $db, '--data-only', '--disable-triggers', $dump ], 'then the data');
		$node->safe_psql($db, q{SELECT contacts.repair_directory('crm')});
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-d', $db, $dump ], 'the dump is restored');
	}
	is(unsound($node, $db), '', "$db: the directory is sound");
	is(answer($db, q{SELECT sum(drifted + remaining) FROM contacts.recompute('crm')}), '0', "$db: nothing has drifted");
	is(answer($db, "SELECT outcome, contact_id FROM crm.confirm_validation(1, '$code')"), 'confirmed|1', "$db: a code confirms");
	is(answer($db, "SELECT outcome FROM crm.confirm_validation(1, '$code')"), 'spent', "$db: once");
	is(answer($db, "SELECT outcome, contact_id FROM crm.confirm_validation('$token')"), 'confirmed|2', "$db: so does a link");
	is(answer($db, "SELECT outcome FROM crm.confirm_validation('$token')"), 'spent', "$db: once");
	is(answer($db, "SELECT outcome FROM crm.confirm_validation(3, '$spent')"), 'spent', "$db: a spent code is spent");
	is(answer($db, q{SELECT outcome FROM crm.confirm_validation(4, '')}), 'wrong', "$db: the last attempt");
	is(answer($db, "SELECT outcome FROM crm.confirm_validation(4, '$tired')"), 'exhausted', "$db: attempts are remembered");
	is(answer($db, 'SELECT crm.find_contact(6)'), '5', "$db: an old id resolves");
	is(answer($db, 'SELECT contact_id FROM crm.identifier WHERE id = 6'), '5', "$db: the identifier has moved");
	is(answer($db, q{SELECT * FROM contacts.unmerge('crm', (SELECT id FROM crm.merge_history))}), '', "$db: a merge is undone, nothing is left");
	is(answer($db, 'SELECT id, first_name FROM crm.contact WHERE id > 4 ORDER BY id'), "5|Eve\n6|Eva", "$db: there are two again");
	is(answer($db, "SELECT outcome, contact_id FROM crm.confirm_validation(6, '$moved')"), 'confirmed|6', "$db: and the code went along");
	is(unsound($node, $db), '', "$db: the directory is still sound");
	is(answer($db, 'SELECT id, contact_type FROM crm.contact ORDER BY id'), "1|contact\n2|contact\n3|contact\n4|lead\n5|lead\n6|contact", "$db: who is validated");
	is(answer($db, q{SELECT length(crm.start_validation(2, 'otp'))}), '6', "$db: and it goes on");
}

# Another secret confirms nothing.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', q{CREATE EXTENSION contacts; SELECT contacts.create_directory('crm');
	INSERT INTO crm.contact (id, first_name) VALUES (1, 'Ada'); INSERT INTO crm.identifier (id, contact_id, semantic_type, value) VALUES (1, 1, 'email', 'one@example.org')});
my $row = answer('postgres', q{SELECT format('INSERT INTO crm.validation VALUES (%s, 1, %L, %L, %L, now(), %L, 5)', id, method, i, digest, 'infinity') FROM (SELECT v.*, gen_random_uuid() AS i FROM crm.validation v WHERE identifier_id = 1) v});
$node->safe_psql('other', $row);
$node->safe_psql('other', 'UPDATE crm.validation v SET key = i.key FROM crm.identifier i WHERE i.id = v.identifier_id');
is(answer('other', "SELECT outcome FROM crm.confirm_validation(1, '$code')"), 'wrong', 'the digest is bound to the secret of its directory');

done_testing();
