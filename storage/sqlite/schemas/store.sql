-- Written by AISTRALE_UPDATE=1 go test ./storage/sqlite -run TestSchemas: what the migrations make.
PRAGMA application_id = 1095324500;
PRAGMA user_version = 0;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE workspaces (
    name       TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
, revision INTEGER NOT NULL DEFAULT 1, settings TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE TABLE projects (
    workspace  TEXT    NOT NULL REFERENCES workspaces (name),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 1, settings TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace, name)
) STRICT;
CREATE TABLE users (
    workspace  TEXT    NOT NULL REFERENCES workspaces (name),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace, name)
) STRICT;
CREATE TABLE keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    workspace  TEXT    NOT NULL REFERENCES workspaces (name),
    project    TEXT    NOT NULL,
    owner      TEXT, -- NULL: nobody
    models     TEXT    NOT NULL,
    allow      TEXT    NOT NULL,
    tags       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER, settings TEXT NOT NULL DEFAULT '{}', revision INTEGER NOT NULL DEFAULT 1, old_hash BLOB, old_until INTEGER,
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, name),
    FOREIGN KEY (workspace, owner) REFERENCES users (workspace, name)
) STRICT;
CREATE TABLE data_keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    workspace  TEXT    REFERENCES workspaces (name),
    wrapped    BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE credentials (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    provider     TEXT    NOT NULL,
    workspace    TEXT    NOT NULL REFERENCES workspaces (name),
    project      TEXT,
    owner        TEXT,
    target       TEXT    NOT NULL,
    sealed       BLOB    NOT NULL,
    data_key     TEXT    NOT NULL REFERENCES data_keys (id),
    hint         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    last_used_at INTEGER, revision INTEGER NOT NULL DEFAULT 1, label TEXT NOT NULL DEFAULT '', preferred INTEGER NOT NULL DEFAULT 0, last_test TEXT,
    UNIQUE (workspace, name),
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, name),
    FOREIGN KEY (workspace, owner) REFERENCES users (workspace, name)
) STRICT;
CREATE TABLE admin_tokens (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    workspace  TEXT    REFERENCES workspaces (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
, owner TEXT NOT NULL DEFAULT '', scopes TEXT NOT NULL DEFAULT '[]') STRICT;
CREATE TABLE settings (
    workspace TEXT NOT NULL REFERENCES workspaces (name),
    name      TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (workspace, name)
) STRICT;
CREATE TABLE prices (
    seq            INTEGER NOT NULL PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    workspace      TEXT    REFERENCES workspaces (name),
    provider       TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    effective_from INTEGER NOT NULL,
    body           TEXT    NOT NULL, -- the whole price, JSON
    source         TEXT    NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
CREATE TABLE objects (
    provider   TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    workspace  TEXT    NOT NULL, -- of a key that may stand in the configuration only
    project    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    key_name   TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    parent     TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    owed       INTEGER NOT NULL,
    PRIMARY KEY (id, provider, credential)
) STRICT, WITHOUT ROWID;
CREATE TABLE revision (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    n   INTEGER NOT NULL
) STRICT;
CREATE TABLE turns (
    id         TEXT    NOT NULL PRIMARY KEY,
    workspace  TEXT    NOT NULL, -- of a key that may stand in the configuration only
    previous   TEXT    NOT NULL,
    within     TEXT    NOT NULL,
    place      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    data_key   TEXT    NOT NULL REFERENCES data_keys (id),
    sealed     BLOB    NOT NULL
) STRICT;
CREATE TABLE documents (
    kind       TEXT    NOT NULL,
    workspace  TEXT    NOT NULL, -- '' for what is of the whole installation
    id         TEXT    NOT NULL,
    ref        TEXT, -- NULL: none
    body       BLOB    NOT NULL,
    revision   INTEGER NOT NULL,
    served     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER, data_key TEXT REFERENCES data_keys (id), sealed BLOB,
    PRIMARY KEY (kind, workspace, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_inbox (
    id        TEXT NOT NULL PRIMARY KEY, -- UUIDv7
    workspace TEXT NOT NULL, -- '' for what is of the whole installation
    body      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_log (
    seq       INTEGER NOT NULL PRIMARY KEY,
    workspace TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    outcome   TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    prev      BLOB    NOT NULL,
    hash      BLOB    NOT NULL
) STRICT;
CREATE TABLE payloads (
    id         TEXT    NOT NULL PRIMARY KEY, -- the request's
    workspace  TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    owner      TEXT    NOT NULL, -- of the key
    end_user   TEXT    NOT NULL, -- as the client said it
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    data_key   TEXT    NOT NULL REFERENCES data_keys (id),
    sealed     BLOB    NOT NULL
) STRICT;
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (4, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (8, 1);
INSERT INTO workspaces (name, created_at, revision, settings) VALUES ('default', 0, 1, '{}');
INSERT INTO projects (workspace, name, created_at, revision, settings) VALUES ('default', 'default', 0, 1, '{}');
INSERT INTO revision (one, n) VALUES (1, 1);
CREATE UNIQUE INDEX keys_name ON keys (workspace, name) WHERE revoked_at IS NULL;
CREATE INDEX objects_listed ON objects (workspace, kind, created_at, id);
CREATE INDEX objects_parent ON objects (parent) WHERE parent <> '';
CREATE INDEX objects_owed ON objects (kind, created_at, id) WHERE owed;
CREATE INDEX objects_expiring ON objects (expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER workspaces_insert AFTER INSERT ON workspaces BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER workspaces_update AFTER UPDATE ON workspaces BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER workspaces_delete AFTER DELETE ON workspaces BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER projects_insert AFTER INSERT ON projects BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER projects_update AFTER UPDATE ON projects BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER projects_delete AFTER DELETE ON projects BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER users_insert AFTER INSERT ON users BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER users_update AFTER UPDATE ON users BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER users_delete AFTER DELETE ON users BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER keys_insert AFTER INSERT ON keys BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER keys_update AFTER UPDATE ON keys BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER keys_delete AFTER DELETE ON keys BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER data_keys_insert AFTER INSERT ON data_keys BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER data_keys_update AFTER UPDATE ON data_keys BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER data_keys_delete AFTER DELETE ON data_keys BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER credentials_insert AFTER INSERT ON credentials BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER credentials_delete AFTER DELETE ON credentials BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER admin_tokens_insert AFTER INSERT ON admin_tokens BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER admin_tokens_update AFTER UPDATE ON admin_tokens BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER admin_tokens_delete AFTER DELETE ON admin_tokens BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER settings_insert AFTER INSERT ON settings BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER settings_update AFTER UPDATE ON settings BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER settings_delete AFTER DELETE ON settings BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER prices_insert AFTER INSERT ON prices BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER prices_update AFTER UPDATE ON prices BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER prices_delete AFTER DELETE ON prices BEGIN UPDATE revision SET n = n + 1; END;
CREATE INDEX turns_previous ON turns (previous) WHERE previous <> '';
CREATE INDEX turns_within ON turns (within, created_at, place, id) WHERE within <> '';
CREATE INDEX turns_expiring ON turns (expires_at) WHERE expires_at IS NOT NULL;
CREATE UNIQUE INDEX documents_ref ON documents (kind, ref) WHERE ref IS NOT NULL;
CREATE INDEX documents_expiring ON documents (expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER documents_insert AFTER INSERT ON documents WHEN NEW.served BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER documents_update AFTER UPDATE ON documents WHEN NEW.served BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER documents_delete AFTER DELETE ON documents WHEN OLD.served BEGIN UPDATE revision SET n = n + 1; END;
CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE UNIQUE INDEX admin_tokens_name ON admin_tokens (owner, name) WHERE revoked_at IS NULL;
CREATE TRIGGER credentials_update AFTER UPDATE OF id, name, provider, workspace, project, owner, target, sealed, data_key, label, preferred
ON credentials BEGIN UPDATE revision SET n = n + 1; END;
CREATE INDEX documents_data_key ON documents (data_key, kind, workspace, id) WHERE data_key IS NOT NULL;
CREATE INDEX turns_data_key ON turns (data_key, id);
CREATE INDEX payloads_owner ON payloads (workspace, owner) WHERE owner <> '';
CREATE INDEX payloads_end_user ON payloads (workspace, end_user) WHERE end_user <> '';
CREATE INDEX payloads_expiring ON payloads (expires_at);
CREATE INDEX payloads_data_key ON payloads (data_key, id);
