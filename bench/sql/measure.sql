-- What measures: wall and CPU time of the statements between bench.start()
-- and bench.stop(), in the backend that runs them.
-- CPU time comes from the kernel's own account of the backend (nanoseconds on
-- the CPU, user and system); other programs on the machine do not count in it.

CREATE SCHEMA bench;

CREATE TABLE bench.measure (
	item text NOT NULL,
	variant text NOT NULL,
	round int NOT NULL,
	rows bigint NOT NULL,
	wall float8 NOT NULL,
	cpu float8 NOT NULL
);
COMMENT ON TABLE bench.measure IS 'one row per run; wall and cpu in seconds, rows: by what to divide them';

CREATE TABLE bench.memory (
	variant text NOT NULL,
	round int NOT NULL,
	idle_kb bigint NOT NULL,
	peak_kb bigint NOT NULL
);
COMMENT ON TABLE bench.memory IS 'private memory (RssAnon) of a backend before and at most during COPY';

CREATE FUNCTION bench.cpu() RETURNS float8
	LANGUAGE sql VOLATILE
	RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9;

-- CPU seconds of all backends that have ended, in steps of 0.01 s
CREATE FUNCTION bench.cpu_of_ended_backends() RETURNS float8
	LANGUAGE sql VOLATILE
	RETURN (
		SELECT (f[16]::float8 + f[17]::float8) / 100
		FROM string_to_array(regexp_replace(pg_read_file('/proc/'
			|| split_part(pg_read_file('postmaster.pid'), E'\n', 1) || '/stat'),
			'^[0-9]+ \(.*?\) ', '0 0 '), ' ') AS f);

CREATE FUNCTION bench.start() RETURNS void
	LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
	PERFORM set_config('bench.cpu', bench.cpu()::text, false);
	PERFORM set_config('bench.wall', extract(epoch FROM clock_timestamp())::text, false);
END
$$;

CREATE FUNCTION bench.stop(item text, variant text, round int, rows bigint) RETURNS text
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	wall float8 := extract(epoch FROM clock_timestamp()) - current_setting('bench.wall')::float8;
	cpu float8 := bench.cpu() - current_setting('bench.cpu')::float8;
BEGIN
	INSERT INTO bench.measure VALUES (item, variant, round, rows, wall, cpu);
	RETURN format('%s  round %s  %-28s %-16s wall %s s  cpu %s s',
		to_char(clock_timestamp(), 'HH24:MI:SS'), round, item, variant,
		to_char(wall, '990.00'), to_char(cpu, '990.00'));
END
$$;
