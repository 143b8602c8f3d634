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

-- What is still to be chained, in the order of arrival. It is written in the transaction of what
-- it tells of.
CREATE TABLE audit_inbox (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace TEXT   NOT NULL, -- '' for what is of the whole installation
    body      BYTEA  NOT NULL
);

ALTER TABLE admin_tokens ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- a user; '' the installation itself
ALTER TABLE admin_tokens ADD COLUMN scopes TEXT[] NOT NULL DEFAULT '{}'; -- empty: all that the owner may
DROP INDEX admin_tokens_name;
CREATE UNIQUE INDEX admin_tokens_name ON admin_tokens (owner, name) WHERE revoked_at IS NULL;

ALTER TABLE keys ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE credentials ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
