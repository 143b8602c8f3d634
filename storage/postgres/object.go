package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/aistrale/aistrale/storage"
)

const objectColumns = `provider, credential, id, kind, workspace, project, key, key_name, owner, parent, bytes, created_at, expires_at, owed`

// FindObjects gives every account's object of an id, whoever owns it.
func (s *Store) FindObjects(ctx context.Context, id string) ([]storage.Object, error) {
	found, err := all(ctx, s, `SELECT `+objectColumns+` FROM objects WHERE id = $1
		ORDER BY provider COLLATE "C", credential COLLATE "C"`, scanObject, id)
	if err != nil {
		return nil, fmt.Errorf("objects of %q: %w", id, err)
	}
	return found, nil
}

// ClaimObjects writes down whose objects are, all or none. One that its workspace has already
// keeps its maker; one that is another workspace's is an error that wraps ErrNotYours.
func (s *Store) ClaimObjects(ctx context.Context, objects ...storage.Object) error {
	for i := range objects {
		if err := objects[i].Check(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.nouns, func(tx pgx.Tx) error {
		batch := &pgx.Batch{} // one round trip, as a reply may tell of many
		for i := range objects {
			claimObject(batch, &objects[i])
		}
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("claim objects: %w", err)
		}
		return nil
	})
}

func claimObject(batch *pgx.Batch, o *storage.Object) {
	batch.Queue(`INSERT INTO objects AS old (`+objectColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id, provider, credential) DO UPDATE SET
			bytes = greatest(old.bytes, excluded.bytes), expires_at = coalesce(excluded.expires_at, old.expires_at)
		WHERE old.workspace = excluded.workspace`,
		o.Provider, o.Credential, o.ID, string(o.Kind), o.Workspace, o.Project, o.Key, o.KeyName, o.User, o.Parent,
		o.Bytes, o.CreatedAt, o.ExpiresAt, o.Owed).Exec(func(done pgconn.CommandTag) error {
		if done.RowsAffected() == 0 {
			return named("object", o.ID, storage.ErrNotYours)
		}
		return nil
	})
}

// ReleaseObject forgets an object of an account, and those that go away with it.
func (s *Store) ReleaseObject(ctx context.Context, o storage.Object) error {
	_, err := s.exec(ctx, `DELETE FROM objects WHERE provider = $1 AND credential = $2 AND (id = $3 OR parent = $3)`,
		o.Provider, o.Credential, o.ID)
	return named("object", o.ID, err)
}

// ListObjects gives objects of a kind.
func (s *Store) ListObjects(ctx context.Context, q storage.ObjectQuery) ([]storage.Object, error) {
	text, args := `SELECT `+objectColumns+` FROM objects WHERE kind = $1`, []any{string(q.Kind)}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if q.Workspace != "" {
		text += ` AND workspace = ` + arg(q.Workspace)
	}
	if q.Providers != nil {
		text += ` AND provider = ANY(` + arg(q.Providers) + `)`
	}
	if q.Owed {
		text += ` AND owed`
	}
	behind, order := `<`, ` DESC`
	if q.Oldest {
		behind, order = `>`, ``
	}
	if o := q.After; o != nil {
		text += ` AND (created_at, id, provider COLLATE "C", credential COLLATE "C") ` + behind +
			` (` + arg(o.CreatedAt) + `, ` + arg(o.ID) + `, ` + arg(o.Provider) + `, ` + arg(o.Credential) + `)`
	}
	text += ` ORDER BY created_at` + order + `, id` + order + `, provider COLLATE "C"` + order + `, credential COLLATE "C"` + order + ` LIMIT ` + arg(q.Limit)
	found, err := all(ctx, s, text, scanObject, args...)
	if err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	return found, nil
}

// SettleObject notes that nothing of an object is owed any more, and says whether it was until now.
func (s *Store) SettleObject(ctx context.Context, o storage.Object) (bool, error) {
	n, err := s.exec(ctx, `UPDATE objects SET owed = false WHERE id = $1 AND provider = $2 AND credential = $3 AND owed`, o.ID, o.Provider, o.Credential)
	return n > 0, named("object", o.ID, err)
}

// ExpireObjects forgets the objects that had expired before a time, and says how many.
func (s *Store) ExpireObjects(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.exec(ctx, `DELETE FROM objects WHERE expires_at < $1 AND NOT owed`, before)
	if err != nil {
		return 0, fmt.Errorf("objects: %w", err)
	}
	return n, nil
}

func scanObject(row pgx.CollectableRow) (storage.Object, error) {
	var o storage.Object
	err := row.Scan(&o.Provider, &o.Credential, &o.ID, &o.Kind, &o.Workspace, &o.Project, &o.Key, &o.KeyName, &o.User, &o.Parent,
		&o.Bytes, &o.CreatedAt, &o.ExpiresAt, &o.Owed)
	utc(&o.CreatedAt, o.ExpiresAt)
	return o, err
}
