-- +goose Up

-- What is billed by other units than tokens: characters to be spoken, milliseconds of sound.
ALTER TABLE usage_minute ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_minute ADD COLUMN audio_in_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_minute ADD COLUMN audio_out_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_hour ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_hour ADD COLUMN audio_in_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_hour ADD COLUMN audio_out_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_day ADD COLUMN characters INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_day ADD COLUMN audio_in_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_day ADD COLUMN audio_out_ms INTEGER NOT NULL DEFAULT 0;
