-- +goose Up

-- Gateways that keep their journal here, and when each last said that it lives. Only changes of
-- seen mean something: no two clocks are compared.
CREATE TABLE instances (
    id   UUID        PRIMARY KEY,
    node TEXT        NOT NULL,
    seen TIMESTAMPTZ NOT NULL
);

-- Attempts that were sent and are not settled. Rows live for seconds and are never changed.
CREATE TABLE open_attempts (
    request_id UUID    NOT NULL,
    attempt    INTEGER NOT NULL,
    instance   UUID    NOT NULL,
    entry      BYTEA   NOT NULL,
    PRIMARY KEY (request_id, attempt)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
