-- +goose Up

-- What requests asked and were answered, redacted and sealed, for keys that want it kept. Rows come
-- and go with requests, so they are no nouns.
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

CREATE INDEX payloads_owner ON payloads (workspace, owner) WHERE owner <> '';
CREATE INDEX payloads_end_user ON payloads (workspace, end_user) WHERE end_user <> '';
CREATE INDEX payloads_expiring ON payloads (expires_at);
CREATE INDEX payloads_data_key ON payloads (data_key, id);
