# 20,000 random operations that say who is who: identify(), merges, unmerges,
# deletions, validations.  Each must end as the model foretells; after every 100
# the identifiers must belong to the same people.
#
# The log has every operation.  SEED=n draws others, STATEMENTS=n sets their
# number, BATCH=1 compares after every one.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use IPC::Open2;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ResolutionModel;
use Test::More;

my $seed = $ENV{SEED} // 5;
my $total = $ENV{STATEMENTS} // 20_000;
my $batch = $ENV{BATCH} // 100;

srand $seed;
diag("seed $seed");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION contacts; SELECT contacts.create_directory('crm')");

my $model = ResolutionModel->new;

# --- the server ----------------------------------------------------------------

my $pid = open2(my $from, my $to, 'psql -XAtq -d "' . $node->connstr('postgres') . '" 2>&1');
print $to "\\set VERBOSITY sqlstate\nSET client_min_messages = error;\n";

# Run a statement: the SQLSTATE, and the rows as lists.
sub server
{
	my ($sql) = @_;
	my $state = '00000';
	my @rows;

	print $to "$sql;\n\\echo \@\@\n";
	$to->flush;
	while (my $line = <$from>)
	{
		chomp $line;
		last if $line eq '@@';
		if ($line =~ /(?:ERROR|FATAL|PANIC): +(\w{5})$/) { $state = $1 }
		else { push @rows, [ split /\|/, $line, -1 ] }
	}
	return ($state, @rows);
}

# --- random values -------------------------------------------------------------

sub one_of { return $_[ int rand @_ ] }
sub chance { return rand 100 < $_[0] }

sub some_value
{
	my ($kind) = @_;

	return
	    $kind eq 'email' ? 'p' . int(rand 30) . '@example.org'
	  : $kind eq 'phone' ? '+4670123456' . int rand 8
	  :                    "$kind-" . int rand 24;
}

# Identifiers seen together, at most one of a kind.
sub some_set
{
	my @kinds = grep { chance(45) } qw(anonymous email oauth phone);

	@kinds = one_of(qw(anonymous email oauth phone)) if !@kinds;
	return [ map { [ $_, some_value($_) ] } @kinds ];
}

sub some_name { return chance(25) ? one_of(qw(Ada Bo Eve Mia)) : undef }

sub set_json
{
	my ($set) = @_;

	return '{' . join(', ', map { qq("$_->[0]": "$_->[1]") } @$set) . '}';
}

sub name_json
{
	my ($name) = @_;

	return defined $name ? qq({"first_name": "$name", "last_name": "Doe"}) : 'null';
}

# --- operations ----------------------------------------------------------------
# Each returns SQL and what it does to the model, which is given the rows that
# the server returned; nothing if it does not apply.

my %operation;

$operation{identify} = [ 40, sub {
	my ($set, $name) = (some_set(), some_name());

	return ("SELECT * FROM crm.identify('@{[ set_json($set) ]}', '@{[ name_json($name) ]}')",
		sub { return [ $model->identify($set, $name, $_[0][0]) ] });
} ];

$operation{identify_many} = [ 4, sub {
	my @sets = map { [ some_set(), some_name() ] } 1 .. 2 + int rand 3;
	my $json = join ', ', map { qq({"identifiers": @{[ set_json($_->[0]) ]}, "attributes": @{[ name_json($_->[1]) ]}}) } @sets;

	return ("SELECT contact_id, outcome FROM crm.identify_many('[$json]') ORDER BY n",
		sub {
			my @rows = @_;
			my @new = map { $_->[0] } grep { $_->[1] eq 'created' } @rows;

			die "new people are not as old as their sets: @new\n" if "@new" ne join ' ', sort { $a <=> $b } @new;
			return map { [ $model->identify(@{ $sets[$_] }, $rows[$_] ? $rows[$_][0] : -100 + $_) ] } 0 .. $#sets;
		});
} ];

$operation{merge} = [ 10, sub {
	my %seen;
	my @people = grep { defined && !$seen{$_}++ } map { one_of($model->people) } 1 .. 2 + int rand 2;
	my $survivor = chance(50) ? shift @people : undef;

	return if @people + defined($survivor) < 2;
	push @people, 999_999_999 if chance(1);
	return ("SELECT contacts.merge_contacts('crm', @{[ $survivor // 'NULL' ]}, '{@{[ join ',', @people ]}}') ->> 'survivor_id'",
		sub { return [ $model->merge($survivor, @people) ] });
} ];

$operation{unmerge} = [ 9, sub {
	my @merges = sort { $b <=> $a } keys %{ $model->{merge} };
	my $merge = one_of(chance(70) ? grep { defined } @merges[ 0 .. 9 ] : @merges) or return;

	return ("SELECT count(*) >= 0 FROM contacts.unmerge('crm', $merge)",
		sub { $model->unmerge($merge, \&choose_main); return ['t'] },
		$model->may_be_later($merge) ? '55000' : undef);
} ];

# Which of several became main is the server's choice.
sub choose_main
{
	my @rows = @_;
	my ($person, $kind) = @{ $rows[0] }{qw(person kind)};
	my (undef, $main) = server("SELECT value FROM crm.identifier WHERE contact_id = $person AND semantic_type = '$kind' AND slug = 'main'");

	for (@rows)
	{
		$_->{slug} = 'main' if $main && $main->[0] eq $_->{value};
	}
	return;
}

$operation{delete_person} = [ 4, sub {
	my $person = one_of($model->people) or return;

	return ("DELETE FROM crm.contact WHERE id = $person", sub { $model->delete_person($person); return });
} ];

sub where_row { return "i.contact_id = $_[0]{person} AND i.semantic_type = '$_[0]{kind}' AND i.value = '$_[0]{value}'" }

$operation{delete_row} = [ 6, sub {
	my $row = one_of($model->rows) or return;

	return ("DELETE FROM crm.identifier i WHERE " . where_row($row), sub { $model->delete_row($row); return });
} ];

sub set_valid
{
	my ($row, $valid) = @_;

	return sub { $model->{row}{ $row->{row} }{valid} = $valid; return ['t'] };
}

$operation{validate} = [ 8, sub {
	my $row = one_of($model->rows) or return;

	return ("SELECT count(crm.validate_identifier(id, 'otp')::text) >= 0 FROM crm.identifier i WHERE " . where_row($row),
		set_valid($row, 1));
} ];

$operation{confirm} = [ 8, sub {
	my $row = one_of($model->rows(sub { $_->{kind} =~ /email|phone/ })) or return;

	return ("SELECT c.outcome FROM crm.identifier i, crm.confirm_validation(i.id, crm.start_validation(i.id, 'otp')) c WHERE " . where_row($row),
		sub { set_valid($row, 1)->(); return ['confirmed'] });
} ];

$operation{invalidate} = [ 4, sub {
	my $row = one_of($model->rows) or return;

	return ("SELECT count(crm.invalidate_identifier(id)::text) >= 0 FROM crm.identifier i WHERE " . where_row($row),
		set_valid($row, 0));
} ];

$operation{policy} = [ 1, sub {
	my $policy = one_of(qw(merge merge merge suggest refuse));

	return ("UPDATE crm.setting SET identify_merge_policy = '$policy'", sub { $model->{policy} = $policy; return });
} ];

my @lottery = map { ($_) x $operation{$_}[0] } sort keys %operation;

# --- the run -------------------------------------------------------------------

my $last_merge = 0;

# The ids of the merges that the model made.
sub number_merges
{
	my @merges = @{ delete $model->{new_merges} // [] };

	return if !@merges;
	my (undef, @ids) = server("SELECT id FROM crm.merge_history WHERE id > $last_merge ORDER BY id");
	die 'the server merged ' . @ids . ' times, the model ' . @merges . " times\n" if @ids != @merges;
	$model->{merge}{ $ids[$_][0] } = $merges[$_] for 0 .. $#ids;
	$last_merge = $ids[-1][0];
	return;
}

sub lines { return join '; ', map { join '|', map { $_ // '' } @$_ } @_ }

my %seen;

# One operation in both; what differs, empty if nothing does.
sub step
{
	my ($name, $sql, $effect, $also);

	until ($sql)
	{
		$name = one_of(@lottery);
		($sql, $effect, $also) = $operation{$name}[1]->();
	}
	my $saved = $model->saved;
	$model->{now}++;
	my ($state, @rows) = server($sql);
	my @expected;
	my $expected_state = '00000';

	note("$sql -- $state " . lines(@rows));
	if ($state ne '00000' && $state eq ($also // ''))
	{
		$seen{"$name later first"}++;
		return '';
	}
	if (!eval { @expected = $effect->(@rows); 1 })
	{
		($expected_state) = $@ =~ /^(\w{5})\n/ or die $@;
		%$model = (%$model, %$saved);
		@expected = ();
	}
	$seen{"$name $state"}++;
	$seen{"$name $_->[1]"}++ for grep { $name eq 'identify' && @$_ > 1 } @rows;
	return "$sql: the model foretells $expected_state, the server says $state" if $state ne $expected_state;
	return "$sql: the model foretells " . lines(@expected) . ', the server says ' . lines(@rows)
	  if lines(@rows) ne lines(@expected);
	number_merges();
	return '';
}

sub people_of_model
{
	my @lines = map { join '|', 'person', $_, $model->{person}{$_}{name} // '', $model->type($_) } $model->people;

	push @lines, map { join '|', 'row', @$_{qw(person kind value)}, $_->{slug} // '', $_->{valid} } $model->rows;
	push @lines, map { "id|$_->[0]|$_->[1]" } $model->old_ids;
	return @lines;
}

sub people_of_database
{
	my (undef, @rows) = server(<<'SQL');
SELECT 'person', id, coalesce(first_name, ''), contact_type FROM crm.contact;
SELECT 'row', contact_id, semantic_type, value, coalesce(slug, ''), is_validated::int FROM crm.identifier;
SELECT 'id', id, contact_id FROM crm.contact_by_id WHERE id <> contact_id
SQL
	return map { join '|', @$_ } @rows;
}

# The lines that only one of two lists has.
sub differences
{
	my ($model_lines, $database_lines) = @_;
	my %count;

	$count{$_}++ for @$model_lines;
	$count{$_}-- for @$database_lines;
	return map { ($count{$_} > 0 ? 'model only:    ' : 'database only: ') . $_ }
	  grep { $count{$_} } sort keys %count;
}

my $done = 0;
my @wrong;
while ($done < $total && !@wrong)
{
	@wrong = grep { $_ ne '' } step();
	$done++;
	push @wrong, differences([ people_of_model() ], [ people_of_database() ]) if @wrong || $done % $batch == 0;
}
is(join("\n", @wrong), '', "$done operations ended as foretold, and the identifiers belong to the same people");
note("$_: $seen{$_}") for sort keys %seen;
cmp_ok($seen{$_} // 0, '>', 0, "$_ was met")
  for 'identify created', 'identify found', 'identify merged', 'identify suggested', 'identify 23505', 'identify P0003',
  'merge 00000', 'merge P0002', 'unmerge 00000', 'unmerge 55000', 'delete_row 23514';
close $to;
waitpid $pid, 0;
is(unsound($node, 'postgres'), '', 'the directory is sound');

$node->stop;
done_testing();
