
-- legal holds: before the foreign key, which would raise 23503
CREATE TRIGGER zz_hold BEFORE DELETE ON contact
	FOR EACH ROW EXECUTE FUNCTION contacts.legal_hold();
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON legal_hold
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.legal_hold();
ALTER TABLE legal_hold ENABLE ALWAYS TRIGGER zz_guard_truncate;

-- the log of erasures is append-only
CREATE TRIGGER zz_guard AFTER UPDATE OR DELETE ON erasure
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE erasure ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON erasure
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE erasure ENABLE ALWAYS TRIGGER zz_guard_truncate;
