package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// watch is the connection that sees others write. SQLite's data_version counts the commits of
// every other connection, of this process or another; on this one nothing is ever written, so
// no commit is missed. The numbers of two connections cannot be compared, so it is kept open.
type watch struct {
	db *sql.DB

	mu   sync.Mutex
	conn *sql.Conn
	era  int64 // counts the connections
}

// Version is a number that changes when anything in the file was written, by this process or
// another. It means nothing beyond this Store: compare it with what the Store said before. It
// costs microseconds and reads no table.
func (s *Store) Version(ctx context.Context) (int64, error) {
	version, err := s.watch.version(ctx)
	if err != nil {
		return 0, fmt.Errorf("data version: %w", err)
	}
	return version, nil
}

func (w *watch) version(ctx context.Context) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return 0, err
		}
		w.conn = conn
		w.era++
	}
	var version int64
	if err := w.conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
		// The next call begins with a fresh connection: a new era reads as a change.
		err = errors.Join(err, w.conn.Close())
		w.conn = nil
		return 0, err
	}
	return w.era<<32 | version, nil
}

func (w *watch) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return err
}
