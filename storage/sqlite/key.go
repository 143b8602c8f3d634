package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const keyColumns = `id, name, hash, workspace, project, owner, models, allow, tags, settings, created_at, expires_at, revoked_at, revision, old_hash, old_until`

// Keys gives every key, revoked and expired ones too, oldest first.
func (s *Store) Keys(ctx context.Context) ([]storage.Key, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+keyColumns+` FROM keys ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	keys, err := gather(rows, scanKey)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return keys, nil
}

// AddKey adds a key, and its project and owner where they are new to its workspace. It wraps
// ErrExists where the id, or the name among keys not revoked, is taken, and ErrNotFound where
// there is no such workspace.
func (s *Store) AddKey(ctx context.Context, k storage.Key) error {
	if err := k.Check(); err != nil {
		return err
	}
	words, err := keyTexts(&k)
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := addHolders(ctx, tx, holders{k.Workspace, k.Project, k.Owner, k.CreatedAt}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
			k.ID, k.Name, k.Hash[:], k.Workspace, k.Project, orNull(k.Owner), words.models, words.allow, words.tags, words.settings,
			k.CreatedAt.UnixMicro(), perhaps(k.ExpiresAt), perhaps(k.RevokedAt), k.OldHash[:], perhaps(k.OldUntil))
		return err
	})
	return named("key", k.Name, err)
}

// RevokeKey revokes the key of a workspace that has this id, else the one not yet revoked that
// has this name, and gives it. A key that is revoked already keeps its time. It wraps
// ErrNotFound.
func (s *Store) RevokeKey(ctx context.Context, workspace, ref string, at time.Time) (storage.Key, error) {
	var k storage.Key
	err := s.change(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `UPDATE keys SET revoked_at = coalesce(revoked_at, ?), revision = revision + (revoked_at IS NULL)
			WHERE id = (SELECT id FROM keys WHERE workspace = ? AND (id = ? OR name = ? AND revoked_at IS NULL)
				ORDER BY id = ? DESC LIMIT 1)
			RETURNING `+keyColumns, at.UnixMicro(), workspace, ref, ref, ref)
		var err error
		k, err = scanKey(row)
		return err
	})
	return k, named("key", ref, err)
}

// ChangeKey puts a key in the place of the revision that k has, all but its id, workspace and name.
// It wraps ErrNotFound, and ErrChanged where the revision is another or the key is revoked.
func (s *Store) ChangeKey(ctx context.Context, k storage.Key) error {
	if err := k.Check(); err != nil {
		return err
	}
	words, err := keyTexts(&k)
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := addHolders(ctx, tx, holders{k.Workspace, k.Project, k.Owner, k.CreatedAt}); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE keys SET hash = ?, project = ?, owner = ?, models = ?, allow = ?, tags = ?, settings = ?,
			expires_at = ?, old_hash = ?, old_until = ?, revision = revision + 1
			WHERE workspace = ? AND id = ? AND revision = ? AND revoked_at IS NULL`,
			k.Hash[:], k.Project, orNull(k.Owner), words.models, words.allow, words.tags, words.settings,
			perhaps(k.ExpiresAt), k.OldHash[:], perhaps(k.OldUntil), k.Workspace, k.ID, k.Revision)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		var revision int64
		if err := tx.QueryRowContext(ctx, `SELECT revision FROM keys WHERE workspace = ? AND id = ?`, k.Workspace, k.ID).Scan(&revision); err != nil {
			return err
		}
		return storage.ErrChanged
	})
	return named("key", k.Name, err)
}

// keyWords are a key's lists and settings as the file keeps them.
type keyWords struct{ models, allow, tags, settings string }

func keyTexts(k *storage.Key) (w keyWords, err error) {
	settings, err := k.Settings()
	if err != nil {
		return w, err
	}
	w.settings = string(settings)
	for _, one := range []struct {
		items []string
		to    *string
	}{{k.Models, &w.models}, {k.Allow, &w.allow}, {k.Tags, &w.tags}} {
		if *one.to, err = list(one.items).text(); err != nil {
			return w, named("key", k.Name, err)
		}
	}
	return w, nil
}

// scanner is what *sql.Row and *sql.Rows share.
type scanner interface{ Scan(...any) error }

func scanKey(row scanner) (storage.Key, error) {
	var k storage.Key
	var owner sql.NullString
	var settings []byte
	var expires, revoked, oldUntil sql.NullInt64
	var oldHash []byte
	err := row.Scan(&k.ID, &k.Name, (*hash)(&k.Hash), &k.Workspace, &k.Project, &owner,
		(*list)(&k.Models), (*list)(&k.Allow), (*list)(&k.Tags), &settings,
		(*moment)(&k.CreatedAt), &expires, &revoked, &k.Revision, &oldHash, &oldUntil)
	k.Owner, k.ExpiresAt, k.RevokedAt, k.OldUntil = owner.String, pointer(expires), pointer(revoked), pointer(oldUntil)
	copy(k.OldHash[:], oldHash)
	if err != nil {
		return k, err
	}
	return k, k.SetSettings(settings)
}

// gather reads all rows and closes them.
func gather[T any](rows *sql.Rows, scan func(scanner) (T, error)) (all []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
