package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const keyColumns = `id, name, hash, workspace, project, owner, models, allow, tags, settings, created_at, expires_at, revoked_at`

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
	settings, err := k.Settings()
	if err != nil {
		return err
	}
	models, err := list(k.Models).text()
	if err != nil {
		return named("key", k.Name, err)
	}
	allow, err := list(k.Allow).text()
	if err != nil {
		return named("key", k.Name, err)
	}
	tags, err := list(k.Tags).text()
	if err != nil {
		return named("key", k.Name, err)
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := addHolders(ctx, tx, holders{k.Workspace, k.Project, k.Owner, k.CreatedAt}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			k.ID, k.Name, k.Hash[:], k.Workspace, k.Project, orNull(k.Owner), models, allow, tags, string(settings),
			k.CreatedAt.UnixMicro(), perhaps(k.ExpiresAt), perhaps(k.RevokedAt))
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
		row := tx.QueryRowContext(ctx, `UPDATE keys SET revoked_at = coalesce(revoked_at, ?)
			WHERE id = (SELECT id FROM keys WHERE workspace = ? AND (id = ? OR name = ? AND revoked_at IS NULL)
				ORDER BY id = ? DESC LIMIT 1)
			RETURNING `+keyColumns, at.UnixMicro(), workspace, ref, ref, ref)
		var err error
		k, err = scanKey(row)
		return err
	})
	return k, named("key", ref, err)
}

// scanner is what *sql.Row and *sql.Rows share.
type scanner interface{ Scan(...any) error }

func scanKey(row scanner) (storage.Key, error) {
	var k storage.Key
	var owner sql.NullString
	var settings []byte
	var expires, revoked sql.NullInt64
	err := row.Scan(&k.ID, &k.Name, (*hash)(&k.Hash), &k.Workspace, &k.Project, &owner,
		(*list)(&k.Models), (*list)(&k.Allow), (*list)(&k.Tags), &settings,
		(*moment)(&k.CreatedAt), &expires, &revoked)
	k.Owner, k.ExpiresAt, k.RevokedAt = owner.String, pointer(expires), pointer(revoked)
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
