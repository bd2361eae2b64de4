# The server is killed under load: what was acknowledged is there after the
# restart, and the directory is sound.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres',
	"CREATE EXTENSION contacts; SELECT contacts.create_directory('crm')");

# What each client sends, for its number and a counter, one statement at a
# time; each prints what the server acknowledged.
my %load = (
	insert => sub {
		"INSERT INTO crm.contact (last_name, email) VALUES ('L$_[0]', 'in$_[0]\@example.org')"
		  . ' RETURNING email;';
	},
	change => sub {
		"INSERT INTO crm.contact (last_name, email) VALUES ('C', 'was$_[0]\@example.org');\n"
		  . "UPDATE crm.contact SET email = 'is$_[0]\@example.org' WHERE email = 'was$_[0]\@example.org'"
		  . ' RETURNING email;';
	},
	suppress => sub {
		"INSERT INTO crm.contact (last_name, email) VALUES ('S', 'no$_[0]\@example.org');\n"
		  . "SELECT 'no$_[0]\@example.org' FROM crm.suppress('no$_[0]\@example.org', 'bounce');\n"
		  . "DELETE FROM crm.contact WHERE email = 'no$_[0]\@example.org';";
	});

# Start a psql that sends one kind of load until the server goes away.
sub start_client
{
	my ($kind) = @_;
	my $client = { kind => $kind, out => '', err => '' };
	my $script = $node->basedir . "/$kind.sql";

	append_to_file($script, join "\n", map { $load{$kind}->($_) } 1 .. 50_000);
	$client->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $script ],
		'>', \$client->{out}, '2>', \$client->{err});
	return $client;
}

# The addresses that a client saw acknowledged: whole lines only.
sub acknowledged
{
	my ($client) = @_;

	return grep { /@/ } ($client->{out} =~ /^(.*)\n/mg);
}

# How many of the addresses are not in the server's answer to $sql.
sub missing
{
	my ($sql, @addresses) = @_;
	my %found = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', $sql);

	return scalar grep { !$found{$_} } @addresses;
}

# The shared memory is free when the last backend is gone.
sub start_again
{
	for (1 .. 100)
	{
		return 1 if $node->start(fail_ok => 1);
		usleep(100_000);
		$node->stop('fast', fail_ok => 1);
	}
	return 0;
}

for my $round (1 .. 2)
{
	my @clients = map { start_client($_) } sort keys %load;

	usleep(1_500_000);
	$node->kill9;
	$_->{run}->finish for @clients;

	ok(start_again(), "round $round: the server is back");

	my %seen = map { $_->{kind} => [ acknowledged($_) ] } @clients;
	cmp_ok(scalar @{ $seen{$_} }, '>', 20, "round $round: there was load ($_)")
	  for sort keys %seen;
	is(missing("SELECT email FROM crm.contact", @{ $seen{insert} }, @{ $seen{change} }),
		0, "round $round: no acknowledged contact is lost");
	is( missing("SELECT value FROM crm.identifier WHERE status = 'suppressed'", @{ $seen{suppress} }),
		0, "round $round: no acknowledged suppression is lost");
	is(unsound($node, 'postgres'), '', "round $round: the directory is sound");

	$node->safe_psql('postgres', 'DELETE FROM crm.contact');
	$load{$_} = do { my $old = $load{$_}; sub { $old->("$_[0].again") } } for keys %load;
	unlink glob($node->basedir . '/*.sql');
}

$node->stop;
done_testing();
