-- Who may make the triggers of the extension: all its trigger functions, so this
-- comes last.
--
-- EXECUTE is needed to make a trigger, not to fire one.  attach_triggers()
-- makes them for everybody; who installs the extension may also restore a dump.
DO $$
DECLARE
	function regprocedure;
BEGIN
	FOR function IN
		SELECT oid FROM pg_proc
		WHERE pronamespace = 'contacts'::regnamespace AND prorettype = 'trigger'::regtype
	LOOP
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO @extowner@', function);
	END LOOP;
END
$$;

-- Whoever adds a partition to a registered table makes its triggers; they do
-- nothing but for a directory that has registered the table.
GRANT EXECUTE ON FUNCTION contacts.record_change() TO PUBLIC;
