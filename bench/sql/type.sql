-- What types.sql does for one type, :type.

\set address bench.address_ :type
\set other bench.other_ :type
\set sought bench.sought_ :type
\set look_up bench.look_up_ :type
\set index index_ :type

SELECT bench.start() \g /dev/null
CREATE UNIQUE INDEX :index ON :address (value);
SELECT bench.stop('index_build', :'type', :round, :rows);

SELECT :look_up(ARRAY(SELECT value FROM :sought LIMIT 1000)) \g /dev/null
SELECT bench.start() \g /dev/null
SELECT :look_up(ARRAY(SELECT value FROM :sought)) \g /dev/null
SELECT bench.stop('look_up', :'type', :round, (SELECT count(*) FROM :sought));
DROP INDEX bench.:index;

TRUNCATE :other;
SELECT bench.start() \g /dev/null
INSERT INTO :other SELECT value FROM :address;
SELECT bench.stop('unique_insert', :'type', :round, :rows);

ANALYZE :other;
SELECT bench.start() \g /dev/null
SELECT count(*) FROM :address JOIN :other USING (value) \g /dev/null
SELECT bench.stop('join', :'type', :round, :rows);
