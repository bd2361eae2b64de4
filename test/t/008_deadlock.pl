# No deadlock between one-row statements on contact, INSERT and COPY of
# contacts, one-row INSERTs on identifier and messages and calls of the
# functions, and a sound directory after all of them (design, section 2).

use strict;
use warnings;
use lib 'test/t';

use Directory;
use IPC::Run;
use Load;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 6;
my $seed = $ENV{CONTACTS_SEED} || time;
my $node = PostgreSQL::Test::Cluster->new('main');

# What may answer a statement: its own mistakes, and the end of the test.
my %is_expected = map { $_ => 1 } qw(23001 23503 23505 23514 P0002 57P01);

$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = 50ms\n");
$node->start;
note("CONTACTS_SEED=$seed repeats the statements");
srand $seed;

# An empty directory, but for contacts to work on.
sub make_directory
{
	$node->safe_psql('postgres', <<'SQL');
SET client_min_messages = error;
SET contacts.ddl_guard = off;
DROP EXTENSION IF EXISTS contacts CASCADE;
DROP SCHEMA IF EXISTS crm CASCADE;
CREATE EXTENSION contacts;
SELECT contacts.create_directory('crm');
UPDATE crm.setting SET is_texting_enabled = true;
INSERT INTO crm.contact (id, last_name) SELECT g, 'L' FROM generate_series(1, 30) AS g;
SELECT setval('crm.contact_id_seq', 1000);
SQL
	return;
}

# Start a psql with more statements than it will get done.
sub start_client
{
	my ($number, $level, $statement) = @_;
	my $client = { number => $number, err => '' };
	my $script = $node->basedir . "/client$number.sql";

	unlink $script;
	append_to_file($script,
		join '', "SET default_transaction_isolation = '$level';\n",
		map { $statement->($number, $_) } 1 .. 40_000);
	$client->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-f', $script ],
		'>', '/dev/null', '2>', \$client->{err});
	return $client;
}

# Have all clients send statements for some seconds; returns how often each
# SQLSTATE was the answer.
sub run_clients
{
	my ($seconds, $level, $statement) = @_;
	my @running = map { start_client($_, $level, $statement) } 1 .. $clients;
	my %answers;

	$node->safe_psql('postgres', <<"SQL");
SELECT pg_sleep($seconds);
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = 'postgres' AND backend_type = 'client backend' AND pid <> pg_backend_pid();
SQL

	$_->{run}->finish for @running;
	$answers{$_}++ for map { $_->{err} =~ /(?:ERROR|FATAL): +(\w{5})/g } @running;
	return \%answers;
}

# One round: what must not have been answered was not, and all is sound.
sub test_round
{
	my ($name, $seconds, $level, $statement) = @_;

	make_directory();
	my $answers = run_clients($seconds, $level, $statement);

	note("$name: " . join ', ', map { "$_ $answers->{$_}" } sort keys %$answers);
	cmp_ok($answers->{23505} || 0, '>', 20, "$name: clients met");
	is($answers->{'57P01'}, $clients, "$name: all clients worked to the end");
	is($answers->{'40P01'} || 0, 0, "$name: no deadlock");
	is( join(' ', grep { !$is_expected{$_} && !/^40/ } sort keys %$answers), '',
		"$name: no error that a statement has not earned");
	is($level eq 'read committed' ? $answers->{40001} || 0 : 0, 0,
		"$name: no serialization failure in READ COMMITTED");
	is(unsound($node, 'postgres'), '', "$name: the directory is sound");
	return;
}

test_round('everything', 12, 'read committed', \&random_statement);
test_round('everything, repeatable read', 5, 'repeatable read', \&random_statement);
test_round('two contacts exchange emails', 3, 'read committed', \&random_exchange);

$node->stop;
done_testing();
