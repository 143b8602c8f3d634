package sqlite

import (
	"context"
	"database/sql"

	"github.com/aistrale/aistrale/storage"
)

// Meta gives a value that the gateway keeps about itself. It wraps ErrNotFound.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE workspace = ? AND name = ?`,
		storage.DefaultWorkspace, name).Scan(&value)
	return value, named("setting", name, err)
}

// SetMeta keeps a value, in place of any other of its name.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (workspace, name, value) VALUES (?, ?, ?)
			ON CONFLICT (workspace, name) DO UPDATE SET value = excluded.value`, storage.DefaultWorkspace, name, value)
		return err
	})
	return named("setting", name, err)
}
