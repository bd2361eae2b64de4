-- (c) The tables of (a), and the row triggers in PL/pgSQL that one would write:
-- the type is looked up, a link that is there from either side is refused, and
-- a second one where there is one at most; the mirror is made, changed and
-- deleted with its row.  What our indexes check, it checks by
-- query, with both contacts locked.

DROP SCHEMA IF EXISTS handmade CASCADE;
SELECT contacts.create_directory('handmade') \g /dev/null
SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger
WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'handmade'::regnamespace)
	AND NOT tgisinternal
\gexec

DROP INDEX handmade.relationship_link_key, handmade.relationship_single_key, handmade.relationship_record_single_key;

CREATE FUNCTION handmade.derive() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	SELECT t.inverse_id, t.is_single, t.inverse_is_single
		INTO STRICT NEW.inverse_type_id, NEW.is_single, NEW.inverse_is_single
		FROM handmade.relationship_type t
		WHERE t.id = NEW.relationship_type_id AND t.source_type_id = 1;
	NEW.is_mirror := NEW.id < 0;
	IF NEW.is_mirror THEN
		RETURN NEW;
	END IF;
	-- or two sessions would not see each other's links
	PERFORM FROM handmade.contact c
		WHERE c.id IN (NEW.contact_id, NEW.related_contact_id) ORDER BY c.id FOR NO KEY UPDATE;
	IF EXISTS (SELECT FROM handmade.relationship r
		WHERE r.contact_id = NEW.contact_id AND r.related_contact_id = NEW.related_contact_id
			AND r.relationship_type_id = NEW.relationship_type_id
			AND r.started_on IS NOT DISTINCT FROM NEW.started_on AND r.id <> NEW.id)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'the link exists already';
	END IF;
	IF NEW.is_single AND NEW.ended_on IS NULL AND EXISTS (SELECT FROM handmade.relationship r
		WHERE r.contact_id = NEW.contact_id AND r.relationship_type_id = NEW.relationship_type_id
			AND r.ended_on IS NULL AND r.id <> NEW.id)
		OR NEW.inverse_is_single AND NEW.ended_on IS NULL AND EXISTS (SELECT FROM handmade.relationship r
		WHERE r.contact_id = NEW.related_contact_id AND r.relationship_type_id = NEW.inverse_type_id
			AND r.ended_on IS NULL AND r.id <> -NEW.id)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'there is one at most';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER derive BEFORE INSERT OR UPDATE ON handmade.relationship
	FOR EACH ROW EXECUTE FUNCTION handmade.derive();

CREATE FUNCTION handmade.mirror() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO handmade.relationship (id, relationship_type_id, contact_id, related_contact_id,
				started_on, ended_on, note, is_primary)
			VALUES (-NEW.id, NEW.inverse_type_id, NEW.related_contact_id, NEW.contact_id,
				NEW.started_on, NEW.ended_on, NEW.note, NEW.is_primary);
	ELSIF TG_OP = 'UPDATE' THEN
		UPDATE handmade.relationship
			SET relationship_type_id = NEW.inverse_type_id, contact_id = NEW.related_contact_id,
				related_contact_id = NEW.contact_id, started_on = NEW.started_on, ended_on = NEW.ended_on,
				note = NEW.note, is_primary = NEW.is_primary
			WHERE id = -NEW.id;
	ELSE
		DELETE FROM handmade.relationship WHERE id = -OLD.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER mirror_insert AFTER INSERT ON handmade.relationship
	FOR EACH ROW WHEN (NEW.id > 0 AND NEW.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION handmade.mirror();
CREATE TRIGGER mirror_update AFTER UPDATE ON handmade.relationship
	FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND NEW.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION handmade.mirror();
CREATE TRIGGER mirror_delete AFTER DELETE ON handmade.relationship
	FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND OLD.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION handmade.mirror();
