# A directory with messages, notices, topics and templates survives dump and
# restore: the history of addresses that were suppressed since is no new work,
# and meets no gate.

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
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN');

my $dir = $node->basedir;
my @as_keeper = ('-h', $node->host, '-p', $node->port, '-U', 'keeper');
my @keeper = (extra_params => [ '-U', 'keeper' ]);

# Run SQL as keeper; the SQLSTATE it ends with, 00000 if it succeeds.
sub sqlstate
{
	my ($db, $sql) = @_;
	my ($status, undef, $error) = $node->psql($db, $sql,
		extra_params => [ '-U', 'keeper', '-v', 'VERBOSITY=sqlstate' ]);

	return '00000' if $status == 0;
	return $error =~ /ERROR:\s+(\w{5})/ ? $1 : $error;
}

$node->safe_psql('postgres', 'CREATE DATABASE original OWNER keeper');
fill_directory($node, 'original', 'keeper');

# Messages to people who were suppressed, unsubscribed, deleted, erased or left
# the topic afterwards; a template one of whose values is gone.
$node->safe_psql('original', <<'SQL', @keeper);
SET search_path = crm;
ALTER TABLE contact ADD COLUMN shoe_size integer;
INSERT INTO subscription_topic (name, needs_subscription) VALUES ('news', true), ('product', false);
INSERT INTO message_template (name, subject, body) VALUES
	('gone', 'Hi {{first_name|you}}', '{{shoe_size|?}} {{unsubscribe_token}}');
ALTER TABLE contact DROP COLUMN shoe_size;
SELECT subscribe_many(array_agg(id), 'news', 'import', '{"form_version": 1}') FROM contact WHERE id BETWEEN 100 AND 150;
INSERT INTO email_message (contact_id, address, template_id, topic_id, subject, body)
	SELECT id, email::text, 1, CASE WHEN id BETWEEN 100 AND 150 THEN 1 END, 's', 'b'
	FROM contact WHERE id BETWEEN 100 AND 199;
UPDATE email_message SET state = 'sending', leased_until = now() + '1 hour' WHERE contact_id <= 180;
UPDATE email_message SET state = 'sent', leased_until = NULL, sent_at = now(), provider_id = 'p' || contact_id
WHERE contact_id <= 170;
SELECT record_deliveries(array_agg('person' || n || '@example.org'), NULL, array_agg('p' || n)) FROM generate_series(100, 130) n;
SELECT record_bounces(array_agg('person' || n || '@example.org'), array_agg(k), NULL, NULL, array_agg('p' || n))
FROM (VALUES (131, 'hard'), (132, 'soft'), (133, 'block'), (134, 'hard'), (199, 'hard')) v (n, k);
SELECT record_complaints('{person100@example.org,person101@example.org,person181@example.org,nobody2@example.org}', '{loop,loop,loop,loop}');
SELECT suppress_many('{person102@example.org,person182@example.org}');
SELECT unsubscribe('person103@example.org');
SELECT unsubscribe('person183@example.org');
SELECT unsubscribe_topic(104, 'news', 'footer'), unsubscribe_topic(105, 'product', 'footer');
SELECT use_unsubscribe_token(unsubscribe_token(m.id)) FROM email_message m WHERE contact_id IN (106, 107);
DELETE FROM contact WHERE id IN (100, 106, 131);
UPDATE identifier SET value = NULL, source = NULL WHERE value = 'person100@example.org';
UPDATE delivery_notice SET address = NULL, diagnostic = NULL, source = NULL WHERE address = 'person100@example.org';
SQL
my $token = $node->safe_psql('original',
	"SELECT crm.unsubscribe_token(id) FROM crm.email_message WHERE contact_id = 160");
my $rows = directory_rows($node, 'original');
my $triggers = directory_triggers($node, 'original');

is(unsound($node, 'original'), '', 'the directory that is dumped is sound');
is( $node->safe_psql('original',
		"SELECT count(*) > 0 FROM crm.email_message m JOIN crm.identifier i USING (key)"
		  . " WHERE i.status = 'suppressed' AND m.state IN ('sent', 'delivered', 'bounced')"),
	't',
	'it holds messages that were sent to addresses which are suppressed now');
is( $node->safe_psql('original',
		"SELECT count(*) > 0 FROM crm.email_message m WHERE m.state IN ('queued', 'sending')"),
	't',
	'and messages that are still to go');

# What was promised holds in the copy.
sub is_restored
{
	my ($db, $how) = @_;

	is(directory_rows($node, $db), $rows, "$how: rows are identical");
	is(directory_triggers($node, $db), $triggers, "$how: triggers are enabled as they were");
	is(unsound($node, $db), '', "$how: the directory is sound");
	is( sqlstate($db, "INSERT INTO crm.email_message (contact_id, address, kind, body)"
			  . " SELECT id, email::text, 'transactional', 'b' FROM crm.contact WHERE email = 'person101\@example.org'"),
		'23514',
		"$how: no new message to a suppressed address");
	is( sqlstate($db, "UPDATE crm.email_message SET state = 'queued' WHERE address = 'person101\@example.org'"),
		'23514',
		"$how: nor an old one again");
	is( sqlstate($db, "DELETE FROM crm.subscription_event"), '23001',
		"$how: who left a topic is not forgotten");
	is( $node->safe_psql($db, "SELECT crm.record_bounce('person131\@example.org', 'hard', at => received_at, provider_id => provider_id)"
			  . " FROM crm.delivery_notice WHERE address = 'person131\@example.org'", @keeper),
		'f',
		"$how: a notice that is known counts once");
	is( $node->safe_psql($db, "SELECT crm.use_unsubscribe_token('$token')", @keeper),
		'',
		"$how: a link in an old message is good");
	is( $node->safe_psql($db, "SELECT crm.address_status('person160\@example.org')"),
		'unsubscribed',
		"$how: and unsubscribes the address");
	is( $node->safe_psql($db, "SELECT subject, left(body, 2) FROM crm.render('gone', 120)", @keeper),
		'Hi First120|? ',
		"$how: a template serves that names a column which is gone");
	return;
}

for my $format ('custom', 'plain')
{
	my $file = "$dir/$format.dump";
	my $db = "from_$format";

	command_ok([ 'pg_dump', @as_keeper, "--format=$format", "--file=$file", 'original' ],
		"$format: dump");
	$node->safe_psql('postgres', "CREATE DATABASE $db OWNER keeper");
	command_ok(
		$format eq 'plain'
		? [ 'psql', '-X', '-q', @as_keeper, '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', $file ]
		: [ 'pg_restore', @as_keeper, '--exit-on-error', '-d', $db, $file ],
		"$format: restore by the owner of the database");
	is_restored($db, $format);
}

# The rows alone, into the definitions, as the operations page says.
command_ok(
	[ 'pg_dump', @as_keeper, '--schema-only', "--file=$dir/definitions.sql", 'original' ],
	'pg_dump --schema-only');
command_ok(
	[ 'pg_dump', @as_keeper, '--data-only', "--file=$dir/data.sql", 'original' ],
	'pg_dump --data-only');
$node->safe_psql('postgres', 'CREATE DATABASE definitions OWNER keeper');
command_ok(
	[ 'psql', '-X', '-q', @as_keeper, '-v', 'ON_ERROR_STOP=1', '-d', 'definitions', '-f', "$dir/definitions.sql" ],
	'restore of the definitions');
$node->command_ok(
	[
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'definitions',
		'-c', 'SET session_replication_role = replica', '-f', "$dir/data.sql"
	],
	'restore of the rows in replica mode');
is_restored('definitions', 'data only');

$node->stop;
done_testing();
