package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/internal/outlet"
	"github.com/aistrale/aistrale/storage"
)

// control is the control plane over a store, and what works for it.
type control struct {
	store   *store
	log     *slog.Logger
	audits  *admin.Auditor
	exports []*admin.Exporter
	sealer  *admin.Sealer
	notices *admin.Notices
	courier *admin.Courier
	poster  *outlet.Poster
	mailer  admin.Mailer // nil where no mail is sent
	// budgets says how they stand; nil where nobody counts.
	budgets func(ctx context.Context, workspace string) ([]admin.BudgetStands, error)
	// parts says how those of the gateway do; nil where none runs.
	parts func() []admin.Part
	// defect is told of failures of the control plane; nil: nobody is.
	defect func(admin.Defect)
}

func newControl(s *store, config *Config, log *slog.Logger) (*control, error) {
	c := &control{store: s, log: log, notices: admin.NewNotices(admin.NoticesOptions{Store: s, Log: log, Now: s.env.Now})}
	c.sealer = admin.NewSealer(admin.SealerOptions{Store: s, Vault: controlVault{s}, Wrapper: s.wrapper, Log: log, Now: s.env.Now})
	guarded, err := config.Outbound.guard()
	if err != nil {
		return nil, fmt.Errorf("outbound: %w", err)
	}
	c.poster = outlet.NewPoster(guarded)
	mails, err := config.SMTP.mail()
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	if mails != nil { // no interface around a nil pointer
		c.mailer = mails
	}
	c.courier = admin.NewCourier(admin.CourierOptions{
		Notices: c.notices, Vault: controlVault{s}, Poster: c.poster, Mailer: c.mailer, Log: log,
	})
	if c.audits, err = auditor(s, config, c.notices, log); err != nil {
		return nil, err
	}
	c.exports, err = exporters(s, config, log)
	return c, err
}

// unexported gives how many records of the audit log the place that is furthest behind lacks.
func (c *control) unexported() (most int64) {
	for _, x := range c.exports {
		most = max(most, x.Lag())
	}
	return most
}

// undelivered is how long the oldest delivery that is due has been.
func (c *control) undelivered() time.Duration { return c.courier.Behind() }

// run chains the audit log, and tells webhooks of what happens, until ctx ends.
func (c *control) run(ctx context.Context) {
	var running sync.WaitGroup
	all := []func(context.Context){c.audits.Run, c.sealer.Run, c.notices.Run, c.courier.Run}
	for _, x := range c.exports {
		all = append(all, x.Run)
	}
	for _, run := range all {
		running.Go(func() { run(ctx) })
	}
	running.Wait()
}

// api makes the control plane's API. inForce gives the configuration of now.
func (c *control) api(inForce func() *Config, ledger admin.Ledger) http.Handler {
	s, config := c.store, inForce()
	return admin.NewAPI(admin.APIOptions{
		Upstreams: upstreams{inForce}, Sealer: c.sealer,
		Store: s, Vault: controlVault{s}, Auditor: c.audits, Ledger: ledger, Budgets: c.budgets, Parts: c.parts, Defect: c.defect, Notices: c.notices, Poster: c.poster, Mailer: c.mailer,
		CheckKey:      func(k *storage.Key) error { return checkKey(k, inForce()) },
		CheckBounds:   func(b *storage.Bounds) error { return checkBounds(b, inForce()) },
		CheckPayloads: func(p storage.PayloadSettings) error { return checkPayloads(p, inForce()) },
		Log:           c.log, Now: s.env.Now, Version: version,
		OIDC:         config.OIDC.options(),
		SessionLasts: config.Sessions.Lasts, SessionIdle: config.Sessions.Idle,
	})
}

// checkKey holds what narrows and bounds a key to mean something in a configuration.
func checkKey(k *storage.Key, config *Config) error {
	v := validator{found: &mistakes{}, places: map[string]place{}}
	v.denials(&KeyConfig{Deny: k.Deny, DenyModels: k.DenyModels, AllowProviders: k.AllowProviders, DenyProviders: k.DenyProviders, Store: k.Store}, "settings", config)
	v.bounds(&k.Bounds, "settings", config)
	v.keyPayloads(k.Payloads, "settings.payloads", config)
	return v.found.orNone()
}

// checkBounds does so for limits and budgets by themselves.
func checkBounds(b *storage.Bounds, config *Config) error {
	v := validator{found: &mistakes{}, places: map[string]place{}}
	v.bounds(b, "", config)
	return v.found.orNone()
}

// checkPayloads does so for what a project keeps of its calls.
func checkPayloads(p storage.PayloadSettings, config *Config) error {
	v := validator{found: &mistakes{}, places: map[string]place{}}
	v.keyPayloads(p, "payloads", config)
	return v.found.orNone()
}

// controlVault seals and opens with the data keys that the store has at the moment: another node
// may have made a new one.
type controlVault struct{ store *store }

// Current implements admin.Vault.
func (v controlVault) Current(ctx context.Context) (*storage.Vault, error) {
	if v.store.wrapper == nil {
		return nil, v.store.missing
	}
	return v.store.vault, fillVault(ctx, v.store, v.store.vault, v.store.env.Now())
}

// Seal implements admin.Vault.
func (v controlVault) Seal(ctx context.Context, secret storage.Secret, b storage.Binding) (storage.Sealed, error) {
	vault, err := v.Current(ctx)
	if err != nil {
		return storage.Sealed{}, err
	}
	return vault.Seal(secret, b)
}

// Open implements admin.Vault.
func (v controlVault) Open(ctx context.Context, s storage.Sealed, b storage.Binding) (storage.Secret, error) {
	vault, err := v.Current(ctx)
	if err != nil {
		return storage.Secret{}, err
	}
	return vault.Open(s, b)
}
