package main

import (
	"github.com/aistrale/aistrale/internal/defect"
	"github.com/aistrale/aistrale/storage"
)

// SentryConfig says where the gateway's own failures are told of.
type SentryConfig struct {
	DSN         storage.Secret `yaml:"dsn"` // empty: nowhere
	Environment string         `yaml:"environment"`
	PerMinute   int            `yaml:"per_minute"` // of all causes together
}

func (v *validator) sentry(s *SentryConfig) {
	if s.PerMinute < 1 {
		v.wrong("sentry.per_minute", "must be at least 1")
	}
	if s.DSN.Empty() {
		return
	}
	if err := defect.CheckDSN(s.DSN); err != nil {
		v.wrong("sentry.dsn", "%s", err)
	}
}
