# Links survive every form of dump with both their rows, which no restore and
# no subscriber makes a second time.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->start;
my $dir = $node->basedir;
my @server = ('-h', $node->host, '-p', $node->port);

# Links of every kind: from either side, ended, to records, in an archived type,
# with a column of the user's that differs between the two rows.
$node->safe_psql('postgres', <<'SQL');
CREATE DATABASE original;
\c original
CREATE EXTENSION contacts;
SELECT contacts.create_directory('crm');
CREATE TABLE public.policy (number uuid PRIMARY KEY, premium numeric);
INSERT INTO public.policy SELECT md5(g::text)::uuid, g FROM generate_series(1, 20) g;
SELECT contacts.register_object('crm', 'public.policy', 'policy', 'Policy');
INSERT INTO crm.relationship_type (name, inverse_name, object_type_id)
	SELECT 'insured_by', 'insures', id FROM crm.object_type WHERE api_name = 'policy';
ALTER TABLE crm.relationship ADD colour text DEFAULT 'grey';
INSERT INTO crm.organization (name) VALUES ('Acme');
INSERT INTO crm.contact (first_name, last_name) SELECT 'First' || g, 'Last' || g FROM generate_series(1, 200) g;
INSERT INTO crm.relationship (relationship_type_id, contact_id, related_contact_id, started_on, note)
	SELECT t.id, 1 + g % 200, 1 + (g * 7 + 3) % 200, CASE WHEN g % 3 = 0 THEN '2020-01-01'::date + g END, 'link ' || g
	FROM generate_series(1, 400) g JOIN crm.relationship_type t
		ON t.name = ('{parent,child,sibling,manager,colleague}'::text[])[1 + g % 5]
	WHERE g % 200 <> (g * 7 + 3) % 200
	ON CONFLICT DO NOTHING;
SELECT crm.relate('spouse', 2 * g, 2 * g - 1, ended_on => CASE WHEN g % 2 = 0 THEN '2021-01-01'::date END)
	FROM generate_series(1, 50) g;
SELECT crm.relate('employer', g, 1, is_primary => true) FROM generate_series(1, 20) g;
SELECT crm.relate('insured_by', g, md5(g::text)::uuid) FROM generate_series(1, 20) g;
UPDATE crm.relationship SET colour = 'red' WHERE id % 7 = 0;
UPDATE crm.relationship SET note = 'from the other side' WHERE id % 11 = 0 AND id < 0;
DELETE FROM crm.relationship WHERE id % 13 = 0 AND id < 0;
DELETE FROM crm.contact WHERE id % 50 = 0;
UPDATE crm.relationship_type SET is_archived = true WHERE name = 'colleague';
SQL

# All links of a database, as text in a stable order.
sub links
{
	my ($server, $db) = @_;

	return $server->safe_psql($db,
		'SELECT r::text FROM crm.relationship r ORDER BY r.id');
}

# What the check finds in links and types; $rules: in which rules.
sub broken
{
	my ($server, $db, $rules) = @_;

	return $server->safe_psql($db,
		"SELECT * FROM contacts.check_directory('crm') WHERE rule ~ '$rules'");
}

my $links = links($node, 'original');
my $triggers = directory_triggers($node, 'original');
like($links, qr/^\(-\d+,/m, 'there are mirrors');
like($links, qr/,red\)/, 'and columns of users');
is(unsound($node, 'original'), '', 'the directory that is dumped is sound');

# Links are as they were, and go on to be kept together.
sub is_restored
{
	my ($db, $how, $rules) = @_;

	is(links($node, $db), $links, "$how: links are identical");
	is(directory_triggers($node, $db), $triggers, "$how: triggers are enabled as they were");
	is(broken($node, $db, $rules), '', "$how: the directory is sound");
	is( $node->safe_psql($db, <<'SQL'),
BEGIN;
SELECT crm.relate('parent', 198, 199) > 0;
DELETE FROM crm.contact WHERE id = 199;
SELECT count(*) FROM crm.relationship WHERE 199 IN (contact_id, related_contact_id);
ROLLBACK
SQL
		"t\n0",
		"$how: links are made and removed with their mirrors");
	return;
}

# everything
for my $format ('custom', 'plain')
{
	my $file = "$dir/$format.dump";

	command_ok([ 'pg_dump', @server, "--format=$format", "--file=$file", 'original' ], "$format: dump");
	$node->safe_psql('postgres', "CREATE DATABASE from_$format");
	command_ok(
		$format eq 'plain'
		? [ 'psql', '-X', '-q', @server, '-v', 'ON_ERROR_STOP=1', '-d', "from_$format", '-f', $file ]
		: [ 'pg_restore', @server, '--exit-on-error', '-d', "from_$format", $file ],
		"$format: restore");
	is_restored("from_$format", $format, '.');
}

# the definitions, then the rows, with triggers off in either way
command_ok([ 'pg_dump', @server, '--schema-only', "--file=$dir/definitions.sql", 'original' ], 'dump of the definitions');
command_ok([ 'pg_dump', @server, '--data-only', '--format=custom', "--file=$dir/rows.dump", 'original' ], 'dump of the rows');
for my $way ('replica', 'disable')
{
	my $db = "rows_$way";

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	command_ok([ 'psql', '-X', '-q', @server, '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', "$dir/definitions.sql" ],
		"$way: definitions");
	{
		local $ENV{PGOPTIONS} = '-c ' . ($way eq 'replica' ? 'session_replication_role=replica' : 'contacts.ddl_guard=off');

		command_ok(
			[ 'pg_restore', @server, '--exit-on-error', '--data-only',
				$way eq 'disable' ? '--disable-triggers' : (), '-d', $db, "$dir/rows.dump" ],
			"$way: rows");
	}
	$node->safe_psql($db, "SELECT contacts.repair_directory('crm')") if $way eq 'disable';
	is_restored($db, $way, '.');
}

# the directory alone, without the table that it relates to
command_ok([ 'pg_dump', @server, '-n', 'crm', '-e', 'contacts', "--file=$dir/crm.sql", 'original' ], 'dump of the directory');
$node->safe_psql('postgres', 'CREATE DATABASE alone');
command_ok([ 'psql', '-X', '-q', @server, '-v', 'ON_ERROR_STOP=1', '-d', 'alone', '-f', "$dir/crm.sql" ],
	'alone: restore without the table policy');
is_restored('alone', 'alone', '^(R1|R2|trigger|constraint|index)$');

# an export that is read back by ordinary COPY, with both rows of each link
$node->safe_psql('original', <<'SQL');
CREATE TABLE public.export AS TABLE crm.relationship;
DELETE FROM crm.relationship;
UPDATE crm.relationship_type SET is_archived = false;
SQL
$node->safe_psql('original', "COPY public.export TO '$dir/export.copy'; COPY crm.relationship FROM '$dir/export.copy'");
is(links($node, 'original'), $links, 'COPY of both rows: links are identical');
is(unsound($node, 'original'), '', 'COPY of both rows: the directory is sound');

# who may only insert
$node->safe_psql('original', <<'SQL');
CREATE ROLE feeder LOGIN;
GRANT USAGE ON SCHEMA crm TO feeder;
GRANT INSERT ON crm.relationship TO feeder;
SQL
$node->safe_psql('original', <<'SQL', extra_params => [ '-U', 'feeder' ]);
COPY crm.relationship (relationship_type_id, contact_id, related_contact_id) FROM stdin;
2	193	194
2	196	195
\.
SQL
is( $node->safe_psql('original', <<'SQL'),
SELECT count(*) FROM crm.relationship
WHERE relationship_type_id = 2 AND contact_id BETWEEN 193 AND 196 AND related_contact_id BETWEEN 193 AND 196
SQL
	4, 'INSERT alone makes both rows');

# a subscriber
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->start;
$subscriber->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', "$dir/definitions.sql" ],
	'the subscriber has the definitions');
$node->safe_psql('original', 'CREATE PUBLICATION crm FOR TABLES IN SCHEMA crm, public');
$subscriber->safe_psql('postgres', 'CREATE TABLE public.export (LIKE crm.relationship)');
my $connection = $node->connstr . ' dbname=original';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION crm CONNECTION '$connection' PUBLICATION crm");
$subscriber->wait_for_subscription_sync($node, 'crm');

my @steps = (
	[ 'the copy', 'SELECT' ],
	[ 'new links', <<'SQL' ],
INSERT INTO crm.relationship (relationship_type_id, contact_id, related_contact_id, note)
	SELECT 4, g, g + 1, 'later' FROM generate_series(101, 148) g ON CONFLICT DO NOTHING
SQL
	[ 'changed links', "UPDATE crm.relationship SET note = note || '!', ended_on = '2030-01-01' WHERE id % 2 = 0" ],
	[ 'removed links', 'DELETE FROM crm.relationship WHERE id % 5 = 0 AND id < 0' ],
	[ 'removed contacts', 'DELETE FROM crm.contact WHERE id % 9 = 0' ],
	[ 'another cardinality', "UPDATE crm.relationship_type SET is_single = false WHERE name = 'household_head'" ],
	[ 'no links', 'TRUNCATE crm.relationship' ]);
for my $step (@steps)
{
	my ($what, $sql) = @$step;

	$node->safe_psql('original', $sql);
	$node->wait_for_catchup('crm');
	is(links($subscriber, 'postgres'), links($node, 'original'), "subscriber, $what: links are identical");
	is(broken($subscriber, 'postgres', '^R[12]$'), '', "subscriber, $what: they are sound");
}

done_testing();
