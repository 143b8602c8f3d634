package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

const credentialColumns = `id, name, provider, workspace, project, owner, target, sealed, data_key, hint, created_at, updated_at, last_used_at`

// Credentials gives every credential, sealed, by workspace and name.
func (s *Store) Credentials(ctx context.Context) ([]storage.Credential, error) {
	credentials, err := all(ctx, s, `SELECT `+credentialColumns+` FROM credentials
		ORDER BY workspace COLLATE "C", name COLLATE "C"`, scanCredential)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return credentials, nil
}

// PutCredential adds a credential, or replaces the one of its name in its workspace, whole and
// at once; only the time of creation stays. It wraps ErrNotFound where there is no such
// workspace or data key.
func (s *Store) PutCredential(ctx context.Context, c storage.Credential) error {
	if err := c.Check(); err != nil {
		return err
	}
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := addHolders(ctx, tx, holders{c.Workspace, c.Project, c.Owner, c.UpdatedAt}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO credentials (`+credentialColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (workspace, name) DO UPDATE SET
				id = excluded.id, provider = excluded.provider, project = excluded.project, owner = excluded.owner,
				target = excluded.target, sealed = excluded.sealed, data_key = excluded.data_key, hint = excluded.hint,
				updated_at = excluded.updated_at, last_used_at = excluded.last_used_at`,
			c.ID, c.Name, c.Provider, c.Workspace, orNull(c.Project), orNull(c.Owner), c.Target,
			c.Sealed, c.DataKeyID, c.Hint, c.CreatedAt, c.UpdatedAt, c.LastUsedAt)
		return err
	})
	return named("credential", c.Name, err)
}

// RemoveCredential removes the credential of a name. It wraps ErrNotFound.
func (s *Store) RemoveCredential(ctx context.Context, workspace, name string) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var id string
		return tx.QueryRow(ctx, `DELETE FROM credentials WHERE workspace = $1 AND name = $2 RETURNING id`,
			workspace, name).Scan(&id)
	})
	return named("credential", name, err)
}

func scanCredential(row pgx.CollectableRow) (storage.Credential, error) {
	var c storage.Credential
	var project, owner *string
	err := row.Scan(&c.ID, &c.Name, &c.Provider, &c.Workspace, &project, &owner, &c.Target,
		&c.Sealed, &c.DataKeyID, &c.Hint, &c.CreatedAt, &c.UpdatedAt, &c.LastUsedAt)
	c.Project, c.Owner = orEmpty(project), orEmpty(owner)
	utc(&c.CreatedAt, &c.UpdatedAt, c.LastUsedAt)
	return c, err
}
