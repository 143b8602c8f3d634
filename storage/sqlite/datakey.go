package sqlite

import (
	"context"
	"database/sql"
	"errors"
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

// RewrapDataKey puts the wrapped form of k in the place of old. It wraps ErrChanged where the data
// key is not wrapped so any more.
func (s *Store) RewrapDataKey(ctx context.Context, k storage.DataKey, old []byte) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE data_keys SET wrapped = ? WHERE id = ? AND wrapped = ?`, k.Wrapped, k.ID, old)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return storage.ErrChanged
	})
	return named("data key", k.ID, err)
}

// RemoveDataKey removes a data key. It wraps ErrInUse where something is sealed under it, and
// ErrNotFound.
func (s *Store) RemoveDataKey(ctx context.Context, id string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM data_keys WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return storage.ErrNotFound
	})
	if err = named("data key", id, err); errors.Is(err, errMissing) {
		return fmt.Errorf("data key %q: %w", id, storage.ErrInUse)
	}
	return err
}
