-- +goose Up

-- What narrows, sets and bounds a key's calls: a JSON object in the words of the configuration.
ALTER TABLE keys ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
