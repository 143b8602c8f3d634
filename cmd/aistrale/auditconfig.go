package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/internal/outlet"
	"github.com/aistrale/aistrale/storage"
)

// AuditConfig says when the audit log is witnessed, and by whom, and where it is copied to.
type AuditConfig struct {
	Every     time.Duration   `yaml:"checkpoint_every"`   // after the last checkpoint, where something was added
	Records   int64           `yaml:"checkpoint_records"` // behind the last checkpoint
	Witnesses []WitnessConfig `yaml:"witnesses"`
	Export    []ExportConfig  `yaml:"export"`
}

// WitnessConfig is a place outside the store that keeps checkpoints; it is one of its members.
type WitnessConfig struct {
	File    string         `yaml:"file"`
	Webhook storage.Secret `yaml:"webhook"` // a URL; it may hold a token
	S3      S3Config       `yaml:"s3"`
}

// S3Config names a bucket.
type S3Config struct {
	Endpoint string         `yaml:"endpoint"` // "" is AWS's own
	Region   string         `yaml:"region"`
	Bucket   string         `yaml:"bucket"` // "": none
	Prefix   string         `yaml:"prefix"`
	Key      storage.Secret `yaml:"key"` // ID:SECRET, with :TOKEN behind it where it is a session's
}

// outlet makes the place.
func (w *WitnessConfig) outlet() (admin.Outlet, error) {
	if count(w.File != "", !w.Webhook.Empty(), w.S3.Bucket != "") != 1 {
		return nil, errors.New("it has one of file, webhook and s3 (with a bucket)")
	}
	switch {
	case w.File != "":
		return outlet.File{Path: w.File}, nil
	case w.S3.Bucket != "":
		s := &w.S3
		made, err := outlet.NewS3(outlet.S3Options{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix, Key: s.Key.Reveal()})
		if err != nil {
			return nil, fmt.Errorf("s3: %w", err)
		}
		return made, nil
	}
	return outlet.NewWebhook(w.Webhook.Reveal(), "text/plain; charset=utf-8")
}

// ExportConfig is a place that gets the audit log as it grows; it is one of its members.
type ExportConfig struct {
	File    string         `yaml:"file"`
	Syslog  string         `yaml:"syslog"`  // udp://, tcp:// or tls://HOST:PORT
	Webhook storage.Secret `yaml:"webhook"` // a URL; it may hold a token
}

// outlet makes the place, with what names it over restarts.
func (e *ExportConfig) outlet(node string) (to admin.Outlet, id string, err error) {
	if count(e.File != "", e.Syslog != "", !e.Webhook.Empty()) != 1 {
		return nil, "", errors.New("it has one of file, syslog and webhook")
	}
	kind, address := "", ""
	switch {
	case e.File != "":
		kind, address, to = "file", e.File, &outlet.Lines{Path: e.File}
	case e.Syslog != "":
		kind, address = "syslog", e.Syslog
		to, err = outlet.NewSyslog(e.Syslog, node)
	default:
		kind, address = "webhook", e.Webhook.Reveal()
		to, err = outlet.NewWebhook(address, "application/jsonl")
	}
	return to, fmt.Sprintf("%s/%x", kind, sha256.Sum256([]byte(address))), err
}

// count says how many hold.
func count(all ...bool) (n int) {
	for _, one := range all {
		if one {
			n++
		}
	}
	return n
}

// audit checks that the witnesses and the places of export are some.
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
	for i := range c.Export {
		if _, _, err := c.Export[i].outlet(""); err != nil {
			v.wrong(element("audit.export", i), "%s", err)
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

// exporters make what copies the audit log to where the configuration says.
func exporters(s *store, config *Config, log *slog.Logger) ([]*admin.Exporter, error) {
	var all []*admin.Exporter
	for i := range config.Audit.Export {
		to, id, err := config.Audit.Export[i].outlet(config.Node)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", element("audit.export", i), err)
		}
		all = append(all, admin.NewExporter(admin.ExporterOptions{Store: s, Log: log, Now: s.env.Now, ID: id, To: to}))
	}
	return all, nil
}
