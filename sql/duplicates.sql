-- Duplicates: pairs of contacts that may be one person.
--
-- contacts.duplicate_pairs() makes the pairs that are worth looking at, in time
-- that is proportional to the contacts: src/duplicate_pairs.c tells how.  Those
-- that may score best are compared here.

CREATE FUNCTION contacts.folded_name(name text, keep_marks boolean DEFAULT false) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.folded_name(text, boolean) IS 'a name as it is compared: words of lower case without punctuation and, unless keep_marks is true, without diacritics; advisory, never a key';

CREATE FUNCTION contacts.name_similarity(folded_name text, other text) RETURNS real
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.name_similarity(text, text) IS 'how similar two folded names are, from 0 to 1: the share of their trigrams that they have in common, as similarity() of pg_trgm';

CREATE FUNCTION contacts.duplicate_pairs(directory text, since timestamptz)
	RETURNS TABLE (contact_id bigint, other_id bigint, evidence integer, namesakes integer)
	LANGUAGE c STABLE PARALLEL UNSAFE ROWS 100000 COST 1000000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.duplicate_pairs(text, timestamptz) IS 'pairs of contacts that have something in common, one of whom at least changed since then; evidence: 1 mailbox, 2 phone number, 4 all words of the name, 8 their sound, 16 organization and initials, or a sum; namesakes: how many contacts have the words of the name, if they were counted; needs SELECT on contact, identifier and semantic_type';

-- What each piece of evidence is worth: the pieces add up as independent ones
-- do.  Two names that have nothing in common speak against it.
CREATE FUNCTION contacts.duplicate_score(same_mailbox boolean, same_phone boolean, name double precision,
	same_organization boolean, other_name boolean)
	RETURNS real
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT (1 - (1 - CASE WHEN NOT same_mailbox THEN 0::double precision WHEN other_name THEN 0.5::double precision ELSE 0.85::double precision END)
		* (1 - CASE WHEN NOT same_phone THEN 0::double precision WHEN other_name THEN 0.15::double precision ELSE 0.45::double precision END)
		* (1 - 0.6::double precision * name)
		* (1 - CASE WHEN same_organization AND name > 0 THEN 0.3::double precision ELSE 0::double precision END))::real;
END;
COMMENT ON FUNCTION contacts.duplicate_score(boolean, boolean, double precision, boolean, boolean) IS 'how much speaks for two contacts being one person, from 0 to 1; name: how much their names do';

-- A name counts for less the more contacts bear it: namesakes, NULL if they
-- were not counted.
CREATE FUNCTION contacts.name_weight(namesakes integer, is_same boolean) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN namesakes > 2 THEN ln(2::double precision) / ln(namesakes::double precision)
		WHEN namesakes IS NOT NULL THEN 1::double precision
		WHEN is_same THEN 0.3::double precision ELSE 0.7::double precision END;
END;
COMMENT ON FUNCTION contacts.name_weight(integer, boolean) IS 'how much a name that so many contacts bear tells of a person, from 0 to 1';

-- Only the extension's own function is taken, wherever it was installed.
CREATE FUNCTION contacts.similarity_function() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce((
		SELECT format('%I.%I', n.nspname, p.proname)
		FROM pg_extension e
			JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
				AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
			JOIN pg_proc p ON p.oid = d.objid
			JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE e.extname = 'pg_trgm' AND p.proname = 'similarity'
			AND pg_get_function_identity_arguments(p.oid) = 'text, text'
			AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')),
		'contacts.name_similarity');
END;
COMMENT ON FUNCTION contacts.similarity_function() IS 'the function that compares names: that of pg_trgm where it is installed, else contacts.name_similarity';

-- $1: the directory; $2: since; $3: how many pairs to compare, those that may
-- score best; $4: how many to return.
CREATE FUNCTION contacts.duplicate_query(directory text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT format($query$
		WITH candidate AS MATERIALIZED (
			SELECT p.*
			FROM contacts.duplicate_pairs($1, $2) p
			WHERE NOT EXISTS (SELECT FROM ONLY %1$I.merge_suggestion m
				WHERE m.contact_id = p.contact_id AND m.other_id = p.other_id AND m.state = 'dismissed')
			ORDER BY contacts.duplicate_score(p.evidence & 1 > 0, p.evidence & 2 > 0,
				CASE WHEN p.evidence & 28 > 0 THEN contacts.name_weight(p.namesakes, p.evidence & 4 > 0)
					ELSE 0::double precision END,
				p.evidence & 16 > 0, p.evidence & 28 = 0) DESC, p.contact_id, p.other_id
			LIMIT $3
		)
		SELECT p.contact_id, p.other_id, s.score,
			array_remove(ARRAY[
				CASE WHEN p.evidence & 1 > 0 THEN 'same_mailbox' END,
				CASE WHEN p.evidence & 2 > 0 THEN 'same_phone' END,
				CASE WHEN n.is_same AND n.has_other_marks THEN 'diacritics'
					WHEN n.is_same THEN 'same_name'
					WHEN n.is_swapped THEN 'swapped_name'
					WHEN n.alike >= 0.5 THEN 'similar_name' END,
				CASE WHEN n.same_organization AND w.name > 0 THEN 'same_organization' END], NULL) AS reasons
		FROM candidate p
			JOIN ONLY %1$I.contact a ON a.id = p.contact_id
			JOIN ONLY %1$I.contact o ON o.id = p.other_id
			CROSS JOIN LATERAL (
				SELECT contacts.folded_name(coalesce(a.first_name, '')) AS first,
					contacts.folded_name(coalesce(a.last_name, '')) AS last,
					contacts.folded_name(coalesce(o.first_name, '')) AS other_first,
					contacts.folded_name(coalesce(o.last_name, '')) AS other_last
				OFFSET 0
			) f
			CROSS JOIN LATERAL (
				SELECT f.first = f.other_first AND f.last = f.other_last AND f.first || f.last <> '' AS is_same,
					f.first = f.other_last AND f.last = f.other_first AND f.first <> f.last AS is_swapped,
					contacts.folded_name(concat(a.first_name, ' ', a.last_name), true)
						<> contacts.folded_name(concat(o.first_name, ' ', o.last_name), true) AS has_other_marks,
					%2$s(f.first || ' ' || f.last, f.other_first || ' ' || f.other_last)::double precision AS alike,
					f.first <> '' AND f.last <> '' AND f.other_first <> '' AND f.other_last <> '' AS are_whole,
					coalesce(a.organization_id = o.organization_id, false) AS same_organization
				OFFSET 0
			) n
			CROSS JOIN LATERAL (
				SELECT CASE WHEN n.is_same THEN 1 WHEN n.is_swapped THEN 0.9 WHEN n.alike >= 0.5 THEN n.alike ELSE 0 END
					* contacts.name_weight(p.namesakes, n.is_same OR n.is_swapped OR p.evidence & 4 > 0) AS name
				OFFSET 0
			) w
			CROSS JOIN LATERAL (
				SELECT round(contacts.duplicate_score(p.evidence & 1 > 0, p.evidence & 2 > 0, w.name,
					n.same_organization, n.are_whole AND n.alike < 0.3 AND NOT n.is_swapped)::numeric, 3)::real AS score
				OFFSET 0
			) s
		WHERE p.evidence & 3 > 0 OR w.name > 0
		ORDER BY s.score DESC, p.contact_id, p.other_id
		LIMIT $4$query$, directory, contacts.similarity_function());
$function$;
COMMENT ON FUNCTION contacts.duplicate_query(text) IS 'the query of find_duplicates(): the pairs of duplicate_pairs() that may score best, compared';

CREATE FUNCTION contacts.find_duplicates(directory text, "limit" integer DEFAULT 100, since timestamptz DEFAULT NULL)
	RETURNS TABLE (contact_id bigint, other_id bigint, score real, reasons text[])
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	PERFORM contacts.directory_schema(directory);
	IF "limit" < 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'limit must not be negative';
	END IF;
	RETURN QUERY EXECUTE contacts.duplicate_query(directory)
		USING directory, since, CASE WHEN "limit" IS NOT NULL THEN greatest(20 * "limit"::bigint, 5000) END, "limit";
END
$$;
COMMENT ON FUNCTION contacts.find_duplicates(text, integer, timestamptz) IS 'pairs of contacts that may be one person, the likeliest first, with a score from 0 to 1 and the reasons: same_mailbox, same_phone, same_name, diacritics, swapped_name, similar_name, same_organization; neither ghosts, archived contacts nor dismissed pairs; since: only pairs one of whom changed since then; "limit" NULL: all';

CREATE FUNCTION contacts.suggest_duplicates(directory text, "limit" integer DEFAULT 100, since timestamptz DEFAULT NULL)
	RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	is_bound boolean;
	stored integer;
BEGIN
	PERFORM contacts.directory_schema(directory);
	-- whom row security binds does not see everything that a score is made of
	is_bound := row_security_active(format('%I.contact', directory)::regclass);
	EXECUTE format($query$
		WITH found AS MATERIALIZED (
			SELECT d.* FROM contacts.find_duplicates($1, $2, $3) d
		), stored AS (
			INSERT INTO %1$I.merge_suggestion AS m (contact_id, other_id, score, reasons, source)
			SELECT d.contact_id, d.other_id, d.score, d.reasons, 'duplicates' FROM found d
			ORDER BY d.contact_id, d.other_id
			ON CONFLICT (contact_id, other_id) %2$s
			RETURNING 1
		)%3$s
		SELECT count(*) FROM stored$query$, directory,
		CASE WHEN is_bound THEN 'DO NOTHING' ELSE $set$DO UPDATE SET score = EXCLUDED.score, reasons = EXCLUDED.reasons
				WHERE m.state = 'open' AND m.source = 'duplicates'
					AND (m.score <> EXCLUDED.score OR m.reasons <> EXCLUDED.reasons)$set$ END,
		-- all were looked for: what was not found is none any more
		CASE WHEN NOT is_bound AND "limit" IS NULL AND since IS NULL THEN format($gone$, gone AS (
			DELETE FROM ONLY %I.merge_suggestion m
			WHERE m.state = 'open' AND m.source = 'duplicates' AND NOT EXISTS (
				SELECT FROM found d WHERE d.contact_id = m.contact_id AND d.other_id = m.other_id)
		)$gone$, directory) END)
	INTO stored USING directory, "limit", since;
	RETURN stored;
END
$function$;
COMMENT ON FUNCTION contacts.suggest_duplicates(text, integer, timestamptz) IS 'stores what find_duplicates() finds in merge_suggestion, and returns how many rows are new or have changed; without limit and since it withdraws open suggestions that are found no more; needs INSERT, UPDATE and, without limit and since, DELETE on it; under row security whoever that binds only adds rows';
