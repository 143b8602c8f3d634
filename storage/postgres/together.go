package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// underWay is the key of a context's transaction.
type underWay struct{}

// Together makes one change of all that f changes through the context that it is given: all of
// it is kept, or, where f fails, nothing. Reads of documents through that context see what it
// has changed so far. Within another one it is a part of that.
func (s *Store) Together(ctx context.Context, f func(context.Context) error) error {
	if _, ok := ctx.Value(underWay{}).(pgx.Tx); ok {
		return f(ctx)
	}
	return s.begin(ctx, func(ctx context.Context, tx pgx.Tx) error { return f(context.WithValue(ctx, underWay{}, tx)) })
}

// change runs f in one transaction, which is rolled back where f fails: in that of Together,
// where ctx has one.
func (s *Store) change(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	if tx, ok := ctx.Value(underWay{}).(pgx.Tx); ok {
		return f(ctx, tx)
	}
	return s.begin(ctx, f)
}

// reader is what a pool and a transaction share.
type reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// reading gives what reads nouns in ctx.
func (s *Store) reading(ctx context.Context) reader {
	if tx, ok := ctx.Value(underWay{}).(pgx.Tx); ok {
		return tx
	}
	return s.nouns
}
