package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/internal/outlet"
	"github.com/aistrale/aistrale/storage"
)

// AuditConfig says when the audit log is witnessed, and by whom.
type AuditConfig struct {
	Every     time.Duration   `yaml:"checkpoint_every"`   // after the last checkpoint, where something was added
	Records   int64           `yaml:"checkpoint_records"` // behind the last checkpoint
	Witnesses []WitnessConfig `yaml:"witnesses"`
}

// WitnessConfig is a place outside the store that keeps checkpoints; it is one of its members.
type WitnessConfig struct {
	File    string         `yaml:"file"`
	Webhook storage.Secret `yaml:"webhook"` // a URL; it may hold a token
}

// outlet makes the place.
func (w *WitnessConfig) outlet() (admin.Outlet, error) {
	switch {
	case (w.File == "") == w.Webhook.Empty():
		return nil, errors.New("it has one of file and webhook")
	case w.File != "":
		return outlet.File{Path: w.File}, nil
	}
	return outlet.NewWebhook(w.Webhook.Reveal())
}

// audit checks that the witnesses are some.
func (v *validator) audit(c *AuditConfig) {
	if c.Every <= 0 {
		v.wrong("audit.checkpoint_every", "is not above 0")
	}
	if c.Records <= 0 {
		v.wrong("audit.checkpoint_records", "is not above 0")
	}
	for i := range c.Witnesses {
		if _, err := c.Witnesses[i].outlet(); err != nil {
			v.wrong(element("audit.witnesses", i), "%s", err)
		}
	}
}

// auditor makes what chains the audit log of a store, has it witnessed and tells of it.
func auditor(s *store, config *Config, notices *admin.Notices, log *slog.Logger) (*admin.Auditor, error) {
	o := admin.AuditorOptions{
		Store: s, Vault: controlVault{s}, Notices: notices, Log: log, Now: s.env.Now, Every: config.Audit.Every, Records: config.Audit.Records,
	}
	for i := range config.Audit.Witnesses {
		w, err := config.Audit.Witnesses[i].outlet()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", element("audit.witnesses", i), err)
		}
		o.Witnesses = append(o.Witnesses, w)
	}
	return admin.NewAuditor(o), nil
}
