package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// logging is from which level on the program logs: what the configuration says, or for a time what
// somebody wanted of all nodes.
type logging struct {
	slog.LevelVar // what holds

	mu         sync.Mutex
	configured slog.Level
	rule       storage.LogRule // of all lines; the zero value where there is none
}

// follow takes over what the configuration and the store say, and gives until when all is to be
// logged of which keys.
func (l *logging) follow(config *Config, rules []storage.Document, now time.Time) (keys map[string]time.Time, err error) {
	var configured slog.Level
	if err := configured.UnmarshalText([]byte(config.LogLevel)); err != nil {
		return nil, err
	}
	var all storage.LogRule
	for i := range rules {
		var rule storage.LogRule
		if err := json.Unmarshal(rules[i].Body, &rule); err != nil {
			return nil, err
		}
		switch {
		case !now.Before(rule.Until):
		case rule.Key == "":
			all = rule
		default:
			if keys == nil {
				keys = map[string]time.Time{}
			}
			keys[rule.Key] = rule.Until
		}
	}
	l.mu.Lock()
	l.configured, l.rule = configured, all
	l.mu.Unlock()
	l.tick(now)
	return keys, nil
}

// tick has a rule end in time.
func (l *logging) tick(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	level := l.configured
	if now.Before(l.rule.Until) {
		if err := level.UnmarshalText([]byte(l.rule.Level)); err != nil { // of a newer release
			level = l.configured
		}
	}
	if level != l.Level() {
		l.Set(level)
	}
}
