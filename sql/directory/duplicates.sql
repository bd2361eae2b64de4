-- Duplicates: see contacts.find_duplicates().

CREATE FUNCTION dismiss_duplicate(contact_id bigint, other_id bigint) RETURNS void
	LANGUAGE sql VOLATILE
BEGIN ATOMIC
	INSERT INTO merge_suggestion (contact_id, other_id, score, source, state)
	VALUES ($1, $2, 0, 'duplicates', 'dismissed')
	ON CONFLICT (contact_id, other_id) DO UPDATE SET state = 'dismissed';
END;
COMMENT ON FUNCTION dismiss_duplicate(bigint, bigint) IS 'remembers that two contacts are not one person: the pair is not proposed again';
