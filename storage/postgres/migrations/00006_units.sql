-- +goose Up

-- What is billed by other units than tokens: characters to be spoken, milliseconds of sound. The
-- release before adds nothing to these.
ALTER TABLE usage_minute
    ADD COLUMN characters   BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN audio_in_ms  BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN audio_out_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_hour
    ADD COLUMN characters   BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN audio_in_ms  BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN audio_out_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_day
    ADD COLUMN characters   BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN audio_in_ms  BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN audio_out_ms BIGINT NOT NULL DEFAULT 0;
