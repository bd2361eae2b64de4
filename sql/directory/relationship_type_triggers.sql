-- The triggers on the types of relationships and on the objects that they lead
-- to (rules R1, R3, R4).

-- a type and its inverse are one (R1); those who write types wait for each other
CREATE TRIGGER zz_lock BEFORE INSERT OR UPDATE OR DELETE ON relationship_type
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.relationship_type_lock();
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON relationship_type
	FOR EACH ROW EXECUTE FUNCTION contacts.relationship_type_derive();
CREATE TRIGGER zz_pair_insert AFTER INSERT ON relationship_type
	FOR EACH ROW EXECUTE FUNCTION contacts.relationship_type_pair();
CREATE TRIGGER zz_pair_update AFTER UPDATE ON relationship_type
	FOR EACH ROW WHEN (NEW.inverse_id IS NULL
		OR OLD.name <> NEW.name OR OLD.inverse_name <> NEW.inverse_name
		OR OLD.label <> NEW.label OR OLD.inverse_label <> NEW.inverse_label
		OR OLD.is_symmetric <> NEW.is_symmetric
		OR OLD.source_type_id <> NEW.source_type_id OR OLD.object_type_id <> NEW.object_type_id
		OR OLD.is_single <> NEW.is_single OR OLD.inverse_is_single <> NEW.inverse_is_single
		OR OLD.is_household <> NEW.is_household
		OR OLD.description IS DISTINCT FROM NEW.description
		OR OLD.is_archived <> NEW.is_archived)
	EXECUTE FUNCTION contacts.relationship_type_pair();

-- sessions that cached types and objects hear of changes
CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON relationship_type
	FOR EACH ROW EXECUTE FUNCTION contacts.catalogue_changed();
ALTER TABLE relationship_type ENABLE ALWAYS TRIGGER zz_changed;
CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON object_type
	FOR EACH ROW EXECUTE FUNCTION contacts.catalogue_changed();
ALTER TABLE object_type ENABLE ALWAYS TRIGGER zz_changed;

-- object type contact is fixed; the guard lets a restored row find its table again (R4)
CREATE TRIGGER zz_guard_update AFTER UPDATE ON object_type
	FOR EACH ROW WHEN (OLD.id = 1 AND (NEW.id <> OLD.id OR NEW.api_name <> OLD.api_name
		OR NEW.key_column <> OLD.key_column
		OR (NEW.relation <> OLD.relation AND OLD.relation <> 0)))
	EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE object_type ENABLE ALWAYS TRIGGER zz_guard_update;
-- before the foreign keys, which would refuse as well, find the types that lead to it
CREATE TRIGGER zz_guard_id BEFORE UPDATE ON object_type
	FOR EACH ROW WHEN (OLD.id = 1 AND NEW.id <> 1)
	EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE object_type ENABLE ALWAYS TRIGGER zz_guard_id;
CREATE TRIGGER zz_guard_delete BEFORE DELETE ON object_type
	FOR EACH ROW WHEN (OLD.id = 1)
	EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE object_type ENABLE ALWAYS TRIGGER zz_guard_delete;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON object_type
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE object_type ENABLE ALWAYS TRIGGER zz_guard_truncate;

-- links to records (R3): the record exists; links follow an organization, as they follow the
-- records of other tables by triggers that contacts.register_object() makes there
CREATE TRIGGER zz_record AFTER INSERT ON relationship REFERENCING NEW TABLE AS inserted
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.relationship_record();
CREATE TRIGGER zz_record_update AFTER UPDATE ON relationship
	FOR EACH ROW WHEN (NEW.related_contact_id IS NULL
		AND (OLD.relationship_type_id <> NEW.relationship_type_id
			OR OLD.record_id IS DISTINCT FROM NEW.record_id
			OR OLD.record_uuid IS DISTINCT FROM NEW.record_uuid))
	EXECUTE FUNCTION contacts.relationship_record();
CREATE TRIGGER zz_record_delete AFTER DELETE ON organization
	FOR EACH ROW WHEN (OLD.id IS NOT NULL)
	EXECUTE FUNCTION contacts.record_change();
CREATE TRIGGER zz_record_update AFTER UPDATE ON organization
	FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)
	EXECUTE FUNCTION contacts.record_change();
CREATE TRIGGER zz_record_truncate AFTER TRUNCATE ON organization
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.record_change();
