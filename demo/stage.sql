-- Stage what demo/people printed, as a table whose columns bear the names of
-- contact's.  A team, a list or a person of one name is a mononym.

CREATE TABLE people (
	row_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL,
	address text
);
\copy people (name, address) FROM pstdin

CREATE TABLE staging AS
SELECT people.row_number,
	CASE WHEN is_person THEN part[1] END AS first_name,
	CASE WHEN is_person THEN part[2] ELSE whole END AS last_name,
	NOT is_person AS mononym,
	address AS email
FROM people
CROSS JOIN LATERAL (
	-- "Andrew Lee (in other letters)" and quotes around a name
	SELECT btrim(regexp_replace(name, '\s*\([^)]*\)', '', 'g'), ' "') AS whole
) AS clean
CROSS JOIN LATERAL (
	-- the last word, with the particles before it: Ludwig | van Beethoven
	SELECT regexp_match(whole,
		'^(.*?)\s+((?:(?:da|de|del|den|der|di|du|la|le|van|von|zu)\s+)*\S+)$') AS part
) AS split
CROSS JOIN LATERAL (
	SELECT part IS NOT NULL
		AND whole !~* '\m(team|group|maintainers?|developers?|project|packag\w*|list|task force|debian|ubuntu)\M'
		AND COALESCE(address, '') !~* '@(lists|tracker|packages|alioth-lists|lists\.alioth)\.debian\.'
			AS is_person
) AS kind;
