/*
 * contacts.phone: a phone number as its canonical text, E.164.
 *
 * Where schema contacts and where pg_catalog is used is said in email.sql.
 * What reads text is STABLE, because the setting contacts.default_region says
 * whose national formats are read; the operators read the international form
 * only.
 */
CREATE TYPE contacts.phone;

CREATE FUNCTION contacts.phone_in(cstring) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME'
	STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_in(cstring) IS 'input';

CREATE FUNCTION contacts.phone_out(contacts.phone) RETURNS cstring
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_out'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_out(contacts.phone) IS 'output';

CREATE FUNCTION contacts.phone_recv(internal) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME'
	STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_recv(internal) IS 'binary input, under the rules of text input';

CREATE FUNCTION contacts.phone_send(contacts.phone) RETURNS bytea
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_send'
	STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_send(contacts.phone) IS 'binary output';

-- Category of strings, so that parameters of any string type insert.
CREATE TYPE contacts.phone (
	INPUT = contacts.phone_in,
	OUTPUT = contacts.phone_out,
	RECEIVE = contacts.phone_recv,
	SEND = contacts.phone_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = main,
	CATEGORY = 'S'
);
COMMENT ON TYPE contacts.phone IS 'phone number in canonical form (E.164): the same number is equal however it was written';

/* Casts: out of the type always, into it on assignment. */
CREATE FUNCTION contacts.phone(text) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME', 'phone_from_text'
	STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone(text) IS 'the phone number that a text reads as; an error if it is none';

CREATE CAST (text AS contacts.phone) WITH FUNCTION contacts.phone(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS contacts.phone) IS 'reads a text as a phone number';
CREATE CAST (varchar AS contacts.phone) WITH FUNCTION contacts.phone(text) AS ASSIGNMENT;
COMMENT ON CAST (varchar AS contacts.phone) IS 'reads a text as a phone number';
-- By a function, for the reason given in email.sql.
CREATE FUNCTION contacts.phone_text(contacts.phone) RETURNS text
	LANGUAGE C AS 'MODULE_PATHNAME', 'address_to_text'
	IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_text(contacts.phone) IS 'the canonical text';
CREATE CAST (contacts.phone AS text) WITH FUNCTION contacts.phone_text(contacts.phone) AS IMPLICIT;
COMMENT ON CAST (contacts.phone AS text) IS 'the canonical text';
CREATE CAST (contacts.phone AS varchar) WITH FUNCTION contacts.phone_text(contacts.phone) AS IMPLICIT;
COMMENT ON CAST (contacts.phone AS varchar) IS 'the canonical text';

CREATE FUNCTION contacts.phone(text, region text) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME', 'phone_from_national'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone(text, text) IS 'the phone number that a text reads as, national formats of the region (two letters of ISO 3166-1) included; an error if it is none';

CREATE FUNCTION contacts.try_phone(text) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME'
	STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.try_phone(text) IS 'the phone number that a text reads as, NULL if it is none';

CREATE FUNCTION contacts.phone_country_code(contacts.phone) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_country_code(contacts.phone) IS 'the calling code of a number, without +: several countries may share one';

CREATE FUNCTION contacts.phone_possible(contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contacts.phone_possible(contacts.phone) IS 'does the numbering plan know numbers of this length?  Advisory: input takes others, too';

/*
 * phone with phone: equal means the same bytes, and the order is that of bytes,
 * so that the server's own functions of bytea do the work.  LEAKPROOF as
 * these are: else row security would turn every look-up into a scan.
 */

CREATE FUNCTION contacts.phone_eq(contacts.phone, contacts.phone) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_eq'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_eq(contacts.phone, contacts.phone) IS 'implementation of = operator';

CREATE FUNCTION contacts.phone_ne(contacts.phone, contacts.phone) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_ne'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_ne(contacts.phone, contacts.phone) IS 'implementation of <> operator';

CREATE FUNCTION contacts.phone_lt(contacts.phone, contacts.phone) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_lt'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_lt(contacts.phone, contacts.phone) IS 'implementation of < operator';

CREATE FUNCTION contacts.phone_le(contacts.phone, contacts.phone) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_le'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_le(contacts.phone, contacts.phone) IS 'implementation of <= operator';

CREATE FUNCTION contacts.phone_gt(contacts.phone, contacts.phone) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_gt'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_gt(contacts.phone, contacts.phone) IS 'implementation of > operator';

CREATE FUNCTION contacts.phone_ge(contacts.phone, contacts.phone) RETURNS boolean
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_ge'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_ge(contacts.phone, contacts.phone) IS 'implementation of >= operator';

CREATE FUNCTION contacts.phone_cmp(contacts.phone, contacts.phone) RETURNS integer
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_cmp'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_cmp(contacts.phone, contacts.phone) IS 'less, equal, greater: the order of bytes';

CREATE FUNCTION contacts.phone_hash(contacts.phone) RETURNS integer
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_hash_bytes'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_hash(contacts.phone) IS 'hash';

CREATE FUNCTION contacts.phone_hash_extended(contacts.phone, bigint) RETURNS bigint
	LANGUAGE c AS 'MODULE_PATHNAME', 'address_hash_bytes_extended'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_hash_extended(contacts.phone, bigint) IS 'hash with a seed';

CREATE OPERATOR pg_catalog.= (
	LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = contacts.phone_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (contacts.phone, contacts.phone) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
	LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = contacts.phone_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (contacts.phone, contacts.phone) IS 'not equal';

CREATE OPERATOR pg_catalog.< (
	LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = contacts.phone_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (contacts.phone, contacts.phone) IS 'less than';

CREATE OPERATOR pg_catalog.<= (
	LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = contacts.phone_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (contacts.phone, contacts.phone) IS 'less than or equal';

CREATE OPERATOR pg_catalog.> (
	LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = contacts.phone_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (contacts.phone, contacts.phone) IS 'greater than';

CREATE OPERATOR pg_catalog.>= (
	LEFTARG = contacts.phone, RIGHTARG = contacts.phone, FUNCTION = contacts.phone_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (contacts.phone, contacts.phone) IS 'greater than or equal';

/*
 * phone with text, which is what drivers send: the text counts as the number
 * that it reads as or, where it is none, as its raw bytes.  LEAKPROOF, because no
 * text raises an error.
 */

CREATE FUNCTION contacts.phone_text_eq(contacts.phone, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_eq(contacts.phone, text) IS 'implementation of = operator';

CREATE FUNCTION contacts.phone_text_ne(contacts.phone, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_ne(contacts.phone, text) IS 'implementation of <> operator';

CREATE FUNCTION contacts.phone_text_lt(contacts.phone, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_lt(contacts.phone, text) IS 'implementation of < operator';

CREATE FUNCTION contacts.phone_text_le(contacts.phone, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_le(contacts.phone, text) IS 'implementation of <= operator';

CREATE FUNCTION contacts.phone_text_gt(contacts.phone, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_gt(contacts.phone, text) IS 'implementation of > operator';

CREATE FUNCTION contacts.phone_text_ge(contacts.phone, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_ge(contacts.phone, text) IS 'implementation of >= operator';

CREATE FUNCTION contacts.phone_text_cmp(contacts.phone, text) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_text_cmp(contacts.phone, text) IS 'less, equal, greater: the order of bytes';

CREATE FUNCTION contacts.text_phone_eq(text, contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_eq(text, contacts.phone) IS 'implementation of = operator';

CREATE FUNCTION contacts.text_phone_ne(text, contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_ne(text, contacts.phone) IS 'implementation of <> operator';

CREATE FUNCTION contacts.text_phone_lt(text, contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_lt(text, contacts.phone) IS 'implementation of < operator';

CREATE FUNCTION contacts.text_phone_le(text, contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_le(text, contacts.phone) IS 'implementation of <= operator';

CREATE FUNCTION contacts.text_phone_gt(text, contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_gt(text, contacts.phone) IS 'implementation of > operator';

CREATE FUNCTION contacts.text_phone_ge(text, contacts.phone) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_ge(text, contacts.phone) IS 'implementation of >= operator';

CREATE FUNCTION contacts.text_phone_cmp(text, contacts.phone) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.text_phone_cmp(text, contacts.phone) IS 'less, equal, greater: the order of bytes';

CREATE OPERATOR pg_catalog.= (
	LEFTARG = contacts.phone, RIGHTARG = text, FUNCTION = contacts.phone_text_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (contacts.phone, text) IS 'equal, the text read as a number';

CREATE OPERATOR pg_catalog.<> (
	LEFTARG = contacts.phone, RIGHTARG = text, FUNCTION = contacts.phone_text_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (contacts.phone, text) IS 'not equal, the text read as a number';

CREATE OPERATOR pg_catalog.< (
	LEFTARG = contacts.phone, RIGHTARG = text, FUNCTION = contacts.phone_text_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (contacts.phone, text) IS 'less than, the text read as a number';

CREATE OPERATOR pg_catalog.<= (
	LEFTARG = contacts.phone, RIGHTARG = text, FUNCTION = contacts.phone_text_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (contacts.phone, text) IS 'less than or equal, the text read as a number';

CREATE OPERATOR pg_catalog.> (
	LEFTARG = contacts.phone, RIGHTARG = text, FUNCTION = contacts.phone_text_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (contacts.phone, text) IS 'greater than, the text read as a number';

CREATE OPERATOR pg_catalog.>= (
	LEFTARG = contacts.phone, RIGHTARG = text, FUNCTION = contacts.phone_text_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (contacts.phone, text) IS 'greater than or equal, the text read as a number';

CREATE OPERATOR pg_catalog.= (
	LEFTARG = text, RIGHTARG = contacts.phone, FUNCTION = contacts.text_phone_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (text, contacts.phone) IS 'equal, the text read as a number';

CREATE OPERATOR pg_catalog.<> (
	LEFTARG = text, RIGHTARG = contacts.phone, FUNCTION = contacts.text_phone_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (text, contacts.phone) IS 'not equal, the text read as a number';

CREATE OPERATOR pg_catalog.< (
	LEFTARG = text, RIGHTARG = contacts.phone, FUNCTION = contacts.text_phone_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (text, contacts.phone) IS 'less than, the text read as a number';

CREATE OPERATOR pg_catalog.<= (
	LEFTARG = text, RIGHTARG = contacts.phone, FUNCTION = contacts.text_phone_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (text, contacts.phone) IS 'less than or equal, the text read as a number';

CREATE OPERATOR pg_catalog.> (
	LEFTARG = text, RIGHTARG = contacts.phone, FUNCTION = contacts.text_phone_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (text, contacts.phone) IS 'greater than, the text read as a number';

CREATE OPERATOR pg_catalog.>= (
	LEFTARG = text, RIGHTARG = contacts.phone, FUNCTION = contacts.text_phone_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (text, contacts.phone) IS 'greater than or equal, the text read as a number';

/*
 * text with text, both read as numbers: completes the families, else hash and
 * merge joins and IN (SELECT text) fail.  The planner finds them by itself;
 * their names keep them apart from the operators of text.
 */

CREATE FUNCTION contacts.phone_texts_eq(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_eq(text, text) IS 'implementation of =## operator';

CREATE FUNCTION contacts.phone_texts_lt(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_lt(text, text) IS 'implementation of <## operator';

CREATE FUNCTION contacts.phone_texts_le(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_le(text, text) IS 'implementation of <=## operator';

CREATE FUNCTION contacts.phone_texts_gt(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_gt(text, text) IS 'implementation of >## operator';

CREATE FUNCTION contacts.phone_texts_ge(text, text) RETURNS boolean
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_ge(text, text) IS 'implementation of >=## operator';

CREATE FUNCTION contacts.phone_texts_cmp(text, text) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_cmp(text, text) IS 'less, equal, greater: the order of bytes';

CREATE OPERATOR contacts.=## (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.phone_texts_eq,
	COMMUTATOR = OPERATOR(contacts.=##),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR contacts.=## (text, text) IS 'equal, texts read as numbers';

CREATE OPERATOR contacts.<## (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.phone_texts_lt,
	COMMUTATOR = OPERATOR(contacts.>##), NEGATOR = OPERATOR(contacts.>=##),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR contacts.<## (text, text) IS 'less than, texts read as numbers';

CREATE OPERATOR contacts.<=## (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.phone_texts_le,
	COMMUTATOR = OPERATOR(contacts.>=##), NEGATOR = OPERATOR(contacts.>##),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR contacts.<=## (text, text) IS 'less than or equal, texts read as numbers';

CREATE OPERATOR contacts.>## (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.phone_texts_gt,
	COMMUTATOR = OPERATOR(contacts.<##), NEGATOR = OPERATOR(contacts.<=##),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR contacts.>## (text, text) IS 'greater than, texts read as numbers';

CREATE OPERATOR contacts.>=## (
	LEFTARG = text, RIGHTARG = text, FUNCTION = contacts.phone_texts_ge,
	COMMUTATOR = OPERATOR(contacts.<=##), NEGATOR = OPERATOR(contacts.<##),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR contacts.>=## (text, text) IS 'greater than or equal, texts read as numbers';

CREATE FUNCTION contacts.phone_texts_sortsupport(internal) RETURNS void
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_sortsupport(internal) IS 'sort support';

CREATE FUNCTION contacts.phone_texts_hash(text) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_hash(text) IS 'hash of the number that a text reads as';

CREATE FUNCTION contacts.phone_texts_hash_extended(text, bigint) RETURNS bigint
	LANGUAGE C AS 'MODULE_PATHNAME'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_texts_hash_extended(text, bigint) IS 'hash with a seed of the number that a text reads as';

/* The operator families. */
CREATE OPERATOR FAMILY contacts.phone_ops USING btree;
COMMENT ON OPERATOR FAMILY contacts.phone_ops USING btree IS 'phone and the texts that read as one, in the order of bytes';
CREATE OPERATOR CLASS contacts.phone_ops DEFAULT FOR TYPE contacts.phone USING btree FAMILY contacts.phone_ops AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 contacts.phone_cmp(contacts.phone, contacts.phone),
	FUNCTION 2 bytea_sortsupport(internal),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS contacts.phone_ops USING btree IS 'the order of bytes';

ALTER OPERATOR FAMILY contacts.phone_ops USING btree ADD
	OPERATOR 1 < (contacts.phone, text),
	OPERATOR 2 <= (contacts.phone, text),
	OPERATOR 3 = (contacts.phone, text),
	OPERATOR 4 >= (contacts.phone, text),
	OPERATOR 5 > (contacts.phone, text),
	FUNCTION 1 (contacts.phone, text) contacts.phone_text_cmp(contacts.phone, text),
	OPERATOR 1 < (text, contacts.phone),
	OPERATOR 2 <= (text, contacts.phone),
	OPERATOR 3 = (text, contacts.phone),
	OPERATOR 4 >= (text, contacts.phone),
	OPERATOR 5 > (text, contacts.phone),
	FUNCTION 1 (text, contacts.phone) contacts.text_phone_cmp(text, contacts.phone),
	OPERATOR 1 contacts.<## (text, text),
	OPERATOR 2 contacts.<=## (text, text),
	OPERATOR 3 contacts.=## (text, text),
	OPERATOR 4 contacts.>=## (text, text),
	OPERATOR 5 contacts.>## (text, text),
	FUNCTION 1 (text, text) contacts.phone_texts_cmp(text, text),
	FUNCTION 2 (text, text) contacts.phone_texts_sortsupport(internal);

CREATE OPERATOR FAMILY contacts.phone_ops USING hash;
COMMENT ON OPERATOR FAMILY contacts.phone_ops USING hash IS 'phone and the texts that read as one';
CREATE OPERATOR CLASS contacts.phone_ops DEFAULT FOR TYPE contacts.phone USING hash FAMILY contacts.phone_ops AS
	OPERATOR 1 =,
	FUNCTION 1 contacts.phone_hash(contacts.phone),
	FUNCTION 2 contacts.phone_hash_extended(contacts.phone, bigint);
COMMENT ON OPERATOR CLASS contacts.phone_ops USING hash IS 'hash of the canonical bytes';

ALTER OPERATOR FAMILY contacts.phone_ops USING hash ADD
	OPERATOR 1 = (contacts.phone, text),
	OPERATOR 1 = (text, contacts.phone),
	OPERATOR 1 contacts.=## (text, text),
	FUNCTION 1 (text, text) contacts.phone_texts_hash(text),
	FUNCTION 2 (text, text) contacts.phone_texts_hash_extended(text, bigint);

/*
 * Without aggregates of its own, min(phone) would be min(text): of another type
 * and in the order of the collation.
 */

CREATE FUNCTION contacts.phone_smaller(contacts.phone, contacts.phone) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME', 'address_smaller'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_smaller(contacts.phone, contacts.phone) IS 'smaller of two';

CREATE FUNCTION contacts.phone_larger(contacts.phone, contacts.phone) RETURNS contacts.phone
	LANGUAGE C AS 'MODULE_PATHNAME', 'address_larger'
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION contacts.phone_larger(contacts.phone, contacts.phone) IS 'larger of two';

CREATE AGGREGATE pg_catalog.min(contacts.phone) (
	SFUNC = contacts.phone_smaller, STYPE = contacts.phone,
	COMBINEFUNC = contacts.phone_smaller, SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pg_catalog.min(contacts.phone) IS 'least number of all, in the order of bytes';

CREATE AGGREGATE pg_catalog.max(contacts.phone) (
	SFUNC = contacts.phone_larger, STYPE = contacts.phone,
	COMBINEFUNC = contacts.phone_larger, SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pg_catalog.max(contacts.phone) IS 'greatest number of all, in the order of bytes';
