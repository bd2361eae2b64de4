-- Row security on or off; how many contacts the reader sees.

SELECT :'variant' = 'open' AS is_open \gset
\if :is_open
	SELECT contacts.disable_row_security('crm') \g /dev/null
\else
	SELECT contacts.enable_row_security('crm') \g /dev/null
\endif
SET ROLE bench_reader;
SELECT 'row security: ' || :'variant' || ', seen: ' || count(*) FROM crm.contact;
