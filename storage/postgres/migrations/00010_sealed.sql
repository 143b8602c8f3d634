-- +goose Up

ALTER TABLE credentials ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN preferred BOOLEAN NOT NULL DEFAULT false; -- among its provider's in its workspace
ALTER TABLE credentials ADD COLUMN last_test TEXT; -- JSON, NULL: none

-- When one was used or tried last changes nothing that requests are judged by.
DROP TRIGGER changed ON credentials;
CREATE TRIGGER changed AFTER INSERT OR DELETE OR TRUNCATE OR
    UPDATE OF id, name, provider, workspace, project, owner, target, sealed, data_key, label, preferred
    ON credentials FOR EACH STATEMENT EXECUTE FUNCTION nouns_changed();

-- What a document has sealed. The two kinds had it in their bodies while nothing was released.
ALTER TABLE documents ADD COLUMN data_key TEXT REFERENCES data_keys (id);
ALTER TABLE documents ADD COLUMN sealed BYTEA;
DELETE FROM documents WHERE kind IN ('audit_key', 'idempotency');

-- By these the rows are found that a rotation has still to seal anew.
CREATE INDEX documents_data_key ON documents (data_key, kind, workspace, id) WHERE data_key IS NOT NULL;
CREATE INDEX turns_data_key ON turns (data_key, id);
