-- credential: a clear password is refused, and not repeated
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON credential
	FOR EACH ROW EXECUTE FUNCTION contacts.credential_derive();

-- merge_suggestion: a pair is the same in either order
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON merge_suggestion
	FOR EACH ROW EXECUTE FUNCTION contacts.merge_suggestion_derive();
