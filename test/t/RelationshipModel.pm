# RelationshipModel.pm: what the relationships of a directory must look like
# after each statement, kept in plain Perl.  It knows the rules (R1 to R3) and
# nothing of SQL.
#
# A link is { type, near, far, start, end, note, primary }: the row that has no
# partner yet or is not the mirror.  near is a contact; far a contact or, where
# the type leads to one, a record.  A row is one side of it, with { mirror,
# link }.  What must fail dies with the SQLSTATE.

package RelationshipModel;

use strict;
use warnings;

# types: name => { inverse, object, single, inverse_single, source }, both
# sides of each pair.
sub new
{
	my ($class, %types) = @_;

	return bless {
		type => \%types,
		contact => {},
		record => { organization => {}, policy => {} },
		link => [],
		undo => [],
		is_aborted => 0
	}, $class;
}

# --- transactions --------------------------------------------------------------

# The state, to be put back; links are copied, since statements change them.
sub saved
{
	my ($self) = @_;

	return {
		contact => { %{ $self->{contact} } },
		record => { map { $_ => { %{ $self->{record}{$_} } } } keys %{ $self->{record} } },
		link => [ map { {%$_} } @{ $self->{link} } ]
	};
}

sub put_back
{
	my ($self, $saved) = @_;

	%$self = (%$self, %$saved);
	return;
}

# Run $code as one statement: the SQLSTATE it ends with; untold if that is left
# to the server.
sub run
{
	my ($self, $code) = @_;

	return '25P02' if $self->{is_aborted};

	my $saved = $self->saved;

	return '00000' if eval { $code->(); 1 };
	my ($state) = $@ =~ /^(\w{5}|untold)\n/ or die $@;
	$self->put_back($saved);
	$self->{is_aborted} = 1 if @{ $self->{undo} } && $state ne 'untold';
	return $state;
}

# Begin a transaction, or set a savepoint in it.
sub save
{
	my ($self) = @_;

	push @{ $self->{undo} }, $self->saved;
	return;
}

# Return to the last savepoint, which stays.
sub roll_back
{
	my ($self) = @_;

	$self->put_back($self->{undo}[-1]);
	$self->{undo}[-1] = $self->saved;
	$self->{is_aborted} = 0;
	return;
}

sub finish
{
	my ($self, $is_kept) = @_;

	$self->put_back($self->{undo}[0]) if !$is_kept || $self->{is_aborted};
	@{ $self->{undo} } = ();
	$self->{is_aborted} = 0;
	return;
}

# --- looking -------------------------------------------------------------------

sub type_of
{
	my ($self, $link) = @_;

	return $self->{type}{ $link->{type} };
}

sub leads_to_contact
{
	my ($self, $link) = @_;

	return $self->type_of($link)->{object} eq 'contact';
}

# The rows of a link: one, or two between contacts.
sub rows_of
{
	my ($self, $link) = @_;
	my @rows = ({ %$link, mirror => 0, link => $link });

	push @rows, { %$link, type => $self->type_of($link)->{inverse}, near => $link->{far},
		far => $link->{near}, mirror => 1, link => $link }
	  if $self->leads_to_contact($link) && !$link->{is_alone};
	return @rows;
}

sub rows
{
	my ($self) = @_;

	return map { $self->rows_of($_) } @{ $self->{link} };
}

# What tells two links apart (R2).
sub identity
{
	my ($self, $link) = @_;
	my ($type, $near, $far) = @$link{qw(type near far)};

	($type, $near, $far) = ($self->{type}{$type}{inverse}, $far, $near)
	  if $self->leads_to_contact($link) && $near > $far;
	return join '|', $type, $near, $far, $link->{start} // '';
}

sub find
{
	my ($self, $link) = @_;
	my $identity = $self->identity($link);
	my ($found) = grep { $self->identity($_) eq $identity } @{ $self->{link} };

	return $found;
}

# --- rules ---------------------------------------------------------------------

# What a row says of itself.
sub check_row
{
	my ($self, $row) = @_;
	my $type = $self->type_of($row);

	die "23514\n" if $type->{source} ne 'contact';
	die "23514\n" if $type->{object} eq 'contact' && $row->{near} == $row->{far};
	die "23514\n" if defined $row->{start} && defined $row->{end} && $row->{end} lt $row->{start};
	return;
}

# What a row takes where only one may be that has not ended (R1): a link that
# was entered stands for its end with the lower id, the mirror for the other;
# undef if there may be any number.
sub place
{
	my ($self, $row) = @_;
	my ($type, $near) = @$row{qw(type near)};
	my $kind = $self->{type}{$type};

	return undef if defined $row->{end};
	if ($kind->{object} eq 'contact' && ($row->{mirror} xor $near > $row->{far}))
	{
		($type, $near) = ($kind->{inverse}, $row->{far});
		$kind = $self->{type}{$type};
	}
	return $kind->{single} ? "$type|$near" : undef;
}

# Likewise of a record.
sub record_place
{
	my ($self, $row) = @_;
	my $kind = $self->type_of($row);

	return undef if defined $row->{end} || $kind->{object} eq 'contact' || !$kind->{inverse_single};
	return "$row->{type}|$row->{far}";
}

# The places that a link takes.
sub places
{
	my ($self, $link) = @_;
	my @places = ($self->place($link), $self->record_place($link));

	push @places, $self->place({ %$link, mirror => 1, type => $self->type_of($link)->{inverse},
		near => $link->{far}, far => $link->{near} })
	  if $self->leads_to_contact($link) && !$link->{is_alone} && !defined $link->{end};
	return grep { defined } @places;
}

# R1, R2: does another link stand in the way of a row?
sub collides
{
	my ($self, $row) = @_;
	my %place = map { $_ => 1 } grep { defined } $self->place($row), $self->record_place($row);
	my $identity = $row->{mirror} ? '' : $self->identity($row);

	for my $other (@{ $self->{link} })
	{
		next if $other == $row->{link};
		return 1 if $identity && $identity eq $self->identity($other);
		return 1 if %place && grep { $place{$_} } $self->places($other);
	}
	return 0;
}

sub check_ends
{
	my ($self, $link) = @_;
	my $object = $self->type_of($link)->{object};
	my $far = $object eq 'contact' ? $self->{contact} : $self->{record}{$object};

	die "23503\n" unless $self->{contact}{ $link->{near} } && $far->{ $link->{far} };
	return;
}

# --- statements ----------------------------------------------------------------

# New links, as one statement.  Options: keep, ON CONFLICT DO NOTHING; both, the
# client brings the mirrors along.
sub insert
{
	my ($self, $option, @links) = @_;
	my $is_both = $option eq 'both';
	my @new;

	for my $link (@links)
	{
		my $new = { %$link, is_alone => !$is_both };
		my @rows = $self->rows_of($new);

		$self->check_row($_) for @rows;
		if (grep { $self->collides($_) } @rows)
		{
			die "23505\n" unless $option eq 'keep';
			next;
		}
		push @{ $self->{link} }, $new;
		push @new, $new;
	}
	$self->check_ends($_) for @new;
	delete $_->{is_alone} for @new;
	for my $mirror (grep { $_->{mirror} } map { $self->rows_of($_) } @new)
	{
		die "23505\n" if $self->collides($mirror);
	}
	return;
}

# Likewise, where the server may take the rows in any order: which of several
# errors it meets first cannot be told.
sub insert_unordered
{
	my ($self, $option, @links) = @_;
	my $saved = $self->saved;
	my %error;

	for my $some (map({ [$_] } @links), \@links)
	{
		$error{$@} = 1 unless eval { $self->insert($option, @$some); 1 };
		$self->put_back($saved);
		$saved = $self->saved;
	}
	die "untold\n" if keys %error > 1;
	$self->insert($option, @links);
	return;
}

# Change the link of a row, as seen from that row.
sub update
{
	my ($self, $row, %change) = @_;
	my $link = $row->{link};
	my %new = (map({ $_ => $row->{$_} } qw(type near far start end note primary)), %change);
	my $written = { %new, mirror => $row->{mirror}, link => $link };

	$self->check_row($written);
	die "23505\n" if $self->collides($written);
	$self->check_ends(\%new);
	@new{qw(type near far)} = ($self->{type}{ $new{type} }{inverse}, @new{qw(far near)})
	  if $row->{mirror};
	%$link = %new;
	for my $changed ($self->rows_of($link))
	{
		die "23505\n" if $self->collides($changed);
	}
	return;
}

# Change something in several rows that does not tell who is related.
sub update_all
{
	my ($self, $field, $value, @rows) = @_;
	my %error;

	$_->{link}{$field} = $value for @rows;
	for my $row (map { { %$_, $field => $value } } @rows)
	{
		$error{$@} = 1 unless eval { $self->check_row($row); die "23505\n" if $self->collides($row); 1 };
	}
	die "untold\n" if keys %error > 1;
	die keys %error if %error;
	for my $row (map { $self->rows_of($_->{link}) } @rows)
	{
		die "23505\n" if $self->collides($row);
	}
	return;
}

sub delete_links
{
	my ($self, @links) = @_;
	my %is_gone = map { $_ => 1 } @links;

	@{ $self->{link} } = grep { !$is_gone{$_} } @{ $self->{link} };
	return;
}

sub delete_contacts
{
	my ($self, @ids) = @_;
	my %is_gone = map { $_ => 1 } @ids;

	delete @{ $self->{contact} }{@ids};
	@{ $self->{link} } = grep {
		!$is_gone{ $_->{near} } && !($self->leads_to_contact($_) && $is_gone{ $_->{far} })
	} @{ $self->{link} };
	return;
}

# R3
sub delete_record
{
	my ($self, $object, $id) = @_;

	delete $self->{record}{$object}{$id};
	@{ $self->{link} } = grep { $self->type_of($_)->{object} ne $object || $_->{far} ne $id }
	  @{ $self->{link} };
	return;
}

1;
