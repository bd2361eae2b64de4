-- Import: any table of people into a directory, set-based, with the rights of
-- whoever calls.  contacts.import_contacts() at the end tells the story; the
-- functions before it are its chapters.  Each builds one statement over all
-- rows: names are quoted, values stay in tables.  Identifiers are looked up by
-- index, in subqueries that the planner cannot turn into joins: those are at the
-- mercy of the statistics of a table that was just filled (measured: a nested
-- loop over a hundred million pairs).  Between the chapters stand temporary
-- tables, all named contacts_import_...:
--   row           the staged rows, read, with n, their number
--   fault         rows to reject: column, SQLSTATE and reason
--   organization  what the rows say of organizations, looked up
--   hit           rows whose identifiers somebody holds
--   target        rows that speak of a contact who is there already
--   new           ids given to rows that become contacts, where needed

CREATE FUNCTION contacts.input_error(value text, type oid, typmod integer) RETURNS text[]
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.input_error(text, oid, integer) IS 'SQLSTATE and message of the refusal of a text as a value of a type; NULL if the type takes it';

-- A column of a staging table.
CREATE TYPE contacts.import_column AS (
	ordinal integer,
	name text,
	role text,
	type oid,
	typmod integer,
	type_name text,
	reading text,
	has_equality boolean,
	default_value text,
	semantic_type text,
	slug text,
	kinds text[],
	is_exclusive boolean,
	is_match boolean
);
COMMENT ON TYPE contacts.import_column IS 'what import_contacts() makes of a column of a staging table';
COMMENT ON COLUMN contacts.import_column.ordinal IS 'place in the staging table; the value is column c<ordinal> of contacts_import_row';
COMMENT ON COLUMN contacts.import_column.name IS 'name in the staging table';
COMMENT ON COLUMN contacts.import_column.role IS 'field, status, organization, identifier, id, line, derived (ignored) or unknown';
COMMENT ON COLUMN contacts.import_column.type IS 'type its values become';
COMMENT ON COLUMN contacts.import_column.typmod IS 'modifier of that type';
COMMENT ON COLUMN contacts.import_column.type_name IS 'that type with modifier and collation, to cast to';
COMMENT ON COLUMN contacts.import_column.reading IS 'how values are read: typed (they are of the type already), text, email, phone, zone or input (of the type)';
COMMENT ON COLUMN contacts.import_column.has_equality IS 'values can be compared with IS DISTINCT FROM';
COMMENT ON COLUMN contacts.import_column.default_value IS 'default of the column of contact, as an expression';
COMMENT ON COLUMN contacts.import_column.semantic_type IS 'kind of identifier, if it is one';
COMMENT ON COLUMN contacts.import_column.slug IS 'label of the identifier';
COMMENT ON COLUMN contacts.import_column.kinds IS 'the kinds of identifiers that share its values (rule I10)';
COMMENT ON COLUMN contacts.import_column.is_exclusive IS 'a value identifies one contact at most (rule I1)';
COMMENT ON COLUMN contacts.import_column.is_match IS 'the holder of the value is the contact that the row speaks of';

CREATE FUNCTION contacts.import_columns(directory text, staging regclass, match text[])
	RETURNS SETOF contacts.import_column
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH kind AS (
			SELECT name, value_type, is_exclusive,
				CASE value_type WHEN 'text' THEN name ELSE value_type END AS space
			FROM %1$I.semantic_type
		), label AS (	-- which identifier a column name means
			SELECT DISTINCT ON (column_name) column_name, semantic_type, slug
			FROM (
				VALUES ('email', 'email', 'main'), ('mobile_phone', 'phone', 'main')
				UNION ALL
				SELECT name, name, NULL FROM kind WHERE name NOT IN ('email', 'phone')
				UNION ALL
				SELECT slug || '_' || semantic_type, semantic_type, slug
				FROM %1$I.identifier_slug
				WHERE NOT (slug = 'main' AND semantic_type IN ('email', 'phone'))
			) AS l (column_name, semantic_type, slug)
			ORDER BY column_name, slug NULLS FIRST, semantic_type
		), field AS (
			SELECT a.attname::text AS name, a.atttypid, a.atttypmod, a.attcollation,
				a.attidentity <> '' OR a.attgenerated <> '' AS is_generated,
				pg_get_expr(d.adbin, d.adrelid) AS default_value
			FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			WHERE a.attrelid = to_regclass(format('%%I.contact', %1$L)) AND a.attnum > 0 AND NOT a.attisdropped
		), placed AS (
			SELECT a.attnum::integer AS ordinal, a.attname::text AS name, a.atttypid, a.atttypmod,
				CASE
					WHEN a.attname = 'id' AND 'id' = ANY ($2) THEN 'id'
					WHEN a.attname IN ('id', 'contact_type', 'is_reachable', 'is_validated', 'updated_at') THEN 'derived'
					WHEN a.attname IN ('organization_id', 'organization_name', 'organization_slug') THEN 'organization'
					WHEN a.attname = 'email_status' THEN 'status'
					WHEN f.is_generated THEN 'derived'
					WHEN f.name IS NOT NULL THEN 'field'
					WHEN l.column_name IS NOT NULL THEN 'identifier'
					WHEN a.attname IN ('line', 'row_number') AND a.atttypid IN (20, 21, 23) THEN 'line'
					ELSE 'unknown'
				END AS role,
				(CASE
					WHEN a.attname IN ('id', 'organization_id') THEN 'bigint'::regtype
					WHEN a.attname IN ('organization_name', 'organization_slug') THEN 'text'::regtype
					WHEN f.name IS NOT NULL THEN f.atttypid
					WHEN k.value_type = 'email' THEN 'contacts.email'::regtype
					WHEN k.value_type = 'phone' THEN 'contacts.phone'::regtype
					ELSE 'text'::regtype
				END)::oid AS type,
				coalesce(f.atttypmod, -1) AS typmod, f.attcollation, f.default_value,
				k.name AS semantic_type, l.slug, k.is_exclusive, k.space
			FROM pg_attribute a
				LEFT JOIN field f ON f.name = a.attname
				LEFT JOIN label l ON l.column_name = a.attname
					AND (f.name IS NULL OR a.attname IN ('email', 'mobile_phone'))
				LEFT JOIN kind k ON k.name = l.semantic_type
			WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
		)
		SELECT p.ordinal, p.name, p.role, p.type, p.typmod,
			format_type(p.type, p.typmod) || coalesce((
				SELECT format(' COLLATE %%I.%%I', n.nspname, o.collname)
				FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
				WHERE o.oid = p.attcollation AND o.oid <> t.typcollation), ''),
			CASE
				WHEN p.name = 'time_zone' AND p.role = 'field' THEN 'zone'
				WHEN p.type IN ('contacts.email'::regtype, 'contacts.phone'::regtype) THEN
					CASE WHEN p.type = p.atttypid THEN 'typed'
						WHEN p.type = 'contacts.email'::regtype THEN 'email' ELSE 'phone' END
				WHEN p.type IN (25, 1043) AND p.typmod = -1 THEN 'text'
				WHEN p.type = p.atttypid AND p.typmod = p.atttypmod AND t.typcategory <> 'S' THEN 'typed'
				ELSE 'input'
			END,
			-- an equality that is found whatever the search_path
			t.typtype = 'e' OR (t.typcategory = 'S' AND t.typnamespace = 'pg_catalog'::regnamespace)
				OR EXISTS (SELECT FROM pg_operator o
					WHERE o.oprname = '=' AND o.oprnamespace = 'pg_catalog'::regnamespace
						AND o.oprleft = coalesce(nullif(t.typbasetype, 0), t.oid) AND o.oprright = o.oprleft),
			p.default_value, p.semantic_type, p.slug,
			(SELECT array_agg(k.name ORDER BY k.name) FROM kind k WHERE k.space = p.space),
			coalesce(p.is_exclusive, false),
			coalesce(p.is_exclusive AND p.semantic_type = ANY ($2), p.role = 'id')
		FROM placed p JOIN pg_type t ON t.oid = p.type
		ORDER BY p.ordinal$query$, directory)
	USING staging, match;
END
$function$;
COMMENT ON FUNCTION contacts.import_columns(text, regclass, text[]) IS 'what import_contacts() makes of the columns of a staging table';

-- 22023 for what no row can help: options that mean nothing, columns that
-- nobody would read.
CREATE FUNCTION contacts.import_check(directory text, staging regclass, columns contacts.import_column[],
	match text[], mode text, ignore_unknown boolean) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kinds text[];
	wrong text;
BEGIN
	IF mode IS NULL OR mode NOT IN ('update', 'fill') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('import mode %L is not known', mode),
			HINT = 'It is ''update'' or ''fill''.';
	END IF;
	EXECUTE format('SELECT array_agg(name) FROM %I.semantic_type WHERE is_exclusive', directory) INTO kinds;
	SELECT m INTO wrong FROM unnest(match) m WHERE m IS NULL OR m <> 'id' AND m <> ALL (kinds) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('contacts cannot be matched on %L', wrong),
			DETAIL = 'It is neither ''id'' nor an exclusive kind of identifier of this directory.',
			SCHEMA = directory, TABLE = 'semantic_type';
	END IF;
	SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.ordinal) INTO wrong
	FROM unnest(columns) c WHERE c.role = 'unknown';
	IF wrong IS NOT NULL AND ignore_unknown IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('table %s has columns that are not known', staging),
			DETAIL = format('Not known: %s.', wrong),
			HINT = 'Columns bear the names of columns of contact, or of identifiers, such as work_email. Rename them, or ignore them with ignore_unknown => true.';
	END IF;
END
$$;
COMMENT ON FUNCTION contacts.import_check(text, regclass, contacts.import_column[], text[], text, boolean) IS 'checks the options and columns of an import; 22023';

-- One pass over the staging table: every value is trimmed and read once; an
-- empty one is a missing one.  n follows the column row_number or line; without
-- one it is the place of a row in the table, which is the order of the file for a
-- table that was filled by one COPY.
CREATE FUNCTION contacts.import_read(staging text, columns contacts.import_column[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET synchronize_seqscans = off SET max_parallel_workers_per_gather = 0
AS $function$
DECLARE
	blanks CONSTANT text := E' \t\n\x0B\f\r';
	raw text; parsed text; faults text; results text; identity text; organization text; line text;
	zones text := '';
	read bigint;
BEGIN
	SELECT string_agg(
			CASE c.reading WHEN 'typed' THEN format(', s.%I AS r%s', c.name, c.ordinal)
				ELSE format(', nullif(btrim(s.%I::text, %L), '''') AS r%s', c.name, blanks, c.ordinal) END,
			'' ORDER BY c.ordinal),
		string_agg(
			CASE c.reading
				WHEN 'email' THEN format(', contacts.try_email(r%1$s) AS p%1$s', c.ordinal)
				WHEN 'phone' THEN format(', contacts.try_phone(r%1$s) AS p%1$s', c.ordinal)
				WHEN 'zone' THEN format(', z.name AS p%s', c.ordinal)
				WHEN 'input' THEN format(', contacts.input_error(r%1$s, %2$s, %3$s) IS NOT NULL AS p%1$s',
					c.ordinal, c.type, c.typmod)
			END,
			'' ORDER BY c.ordinal),
		string_agg(
			CASE WHEN c.reading IN ('email', 'phone', 'zone')
				THEN format(' WHEN p%1$s IS NULL AND r%1$s IS NOT NULL THEN %1$s', c.ordinal)
				WHEN c.reading = 'input' THEN format(' WHEN p%1$s THEN %1$s', c.ordinal)
			END,
			'' ORDER BY c.ordinal),
		string_agg(
			CASE WHEN c.reading = 'input'
				THEN format(', CASE WHEN NOT p%1$s THEN r%1$s::%2$s END AS c%1$s', c.ordinal, c.type_name)
				ELSE format(', %3$s%1$s::%2$s AS c%1$s', c.ordinal, c.type_name,
					CASE WHEN c.reading IN ('typed', 'text') THEN 'r' ELSE 'p' END)
			END,
			'' ORDER BY c.ordinal),
		string_agg(format('r%s IS NULL', c.ordinal), ' AND ') FILTER (WHERE c.role IN ('identifier', 'id')
			OR c.name IN ('first_name', 'last_name', 'email', 'mobile_phone')),
		string_agg(format(CASE c.name WHEN 'organization_name' THEN 'coalesce(lower(r%s), '''')'
			ELSE 'coalesce(r%s::text, '''')' END, c.ordinal), ' || E''\n'' || ' ORDER BY c.ordinal)
			FILTER (WHERE c.role = 'organization')
	INTO raw, parsed, faults, results, identity, organization
	FROM unnest(columns) c
	WHERE c.role IN ('field', 'status', 'organization', 'identifier', 'id');

	SELECT format('s.%I', c.name) INTO line FROM unnest(columns) c
	WHERE c.role = 'line' ORDER BY c.ordinal LIMIT 1;

	-- pg_timezone_names reads hundreds of files: once, and only if asked for
	SELECT format(' LEFT JOIN (SELECT DISTINCT ON (lower(name)) name FROM pg_timezone_names
			WHERE contacts.input_error(name, %s, -1) IS NULL ORDER BY lower(name), name) AS z ON lower(z.name) = lower(r%s)', c.type, c.ordinal)
	INTO zones
	FROM unnest(columns) c WHERE c.reading = 'zone';

	EXECUTE format($query$
		CREATE TEMPORARY TABLE contacts_import_row ON COMMIT DROP AS
		SELECT n, line, place, part,
			CASE%1$s WHEN %2$s THEN 0 END::integer AS fault,
			nullif(%3$s, %4$L)::text AS organization%5$s
		FROM (
			SELECT r.*%6$s
			FROM (
				SELECT row_number() OVER (%11$s) AS n, %7$s::bigint AS line, s.ctid AS place, s.tableoid AS part%8$s
				FROM %9$s s
			) r%10$s
			OFFSET 0	-- so that every value is read once
		) p$query$,
		faults, coalesce(identity, 'true'), coalesce(organization, 'NULL'),
		repeat(E'\n', (SELECT count(*)::integer - 1 FROM unnest(columns) c WHERE c.role = 'organization')),
		results, parsed, coalesce(line, 'NULL'), raw, staging, zones,
		'ORDER BY ' || line || ', s.tableoid, s.ctid');
	GET DIAGNOSTICS read = ROW_COUNT;
	ANALYZE pg_temp.contacts_import_row;
	CREATE TEMPORARY TABLE contacts_import_fault (n bigint PRIMARY KEY, ordinal integer, state text, reason text)
		ON COMMIT DROP;
	INSERT INTO pg_temp.contacts_import_fault (n, ordinal)
		SELECT r.n, r.fault FROM pg_temp.contacts_import_row r WHERE r.fault IS NOT NULL;
	RETURN read;
END
$function$;
COMMENT ON FUNCTION contacts.import_read(text, contacts.import_column[]) IS 'reads the rows of a staging table for import_contacts()';

-- Which organization: the one that has every one of id, slug and name (in any
-- case) that the row says; with make, a missing one is made from slug and name.
CREATE FUNCTION contacts.import_organizations(directory text, columns contacts.import_column[], make boolean)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	first integer := (SELECT min(c.ordinal) FROM unnest(columns) c WHERE c.role = 'organization');
	said text;
BEGIN
	CREATE TEMPORARY TABLE contacts_import_organization (
		organization text, id bigint, slug text, name text, found bigint, organization_id bigint) ON COMMIT DROP;
	IF first IS NULL THEN
		RETURN;
	END IF;
	SELECT string_agg(coalesce((SELECT format('r.c%s', c.ordinal) FROM unnest(columns) c WHERE c.name = s.name),
		'NULL'), ', ' ORDER BY s.place)
	INTO said
	FROM (VALUES ('organization_id', 1), ('organization_slug', 2), ('organization_name', 3)) AS s (name, place);
	EXECUTE format($query$
		INSERT INTO pg_temp.contacts_import_organization (organization, id, slug, name)
		SELECT DISTINCT ON (r.organization) r.organization, %s
		FROM pg_temp.contacts_import_row r
		WHERE r.fault IS NULL AND r.organization IS NOT NULL
		ORDER BY r.organization, r.n$query$, said);
	IF make THEN
		EXECUTE format($query$
			INSERT INTO %1$I.organization (name, slug)
			SELECT DISTINCT ON (w.slug) coalesce(w.name, w.slug), w.slug
			FROM pg_temp.contacts_import_organization w
			WHERE w.id IS NULL AND w.slug IS NOT NULL
				AND NOT EXISTS (SELECT FROM %1$I.organization o WHERE o.slug = w.slug)
			ORDER BY w.slug, w.name NULLS LAST$query$, directory);
		EXECUTE format($query$
			INSERT INTO %1$I.organization (name)
			SELECT DISTINCT ON (lower(w.name)) w.name
			FROM pg_temp.contacts_import_organization w
			WHERE w.id IS NULL AND w.slug IS NULL AND w.name IS NOT NULL
				AND NOT EXISTS (SELECT FROM %1$I.organization o WHERE lower(o.name) = lower(w.name))
			ORDER BY lower(w.name), w.name$query$, directory);
	END IF;
	EXECUTE format($query$
		UPDATE pg_temp.contacts_import_organization w
		SET (found, organization_id) = (
			SELECT count(*), min(o.id)
			FROM (
				SELECT o.* FROM %1$I.organization o WHERE o.id = w.id
				UNION ALL
				SELECT o.* FROM %1$I.organization o WHERE w.id IS NULL AND o.slug = w.slug
				UNION ALL
				SELECT o.* FROM %1$I.organization o
				WHERE w.id IS NULL AND w.slug IS NULL AND lower(o.name) = lower(w.name)
			) o
			WHERE (w.slug IS NULL OR o.slug = w.slug) AND (w.name IS NULL OR lower(o.name) = lower(w.name)))$query$,
		directory);
	INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
	SELECT r.n, first, CASE o.found WHEN 0 THEN 'P0002' ELSE 'P0003' END,
		CASE o.found WHEN 0 THEN 'there is no such organization'
			ELSE format('%s organizations are called so', o.found) END
	FROM pg_temp.contacts_import_row r JOIN pg_temp.contacts_import_organization o USING (organization)
	WHERE r.fault IS NULL AND o.found <> 1;
END
$function$;
COMMENT ON FUNCTION contacts.import_organizations(text, contacts.import_column[], boolean) IS 'looks up, or makes, the organizations that rows of an import name';

-- A value that identifies one contact stands in one row of a file: the first
-- sound one.  Later ones are rejected, since which of them is right only the
-- sender of the file knows.
CREATE FUNCTION contacts.import_duplicates(columns contacts.import_column[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	claims text;
BEGIN
	SELECT string_agg(format('SELECT r.n, %1$s AS ordinal, %2$L::text AS space, r.c%1$s::text COLLATE "C" AS value
			FROM pg_temp.contacts_import_row r
			WHERE r.c%1$s IS NOT NULL AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)',
			c.ordinal, coalesce(c.kinds::text, '')), ' UNION ALL ')
	INTO claims
	FROM unnest(columns) c WHERE c.is_exclusive OR c.role = 'id';
	IF claims IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format($query$
		INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
		SELECT DISTINCT ON (k.n) k.n, k.ordinal, '23505', format('row %%s has the same value', coalesce(r.line, r.n))
		FROM (%1$s) k
			JOIN (
				SELECT d.space, d.value, min(d.n) AS first FROM (%1$s) d
				GROUP BY d.space, d.value HAVING min(d.n) < max(d.n)
			) d ON d.space = k.space AND d.value = k.value AND d.first < k.n
			JOIN pg_temp.contacts_import_row r ON r.n = d.first
		ORDER BY k.n, k.ordinal$query$, claims);
END
$function$;
COMMENT ON FUNCTION contacts.import_duplicates(contacts.import_column[]) IS 'rejects rows of an import that repeat an exclusive value of an earlier row';

-- What of the row's fields differs from contact c, as a condition; mode fill
-- asks for the empty ones only.
CREATE FUNCTION contacts.import_difference(columns contacts.import_column[], mode text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT coalesce(string_agg(format(
			CASE WHEN mode = 'fill' THEN '(c.%1$I IS NULL AND %2$s IS NOT NULL)'
				WHEN f.has_equality THEN '(%2$s IS NOT NULL AND %2$s IS DISTINCT FROM c.%1$I)'
				ELSE '(%2$s IS NOT NULL AND %2$s::text IS DISTINCT FROM c.%1$I::text)' END,
			f.name, f.value), ' OR ' ORDER BY f.ordinal), 'false')
	FROM (
		SELECT c.name, c.ordinal, c.has_equality, format('r.c%s', c.ordinal) AS value
		FROM unnest(columns) c WHERE c.role = 'field'
		UNION ALL
		SELECT 'organization_id', min(c.ordinal), true, 'o.organization_id'
		FROM unnest(columns) c WHERE c.role = 'organization' HAVING count(*) > 0
	) f;
END;
COMMENT ON FUNCTION contacts.import_difference(contacts.import_column[], text) IS 'the condition under which a row of an import changes its contact';

-- The identifiers that rows bring to people, a table (n, contact_id), as a query:
-- value; own_id, the identifier if the contact has the value under another
-- label; old_id, the identifier whose label it takes.  A main identifier stays
-- that, and a value that stands twice in a row counts under the first.  In mode
-- 'new' the contacts hold nothing besides what their columns say, and nothing is
-- looked up.
CREATE FUNCTION contacts.import_identifiers(directory text, columns contacts.import_column[], mode text, people text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT string_agg(format($query$
		SELECT w.n, w.contact_id, w.semantic_type, w.slug, w.value, w.own_id, w.old_id
		FROM (
			SELECT t.n, t.contact_id, %2$L::text AS semantic_type, %3$L::text AS slug, r.c%1$s::text AS value, %5$s
			FROM %4$s t JOIN pg_temp.contacts_import_row r ON r.n = t.n
			WHERE r.c%1$s IS NOT NULL%6$s
			OFFSET 0
		) w
		WHERE %7$s$query$,
		c.ordinal, c.semantic_type, c.slug, people,
		CASE WHEN mode = 'new' THEN 'NULL::bigint AS own_id, NULL::bigint AS old_id'
			ELSE format($ids$
				(SELECT i.id FROM %1$I.identifier i WHERE i.contact_id = t.contact_id
					AND i.semantic_type = ANY (%2$L) AND i.value = r.c%3$s::text LIMIT 1) AS own_id,
				(SELECT i.id FROM %1$I.identifier i WHERE i.contact_id = t.contact_id
					AND i.semantic_type = %4$L AND i.slug = %5$L) AS old_id,
				(SELECT true FROM %1$I.identifier i WHERE i.contact_id = t.contact_id
					AND i.semantic_type = %4$L AND coalesce(i.slug = %5$L, %5$L IS NULL) LIMIT 1) AS has_one,
				(SELECT true FROM %1$I.identifier i WHERE i.contact_id = t.contact_id
					AND i.semantic_type = %4$L AND i.value = r.c%3$s::text
					AND i.slug IS DISTINCT FROM %5$L AND i.slug IS DISTINCT FROM 'main') AS moves$ids$,
				directory, c.kinds, c.ordinal, c.semantic_type, c.slug) END,
		(SELECT string_agg(format(' AND (r.c%1$s IS NULL OR r.c%1$s::text <> r.c%2$s::text)', e.ordinal, c.ordinal), '')
			FROM unnest(columns) e
			WHERE e.kinds = c.kinds
				AND (e.role = 'field' OR (e.role = 'identifier' AND e.ordinal < c.ordinal))),
		CASE WHEN mode = 'new' THEN 'true'
			WHEN mode = 'fill' THEN 'w.own_id IS NULL AND w.has_one IS NULL'
			WHEN c.slug IS NULL THEN 'w.own_id IS NULL'
			ELSE '(w.own_id IS NULL OR w.moves)' END),
		' UNION ALL ' ORDER BY c.ordinal)
	FROM unnest(columns) c WHERE c.role = 'identifier';
END;
COMMENT ON FUNCTION contacts.import_identifiers(text, contacts.import_column[], text, text) IS 'the query that finds the identifiers that rows of an import bring to contacts';

-- Who holds the exclusive values of the rows.  One holder is the contact that
-- the row speaks of; two are a conflict that only a person can settle.
CREATE FUNCTION contacts.import_holders(directory text, columns contacts.import_column[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	sound CONSTANT text := 'NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)';
	holders text;
	several boolean;
	id integer := (SELECT c.ordinal FROM unnest(columns) c WHERE c.role = 'id');
BEGIN
	IF id IS NOT NULL THEN
		EXECUTE format($query$
			INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
			SELECT r.n, %2$s, 'P0002', format('there is no contact %%s', r.c%2$s)
			FROM pg_temp.contacts_import_row r
			WHERE r.c%2$s IS NOT NULL AND %3$s
				AND NOT EXISTS (SELECT FROM %1$I.contact c WHERE c.id = r.c%2$s)$query$, directory, id, sound);
	END IF;
	SELECT count(*) > 1, string_agg(
		CASE c.role WHEN 'id' THEN
			format('SELECT r.n, %1$s AS ordinal, r.c%1$s AS contact_id, true AS is_match
				FROM pg_temp.contacts_import_row r WHERE r.c%1$s IS NOT NULL AND %2$s', c.ordinal, sound)
		ELSE
			format('SELECT r.n, %2$s AS ordinal, i.contact_id, %3$L::boolean AS is_match
				FROM pg_temp.contacts_import_row r CROSS JOIN LATERAL (
					SELECT i.contact_id FROM %1$I.identifier i
					WHERE i.semantic_type = ANY (%4$L) AND i.value = r.c%2$s::text AND i.holder = 0
						AND i.contact_id IS NOT NULL
					LIMIT 1	-- there is one at most
				) i
				WHERE %5$s',
				directory, c.ordinal, c.is_match, c.kinds, sound)
		END, ' UNION ALL ')
	INTO several, holders
	FROM unnest(columns) c WHERE c.is_exclusive OR c.role = 'id';
	EXECUTE format('CREATE TEMPORARY TABLE contacts_import_hit ON COMMIT DROP AS '
		|| CASE
			WHEN holders IS NULL THEN 'SELECT NULL::bigint AS n, NULL::integer AS ordinal, NULL::bigint AS contact_id,
				NULL::bigint AS other_id, NULL::boolean AS is_match LIMIT 0'
			WHEN several THEN 'SELECT h.n, min(h.ordinal) AS ordinal, min(h.contact_id) AS contact_id,
				max(h.contact_id) AS other_id, bool_or(h.is_match) AS is_match FROM (%s) h GROUP BY h.n'
			ELSE 'SELECT h.n, h.ordinal, h.contact_id, h.contact_id AS other_id, h.is_match FROM (%s) h'
		END, holders);
	INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
	SELECT h.n, h.ordinal, '23505', format('its values identify contacts %s and %s', h.contact_id, h.other_id)
	FROM pg_temp.contacts_import_hit h WHERE h.contact_id <> h.other_id;
	INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
	SELECT h.n, h.ordinal, '23505', format('row %s speaks of the same contact %s', coalesce(r.line, r.n), h.contact_id)
	FROM pg_temp.contacts_import_hit h
		JOIN (
			SELECT d.contact_id, min(d.n) AS first FROM pg_temp.contacts_import_hit d
			WHERE d.is_match AND d.contact_id = d.other_id
			GROUP BY d.contact_id HAVING min(d.n) < max(d.n)
		) d ON d.contact_id = h.contact_id AND d.first < h.n
		JOIN pg_temp.contacts_import_row r ON r.n = d.first
	WHERE h.is_match AND h.contact_id = h.other_id;
END
$function$;
COMMENT ON FUNCTION contacts.import_holders(text, contacts.import_column[]) IS 'finds the contacts that rows of an import speak of';

-- The addresses whose state the rows raise, as a query.  A state never falls by
-- an import: what is stricter stays, and not_opted_in says nothing.  An opt-in
-- is taken for an address that the contact holds; the stricter states hold for
-- any.
CREATE FUNCTION contacts.import_states(directory text, columns contacts.import_column[]) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format($query$
		SELECT s.n, s.contact_id, s.address, s.state
		FROM (
			SELECT t.n, c.id AS contact_id, coalesce(%3$s, c.email)::text AS address, r.c%2$s::text AS state
			FROM pg_temp.contacts_import_target t
				JOIN pg_temp.contacts_import_row r ON r.n = t.n
				JOIN %1$I.contact c ON c.id = t.contact_id
			WHERE r.c%2$s <> 'not_opted_in'
		) s
		WHERE CASE s.state
			WHEN 'opted_in' THEN EXISTS (SELECT FROM %1$I.identifier i
				WHERE i.contact_id = s.contact_id AND i.semantic_type = ANY (%4$L)
					AND i.value = s.address AND i.status = 'not_opted_in')
			WHEN 'unsubscribed' THEN %1$I.address_status(s.address) IN ('not_opted_in', 'opted_in')
			ELSE %1$I.address_status(s.address) <> 'suppressed' END$query$,
		directory, s.ordinal, coalesce('r.c' || e.ordinal, 'NULL'), coalesce(e.kinds, '{email}'))
	FROM unnest(columns) s LEFT JOIN unnest(columns) e ON e.name = 'email'
	WHERE s.role = 'status';
END;
COMMENT ON FUNCTION contacts.import_states(text, contacts.import_column[]) IS 'the query that finds the consent states that rows of an import raise';

-- The rows that speak of a contact who is there, and whether they change him.
-- A row that only holds something of his without being matched may not.
CREATE FUNCTION contacts.import_targets(directory text, columns contacts.import_column[], mode text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	identifiers text := contacts.import_identifiers(directory, columns, mode, 'pg_temp.contacts_import_target');
	states text := contacts.import_states(directory, columns);
BEGIN
	CREATE TEMPORARY TABLE contacts_import_target (n bigint, contact_id bigint, ordinal integer, is_match boolean,
		is_changed boolean) ON COMMIT DROP;
	EXECUTE format($query$
		INSERT INTO pg_temp.contacts_import_target (n, contact_id, ordinal, is_match, is_changed)
		SELECT h.n, h.contact_id, h.ordinal, h.is_match, %2$s
		FROM pg_temp.contacts_import_hit h
			JOIN pg_temp.contacts_import_row r ON r.n = h.n
			JOIN %1$I.contact c ON c.id = h.contact_id
			LEFT JOIN pg_temp.contacts_import_organization o ON o.organization = r.organization
		WHERE NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = h.n)$query$,
		directory, contacts.import_difference(columns, mode));
	IF identifiers IS NOT NULL THEN
		EXECUTE format('UPDATE pg_temp.contacts_import_target t SET is_changed = true
			WHERE NOT t.is_changed AND t.n IN (SELECT i.n FROM (%s) i)', identifiers);
	END IF;
	IF states IS NOT NULL THEN
		EXECUTE format('UPDATE pg_temp.contacts_import_target t SET is_changed = true
			WHERE NOT t.is_changed AND t.n IN (SELECT i.n FROM (%s) i)', states);
	END IF;
	INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
	SELECT t.n, t.ordinal, '23505', format('the value identifies contact %s, but is not matched on', t.contact_id)
	FROM pg_temp.contacts_import_target t WHERE NOT t.is_match AND t.is_changed;
	INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
	SELECT h.n, h.ordinal, '23505', 'the value identifies a contact that you may not see'
	FROM pg_temp.contacts_import_hit h
	WHERE NOT EXISTS (SELECT FROM pg_temp.contacts_import_target t WHERE t.n = h.n)
		AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = h.n);
END
$function$;
COMMENT ON FUNCTION contacts.import_targets(text, contacts.import_column[], text) IS 'compares rows of an import with the contacts they speak of';

-- Contacts without an exclusive value cannot be told apart by one.  Such a row
-- speaks of a contact that says the same in every name, email and mobile phone,
-- and has what else the row says: so the same file again makes no second one.
CREATE FUNCTION contacts.import_twins(directory text, columns contacts.import_column[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	unclaimed text;
	equality text;
	queries text;
BEGIN
	SELECT coalesce(string_agg(format(' AND r.c%s IS NULL', c.ordinal), ''), '') INTO unclaimed
	FROM unnest(columns) c WHERE c.is_exclusive OR c.role = 'id';
	SELECT coalesce(string_agg(format(' AND c.%1$I IS NOT DISTINCT FROM r.c%2$s', c.name, c.ordinal), ''), '')
	INTO equality
	FROM unnest(columns) c WHERE c.name IN ('first_name', 'last_name', 'email', 'mobile_phone') AND c.role = 'field';
	equality := concat(equality, format(' AND NOT (%s)', contacts.import_difference(columns, 'update')),
		-- not one whom another row is about to change
		' AND c.id NOT IN (SELECT t.contact_id FROM pg_temp.contacts_import_target t WHERE t.is_match AND t.is_changed)',
		(SELECT string_agg(format(' AND (r.c%2$s IS NULL OR EXISTS (SELECT FROM %1$I.identifier h
			WHERE h.contact_id = c.id AND h.semantic_type = ANY (%3$L) AND h.value = r.c%2$s::text))',
			directory, c.ordinal, c.kinds), '')
			FROM unnest(columns) c WHERE c.role = 'identifier' AND NOT c.is_exclusive));
	-- by a shared value, else by the index over names, one query for each form of name
	SELECT string_agg(format($query$
		SELECT w.n, w.contact_id
		FROM (
			SELECT r.n, (SELECT min(c.id) FROM %1$s%2$s) AS contact_id
			FROM pg_temp.contacts_import_row r
				LEFT JOIN pg_temp.contacts_import_organization o ON o.organization = r.organization
			WHERE NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)%3$s%4$s
			OFFSET 0
		) w
		WHERE w.contact_id IS NOT NULL$query$, q.people, equality, unclaimed, q.condition), ' UNION ')
	INTO queries
	FROM (
		SELECT format('%1$I.identifier i JOIN %1$I.contact c ON c.id = i.contact_id
				WHERE i.value = r.c%2$s::text AND i.semantic_type = ANY (%3$L)',
				directory, c.ordinal, c.kinds) AS people,
			format(' AND r.c%s IS NOT NULL', c.ordinal) AS condition
		FROM unnest(columns) c WHERE c.semantic_type IS NOT NULL AND NOT c.is_exclusive
		UNION ALL
		SELECT format('%I.contact c WHERE true%s', directory,
				string_agg(CASE WHEN p.has THEN format(' AND lower(c.%1$I) = lower(r.c%2$s)', p.name, p.ordinal)
					ELSE format(' AND lower(c.%1$I) IS NULL', p.name) END, '' ORDER BY p.name)),
			concat(
				string_agg(format(CASE WHEN p.has THEN ' AND r.c%s IS NOT NULL' ELSE ' AND r.c%s IS NULL' END,
					p.ordinal), '') FILTER (WHERE p.ordinal IS NOT NULL),
				(SELECT string_agg(format(' AND r.c%s IS NULL', c.ordinal), '') FROM unnest(columns) c
					WHERE c.semantic_type IS NOT NULL AND NOT c.is_exclusive))
		FROM (VALUES (1, true, true), (2, true, false), (3, false, true)) AS form (form, has_last, has_first)
			CROSS JOIN LATERAL (
				SELECT n.name, CASE n.name WHEN 'last_name' THEN form.has_last ELSE form.has_first END AS has,
					(SELECT c.ordinal FROM unnest(columns) c WHERE c.name = n.name) AS ordinal
				FROM (VALUES ('last_name'), ('first_name')) AS n (name)
			) p
		GROUP BY form.form
		HAVING bool_and(p.ordinal IS NOT NULL OR NOT p.has)
	) q;
	IF queries IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format('INSERT INTO pg_temp.contacts_import_target (n, contact_id, is_match, is_changed)
		SELECT t.n, min(t.contact_id), false, false FROM (%s) t GROUP BY t.n', queries);
END
$function$;
COMMENT ON FUNCTION contacts.import_twins(text, contacts.import_column[]) IS 'finds rows of an import without an exclusive value whose contact is there already';

-- Who may not change consent (rule C9) has the rows rejected that would.
CREATE FUNCTION contacts.import_consent(directory text, columns contacts.import_column[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	status integer := (SELECT c.ordinal FROM unnest(columns) c WHERE c.role = 'status');
	email text := coalesce((SELECT format('r.c%s', c.ordinal) FROM unnest(columns) c WHERE c.name = 'email'), 'NULL');
BEGIN
	IF status IS NOT NULL AND NOT has_column_privilege(format('%I.identifier', directory), 'status', 'UPDATE') THEN
		EXECUTE format($query$
		INSERT INTO pg_temp.contacts_import_fault (n, ordinal, state, reason)
		SELECT r.n, %2$s, '42501', 'changing a consent state needs the privilege UPDATE on column "status" of identifier'
		FROM pg_temp.contacts_import_row r
			LEFT JOIN pg_temp.contacts_import_target t ON t.n = r.n
			LEFT JOIN %1$I.contact c ON c.id = t.contact_id
		WHERE r.c%2$s <> 'not_opted_in'
			AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)
			AND (t.n IS NULL OR (%3$s IS NOT NULL AND %3$s IS DISTINCT FROM c.email)
				OR t.n IN (SELECT s.n FROM (%4$s) s))$query$,
			directory, status, email, contacts.import_states(directory, columns));
	END IF;
END
$function$;
COMMENT ON FUNCTION contacts.import_consent(text, contacts.import_column[]) IS 'rejects rows of an import that would change a consent state without the right to (rule C9)';

-- A column of the user's that must not be empty, and has no default, rejects the
-- new contacts without a value for it.
CREATE FUNCTION contacts.import_required(directory text, columns contacts.import_column[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	missing text;
	reasons text;
BEGIN
	SELECT string_agg(f.condition, ' OR '),
		string_agg(format(' WHEN %s THEN %L', f.condition, format('column "%s" must not be empty', f.name)), '')
	INTO missing, reasons
	FROM (
		SELECT a.attname AS name, coalesce('r.c' || c.ordinal || ' IS NULL', 'true') AS condition
		FROM pg_attribute a LEFT JOIN unnest(columns) c ON c.name = a.attname AND c.role = 'field'
		WHERE a.attrelid = to_regclass(format('%I.contact', directory)) AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attname <> 'id'
		ORDER BY a.attnum
	) f;
	IF missing IS NOT NULL THEN
		EXECUTE format($query$
			INSERT INTO pg_temp.contacts_import_fault (n, state, reason)
			SELECT r.n, '23502', CASE%2$s END
			FROM pg_temp.contacts_import_row r
			WHERE (%1$s) AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)
				AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_target t WHERE t.n = r.n)$query$, missing, reasons);
	END IF;
END
$function$;
COMMENT ON FUNCTION contacts.import_required(text, contacts.import_column[]) IS 'rejects new contacts of an import that lack a value they must have';

-- Where rows bring new contacts more than columns of contact hold, the ids are
-- given beforehand; that needs USAGE on the sequence.
CREATE FUNCTION contacts.import_new(directory text, columns contacts.import_column[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	sound CONSTANT text := 'NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)
		AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_target t WHERE t.n = r.n)';
	brings text := (SELECT string_agg(format('r.c%s IS NOT NULL', c.ordinal), ' OR ')
		FROM unnest(columns) c WHERE c.role = 'identifier');
	is_needed boolean := false;
BEGIN
	CREATE TEMPORARY TABLE contacts_import_new (n bigint, contact_id bigint) ON COMMIT DROP;
	DELETE FROM pg_temp.contacts_import_target t USING pg_temp.contacts_import_fault f WHERE f.n = t.n;
	ANALYZE pg_temp.contacts_import_target;
	IF brings IS NOT NULL THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM pg_temp.contacts_import_row r WHERE (%s) AND %s)', brings, sound)
		INTO is_needed;
	END IF;
	IF is_needed THEN
		EXECUTE format('INSERT INTO pg_temp.contacts_import_new (n, contact_id)
			SELECT r.n, nextval(%L) FROM pg_temp.contacts_import_row r WHERE %s ORDER BY r.n',
			pg_get_serial_sequence(format('%I.contact', directory), 'id'), sound);
		ANALYZE pg_temp.contacts_import_new;
	END IF;
END
$function$;
COMMENT ON FUNCTION contacts.import_new(text, contacts.import_column[]) IS 'gives ids to the contacts that an import makes, where their identifiers need them';

-- New contacts, in the order of their emails, as every import does: two that
-- meet then wait for each other and do not deadlock.
CREATE FUNCTION contacts.import_insert(directory text, columns contacts.import_column[], condition text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = error
AS $function$
DECLARE
	names text := '';
	results text := '';
	has_ids boolean := EXISTS (SELECT FROM pg_temp.contacts_import_new);
	inserted bigint;
BEGIN
	SELECT string_agg(format('%I', f.name), ', ' ORDER BY f.name), string_agg(f.value, ', ' ORDER BY f.name)
	INTO names, results
	FROM (
		SELECT c.name, CASE WHEN c.default_value IS NULL THEN format('r.c%s', c.ordinal)
			ELSE format('coalesce(r.c%s, %s)', c.ordinal, c.default_value) END AS value
		FROM unnest(columns) c WHERE c.role IN ('field', 'status')
		UNION ALL
		SELECT 'organization_id', 'o.organization_id'
		FROM unnest(columns) c WHERE c.role = 'organization' HAVING count(*) > 0
		UNION ALL
		SELECT 'id', 'w.contact_id' WHERE has_ids
	) f;
	IF names IS NULL OR NOT EXISTS (
		SELECT FROM pg_temp.contacts_import_row r
		WHERE NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)
			AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_target t WHERE t.n = r.n)
	) THEN
		RETURN 0;
	END IF;
	EXECUTE format($query$
		INSERT INTO %1$I.contact (%2$s)
		SELECT %3$s
		FROM pg_temp.contacts_import_row r
			LEFT JOIN pg_temp.contacts_import_organization o ON o.organization = r.organization
			LEFT JOIN pg_temp.contacts_import_new w ON w.n = r.n
		WHERE NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = r.n)
			AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_target t WHERE t.n = r.n)%4$s
		ORDER BY %5$s$query$,
		directory, names, results, condition,
		coalesce((SELECT format('r.c%s', c.ordinal) FROM unnest(columns) c WHERE c.name = 'email'), 'r.n'));
	GET DIAGNOSTICS inserted = ROW_COUNT;
	RETURN inserted;
END
$function$;
COMMENT ON FUNCTION contacts.import_insert(text, contacts.import_column[], text) IS 'inserts the contacts that an import makes';

-- Contacts that change, locked in the order of their ids before any is written.
CREATE FUNCTION contacts.import_update(directory text, columns contacts.import_column[], mode text, condition text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	assignments text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_temp.contacts_import_target t WHERE t.is_match AND t.is_changed) THEN
		RETURN;
	END IF;
	EXECUTE format($query$
		SELECT count(*)
		FROM (
			SELECT FROM %1$I.contact c
			WHERE c.id IN (SELECT r.contact_id FROM pg_temp.contacts_import_target r WHERE r.is_match AND r.is_changed%2$s)
			ORDER BY c.id FOR NO KEY UPDATE
		) l$query$, directory, condition);
	SELECT string_agg(format(CASE mode WHEN 'fill' THEN '%1$I = coalesce(c.%1$I, %2$s)'
		ELSE '%1$I = coalesce(%2$s, c.%1$I)' END, f.name, f.value), ', ')
	INTO assignments
	FROM (
		SELECT c.name, format('r.c%s', c.ordinal) AS value FROM unnest(columns) c WHERE c.role = 'field'
		UNION ALL
		SELECT 'organization_id', 'o.organization_id'
		FROM unnest(columns) c WHERE c.role = 'organization' HAVING count(*) > 0
	) f;
	IF assignments IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format($query$
		UPDATE %1$I.contact c SET %2$s
		FROM pg_temp.contacts_import_target t
			JOIN pg_temp.contacts_import_row r ON r.n = t.n
			LEFT JOIN pg_temp.contacts_import_organization o ON o.organization = r.organization
		WHERE t.is_match AND t.is_changed AND c.id = t.contact_id AND (%3$s)%4$s$query$,
		directory, assignments, contacts.import_difference(columns, mode), condition);
END
$function$;
COMMENT ON FUNCTION contacts.import_update(text, contacts.import_column[], text, text) IS 'updates the contacts that an import changes';

-- Identifiers besides the main ones.
CREATE FUNCTION contacts.import_extend(directory text, columns contacts.import_column[], mode text, condition text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	identifiers text := contacts.import_identifiers(directory, columns, 'new', format(
			'(SELECT r.n, r.contact_id FROM pg_temp.contacts_import_new r WHERE true%s)', condition))
		|| ' UNION ALL ' || contacts.import_identifiers(directory, columns, mode, format(
			'(SELECT r.n, r.contact_id FROM pg_temp.contacts_import_target r WHERE r.is_match AND r.is_changed%s)', condition));
BEGIN
	IF identifiers IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format('CREATE TEMPORARY TABLE contacts_import_identifier ON COMMIT DROP AS %s', identifiers);
	-- values that change their labels may exchange them: off with all of these first
	IF EXISTS (SELECT FROM pg_temp.contacts_import_identifier w WHERE w.own_id IS NOT NULL) THEN
		EXECUTE format('UPDATE %I.identifier i SET slug = NULL
			FROM pg_temp.contacts_import_identifier w WHERE i.id = w.own_id', directory);
	END IF;
	-- a label goes to the new value; what must not be forgotten of the old one stays (I7)
	IF EXISTS (SELECT FROM pg_temp.contacts_import_identifier w WHERE w.old_id IS NOT NULL) THEN
		EXECUTE format('DELETE FROM %I.identifier i USING pg_temp.contacts_import_identifier w
			WHERE i.id = w.old_id
				AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_identifier o WHERE o.own_id = i.id)', directory);
	END IF;
	IF EXISTS (SELECT FROM pg_temp.contacts_import_identifier w WHERE w.own_id IS NOT NULL) THEN
		EXECUTE format('UPDATE %I.identifier i SET slug = w.slug
			FROM pg_temp.contacts_import_identifier w WHERE i.id = w.own_id', directory);
	END IF;
	IF EXISTS (SELECT FROM pg_temp.contacts_import_identifier w WHERE w.own_id IS NULL) THEN
		EXECUTE format($query$
			INSERT INTO %I.identifier (contact_id, semantic_type, slug, value)
			SELECT w.contact_id, w.semantic_type, w.slug, w.value
			FROM pg_temp.contacts_import_identifier w
			WHERE w.own_id IS NULL
			ORDER BY w.contact_id, w.semantic_type, w.slug, w.value$query$, directory);
	END IF;
	DROP TABLE pg_temp.contacts_import_identifier;
END
$function$;
COMMENT ON FUNCTION contacts.import_extend(text, contacts.import_column[], text, text) IS 'writes the identifiers that an import brings besides the main ones';

-- Consent states of contacts who were there; new ones brought theirs along.
CREATE FUNCTION contacts.import_raise(directory text, columns contacts.import_column[], condition text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	states text := contacts.import_states(directory, columns);
	state text;
	addresses text[];
BEGIN
	IF states IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format($query$
		CREATE TEMPORARY TABLE contacts_import_state ON COMMIT DROP AS
		SELECT r.contact_id, r.address, r.state
		FROM (%s) r JOIN pg_temp.contacts_import_target t ON t.n = r.n AND t.is_match AND t.is_changed
		WHERE true%s$query$, states, condition);
	FOR state, addresses IN
		SELECT s.state, array_agg(s.address) FROM pg_temp.contacts_import_state s
		WHERE s.state <> 'opted_in' GROUP BY s.state ORDER BY s.state
	LOOP
		PERFORM contacts.change_consent(format('%I.identifier', directory)::regclass, addresses, state, 'import',
			nullif(current_setting('contacts.source', true), ''));
	END LOOP;
	IF EXISTS (SELECT FROM pg_temp.contacts_import_state s WHERE s.state = 'opted_in') THEN
		EXECUTE format($query$
			UPDATE %I.identifier i SET status = 'opted_in'
			FROM pg_temp.contacts_import_state s
			WHERE s.state = 'opted_in' AND i.contact_id = s.contact_id AND i.value = s.address
				AND i.status = 'not_opted_in'$query$, directory);
	END IF;
	DROP TABLE pg_temp.contacts_import_state;
END
$function$;
COMMENT ON FUNCTION contacts.import_raise(text, contacts.import_column[], text) IS 'raises the consent states that an import raises (rules C1 to C3)';

-- One attempt to write the rows from first to last; all rows if NULL.
CREATE FUNCTION contacts.import_write(directory text, columns contacts.import_column[], mode text,
	first bigint, last bigint) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	condition text := CASE WHEN first IS NULL THEN '' ELSE format(' AND r.n BETWEEN %s AND %s', first, last) END;
	inserted bigint;
BEGIN
	inserted := contacts.import_insert(directory, columns, condition);
	PERFORM contacts.import_update(directory, columns, mode, condition);
	PERFORM contacts.import_extend(directory, columns, mode, condition);
	PERFORM contacts.import_raise(directory, columns, condition);
	RETURN inserted;
END
$$;
COMMENT ON FUNCTION contacts.import_write(text, contacts.import_column[], text, bigint, bigint) IS 'writes rows of an import';

-- Write all rows.  What no chapter before could know (a constraint or trigger
-- of the user's own, row security, a value claimed by another session since)
-- makes the statement fail: then halves are tried, and their halves, until the
-- rows that are to blame stand alone; they are rejected with what was said.
CREATE FUNCTION contacts.import_write_all(directory text, columns contacts.import_column[], mode text, read bigint)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	firsts bigint[] := '{NULL}';
	lasts bigint[] := '{NULL}';
	first bigint;
	last bigint;
	tried integer;
	inserted bigint := 0;
	state text; reason text; detail text;
BEGIN
	LOOP
		tried := cardinality(firsts);
		EXIT WHEN tried = 0;
		first := firsts[tried];
		last := lasts[tried];
		firsts := trim_array(firsts, 1);
		lasts := trim_array(lasts, 1);
		BEGIN
			inserted := inserted + contacts.import_write(directory, columns, mode, first, last);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			IF NOT (state ~ '^(22|23|44|54|P0)' OR (state = '42501'
				AND row_security_active(format('%I.contact', directory)))) THEN
				RAISE;
			END IF;
			IF first IS NULL THEN
				-- what fails with no rows at all is not the rows' fault
				PERFORM contacts.import_write(directory, columns, mode, 0, 0);
				CREATE INDEX ON pg_temp.contacts_import_row (n);
				CREATE INDEX ON pg_temp.contacts_import_target (n);
				CREATE INDEX ON pg_temp.contacts_import_new (n);
				firsts := ARRAY[read / 2 + 1, 1];
				lasts := ARRAY[read, read / 2];
			ELSIF first < last THEN
				firsts := firsts || ARRAY[(first + last) / 2 + 1, first];
				lasts := lasts || ARRAY[last, (first + last) / 2];
			ELSE
				INSERT INTO pg_temp.contacts_import_fault (n, state, reason)
				VALUES (first, state, reason || CASE WHEN detail LIKE 'Key %' THEN format(' (%s)', detail) ELSE '' END);
			END IF;
		END;
	END LOOP;
	RETURN inserted;
END
$$;
COMMENT ON FUNCTION contacts.import_write_all(text, contacts.import_column[], text, bigint) IS 'writes all rows of an import, rejecting those that the directory refuses';

-- The table beside the staging table that takes its rejected rows.
CREATE FUNCTION contacts.import_reject_table(staging regclass) RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	base text;
	schema text;
	name text;
BEGIN
	SELECT c.relname, CASE WHEN c.relpersistence = 't' THEN 'pg_temp' ELSE quote_ident(n.nspname) END
	INTO base, schema
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = staging;
	WHILE octet_length(base) > 63 - octet_length('_reject') LOOP
		base := left(base, -1);
	END LOOP;
	name := format('%s.%I', schema, base || '_reject');
	IF to_regclass(name) IS NULL THEN
		EXECUTE format($query$
			CREATE TABLE %1$s (
				imported_at timestamptz NOT NULL DEFAULT now(),
				staging text NOT NULL,
				row_number bigint NOT NULL,
				column_name text,
				sqlstate text NOT NULL,
				reason text NOT NULL,
				data jsonb NOT NULL
			);
			COMMENT ON TABLE %1$s IS 'rows that contacts.import_contacts() rejected';
			COMMENT ON COLUMN %1$s.imported_at IS 'when the import began';
			COMMENT ON COLUMN %1$s.staging IS 'table that was imported';
			COMMENT ON COLUMN %1$s.row_number IS 'number of the row: its column row_number or line, else its place';
			COMMENT ON COLUMN %1$s.column_name IS 'column at fault; NULL: the row as a whole';
			COMMENT ON COLUMN %1$s.sqlstate IS 'error code';
			COMMENT ON COLUMN %1$s.reason IS 'why the row was rejected';
			COMMENT ON COLUMN %1$s.data IS 'the row as it was staged'$query$, name);
	END IF;
	RETURN name::regclass;
END
$function$;
COMMENT ON FUNCTION contacts.import_reject_table(regclass) IS 'the table for rejected rows beside a staging table, made where it is missing';

-- The rejected rows with their reasons.  What was said against a value is asked
-- only now, of the few that were refused.
CREATE FUNCTION contacts.import_reject(staging text, label text, columns contacts.import_column[], rejects regclass)
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	rejected bigint := (SELECT count(*) FROM pg_temp.contacts_import_fault);
	written bigint;
BEGIN
	EXECUTE format($query$
		INSERT INTO %1$s (staging, row_number, column_name, sqlstate, reason, data)
		SELECT %2$L, coalesce(f.line, f.n), c.name, coalesce(f.state, e.said[1],
				CASE WHEN c.ordinal IS NULL THEN '23514' ELSE '22023' END),
			coalesce(f.reason, e.said[2], CASE WHEN c.ordinal IS NULL THEN 'the row has no name and no identifier'
				ELSE format('the server knows no time zone "%%s"', f.data ->> c.name) END),
			f.data
		FROM (
				SELECT f.n, r.line, f.ordinal, f.state, f.reason, to_jsonb(s.*) AS data
				FROM pg_temp.contacts_import_fault f
					JOIN pg_temp.contacts_import_row r ON r.n = f.n
					JOIN %3$s s ON s.ctid = r.place AND s.tableoid = r.part
				OFFSET 0
			) f
			LEFT JOIN unnest($1) c ON c.ordinal = f.ordinal
			LEFT JOIN LATERAL (
				SELECT contacts.input_error(btrim(f.data ->> c.name, E' \t\n\x0B\f\r'), c.type, c.typmod) AS said
			) e ON f.state IS NULL
		ORDER BY f.n$query$, rejects, label, staging)
	USING columns;
	GET DIAGNOSTICS written = ROW_COUNT;
	IF written <> rejected THEN
		RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
			MESSAGE = format('table %s changed while it was imported', staging);
	END IF;
	RETURN rejected;
END
$function$;
COMMENT ON FUNCTION contacts.import_reject(text, text, contacts.import_column[], regclass) IS 'stores the rejected rows of an import';

CREATE FUNCTION contacts.import_contacts(directory text, staging regclass,
	match text[] DEFAULT '{email}', mode text DEFAULT 'update', source text DEFAULT NULL,
	region text DEFAULT NULL, make_organizations boolean DEFAULT false,
	ignore_unknown boolean DEFAULT false, reject_table regclass DEFAULT NULL,
	OUT read bigint, OUT inserted bigint, OUT updated bigint, OUT unchanged bigint, OUT rejected bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET jit = off	-- costs more than it saves (measured)
AS $$
DECLARE
	columns contacts.import_column[];
	rows text := staging;
	old_source text := current_setting('contacts.source', true);
	old_region text := current_setting('contacts.default_region', true);
	old_memory text := current_setting('work_mem');
BEGIN
	IF directory IS NULL OR staging IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'an import needs a directory and a staging table';
	END IF;
	PERFORM contacts.directory_schema(directory);
	columns := ARRAY(SELECT c FROM contacts.import_columns(directory, staging, match) c);
	PERFORM contacts.import_check(directory, staging, columns, match, mode, ignore_unknown);
	-- one import at a time: a second one waits, and meets what the first one made
	PERFORM pg_advisory_xact_lock(hashtextextended('contacts.import_contacts', contacts.directory_schema(directory)::bigint));
	reject_table := coalesce(reject_table, contacts.import_reject_table(staging));
	PERFORM set_config('contacts.source', coalesce(source, old_source, ''), true),
		set_config('contacts.default_region', coalesce(region, old_region, ''), true),
		set_config('work_mem', greatest(pg_size_bytes(old_memory) / 1024, 65536) || 'kB', true);

	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = staging AND c.relkind IN ('r', 'p', 'm')) THEN
		-- rows of a view have no place to be found again at
		EXECUTE format('CREATE TEMPORARY TABLE contacts_import_staging ON COMMIT DROP AS SELECT * FROM %s', staging);
		rows := 'pg_temp.contacts_import_staging';
	END IF;
	read := contacts.import_read(rows, columns);
	PERFORM contacts.import_organizations(directory, columns, make_organizations);
	PERFORM contacts.import_duplicates(columns);
	PERFORM contacts.import_holders(directory, columns);
	PERFORM contacts.import_targets(directory, columns, mode);
	PERFORM contacts.import_twins(directory, columns);
	PERFORM contacts.import_consent(directory, columns);
	PERFORM contacts.import_required(directory, columns);
	PERFORM contacts.import_new(directory, columns);
	inserted := contacts.import_write_all(directory, columns, mode, read);
	rejected := contacts.import_reject(rows, staging::text, columns, reject_table);
	updated := (SELECT count(*) FROM pg_temp.contacts_import_target t
		WHERE t.is_match AND t.is_changed
			AND NOT EXISTS (SELECT FROM pg_temp.contacts_import_fault f WHERE f.n = t.n));
	unchanged := read - inserted - updated - rejected;

	DROP TABLE pg_temp.contacts_import_row, pg_temp.contacts_import_fault, pg_temp.contacts_import_organization,
		pg_temp.contacts_import_hit, pg_temp.contacts_import_target, pg_temp.contacts_import_new;
	IF rows <> staging::text THEN
		DROP TABLE pg_temp.contacts_import_staging;
	END IF;
	PERFORM set_config('contacts.source', coalesce(old_source, ''), true),
		set_config('contacts.default_region', coalesce(old_region, ''), true),
		set_config('work_mem', old_memory, true);
END
$$;
COMMENT ON FUNCTION contacts.import_contacts(text, regclass, text[], text, text, text, boolean, boolean, regclass) IS 'imports the rows of a staging table into a directory: bad rows go to a reject table, nothing else fails, consent never falls, the same rows again change nothing';
