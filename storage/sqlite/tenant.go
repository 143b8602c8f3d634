package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aistrale/aistrale/storage"
)

// Tenants gives the projects of a workspace, or of each where it is Everywhere, or, where it is "",
// the workspaces, by name.
func (s *Store) Tenants(ctx context.Context, workspace string) ([]storage.Tenant, error) {
	query, args := `SELECT '', name, settings, revision, created_at FROM workspaces ORDER BY name`, []any(nil)
	switch workspace {
	case "":
	case storage.Everywhere:
		query = `SELECT workspace, name, settings, revision, created_at FROM projects ORDER BY workspace, name`
	default:
		query, args = `SELECT workspace, name, settings, revision, created_at FROM projects WHERE workspace = ? ORDER BY name`, []any{workspace}
	}
	rows, err := s.reading(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("tenants: %w", err)
	}
	found, err := gather(rows, func(row scanner) (t storage.Tenant, err error) {
		return t, row.Scan(&t.Workspace, &t.Name, &t.Settings, &t.Revision, (*moment)(&t.CreatedAt))
	})
	if err != nil {
		return nil, fmt.Errorf("tenants: %w", err)
	}
	return found, nil
}

// AddTenant adds a workspace or a project. It wraps ErrExists, and ErrNotFound where the project's
// workspace is not there.
func (s *Store) AddTenant(ctx context.Context, t storage.Tenant) error {
	if err := t.Check(); err != nil {
		return err
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		if t.Workspace == "" {
			_, err := tx.ExecContext(ctx, `INSERT INTO workspaces (name, settings, created_at) VALUES (?, ?, ?)`,
				t.Name, string(t.Settings), t.CreatedAt.UnixMicro())
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO projects (workspace, name, settings, created_at) VALUES (?, ?, ?, ?)`,
			t.Workspace, t.Name, string(t.Settings), t.CreatedAt.UnixMicro())
		return err
	})
	return named(t.What(), t.Name, err)
}

// ChangeTenant sets the settings of the revision that t has. It wraps ErrNotFound and ErrChanged.
func (s *Store) ChangeTenant(ctx context.Context, t storage.Tenant) error {
	if err := t.Check(); err != nil {
		return err
	}
	return s.tenant(ctx, &t, tenantWords{
		do: `UPDATE workspaces SET settings = ?3, revision = revision + 1 WHERE name = ?1 AND revision = ?2`,
		in: `UPDATE projects SET settings = ?3, revision = revision + 1 WHERE name = ?1 AND revision = ?2 AND workspace = ?4`,
	})
}

// RemoveTenant removes the revision that t has. It wraps ErrNotFound, ErrChanged, and ErrInUse
// where something belongs to it.
func (s *Store) RemoveTenant(ctx context.Context, t storage.Tenant) error {
	return s.tenant(ctx, &t, tenantWords{
		do: `DELETE FROM workspaces WHERE name = ?1 AND revision = ?2 AND ?3 IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM documents WHERE workspace = ?1)`,
		in: `DELETE FROM projects WHERE name = ?1 AND revision = ?2 AND ?3 IS NOT NULL AND workspace = ?4`,
	})
}

// tenantWords are a statement for workspaces, and one for projects in a workspace.
type tenantWords struct{ do, in string }

func (s *Store) tenant(ctx context.Context, t *storage.Tenant, words tenantWords) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		statement, args := words.do, []any{t.Name, t.Revision, string(t.Settings)}
		if t.Workspace != "" {
			statement, args = words.in, append(args, t.Workspace)
		}
		done, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		var revision int64
		err = tx.QueryRowContext(ctx, `SELECT revision FROM workspaces WHERE ?2 = '' AND name = ?1
			UNION ALL SELECT revision FROM projects WHERE ?2 <> '' AND workspace = ?2 AND name = ?1`, t.Name, t.Workspace).Scan(&revision)
		switch {
		case err != nil:
			return err
		case revision == t.Revision:
			return storage.ErrInUse
		}
		return storage.ErrChanged
	})
	if err = named(t.What(), t.Name, err); errors.Is(err, errMissing) {
		return fmt.Errorf("%s %q: %w", t.What(), t.Name, storage.ErrInUse)
	}
	return err
}

// errMissing is in the chain of what a foreign key refuses.
var errMissing = errors.New("what it refers to is missing")
