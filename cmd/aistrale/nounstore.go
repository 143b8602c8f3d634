package main

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// nounStore keeps what requests are judged by: SQLite under data_dir, or PostgreSQL. Its suite
// is in storage/storagetest.
type nounStore interface {
	keyStore
	secretStore
	rememberingStore
	// Version changes when any noun does, whoever changed it.
	Version(ctx context.Context) (int64, error)
	io.Closer
}

type keyStore interface {
	Keys(ctx context.Context) ([]storage.Key, error)
	AddKey(ctx context.Context, k storage.Key) error
	RevokeKey(ctx context.Context, workspace, ref string, at time.Time) (storage.Key, error)
}

type secretStore interface {
	dataKeyStore
	Credentials(ctx context.Context) ([]storage.Credential, error)
	PutCredential(ctx context.Context, c storage.Credential) error
	RemoveCredential(ctx context.Context, workspace, name string) error
}

type rememberingStore interface {
	priceStore
	tokenStore
	Meta(ctx context.Context, name string) (string, error)
	SetMeta(ctx context.Context, name, value string) error
}

type priceStore interface {
	Prices(ctx context.Context) ([]storage.Price, error)
	AddPrices(ctx context.Context, prices []storage.Price) error
}

type tokenStore interface {
	AdminTokens(ctx context.Context) ([]storage.AdminToken, error)
	AddAdminToken(ctx context.Context, t storage.AdminToken) error
}

// openNouns opens the store that the configuration names.
func openNouns(ctx context.Context, config *Config) (nounStore, error) {
	s, err := sqlite.Open(ctx, filepath.Join(config.DataDir, sqlite.FileName))
	if err != nil {
		return nil, err // no interface around a nil pointer
	}
	return s, nil
}
