-- Settings and the secret of a directory.
-- These scripts run with search_path set to the new schema alone: unqualified
-- names are the directory's own.

CREATE TABLE setting (
	id boolean PRIMARY KEY DEFAULT true CONSTRAINT setting_is_one_row CHECK (id),
	version text NOT NULL,
	name_rule text NOT NULL DEFAULT 'both'
		CONSTRAINT setting_name_rule CHECK (name_rule IN ('both', 'any')),
	secret_fingerprint bytea NOT NULL
);
COMMENT ON TABLE setting IS 'the settings of this directory, one row';
COMMENT ON COLUMN setting.id IS 'always true: there is one row';
COMMENT ON COLUMN setting.version IS 'version of the extension that made or last upgraded this directory';
COMMENT ON COLUMN setting.name_rule IS 'what counts as a name: both (first and last name) or any of them (rule I6)';
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
