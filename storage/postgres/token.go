package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

const tokenColumns = `id, name, hash, owner, scopes, created_at, expires_at, revoked_at`

// AdminTokens gives every admin token, revoked and expired ones too, oldest first.
func (s *Store) AdminTokens(ctx context.Context) ([]storage.AdminToken, error) {
	tokens, err := all(ctx, s, `SELECT `+tokenColumns+` FROM admin_tokens ORDER BY created_at, id`, scanToken)
	if err != nil {
		return nil, fmt.Errorf("admin tokens: %w", err)
	}
	return tokens, nil
}

// AdminToken gives the token with this id. It wraps ErrNotFound.
func (s *Store) AdminToken(ctx context.Context, id string) (storage.AdminToken, error) {
	t, err := sole(ctx, s, `SELECT `+tokenColumns+` FROM admin_tokens WHERE id = $1`, scanToken, id)
	return t, named("admin token", id, err)
}

// AddAdminToken adds a token. It wraps ErrExists where the id, or the name among its owner's tokens
// not revoked, is taken.
func (s *Store) AddAdminToken(ctx context.Context, t storage.AdminToken) error {
	if err := t.Check(); err != nil {
		return err
	}
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO admin_tokens (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.ID, t.Name, t.Hash[:], t.Owner, list(t.Scopes), t.CreatedAt, t.ExpiresAt, t.RevokedAt)
		return err
	})
	return named("admin token", t.Name, err)
}

// RevokeAdminToken revokes the token with this id and gives it. One that is revoked already keeps
// its time. It wraps ErrNotFound.
func (s *Store) RevokeAdminToken(ctx context.Context, id string, at time.Time) (storage.AdminToken, error) {
	var t storage.AdminToken
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE admin_tokens SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2 RETURNING `+tokenColumns, at, id)
		if err != nil {
			return err
		}
		t, err = pgx.CollectExactlyOneRow(rows, scanToken)
		return err
	})
	return t, named("admin token", id, err)
}

func scanToken(row pgx.CollectableRow) (storage.AdminToken, error) {
	var t storage.AdminToken
	var sum []byte
	if err := row.Scan(&t.ID, &t.Name, &sum, &t.Owner, &t.Scopes, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt); err != nil {
		return t, err
	}
	orNil(&t.Scopes)
	utc(&t.CreatedAt, t.ExpiresAt, t.RevokedAt)
	return t, hash(&t.Hash, sum)
}
