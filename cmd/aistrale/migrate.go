package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage/sqlite"
)

const migrateUsage = `usage: aistrale migrate [--config FILE] [--json]
       Brings the stores to this release's schema, and says which they have. The gateway does the
       same when it starts.`

// runMigrate opens the stores, which migrates them, and prints their versions.
func runMigrate(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, migrateUsage)
	if _, err := c.parse(args, 0); err != nil {
		return helped(err)
	}
	return c.withStore(ctx, func(nouns nounStore, config *Config) (err error) {
		ledger, err := openLedger(ctx, config, nouns)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ledger.Close()) }()
		as := sheet.Table
		if c.json {
			as = sheet.JSON
		}
		s := sheet.New(env.Stdout, as, []sheet.Column{{Name: "store", Heading: "STORE"}, {Name: "schema", Heading: "SCHEMA"}, {Name: "where", Heading: "WHERE"}})
		for _, part := range partsOf(&books{config, nouns, ledger}) {
			version, err := part.store.SchemaVersion(ctx)
			if err != nil {
				return err
			}
			if err := s.Row([]jsontext.Value{sheet.Text(part.name), sheet.Int(version), sheet.Text(part.where)}...); err != nil {
				return err
			}
		}
		return s.Close()
	})
}

// part is one of the databases of a configuration.
type part struct {
	name, where string
	store       database
}

// partsOf names the databases: two files, or one database on a server, whose URL is not shown.
func partsOf(b *books) []part {
	if !b.config.Storage.Postgres.Empty() {
		return []part{{storePostgres, "storage.postgres", b.nouns}}
	}
	dir := b.config.DataDir
	return []part{
		{sqlite.FileName, filepath.Join(dir, sqlite.FileName), b.nouns},
		{sqlite.LedgerFileName, filepath.Join(dir, sqlite.LedgerFileName), b.ledger},
	}
}

// The kinds of stores.
const (
	storeSQLite   = "sqlite"
	storePostgres = "postgres"
)
