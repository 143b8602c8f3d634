package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/aistrale/aistrale/storage"
)

const tokenColumns = `id, name, hash, created_at, expires_at, revoked_at`

// AdminTokens gives every admin token, revoked and expired ones too, oldest first.
func (s *Store) AdminTokens(ctx context.Context) ([]storage.AdminToken, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+tokenColumns+` FROM admin_tokens ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("admin tokens: %w", err)
	}
	tokens, err := gather(rows, scanToken)
	if err != nil {
		return nil, fmt.Errorf("admin tokens: %w", err)
	}
	return tokens, nil
}

// AddAdminToken adds a token. It wraps ErrExists where the id, or the name among tokens not
// revoked, is taken.
func (s *Store) AddAdminToken(ctx context.Context, t storage.AdminToken) error {
	if err := t.Check(); err != nil {
		return err
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO admin_tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
			t.ID, t.Name, t.Hash[:], t.CreatedAt.UnixMicro(), perhaps(t.ExpiresAt), perhaps(t.RevokedAt))
		return err
	})
	return named("admin token", t.Name, err)
}

func scanToken(row scanner) (storage.AdminToken, error) {
	var t storage.AdminToken
	var expires, revoked sql.NullInt64
	err := row.Scan(&t.ID, &t.Name, (*hash)(&t.Hash), (*moment)(&t.CreatedAt), &expires, &revoked)
	t.ExpiresAt, t.RevokedAt = pointer(expires), pointer(revoked)
	return t, err
}
