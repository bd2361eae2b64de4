# Ghosts are cleaned up by Debian's pg_cron, with the line that doc/operations.md
# gives, in a directory of an ordinary role.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The line, as documented; it schedules the job for the night.
my ($line) = slurp_file('doc/operations.md') =~ /^(SELECT cron\.schedule\(.*cleanup_ghosts.*;)$/m;
ok($line, 'the job is documented') or done_testing(), exit;

my $sharedir = `pg_config --sharedir`;
chomp $sharedir;
if (!-f "$sharedir/extension/pg_cron.control")
{
	SKIP:
	{
		skip 'pg_cron is not installed for this server: apt-get install postgresql-15-cron', 1;
	}
	done_testing();
	exit;
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
CONF
$node->append_conf('postgresql.conf', q{cron.host = '} . $node->host . q{'});
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_cron;
CREATE EXTENSION contacts;
CREATE ROLE owner LOGIN;
GRANT CREATE ON DATABASE postgres TO owner;
GRANT USAGE ON SCHEMA cron TO owner;
SET ROLE owner;
SELECT contacts.create_directory('crm');
SELECT crm.create_ghost('token ' || n) FROM generate_series(1, 2500) n;
INSERT INTO crm.identifier (contact_id, semantic_type, value) VALUES (1, 'email', 'one@example.org');
SELECT crm.opt_in('one@example.org', '{}');
INSERT INTO crm.contact (first_name, last_name, email) VALUES ('Ada', 'Two', 'two@example.org');
RESET ROLE;
SET session_replication_role = replica; -- a year passes
UPDATE crm.contact SET created_at = created_at - interval '1 year', updated_at = updated_at - interval '1 year' WHERE id <> 2;
SQL

is($node->safe_psql('postgres', "SET ROLE owner; $line"), '1', 'the job is scheduled');
# pg_cron of Debian 12 counts in minutes
$node->safe_psql('postgres', "UPDATE cron.job SET schedule = '* * * * *'");
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}),
	'the job has run');
is($node->safe_psql('postgres', q{SELECT DISTINCT status, username FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}),
	'succeeded|owner', 'with the rights of the owner');
is($node->safe_psql('postgres', 'SELECT id, contact_type FROM crm.contact ORDER BY id'),
	"1|ghost\n2|ghost\n2501|lead", 'what nobody will miss is gone');
is($node->safe_psql('postgres', q{SELECT * FROM contacts.check_directory('crm')}), '', 'and the directory is sound');

done_testing();
