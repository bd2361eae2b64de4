# A logical subscriber takes a directory's rows as they come: it never derives
# a row twice and never stops on what the publisher allowed.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->start;

fill_directory($publisher, 'postgres');

my $dump = $publisher->basedir . '/definitions.sql';
$publisher->command_ok(
	[ 'pg_dump', '--schema-only', "--file=$dump", 'postgres' ],
	'the definitions are dumped');
$subscriber->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', $dump ],
	'and restored on the subscriber');

$publisher->safe_psql('postgres', 'CREATE PUBLICATION crm FOR TABLES IN SCHEMA crm');
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION crm CONNECTION '$connection' PUBLICATION crm");
$subscriber->wait_for_subscription_sync($publisher, 'crm');

# The subscriber has what the publisher has.
sub is_in_step
{
	my ($when) = @_;

	$publisher->wait_for_catchup('crm');
	is( directory_rows($subscriber, 'postgres'),
		directory_rows($publisher, 'postgres'),
		"$when: rows are identical");
	is(unsound($subscriber, 'postgres'), '', "$when: the subscriber's directory is sound");
	return;
}

is_in_step('after the copy');

my @steps = (
	[ 'new contacts', <<'SQL' ],
INSERT INTO crm.contact (last_name, email, mobile_phone)
	SELECT 'New' || g, 'new' || g || '@example.org', '+4670' || 2000000 + g
	FROM generate_series(1, 100) AS g
SQL
	[ 'changed emails', <<'SQL' ],
UPDATE crm.contact SET email = contacts.local_part(email) || '@example.net'
	WHERE id % 3 = 0 AND email IS NOT NULL
SQL
	[ 'a slug exchanged with main', <<'SQL' ],
SELECT crm.set_main(id) FROM crm.identifier WHERE slug = 'work' AND contact_id BETWEEN 10 AND 20
SQL
	[ 'suppression', q{SELECT crm.suppress('person8@example.org', 'bounce')} ],
	[ 'deleted contacts', 'DELETE FROM crm.contact WHERE id BETWEEN 6 AND 9' ],
	[ 'a released value claimed again', <<'SQL' ],
INSERT INTO crm.contact (last_name, email) VALUES ('Again', 'person8@example.org')
SQL
	[ 'leaving unsubscribed by opt_in', <<'SQL' ],
SELECT crm.unsubscribe('person11@example.org', 'own_wish');
SELECT crm.opt_in('person11@example.org', '{"page": "/join"}')
SQL
	[ 'erasure of a value', <<'SQL' ],
UPDATE crm.identifier SET value = NULL WHERE value = 'nobody@example.org'
SQL
	[ 'a renamed organization', q{UPDATE crm.organization SET name = 'New Acme' WHERE id = 1} ],
	[ 'shared phones made exclusive', <<'SQL' ],
UPDATE crm.contact SET mobile_phone = NULL;
SELECT contacts.set_exclusive('crm', 'phone', true)
SQL
);

for my $step (@steps)
{
	my ($name, $sql) = @$step;

	$publisher->safe_psql('postgres', $sql);
	is_in_step($name);
}

is( $subscriber->safe_psql('postgres', 'SELECT sum(apply_error_count) FROM pg_stat_subscription_stats'),
	'0',
	'the apply worker met no error');

# A session of the subscriber that has read the kinds hears of a new one.
my $to_publisher = $publisher->connstr('postgres');
is( $subscriber->safe_psql('postgres', <<"SQL"), "t\nt", 'the kinds are read again');
SELECT contacts.identifier_key('crm', 'email', 'a\@example.org') IS NOT NULL;
\\! psql -X -q -d "$to_publisher" -c "INSERT INTO crm.semantic_type (name) VALUES ('badge')"
DO \$\$ BEGIN
	WHILE NOT EXISTS (SELECT FROM crm.semantic_type WHERE name = 'badge') LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
END \$\$;
SELECT contacts.identifier_key('crm', 'badge', '1') IS NOT NULL;
SQL

# What the publisher would have refused, the subscriber's guards refuse, too.
my ($status, undef, $error) = $subscriber->psql('postgres',
	q{UPDATE crm.identifier SET status = 'opted_in' WHERE status = 'suppressed' AND value IS NOT NULL},
	extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($error, qr/23001/, 'guards hold on the subscriber');

$subscriber->stop;
$publisher->stop;
done_testing();
