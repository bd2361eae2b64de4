-- Settings and the secret of a directory.
-- These scripts run with search_path set to the new schema alone: unqualified
-- names are the directory's own.

CREATE TABLE setting (
	id boolean PRIMARY KEY DEFAULT true CONSTRAINT setting_is_one_row CHECK (id),
	version text NOT NULL,
	name_rule text NOT NULL DEFAULT 'both'
		CONSTRAINT setting_name_rule CHECK (name_rule IN ('both', 'any')),
	secret_fingerprint bytea NOT NULL,
	marketing_needs_opt_in boolean NOT NULL DEFAULT false,
	is_texting_enabled boolean NOT NULL DEFAULT false,
	soft_bounce_limit integer NOT NULL DEFAULT 5
		CONSTRAINT setting_soft_bounce_limit CHECK (soft_bounce_limit > 0),
	soft_bounce_window interval NOT NULL DEFAULT '30 days'
		CONSTRAINT setting_soft_bounce_window CHECK (soft_bounce_window > '0'),
	default_time_zone contacts.time_zone NOT NULL DEFAULT 'UTC',
	sms_quiet_from time,
	sms_quiet_until time,
	lease_duration interval NOT NULL DEFAULT '5 minutes'
		CONSTRAINT setting_lease_duration CHECK (lease_duration > '0'),
	validation_otp_lifetime interval NOT NULL DEFAULT '10 minutes'
		CONSTRAINT setting_validation_otp_lifetime CHECK (validation_otp_lifetime > '0'),
	validation_link_lifetime interval NOT NULL DEFAULT '1 day'
		CONSTRAINT setting_validation_link_lifetime CHECK (validation_link_lifetime > '0'),
	validation_attempts integer NOT NULL DEFAULT 5
		CONSTRAINT setting_validation_attempts CHECK (validation_attempts > 0),
	ghost_retention interval NOT NULL DEFAULT '90 days'
		CONSTRAINT setting_ghost_retention CHECK (ghost_retention >= '0'),
	identify_merge_policy text NOT NULL DEFAULT 'merge'
		CONSTRAINT setting_identify_merge_policy CHECK (identify_merge_policy IN ('merge', 'suggest', 'refuse')),
	CONSTRAINT setting_sms_quiet_hours CHECK ((sms_quiet_from IS NULL) = (sms_quiet_until IS NULL))
);
COMMENT ON TABLE setting IS 'the settings of this directory, one row';
COMMENT ON COLUMN setting.id IS 'always true: there is one row';
COMMENT ON COLUMN setting.version IS 'version of the extension that made or last upgraded this directory';
COMMENT ON COLUMN setting.name_rule IS 'what counts as a name: both (first and last name) or any of them (rule I6)';
COMMENT ON COLUMN setting.marketing_needs_opt_in IS 'marketing goes to opted_in addresses only (rule C8)';
COMMENT ON COLUMN setting.is_texting_enabled IS 'text messages may be queued (rule C8)';
COMMENT ON COLUMN setting.soft_bounce_limit IS 'so many soft bounces suppress an address';
COMMENT ON COLUMN setting.soft_bounce_window IS 'how far back soft bounces count';
COMMENT ON COLUMN setting.default_time_zone IS 'IANA name of the time zone of contacts without one';
COMMENT ON COLUMN setting.sms_quiet_from IS 'text messages wait from this time of day on, in the contact''s time zone; NULL: no quiet hours';
COMMENT ON COLUMN setting.sms_quiet_until IS 'they may go from this time of day on; before sms_quiet_from: on the next day';
COMMENT ON COLUMN setting.lease_duration IS 'how long a delivery worker has a message before it is handed out again';
COMMENT ON COLUMN setting.validation_otp_lifetime IS 'how long a code confirms';
COMMENT ON COLUMN setting.validation_link_lifetime IS 'how long the token of a link confirms';
COMMENT ON COLUMN setting.validation_attempts IS 'so many wrong codes may be given for an address or number within the lifetime of a code, however many codes are asked for, and whoever holds it';
COMMENT ON COLUMN setting.ghost_retention IS 'ghosts that were not seen for so long are removed by cleanup_ghosts()';
COMMENT ON COLUMN setting.identify_merge_policy IS 'what identify() does with identifiers of several contacts: merge folds ghosts into the known person and suggests the rest, suggest only suggests, refuse raises 23505';
COMMENT ON COLUMN setting.secret_fingerprint IS 'tells whether the row in table secret is the one this directory was made with';

CREATE TABLE secret (
	id boolean PRIMARY KEY DEFAULT true CONSTRAINT secret_is_one_row CHECK (id),
	value bytea NOT NULL
		CONSTRAINT secret_is_long_enough CHECK (octet_length(value) >= 16)
);
COMMENT ON TABLE secret IS 'the key of the identifier keys (rule I10); readable by the owner only, never changed';
COMMENT ON COLUMN secret.id IS 'always true: there is one row';
COMMENT ON COLUMN secret.value IS 'the secret; create_directory(name, secret => ...) takes one along';
REVOKE ALL ON secret FROM PUBLIC;
