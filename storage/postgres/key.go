package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

const keyColumns = `id, name, hash, workspace, project, owner, models, allow, tags, settings, created_at, expires_at, revoked_at, revision, old_hash, old_until`

// Keys gives every key, revoked and expired ones too, oldest first.
func (s *Store) Keys(ctx context.Context) ([]storage.Key, error) {
	keys, err := all(ctx, s, `SELECT `+keyColumns+` FROM keys ORDER BY created_at, id`, scanKey)
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
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := addHolders(ctx, tx, holders{k.Workspace, k.Project, k.Owner, k.CreatedAt}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO keys (`+keyColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $15)`,
			k.ID, k.Name, k.Hash[:], k.Workspace, k.Project, orNull(k.Owner),
			list(k.Models), list(k.Allow), list(k.Tags), string(settings), k.CreatedAt, k.ExpiresAt, k.RevokedAt,
			k.OldHash[:], k.OldUntil)
		return err
	})
	return named("key", k.Name, err)
}

// RevokeKey revokes the key of a workspace that has this id, else the one not yet revoked that
// has this name, and gives it. A key that is revoked already keeps its time. It wraps
// ErrNotFound.
func (s *Store) RevokeKey(ctx context.Context, workspace, ref string, at time.Time) (storage.Key, error) {
	var k storage.Key
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE keys SET revoked_at = coalesce(revoked_at, $1), revision = revision + (revoked_at IS NULL)::int
			WHERE id = (SELECT id FROM keys WHERE workspace = $2 AND (id = $3 OR name = $3 AND revoked_at IS NULL)
				ORDER BY id = $3 DESC LIMIT 1)
			RETURNING `+keyColumns, at, workspace, ref)
		if err != nil {
			return err
		}
		k, err = pgx.CollectExactlyOneRow(rows, scanKey)
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
	settings, err := k.Settings()
	if err != nil {
		return err
	}
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := addHolders(ctx, tx, holders{k.Workspace, k.Project, k.Owner, k.CreatedAt}); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `UPDATE keys SET hash = $1, project = $2, owner = $3, models = $4, allow = $5, tags = $6, settings = $7,
			expires_at = $8, old_hash = $9, old_until = $10, revision = revision + 1
			WHERE workspace = $11 AND id = $12 AND revision = $13 AND revoked_at IS NULL`,
			k.Hash[:], k.Project, orNull(k.Owner), list(k.Models), list(k.Allow), list(k.Tags), string(settings),
			k.ExpiresAt, k.OldHash[:], k.OldUntil, k.Workspace, k.ID, k.Revision)
		if err != nil || done.RowsAffected() > 0 {
			return err
		}
		var revision int64
		if err := tx.QueryRow(ctx, `SELECT revision FROM keys WHERE workspace = $1 AND id = $2`, k.Workspace, k.ID).Scan(&revision); err != nil {
			return err
		}
		return storage.ErrChanged
	})
	return named("key", k.Name, err)
}

func scanKey(row pgx.CollectableRow) (storage.Key, error) {
	var k storage.Key
	var sum, oldSum []byte
	var owner *string
	var settings string
	err := row.Scan(&k.ID, &k.Name, &sum, &k.Workspace, &k.Project, &owner, &k.Models, &k.Allow, &k.Tags, &settings,
		&k.CreatedAt, &k.ExpiresAt, &k.RevokedAt, &k.Revision, &oldSum, &k.OldUntil)
	if err != nil {
		return k, err
	}
	k.Owner = orEmpty(owner)
	orNil(&k.Models, &k.Allow, &k.Tags)
	utc(&k.CreatedAt, k.ExpiresAt, k.RevokedAt, k.OldUntil)
	copy(k.OldHash[:], oldSum)
	if err := k.SetSettings([]byte(settings)); err != nil {
		return k, err
	}
	return k, hash(&k.Hash, sum)
}
