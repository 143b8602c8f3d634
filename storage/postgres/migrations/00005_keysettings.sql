-- +goose Up

-- What narrows, sets and bounds a key's calls: a JSON object in the words of the configuration. It
-- is kept as it was written: JSONB would change numbers, and takes no NUL.
ALTER TABLE keys ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
