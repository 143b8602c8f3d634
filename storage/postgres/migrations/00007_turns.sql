-- +goose Up

-- What gateways keep of conversations with models whose providers keep nothing, sealed. Rows come
-- and go with requests, so they are no nouns.
CREATE TABLE turns (
    id         TEXT        NOT NULL COLLATE "C" PRIMARY KEY,
    workspace  TEXT        NOT NULL, -- of a key that may stand in a gateway's configuration only
    previous   TEXT        NOT NULL COLLATE "C",
    within     TEXT        NOT NULL COLLATE "C",
    place      INTEGER     NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    data_key   TEXT        NOT NULL REFERENCES data_keys (id),
    sealed     BYTEA       NOT NULL
);

-- What is sealed cannot be made smaller.
ALTER TABLE turns ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE INDEX turns_previous ON turns (previous) WHERE previous <> '';
CREATE INDEX turns_within ON turns (within, created_at, place, id) WHERE within <> '';
CREATE INDEX turns_expiring ON turns (expires_at) WHERE expires_at IS NOT NULL;
