package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/aistrale/aistrale/storage"
)

const credentialColumns = `id, name, provider, workspace, project, owner, target, sealed, data_key, hint, created_at, updated_at, last_used_at`

// Credentials gives every credential, sealed, by workspace and name.
func (s *Store) Credentials(ctx context.Context) ([]storage.Credential, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+credentialColumns+` FROM credentials ORDER BY workspace, name`)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	credentials, err := gather(rows, scanCredential)
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
	err := s.change(ctx, func(tx *sql.Tx) error {
		if err := addHolders(ctx, tx, holders{c.Workspace, c.Project, c.Owner, c.UpdatedAt}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO credentials (`+credentialColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (workspace, name) DO UPDATE SET
				id = excluded.id, provider = excluded.provider, project = excluded.project, owner = excluded.owner,
				target = excluded.target, sealed = excluded.sealed, data_key = excluded.data_key, hint = excluded.hint,
				updated_at = excluded.updated_at, last_used_at = excluded.last_used_at`,
			c.ID, c.Name, c.Provider, c.Workspace, orNull(c.Project), orNull(c.Owner), c.Target,
			c.Sealed, c.DataKeyID, c.Hint, c.CreatedAt.UnixMicro(), c.UpdatedAt.UnixMicro(), perhaps(c.LastUsedAt))
		return err
	})
	return named("credential", c.Name, err)
}

// RemoveCredential removes the credential of a name. It wraps ErrNotFound.
func (s *Store) RemoveCredential(ctx context.Context, workspace, name string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var id string
		return tx.QueryRowContext(ctx, `DELETE FROM credentials WHERE workspace = ? AND name = ? RETURNING id`,
			workspace, name).Scan(&id)
	})
	return named("credential", name, err)
}

func scanCredential(row scanner) (storage.Credential, error) {
	var c storage.Credential
	var project, owner sql.NullString
	var used sql.NullInt64
	err := row.Scan(&c.ID, &c.Name, &c.Provider, &c.Workspace, &project, &owner, &c.Target,
		&c.Sealed, &c.DataKeyID, &c.Hint, (*moment)(&c.CreatedAt), (*moment)(&c.UpdatedAt), &used)
	c.Project, c.Owner, c.LastUsedAt = project.String, owner.String, pointer(used)
	return c, err
}
