package postgres

import (
	"context"
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
