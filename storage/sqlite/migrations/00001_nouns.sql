-- +goose Up

-- "AIST": a store knows its own files, and never touches another program's.
PRAGMA application_id = 1095324500;

-- Times are integers: microseconds since 1970, UTC. Lists are JSON arrays of strings.

CREATE TABLE workspaces (
    name       TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
    workspace  TEXT    NOT NULL REFERENCES workspaces (name),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
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
    revoked_at INTEGER,
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, name),
    FOREIGN KEY (workspace, owner) REFERENCES users (workspace, name)
) STRICT;

-- A revoked key gives its name free: scopes ("key/ci") go on with the key that replaces it.
CREATE UNIQUE INDEX keys_name ON keys (workspace, name) WHERE revoked_at IS NULL;

-- workspace NULL: of the whole gateway.
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
    last_used_at INTEGER,
    UNIQUE (workspace, name),
    FOREIGN KEY (workspace, project) REFERENCES projects (workspace, name),
    FOREIGN KEY (workspace, owner) REFERENCES users (workspace, name)
) STRICT;

-- workspace NULL: of the whole gateway.
CREATE TABLE admin_tokens (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    workspace  TEXT    REFERENCES workspaces (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE UNIQUE INDEX admin_tokens_name ON admin_tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE settings (
    workspace TEXT NOT NULL REFERENCES workspaces (name),
    name      TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (workspace, name)
) STRICT;

INSERT INTO workspaces (name, created_at) VALUES ('default', 0);
INSERT INTO projects (workspace, name, created_at) VALUES ('default', 'default', 0);
