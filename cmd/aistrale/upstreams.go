package main

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/aistrale/aistrale/internal/accesstoken"
	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// upstreams are the providers as the control plane needs them. It implements admin.Upstreams.
type upstreams struct{ inForce func() *Config }

// Address implements admin.Upstreams.
func (u upstreams) Address(provider string) (string, error) {
	return u.inForce().baseURL(provider)
}

// Overrides implements admin.Upstreams.
func (u upstreams) Overrides(provider string) bool {
	config := u.inForce()
	return slices.ContainsFunc(config.Providers, func(p ProviderConfig) bool {
		return p.Name == provider && (!p.APIKey.Empty() || len(p.APIKeys) > 0 || p.NoKey)
	})
}

// Allowed implements admin.Upstreams.
func (u upstreams) Allowed(baseURL string) error {
	at, err := url.Parse(baseURL)
	if err != nil {
		return err
	}
	guard, err := u.inForce().Outbound.guard()
	if err != nil {
		return err
	}
	return guard.Check(at)
}

// tryTimeout bounds the try of a credential, tryConnect its connecting where the configuration says
// nothing of the provider, and tryMessage what is kept of the provider's words, in bytes.
const (
	tryTimeout = 15 * time.Second
	tryConnect = 5 * time.Second
	tryMessage = 500
)

// Try implements admin.Upstreams. It goes to the address that the configuration or the catalogue
// has, and the credential opens for no other.
func (u upstreams) Try(ctx context.Context, c *storage.Credential, v *storage.Vault) (storage.CredentialTest, error) {
	config := u.inForce()
	address, err := config.baseURL(c.Provider)
	if err != nil {
		return storage.CredentialTest{}, err
	}
	secret, err := c.Open(v, address)
	if err != nil {
		return storage.CredentialTest{}, err
	}
	made := &state{pools: map[poolKey]proxy.Upstream{}, minters: map[mintKey]*accesstoken.Source{}, ways: map[outbound.Options]*outbound.Way{}}
	defer made.close()
	account, err := made.accountWith(config, c.Provider, secret)
	if err != nil {
		return storage.CredentialTest{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	began := time.Now()
	fault := account.Try(ctx)
	test := tested(fault, account.Blind)
	test.At, test.Took = began.UTC().Truncate(time.Microsecond), time.Since(began)
	return test, nil
}

// accountWith makes a provider's account with a secret, for one call.
func (s *state) accountWith(config *Config, provider string, secret storage.Secret) (*proxy.Account, error) {
	p := ProviderConfig{Name: provider}
	for i := range config.Providers {
		if config.Providers[i].Name == provider {
			p = config.Providers[i]
		}
	}
	p.APIKey, p.APIKeys, p.Credentials, p.NoKey = secret, nil, nil, false
	p.Timeouts.Connect = cmp.Or(p.Timeouts.Connect, tryConnect)
	b := newBuilder(s, config)
	if err := b.add(&p); err != nil {
		return nil, err
	}
	for _, accounts := range b.accounts {
		if a := accounts[0]; a.KeyError != nil {
			return nil, a.KeyError
		}
		return accounts[0], nil
	}
	return nil, usagef("provider %q: it has no account", provider)
}

// tested says what an answer says of a credential.
func tested(fault *providers.Fault, blind bool) storage.CredentialTest {
	switch {
	case fault == nil && blind:
		return storage.CredentialTest{Outcome: "answered"}
	case fault == nil:
		return storage.CredentialTest{Outcome: "ok"}
	}
	out := storage.CredentialTest{Outcome: "failed", Status: fault.Status, Message: fault.Message}
	switch {
	case fault.Kind == providers.FaultProviderAuth:
		out.Outcome = "refused"
	case fault.Status == 0:
		out.Outcome = "unreachable"
		if fault.Cause != nil {
			out.Message = fault.Cause.Error()
		}
	}
	if len(out.Message) > tryMessage {
		out.Message = out.Message[:tryMessage] + "…"
	}
	return out
}
