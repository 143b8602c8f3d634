package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// ledgerStore keeps what was spent: a file of its own under data_dir, or PostgreSQL. Its suite is
// in storage/storagetest.
type ledgerStore interface {
	Write(ctx context.Context, entries []storage.Entry) error
	Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error)
	Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error
	Trim(ctx context.Context, now time.Time, keep storage.Keep) (rows int64, err error)
	database
}

// openLedger opens the ledger of a configuration whose nouns are open. It is closed before them.
func openLedger(ctx context.Context, config *Config, nouns nounStore) (ledgerStore, error) {
	if s, ok := nouns.(*postgres.Store); ok {
		return sharedLedger{s}, nil
	}
	l, err := sqlite.OpenLedger(ctx, filepath.Join(config.DataDir, sqlite.LedgerFileName))
	if err != nil {
		return nil, err // no interface around a nil pointer
	}
	return l, nil
}

// sharedLedger is the ledger in the nouns' own database.
type sharedLedger struct{ *postgres.Store }

// Close leaves the database to the nouns, which opened it.
func (sharedLedger) Close() error { return nil }

// journalDir is where the journals of this node's gateways are.
func (c *Config) journalDir() string { return filepath.Join(c.DataDir, "journal") }

// keep says how long the ledger keeps what.
func (c *Config) keep() storage.Keep {
	return storage.Keep{Rows: c.Ledger.KeepRows, Minutes: c.Ledger.KeepMinutes, Hours: c.Ledger.KeepHours}
}
