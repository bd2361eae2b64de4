# Model.pm: what a directory must look like after each statement, kept in plain
# Perl.  It knows the rules (I1 to I8, C1 to C4) and nothing of SQL.
#
# A contact is { id, first, last, mononym, vendor, archived, email, status,
# mobile }; an identifier is { contact, type, slug, value, status, reason,
# validated, method }.  A method that must fail dies with the SQLSTATE; its
# caller puts the old state back (the method may have written some of it).

package Model;

use strict;
use warnings;

use Storable qw(dclone);

my %rank = (not_opted_in => 0, opted_in => 0, unsubscribed => 1, suppressed => 2);

sub new
{
	return bless { contact => {}, identifier => [] }, shift;
}

# Run $code against the model, as one transaction: the SQLSTATE it ends with.
sub transact
{
	my ($self, $code) = @_;
	my $saved = dclone({%$self});
	my $state = '00000';

	eval { $code->(); $self->check_identified; 1 } or do
	{
		($state) = $@ =~ /^(\w{5})\n/ or die $@;
		%$self = %$saved;
	};
	return $state;
}

# --- looking -----------------------------------------------------------------

sub contacts
{
	my ($self) = @_;

	return map { $self->{contact}{$_} } sort { $a <=> $b } keys %{ $self->{contact} };
}

# The identifiers that a contact holds.
sub held
{
	my ($self, $id) = @_;

	return grep { defined $_->{contact} && $_->{contact} == $id } @{ $self->{identifier} };
}

sub labelled
{
	my ($self, $id, $type, $slug) = @_;
	my ($row) = grep { $_->{type} eq $type && ($_->{slug} // '') eq $slug } $self->held($id);

	return $row;
}

# The row that decides who may claim a value, and its state (rules I1, I10):
# of a phone, the row of the contact itself.
sub claimant
{
	my ($self, $type, $value, $id) = @_;
	my ($row) = grep {
		$_->{type} eq $type && $_->{value} eq $value
		  && ($type ne 'phone' || (defined $_->{contact} && $_->{contact} == $id))
	} @{ $self->{identifier} };

	return $row;
}

# The row in which the state of a value stands, if there is one.
sub state_row
{
	my ($self, $type, $value) = @_;
	my ($row) = grep {
		$_->{type} eq $type && $_->{value} eq $value
		  && ($type ne 'phone' || !defined $_->{contact})
	} @{ $self->{identifier} };

	return $row;
}

# --- rules -------------------------------------------------------------------

# I3
sub check_identified
{
	my ($self) = @_;

	for my $c ($self->contacts)
	{
		next if grep { defined $c->{$_} } qw(first last email mobile);
		$self->held($c->{id}) or die "23514\n";
	}
	return;
}

# I6
sub derived
{
	my ($self, $c) = @_;
	my @ways = grep { $_->{type} ne 'uuid' } $self->held($c->{id});
	my $reachable = @ways ? 1 : 0;
	my $validated = (grep { $_->{validated} } @ways) ? 1 : 0;
	my $named =
	  $c->{mononym}
	  ? (defined $c->{first} || defined $c->{last})
	  : (defined $c->{first} && defined $c->{last});
	my $type =
	    $c->{vendor}             ? 'vendor'
	  : !$named || !$reachable ? 'ghost'
	  : $validated               ? 'contact'
	  :                            'lead';

	return ($reachable, $validated, $type);
}

# C2, C3: a state is written by hand.
sub may_become
{
	my ($old, $new) = @_;

	return if $old eq $new;
	die "23001\n" if $old eq 'suppressed';
	die "23514\n" if $old eq 'unsubscribed' && $new ne 'suppressed';
	return;
}

# A row takes a state.
sub put_state
{
	my ($row, $status, $reason) = @_;

	return if $row->{status} eq $status;
	@$row{qw(status reason)} = ($status, $reason // 'manual');
	return;
}

sub is_frozen
{
	my ($row) = @_;

	return $rank{ $row->{status} // 'not_opted_in' } > 0;
}

# C4: was it the person's own wish that this contact gets no mail?
sub has_refused
{
	my ($self, $c) = @_;
	my $main = $self->labelled($c->{id}, 'email', 'main');

	return $c->{status} eq 'unsubscribed' if !$main;
	return 1 if $main->{status} eq 'unsubscribed';
	return $main->{status} eq 'suppressed' && $main->{reason} =~ /complaint|own_wish/ ? 1 : 0;
}

# C4: $row, a new main email, starts in this state.
sub start_state
{
	my ($row, $refused) = @_;

	put_state($row, 'unsubscribed', 'own_wish') if $row->{status} eq 'not_opted_in' && $refused;
	return;
}

# I4, C1: contact follows its main identifiers.
sub follow
{
	my ($self, $c, $refused) = @_;
	my $email = $self->labelled($c->{id}, 'email', 'main');
	my $phone = $self->labelled($c->{id}, 'phone', 'main');

	$c->{mobile} = $phone && $phone->{value};
	$c->{email} = $email && $email->{value};
	$c->{status} = $email ? $email->{status} : $refused ? 'unsubscribed' : 'not_opted_in';
	return;
}

# I7: a row loses its contact.
sub release
{
	my ($self, $row) = @_;

	if (is_frozen($row))
	{
		@$row{qw(contact slug validated method)} = (undef, undef, 0, undef);
	}
	else
	{
		@{ $self->{identifier} } = grep { $_ != $row } @{ $self->{identifier} };
	}
	return;
}

# I1, I5, I7: a contact claims a value; the row, which has the value's state.
sub claim
{
	my ($self, $id, $type, $slug, $value, $status) = @_;
	my $row = $self->claimant($type, $value, $id);

	die "23505\n" if $row && defined $row->{contact};
	die "23505\n" if defined $slug && $self->labelled($id, $type, $slug);
	if (!$row)
	{
		$row = { type => $type, value => $value, status => $type eq 'phone' ? undef : 'not_opted_in' };
		push @{ $self->{identifier} }, $row;
	}
	$slug //= 'main' unless $self->labelled($id, $type, 'main');
	@$row{qw(contact slug validated method)} = ($id, $slug, 0, undef);
	put_state($row, $status)
	  if defined $status && ($rank{$status} > $rank{ $row->{status} } || $row->{status} eq 'not_opted_in');
	return $row;
}

# --- contacts ----------------------------------------------------------------

# fields: id, first, last, mononym, email, status (undef: not given), mobile
sub insert_contact
{
	my ($self, %f) = @_;
	my $c = { %f, vendor => 0, archived => 0, status => 'not_opted_in' };

	$self->{contact}{ $f{id} } = $c;
	$self->claim($f{id}, 'email', 'main', $f{email}, $f{status}) if defined $f{email};
	$self->claim($f{id}, 'phone', 'main', $f{mobile}) if defined $f{mobile};
	$self->follow($c, 0);
	return;
}

sub update_contact
{
	my ($self, $id, %f) = @_;

	@{ $self->{contact}{$id} }{ keys %f } = values %f;
	return;
}

# contact.email or mobile_phone is written; $status if email_status is, too.
sub change_main
{
	my ($self, $id, $type, $value, $status) = @_;
	my $c = $self->{contact}{$id};
	my $main = $self->labelled($id, $type, 'main');
	my $refused = $self->has_refused($c);
	my $row = defined $value ? $self->claimant($type, $value, $id) : undef;

	if (defined $value && $main && $main->{value} eq $value)
	{
		return;
	}
	elsif ($row && defined $row->{contact})
	{
		die "23505\n" if $row->{contact} != $id;
		$main->{slug} = $row->{slug} if $main;
		$row->{slug} = 'main';
	}
	else
	{
		$self->release($main) if $main;
		$row = $self->claim($id, $type, 'main', $value) if defined $value;
	}
	if ($type eq 'email' && $row)
	{
		start_state($row, $refused);
		put_state($row, $status)
		  if defined $status && $rank{$status} > $rank{ $row->{status} };
	}
	$self->follow($c, $refused);
	return;
}

sub change_status
{
	my ($self, $id, $status) = @_;
	my $row = $self->labelled($id, 'email', 'main');

	may_become($row->{status}, $status);
	put_state($row, $status);
	$self->follow($self->{contact}{$id}, 0);
	return;
}

sub delete_contact
{
	my ($self, $id) = @_;

	$self->release($_) for $self->held($id);
	delete $self->{contact}{$id};
	return;
}

# --- identifiers -------------------------------------------------------------

# Do $code, which changes what the contacts @ids hold; they follow.
sub with_followers
{
	my ($self, $code, @ids) = @_;
	my %before = map { $_ => $self->labelled($_, 'email', 'main') } @ids;
	my %refused = map { $_ => $self->has_refused($self->{contact}{$_}) } @ids;

	$code->();
	for my $id (@ids)
	{
		my $main = $self->labelled($id, 'email', 'main');
		my $is_new = $main && (!$before{$id} || $before{$id} != $main);

		start_state($main, $refused{$id}) if $is_new;
		$self->follow($self->{contact}{$id}, $refused{$id});
	}
	return;
}

sub insert_identifier
{
	my ($self, $id, $type, $slug, $value) = @_;

	if (!$self->{contact}{$id})
	{
		my $row = $self->claimant($type, $value, $id);

		# the unique index speaks before the foreign key
		die $row && defined $row->{contact} ? "23505\n" : "23503\n";
	}
	$self->with_followers(sub { $self->claim($id, $type, $slug, $value) }, $id);
	return;
}

sub delete_identifier
{
	my ($self, $row) = @_;

	if (!defined $row->{contact})
	{
		die "23001\n" if is_frozen($row);
		$self->release($row);
		return;
	}
	$self->with_followers(sub { $self->release($row) }, $row->{contact});
	return;
}

sub change_value
{
	my ($self, $row, $value) = @_;
	my $id = $row->{contact};

	return if $row->{value} eq $value;

	# A value that was left behind is claimed by INSERT or from the contact.
	die "23505\n" if $self->claimant($row->{type}, $value, $id);
	die "23001\n" if is_frozen($row);
	$self->with_followers(
		sub {
			my $slug = $row->{slug};
			$self->release($row);
			my $new = $self->claim($id, $row->{type}, 'none', $value);
			$new->{slug} = $slug;
		},
		$id);
	return;
}

sub change_slug
{
	my ($self, $row, $slug) = @_;
	my $other = defined $slug && $self->labelled($row->{contact}, $row->{type}, $slug);

	die "23505\n" if $other && $other != $row;
	$self->with_followers(sub { $row->{slug} = $slug }, $row->{contact});
	return;
}

sub move
{
	my ($self, $row, $to) = @_;
	my $other = defined $row->{slug} && $self->labelled($to, $row->{type}, $row->{slug});

	die "23505\n" if $other && $other != $row;
	die "23505\n"
	  if $row->{type} eq 'phone'
	  && grep { $_ != $row && $_->{type} eq 'phone' && $_->{value} eq $row->{value} } $self->held($to);
	$self->with_followers(
		sub {
			$row->{slug} //= 'main' unless $self->labelled($to, $row->{type}, 'main');
			$row->{contact} = $to;
		},
		$row->{contact},
		$to);
	return;
}

sub write_state
{
	my ($self, $row, $status) = @_;

	may_become($row->{status}, $status);
	put_state($row, $status);
	$self->follow($self->{contact}{ $row->{contact} }, 0)
	  if defined $row->{contact} && ($row->{slug} // '') eq 'main';
	return;
}

sub set_main
{
	my ($self, $row) = @_;

	$self->change_main($row->{contact}, $row->{type}, $row->{value});
	return;
}

sub validate
{
	my ($self, $row, $method) = @_;

	@$row{qw(validated method)} = (defined $method ? 1 : 0, $method);
	return;
}

# --- consent -----------------------------------------------------------------

# The functions: suppress, unsubscribe and opt_in, held or not, known or not.
sub set_state
{
	my ($self, $type, $value, $status, $reason) = @_;
	my $row = $self->state_row($type, $value);

	if ($row && $row->{status} eq 'suppressed')
	{
		die "23001\n" if $status eq 'opted_in';
		return;
	}

	# An opt-in belongs to an address that somebody holds.
	die "P0002\n" if $status eq 'opted_in' && !($row && defined $row->{contact});
	if (!$row)
	{
		$row = { type => $type, value => $value, status => 'not_opted_in', validated => 0 };
		push @{ $self->{identifier} }, $row;
	}
	put_state($row, $status, $reason);
	$self->follow($self->{contact}{ $row->{contact} }, 0)
	  if defined $row->{contact} && ($row->{slug} // '') eq 'main';
	return;
}

1;
