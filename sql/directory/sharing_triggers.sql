-- Row security: who makes a contact sees it; plans made for who sees
-- everything go when that changes.
CREATE TRIGGER zz_share AFTER INSERT ON contact REFERENCING NEW TABLE AS inserted
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.contact_share();
CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON directory_share
	FOR EACH ROW EXECUTE FUNCTION contacts.catalogue_changed();
ALTER TABLE directory_share ENABLE ALWAYS TRIGGER zz_changed;
