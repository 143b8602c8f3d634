package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// nounStore keeps what requests are judged by: SQLite under data_dir, or PostgreSQL. Its suite
// is in storage/storagetest.
type nounStore interface {
	secretStore
	rememberingStore
	// Version changes when any noun does, whoever changed it.
	Version(ctx context.Context) (int64, error)
	database
}

// database is what every store is.
type database interface {
	SchemaVersion(ctx context.Context) (int64, error)
	io.Closer
}

type secretStore interface {
	dataKeyStore
	PutCredential(ctx context.Context, c storage.Credential) error
}

type rememberingStore interface {
	priceStore
	controlStore
	keptStore
	Meta(ctx context.Context, name string) (string, error)
	SetMeta(ctx context.Context, name, value string) error
}

type priceStore interface {
	Prices(ctx context.Context) ([]storage.Price, error)
	AddPrices(ctx context.Context, prices []storage.Price) error
}

type objectStore interface {
	proxy.Objects
	ExpireObjects(ctx context.Context, before time.Time) (int64, error)
}

// keptStore keeps what requests leave behind.
type keptStore interface {
	objectStore
	turnStore
	payloadStore
}

// payloadStore keeps what requests asked and were answered, sealed.
type payloadStore interface {
	AddPayloads(ctx context.Context, payloads ...storage.SealedPayload) error
	ExpirePayloads(ctx context.Context, before time.Time) (int64, error)
}

// turnStore keeps turns of conversations, sealed.
type turnStore interface {
	PutTurns(ctx context.Context, turns ...storage.SealedTurn) error
	FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.SealedTurn, error)
	TurnChain(ctx context.Context, workspace, id string, most int) ([]storage.SealedTurn, error)
	TurnsWithin(ctx context.Context, q storage.TurnQuery) ([]storage.SealedTurn, error)
	turnRemover
}

type turnRemover interface {
	RemoveTurn(ctx context.Context, workspace, id string) error
	ExpireTurns(ctx context.Context, before time.Time) (int64, error)
}

// controlStore is what the control plane works on.
type controlStore interface {
	admin.Store
	ExpireDocuments(ctx context.Context, before time.Time) (int64, error)
}

// openNouns opens the store that the configuration names. A PostgreSQL server that is down is no
// error here: calls fail until it is up.
func openNouns(ctx context.Context, config *Config, log *slog.Logger) (nounStore, error) {
	if !config.Storage.Postgres.Empty() {
		s, err := postgres.Open(ctx, postgres.Options{URL: config.Storage.Postgres, Log: log})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := sqlite.Open(ctx, filepath.Join(config.DataDir, sqlite.FileName))
	if err != nil {
		return nil, err // no interface around a nil pointer
	}
	return s, nil
}
