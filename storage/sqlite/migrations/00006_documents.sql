-- +goose Up

-- Nouns of the control plane, each a JSON object. served: requests are judged by it, and a
-- change counts as one of the nouns.
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
    expires_at INTEGER,
    PRIMARY KEY (kind, workspace, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX documents_ref ON documents (kind, ref) WHERE ref IS NOT NULL;
CREATE INDEX documents_expiring ON documents (expires_at) WHERE expires_at IS NOT NULL;

-- +goose StatementBegin
CREATE TRIGGER documents_insert AFTER INSERT ON documents WHEN NEW.served BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_update AFTER UPDATE ON documents WHEN NEW.served BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_delete AFTER DELETE ON documents WHEN OLD.served BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- What is still to be chained. It is written in the transaction of what it tells of.
CREATE TABLE audit_inbox (
    id        TEXT NOT NULL PRIMARY KEY, -- UUIDv7
    workspace TEXT NOT NULL, -- '' for what is of the whole installation
    body      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The chain. hash is of prev, seq and body; what stands beside body is there to be searched.
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

-- +goose StatementBegin
CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
-- +goose StatementEnd

ALTER TABLE admin_tokens ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- a user; '' the installation itself
ALTER TABLE admin_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]'; -- empty: all that the owner may
DROP INDEX admin_tokens_name;
CREATE UNIQUE INDEX admin_tokens_name ON admin_tokens (owner, name) WHERE revoked_at IS NULL;

ALTER TABLE keys ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE keys ADD COLUMN old_hash BLOB; -- of the text before the last rotation, good until old_until
ALTER TABLE keys ADD COLUMN old_until INTEGER;
ALTER TABLE workspaces ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE projects ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE credentials ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
