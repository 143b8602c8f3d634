package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// nounTimeout bounds a call about nouns, for servers that neither answer nor hang up.
const nounTimeout = 15 * time.Second

// Version is a number that changes with every change of a noun, by this process or another. It
// means nothing beyond this Store: compare it with what the Store said before. It reads one row;
// the ledger's writes do not change it.
func (s *Store) Version(ctx context.Context) (int64, error) {
	var n int64
	err := s.one(ctx, `SELECT n FROM revision`, &n)
	return n, named("revision of", "nouns", err)
}

// begin runs f in one transaction, which is rolled back where f fails. Changes take turns at the
// revision's row: else two of them could wait for each other there, once each has changed
// something that the other is about to. Who listens is told where nouns have changed, when they
// have.
func (s *Store) begin(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.nouns, func(tx pgx.Tx) error {
		var before int64
		if err := tx.QueryRow(ctx, `SELECT n FROM revision FOR UPDATE`).Scan(&before); err != nil {
			return err
		}
		if err := f(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT pg_notify($1, '') FROM revision WHERE n <> $2`, s.channel(), before)
		return err
	})
}

// one reads one value by the name of a row; it wraps pgx.ErrNoRows.
func (s *Store) one(ctx context.Context, sql string, to any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	return s.nouns.QueryRow(ctx, sql, args...).Scan(to)
}

// all reads every row of a query.
func all[T any](ctx context.Context, s *Store, sql string, scan pgx.RowToFunc[T], args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return nil, err
	}
	rows, err := s.reading(ctx).Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// sole reads the one row of a query; it wraps pgx.ErrNoRows.
func sole[T any](ctx context.Context, s *Store, sql string, scan pgx.RowToFunc[T], args ...any) (one T, err error) {
	rows, err := all(ctx, s, sql, scan, args...)
	switch {
	case err != nil:
		return one, err
	case len(rows) == 0:
		return one, pgx.ErrNoRows
	}
	return rows[0], nil
}

// exec runs one statement that changes no noun, and says how many rows it changed.
func (s *Store) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return 0, err
	}
	done, err := s.nouns.Exec(ctx, sql, args...)
	return done.RowsAffected(), err
}
