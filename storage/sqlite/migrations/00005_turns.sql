-- +goose Up

-- What the gateway keeps of conversations with models whose providers keep nothing, sealed. Rows
-- come and go with requests, so they are no nouns.
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

CREATE INDEX turns_previous ON turns (previous) WHERE previous <> '';
CREATE INDEX turns_within ON turns (within, created_at, place, id) WHERE within <> '';
CREATE INDEX turns_expiring ON turns (expires_at) WHERE expires_at IS NOT NULL;
