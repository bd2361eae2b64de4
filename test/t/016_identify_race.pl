# 16 sessions identify overlapping sets at once: the same people as one after
# another, no deadlock within single calls, and a sound directory.

use strict;
use warnings;

use IPC::Run;
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sessions = 16;
my $calls = $ENV{CONTACTS_CALLS} || 40;
my $seed = $ENV{CONTACTS_SEED} || time;
my $node = PostgreSQL::Test::Cluster->new('main');

$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = 50ms\nmax_connections = 40\n");
$node->start;
note("CONTACTS_SEED=$seed repeats the sets");
srand $seed;

# A few identifiers, of which none says that somebody is known: of ten values
# that are seen together one is an address, for people with addresses of their
# own are not merged.  In a crowd every fourth is one, and any are seen together.
sub random_set
{
	my ($size, $is_crowd) = @_;
	my $first = $is_crowd ? 0 : 10 * int rand $size / 10;
	my %of;

	for (1 .. 1 + int rand 3)
	{
		my $n = $first + int rand($is_crowd ? $size : 10);
		my $is_email = $n % ($is_crowd ? 4 : 10) == 0;

		push @{ $of{ $is_email ? 'email' : $n % 4 == 1 ? 'oauth' : 'anonymous' } }, "v$n\@x.org";
	}
	return \%of;
}

# Some say how they label a token.
sub labelled
{
	my ($set) = @_;
	my @seen = map { my $kind = $_; map { [ $kind, $_ ] } @{ $set->{$kind} } } sort keys %$set;

	return '[' . join(', ', map {
		my ($kind, $value) = @$_;
		my $slug = $kind eq 'anonymous' && rand() < 0.4 ? qq(, "slug": "s@{[ $value =~ /(\d+)/ ]}") : '';

		qq({"semantic_type": "$kind", "value": "$value"$slug})
	} shuffle(@seen)) . ']';
}

sub json
{
	my ($set) = @_;

	return '{' . join(', ', map { "\"$_\": [" . join(', ', map { "\"$_\"" } @{ $set->{$_} }) . ']' } sort keys %$set) . '}';
}

sub run_all
{
	my (@scripts) = @_;
	my @running;
	my $errors = '';

	for my $i (0 .. $#scripts)
	{
		my $file = $node->basedir . "/client$i.sql";
		my $client = { err => '' };

		unlink $file;
		append_to_file($file, $scripts[$i]);
		$client->{run} = IPC::Run::start(
			[ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-f', $file ],
			'>', '/dev/null', '2>', \$client->{err});
		push @running, $client;
	}
	for (@running)
	{
		$_->{run}->finish;
		$errors .= $_->{err};
	}
	return $errors;
}

# The people that the sets make, as sorted lists of values.
sub expected_people
{
	my @people;

	for my $set (@_)
	{
		my %values = map { my $kind = $_; map { ("$kind $_" => 1) } @{ $set->{$kind} } } keys %$set;
		my @others;

		for my $person (@people)
		{
			if (grep { $values{$_} } keys %$person) { %values = (%values, %$person) }
			else { push @others, $person }
		}
		@people = (@others, \%values);
	}
	return join "\n", sort map { join ',', sort keys %$_ } @people;
}

sub make_directory
{
	$node->safe_psql('postgres', <<'SQL');
SET client_min_messages = error;
SET contacts.ddl_guard = off;
DROP EXTENSION IF EXISTS contacts CASCADE;
DROP SCHEMA IF EXISTS crm CASCADE;
CREATE EXTENSION contacts;
SELECT contacts.create_directory('crm');
INSERT INTO crm.identifier_slug SELECT 'anonymous', 's' || n FROM generate_series(0, 599) n;
SQL
	return;
}

sub found_people
{
	my $found = $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(semantic_type || ' ' || value, ',' ORDER BY (semantic_type || ' ' || value) COLLATE "C")
FROM crm.identifier WHERE contact_id IS NOT NULL GROUP BY contact_id
SQL
	return join "\n", sort split /\n/, $found;
}

# one set at a time, by all
for my $size (60, 600)
{
	my @sets = map { random_set($size) } 1 .. $sessions * $calls;
	my @scripts;

	make_directory();
	push @{ $scripts[ $_ % $sessions ] }, 'SELECT * FROM crm.identify(\'' . labelled($sets[$_]) . "');\n" for 0 .. $#sets;
	is(run_all(map { join '', @$_ } @scripts), '', "no session is refused, of $size values");
	is(found_people(), expected_people(@sets), 'the people are those of one after another');
	is($node->safe_psql('postgres', "SELECT * FROM contacts.check_directory('crm')"), '', 'the directory is sound');
}

# known people, whom nothing merges
make_directory();
my @scripts;
for my $session (0 .. $sessions - 1)
{
	push @scripts, join '', map {
		"SELECT * FROM crm.identify('" . json(random_set(80, 1)) . "'"
			. (rand() < 0.3 ? ", '{\"first_name\": \"A\", \"last_name\": \"B\"}'" : '') . ");\n"
	} 1 .. $calls;
}
is(run_all(@scripts), '', 'no session is refused where some are known');
is($node->safe_psql('postgres', "SELECT * FROM contacts.check_directory('crm')"), '', 'the directory is sound');

# many sets at a time: a call may meet a deadlock and be made again, whole
make_directory();
my @all;
@scripts = ();
for my $session (0 .. $sessions - 1)
{
	my @sets = map { random_set(600) } 1 .. $calls;

	push @all, @sets;
	push @scripts, "SELECT * FROM crm.identify_many('[" . join(', ', map { '{"identifiers": ' . json($_) . '}' } @sets) . "]');\n";
}
is(run_all(@scripts), '', 'calls with many sets are not refused');
is(found_people(), expected_people(@all), 'the people are those of one after another');

$node->stop;
done_testing();
