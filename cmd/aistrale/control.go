package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

// controlAPI makes the control plane's API over a store. inForce gives the configuration of now.
func controlAPI(s *store, inForce func() *Config, audits *admin.Auditor, ledger admin.Ledger, log *slog.Logger) http.Handler {
	config := inForce()
	return admin.NewAPI(admin.APIOptions{
		Store: s, Vault: controlVault{s}, Auditor: audits, Ledger: ledger, CheckKey: func(k *storage.Key) error { return checkKey(k, inForce()) }, Log: log, Now: s.env.Now, Version: version,
		SessionLasts: config.Sessions.Lasts, SessionIdle: config.Sessions.Idle,
	})
}

// checkKey holds what narrows a key to mean something in a configuration.
func checkKey(k *storage.Key, config *Config) error {
	v := validator{found: &mistakes{}, places: map[string]place{}}
	v.denials(&KeyConfig{Deny: k.Deny, DenyModels: k.DenyModels, AllowProviders: k.AllowProviders, DenyProviders: k.DenyProviders}, "settings", config)
	if len(v.found.list) > 0 {
		return v.found
	}
	return nil
}

// controlVault seals and opens with the data keys that the store has at the moment: another node
// may have made a new one.
type controlVault struct{ store *store }

func (v controlVault) vault(ctx context.Context) (*storage.Vault, error) {
	if v.store.wrapper == nil {
		return nil, v.store.missing
	}
	return sealingVault(ctx, v.store, v.store.wrapper, v.store.env.Now())
}

// Seal implements admin.Vault.
func (v controlVault) Seal(ctx context.Context, secret storage.Secret, b storage.Binding) (storage.Sealed, error) {
	vault, err := v.vault(ctx)
	if err != nil {
		return storage.Sealed{}, err
	}
	return vault.Seal(secret, b)
}

// Open implements admin.Vault.
func (v controlVault) Open(ctx context.Context, s storage.Sealed, b storage.Binding) (storage.Secret, error) {
	vault, err := v.vault(ctx)
	if err != nil {
		return storage.Secret{}, err
	}
	return vault.Open(s, b)
}
