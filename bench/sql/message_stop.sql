-- After the workers: CPU of their backends.  Each message was handed out once.

-- the postmaster counts a backend when it has seen it end
SELECT pg_sleep(0.3) \g /dev/null
WITH used AS (SELECT bench.cpu_of_ended_backends() - cpu AS cpu FROM bench.before)
INSERT INTO bench.measure
	SELECT 'hand_out_' || :clients, 'crm', :round, (SELECT count(*) FROM crm.email_message WHERE state = 'sending' AND attempts = 1), :microseconds / 1e6, cpu FROM used;
SELECT format('%s  round %s  hand out, %s workers  messages %s  not once %s', to_char(clock_timestamp(), 'HH24:MI:SS'), :round, :clients,
	count(*), count(*) FILTER (WHERE attempts <> 1))
FROM crm.email_message;
