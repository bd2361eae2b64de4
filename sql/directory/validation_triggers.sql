-- a changed value is not what a secret was sent to
CREATE TRIGGER zz_validation AFTER UPDATE ON identifier
	FOR EACH ROW WHEN (OLD.key <> NEW.key)
	EXECUTE FUNCTION contacts.validation_void();
