-- +goose Up

-- Nouns of the control plane, each a JSON object. served: requests are judged by it, and a
-- change counts as one of the nouns.
CREATE TABLE documents (
    kind       TEXT        NOT NULL,
    workspace  TEXT        NOT NULL, -- '' for what is of the whole installation
    id         TEXT COLLATE "C" NOT NULL,
    ref        TEXT, -- NULL: none
    body       BYTEA       NOT NULL,
    revision   BIGINT      NOT NULL,
    served     BOOLEAN     NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    PRIMARY KEY (kind, workspace, id)
);

CREATE UNIQUE INDEX documents_ref ON documents (kind, ref) WHERE ref IS NOT NULL;
CREATE INDEX documents_expiring ON documents (expires_at) WHERE expires_at IS NOT NULL;

CREATE TRIGGER documents_insert AFTER INSERT ON documents FOR EACH ROW WHEN (NEW.served) EXECUTE FUNCTION nouns_changed();
CREATE TRIGGER documents_update AFTER UPDATE ON documents FOR EACH ROW WHEN (NEW.served) EXECUTE FUNCTION nouns_changed();
CREATE TRIGGER documents_delete AFTER DELETE ON documents FOR EACH ROW WHEN (OLD.served) EXECUTE FUNCTION nouns_changed();

-- What is still to be chained. It is written in the transaction of what it tells of.
CREATE TABLE audit_inbox (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- UUIDv7
    workspace TEXT  NOT NULL, -- '' for what is of the whole installation
    body      BYTEA NOT NULL
);

-- The chain. hash is of prev, seq and body; what stands beside body is there to be searched.
CREATE TABLE audit_log (
    seq       BIGINT      NOT NULL PRIMARY KEY,
    workspace TEXT        NOT NULL,
    at        TIMESTAMPTZ NOT NULL,
    actor     TEXT        NOT NULL,
    action    TEXT        NOT NULL,
    target    TEXT        NOT NULL,
    outcome   TEXT        NOT NULL,
    body      BYTEA       NOT NULL,
    prev      BYTEA       NOT NULL,
    hash      BYTEA       NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
-- +goose StatementEnd

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION append_only();

ALTER TABLE admin_tokens ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- a user; '' the installation itself
ALTER TABLE admin_tokens ADD COLUMN scopes TEXT[] NOT NULL DEFAULT '{}'; -- empty: all that the owner may
DROP INDEX admin_tokens_name;
CREATE UNIQUE INDEX admin_tokens_name ON admin_tokens (owner, name) WHERE revoked_at IS NULL;

ALTER TABLE keys ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE keys ADD COLUMN old_hash BYTEA; -- of the text before the last rotation, good until old_until
ALTER TABLE keys ADD COLUMN old_until TIMESTAMPTZ;
ALTER TABLE workspaces ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE projects ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE credentials ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
