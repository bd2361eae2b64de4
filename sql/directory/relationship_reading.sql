-- Reading relationships, with the reader's rights: from either side the same.

CREATE VIEW related_contact WITH (security_invoker = true) AS
	SELECT r.id AS relationship_id, r.contact_id, t.name AS type, t.label,
		r.related_contact_id,
		nullif(concat_ws(' ', c.first_name, c.last_name), '') AS related_name,
		c.contact_type AS related_contact_type,
		r.started_on, r.ended_on, r.note, r.is_primary
	FROM relationship r
		JOIN relationship_type t ON t.id = r.relationship_type_id
		JOIN contact c ON c.id = r.related_contact_id;
COMMENT ON VIEW related_contact IS 'who is related to a contact, ended links included: each link of two contacts once from each side';
COMMENT ON COLUMN related_contact.relationship_id IS 'the row of relationship; the other side of row n is row -n';
COMMENT ON COLUMN related_contact.contact_id IS 'from whose side it is seen';
COMMENT ON COLUMN related_contact.type IS 'what the related contact is to contact_id';
COMMENT ON COLUMN related_contact.label IS 'the type as shown';
COMMENT ON COLUMN related_contact.related_contact_id IS 'the other contact';
COMMENT ON COLUMN related_contact.related_name IS 'first and last name of the other contact; NULL if it has none';
COMMENT ON COLUMN related_contact.related_contact_type IS 'contact_type of the other contact';
COMMENT ON COLUMN related_contact.started_on IS 'first day';
COMMENT ON COLUMN related_contact.ended_on IS 'last day; NULL: it goes on';
COMMENT ON COLUMN related_contact.note IS 'remark';
COMMENT ON COLUMN related_contact.is_primary IS 'the most important one of its kind';

CREATE VIEW record_relationship WITH (security_invoker = true) AS
	SELECT r.id AS relationship_id, o.api_name AS object, r.record_id, r.record_uuid,
		t.inverse_name AS type, t.inverse_label AS label,
		r.contact_id,
		nullif(concat_ws(' ', c.first_name, c.last_name), '') AS name,
		c.contact_type,
		r.started_on, r.ended_on, r.note, r.is_primary
	FROM relationship r
		JOIN relationship_type t ON t.id = r.relationship_type_id
		JOIN object_type o ON o.id = t.object_type_id
		JOIN contact c ON c.id = r.contact_id
	WHERE o.id <> 1;
COMMENT ON VIEW record_relationship IS 'the links of contacts to records, seen from the record: ended ones included (rule R3)';
COMMENT ON COLUMN record_relationship.relationship_id IS 'the row of relationship';
COMMENT ON COLUMN record_relationship.object IS 'api_name of the record''s object type';
COMMENT ON COLUMN record_relationship.record_id IS 'integer key of the record, or NULL';
COMMENT ON COLUMN record_relationship.record_uuid IS 'uuid key of the record, or NULL';
COMMENT ON COLUMN record_relationship.type IS 'what the contact is to the record: the name of the inverse type';
COMMENT ON COLUMN record_relationship.label IS 'the type as shown: the label of the inverse type';
COMMENT ON COLUMN record_relationship.contact_id IS 'who is related to the record';
COMMENT ON COLUMN record_relationship.name IS 'first and last name of the contact; NULL if it has none';
COMMENT ON COLUMN record_relationship.contact_type IS 'contact_type of the contact';
COMMENT ON COLUMN record_relationship.started_on IS 'first day';
COMMENT ON COLUMN record_relationship.ended_on IS 'last day; NULL: it goes on';
COMMENT ON COLUMN record_relationship.note IS 'remark';
COMMENT ON COLUMN record_relationship.is_primary IS 'the most important one of its kind';

CREATE FUNCTION related(contact_id bigint, type text DEFAULT NULL,
	include_ended boolean DEFAULT false) RETURNS SETOF related_contact
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.*
	FROM related_contact v
	WHERE v.contact_id = $1
		AND ($2 IS NULL OR v.type = $2)
		AND ($3 OR v.ended_on IS NULL)
	ORDER BY v.type, v.related_contact_id, v.relationship_id;
END;
COMMENT ON FUNCTION related(bigint, text, boolean) IS 'who is related to the contact now, of one type or all: related(anna, ''parent'') are Anna''s parents; include_ended: also who was';

CREATE FUNCTION household(contact_id bigint) RETURNS SETOF bigint
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE member (id) AS (
		SELECT c.id FROM contact c WHERE c.id = $1
		UNION
		SELECT r.related_contact_id
		FROM member m
			JOIN relationship r ON r.contact_id = m.id
			JOIN relationship_type t ON t.id = r.relationship_type_id
		WHERE t.is_household AND r.ended_on IS NULL AND r.related_contact_id IS NOT NULL
	)
	SELECT m.id FROM member m ORDER BY m.id;
END;
COMMENT ON FUNCTION household(bigint) IS 'the contact and all who live together with it, in order of id: whoever is connected over types that are is_household by links that have not ended';

CREATE FUNCTION relationship_path(from_contact bigint, to_contact bigint,
	max_depth integer DEFAULT 6)
	RETURNS TABLE (step integer, contact_id bigint, type text, relationship_id bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT p.step, p.contact_id, t.name, p.relationship_id
	FROM contacts.relationship_path('relationship'::regclass, $1, $2, $3) p
		LEFT JOIN relationship r ON r.id = p.relationship_id
		LEFT JOIN relationship_type t ON t.id = r.relationship_type_id
	WHERE EXISTS (SELECT FROM contact c WHERE c.id = $1)
		AND EXISTS (SELECT FROM contact c WHERE c.id = $2)
	ORDER BY p.step;
END;
COMMENT ON FUNCTION relationship_path(bigint, bigint, integer) IS 'a shortest chain of people from one contact to another over at most max_depth links that have not ended; type: what the contact of this step is to the one before; no rows if there is no chain, 22023 if max_depth is negative';
