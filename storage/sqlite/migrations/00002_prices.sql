-- +goose Up

-- A row is never changed and never removed: entries name it by its id. seq is the order of
-- making, by which one of two prices of the same day supersedes the other.
-- workspace NULL: of the whole gateway.
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
