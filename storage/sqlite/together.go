package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// underWay is the key of a context's transaction.
type underWay struct{}

// Together makes one change of all that f changes through the context that it is given: all of
// it is kept, or, where f fails, nothing. Reads of documents through that context see what it
// has changed so far. Within another one it is a part of that.
func (s *Store) Together(ctx context.Context, f func(context.Context) error) error {
	if _, ok := ctx.Value(underWay{}).(*sql.Tx); ok {
		return f(ctx)
	}
	return s.file.change(ctx, func(tx *sql.Tx) error { return f(context.WithValue(ctx, underWay{}, tx)) })
}

// change runs do in one write transaction, which is rolled back where do fails: in that of
// Together, where ctx has one.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) error) error {
	if tx, ok := ctx.Value(underWay{}).(*sql.Tx); ok {
		return do(tx)
	}
	return s.file.change(ctx, do)
}

// reader is what *sql.DB and *sql.Tx share.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// reading gives what reads in ctx.
func (s *Store) reading(ctx context.Context) reader {
	if tx, ok := ctx.Value(underWay{}).(*sql.Tx); ok {
		return tx
	}
	return s.read
}

// first reads the one row of a query; it wraps sql.ErrNoRows.
func first[T any](rows *sql.Rows, scan func(scanner) (T, error)) (one T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return one, errors.Join(rows.Err(), sql.ErrNoRows)
	}
	return scan(rows)
}
