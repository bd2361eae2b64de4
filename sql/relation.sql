-- Type relation: a table by its oid, as regclass, but read as - where there is
-- no such table (rule R3: a dump of a directory restores without it).

CREATE TYPE contacts.relation;
CREATE FUNCTION contacts.relation_in(cstring) RETURNS contacts.relation
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION contacts.relation_out(contacts.relation) RETURNS cstring
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION contacts.relation_recv(internal) RETURNS contacts.relation
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION contacts.relation_send(contacts.relation) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE TYPE contacts.relation (
	INPUT = contacts.relation_in, OUTPUT = contacts.relation_out,
	RECEIVE = contacts.relation_recv, SEND = contacts.relation_send,
	LIKE = pg_catalog.oid, CATEGORY = 'N'
);
CREATE CAST (contacts.relation AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (contacts.relation AS regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (regclass AS contacts.relation) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON TYPE contacts.relation IS 'a table, as regclass; - where it does not exist';
COMMENT ON FUNCTION contacts.relation_in(cstring) IS 'input of type relation: a table name, resolved as by regclass; - if there is none';
COMMENT ON FUNCTION contacts.relation_out(contacts.relation) IS 'output of type relation: the name of the table';
COMMENT ON FUNCTION contacts.relation_recv(internal) IS 'binary input of type relation: the name of the table';
COMMENT ON FUNCTION contacts.relation_send(contacts.relation) IS 'binary output of type relation: the name of the table';
COMMENT ON CAST (contacts.relation AS oid) IS 'the oid of the table';
COMMENT ON CAST (contacts.relation AS regclass) IS 'the table';
COMMENT ON CAST (regclass AS contacts.relation) IS 'the table';
