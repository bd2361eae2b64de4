# 20,000 random statements over relationships, from either side, one by one and
# in transactions with savepoints.  Each must end with the SQLSTATE that the
# model foretells; after every 100 the rows must equal the model.
#
# The log has every statement.  SEED=n draws other statements, STATEMENTS=n sets
# their number, BATCH=1 compares after every one.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RelationshipModel;
use Test::More;

my $seed = $ENV{SEED} // 3;
my $total = $ENV{STATEMENTS} // 20_000;
my $batch = $ENV{BATCH} // 100;

srand $seed;
diag("seed $seed");

# --- the directory -------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION contacts;
SELECT contacts.create_directory('crm');
CREATE TABLE policy (id uuid PRIMARY KEY);
SELECT contacts.register_object('crm', 'policy', 'policy', 'Policy');
INSERT INTO crm.relationship_type (name, label, inverse_name, inverse_label,
	is_single, inverse_is_single, object_type_id)
SELECT t.name, t.name, t.inverse, t.inverse, t.is_single, t.inverse_is_single, o.id
FROM (VALUES
	('payroll', 'on_payroll', true, false, 'organization'),
	('directs', 'director', false, true, 'organization'),
	('insured_by', 'insures', false, false, 'policy'),
	('holds', 'holder', false, true, 'policy')) t (name, inverse, is_single, inverse_is_single, object)
	JOIN crm.object_type o ON o.api_name = t.object;
INSERT INTO crm.contact (id, first_name) SELECT n, 'Ada' FROM generate_series(1, 12) n;
SQL

# Both sides of every type: what the catalogue says is what the model goes by.
my (%types, %type_id);
for (split /\n/, $node->safe_psql('postgres', <<'SQL'))
SELECT concat_ws('|', t.id, t.name, t.inverse_name, s.api_name, o.api_name, t.is_single::int, t.inverse_is_single::int)
FROM crm.relationship_type t
	JOIN crm.object_type s ON s.id = t.source_type_id
	JOIN crm.object_type o ON o.id = t.object_type_id
SQL
{
	my ($id, $name, @values) = split /\|/;

	$type_id{$name} = $id;
	@{ $types{$name} }{qw(inverse source object single inverse_single)} = @values;
}
my $model = RelationshipModel->new(%types);
my @types = sort grep { $types{$_}{source} eq 'contact' } keys %types;
my @person_types = grep { $types{$_}{object} eq 'contact' } @types;

# --- random values -------------------------------------------------------------

my $last_id = 12;        # of contacts and records
$model->{contact}{$_} = 1 for 1 .. $last_id;
my $last_link = 1e9;     # of links whose keys the client brings along

sub one_of { return $_[ int rand @_ ] }
sub chance { return rand 100 < $_[0] }
sub bool { return $_[0] ? 'true' : 'false' }
sub sql_or_null { return defined $_[0] ? "'$_[0]'" : 'NULL' }

sub some_date { return one_of(undef, undef, '2020-02-02', '2021-01-31') }
sub some_end  { return chance(70) ? undef : one_of('2020-12-31', '2022-02-02') }
sub some_note { return one_of(undef, 'one', 'two', "it's") }

sub some_contact
{
	return 999_999_999 if chance(1);
	return one_of(sort { $a <=> $b } keys %{ $model->{contact} });
}

sub some_record
{
	my ($object) = @_;
	my @ids = sort keys %{ $model->{record}{$object} };

	return $object eq 'policy' ? '99999999-9999-9999-9999-999999999999' : 999_999_999
	  if !@ids || chance(1);
	return one_of(@ids);
}

# The other end of a link of some type from a contact.
sub some_far
{
	my ($type, $near) = @_;
	my $object = $types{$type}{object};

	return some_record($object) if $object ne 'contact';
	return $near if chance(2);

	my ($far) = grep { $_ != $near } map { some_contact() } 1 .. 5;
	return $far // $near;
}

# A link, most of them possible; now and then one that there is, from a side.
sub some_link
{
	my $row = chance(25) && some_row();
	my $type = $row ? $row->{type} : one_of(@types);
	my $near = $row ? $row->{near} : some_contact();

	return {
		type => $type,
		near => $near,
		far => $row ? $row->{far} : some_far($type, $near),
		start => $row ? $row->{start} : some_date(),
		end => some_end(),
		note => some_note(),
		primary => chance(20) ? 1 : 0
	};
}

sub some_row { return one_of($model->rows) }

sub person_rows { return grep { $model->leads_to_contact($_) } $model->rows }

# --- SQL ------------------------------------------------------------------------

my $columns = 'relationship_type_id, contact_id, related_contact_id, record_id, record_uuid,'
  . ' started_on, ended_on, note, is_primary';

# The far end in its three columns.
sub far_columns
{
	my ($link) = @_;
	my $object = $types{ $link->{type} }{object};

	return map { $object eq $_ ? $link->{far} : undef } qw(contact organization policy);
}

sub fields
{
	my ($link) = @_;

	return ($type_id{ $link->{type} }, $link->{near}, far_columns($link), @$link{qw(start end note)},
		bool($link->{primary}));
}

# A tuple of VALUES; a quotation mark in a note is doubled.
sub tuple
{
	my ($link) = @_;

	return '(' . join(', ', map { defined $_ ? q(') . s/'/''/gr . q(') : 'NULL' } fields($link)) . ')';
}

# WHERE for a row.
sub is_row
{
	my ($row, $table) = @_;
	my ($contact, $record, $uuid) = far_columns($row);
	my $prefix = $table ? "$table." : '';
	my $far =
	    defined $contact ? "related_contact_id = $contact"
	  : defined $record ? "record_id = $record"
	  :                    "record_uuid = '$uuid'";

	return "${prefix}contact_id = $row->{near} AND ${prefix}relationship_type_id = $type_id{ $row->{type} }"
	  . " AND ${prefix}$far AND ${prefix}started_on "
	  . (defined $row->{start} ? "= '$row->{start}'" : 'IS NULL');
}

sub is_one_of { return join ' OR ', map { '(' . is_row($_) . ')' } @_ }

# --- statements ----------------------------------------------------------------
# Each returns SQL and what it does to the model; nothing if it does not apply.

my %statement;

$statement{insert_contact} = [ 8, sub {
	my @ids = map { ++$last_id } 1 .. 1 + int rand 3;

	return if keys %{ $model->{contact} } > 24;
	return ('INSERT INTO crm.contact (id, first_name) VALUES ' . join(', ', map { "($_, 'Ada')" } @ids),
		sub { $model->{contact}{$_} = 1 for @ids });
} ];

$statement{insert_organization} = [ 3, sub {
	my $id = ++$last_id;

	return if keys %{ $model->{record}{organization} } > 5;
	return ("INSERT INTO crm.organization (id, name) VALUES ($id, 'Acme')",
		sub { $model->{record}{organization}{$id} = 1 });
} ];

$statement{insert_policy} = [ 3, sub {
	my $id = sprintf '00000000-0000-0000-0000-%012d', ++$last_id;

	return if keys %{ $model->{record}{policy} } > 5;
	return ("INSERT INTO policy VALUES ('$id')", sub { $model->{record}{policy}{$id} = 1 });
} ];

$statement{insert} = [ 20, sub {
	my $link = some_link();

	return ("INSERT INTO crm.relationship ($columns) VALUES " . tuple($link),
		sub { $model->insert('', $link) });
} ];

# What a client says of derived columns is replaced.
$statement{insert_derived} = [ 3, sub {
	my $link = some_link();

	return ("INSERT INTO crm.relationship (inverse_type_id, is_single, inverse_is_single, is_mirror, $columns)"
		  . ' VALUES ' . tuple($link) =~ s/\(/(@{[ int rand 9 ]}, @{[ bool(chance(50)) ]}, true, @{[ bool(chance(50)) ]}, /r,
		sub { $model->insert('', $link) });
} ];

$statement{insert_many} = [ 6, sub {
	my @links = map { some_link() } 1 .. 2 + int rand 4;

	return ("INSERT INTO crm.relationship ($columns) VALUES " . join(', ', map { tuple($_) } @links),
		sub { $model->insert('', @links) });
} ];

$statement{insert_or_keep} = [ 8, sub {
	my @links = map { some_link() } 1 .. 1 + int rand 4;

	return ("INSERT INTO crm.relationship ($columns) VALUES " . join(', ', map { tuple($_) } @links)
		  . ' ON CONFLICT DO NOTHING',
		sub { $model->insert('keep', @links) });
} ];

$statement{copy} = [ 6, sub {
	my @links = map { some_link() } 1 .. 1 + int rand 4;

	return if $model->{is_aborted};    # psql would take the rows for statements
	return ("COPY crm.relationship ($columns) FROM STDIN;\n"
		  . join('', map { join("\t", map { $_ // '\N' } fields($_)) . "\n" } @links) . '\.',
		sub { $model->insert('', @links) });
} ];

# An export has both rows of a link, in any order.
$statement{copy_both} = [ 3, sub {
	my @links = map { some_link() } 1 .. 1 + int rand 3;
	my @lines;

	return if $model->{is_aborted} || grep { $types{ $_->{type} }{object} ne 'contact' } @links;
	for my $link (@links)
	{
		my %mirror = (%$link, type => $types{ $link->{type} }{inverse}, near => $link->{far}, far => $link->{near});
		my $id = ++$last_link;

		push @lines, join("\t", $id, 'f', map { $_ // '\N' } fields($link)) . "\n",
		  join("\t", -$id, 't', map { $_ // '\N' } fields(\%mirror)) . "\n";
	}
	@lines = sort { $a cmp $b } @lines if chance(50);
	return ("COPY crm.relationship (id, is_mirror, $columns) FROM STDIN;\n" . join('', @lines) . '\.',
		sub { $model->insert_unordered('both', @links) });
} ];

$statement{relate} = [ 10, sub {
	my $link = some_link();
	my ($contact, $record, $uuid) = far_columns($link);

	return ("SELECT crm.relate('$link->{type}', $link->{near}, "
		  . ($contact // $record // "'$uuid'::uuid") . ', started_on => ' . sql_or_null($link->{start}) . ')',
		sub {
			return if $model->find($link);
			$model->insert('', { %$link, end => undef, note => undef, primary => 0 });
		});
} ];

$statement{merge} = [ 6, sub {
	my %seen;
	my @links = grep { !$seen{ $model->identity($_) }++ } map { some_link() } 1 .. 1 + int rand 3;
	my $is_deleted = @links == 1 ? 'true' : 'false';

	return (<<"SQL",
MERGE INTO crm.relationship t USING (VALUES @{[ join ', ', map { tuple($_) } @links ]}) AS s ($columns)
ON t.relationship_type_id = s.relationship_type_id::bigint AND t.contact_id = s.contact_id::bigint
	AND (t.related_contact_id = s.related_contact_id::bigint OR t.record_id = s.record_id::bigint
		OR t.record_uuid = s.record_uuid::uuid)
	AND (t.started_on = s.started_on::date OR t.started_on IS NULL AND s.started_on IS NULL)
WHEN MATCHED AND t.note = 'two' AND $is_deleted THEN DELETE
WHEN MATCHED THEN UPDATE SET note = s.note, is_primary = s.is_primary::boolean
WHEN NOT MATCHED THEN INSERT ($columns) VALUES (s.relationship_type_id::bigint, s.contact_id::bigint,
	s.related_contact_id::bigint, s.record_id::bigint, s.record_uuid::uuid, s.started_on::date,
	s.ended_on::date, s.note, s.is_primary::boolean)
SQL
		sub {
			my %found = map { $_ => $model->find($_) } @links;

			for my $link (grep { $found{$_} } @links)
			{
				my $found = $found{$link};

				if (($found->{note} // '') eq 'two' && @links == 1) { $model->delete_links($found) }
				else { @$found{qw(note primary)} = @$link{qw(note primary)} }
			}
			$model->insert_unordered('', grep { !$found{$_} } @links);
		});
} ];

# Columns that are the same on both rows, written from either; or from both.
sub update_attribute
{
	my ($column, $field, $value) = @_;
	my @rows = grep { $_ } map { some_row() } 1 .. (chance(30) ? 4 : 1);

	return unless @rows;
	return ("UPDATE crm.relationship SET $column = "
		  . ($field eq 'primary' ? bool($value) : defined $value ? q(') . $value =~ s/'/''/gr . q(') : 'NULL')
		  . ' WHERE ' . is_one_of(@rows),
		sub { $model->update_all($field, $value, @rows) });
}

$statement{update_note} = [ 4, sub { update_attribute('note', 'note', some_note()) } ];
$statement{update_primary} = [ 3, sub { update_attribute('is_primary', 'primary', chance(50) ? 1 : 0) } ];
$statement{update_end} = [ 8, sub { update_attribute('ended_on', 'end', some_end()) } ];
$statement{update_start} = [ 5, sub { update_attribute('started_on', 'start', some_date()) } ];

# A whole row, as an ORM saves it, with what changed in it.
sub update_row
{
	my ($row, %change) = @_;
	my %new = (%$row, %change);
	my @names = split /,\s*/, $columns;
	my @values = map { defined $_ ? q(') . s/'/''/gr . q(') : 'NULL' } fields(\%new);

	return ('UPDATE crm.relationship SET ' . join(', ', map { "$names[$_] = $values[$_]" } 0 .. $#names)
		  . (chance(30) ? ', is_single = false, inverse_is_single = true, inverse_type_id = 7' : '')
		  . ' WHERE ' . is_row($row),
		sub { $model->update($row, %change) });
}

$statement{update_far} = [ 6, sub {
	my $row = some_row() or return;

	return update_row($row, far => some_far($row->{type}, $row->{near}));
} ];

$statement{update_near} = [ 5, sub {
	my $row = some_row() or return;

	return update_row($row, near => some_contact());
} ];

$statement{update_type} = [ 5, sub {
	my $row = one_of(person_rows()) or return;

	return update_row($row, type => one_of(@person_types));
} ];

$statement{turn_round} = [ 2, sub {
	my $row = one_of(person_rows()) or return;

	return update_row($row, near => $row->{far}, far => $row->{near});
} ];

$statement{save_row} = [ 3, sub {
	my $row = some_row() or return;

	return update_row($row, start => some_date(), end => some_end(), note => some_note());
} ];

# From one side, from the other, or from both.
$statement{delete} = [ 5, sub {
	my @rows = grep { $_ } map { some_row() } 1 .. (chance(30) ? 4 : 1);

	return unless @rows;
	return ('DELETE FROM crm.relationship WHERE ' . is_one_of(@rows),
		sub { $model->delete_links(map { $_->{link} } @rows) });
} ];

$statement{unrelate} = [ 2, sub {
	my $row = some_row() or return;

	return ('SELECT crm.unrelate(id) FROM crm.relationship WHERE ' . is_row($row),
		sub { $model->delete_links($row->{link}) });
} ];

$statement{delete_contact} = [ 3, sub {
	my %seen;
	my @ids = grep { !$seen{$_}++ } map { some_contact() } 1 .. (chance(25) ? 3 : 1);

	return if keys %{ $model->{contact} } < 12;
	return ('DELETE FROM crm.contact WHERE id IN (' . join(', ', @ids) . ')',
		sub { $model->delete_contacts(@ids) });
} ];

$statement{delete_organization} = [ 1, sub {
	my $id = some_record('organization');

	return ("DELETE FROM crm.organization WHERE id = $id", sub { $model->delete_record('organization', $id) });
} ];

$statement{delete_policy} = [ 1, sub {
	my $id = some_record('policy');

	return ("DELETE FROM policy WHERE id = '$id'", sub { $model->delete_record('policy', $id) });
} ];

# The side of records is not written (R3).
$statement{insert_from_record} = [ 1, sub {
	my $contact = some_contact();
	my $type = one_of(grep { $types{$_}{source} ne 'contact' } sort keys %types);

	return ("INSERT INTO crm.relationship (relationship_type_id, contact_id, related_contact_id)"
		  . " VALUES ($type_id{$type}, $contact, $contact + 1)",
		sub { die "23514\n" });
} ];

my @lottery = map { ($_) x $statement{$_}[0] } sort keys %statement;

# One statement that applies: its SQL and the SQLSTATE foretold.
sub next_statement
{
	while (1)
	{
		my ($sql, $effect) = $statement{ one_of(@lottery) }[1]->();

		my $state = $sql ? $model->run($effect) : 'untold';

		return [ $sql, $state ] if $state ne 'untold';
	}
}

# A transaction with savepoints, kept or not.
sub next_transaction
{
	my $savepoints = 0;
	my $is_kept = chance(70);
	my @steps = ([ 'BEGIN', '00000' ]);

	$model->save;
	for (1 .. 2 + int rand 6)
	{
		if (!$model->{is_aborted} && chance(25))
		{
			push @steps, [ 'SAVEPOINT s' . ++$savepoints, '00000' ];
			$model->save;
		}
		elsif ($savepoints && chance($model->{is_aborted} ? 80 : 25))
		{
			push @steps, [ "ROLLBACK TO s$savepoints", '00000' ];
			$model->roll_back;
		}
		else
		{
			push @steps, next_statement();
		}
	}
	$model->finish($is_kept);
	return (@steps, [ $is_kept ? 'COMMIT' : 'ROLLBACK', '00000' ]);
}

# --- the run --------------------------------------------------------------------

# Run the steps in one session: the SQLSTATE of each.  It is read from the error
# itself, since psql's variable SQLSTATE does not tell of COPY.
sub run_steps
{
	my $script = "\\set VERBOSITY sqlstate\nSET client_min_messages = error;\n"
	  . join('', map { "$_->[0]" . ($_->[0] =~ /\\\.$/ ? '' : ';') . "\n\\echo @@\n" } @_);
	my $out;

	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \$script, '>', \$out, '2>&1');
	return map { /(?:ERROR|FATAL|PANIC): +(\w{5})$/m ? $1 : '00000' } split /^@@\n/m, $out, -1;
}

sub line { return join '|', map { $_ // '' } @_ }

sub rows_of_model
{
	return map {
		line(bool($_->{mirror}), $_->{type}, $_->{near}, far_columns($_), @$_{qw(start end note)}, bool($_->{primary}))
	} $model->rows;
}

sub rows_of_database
{
	return split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT concat_ws('|', r.is_mirror::text, t.name, r.contact_id, coalesce(r.related_contact_id::text, ''),
	coalesce(r.record_id::text, ''), coalesce(r.record_uuid::text, ''), coalesce(r.started_on::text, ''),
	coalesce(r.ended_on::text, ''), coalesce(r.note, ''), r.is_primary::text)
FROM crm.relationship r JOIN crm.relationship_type t ON t.id = r.relationship_type_id;
SELECT 'row ' || r.id || ' has another partner than row ' || -r.id
FROM crm.relationship r LEFT JOIN crm.relationship m ON m.id = -r.id
	AND (m.contact_id, m.related_contact_id, m.relationship_type_id) = (r.related_contact_id, r.contact_id, r.inverse_type_id)
WHERE r.related_contact_id IS NOT NULL AND m.id IS NULL;
SQL
}

# What the views show, from either side, and the model's rows in that form.
sub views_of_database
{
	return split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT concat_ws('|', v.contact_id, v.type, v.related_contact_id) FROM crm.related_contact v;
SELECT concat_ws('|', v.object, coalesce(v.record_id::text, v.record_uuid::text), v.type, v.contact_id)
FROM crm.record_relationship v;
SQL
}

sub views_of_model
{
	return map {
		$model->leads_to_contact($_)
		  ? line(@$_{qw(near type far)})
		  : line($types{ $_->{type} }{object}, $_->{far}, $types{ $_->{type} }{inverse}, $_->{near})
	} $model->rows;
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

my %seen;
my $done = 0;
while ($done < $total)
{
	my @steps;

	push @steps, chance(5) ? next_transaction() : next_statement() while @steps < $batch;

	my @states = run_steps(@steps);
	my @wrong = grep { ($states[$_] // 'none') ne $steps[$_][1] } 0 .. $#steps;
	my @differences = differences([ rows_of_model() ], [ rows_of_database() ]);

	$seen{ $_->[1] }++ for @steps;
	$done += @steps;
	note("$steps[$_][0] -- " . ($states[$_] // 'none')) for 0 .. $#steps;
	if (@wrong || @differences)
	{
		fail("statements up to $done");
		if (@wrong)
		{
			my $first = $wrong[0];

			diag($steps[$first][0]);
			diag("the model foretells $steps[$first][1], the server says " . ($states[$first] // 'nothing'));
		}
		diag($_) for @differences;
		last;
	}
}
cmp_ok($done, '>=', $total, 'every statement ended as foretold, and the rows equal the model');
is(join("\n", differences([ views_of_model() ], [ views_of_database() ])), '', 'the views show the same');
note("$_: $seen{$_}") for sort keys %seen;
ok($seen{$_}, "SQLSTATE $_ was met") for qw(00000 23503 23505 23514 25P02);
is(unsound($node, 'postgres'), '', 'the directory is sound');

$node->stop;
done_testing();
