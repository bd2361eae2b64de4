-- The triggers on topics, templates and notices.

-- subscription: since; the log
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON subscription
	FOR EACH ROW EXECUTE FUNCTION contacts.subscription_derive();
CREATE TRIGGER zz_change AFTER INSERT OR DELETE
	OR UPDATE OF contact_id, topic_id, state ON subscription
	FOR EACH ROW EXECUTE FUNCTION contacts.subscription_change();
CREATE TRIGGER zz_change_settle AFTER INSERT OR DELETE
	OR UPDATE OF contact_id, topic_id, state ON subscription
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.subscription_change();
CREATE TRIGGER zz_guard AFTER UPDATE OR DELETE ON subscription_event
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_log();
ALTER TABLE subscription_event ENABLE ALWAYS TRIGGER zz_guard;
CREATE TRIGGER zz_guard_truncate BEFORE TRUNCATE ON subscription_event
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.guard_log();
ALTER TABLE subscription_event ENABLE ALWAYS TRIGGER zz_guard_truncate;

-- delivery_notice: key; what follows from it
CREATE TRIGGER zz_derive BEFORE INSERT ON delivery_notice
	FOR EACH ROW EXECUTE FUNCTION contacts.notice_derive();
CREATE TRIGGER zz_settle AFTER INSERT ON delivery_notice
	FOR EACH ROW EXECUTE FUNCTION contacts.notice_settle();
CREATE TRIGGER zz_settle_all AFTER INSERT ON delivery_notice
	FOR EACH STATEMENT EXECUTE FUNCTION contacts.notice_settle();
CREATE TRIGGER zz_guard AFTER UPDATE ON delivery_notice
	FOR EACH ROW EXECUTE FUNCTION contacts.guard_log();
ALTER TABLE delivery_notice ENABLE ALWAYS TRIGGER zz_guard;

-- message_template: names of values are known
CREATE TRIGGER zz_derive BEFORE INSERT OR UPDATE ON message_template
	FOR EACH ROW EXECUTE FUNCTION contacts.template_derive();
