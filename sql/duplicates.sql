-- Duplicates: pairs of contacts that may be one person.
--
-- All pairs of a million contacts are too many to look at.  So one pass makes
-- a few blocking keys of each contact (src/similarity.c): its mailboxes, its
-- phone numbers, its name, what that sounds like, its organization with its
-- initials.  Contacts with a key in common are a group, and pairs are looked at
-- within groups only.  A name that thousands bear says nothing, so small groups
-- go first, and no more pairs are looked at than there are contacts, for each
-- kind of key: the work is proportional to the contacts, however they are
-- called.  Groups of a phone number, a mailbox or an organization that are too
-- large are divided by name.

CREATE FUNCTION contacts.folded_name(name text, keep_marks boolean DEFAULT false) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.folded_name(text, boolean) IS 'a name as it is compared: words of lower case without punctuation and, unless keep_marks is true, without diacritics; advisory, never a key';

CREATE FUNCTION contacts.name_similarity(folded_name text, other text) RETURNS real
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.name_similarity(text, text) IS 'how similar two folded names are, from 0 to 1: the share of their trigrams that they have in common, as similarity() of pg_trgm';

CREATE FUNCTION contacts.duplicate_keys(first_name text, last_name text, mononym boolean, organization_id bigint,
	email contacts.email, mobile_phone contacts.phone, home_phone contacts.phone, business_phone contacts.phone)
	RETURNS bigint[]
	LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.duplicate_keys(text, text, boolean, bigint, contacts.email, contacts.phone, contacts.phone, contacts.phone) IS 'the blocking keys of a contact, hashes whose last three bits tell what of: 0 mailbox, 1 phone number, 2 name, 3 sound of the name, 4 organization and initials';

CREATE FUNCTION contacts.duplicate_key(value_type text, value text) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.duplicate_key(text, text) IS 'likewise of the value of an identifier, an email address or phone number';

-- What each piece of evidence is worth: the pieces add up as independent ones
-- do.  Two names that have nothing in common speak against it.
CREATE FUNCTION contacts.duplicate_score(same_mailbox boolean, same_phone boolean, name double precision,
	same_organization boolean, other_name boolean)
	RETURNS real
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT round((1 - (1 - CASE WHEN same_mailbox THEN CASE WHEN other_name THEN 0.5 ELSE 0.85 END ELSE 0 END)
		* (1 - CASE WHEN same_phone THEN CASE WHEN other_name THEN 0.15 ELSE 0.45 END ELSE 0 END)
		* (1 - 0.6 * name)
		* (1 - CASE WHEN same_organization AND name > 0 THEN 0.3 ELSE 0 END))::numeric, 3)::real;
END;
COMMENT ON FUNCTION contacts.duplicate_score(boolean, boolean, double precision, boolean, boolean) IS 'how much speaks for two contacts being one person, from 0 to 1; name: how much their names do';

-- A name counts for less the more contacts bear it: namesakes, NULL if they
-- were not counted.
CREATE FUNCTION contacts.name_weight(namesakes bigint, is_same boolean) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN namesakes IS NOT NULL THEN 1 / log(2, greatest(namesakes, 2))::double precision
		WHEN is_same THEN 0.3 ELSE 0.7 END;
END;
COMMENT ON FUNCTION contacts.name_weight(bigint, boolean) IS 'how much a name that so many contacts bear tells of a person, from 0 to 1';

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
			AND p.proargtypes = ARRAY['text'::regtype, 'text'::regtype]::oidvector
			AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')),
		'contacts.name_similarity');
END;
COMMENT ON FUNCTION contacts.similarity_function() IS 'the function that compares names: that of pg_trgm where it is installed, else contacts.name_similarity';

-- The groups, and the pairs within them.  Freshness is told by the sign of an
-- id, so that a group is one array.  $1: since; $2: how many pairs to hand on,
-- those that can score best.
CREATE FUNCTION contacts.duplicate_query(directory text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT format($query$
		WITH key AS (
			SELECT unnest(contacts.duplicate_keys(c.first_name, c.last_name, c.mononym, c.organization_id,
					c.email, c.mobile_phone, c.home_phone, c.business_phone)) AS key,
				CASE WHEN c.updated_at < $1 THEN -c.id ELSE c.id END AS id
			FROM ONLY %1$I.contact c
			WHERE c.archived_at IS NULL AND c.contact_type <> 'ghost'
			UNION ALL
			SELECT contacts.duplicate_key(t.value_type, i.value),
				CASE WHEN c.updated_at < $1 AND i.created_at < $1 THEN -c.id ELSE c.id END
			FROM ONLY %1$I.semantic_type t
				JOIN ONLY %1$I.identifier i ON i.semantic_type = t.name
				JOIN ONLY %1$I.contact c ON c.id = i.contact_id
			WHERE t.value_type <> 'text' AND (t.name NOT IN ('email', 'phone') OR i.slug IS DISTINCT FROM 'main')
				AND c.archived_at IS NULL AND c.contact_type <> 'ghost'
		), block AS MATERIALIZED (
			SELECT k.key, (k.key & 7)::integer AS kind, array_agg(k.id) AS ids, count(*) AS size
			FROM key k
			WHERE k.key IS NOT NULL
			GROUP BY k.key
			HAVING count(*) > 1 AND max(k.id) > 0
		), part AS (
			SELECT b.kind, array_agg(u.id) AS ids, count(*) AS size
			FROM block b
				CROSS JOIN unnest(b.ids) u (id)
				JOIN ONLY %1$I.contact c ON c.id = abs(u.id)
				CROSS JOIN unnest(contacts.duplicate_keys(c.first_name, c.last_name, c.mononym,
					NULL, NULL, NULL, NULL, NULL)) n (key)
			WHERE b.size > 100 AND b.kind IN (0, 1, 4) AND n.key & 7 = 2
			GROUP BY b.key, b.kind, n.key
			HAVING count(*) > 1
		), grouped AS (
			SELECT b.kind, 1 << b.kind AS evidence, b.ids, b.size FROM block b WHERE b.size <= 100
			UNION ALL
			SELECT 5, 1 << p.kind | 4, p.ids, p.size FROM part p WHERE p.size <= 100
		), allowed AS MATERIALIZED (
			SELECT s.kind, max(s.size) AS size
			FROM (
				SELECT g.kind, g.size, sum(sum(g.size * (g.size - 1) / 2)) OVER (PARTITION BY g.kind ORDER BY g.size) AS pairs
				FROM grouped g GROUP BY g.kind, g.size
			) s
			WHERE s.size = 2 OR s.pairs <= (SELECT greatest(count(*), 10000) FROM ONLY %1$I.contact)
			GROUP BY s.kind
		), pair AS (
			SELECT abs(a.id) AS contact_id, abs(o.id) AS other_id, bit_or(g.evidence) AS evidence,
				min(g.size) FILTER (WHERE g.kind = 2) AS namesakes
			FROM grouped g
				JOIN allowed l ON l.kind = g.kind AND g.size <= l.size
				CROSS JOIN unnest(g.ids) a (id)
				CROSS JOIN unnest(g.ids) o (id)
			WHERE abs(a.id) < abs(o.id) AND (a.id > 0 OR o.id > 0)
			GROUP BY 1, 2
		)
		(SELECT p.contact_id, p.other_id, p.evidence, p.namesakes, NULL::text AS note
		FROM pair p
		WHERE NOT EXISTS (SELECT FROM ONLY %1$I.merge_suggestion m
			WHERE m.contact_id = p.contact_id AND m.other_id = p.other_id AND m.state = 'dismissed')
		ORDER BY contacts.duplicate_score(p.evidence & 1 > 0, p.evidence & 2 > 0,
			CASE WHEN p.evidence & 28 > 0 THEN contacts.name_weight(p.namesakes, p.evidence & 4 > 0) ELSE 0 END,
			p.evidence & 16 > 0, false) DESC, 1, 2
		LIMIT $2)
		UNION ALL
		SELECT NULL, NULL, NULL, NULL, string_agg(format('%%s %%s (of up to %%s contacts)', s.groups, s.label, s.size), ', ' ORDER BY s.kind)
		FROM (
			SELECT b.kind, count(*) AS groups, max(b.size) AS size,
				(ARRAY['mailboxes', 'phone numbers', 'names', 'sounds of names', 'organizations with initials'])[b.kind + 1] AS label
			FROM block b LEFT JOIN allowed l ON l.kind = b.kind
			WHERE b.size > coalesce(l.size, 1)
			GROUP BY b.kind
		) s$query$, directory);
$function$;
COMMENT ON FUNCTION contacts.duplicate_query(text) IS 'the query behind find_duplicates(): pairs with blocking keys in common, those that may score best, and a note on groups that were too large';

-- The pairs that are handed on, looked at.  $3: how many to return.
CREATE FUNCTION contacts.score_query(directory text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT format($query$
		WITH candidate AS MATERIALIZED (%1$s)
		(SELECT p.contact_id, p.other_id, s.score,
			array_remove(ARRAY[
				CASE WHEN p.evidence & 1 > 0 THEN 'same_mailbox' END,
				CASE WHEN p.evidence & 2 > 0 THEN 'same_phone' END,
				CASE WHEN n.is_same AND n.has_other_marks THEN 'diacritics'
					WHEN n.is_same THEN 'same_name'
					WHEN n.is_swapped THEN 'swapped_name'
					WHEN n.alike >= 0.5 THEN 'similar_name' END,
				CASE WHEN n.same_organization AND w.name > 0 THEN 'same_organization' END], NULL) AS reasons,
			NULL::text AS note
		FROM candidate p
			JOIN ONLY %2$I.contact a ON a.id = p.contact_id
			JOIN ONLY %2$I.contact o ON o.id = p.other_id
			CROSS JOIN LATERAL (
				SELECT contacts.folded_name(coalesce(a.first_name, '')) AS first,
					contacts.folded_name(coalesce(a.last_name, '')) AS last,
					contacts.folded_name(coalesce(o.first_name, '')) AS other_first,
					contacts.folded_name(coalesce(o.last_name, '')) AS other_last
			) f
			CROSS JOIN LATERAL (
				SELECT f.first = f.other_first AND f.last = f.other_last AND f.first || f.last <> '' AS is_same,
					f.first = f.other_last AND f.last = f.other_first AND f.first <> f.last AS is_swapped,
					contacts.folded_name(concat(a.first_name, ' ', a.last_name), true)
						<> contacts.folded_name(concat(o.first_name, ' ', o.last_name), true) AS has_other_marks,
					%3$s(f.first || ' ' || f.last, f.other_first || ' ' || f.other_last)::double precision AS alike,
					f.first <> '' AND f.last <> '' AND f.other_first <> '' AND f.other_last <> '' AS are_whole,
					coalesce(a.organization_id = o.organization_id, false) AS same_organization
			) n
			CROSS JOIN LATERAL (
				SELECT CASE WHEN n.is_same THEN 1 WHEN n.is_swapped THEN 0.9 WHEN n.alike >= 0.5 THEN n.alike ELSE 0 END
					* contacts.name_weight(p.namesakes, n.is_same OR n.is_swapped OR p.evidence & 4 > 0) AS name
			) w
			CROSS JOIN LATERAL (
				SELECT contacts.duplicate_score(p.evidence & 1 > 0, p.evidence & 2 > 0, w.name,
					n.same_organization, n.are_whole AND n.alike < 0.3 AND NOT n.is_swapped) AS score
			) s
		WHERE p.evidence & 3 > 0 OR w.name > 0
		ORDER BY s.score DESC, p.contact_id, p.other_id
		LIMIT $3)
		UNION ALL
		SELECT NULL, NULL, NULL, NULL, p.note FROM candidate p WHERE p.note IS NOT NULL$query$,
		contacts.duplicate_query(directory), directory, contacts.similarity_function());
$function$;
COMMENT ON FUNCTION contacts.score_query(text) IS 'the query of find_duplicates(): the pairs of duplicate_query(), compared';

CREATE FUNCTION contacts.find_duplicates(directory text, "limit" integer DEFAULT 100, since timestamptz DEFAULT NULL)
	RETURNS TABLE (contact_id bigint, other_id bigint, score real, reasons text[])
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET jit = off SET enable_hashagg = off	-- nearly every contact has groups of its own
AS $$
DECLARE
	old_memory text := current_setting('work_mem');
	pair record;
BEGIN
	PERFORM contacts.directory_schema(directory);
	PERFORM set_config('work_mem', greatest(pg_size_bytes(old_memory) / 1024, 65536) || 'kB', true);
	FOR pair IN EXECUTE contacts.score_query(directory)
		USING since, CASE WHEN "limit" IS NOT NULL THEN greatest(20 * "limit"::bigint, 20000) END, "limit"
	LOOP
		IF pair.note IS NULL THEN
			contact_id := pair.contact_id;
			other_id := pair.other_id;
			score := pair.score;
			reasons := pair.reasons;
			RETURN NEXT;
		ELSE
			RAISE NOTICE USING MESSAGE = 'groups that are too large were not compared pair by pair',
				DETAIL = format('Contacts share %s.', pair.note);
		END IF;
	END LOOP;
	PERFORM set_config('work_mem', old_memory, true);
END
$$;
COMMENT ON FUNCTION contacts.find_duplicates(text, integer, timestamptz) IS 'pairs of contacts that may be one person, the likeliest first, with a score from 0 to 1 and the reasons: same_mailbox, same_phone, same_name, diacritics, swapped_name, similar_name, same_organization; neither ghosts, archived contacts nor dismissed pairs; since: only pairs one of whom changed since then; "limit" NULL: all';

CREATE FUNCTION contacts.suggest_duplicates(directory text, "limit" integer DEFAULT 100, since timestamptz DEFAULT NULL)
	RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	stored integer;
BEGIN
	PERFORM contacts.directory_schema(directory);
	EXECUTE format($query$
		INSERT INTO %1$I.merge_suggestion AS m (contact_id, other_id, score, reasons, source)
		SELECT d.contact_id, d.other_id, d.score, d.reasons, 'duplicates'
		FROM contacts.find_duplicates($1, $2, $3) d
		ORDER BY d.contact_id, d.other_id
		ON CONFLICT (contact_id, other_id) DO UPDATE SET score = EXCLUDED.score, reasons = EXCLUDED.reasons
			WHERE m.state = 'open' AND m.source = 'duplicates'
				AND (m.score <> EXCLUDED.score OR m.reasons <> EXCLUDED.reasons)$query$, directory)
	USING directory, "limit", since;
	GET DIAGNOSTICS stored = ROW_COUNT;
	RETURN stored;
END
$function$;
COMMENT ON FUNCTION contacts.suggest_duplicates(text, integer, timestamptz) IS 'stores what find_duplicates() finds in merge_suggestion, and returns how many rows are new or have changed; needs INSERT and UPDATE on it';
