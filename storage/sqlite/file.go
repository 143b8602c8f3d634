package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/aistrale/aistrale/storage/durable"
)

// readers is the size of the pool of reading connections.
const readers = 4

// file is an open database. It is safe for concurrent use.
type file struct {
	path  string
	write *sql.DB // one connection: SQLite has one writer, and waiting in line beats SQLITE_BUSY
	read  *prepared
	loose bool // transactions are made durable by settle
}

// kind is what a file is for.
type kind struct {
	name          string
	applicationID int64 // which its first migration writes into the file's header
	migrations    embed.FS
	folder        string // of the migrations
	newest        string // what they make of an empty file, in one
	busy          bool   // it is written to all the time
}

// openFile opens the file at path and brings its schema up to date. It makes the folder (0700)
// and the file (0600) where they are missing. A file of a newer release, or of another program,
// is an error and stays as it is.
func openFile(ctx context.Context, path string, k kind) (file, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return file{}, fmt.Errorf("data_dir: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return file{}, fmt.Errorf("data_dir: %w", err)
	}
	// Two processes that start at once on an empty folder would both migrate.
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return file{}, fmt.Errorf("%s %s: %w", k.name, path, err)
	}
	defer unlock()
	if err := create(path); err != nil {
		return file{}, fmt.Errorf("data_dir: %w", err)
	}
	f, err := connect(path)
	if err != nil {
		return file{}, fmt.Errorf("%s %s: %w", k.name, path, err)
	}
	if err := f.migrate(ctx, k); err != nil {
		return file{}, errors.Join(fmt.Errorf("%s %s: %w", k.name, path, err), f.Close())
	}
	if k.busy {
		if err := f.loosen(ctx); err != nil {
			return file{}, errors.Join(fmt.Errorf("%s %s: %w", k.name, path, err), f.Close())
		}
	}
	return f, nil
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

// connect prepares the pools. Nothing is read or written yet. Checkpoints come at half of SQLite's
// own 1000 pages: on a single core one of those keeps requests waiting for 4 ms.
func connect(path string) (file, error) {
	write, err := sql.Open("sqlite", source(path, url.Values{"_txlock": {"immediate"}},
		"journal_mode(WAL)", "wal_autocheckpoint(500)"))
	if err != nil {
		return file{}, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", source(path, url.Values{"_query_only": {"1"}}))
	if err != nil {
		return file{}, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return file{path: path, write: write, read: &prepared{DB: read, kept: map[string]*sql.Stmt{}}}, nil
}

// source is the driver's name for the file. synchronous is FULL, not the NORMAL that WAL is
// mostly run with: a revoked key must stay revoked after a power cut.
func source(path string, query url.Values, pragmas ...string) string {
	query["_pragma"] = append(pragmas, "busy_timeout(5000)", "foreign_keys(ON)", "synchronous(FULL)")
	query.Set("_dqs", "0")
	query.Set("_defensive", "1")
	query.Set("_error_rc", "1")
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// Close closes the file. Calls that are under way fail.
func (f *file) Close() error { return errors.Join(f.read.Close(), f.write.Close()) }

// change runs do in one write transaction, which is rolled back where do fails. It is durable
// where change gives no error.
func (f *file) change(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := f.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return f.settle()
}

// loosen leaves to settle what SQLite does within each transaction, where the runtime does not
// know that it waits for the disk: on one core nobody would be served meanwhile. It needs a WAL,
// which not every file system can have; a connection that were made anew would do without it. Nor
// is each row's series looked up: its number was read from the same file, whose series stay.
func (f *file) loosen(ctx context.Context) error {
	var mode string
	if err := f.write.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		return err
	}
	if _, err := f.write.ExecContext(ctx, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF"); err != nil {
		return err
	}
	f.loose = true
	return nil
}

// settle makes the last transaction durable: it is in the WAL, or a checkpoint has it in the file,
// which SQLite makes durable itself. To close the WAL drops none of SQLite's locks: it has none there.
func (f *file) settle() error {
	if !f.loose {
		return nil
	}
	wal, err := os.Open(f.path + "-wal")
	if err == nil {
		err = errors.Join(durable.Sync(wal), wal.Close())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotDurable, err)
	}
	return nil
}

// errNotDurable is of a transaction that all can read, but that a power cut may undo.
var errNotDurable = errors.New("what was written may not survive a power cut")
