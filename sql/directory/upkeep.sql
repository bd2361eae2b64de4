-- Ghosts that nobody will miss.

-- A procedure that commits must not have a SET clause, and no atomic body: it
-- names everything in full.  Which directory it is for stands in the default of
-- its last parameter, as an object, so that it follows a rename.
CREATE PROCEDURE cleanup_ghosts(older_than interval DEFAULT NULL, batch integer DEFAULT 1000,
	INOUT deleted bigint DEFAULT 0, INOUT kept bigint DEFAULT 0, INOUT locked bigint DEFAULT 0,
	contact regclass DEFAULT 'contact'::regclass)
	LANGUAGE plpgsql
AS $$
DECLARE
	step pg_catalog.record;
	last pg_catalog.int8 := 0;
BEGIN
	deleted := 0;
	kept := 0;
	locked := 0;
	WHILE last IS NOT NULL LOOP
		COMMIT;
		-- what is looked at after a row is locked must be what is there then
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		SELECT * INTO step FROM contacts.delete_ghosts(contact, older_than, batch, last);
		deleted := deleted OPERATOR(pg_catalog.+) step.deleted;
		kept := kept OPERATOR(pg_catalog.+) step.kept;
		locked := locked OPERATOR(pg_catalog.+) step.locked;
		last := step.last_id;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE cleanup_ghosts(interval, integer, bigint, bigint, bigint, regclass) IS 'deletes ghosts that were not seen for older_than, or setting.ghost_retention, and that nothing refers to: no message, no consent state, no open validation, no row of any table by a foreign key; commits after each batch; how many it deleted, kept and left because somebody else has them locked; not in a transaction block';
