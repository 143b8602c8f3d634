-- +goose Up

-- Rows lie in the order in which they were written, and their key in a tree of its own. With whole
-- entries in the key's tree five filled a page: it was divided every few rows, and a million rows
-- were nine pages deep.

CREATE TABLE entries_new (
    request_id BLOB    NOT NULL,
    attempt    INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    series_id  INTEGER NOT NULL REFERENCES series (id),
    entry      BLOB    NOT NULL,
    UNIQUE (request_id, attempt, revision)
) STRICT;

INSERT INTO entries_new SELECT request_id, attempt, revision, series_id, entry FROM entries ORDER BY request_id, attempt, revision;
DROP TABLE entries;
ALTER TABLE entries_new RENAME TO entries;
