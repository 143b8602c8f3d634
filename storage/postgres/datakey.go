package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// DataKeys gives every data key, wrapped, oldest first.
func (s *Store) DataKeys(ctx context.Context) ([]storage.DataKey, error) {
	keys, err := all(ctx, s, `SELECT id, wrapped, created_at FROM data_keys ORDER BY created_at, id`,
		func(row pgx.CollectableRow) (storage.DataKey, error) {
			var k storage.DataKey
			err := row.Scan(&k.ID, &k.Wrapped, &k.CreatedAt)
			utc(&k.CreatedAt)
			return k, err
		})
	if err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	return keys, nil
}

// AddDataKey adds a data key. It wraps ErrExists: a data key is never replaced, because rows are
// sealed under it.
func (s *Store) AddDataKey(ctx context.Context, k storage.DataKey) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO data_keys (id, wrapped, created_at) VALUES ($1, $2, $3)`,
			k.ID, k.Wrapped, k.CreatedAt)
		return err
	})
	return named("data key", k.ID, err)
}

// RewrapDataKey puts the wrapped form of k in the place of old. It wraps ErrChanged where the data
// key is not wrapped so any more.
func (s *Store) RewrapDataKey(ctx context.Context, k storage.DataKey, old []byte) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `UPDATE data_keys SET wrapped = $1 WHERE id = $2 AND wrapped = $3`, k.Wrapped, k.ID, old)
		if err == nil && done.RowsAffected() == 0 {
			err = storage.ErrChanged
		}
		return err
	})
	return named("data key", k.ID, err)
}

// RemoveDataKey removes a data key. It wraps ErrInUse where something is sealed under it, and
// ErrNotFound.
func (s *Store) RemoveDataKey(ctx context.Context, id string) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, `DELETE FROM data_keys WHERE id = $1 RETURNING id`, id).Scan(&id)
	})
	if err = named("data key", id, err); errors.Is(err, errMissing) {
		return fmt.Errorf("data key %q: %w", id, storage.ErrInUse)
	}
	return err
}
