# A dump brings capabilities along, and nothing of a person who was erased but
# the states of the addresses, which are met after the restore.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION contacts;
CREATE ROLE owner;
GRANT CREATE ON DATABASE postgres TO owner;
CREATE ROLE agent LOGIN;
CREATE ROLE worker LOGIN;
SET ROLE owner;
SELECT contacts.create_directory('crm');
SELECT contacts.grant_access('crm', 'agent', 'edit'), contacts.grant_access('crm', 'agent', 'manage_subscriptions'),
	contacts.grant_access('crm', 'worker', 'deliver');
INSERT INTO crm.contact (id, first_name, last_name, email, mobile_phone) VALUES
	(1, 'Zebra', 'Zebra', 'zebra@example.org', '+493012345001'), (2, 'Horse', 'Horse', 'horse@example.org', NULL);
INSERT INTO crm.identifier (contact_id, semantic_type, slug, value) VALUES (1, 'email', 'work', 'zebra.work@example.org');
SELECT crm.opt_in('zebra@example.org', '{"form": "zebra"}');
SELECT crm.queue_email(1, 'Dear zebra', 'zebra'), crm.queue_email(2, 'Dear horse', 'horse');
SELECT crm.record_bounce('zebra.work@example.org', 'hard', 'zebra is unknown');
SELECT crm.suppress('zebra@example.org', 'own_wish', 'letter of zebra'), crm.unsubscribe('+493012345001');
INSERT INTO crm.legal_hold (contact_id, reason) VALUES (2, 'case');
SQL

# The text of a dump without the comments of the definitions.
sub dump_text
{
	my $dump = $node->basedir . '/dump.sql';

	$node->command_ok([ 'pg_dump', '--no-comments', "--file=$dump", 'postgres' ], 'dumped');
	return slurp_file($dump);
}

like(dump_text(), qr/zebra/i, 'a person is in the dump');
$node->safe_psql('postgres', q{SET ROLE owner; SELECT crm.erase_person(1, 'request')});
my $text = dump_text();
unlike($text, qr/zebra/i, 'an erased person is not');
unlike($text, qr/12345001/, 'nor is his number');
like($text, qr/horse/, 'others are');

$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'copy', '-f', $node->basedir . '/dump.sql' ],
	'the dump is restored');
is($node->safe_psql('copy', q{SELECT string_agg(role || ' ' || capability || ' ' || is_complete, ', ') FROM contacts.access('crm')}),
	'agent edit true, agent manage_subscriptions true, worker deliver true',
	'capabilities are restored');
is(unsound($node, 'copy'), '', 'the restored directory is sound');
is( $node->safe_psql('copy', q{SELECT string_agg(crm.address_status(a)::text, ' ') FROM unnest('{zebra@example.org,zebra.work@example.org,+493012345001}'::text[]) a}),
	'suppressed suppressed unsubscribed',
	'the states are met after the restore');

# Capabilities as the roles themselves meet them.
sub outcome
{
	my ($role, $sql) = @_;
	my ($code, $stdout, $stderr) = $node->psql('copy', "\\set VERBOSITY sqlstate\n$sql", connstr => $node->connstr('copy') . " user=$role");

	return $stderr =~ /ERROR:\s+(\w+)/ ? $1 : $stdout;
}

is(outcome('agent', q{UPDATE crm.contact SET first_name = 'Pony', email_status = email_status WHERE id = 2 RETURNING first_name}),
	'Pony', 'who edits saves rows');
is(outcome('agent', 'SELECT count(*) FROM crm.email_message'), '42501', 'and reads no messages');
is(outcome('agent', 'DELETE FROM crm.contact WHERE id = 2'), '23001', 'nor deletes whom a hold names');
is(outcome('worker', 'SELECT address FROM crm.next_emails(10)'), 'horse@example.org', 'a worker gets due messages');
is(outcome('worker', 'SELECT count(*) FROM crm.contact'), '42501', 'and reads no contacts');

done_testing();
