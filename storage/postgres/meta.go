package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// Meta gives a value that the gateways keep about themselves. It wraps ErrNotFound.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	var value []byte
	err := s.one(ctx, `SELECT value FROM settings WHERE workspace = $1 AND name = $2`, &value,
		storage.DefaultWorkspace, name)
	return string(value), named("setting", name, err)
}

// SetMeta keeps a value, in place of any other of its name.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (workspace, name, value) VALUES ($1, $2, $3)
			ON CONFLICT (workspace, name) DO UPDATE SET value = excluded.value`,
			storage.DefaultWorkspace, name, []byte(value))
		return err
	})
	return named("setting", name, err)
}
