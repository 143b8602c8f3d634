-- +goose Up

-- Who owns what a provider keeps. Rows come and go with requests, so they are no nouns: the
-- revision below does not count them.
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

CREATE INDEX objects_listed ON objects (workspace, kind, created_at, id);
CREATE INDEX objects_parent ON objects (parent) WHERE parent <> '';
CREATE INDEX objects_owed ON objects (kind, created_at, id) WHERE owed;
CREATE INDEX objects_expiring ON objects (expires_at) WHERE expires_at IS NOT NULL;

-- n is the revision of all nouns. SQLite has triggers for rows only.
CREATE TABLE revision (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    n   INTEGER NOT NULL
) STRICT;

INSERT INTO revision (one, n) VALUES (1, 1);

-- +goose StatementBegin
CREATE TRIGGER workspaces_insert AFTER INSERT ON workspaces BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER workspaces_update AFTER UPDATE ON workspaces BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER workspaces_delete AFTER DELETE ON workspaces BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER projects_insert AFTER INSERT ON projects BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER projects_update AFTER UPDATE ON projects BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER projects_delete AFTER DELETE ON projects BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER users_insert AFTER INSERT ON users BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_update AFTER UPDATE ON users BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_delete AFTER DELETE ON users BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER keys_insert AFTER INSERT ON keys BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER keys_update AFTER UPDATE ON keys BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER keys_delete AFTER DELETE ON keys BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER data_keys_insert AFTER INSERT ON data_keys BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER data_keys_update AFTER UPDATE ON data_keys BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER data_keys_delete AFTER DELETE ON data_keys BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER credentials_insert AFTER INSERT ON credentials BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_update AFTER UPDATE ON credentials BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_delete AFTER DELETE ON credentials BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER admin_tokens_insert AFTER INSERT ON admin_tokens BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER admin_tokens_update AFTER UPDATE ON admin_tokens BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER admin_tokens_delete AFTER DELETE ON admin_tokens BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER settings_insert AFTER INSERT ON settings BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER settings_update AFTER UPDATE ON settings BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER settings_delete AFTER DELETE ON settings BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER prices_insert AFTER INSERT ON prices BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER prices_update AFTER UPDATE ON prices BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER prices_delete AFTER DELETE ON prices BEGIN UPDATE revision SET n = n + 1; END;
-- +goose StatementEnd

