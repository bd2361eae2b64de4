# ResolutionModel.pm: which identifiers belong to which people after each
# operation, kept in plain Perl.  It knows the rules of identify(), merges and
# their undoing, and nothing of SQL.
#
# A person is { birth, name }, of which birth is the operation that made it; a row { row, kind, value, person, slug, valid }.
# What must fail dies with the SQLSTATE.

package ResolutionModel;

use strict;
use warnings;

my %is_exclusive = (anonymous => 1, email => 1, oauth => 1);

sub new
{
	my ($class) = @_;

	return bless { person => {}, row => {}, merge => {}, last_row => 0, now => 0, policy => 'merge' }, $class;
}

sub same { return ($_[0] // '') eq ($_[1] // '') }

# The state, to be put back; journals do not change.
sub saved
{
	my ($self) = @_;

	return {
		(map { my $part = $_; ($part => { map { $_ => { %{ $self->{$part}{$_} } } } keys %{ $self->{$part} } }) } qw(person row)),
		merge => { %{ $self->{merge} } },
		new_merges => []
	};
}

sub people { return sort { $a <=> $b } keys %{ $_[0]{person} } }

sub rows
{
	my ($self, $condition) = @_;
	my $rows = $self->{row};

	return grep { !$condition || $condition->() } map { $rows->{$_} } sort { $a <=> $b } keys %$rows;
}

sub rows_of
{
	my ($self, $person) = @_;

	return $self->rows(sub { $_->{person} == $person });
}

sub type
{
	my ($self, $person) = @_;
	my @rows = grep { $_->{kind} =~ /email|phone/ } $self->rows_of($person);

	return 'ghost' if !defined $self->{person}{$person}{name} || !@rows;
	return (grep { $_->{valid} } @rows) ? 'contact' : 'lead';
}

# Is it more than a ghost, or has proved that an address is his?
sub is_known
{
	my ($self, $person) = @_;

	return $self->type($person) ne 'ghost' || grep { $_->{kind} =~ /email|phone/ && $_->{valid} } $self->rows_of($person);
}

# Has it a main address that can be one person's only?
sub has_main
{
	my ($self, $person) = @_;

	return scalar grep { $_->{kind} eq 'email' && same($_->{slug}, 'main') } $self->rows_of($person);
}

# Those for whom it is true first, the oldest first.
sub by_rank
{
	my ($self, $is_first, @people) = @_;
	my %rank = map { $_ => [ $is_first->($_) ? 0 : 1, $self->{person}{$_}{birth}, $_ ] } @people;

	return sort {
		my ($x, $y) = @rank{ $a, $b };
		$x->[0] <=> $y->[0] || $x->[1] <=> $y->[1] || $x->[2] <=> $y->[2]
	} @people;
}

# --- single rows ---------------------------------------------------------------

# I5: unlabelled is main where that is free.
sub free_slug
{
	my ($self, $person, $kind) = @_;
	my @main = grep { $_->{kind} eq $kind && same($_->{slug}, 'main') } $self->rows_of($person);

	return @main ? undef : 'main';
}

sub attach
{
	my ($self, $person, $kind, $value) = @_;
	my $id = ++$self->{last_row};

	$self->{row}{$id} = {
		row => $id, kind => $kind, value => $value, person => $person, valid => 0,
		slug => $self->free_slug($person, $kind)
	};
	return;
}

# I2: nobody is without a name and without an identifier.
sub require_identified
{
	my ($self, @people) = @_;

	for (grep { $self->{person}{$_} } @people)
	{
		die "23514\n" unless defined $self->{person}{$_}{name} || $self->rows_of($_);
	}
	return;
}

sub delete_row
{
	my ($self, $row) = @_;

	delete $self->{row}{ $row->{row} };
	$self->require_identified($row->{person});
	return;
}

sub delete_person
{
	my ($self, $person) = @_;

	delete $self->{person}{$person};
	delete $self->{row}{ $_->{row} } for $self->rows_of($person);
	return;
}

# --- merging -------------------------------------------------------------------

sub merge_row
{
	my ($self, $merge, $row, $slug) = @_;
	my %before = %$row;

	$row->{person} = $merge->{survivor};
	$row->{slug} = $slug;
	push @{ $merge->{journal} }, { action => 'moved', row => $row->{row}, before => \%before, after => {%$row} };
	return;
}

# I10: a number that both have becomes one row.
sub combine_row
{
	my ($self, $merge, $row, $kept) = @_;
	my %before = %$kept;

	delete $self->{row}{ $row->{row} };
	push @{ $merge->{journal} }, { action => 'combined', before => $row };
	return if !$row->{valid} || $kept->{valid};
	$kept->{valid} = 1;
	push @{ $merge->{journal} }, { action => 'changed', row => $kept->{row}, before => \%before, after => {%$kept} };
	return;
}

sub merge_loser
{
	my ($self, $merge, $loser) = @_;
	my $survivor = $merge->{survivor};
	my %has = map { ("$_->{kind} $_->{value}" => $_) } $self->rows_of($survivor);
	my @rest;

	for my $row ($self->rows_of($loser))
	{
		my $kept = $has{"$row->{kind} $row->{value}"};

		if ($kept) { $self->combine_row($merge, $row, $kept) }
		else { push @rest, $row }
	}
	my %order = map { $_->{row} => same($_->{slug}, 'main') ? 0 : 1 } @rest;
	for my $row (sort { $order{ $a->{row} } <=> $order{ $b->{row} } || $a->{row} <=> $b->{row} } @rest)
	{
		$self->merge_row($merge, $row, $self->free_slug($survivor, $row->{kind}));
	}
	push @{ $merge->{journal} }, { action => 'removed', id => $loser, before => $self->{person}{$loser} };
	delete $self->{person}{$loser};
	return;
}

sub merge
{
	my ($self, $survivor, @losers) = @_;
	my $merge = { survivor => $survivor, losers => [ sort { $a <=> $b } @losers ], journal => [] };

	for ($survivor // (), @losers)
	{
		die "P0002\n" unless $self->{person}{$_};
	}
	if (!defined $survivor)
	{
		($survivor) = $self->by_rank(sub { $self->type($_[0]) ne 'ghost' }, @losers);
		$merge->{survivor} = $survivor;
		@{ $merge->{losers} } = grep { $_ != $survivor } @{ $merge->{losers} };
	}

	my @gone = map { $self->{person}{$_} } @{ $merge->{losers} };
	my $kept = $self->{person}{$survivor};
	my %before = %$kept;

	$self->merge_loser($merge, $_) for @{ $merge->{losers} };
	$kept->{name} //= (grep { defined } map { $_->{name} } @gone)[0];
	($kept->{birth}) = sort { $a <=> $b } map { $_->{birth} } $kept, @gone;
	push @{ $merge->{journal} }, { action => 'filled', before => \%before, after => {%$kept} };
	push @{ $self->{new_merges} }, $merge;
	return $survivor;
}

# The row, if it is where the entry left it, with the label that it got.
sub untouched
{
	my ($self, $entry) = @_;
	my $row = $self->{row}{ $entry->{row} };

	return $row && $row->{person} == $entry->{after}{person} && same($row->{slug}, $entry->{after}{slug}) ? $row : undef;
}

sub undo_entry
{
	my ($self, $merge, $entry) = @_;
	my $before = $entry->{before};

	if ($entry->{action} eq 'filled')
	{
		my $kept = $self->{person}{ $merge->{survivor} };

		for (qw(name birth))
		{
			$kept->{$_} = $before->{$_} if same($kept->{$_}, $entry->{after}{$_});
		}
	}
	elsif ($entry->{action} eq 'removed') { $self->{person}{ $entry->{id} } = { %$before } }
	elsif ($entry->{action} eq 'combined') { $self->{row}{ $before->{row} } = { %$before } }
	elsif (my $row = $self->untouched($entry))
	{
		$row->{valid} = 0 if $entry->{action} eq 'changed';
		@$row{qw(person slug)} = @$before{qw(person slug)} if $entry->{action} eq 'moved';
	}
	return;
}

# Undo a merge; true if the server may also say that a later one comes first.
sub may_be_later
{
	my ($self, $id) = @_;
	my $merge = $self->{merge}{$id};

	return grep { $_ > $id && $self->{merge}{$_}{survivor} == $merge->{survivor} } keys %{ $self->{merge} };
}

# People who were unlabelled before, and have no main one: one becomes main (I5).
sub unmerge
{
	my ($self, $id, $choose) = @_;
	my $merge = $self->{merge}{$id} or die "55000\n";

	die "55000\n" unless $self->{person}{ $merge->{survivor} };
	$self->undo_entry($merge, $_) for reverse @{ $merge->{journal} };
	for my $person (@{ $merge->{losers} })
	{
		my %open = map { ($_->{kind} => 1) } $self->rows_of($person);

		for my $kind (sort keys %open)
		{
			next unless $self->free_slug($person, $kind);
			my @rows = grep { $_->{kind} eq $kind } $self->rows_of($person);
			$choose->(@rows);
		}
	}
	delete $self->{merge}{$id};
	$self->require_identified($merge->{survivor}, @{ $merge->{losers} });
	return;
}

# What the ids of those who were merged mean now: [ id, person ].
sub old_ids
{
	my ($self) = @_;
	my %into;
	my @found;

	for my $merge (values %{ $self->{merge} })
	{
		$into{$_} = $merge->{survivor} for @{ $merge->{losers} };
	}
	for my $id (keys %into)
	{
		my $person = $id;

		$person = $into{$person} while defined $person && !$self->{person}{$person};
		push @found, [ $id, $person ] if defined $person;
	}
	return @found;
}

# --- identify ------------------------------------------------------------------

sub holders
{
	my ($self, @set) = @_;
	my %holder;

	for my $seen (@set)
	{
		my ($kind, $value) = @$seen;
		$holder{ $_->{person} } = 1 for $self->rows(sub { $_->{kind} eq $kind && $_->{value} eq $value });
	}
	return keys %holder;
}

# Those of several people who are not one silently: the known ones, else those
# with main addresses of their own, and who is known.
sub strangers
{
	my ($self, @people) = @_;
	my @known = grep { $self->is_known($_) } @people;

	return @known if @known > 1;
	return () if 2 > grep { $self->has_main($_) } @people;
	return grep { $self->is_known($_) || $self->has_main($_) } @people;
}

# Identify a set of [ kind, value ], at most one of a kind; $new_id is who a new
# person will be.  Returns who it is, and the outcome.
sub identify
{
	my ($self, $set, $name, $new_id) = @_;
	my @exclusive = grep { $is_exclusive{ $_->[0] } } @$set;
	my @holders = $self->by_rank(sub { $self->is_known($_[0]) }, $self->holders(@exclusive ? @exclusive : @$set));
	my $outcome = 'found';
	my $person = $holders[0];

	if (!@holders)
	{
		($person, $outcome) = ($new_id, 'created');
		$self->{person}{$person} = { birth => $self->{now}, name => undef };
	}
	elsif (@holders > 1)
	{
		die "P0003\n" unless @exclusive;
		die "23505\n" if $self->{policy} eq 'refuse';
		my @strangers = $self->{policy} eq 'suggest' ? @holders : $self->strangers(@holders);
		return ($strangers[0], 'suggested') if @strangers;
		$self->merge(@holders);
		$outcome = 'merged';
	}
	for my $seen (@$set)
	{
		next if grep { $_->{kind} eq $seen->[0] && $_->{value} eq $seen->[1] } $self->rows_of($person);
		$self->attach($person, @$seen);
	}
	$self->{person}{$person}{name} //= $name;
	return ($person, $outcome);
}

1;
