# Load.pm: random statements of the kinds that must never deadlock with each
# other: one-row statements on contact, INSERT and COPY of contacts, one-row
# INSERTs on identifier and messages, calls of the functions of a directory.

package Load;

use strict;
use warnings;

use Exporter 'import';
our @EXPORT = qw(random_statement random_exchange);

my $contacts = 30;
my $addresses = 20;

# Addresses end up suppressed, and then little happens to them: so every
# $epoch statements there is a new set.
my $epoch = 400;

sub contact_id
{
	return 1 + int rand $contacts;
}

sub email
{
	my ($n) = @_;

	return sprintf "a%d.%d\@example.org", int rand $addresses, $n / $epoch;
}

sub phone
{
	my ($n) = @_;

	return sprintf "+4670%03d%04d", $n / $epoch, int rand 10;
}

sub one_of
{
	return $_[ int rand @_ ];
}

sub any_identifier
{
	return '(SELECT id FROM crm.identifier WHERE contact_id = ' . contact_id()
	  . ' ORDER BY random() LIMIT 1)';
}

# Rows of contacts whose emails are no other client's, with everybody's phones.
sub own_rows
{
	my ($client, $n) = @_;

	return map { [ sprintf("c%d.%d.%d\@example.org", $client, $n, $_), phone($n) ] }
	  1 .. 2 + int rand 4;
}

sub contact_ids
{
	return join ',', map { contact_id() } 1 .. 2 + int rand 4;
}

sub kind
{
	return one_of(qw(marketing transactional));
}

# Messages: sent to contacts, to addresses, handed out, marked.
my @messages = (
	sub { sprintf "SELECT crm.queue_email(%d, 's', 'b', kind => '%s')", contact_id(), kind() },
	sub { sprintf "SELECT * FROM crm.queue_emails('{%s}', 's', 'b', kind => '%s')", contact_ids(), kind() },
	sub { sprintf "SELECT crm.queue_sms(%d, 'b', kind => '%s')", contact_id(), kind() },
	sub { sprintf "SELECT * FROM crm.queue_sms_many('{%s}', 'b', kind => '%s')", contact_ids(), kind() },
	sub { sprintf "INSERT INTO crm.email_message (address, kind, body) VALUES ('%s', '%s', 'b')", email($_[1]), kind() },
	sub { sprintf "INSERT INTO crm.email_message (contact_id, kind, body) VALUES (%d, '%s', 'b')", contact_id(), kind() },
	sub { sprintf "SELECT * FROM crm.next_emails(%d)", 1 + int rand 5 },
	sub { sprintf "SELECT * FROM crm.next_sms(%d)", 1 + int rand 5 },
	sub { sprintf "SELECT crm.mark_sent(id) FROM crm.message_history WHERE state = 'sending' ORDER BY random() LIMIT 1" },
	sub { sprintf "SELECT crm.mark_failed(id, 'busy', true, now()) FROM crm.message_history WHERE state = 'sending' ORDER BY random() LIMIT 1" },
	sub { sprintf "UPDATE crm.contact SET archived_at = %s WHERE id = %d", one_of('now()', 'NULL', 'NULL'), contact_id() });

my @kinds = (
	@messages,
	sub { sprintf "UPDATE crm.contact SET email = '%s' WHERE id = %d", email($_[1]), contact_id() },
	sub { sprintf "UPDATE crm.contact SET email = '%s' WHERE id = %d", email($_[1]), contact_id() },
	sub { sprintf "UPDATE crm.contact SET email = NULL WHERE id = %d", contact_id() },
	sub { sprintf "UPDATE crm.contact SET mobile_phone = %s WHERE id = %d", one_of('NULL', "'" . phone($_[1]) . "'"), contact_id() },
	sub { sprintf "UPDATE crm.contact SET email = '%s', mobile_phone = '%s' WHERE id = %d", email($_[1]), phone($_[1]), contact_id() },
	sub { sprintf "UPDATE crm.contact SET first_name = %s, last_name = %s WHERE id = %d", one_of('NULL', "'F'"), one_of('NULL', "'L'"), contact_id() },
	sub { sprintf "UPDATE crm.contact SET email_status = '%s' WHERE id = %d", one_of(qw(opted_in opted_in unsubscribed suppressed)), contact_id() },
	sub { sprintf "INSERT INTO crm.contact (id, last_name, email, mobile_phone) VALUES (%d, 'I', '%s', '%s')", contact_id(), email($_[1]), phone($_[1]) },
	sub { sprintf "INSERT INTO crm.contact (id, last_name, email) VALUES (%d, 'I', '%s')", contact_id(), email($_[1]) },
	sub { sprintf "INSERT INTO crm.contact (last_name, email) VALUES ('U', '%s') ON CONFLICT (email) DO UPDATE SET first_name = 'U'", email($_[1]) },
	sub { sprintf "INSERT INTO crm.contact (last_name, email) VALUES ('N', '%s') ON CONFLICT (email) DO NOTHING", email($_[1]) },
	sub { sprintf "INSERT INTO crm.contact (id, last_name, mobile_phone) VALUES (%d, 'P', '%s') ON CONFLICT DO NOTHING", contact_id(), phone($_[1]) },
	sub { sprintf "DELETE FROM crm.contact WHERE id = %d", contact_id() },
	sub { sprintf "DELETE FROM crm.contact WHERE email = '%s'", email($_[1]) },
	sub { 'INSERT INTO crm.contact (email, mobile_phone) VALUES ' . join ', ', map { "('$_->[0]', '$_->[1]')" } own_rows(@_) },
	sub { "COPY crm.contact (email, mobile_phone) FROM STDIN;\n" . join('', map { "$_->[0]\t$_->[1]\n" } own_rows(@_)) . '\\.' },
	sub { sprintf "INSERT INTO crm.identifier (contact_id, semantic_type, slug, value) VALUES (%d, 'email', %s, '%s')", contact_id(), one_of('NULL', "'work'", "'main'"), email($_[1]) },
	sub { sprintf "INSERT INTO crm.identifier (contact_id, semantic_type, slug, value) VALUES (%d, 'email', 'main', '%s') ON CONFLICT DO NOTHING", contact_id(), email($_[1]) },
	sub { sprintf "INSERT INTO crm.identifier (contact_id, semantic_type, slug, value) VALUES (%d, 'phone', %s, '%s')", contact_id(), one_of('NULL', "'work'", "'main'"), phone($_[1]) },
	sub { sprintf "INSERT INTO crm.identifier (contact_id, semantic_type, value) VALUES (%d, 'anonymous', 't%d')", contact_id(), rand 1000 },
	sub { sprintf "SELECT crm.create_ghost('t%d')", rand 1000 },
	sub { sprintf "SELECT crm.suppress('%s')", one_of(email($_[1]), phone($_[1])) },
	sub { sprintf "SELECT crm.suppress_many(ARRAY[%s])", join ', ', map { "'$_'" } email($_[1]), phone($_[1]), email($_[1]), email($_[1]) },
	sub { sprintf "SELECT crm.unsubscribe('%s')", one_of(email($_[1]), phone($_[1])) },
	sub { sprintf "SELECT crm.opt_in('%s', '{}')", one_of(email($_[1]), phone($_[1])) },
	sub { 'SELECT crm.set_main(' . any_identifier() . ')' },
	sub { 'SELECT crm.set_main(' . any_identifier() . ')' },
	sub { 'SELECT crm.validate_identifier(' . any_identifier() . ')' },
	sub { 'SELECT crm.invalidate_identifier(' . any_identifier() . ')' },
	sub { sprintf "UPDATE crm.identifier SET value = NULL WHERE value = '%s' AND contact_id IS NULL AND status <> 'opted_in'", email($_[1]) });

# The $n-th statement of client $client.
sub random_statement
{
	my ($client, $n) = @_;

	my $statement = one_of(@kinds)->($client, $n);

	return $statement =~ /^COPY/ ? "$statement\n" : "$statement;\n";
}

# Two contacts take each other's email, or give theirs up.  Not by an upsert on
# id: with two unique indexes that deadlocks on a table without triggers, too.
sub random_exchange
{
	my $email = one_of('NULL', ("'a\@example.org'", "'b\@example.org'") x 3);
	my $id = 1 + int rand 2;

	return "UPDATE crm.contact SET email = $email WHERE id = $id;\n";
}

1;
