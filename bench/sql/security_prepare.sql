-- People by fifties, each fifty of one organization and one last name; half of
-- them shared one by one with a role, a quarter by their organization.

SET session_replication_role = replica;
INSERT INTO crm.organization (id, name) SELECT n, 'Organization ' || n FROM generate_series(1, :rows / 50) n;
INSERT INTO crm.contact (id, first_name, last_name, organization_id, created_at)
	SELECT n + 1, 'Ada', 'Name ' || n / 50, 1 + n / 50, '2020-01-01'::timestamptz + n * interval '1 second'
	FROM generate_series(0, :rows - 1) n;
INSERT INTO crm.contact_share (contact_id, role)
	SELECT n + 1, 'bench_team' FROM generate_series(0, :rows - 1) n WHERE n / 50 % 2 = 0;
INSERT INTO crm.record_share (object_type_id, record_id, role)
	SELECT o.id, 1 + n, 'bench_team'
	FROM crm.object_type o, generate_series(0, :rows / 50 - 1) n
	WHERE o.api_name = 'organization' AND n % 4 = 1;
RESET session_replication_role;
VACUUM ANALYZE crm.contact, crm.organization, crm.contact_share, crm.record_share;

DROP ROLE IF EXISTS bench_reader;
DROP ROLE IF EXISTS bench_team;
CREATE ROLE bench_team;
CREATE ROLE bench_reader IN ROLE bench_team;
GRANT USAGE ON SCHEMA crm TO bench_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO bench_reader;
REVOKE ALL ON crm.secret FROM bench_reader;
