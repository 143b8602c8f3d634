package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

func TestLogging(t *testing.T) {
	now := time.Unix(1e9, 0)
	config := &Config{LogLevel: "warn"}
	rule := func(r storage.LogRule) storage.Document {
		body, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return storage.Document{Body: body}
	}
	l := &logging{}
	follow := func(want slog.Level, rules ...storage.Document) map[string]time.Time {
		t.Helper()
		keys, err := l.follow(config, rules, now)
		if err != nil || l.Level() != want {
			t.Errorf("%s, %v; want %s", l.Level(), err, want)
		}
		return keys
	}
	follow(slog.LevelWarn)
	soon := now.Add(time.Minute)
	keys := follow(slog.LevelDebug, rule(storage.LogRule{Level: "debug", Until: soon}),
		rule(storage.LogRule{Key: "abcd1234", Until: soon}), rule(storage.LogRule{Key: "over1234", Until: now}))
	if len(keys) != 1 || !keys["abcd1234"].Equal(soon) {
		t.Errorf("keys %v", keys)
	}
	config.LogLevel = "error" // a reload meanwhile changes what holds afterwards
	follow(slog.LevelDebug, rule(storage.LogRule{Level: "debug", Until: soon}))
	l.tick(soon.Add(-time.Nanosecond))
	if l.Level() != slog.LevelDebug {
		t.Error("it ended too early")
	}
	l.tick(soon)
	if l.Level() != slog.LevelError {
		t.Errorf("at its end: %s", l.Level())
	}
	follow(slog.LevelError, rule(storage.LogRule{Level: "loud", Until: soon}))
	if _, err := l.follow(config, []storage.Document{{Body: []byte("{")}}, now); err == nil {
		t.Error("a damaged rule is followed")
	}
}
