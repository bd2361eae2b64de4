# Reads work on a hot standby, and see what the primary has written.

use strict;
use warnings;
use lib 'test/t';

use Directory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

fill_directory($primary, 'postgres');
$primary->wait_for_catchup($standby);

my @reads = (
	[ q{SELECT crm.find_contact('email', 'PERSON10@example.org')}, '10' ],
	[ q{SELECT crm.find_contact('email', 'stranger@example.org') IS NULL}, 't' ],
	[ q{SELECT crm.find_contacts('phone', '+46701100010') ORDER BY 1}, "20\n21" ],
	[ q{SELECT crm.resolve_contact('email', 'person10@example.org')}, '10' ],
	[ q{SELECT crm.address_status('nobody@example.org')}, 'suppressed' ],
	[ q{SELECT crm.address_status('forgotten@example.org')}, 'suppressed' ],
	[ q{SELECT crm.address_status('person2@example.org')}, 'unsubscribed' ],
	[ q{SELECT crm.address_status('stranger@example.org')}, 'not_opted_in' ],
	[ q{SELECT contact_type FROM crm.contact WHERE email = 'person10@example.org'}, 'contact' ],
	[ q{SELECT contacts.identifier_key('crm', 'email', 'nobody@example.org')
			= (SELECT key FROM crm.identifier WHERE value = 'nobody@example.org')}, 't' ],
	[ q{SELECT count(*) FROM contacts.directory}, '1' ]);

for my $read (@reads)
{
	my ($sql, $expected) = @$read;

	is($standby->safe_psql('postgres', $sql), $expected, "standby: $sql");
}
is(unsound($standby, 'postgres'), '', 'check_directory runs on the standby');
is(directory_rows($standby, 'postgres'), directory_rows($primary, 'postgres'),
	'the standby has the same rows');

for my $write (
	q{SELECT crm.suppress('person10@example.org', 'bounce')},
	q{INSERT INTO crm.contact (last_name) VALUES ('X')})
{
	my (undef, undef, $error) = $standby->psql('postgres', $write,
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);

	like($error, qr/25006/, "standby refuses: $write");
}

$standby->promote;
is($standby->safe_psql('postgres', <<'SQL'), 'suppressed', 'a promoted standby keeps the rules');
INSERT INTO crm.contact (last_name, email) VALUES ('Y', 'person1@example.org');
SELECT email_status FROM crm.contact WHERE last_name = 'Y'
SQL

$standby->stop;
$primary->stop;
done_testing();
