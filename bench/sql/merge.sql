-- Merging: two contacts with 20 referring tables, one after another and 10,000
-- in one transaction.
DROP SCHEMA IF EXISTS merge_bench CASCADE;
DO $$ BEGIN IF to_regnamespace('merge_crm') IS NOT NULL THEN PERFORM contacts.drop_directory('merge_crm', cascade => true); END IF; END $$;
SELECT contacts.create_directory('merge_crm') \g /dev/null
CREATE SCHEMA merge_bench;
INSERT INTO merge_crm.contact (id, first_name, last_name, email)
	SELECT g, 'First' || g, 'Last' || g, 'p' || g || '@example.org' FROM generate_series(1, 2 * :merges + 200) g;
DO $$
BEGIN
	FOR i IN 1..20 LOOP
		EXECUTE format('CREATE TABLE merge_bench.t%s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contact_id bigint REFERENCES merge_crm.contact, note text)', i);
		EXECUTE format('INSERT INTO merge_bench.t%s (contact_id, note) SELECT id, ''note'' FROM merge_crm.contact', i);
		EXECUTE format('CREATE INDEX ON merge_bench.t%s (contact_id)', i);
	END LOOP;
END
$$;
ANALYZE;
-- single merges, the first 10 of a session left out; CPU time
SELECT count(contacts.merge_contacts('merge_crm', 2 * g - 1, ARRAY[2 * g])) FROM generate_series(:merges + 1, :merges + 10) g \g /dev/null
SELECT bench.cpu() AS start \gset
SELECT count(contacts.merge_contacts('merge_crm', 2 * g - 1, ARRAY[2 * g])) FROM generate_series(:merges + 11, :merges + 60) g \g /dev/null
SELECT format('merge, 20 tables, ms each: %s', round(((bench.cpu() - :start) * 1000 / 50)::numeric, 2));
-- many in one transaction: the first tenth against the last
BEGIN;
SELECT bench.cpu() AS start \gset
SELECT count(contacts.merge_contacts('merge_crm', 2 * g - 1, ARRAY[2 * g])) FROM generate_series(1, :merges / 10) g \g /dev/null
SELECT bench.cpu() - :start AS first_tenth \gset
SELECT count(contacts.merge_contacts('merge_crm', 2 * g - 1, ARRAY[2 * g])) FROM generate_series(:merges / 10 + 1, :merges * 9 / 10) g \g /dev/null
SELECT bench.cpu() AS start \gset
SELECT count(contacts.merge_contacts('merge_crm', 2 * g - 1, ARRAY[2 * g])) FROM generate_series(:merges * 9 / 10 + 1, :merges) g \g /dev/null
SELECT format('%s merges in one transaction, ms each: %s in the first tenth, %s in the last', :merges,
	round((:first_tenth * 10000 / :merges)::numeric, 2), round(((bench.cpu() - :start) * 10000 / :merges)::numeric, 2));
ROLLBACK;
DROP SCHEMA merge_bench CASCADE;
SELECT contacts.drop_directory('merge_crm', cascade => true) \g /dev/null
