-- (c') The tables and indexes of (a), and row triggers in PL/pgSQL that only look
-- the type up and make, change and delete the mirror with its row: uniqueness
-- and cardinality are kept by the indexes of the extension.

DROP SCHEMA IF EXISTS lean CASCADE;
SELECT contacts.create_directory('lean') \g /dev/null
SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger
WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'lean'::regnamespace)
	AND NOT tgisinternal
\gexec

CREATE FUNCTION lean.derive() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	SELECT t.inverse_id, t.is_single, t.inverse_is_single
		INTO STRICT NEW.inverse_type_id, NEW.is_single, NEW.inverse_is_single
		FROM lean.relationship_type t
		WHERE t.id = NEW.relationship_type_id AND t.source_type_id = 1;
	NEW.is_mirror := NEW.id < 0;
	RETURN NEW;
END
$$;
CREATE TRIGGER derive BEFORE INSERT OR UPDATE ON lean.relationship
	FOR EACH ROW EXECUTE FUNCTION lean.derive();

CREATE FUNCTION lean.mirror() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO lean.relationship (id, relationship_type_id, contact_id, related_contact_id,
				started_on, ended_on, note, is_primary)
			VALUES (-NEW.id, NEW.inverse_type_id, NEW.related_contact_id, NEW.contact_id,
				NEW.started_on, NEW.ended_on, NEW.note, NEW.is_primary);
	ELSIF TG_OP = 'UPDATE' THEN
		UPDATE lean.relationship
			SET relationship_type_id = NEW.inverse_type_id, contact_id = NEW.related_contact_id,
				related_contact_id = NEW.contact_id, started_on = NEW.started_on, ended_on = NEW.ended_on,
				note = NEW.note, is_primary = NEW.is_primary
			WHERE id = -NEW.id;
	ELSE
		DELETE FROM lean.relationship WHERE id = -OLD.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER mirror_insert AFTER INSERT ON lean.relationship
	FOR EACH ROW WHEN (NEW.id > 0 AND NEW.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION lean.mirror();
CREATE TRIGGER mirror_update AFTER UPDATE ON lean.relationship
	FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND NEW.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION lean.mirror();
CREATE TRIGGER mirror_delete AFTER DELETE ON lean.relationship
	FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND OLD.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION lean.mirror();
