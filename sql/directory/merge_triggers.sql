-- merge_journal: an undo does what entries say, with no more rights than the role
-- has that wrote them
CREATE TRIGGER zz_derive BEFORE INSERT ON merge_journal
	FOR EACH ROW EXECUTE FUNCTION contacts.merge_journal_derive();
CREATE TRIGGER zz_guard AFTER UPDATE ON merge_journal
	FOR EACH ROW WHEN (OLD.id <> NEW.id OR OLD.merge_id <> NEW.merge_id OR OLD.relation::oid <> NEW.relation::oid
		OR OLD.action <> NEW.action OR OLD.columns <> NEW.columns OR OLD.role <> NEW.role
		OR OLD.before IS DISTINCT FROM NEW.before OR OLD.after IS DISTINCT FROM NEW.after
		OR OLD.verifier IS DISTINCT FROM NEW.verifier)
	EXECUTE FUNCTION contacts.guard_fixed();
ALTER TABLE merge_journal ENABLE ALWAYS TRIGGER zz_guard;
