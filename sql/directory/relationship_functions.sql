-- Linking and parting.

CREATE FUNCTION relate(type text, from_contact bigint, to_id bigint,
	started_on date DEFAULT NULL, ended_on date DEFAULT NULL, note text DEFAULT NULL,
	is_primary boolean DEFAULT false) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.make_link('relationship'::regclass, $1, $2, $3, NULL, $4, $5, $6, $7);
END;
COMMENT ON FUNCTION relate(text, bigint, bigint, date, date, text, boolean) IS 'relates a contact to another, or to a record with an integer key, as the type says: relate(''parent'', anna, berta): Anna''s parent is Berta.  Returns the id of the link''s row on the contact''s side; a link that is there, from whichever side it was entered, is kept as it is.  P0002 for an unknown type';

CREATE FUNCTION relate(type text, from_contact bigint, to_id uuid,
	started_on date DEFAULT NULL, ended_on date DEFAULT NULL, note text DEFAULT NULL,
	is_primary boolean DEFAULT false) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT contacts.make_link('relationship'::regclass, $1, $2, NULL, $3, $4, $5, $6, $7);
END;
COMMENT ON FUNCTION relate(text, bigint, uuid, date, date, text, boolean) IS 'relates a contact to a record with a uuid key; see the other relate()';

CREATE FUNCTION unrelate(link_id bigint) RETURNS bigint
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	DELETE FROM relationship r WHERE r.id = abs($1) RETURNING r.id;
END;
COMMENT ON FUNCTION unrelate(bigint) IS 'removes a link, given the id of either row, and returns its id; NULL if there is none';
