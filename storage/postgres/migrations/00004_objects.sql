-- +goose Up

-- Who owns what a provider keeps. Rows come and go with requests, so they are no nouns: the
-- revision of those does not count them.
CREATE TABLE objects (
    provider   TEXT        NOT NULL,
    credential TEXT        NOT NULL,
    id         TEXT        NOT NULL COLLATE "C",
    kind       TEXT        NOT NULL,
    workspace  TEXT        NOT NULL, -- of a key that may stand in a gateway's configuration only
    project    TEXT        NOT NULL,
    key        TEXT        NOT NULL,
    key_name   TEXT        NOT NULL,
    owner      TEXT        NOT NULL,
    parent     TEXT        NOT NULL,
    bytes      BIGINT      NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    owed       BOOLEAN     NOT NULL,
    PRIMARY KEY (id, provider, credential)
);

CREATE INDEX objects_listed ON objects (workspace, kind, created_at, id);
CREATE INDEX objects_parent ON objects (parent) WHERE parent <> '';
CREATE INDEX objects_owed ON objects (kind, created_at, id) WHERE owed;
CREATE INDEX objects_expiring ON objects (expires_at) WHERE expires_at IS NOT NULL;
