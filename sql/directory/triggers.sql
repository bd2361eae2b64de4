-- The triggers of the extension on a directory's tables.
-- Their names begin with zz_: after the triggers of most users, and, being
-- lower case, after those of the foreign keys (RI_...): a trigger that locks
-- other rows before the foreign keys do would deadlock with them.
-- A function that is both a ROW and a STATEMENT trigger collects the rows that
-- changed in the first and settles them, set-based, in the second.

-- contact: derived columns; the main identifiers follow
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON contact
	FOR EACH ROW EXECUTE FUNCTION contacts.contact_derive();
CREATE TRIGGER zz_claim AFTER INSERT ON contact REFERENCING NEW TABLE AS inserted
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.contact_claim();
CREATE TRIGGER zz_change AFTER UPDATE ON contact
	FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email
		OR OLD.mobile_phone IS DISTINCT FROM NEW.mobile_phone
		OR OLD.email_status IS DISTINCT FROM NEW.email_status)
	EXECUTE FUNCTION contacts.contact_change();
CREATE TRIGGER zz_change_settle AFTER UPDATE OF email, mobile_phone, email_status ON contact
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.contact_change();
CREATE TRIGGER zz_guard AFTER UPDATE ON contact
	FOR EACH ROW WHEN (OLD.email_status = 'suppressed' AND NEW.email_status <> 'suppressed'
		AND OLD.email = NEW.email)
	EXECUTE FUNCTION contacts.guard_suppression();
ALTER TABLE contact ENABLE ALWAYS TRIGGER zz_guard;

-- identifier: key, holder, label, validation; contact follows
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON identifier
	FOR EACH ROW EXECUTE FUNCTION contacts.identifier_derive();
CREATE TRIGGER zz_change_insert AFTER INSERT ON identifier
	FOR EACH ROW EXECUTE FUNCTION contacts.identifier_change();
CREATE TRIGGER zz_change_update AFTER UPDATE ON identifier
	FOR EACH ROW WHEN (OLD.contact_id IS DISTINCT FROM NEW.contact_id
		OR OLD.semantic_type IS DISTINCT FROM NEW.semantic_type
		OR OLD.slug IS DISTINCT FROM NEW.slug
		OR OLD.value IS DISTINCT FROM NEW.value
		OR OLD.holder IS DISTINCT FROM NEW.holder
		OR OLD.is_validated IS DISTINCT FROM NEW.is_validated
		OR OLD.status IS DISTINCT FROM NEW.status)
	EXECUTE FUNCTION contacts.identifier_change();
CREATE TRIGGER zz_change_delete AFTER DELETE ON identifier
	FOR EACH ROW WHEN (OLD.contact_id IS NOT NULL)
	EXECUTE FUNCTION contacts.identifier_change();
CREATE TRIGGER zz_change_settle AFTER INSERT OR DELETE
	OR UPDATE OF contact_id, semantic_type, slug, value, holder, is_validated, validated_at, status ON identifier
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.identifier_change();
CREATE TRIGGER zz_guard_update AFTER UPDATE ON identifier
	FOR EACH ROW WHEN (OLD.status IN ('suppressed', 'unsubscribed')
		AND (OLD.key <> NEW.key
			-- a value of another kind of address becomes a main one, under its key
			OR (OLD.semantic_type <> NEW.semantic_type
				AND (NEW.semantic_type NOT IN ('email', 'phone') OR NEW.slug IS DISTINCT FROM 'main'))
			OR (OLD.value IS DISTINCT FROM NEW.value AND NEW.value IS NOT NULL AND OLD.value IS NOT NULL)
			OR (OLD.status = 'suppressed' AND NEW.status IS DISTINCT FROM 'suppressed')))
	EXECUTE FUNCTION contacts.guard_suppression();
ALTER TABLE identifier ENABLE ALWAYS TRIGGER zz_guard_update;
CREATE TRIGGER zz_guard_delete AFTER DELETE ON identifier
	FOR EACH ROW WHEN (OLD.status IN ('suppressed', 'unsubscribed')
		AND OLD.contact_id IS NULL AND OLD.holder = 0)
	EXECUTE FUNCTION contacts.guard_suppression();
ALTER TABLE identifier ENABLE ALWAYS TRIGGER zz_guard_delete;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON identifier
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_suppression();
ALTER TABLE identifier ENABLE ALWAYS TRIGGER zz_guard_truncate;

-- I3: a contact is identified, at the end of the transaction at the latest
CREATE CONSTRAINT TRIGGER contact_is_identified AFTER INSERT OR UPDATE ON contact
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.first_name IS NULL AND NEW.last_name IS NULL
		AND NEW.email IS NULL AND NEW.mobile_phone IS NULL)
	EXECUTE FUNCTION contacts.contact_is_identified();
CREATE CONSTRAINT TRIGGER contact_is_identified_delete AFTER DELETE ON identifier
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (OLD.contact_id IS NOT NULL)
	EXECUTE FUNCTION contacts.contact_is_identified();
CREATE CONSTRAINT TRIGGER contact_is_identified_update AFTER UPDATE ON identifier
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (OLD.contact_id IS NOT NULL AND OLD.contact_id IS DISTINCT FROM NEW.contact_id)
	EXECUTE FUNCTION contacts.contact_is_identified();

-- organization: contacts carry its name (I9)
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON organization
	FOR EACH ROW EXECUTE FUNCTION contacts.organization_derive();
CREATE TRIGGER zz_rename AFTER UPDATE ON organization
	FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
	EXECUTE FUNCTION contacts.organization_rename();

-- the catalogues: every kind has a slug main (I5); sessions that cached them hear of changes
-- by a row trigger: a logical subscriber fires no statement triggers
CREATE TRIGGER zz_add_main AFTER INSERT ON semantic_type
	FOR EACH ROW EXECUTE FUNCTION contacts.semantic_type_add_main();
CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON semantic_type
	FOR EACH ROW EXECUTE FUNCTION contacts.catalogue_changed();
ALTER TABLE semantic_type ENABLE ALWAYS TRIGGER zz_changed;
CREATE TRIGGER zz_guard AFTER UPDATE OR DELETE ON semantic_type
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_semantic_type();
ALTER TABLE semantic_type ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_exclusive AFTER UPDATE ON semantic_type
	FOR EACH ROW WHEN (OLD.is_exclusive <> NEW.is_exclusive)
	EXECUTE FUNCTION contacts.guard_exclusive();
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON semantic_type
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE semantic_type ENABLE ALWAYS TRIGGER zz_guard_truncate;
CREATE TRIGGER zz_guard AFTER UPDATE OR DELETE ON identifier_slug
	FOR EACH ROW WHEN (OLD.slug = 'main')
	EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE identifier_slug ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON identifier_slug
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE identifier_slug ENABLE ALWAYS TRIGGER zz_guard_truncate;
CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON setting
	FOR EACH ROW EXECUTE FUNCTION contacts.catalogue_changed();
ALTER TABLE setting ENABLE ALWAYS TRIGGER zz_changed;
CREATE TRIGGER zz_name_rule AFTER UPDATE ON setting
	FOR EACH ROW WHEN (OLD.name_rule <> NEW.name_rule)
	EXECUTE FUNCTION contacts.setting_name_rule();
CREATE TRIGGER zz_guard AFTER UPDATE ON setting
	FOR EACH ROW WHEN (OLD.secret_fingerprint <> NEW.secret_fingerprint)
	EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE setting ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_delete AFTER DELETE ON setting
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE setting ENABLE ALWAYS TRIGGER zz_guard_delete;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON setting
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE setting ENABLE ALWAYS TRIGGER zz_guard_truncate;
CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON secret
	FOR EACH ROW EXECUTE FUNCTION contacts.catalogue_changed();
ALTER TABLE secret ENABLE ALWAYS TRIGGER zz_changed;
CREATE TRIGGER zz_guard AFTER UPDATE OR DELETE ON secret
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE secret ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON secret
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE secret ENABLE ALWAYS TRIGGER zz_guard_truncate;

-- the log is append-only; erasure may blank three columns (C5)
CREATE TRIGGER zz_guard AFTER UPDATE OR DELETE ON consent_event
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_consent_event();
ALTER TABLE consent_event ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON consent_event
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE consent_event ENABLE ALWAYS TRIGGER zz_guard_truncate;
