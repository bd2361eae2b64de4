-- import_contacts() of the staging table.

CHECKPOINT;
SELECT bench.start() \g /dev/null
SELECT contacts.import_contacts('crm', 'bench.staging');
SELECT bench.stop('import', 'crm', :round, (SELECT count(*) FROM bench.staging));
