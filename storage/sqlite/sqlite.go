// Package sqlite keeps the nouns of package storage in one SQLite file, beside other processes
// that have the same file open. It must never be on a request's path, and never sees a secret
// that is not sealed or hashed.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// FileName is the name of the store's file in a data folder.
const FileName = "aistrale.db"

// readers is the size of the pool of reading connections.
const readers = 4

// Store is an open file. It is safe for concurrent use.
type Store struct {
	path  string
	write *sql.DB // one connection: SQLite has one writer, and waiting in line beats SQLITE_BUSY
	read  *sql.DB
	watch watch
}

// Open opens the store at path and brings its schema up to date. It makes the folder (0700) and
// the file (0600) where they are missing. A file of a newer release, or of another program, is
// an error and stays as it is.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	// Two processes that start at once on an empty folder would both migrate.
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	defer unlock()
	if err := create(path); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	s, err := connect(path)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), s.Close())
	}
	return s, nil
}

// create makes the file before SQLite does, for its mode; SQLite gives its -wal and -shm files
// the same. A file that is there is not opened: closing it would drop the locks that SQLite
// holds on it elsewhere in this process (POSIX locks belong to the process, not to the handle).
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// connect prepares the pools. Nothing is read or written yet.
func connect(path string) (*Store, error) {
	write, err := sql.Open("sqlite", source(path, url.Values{"_txlock": {"immediate"}},
		"journal_mode(WAL)"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", source(path, url.Values{"_query_only": {"1"}}))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers + 1) // one is the watch's own
	read.SetMaxIdleConns(readers + 1)
	return &Store{path: path, write: write, read: read, watch: watch{db: read}}, nil
}

// source is the driver's name for the file. synchronous is FULL, not the NORMAL that WAL is
// mostly run with: these writes are few, and a revoked key must stay revoked after a power cut.
func source(path string, query url.Values, pragmas ...string) string {
	query["_pragma"] = append(pragmas, "busy_timeout(5000)", "foreign_keys(ON)", "synchronous(FULL)")
	query.Set("_dqs", "0")
	query.Set("_defensive", "1")
	query.Set("_error_rc", "1")
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// Close closes the file. Calls that are under way fail.
func (s *Store) Close() error {
	return errors.Join(s.watch.close(), s.read.Close(), s.write.Close())
}

// change runs f in one write transaction, which is rolled back where f fails.
func (s *Store) change(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
