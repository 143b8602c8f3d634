package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const tokenColumns = `id, name, hash, owner, scopes, created_at, expires_at, revoked_at`

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

// AdminToken gives the token with this id. It wraps ErrNotFound.
func (s *Store) AdminToken(ctx context.Context, id string) (storage.AdminToken, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM admin_tokens WHERE id = ?`, id))
	return t, named("admin token", id, err)
}

// AddAdminToken adds a token. It wraps ErrExists where the id, or the name among its owner's tokens
// not revoked, is taken.
func (s *Store) AddAdminToken(ctx context.Context, t storage.AdminToken) error {
	if err := t.Check(); err != nil {
		return err
	}
	scopes, err := list(t.Scopes).text()
	if err != nil {
		return named("admin token", t.Name, err)
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO admin_tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			t.ID, t.Name, t.Hash[:], t.Owner, scopes, t.CreatedAt.UnixMicro(), perhaps(t.ExpiresAt), perhaps(t.RevokedAt))
		return err
	})
	return named("admin token", t.Name, err)
}

// RevokeAdminToken revokes the token with this id and gives it. One that is revoked already keeps
// its time. It wraps ErrNotFound.
func (s *Store) RevokeAdminToken(ctx context.Context, id string, at time.Time) (storage.AdminToken, error) {
	var t storage.AdminToken
	err := s.change(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `UPDATE admin_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING `+tokenColumns,
			at.UnixMicro(), id)
		var err error
		t, err = scanToken(row)
		return err
	})
	return t, named("admin token", id, err)
}

func scanToken(row scanner) (storage.AdminToken, error) {
	var t storage.AdminToken
	var expires, revoked sql.NullInt64
	err := row.Scan(&t.ID, &t.Name, (*hash)(&t.Hash), &t.Owner, (*list)(&t.Scopes), (*moment)(&t.CreatedAt), &expires, &revoked)
	t.ExpiresAt, t.RevokedAt = pointer(expires), pointer(revoked)
	return t, err
}
