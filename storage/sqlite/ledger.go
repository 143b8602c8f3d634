package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"sync"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// LedgerFileName is the name of the ledger's file in a data folder. It is not the nouns' file,
// so that rows that come all the time do not look like news of keys.
const LedgerFileName = "ledger.db"

//go:embed ledgermigrations/*.sql
var ledgerMigrations embed.FS

//go:embed schemas/ledger.sql
var ledgerSchema string

// ledgerKind is the ledger's file; its number is "AISL".
func ledgerKind() kind {
	return kind{
		name: "ledger", applicationID: 0x4149534c, busy: true,
		migrations: ledgerMigrations, folder: "ledgermigrations", newest: ledgerSchema,
	}
}

// Ledger is the open file of entries and their roll-ups. It is safe for concurrent use, beside
// other processes.
type Ledger struct {
	file

	mu     sync.Mutex // writes take turns, and have what follows for themselves
	series seriesIDs
	made   *ledgerStatements // nil until the first write: most commands only read
	wire   []byte
	args   []any
}

// OpenLedger opens the ledger at path and brings its schema up to date, with Open's care.
func OpenLedger(ctx context.Context, path string) (*Ledger, error) {
	f, err := openFile(ctx, path, ledgerKind())
	if err != nil {
		return nil, err
	}
	return &Ledger{file: f}, nil
}

// Close closes the file. Calls that are under way fail.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.made != nil {
		err = l.made.close()
		l.made = nil
	}
	return errors.Join(err, l.file.Close())
}

// Write adds entries, all or none, and what they make of the roll-ups. One that is there already,
// by request id, attempt and revision, changes nothing, so a batch may be written again. It wraps
// ledger.ErrEntry where an entry can never be kept, and storage.ErrLedgerUnavailable where the
// trouble is the file's.
func (l *Ledger) Write(ctx context.Context, entries []storage.Entry) error {
	ordered, err := ledger.Order(entries)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if len(ordered) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		if l.made, err = prepareLedger(ctx, l.write); err != nil {
			return l.trouble(err)
		}
	}
	w := ledgerWrite{l: l, ctx: context.WithoutCancel(ctx), entries: ordered}
	if err := l.change(ctx, w.run); err != nil {
		l.series.forget()
		return l.trouble(err)
	}
	l.series.keep()
	if cap(l.wire) > mostWire {
		l.wire = nil
	}
	return nil
}

// mostWire is how many bytes a write leaves for the next one: 50 usual rows have 20 KiB.
const mostWire = 1 << 20

// trouble says whether an error is the file's (a full disk, a lock that is held for too long, a
// file that was closed or damaged) or may be an entry's: only then does it help to write the
// others without it.
func (l *Ledger) trouble(err error) error {
	var refused *sqlite.Error
	files := errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errNotDurable)
	if !errors.As(err, &refused) && !files {
		return fmt.Errorf("ledger %s: %w", l.path, err)
	}
	if refused != nil {
		switch refused.Code() & 0xff { // the rest says more closely which
		case lib.SQLITE_CONSTRAINT, lib.SQLITE_MISMATCH, lib.SQLITE_TOOBIG:
			return fmt.Errorf("ledger %s: %w", l.path, err)
		}
	}
	return fmt.Errorf("%w: %s: %w", storage.ErrLedgerUnavailable, l.path, err)
}

// ledgerStatements are those of a write.
type ledgerStatements struct {
	between       *sql.Stmt
	known, insert *chunks
	upsert        map[storage.Period]*chunks
}

func prepareLedger(ctx context.Context, db *sql.DB) (_ *ledgerStatements, err error) {
	s := &ledgerStatements{upsert: make(map[storage.Period]*chunks)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	s.between, err = db.PrepareContext(ctx, `SELECT EXISTS (SELECT 1 FROM entries WHERE request_id BETWEEN ? AND ?)`)
	if err != nil {
		return nil, err
	}
	s.known, err = newChunks(ctx, db, []int{50, 10, 1}, func(rows int) string {
		return `SELECT request_id, attempt, revision, entry FROM entries WHERE request_id IN ` + marks(rows, 1) +
			` ORDER BY request_id, attempt, revision`
	})
	if err != nil {
		return nil, err
	}
	s.insert, err = newChunks(ctx, db, []int{50, 10, 1}, func(rows int) string {
		// Write takes back all where a row fails; so that SQLite keeps no copies of pages to take back a few.
		return `INSERT OR FAIL INTO entries (request_id, attempt, revision, series_id, entry) VALUES ` + marks(5, rows)
	})
	if err != nil {
		return nil, err
	}
	for _, p := range storage.Periods() {
		s.upsert[p], err = newChunks(ctx, db, []int{16, 1}, func(rows int) string {
			return ledger.Upsert(p, rows, mark)
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// mark is SQLite's parameter.
func mark(int) string { return "?" }

func (s *ledgerStatements) close() error {
	var errs []error
	if s.between != nil {
		errs = append(errs, s.between.Close())
	}
	for _, c := range []*chunks{s.known, s.insert, s.upsert[storage.Minute], s.upsert[storage.Hour], s.upsert[storage.Day]} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
