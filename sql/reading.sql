-- Reading relationships: helpers of a directory's functions.

CREATE FUNCTION contacts.relationship_path(relationship regclass, from_contact bigint,
	to_contact bigint, max_depth integer,
	OUT step integer, OUT contact_id bigint, OUT relationship_id bigint)
	RETURNS SETOF record
	LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 7 COST 10000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.relationship_path(regclass, bigint, bigint, integer) IS 'a shortest chain of contacts in that table relationship, of links that have not ended, each step with the link that leads to it; no rows if there is none, 22023 if max_depth is negative; needs SELECT on the table';
