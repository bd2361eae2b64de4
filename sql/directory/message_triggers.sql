-- The triggers on messages.  What is to go out meets the rules of consent after
-- the foreign keys have locked its contact: before, it would deadlock with a
-- change of email.  From sending a message goes back to queued as it came.

CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON email_message
	FOR EACH ROW EXECUTE FUNCTION contacts.message_derive();
CREATE TRIGGER zz_gate_insert AFTER INSERT ON email_message REFERENCING NEW TABLE AS inserted
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.message_gate();
CREATE TRIGGER zz_gate_update AFTER UPDATE ON email_message
	FOR EACH ROW WHEN (NEW.state IN ('queued', 'sending')
		AND ((OLD.state <> NEW.state AND (OLD.state <> 'sending' OR NEW.state <> 'queued'))
			OR OLD.key IS DISTINCT FROM NEW.key
			OR OLD.address IS DISTINCT FROM NEW.address
			OR OLD.contact_id IS DISTINCT FROM NEW.contact_id
			OR OLD.kind <> NEW.kind
			OR OLD.topic_id IS DISTINCT FROM NEW.topic_id))
	EXECUTE FUNCTION contacts.message_gate();
CREATE TRIGGER zz_gate_update_settle AFTER UPDATE OF state, key, address, contact_id, kind, topic_id ON email_message
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.message_gate();

CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON sms_message
	FOR EACH ROW EXECUTE FUNCTION contacts.message_derive();
CREATE TRIGGER zz_gate_insert AFTER INSERT ON sms_message REFERENCING NEW TABLE AS inserted
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.message_gate();
CREATE TRIGGER zz_gate_update AFTER UPDATE ON sms_message
	FOR EACH ROW WHEN (NEW.state IN ('queued', 'sending')
		AND ((OLD.state <> NEW.state AND (OLD.state <> 'sending' OR NEW.state <> 'queued'))
			OR OLD.key IS DISTINCT FROM NEW.key
			OR OLD.address IS DISTINCT FROM NEW.address
			OR OLD.contact_id IS DISTINCT FROM NEW.contact_id
			OR OLD.kind <> NEW.kind
			OR OLD.topic_id IS DISTINCT FROM NEW.topic_id))
	EXECUTE FUNCTION contacts.message_gate();
CREATE TRIGGER zz_gate_update_settle AFTER UPDATE OF state, key, address, contact_id, kind, topic_id ON sms_message
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.message_gate();

CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON setting
	FOR EACH ROW EXECUTE FUNCTION contacts.setting_derive();
