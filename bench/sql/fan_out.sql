-- All links of the ten people with a fan-out of :fan_out, 100,000 rows or more.

SELECT :rows + 1 + 10 * (length(:'fan_out') - 1) AS first, 100000 / least(:fan_out, :rows) / 10 + 1 AS repeats \gset
SELECT bench.read_related(:first, 1) \g /dev/null
SELECT bench.start() \g /dev/null
SELECT bench.read_related(:first, :repeats) \g /dev/null
SELECT bench.stop('fan_out', :'fan_out', :round,
	:repeats * (SELECT count(*) FROM crm.relationship WHERE contact_id BETWEEN :first AND :first + 9));
