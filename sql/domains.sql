/*
 * Domains over text and no enums: every driver binds text parameters to them.
 */
CREATE DOMAIN contacts.contact_type AS text
	CONSTRAINT contact_type_is_known CHECK (VALUE IN ('ghost', 'lead', 'contact', 'vendor'));
COMMENT ON DOMAIN contacts.contact_type IS 'what a contact is, computed from name and identifiers: ghost, lead, contact or vendor';
COMMENT ON CONSTRAINT contact_type_is_known ON DOMAIN contacts.contact_type IS 'one of the four types';

CREATE DOMAIN contacts.consent_state AS text
	CONSTRAINT consent_state_is_known CHECK (VALUE IN ('not_opted_in', 'opted_in', 'unsubscribed', 'suppressed'));
COMMENT ON DOMAIN contacts.consent_state IS 'state of an address: not_opted_in, opted_in, unsubscribed or suppressed (for good)';
COMMENT ON CONSTRAINT consent_state_is_known ON DOMAIN contacts.consent_state IS 'one of the four states';

CREATE DOMAIN contacts.validation_method AS text
	CONSTRAINT validation_method_is_known CHECK (VALUE IN ('otp', 'magic_link', 'manual'));
COMMENT ON DOMAIN contacts.validation_method IS 'how an identifier was shown to be its contact''s: otp, magic_link or manual';
COMMENT ON CONSTRAINT validation_method_is_known ON DOMAIN contacts.validation_method IS 'one of the three methods';

CREATE DOMAIN contacts.state_reason AS text
	CONSTRAINT state_reason_is_known CHECK (VALUE IN ('own_wish', 'complaint', 'bounce', 'screening', 'manual', 'import'));
COMMENT ON DOMAIN contacts.state_reason IS 'why an address has its state: own_wish, complaint, bounce, screening, manual or import';
COMMENT ON CONSTRAINT state_reason_is_known ON DOMAIN contacts.state_reason IS 'one of the six reasons';

/*
 * Form only: zone names leave the system's data over the years, and what was
 * stored must be restored.  A trigger asks the server when the column changes.
 */
CREATE DOMAIN contacts.time_zone AS text
	CONSTRAINT time_zone_has_form CHECK (
		length(VALUE) BETWEEN 1 AND 64
		AND translate(VALUE, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/', '') = '');
COMMENT ON DOMAIN contacts.time_zone IS 'name of a time zone, such as Europe/Berlin';
COMMENT ON CONSTRAINT time_zone_has_form ON DOMAIN contacts.time_zone IS '1 to 64 ASCII letters, digits and + - _ /';
