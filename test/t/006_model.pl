# 20,000 random statements over contacts and identifiers, by DML and by the
# functions, one by one and in transactions.  Each must end with the SQLSTATE
# that the model foretells; after every 100 the tables must equal the model.
#
# The log has every statement.  SEED=n repeats a run, STATEMENTS=n sets its
# length, BATCH=1 compares after every statement.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use IPC::Run;
use Model;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{SEED} // time ^ $$;
my $total = $ENV{STATEMENTS} // 20_000;
my $batch = $ENV{BATCH} // 100;

my $model = Model->new;
my @steps;    # of this batch: [ SQL statements, the SQLSTATE foretold ]
my $last_id = 0;
my $drawn = 0;    # statements so far

srand $seed;
diag("seed $seed");

# --- random values ------------------------------------------------------------

sub one_of { return $_[ int rand @_ ] }
sub chance { return rand 100 < $_[0] }

# What is suppressed stays so: addresses come from a window that moves on.
sub some_number { return int($drawn / 40) + int rand $_[0] }
sub some_email { return 'p' . some_number(24) . '@example.org' }
sub some_phone { return '+46701234' . sprintf '%03d', some_number(8) }
sub some_token { return 'token-' . some_number(12) }
sub some_name  { return chance(40) ? undef : one_of('Ada', 'Bo', 'Eve') }
sub some_state { return one_of(qw(not_opted_in opted_in opted_in unsubscribed unsubscribed suppressed)) }

sub some_value
{
	my ($type) = @_;

	return $type eq 'email' ? some_email() : $type eq 'phone' ? some_phone() : some_token();
}

# A contact; a held row; a row that meets a condition; undef if there is none.
sub some_contact { return one_of($model->contacts) }

sub some_row
{
	my ($condition) = @_;

	return one_of(grep { $condition->() } @{ $model->{identifier} });
}

sub some_held { return some_row(sub { defined $_->{contact} }) }

# --- SQL -----------------------------------------------------------------------

# A literal; addresses are written as people write them.
sub quote
{
	my ($value) = @_;

	return 'NULL' unless defined $value;
	$value = uc $value if $value =~ /@/ && chance(20);
	$value = " $value " if $value =~ /[@+]/ && chance(10);
	$value =~ s/(\d\d)$/ $1/ if $value =~ /^ *\+/ && chance(20);
	return "'$value'";
}

# Blank names are missing names.
sub quote_name { return !defined $_[0] && chance(30) ? q('  ') : quote($_[0]) }

sub bool { return $_[0] ? 'true' : 'false' }

# WHERE for a row of identifier.
sub is_row
{
	my ($row) = @_;

	return "semantic_type = '$row->{type}' AND value = '$row->{value}' AND contact_id "
	  . (defined $row->{contact} ? "= $row->{contact}" : 'IS NULL');
}

# --- statements ---------------------------------------------------------------
# Each returns SQL and what it does to the model; nothing if it does not apply.

my %statement;

# New contacts, one or several in one statement.
$statement{insert_contact} = [ 14, sub {
	my (@tuples, @fields);

	for (1 .. (chance(25) ? 2 + int rand 2 : 1))
	{
		my %f = (
			id => ++$last_id,
			first => some_name(),
			last => some_name(),
			mononym => chance(10) ? 1 : 0,
			email => chance(60) ? some_email() : undef,
			mobile => chance(30) ? some_phone() : undef);

		$f{status} = defined $f{email} && chance(30) ? some_state() : undef;
		push @fields, \%f;
		push @tuples, '(' . join(', ', $f{id}, quote_name($f{first}), quote_name($f{last}),
			bool($f{mononym}), quote($f{email}), quote($f{status} // 'not_opted_in'),
			quote($f{mobile})) . ')';
	}
	return ('INSERT INTO crm.contact (id, first_name, last_name, mononym, email, email_status, mobile_phone)'
		  . ' VALUES ' . join(', ', @tuples),
		sub { $model->insert_contact(%$_) for @fields });
} ];

# A new contact with a token, as two statements of a transaction.
$statement{insert_ghost} = [ 3, sub {
	my ($id, $token) = (++$last_id, some_token());

	return ("BEGIN; INSERT INTO crm.contact (id) VALUES ($id);"
		  . " INSERT INTO crm.identifier (contact_id, semantic_type, value) VALUES ($id, 'uuid', '$token'); COMMIT",
		sub {
			$model->insert_contact(id => $id, mononym => 0);
			$model->insert_identifier($id, 'uuid', undef, $token);
		});
} ];

$statement{upsert} = [ 5, sub {
	my ($email, $last, $id) = (some_email(), one_of('Ada', 'Bo', 'Eve'), ++$last_id);
	my ($holder) = grep { ($_->{email} // '') eq $email } $model->contacts;

	return ("INSERT INTO crm.contact (id, last_name, email) VALUES ($id, '$last', " . quote($email) . ')'
		  . ' ON CONFLICT (email) DO UPDATE SET last_name = EXCLUDED.last_name',
		sub {
			return $model->update_contact($holder->{id}, last => $last) if $holder;
			$model->insert_contact(id => $id, last => $last, mononym => 0, email => $email);
		});
} ];

$statement{update_names} = [ 8, sub {
	my $c = some_contact() or return;
	my %f = (first => some_name(), last => some_name(), mononym => chance(20) ? 1 : 0);

	return ('UPDATE crm.contact SET first_name = ' . quote_name($f{first}) . ', last_name = '
		  . quote_name($f{last}) . ', mononym = ' . bool($f{mononym})
		  . ", contact_type = 'vendor', is_reachable = true, is_validated = true WHERE id = $c->{id}",
		sub { $model->update_contact($c->{id}, %f) });
} ];

$statement{update_flags} = [ 3, sub {
	my $c = some_contact() or return;
	my %f = (vendor => chance(30) ? 1 : 0, archived => chance(30) ? 1 : 0);

	return ('UPDATE crm.contact SET is_vendor = ' . bool($f{vendor}) . ', archived_at = '
		  . ($f{archived} ? 'now()' : 'NULL') . " WHERE id = $c->{id}",
		sub { $model->update_contact($c->{id}, %f) });
} ];

$statement{update_email} = [ 9, sub {
	my $c = some_contact() or return;
	my $email = chance(20) ? undef : some_email();
	my $status = defined $email && ($c->{email} // '') ne $email && chance(20)
	  ? one_of('unsubscribed', 'suppressed') : undef;

	# whether the rules or the client said unsubscribed cannot be told then
	$status = undef if defined $status && ($status eq $c->{status} || $c->{status} eq 'suppressed');
	return ('UPDATE crm.contact SET email = ' . quote($email)
		  . (defined $status ? ", email_status = '$status'" : '') . " WHERE id = $c->{id}",
		sub { $model->change_main($c->{id}, 'email', $email, $status) });
} ];

# Several emails in one statement, each to another's new address or to none.
$statement{update_emails} = [ 3, sub {
	my %seen;
	my @contacts = grep { !$seen{ $_->{id} }++ } grep { $_ } map { some_contact() } 1 .. 3;
	my @emails = map { chance(20) ? undef : some_email() } @contacts;
	my %count;

	# In one statement the order of rows decides who collides with whom.
	$count{$_}++ for grep { defined } @emails, map { $_->{value} } map { $model->held($_->{id}) } @contacts;
	return if !@contacts || grep { $_ > 1 } values %count;
	return ('UPDATE crm.contact AS c SET email = v.email::contacts.email FROM (VALUES '
		  . join(', ', map { "($contacts[$_]{id}, " . quote($emails[$_]) . '::text)' } 0 .. $#contacts)
		  . ') AS v (id, email) WHERE c.id = v.id',
		sub { $model->change_main($contacts[$_]{id}, 'email', $emails[$_]) for 0 .. $#contacts });
} ];

$statement{update_status} = [ 5, sub {
	my $c = one_of(grep { defined $_->{email} } $model->contacts) or return;
	my $status = some_state();

	return ("UPDATE crm.contact SET email_status = '$status' WHERE id = $c->{id}",
		sub { $model->change_status($c->{id}, $status) });
} ];

$statement{update_mobile} = [ 5, sub {
	my $c = some_contact() or return;
	my $phone = chance(25) ? undef : some_phone();

	return ('UPDATE crm.contact SET mobile_phone = ' . quote($phone) . " WHERE id = $c->{id}",
		sub { $model->change_main($c->{id}, 'phone', $phone) });
} ];

$statement{delete_contact} = [ 6, sub {
	my %seen;
	my @ids = grep { !$seen{$_}++ } map { $_->{id} } grep { $_ }
	  map { some_contact() } 1 .. (chance(25) ? 3 : 1);

	return unless @ids;
	return ('DELETE FROM crm.contact WHERE id IN (' . join(', ', @ids) . ')',
		sub { $model->delete_contact($_) for @ids });
} ];

# As an ORM does it: the children first.
$statement{delete_children_first} = [ 2, sub {
	my $c = some_contact() or return;

	return ("BEGIN; DELETE FROM crm.identifier WHERE contact_id = $c->{id};"
		  . " DELETE FROM crm.contact WHERE id = $c->{id}; COMMIT",
		sub { $model->delete_contact($c->{id}) });
} ];

$statement{insert_identifier} = [ 10, sub {
	my $c = some_contact();
	my $id = $c && !chance(3) ? $c->{id} : 999_999;
	my $type = one_of(qw(email email phone uuid));
	my $slug = $type ne 'uuid' && chance(50) ? one_of(qw(main work other)) : undef;
	my $value = some_value($type);

	return ("INSERT INTO crm.identifier (contact_id, semantic_type, slug, value) VALUES ($id, '$type', "
		  . quote($slug) . ', ' . quote($value) . ')',
		sub { $model->insert_identifier($id, $type, $slug, $value) });
} ];

$statement{delete_identifier} = [ 5, sub {
	my $row = some_row(sub { 1 }) or return;

	return ('DELETE FROM crm.identifier WHERE ' . is_row($row),
		sub { $model->delete_identifier($row) });
} ];

$statement{update_value} = [ 4, sub {
	my $row = some_held() or return;
	my $value = some_value($row->{type});

	return ('UPDATE crm.identifier SET value = ' . quote($value) . ' WHERE ' . is_row($row),
		sub { $model->change_value($row, $value) });
} ];

$statement{update_slug} = [ 4, sub {
	my $row = some_held() or return;
	my $slug = $row->{type} eq 'uuid' ? one_of('main', undef) : one_of('main', 'work', 'other', undef);

	return ('UPDATE crm.identifier SET slug = ' . quote($slug) . ' WHERE ' . is_row($row),
		sub { $model->change_slug($row, $slug) });
} ];

$statement{move} = [ 4, sub {
	my $row = some_held() or return;
	my $to = some_contact();

	return ("UPDATE crm.identifier SET contact_id = $to->{id} WHERE " . is_row($row),
		sub { $model->move($row, $to->{id}) if $to->{id} != $row->{contact} });
} ];

$statement{write_state} = [ 4, sub {
	my $row = some_row(sub { $_->{type} eq 'email' }) or return;
	my $status = some_state();

	return ("UPDATE crm.identifier SET status = '$status' WHERE " . is_row($row),
		sub { $model->write_state($row, $status) });
} ];

$statement{set_main} = [ 3, sub {
	my $row = some_row(sub { defined $_->{contact} && $_->{type} ne 'uuid' }) or return;

	return ('SELECT crm.set_main(id) FROM crm.identifier WHERE ' . is_row($row),
		sub { $model->set_main($row) });
} ];

$statement{validate} = [ 4, sub {
	my $row = some_held() or return;
	my $method = one_of(qw(otp magic_link manual));

	return ("SELECT crm.validate_identifier(id, '$method') FROM crm.identifier WHERE " . is_row($row),
		sub { $model->validate($row, $method) });
} ];

$statement{invalidate} = [ 2, sub {
	my $row = some_held() or return;

	return ('SELECT crm.invalidate_identifier(id) FROM crm.identifier WHERE ' . is_row($row),
		sub { $model->validate($row, undef) });
} ];

$statement{suppress} = [ 2, sub {
	my $type = one_of(qw(email email phone));
	my ($value, $reason) = (some_value($type), one_of(qw(own_wish complaint bounce screening)));

	return ('SELECT crm.suppress(' . quote($value) . ", '$reason', 'test')",
		sub { $model->set_state($type, $value, 'suppressed', $reason) });
} ];

$statement{suppress_many} = [ 1, sub {
	my @values = (some_email(), some_email(), some_email());

	return ('SELECT crm.suppress_many(ARRAY[' . join(', ', map { quote($_) } @values) . "], 'bounce')",
		sub { $model->set_state('email', $_, 'suppressed', 'bounce') for @values });
} ];

$statement{unsubscribe} = [ 4, sub {
	my $type = one_of(qw(email email phone));
	my $value = some_value($type);

	return ('SELECT crm.unsubscribe(' . quote($value) . ", 'own_wish')",
		sub { $model->set_state($type, $value, 'unsubscribed', 'own_wish') });
} ];

$statement{opt_in} = [ 4, sub {
	my $value = some_email();

	return ('SELECT crm.opt_in(' . quote($value) . q{, '{"page": "/join"}')},
		sub { $model->set_state('email', $value, 'opted_in', undef) });
} ];

my @lottery = map { ($_) x $statement{$_}[0] } sort keys %statement;

# One statement, or several in a transaction that may be rolled back.
sub next_step
{
	my @sql;
	my $is_kept = !chance(20);
	my $parts = chance(8) ? 2 + int rand 3 : 1;

	$drawn++;
	my $state = $model->transact(
		sub {
			while (@sql < $parts)
			{
				my ($sql, $effect) = $statement{ one_of(@lottery) }[1]->();

				next if !$effect || ($parts > 1 && $sql =~ /^BEGIN/);
				push @sql, split /; /, $sql;
				$effect->();
			}
			die "ROLL_\n" if $parts > 1 && !$is_kept;
		});
	@sql = ('BEGIN', @sql, $is_kept ? 'COMMIT' : 'ROLLBACK') if $parts > 1;
	return [ \@sql, $state eq 'ROLL_' ? '00000' : $state ];
}

# --- the run -------------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres',
	"CREATE EXTENSION contacts; SELECT contacts.create_directory('crm')");

# Run the steps in one session: for each, the first SQLSTATE that is an error.
sub run_steps
{
	my $script = "SET client_min_messages = error;\n";
	my $out;
	my @state = ('00000') x @_;

	for my $i (0 .. $#_)
	{
		$script .= "$_;\n\\echo \@\@ $i :SQLSTATE\n" for @{ $_[$i][0] };
	}
	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \$script, '>', \$out, '2>', '/dev/null');
	while ($out =~ /^@@ (\d+) (\w+)$/mg)
	{
		$state[$1] = $2 if $state[$1] eq '00000';
	}
	return @state;
}

sub line { return join '|', map { $_ // '' } @_ }

sub contents_of_model
{
	my @contacts = map {
		my ($reachable, $validated, $type) = $model->derived($_);
		line('contact', @$_{qw(id first last)}, bool($_->{mononym}), @$_{qw(email status mobile)},
			bool($_->{vendor}), bool($_->{archived}), bool($reachable), bool($validated), $type)
	} $model->contacts;
	my @identifiers = map {
		line('identifier', @$_{qw(contact type slug value)}, bool($_->{validated}), @$_{qw(method status)},
			Model::is_frozen($_) ? $_->{reason} : '')
	} @{ $model->{identifier} };

	return sort @contacts, @identifiers;
}

sub contents_of_database
{
	return sort split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT concat_ws('|', 'contact', id, COALESCE(first_name, ''), COALESCE(last_name, ''), mononym::text,
	COALESCE(email::text, ''), email_status, COALESCE(mobile_phone::text, ''), is_vendor::text,
	(archived_at IS NOT NULL)::text, is_reachable::text, is_validated::text, contact_type)
FROM crm.contact;
SELECT concat_ws('|', 'identifier', COALESCE(contact_id::text, ''), semantic_type,
	CASE WHEN contact_id IS NOT NULL THEN COALESCE(slug, '') ELSE '' END, value, is_validated::text,
	COALESCE(validation_method::text, ''), COALESCE(status::text, ''),
	CASE WHEN status IN ('unsubscribed', 'suppressed') THEN status_reason::text ELSE '' END)
FROM crm.identifier;
SQL
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
	@steps = map { next_step() } 1 .. $batch;
	my @states = run_steps(@steps);
	my @wrong = grep { $states[$_] ne $steps[$_][1] } 0 .. $#steps;
	my @differences = differences([ contents_of_model() ], [ contents_of_database() ]);

	$seen{ $_->[1] }++ for @steps;
	$done += $batch;
	note(join '; ', @{ $steps[$_][0] }, "-- $states[$_]") for 0 .. $#steps;
	if (@wrong || @differences)
	{
		my $last = @wrong ? $wrong[0] : $#steps;

		fail("statements up to $done");
		diag(join '; ', @{ $steps[$last][0] });
		diag("the model foretells $steps[$last][1], the server says $states[$last]");
		diag($_) for @differences;
		last;
	}
}
is($done, $total, 'every statement ended as foretold, and the tables equal the model');
note("$_: $seen{$_}") for sort keys %seen;
ok($seen{$_}, "SQLSTATE $_ was met") for qw(00000 23001 23503 23505 23514 P0002);
is(unsound($node, 'postgres'), '', 'the directory is sound');

$node->stop;
done_testing();
