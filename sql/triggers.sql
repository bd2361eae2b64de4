-- The trigger functions.  Which table, timing and condition each serves stands
-- in sql/directory/triggers.sql; each refuses any other with 39P01.

CREATE FUNCTION contacts.contact_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.contact_derive() IS 'BEFORE INSERT OR UPDATE on contact: checks the row and computes its derived columns (rules I3, I6, I9, C4)';

CREATE FUNCTION contacts.contact_claim() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.contact_claim() IS 'AFTER INSERT on contact, set-based: claims the main identifiers (rules I1, I4)';

CREATE FUNCTION contacts.contact_change() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.contact_change() IS 'AFTER UPDATE on contact: the main identifiers follow email, mobile_phone and email_status (rules I4, C1, C4, C9)';

CREATE FUNCTION contacts.contact_is_identified() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.contact_is_identified() IS 'deferred constraint: a contact has a name or an identifier (rule I3)';

CREATE FUNCTION contacts.identifier_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.identifier_derive() IS 'BEFORE INSERT OR UPDATE on identifier: normalises the value, computes key, holder and default slug, inherits a state (rules I1, I5, I7, I10)';

CREATE FUNCTION contacts.identifier_change() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.identifier_change() IS 'AFTER INSERT, UPDATE or DELETE on identifier: the contact follows, released values are kept or removed, states are checked and logged (rules I4, I6, I7, C3, C5, C9)';

CREATE FUNCTION contacts.organization_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.organization_derive() IS 'BEFORE INSERT OR UPDATE on organization: sets updated_at';

CREATE FUNCTION contacts.organization_rename() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.organization_rename() IS 'AFTER UPDATE on organization: its contacts carry the new name (rule I9)';

CREATE FUNCTION contacts.semantic_type_add_main() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.semantic_type_add_main() IS 'AFTER INSERT on semantic_type: every kind has a slug main (rule I5)';

CREATE FUNCTION contacts.setting_name_rule() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.setting_name_rule() IS 'AFTER UPDATE on setting: contact types follow the name rule (rule I6)';

CREATE FUNCTION contacts.catalogue_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.catalogue_changed() IS 'AFTER any change of setting, secret or semantic_type: sessions forget what they cached';

CREATE FUNCTION contacts.guard_suppression() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.guard_suppression() IS 'ALWAYS: what is suppressed stays so (rule C2); raises 23001, constraint suppression_is_permanent';

CREATE FUNCTION contacts.guard_fixed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.guard_fixed() IS 'ALWAYS: refuses the change with 23001 (rules I5, I10, C5)';

CREATE FUNCTION contacts.guard_semantic_type() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.guard_semantic_type() IS 'ALWAYS: name, value type and contactability of a kind are fixed (rule I2); raises 23001';

CREATE FUNCTION contacts.guard_exclusive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.guard_exclusive() IS 'AFTER UPDATE on semantic_type: is_exclusive changes through contacts.set_exclusive() only (rule I2); raises 23001';

CREATE FUNCTION contacts.guard_consent_event() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.guard_consent_event() IS 'ALWAYS: the log is append-only, but for blanking evidence, source and role (rule C5); raises 23001';

CREATE FUNCTION contacts.guard_log() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.guard_log() IS 'ALWAYS: what was recorded stays, but for blanking what names a person; raises 23001';

CREATE FUNCTION contacts.subscription_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.subscription_derive() IS 'BEFORE INSERT OR UPDATE on subscription: since goes with the state';

CREATE FUNCTION contacts.subscription_change() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.subscription_change() IS 'AFTER INSERT, UPDATE or DELETE on subscription: logs the change';

CREATE FUNCTION contacts.notice_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.notice_derive() IS 'BEFORE INSERT on delivery_notice: the canonical address and its key';

CREATE FUNCTION contacts.notice_settle() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.notice_settle() IS 'AFTER INSERT on delivery_notice, set-based: suppresses addresses and tells messages';

CREATE FUNCTION contacts.template_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.template_derive() IS 'BEFORE INSERT OR UPDATE on message_template: checks the names of values, sets updated_at';

CREATE FUNCTION contacts.merge_journal_derive() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION contacts.merge_journal_derive() IS 'BEFORE INSERT on merge_journal: the role is that of whoever writes';
