/*
 * contacts.email: an email address as its canonical text.
 *
 * The type and its functions stand in schema contacts, its operators and
 * aggregates in pg_catalog: in a schema outside the search_path, email = $1
 * would silently compare as text.
 */
CREATE TYPE contacts.email;

CREATE FUNCTION contacts.email_in(cstring) RETURNS contacts.email
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.email_in(cstring) IS 'input';

CREATE FUNCTION contacts.email_out(contacts.email) RETURNS cstring
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_out'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.email_out(contacts.email) IS 'output';

CREATE FUNCTION contacts.email_recv(internal) RETURNS contacts.email
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.email_recv(internal) IS 'binary input, under the rules of text input';

CREATE FUNCTION contacts.email_send(contacts.email) RETURNS bytea
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_send'
	STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.email_send(contacts.email) IS 'binary output';

-- Category of strings, so that parameters of any string type insert.
CREATE TYPE contacts.email (
	INPUT = contacts.email_in,
	OUTPUT = contacts.email_out,
	RECEIVE = contacts.email_recv,
	SEND = contacts.email_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = main,
	CATEGORY = 'S'
);
COMMENT ON TYPE contacts.email IS 'email address in canonical form: the same address is equal however it was written';

/* Casts: out of the type always, into it on assignment. */
CREATE FUNCTION contacts.email(text) RETURNS contacts.email
	LANGUAGE C AS 'MODULE_PATHNAME', 'email_from_text'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.email(text) IS 'the email address that a text reads as; an error if it is none';

CREATE CAST (text AS contacts.email) WITH FUNCTION contacts.email(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS contacts.email) IS 'reads a text as an email address';
CREATE CAST (varchar AS contacts.email) WITH FUNCTION contacts.email(text) AS ASSIGNMENT;
COMMENT ON CAST (varchar AS contacts.email) IS 'reads a text as an email address';
-- By a function, though the storage is the same: PostgreSQL 18 looks through a
-- relabelled column to its index, and LIKE then fails on the collation that an
-- index of addresses does not have.
CREATE FUNCTION contacts.email_text(contacts.email) RETURNS text
	LANGUAGE C AS 'MODULE_PATHNAME', 'address_to_text'
	IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION contacts.email_text(contacts.email) IS 'the canonical text';
CREATE CAST (contacts.email AS text) WITH FUNCTION contacts.email_text(contacts.email) AS IMPLICIT;
COMMENT ON CAST (contacts.email AS text) IS 'the canonical text';
CREATE CAST (contacts.email AS varchar) WITH FUNCTION contacts.email_text(contacts.email) AS IMPLICIT;
COMMENT ON CAST (contacts.email AS varchar) IS 'the canonical text';

CREATE FUNCTION contacts.try_email(text) RETURNS contacts.email
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.try_email(text) IS 'the email address that a text reads as, NULL if it is none';

CREATE FUNCTION contacts.local_part(contacts.email) RETURNS text
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.local_part(contacts.email) IS 'what stands before the @';

CREATE FUNCTION contacts.domain(contacts.email) RETURNS text
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.domain(contacts.email) IS 'the domain in the form that mail servers use (xn-- labels)';

CREATE FUNCTION contacts.display(contacts.email) RETURNS text
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.display(contacts.email) IS 'the address as people read it, its xn-- labels decoded';

CREATE FUNCTION contacts.mailbox_key(contacts.email) RETURNS text
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.mailbox_key(contacts.email) IS 'the address without plus tag and without the dots that its provider ignores: advisory, to find duplicates, never a key';

/*
 * email with email: equal means the same bytes, and the order is that of bytes,
 * so that the server's own functions of bytea do the work.  LEAKPROOF as
 * these are: else row security would turn every look-up into a scan.
 */

CREATE FUNCTION contacts.email_eq(contacts.email, contacts.email) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_eq'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_eq(contacts.email, contacts.email) IS 'implementation of = operator';

CREATE FUNCTION contacts.email_ne(contacts.email, contacts.email) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_ne'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_ne(contacts.email, contacts.email) IS 'implementation of <> operator';

CREATE FUNCTION contacts.email_lt(contacts.email, contacts.email) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_lt'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_lt(contacts.email, contacts.email) IS 'implementation of < operator';

CREATE FUNCTION contacts.email_le(contacts.email, contacts.email) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_le'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_le(contacts.email, contacts.email) IS 'implementation of <= operator';

CREATE FUNCTION contacts.email_gt(contacts.email, contacts.email) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_gt'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_gt(contacts.email, contacts.email) IS 'implementation of > operator';

CREATE FUNCTION contacts.email_ge(contacts.email, contacts.email) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_ge'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_ge(contacts.email, contacts.email) IS 'implementation of >= operator';

CREATE FUNCTION contacts.email_cmp(contacts.email, contacts.email) RETURNS integer
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_cmp'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_cmp(contacts.email, contacts.email) IS 'less, equal, greater: the order of bytes';

CREATE FUNCTION contacts.email_hash(contacts.email) RETURNS integer
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_hash_bytes'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_hash(contacts.email) IS 'hash';

CREATE FUNCTION contacts.email_hash_extended(contacts.email, bigint) RETURNS bigint
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_hash_bytes_extended'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_hash_extended(contacts.email, bigint) IS 'hash with a seed';

CREATE OPERATOR pg_catalog.= (
	LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = contacts.email_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (contacts.email, contacts.email) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
	LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = contacts.email_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (contacts.email, contacts.email) IS 'not equal';

CREATE OPERATOR pg_catalog.< (
	LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = contacts.email_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (contacts.email, contacts.email) IS 'less than';

CREATE OPERATOR pg_catalog.<= (
	LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = contacts.email_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (contacts.email, contacts.email) IS 'less than or equal';

CREATE OPERATOR pg_catalog.> (
	LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = contacts.email_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (contacts.email, contacts.email) IS 'greater than';

CREATE OPERATOR pg_catalog.>= (
	LEFTARG = contacts.email, RIGHTARG = contacts.email, FUNCTION = contacts.email_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (contacts.email, contacts.email) IS 'greater than or equal';

/*
 * email with text, which is what drivers send: the text counts as the address
 * that it reads as or, where it is none, as its raw bytes.  LEAKPROOF, because no
 * text raises an error.
 */

CREATE FUNCTION contacts.email_text_eq(contacts.email, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_eq(contacts.email, text) IS 'implementation of = operator';

CREATE FUNCTION contacts.email_text_ne(contacts.email, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_ne(contacts.email, text) IS 'implementation of <> operator';

CREATE FUNCTION contacts.email_text_lt(contacts.email, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_lt(contacts.email, text) IS 'implementation of < operator';

CREATE FUNCTION contacts.email_text_le(contacts.email, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_le(contacts.email, text) IS 'implementation of <= operator';

CREATE FUNCTION contacts.email_text_gt(contacts.email, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_gt(contacts.email, text) IS 'implementation of > operator';

CREATE FUNCTION contacts.email_text_ge(contacts.email, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_ge(contacts.email, text) IS 'implementation of >= operator';

CREATE FUNCTION contacts.email_text_cmp(contacts.email, text) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_text_cmp(contacts.email, text) IS 'less, equal, greater: the order of bytes';

CREATE FUNCTION contacts.text_email_eq(text, contacts.email) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_eq(text, contacts.email) IS 'implementation of = operator';

CREATE FUNCTION contacts.text_email_ne(text, contacts.email) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_ne(text, contacts.email) IS 'implementation of <> operator';

CREATE FUNCTION contacts.text_email_lt(text, contacts.email) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_lt(text, contacts.email) IS 'implementation of < operator';

CREATE FUNCTION contacts.text_email_le(text, contacts.email) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_le(text, contacts.email) IS 'implementation of <= operator';

CREATE FUNCTION contacts.text_email_gt(text, contacts.email) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_gt(text, contacts.email) IS 'implementation of > operator';

CREATE FUNCTION contacts.text_email_ge(text, contacts.email) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_ge(text, contacts.email) IS 'implementation of >= operator';

CREATE FUNCTION contacts.text_email_cmp(text, contacts.email) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_email_cmp(text, contacts.email) IS 'less, equal, greater: the order of bytes';

CREATE OPERATOR pg_catalog.= (
	LEFTARG = contacts.email, RIGHTARG = text, FUNCTION = contacts.email_text_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (contacts.email, text) IS 'equal, the text read as an address';

CREATE OPERATOR pg_catalog.<> (
	LEFTARG = contacts.email, RIGHTARG = text, FUNCTION = contacts.email_text_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (contacts.email, text) IS 'not equal, the text read as an address';

CREATE OPERATOR pg_catalog.< (
	LEFTARG = contacts.email, RIGHTARG = text, FUNCTION = contacts.email_text_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (contacts.email, text) IS 'less than, the text read as an address';

CREATE OPERATOR pg_catalog.<= (
	LEFTARG = contacts.email, RIGHTARG = text, FUNCTION = contacts.email_text_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (contacts.email, text) IS 'less than or equal, the text read as an address';

CREATE OPERATOR pg_catalog.> (
	LEFTARG = contacts.email, RIGHTARG = text, FUNCTION = contacts.email_text_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (contacts.email, text) IS 'greater than, the text read as an address';

CREATE OPERATOR pg_catalog.>= (
	LEFTARG = contacts.email, RIGHTARG = text, FUNCTION = contacts.email_text_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (contacts.email, text) IS 'greater than or equal, the text read as an address';

CREATE OPERATOR pg_catalog.= (
	LEFTARG = text, RIGHTARG = contacts.email, FUNCTION = contacts.text_email_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (text, contacts.email) IS 'equal, the text read as an address';

CREATE OPERATOR pg_catalog.<> (
	LEFTARG = text, RIGHTARG = contacts.email, FUNCTION = contacts.text_email_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (text, contacts.email) IS 'not equal, the text read as an address';

CREATE OPERATOR pg_catalog.< (
	LEFTARG = text, RIGHTARG = contacts.email, FUNCTION = contacts.text_email_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (text, contacts.email) IS 'less than, the text read as an address';

CREATE OPERATOR pg_catalog.<= (
	LEFTARG = text, RIGHTARG = contacts.email, FUNCTION = contacts.text_email_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (text, contacts.email) IS 'less than or equal, the text read as an address';

CREATE OPERATOR pg_catalog.> (
	LEFTARG = text, RIGHTARG = contacts.email, FUNCTION = contacts.text_email_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (text, contacts.email) IS 'greater than, the text read as an address';

CREATE OPERATOR pg_catalog.>= (
	LEFTARG = text, RIGHTARG = contacts.email, FUNCTION = contacts.text_email_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (text, contacts.email) IS 'greater than or equal, the text read as an address';

/*
 * text with text, both read as addresses: completes the families, else hash and
 * merge joins and IN (SELECT text) fail.  The planner finds them by itself;
 * their names keep them apart from the operators of text.
 */

CREATE FUNCTION contacts.email_texts_eq(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_eq(text, text) IS 'implementation of =# operator';

CREATE FUNCTION contacts.email_texts_lt(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_lt(text, text) IS 'implementation of <# operator';

CREATE FUNCTION contacts.email_texts_le(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_le(text, text) IS 'implementation of <=# operator';

CREATE FUNCTION contacts.email_texts_gt(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_gt(text, text) IS 'implementation of ># operator';

CREATE FUNCTION contacts.email_texts_ge(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_ge(text, text) IS 'implementation of >=# operator';

CREATE FUNCTION contacts.email_texts_cmp(text, text) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_cmp(text, text) IS 'less, equal, greater: the order of bytes';

CREATE OPERATOR contacts.=# (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.email_texts_eq,
	COMMUTATOR = OPERATOR(contacts.=#),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR contacts.=# (text, text) IS 'equal, texts read as addresses';

CREATE OPERATOR contacts.<# (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.email_texts_lt,
	COMMUTATOR = OPERATOR(contacts.>#), NEGATOR = OPERATOR(contacts.>=#),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR contacts.<# (text, text) IS 'less than, texts read as addresses';

CREATE OPERATOR contacts.<=# (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.email_texts_le,
	COMMUTATOR = OPERATOR(contacts.>=#), NEGATOR = OPERATOR(contacts.>#),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR contacts.<=# (text, text) IS 'less than or equal, texts read as addresses';

CREATE OPERATOR contacts.># (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.email_texts_gt,
	COMMUTATOR = OPERATOR(contacts.<#), NEGATOR = OPERATOR(contacts.<=#),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR contacts.># (text, text) IS 'greater than, texts read as addresses';

CREATE OPERATOR contacts.>=# (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.email_texts_ge,
	COMMUTATOR = OPERATOR(contacts.<=#), NEGATOR = OPERATOR(contacts.<#),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR contacts.>=# (text, text) IS 'greater than or equal, texts read as addresses';

CREATE FUNCTION contacts.email_texts_sortsupport(internal) RETURNS void
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_sortsupport(internal) IS 'sort support';

CREATE FUNCTION contacts.email_texts_hash(text) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_hash(text) IS 'hash of the address that a text reads as';

CREATE FUNCTION contacts.email_texts_hash_extended(text, bigint) RETURNS bigint
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_texts_hash_extended(text, bigint) IS 'hash with a seed of the address that a text reads as';

/* The operator families. */
CREATE OPERATOR FAMILY contacts.email_ops USING btree;
COMMENT ON OPERATOR FAMILY contacts.email_ops USING btree IS 'email and the texts that read as one, in the order of bytes';
CREATE OPERATOR CLASS contacts.email_ops DEFAULT FOR TYPE contacts.email USING btree FAMILY contacts.email_ops AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 contacts.email_cmp(contacts.email, contacts.email),
	FUNCTION 2 bytea_sortsupport(internal),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS contacts.email_ops USING btree IS 'the order of bytes';

ALTER OPERATOR FAMILY contacts.email_ops USING btree ADD
	OPERATOR 1 < (contacts.email, text),
	OPERATOR 2 <= (contacts.email, text),
	OPERATOR 3 = (contacts.email, text),
	OPERATOR 4 >= (contacts.email, text),
	OPERATOR 5 > (contacts.email, text),
	FUNCTION 1 (contacts.email, text) contacts.email_text_cmp(contacts.email, text),
	OPERATOR 1 < (text, contacts.email),
	OPERATOR 2 <= (text, contacts.email),
	OPERATOR 3 = (text, contacts.email),
	OPERATOR 4 >= (text, contacts.email),
	OPERATOR 5 > (text, contacts.email),
	FUNCTION 1 (text, contacts.email) contacts.text_email_cmp(text, contacts.email),
	OPERATOR 1 contacts.<# (text, text),
	OPERATOR 2 contacts.<=# (text, text),
	OPERATOR 3 contacts.=# (text, text),
	OPERATOR 4 contacts.>=# (text, text),
	OPERATOR 5 contacts.># (text, text),
	FUNCTION 1 (text, text) contacts.email_texts_cmp(text, text),
	FUNCTION 2 (text, text) contacts.email_texts_sortsupport(internal);

CREATE OPERATOR FAMILY contacts.email_ops USING hash;
COMMENT ON OPERATOR FAMILY contacts.email_ops USING hash IS 'email and the texts that read as one';
CREATE OPERATOR CLASS contacts.email_ops DEFAULT FOR TYPE contacts.email USING hash FAMILY contacts.email_ops AS
	OPERATOR 1 =,
	FUNCTION 1 contacts.email_hash(contacts.email),
	FUNCTION 2 contacts.email_hash_extended(contacts.email, bigint);
COMMENT ON OPERATOR CLASS contacts.email_ops USING hash IS 'hash of the canonical bytes';

ALTER OPERATOR FAMILY contacts.email_ops USING hash ADD
	OPERATOR 1 = (contacts.email, text),
	OPERATOR 1 = (text, contacts.email),
	OPERATOR 1 contacts.=# (text, text),
	FUNCTION 1 (text, text) contacts.email_texts_hash(text),
	FUNCTION 2 (text, text) contacts.email_texts_hash_extended(text, bigint);

/*
 * Without aggregates of its own, min(email) would be min(text): of another type
 * and in the order of the collation.
 */

CREATE FUNCTION contacts.email_smaller(contacts.email, contacts.email) RETURNS contacts.email
	LANGUAGE C AS 'MODULE_PATHNAME', 'address_smaller'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_smaller(contacts.email, contacts.email) IS 'smaller of two';

CREATE FUNCTION contacts.email_larger(contacts.email, contacts.email) RETURNS contacts.email
	LANGUAGE C AS 'MODULE_PATHNAME', 'address_larger'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.email_larger(contacts.email, contacts.email) IS 'larger of two';

CREATE AGGREGATE pg_catalog.min(contacts.email) (
	SFUNC = contacts.email_smaller, STYPE = contacts.email,
	COMBINEFUNC = contacts.email_smaller, SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pg_catalog.min(contacts.email) IS 'least address of all, in the order of bytes';

CREATE AGGREGATE pg_catalog.max(contacts.email) (
	SFUNC = contacts.email_larger, STYPE = contacts.email,
	COMBINEFUNC = contacts.email_larger, SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pg_catalog.max(contacts.email) IS 'greatest address of all, in the order of bytes';
