package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aistrale/aistrale/storage"
)

const credentialColumns = `id, name, provider, workspace, project, owner, target, sealed, data_key, hint, created_at, updated_at, last_used_at, label, preferred, last_test, revision`

// Credentials gives every credential, sealed, by workspace and name.
func (s *Store) Credentials(ctx context.Context) ([]storage.Credential, error) {
	rows, err := s.reading(ctx).QueryContext(ctx, `SELECT `+credentialColumns+` FROM credentials ORDER BY workspace, name`)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	credentials, err := gather(rows, scanCredential)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return credentials, nil
}

// AddCredential adds a credential. It wraps ErrExists, and ErrNotFound where there is no such
// workspace or data key.
func (s *Store) AddCredential(ctx context.Context, c storage.Credential) error {
	return s.writeCredential(ctx, c, "", storage.ErrExists)
}

// ChangeCredential puts a credential in the place of the revision that c has, and takes its first
// choice from others where it is the default. It wraps ErrNotFound and ErrChanged.
func (s *Store) ChangeCredential(ctx context.Context, c storage.Credential) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var revision int64
		err := tx.QueryRowContext(ctx, `SELECT revision FROM credentials WHERE workspace = ? AND name = ?`, c.Workspace, c.Name).Scan(&revision)
		if err == nil && revision != c.Revision {
			err = storage.ErrChanged
		}
		return err
	})
	if err != nil {
		return named("credential", c.Name, err)
	}
	return s.writeCredential(ctx, c, credentialReplaces+` WHERE credentials.revision = excluded.revision`, storage.ErrChanged)
}

// PutCredential adds a credential, or replaces the one of its name in its workspace, whole and
// at once; only the time of creation stays. It wraps ErrNotFound where there is no such
// workspace or data key.
func (s *Store) PutCredential(ctx context.Context, c storage.Credential) error {
	return s.writeCredential(ctx, c, credentialReplaces, nil)
}

const credentialReplaces = ` ON CONFLICT (workspace, name) DO UPDATE SET
	id = excluded.id, provider = excluded.provider, project = excluded.project, owner = excluded.owner,
	target = excluded.target, sealed = excluded.sealed, data_key = excluded.data_key, hint = excluded.hint,
	updated_at = excluded.updated_at, last_used_at = excluded.last_used_at, last_test = excluded.last_test,
	label = excluded.label, preferred = excluded.preferred, revision = credentials.revision + 1`

// writeCredential inserts a row, or does what conflict says where there is one of its name; none is
// the error where neither was done.
func (s *Store) writeCredential(ctx context.Context, c storage.Credential, conflict string, none error) error {
	if err := c.Check(); err != nil {
		return err
	}
	test, err := c.TestText()
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := addHolders(ctx, tx, holders{c.Workspace, c.Project, c.Owner, c.UpdatedAt}); err != nil {
			return err
		}
		//nolint:gosec // the parts are this file's
		done, err := tx.ExecContext(ctx, `INSERT INTO credentials (`+credentialColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`+conflict,
			c.ID, c.Name, c.Provider, c.Workspace, orNull(c.Project), orNull(c.Owner), c.Target,
			c.Sealed, c.DataKeyID, c.Hint, c.CreatedAt.UnixMicro(), c.UpdatedAt.UnixMicro(), perhaps(c.LastUsedAt),
			c.Label, c.Default, orNull(test), max(c.Revision, 1))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return cmp.Or(err, none)
		}
		if c.Default {
			_, err = tx.ExecContext(ctx, `UPDATE credentials SET preferred = 0 WHERE workspace = ? AND provider = ? AND name <> ? AND preferred`,
				c.Workspace, c.Provider, c.Name)
		}
		return err
	})
	return named("credential", c.Name, err)
}

// NoteCredential notes what was seen of the credential of an id, if there still is one.
func (s *Store) NoteCredential(ctx context.Context, id string, seen storage.CredentialSeen) error {
	test, err := (&storage.Credential{Test: seen.Test}).TestText()
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE credentials SET last_test = coalesce(?1, last_test),
			last_used_at = nullif(max(coalesce(last_used_at, 0), coalesce(?2, 0)), 0) WHERE id = ?3`, orNull(test), perhaps(seen.UsedAt), id)
		return err
	})
	return named("credential", id, err)
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
	var project, owner, test sql.NullString
	var used sql.NullInt64
	err := row.Scan(&c.ID, &c.Name, &c.Provider, &c.Workspace, &project, &owner, &c.Target,
		&c.Sealed, &c.DataKeyID, &c.Hint, (*moment)(&c.CreatedAt), (*moment)(&c.UpdatedAt), &used,
		&c.Label, &c.Default, &test, &c.Revision)
	c.Project, c.Owner, c.LastUsedAt = project.String, owner.String, pointer(used)
	return c, errors.Join(err, c.ReadTest(test.String))
}
