# Databases that are not UTF8 take ASCII addresses only, and a directory moves
# between them and a UTF8 database unchanged.

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

# The SQLSTATE of a statement; the client speaks the database's encoding.
sub sqlstate
{
	my ($db, $sql) = @_;
	my ($status, undef, $error) = $node->psql($db, $sql,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);

	return '00000' if $status == 0;
	return $error =~ /ERROR:\s+(\w{5})/ ? $1 : $error;
}

for my $encoding ('LATIN1', 'SQL_ASCII')
{
	my $db = lc $encoding;
	my $o_umlaut = "E'\\xf6'";

	# psql sends what is below as it stands: ASCII and escapes.
	$node->safe_psql('postgres',
		"CREATE DATABASE $db ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($db,
		"CREATE EXTENSION contacts; SELECT contacts.create_directory('crm')");

	is( $node->safe_psql($db, <<SQL),
INSERT INTO crm.contact (first_name, last_name, email) VALUES ('Jo', 'J' || $o_umlaut, ' Jo\@Example.ORG')
	RETURNING email, contact_type, octet_length(last_name)
SQL
		'jo@example.org|lead|2',
		"$encoding: an ASCII address is normalised");
	is( $node->safe_psql($db, q{SELECT crm.find_contact('email', 'JO@example.org') IS NOT NULL}),
		't', "$encoding: and found");
	is(sqlstate($db, "SELECT ('j' || $o_umlaut || '\@example.org')::contacts.email"),
		'0A000', "$encoding: no other letters in the local part");
	is(sqlstate($db, "SELECT ('jo\@' || $o_umlaut || '.example')::contacts.email"),
		'0A000', "$encoding: nor in the domain");
	is(sqlstate($db, "SELECT ($o_umlaut || '+46701234567')::contacts.phone"),
		'22P02', "$encoding: nor in a phone number");
	is($node->safe_psql($db, "SELECT contacts.try_email('jo\@' || $o_umlaut || '.example') IS NULL"),
		't', "$encoding: try_email gives NULL");
	is($node->safe_psql($db, q{SELECT 'a@xn--bcher-kva.example'::contacts.email}),
		'a@xn--bcher-kva.example', "$encoding: the xn-- form is taken");
	is(unsound($node, $db), '', "$encoding: the directory is sound");
}

my $file = $node->basedir . '/latin1.dump';
$node->command_ok([ 'pg_dump', '-Fc', "--file=$file", 'latin1' ], 'dump of the LATIN1 database');
$node->safe_psql('postgres', "CREATE DATABASE utf8 ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0");
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'utf8', $file ],
	'restore into a UTF8 database');
is( $node->safe_psql('utf8', q{SELECT octet_length(last_name), email FROM crm.contact}),
	'3|jo@example.org', 'names are converted, addresses are the same');
is(unsound($node, 'utf8'), '', 'the directory is sound');

$node->stop;
done_testing();
