// Package storagetest holds what every store must do, as tests that run against each of them:
// the suite is the contract, an interface is just its door. It must never know which store it
// runs on.
package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// start is the time of the suite's cases; nothing in it reads a clock.
func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC) }

// wants fails the test where err does not wrap want.
func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v; want one that wraps %v", err, want)
	}
}

// do fails the test where a step fails.
func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// versioned is a store that says when it was written.
type versioned interface {
	Version(ctx context.Context) (int64, error)
}

// seen gives the store's version.
func seen(t *testing.T, s versioned) int64 {
	t.Helper()
	v, err := s.Version(t.Context())
	do(t, err)
	return v
}

// NounStore keeps everything but the ledger.
type NounStore interface {
	KeyStore
	CredentialStore
	TokenStore
	RememberingStore
	ControlStore
}

// ControlStore keeps what only the control plane works on.
type ControlStore interface {
	SealedStore
	AuditStore
	TenantStore
	DocumentStore
}

// RememberingStore keeps what is neither a key nor a secret.
type RememberingStore interface {
	MetaStore
	PriceStore
	ObjectStore
	TurnStore
	PayloadStore
}

// Nouns tests a NounStore. open gives an empty one.
func Nouns(t *testing.T, open func(t *testing.T) NounStore) {
	t.Run("keys", func(t *testing.T) { Keys(t, func(t *testing.T) KeyStore { return open(t) }) })
	t.Run("credentials", func(t *testing.T) { Credentials(t, func(t *testing.T) CredentialStore { return open(t) }) })
	t.Run("sealed", func(t *testing.T) { Seals(t, func(t *testing.T) NounStore { return open(t) }) })
	t.Run("payloads", func(t *testing.T) { Payloads(t, open) })
	t.Run("admin tokens", func(t *testing.T) { AdminTokens(t, func(t *testing.T) TokenStore { return open(t) }) })
	t.Run("meta", func(t *testing.T) { Meta(t, func(t *testing.T) MetaStore { return open(t) }) })
	t.Run("prices", func(t *testing.T) { Prices(t, func(t *testing.T) PriceStore { return open(t) }) })
	t.Run("objects", func(t *testing.T) { Objects(t, func(t *testing.T) ObjectStore { return open(t) }) })
	t.Run("turns", func(t *testing.T) { Turns(t, func(t *testing.T) TurnStore { return open(t) }) })
	t.Run("audit", func(t *testing.T) { Audits(t, func(t *testing.T) AuditStore { return open(t) }) })
	t.Run("tenants", func(t *testing.T) { Tenants(t, func(t *testing.T) TenantStore { return open(t) }) })
	t.Run("documents", func(t *testing.T) { Documents(t, func(t *testing.T) DocumentStore { return open(t) }) })
}

// MetaStore keeps what the gateway remembers about itself.
type MetaStore interface {
	Meta(ctx context.Context, name string) (string, error)
	SetMeta(ctx context.Context, name, value string) error
}

// Meta tests a MetaStore. open gives an empty one, or the same one again.
func Meta(t *testing.T, open func(t *testing.T) MetaStore) {
	s := open(t)
	_, err := s.Meta(t.Context(), "first_start")
	wants(t, err, storage.ErrNotFound)
	for _, value := range []string{"2026", "", "Ärger 'quoted' \x00 \n"} {
		do(t, s.SetMeta(t.Context(), "first_start", value))
		got, err := s.Meta(t.Context(), "first_start")
		do(t, err)
		if got != value {
			t.Fatalf("got %q, want %q", got, value)
		}
	}
	_, err = s.Meta(t.Context(), "other")
	wants(t, err, storage.ErrNotFound)
}
