package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/aistrale/aistrale/storage"
)

// DataKeys gives every data key, wrapped, oldest first.
func (s *Store) DataKeys(ctx context.Context) ([]storage.DataKey, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, wrapped, created_at FROM data_keys ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	keys, err := gather(rows, func(row scanner) (storage.DataKey, error) {
		var k storage.DataKey
		err := row.Scan(&k.ID, &k.Wrapped, (*moment)(&k.CreatedAt))
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
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO data_keys (id, wrapped, created_at) VALUES (?, ?, ?)`,
			k.ID, k.Wrapped, k.CreatedAt.UnixMicro())
		return err
	})
	return named("data key", k.ID, err)
}
