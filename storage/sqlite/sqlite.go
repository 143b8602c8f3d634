// Package sqlite keeps the nouns of package storage in one SQLite file and the ledger in
// another, beside other processes that have the same files open. Of requests only those that name
// or make stored objects come here; it never sees a secret that is not sealed or hashed.
package sqlite

import (
	"context"
	"embed"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// FileName is the name of the store's file in a data folder.
const FileName = "aistrale.db"

//go:embed migrations/*.sql
var storeMigrations embed.FS

//go:embed schemas/store.sql
var storeSchema string

// storeKind is the nouns' file; its number is "AIST".
func storeKind() kind {
	return kind{name: "store", applicationID: 0x41495354, migrations: storeMigrations, folder: "migrations", newest: storeSchema}
}

// Store is the open file of the nouns. It is safe for concurrent use.
type Store struct{ file }

// Open opens the store at path and brings its schema up to date. It makes the folder (0700) and
// the file (0600) where they are missing. A file of a newer release, or of another program, is
// an error and stays as it is.
func Open(ctx context.Context, path string) (*Store, error) {
	f, err := openFile(ctx, path, storeKind())
	if err != nil {
		return nil, err
	}
	return &Store{file: f}, nil
}
