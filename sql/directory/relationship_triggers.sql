
-- relationship: what the type says (R1); links between contacts have two rows
-- that change together (R2)
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON relationship
	FOR EACH ROW EXECUTE FUNCTION contacts.relationship_derive();
CREATE TRIGGER zz_mirror AFTER INSERT ON relationship REFERENCING NEW TABLE AS inserted
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.relationship_mirror();
CREATE TRIGGER zz_change_update AFTER UPDATE ON relationship
	FOR EACH ROW WHEN (OLD.relationship_type_id <> NEW.relationship_type_id
		OR OLD.contact_id <> NEW.contact_id
		OR OLD.related_contact_id IS DISTINCT FROM NEW.related_contact_id
		OR OLD.started_on IS DISTINCT FROM NEW.started_on
		OR OLD.ended_on IS DISTINCT FROM NEW.ended_on
		OR OLD.note IS DISTINCT FROM NEW.note
		OR OLD.is_primary <> NEW.is_primary)
	EXECUTE FUNCTION contacts.relationship_change();
CREATE TRIGGER zz_change_delete AFTER DELETE ON relationship
	FOR EACH ROW WHEN (OLD.related_contact_id IS NOT NULL)
	EXECUTE FUNCTION contacts.relationship_change();
CREATE TRIGGER zz_change_settle AFTER DELETE
	OR UPDATE OF relationship_type_id, contact_id, related_contact_id, started_on, ended_on, note, is_primary ON relationship
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.relationship_change();
-- two contacts of a link, deleted at once, wait for each other in one order
CREATE TRIGGER zz_lock_links BEFORE DELETE ON contact
	FOR EACH ROW EXECUTE FUNCTION contacts.relationship_lock();
