package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const objectColumns = `provider, credential, id, kind, workspace, project, key, key_name, owner, parent, bytes, created_at, expires_at, owed`

// FindObjects gives every account's object of an id, whoever owns it.
func (s *Store) FindObjects(ctx context.Context, id string) ([]storage.Object, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+objectColumns+` FROM objects WHERE id = ? ORDER BY provider, credential`, id)
	if err == nil {
		var found []storage.Object
		if found, err = gather(rows, scanObject); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("objects of %q: %w", id, err)
}

// ClaimObjects writes down whose objects are, all or none. One that its workspace has already
// keeps its maker; one that is another workspace's is an error that wraps ErrNotYours.
func (s *Store) ClaimObjects(ctx context.Context, objects ...storage.Object) error {
	for i := range objects {
		if err := objects[i].Check(); err != nil {
			return err
		}
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		for i := range objects {
			o := &objects[i]
			done, err := tx.ExecContext(ctx, `INSERT INTO objects (`+objectColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (id, provider, credential) DO UPDATE SET
					bytes = max(bytes, excluded.bytes), expires_at = coalesce(excluded.expires_at, expires_at)
				WHERE workspace = excluded.workspace`,
				o.Provider, o.Credential, o.ID, string(o.Kind), o.Workspace, o.Project, o.Key, o.KeyName, o.User, o.Parent,
				o.Bytes, o.CreatedAt.UnixMicro(), perhaps(o.ExpiresAt), o.Owed)
			if err != nil {
				return named("object", o.ID, err)
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				return named("object", o.ID, storage.ErrNotYours)
			}
		}
		return nil
	})
}

// ReleaseObject forgets an object of an account, and those that go away with it.
func (s *Store) ReleaseObject(ctx context.Context, o storage.Object) error {
	_, err := s.write.ExecContext(ctx, `DELETE FROM objects WHERE provider = ? AND credential = ? AND (id = ? OR parent = ?)`,
		o.Provider, o.Credential, o.ID, o.ID)
	return named("object", o.ID, err)
}

// ListObjects gives objects of a kind.
func (s *Store) ListObjects(ctx context.Context, q storage.ObjectQuery) ([]storage.Object, error) {
	text, args := `SELECT `+objectColumns+` FROM objects WHERE kind = ?`, []any{string(q.Kind)}
	if q.Workspace != "" {
		text, args = text+` AND workspace = ?`, append(args, q.Workspace)
	}
	if q.Providers != nil {
		names, err := json.Marshal(q.Providers)
		if err != nil {
			return nil, fmt.Errorf("objects: %w", err)
		}
		text, args = text+` AND provider IN (SELECT value FROM json_each(?))`, append(args, string(names))
	}
	if q.Owed {
		text += ` AND owed`
	}
	behind, order := `<`, ` DESC`
	if q.Oldest {
		behind, order = `>`, ``
	}
	if q.After != nil {
		text += ` AND (created_at, id, provider, credential) ` + behind + ` (?, ?, ?, ?)`
		args = append(args, q.After.CreatedAt.UnixMicro(), q.After.ID, q.After.Provider, q.After.Credential)
	}
	text += ` ORDER BY created_at` + order + `, id` + order + `, provider` + order + `, credential` + order + ` LIMIT ?`
	rows, err := s.read.QueryContext(ctx, text, append(args, q.Limit)...)
	if err == nil {
		var found []storage.Object
		if found, err = gather(rows, scanObject); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("objects: %w", err)
}

// SettleObject notes that nothing of an object is owed any more, and says whether it was until now.
func (s *Store) SettleObject(ctx context.Context, o storage.Object) (bool, error) {
	done, err := s.write.ExecContext(ctx, `UPDATE objects SET owed = 0 WHERE id = ? AND provider = ? AND credential = ? AND owed`, o.ID, o.Provider, o.Credential)
	if err != nil {
		return false, named("object", o.ID, err)
	}
	n, err := done.RowsAffected()
	return n > 0, named("object", o.ID, err)
}

// ExpireObjects forgets the objects that had expired before a time, and says how many.
func (s *Store) ExpireObjects(ctx context.Context, before time.Time) (int64, error) {
	done, err := s.write.ExecContext(ctx, `DELETE FROM objects WHERE expires_at < ? AND NOT owed`, before.UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("objects: %w", err)
	}
	return done.RowsAffected()
}

func scanObject(row scanner) (storage.Object, error) {
	var o storage.Object
	var expires sql.NullInt64
	err := row.Scan(&o.Provider, &o.Credential, &o.ID, &o.Kind, &o.Workspace, &o.Project, &o.Key, &o.KeyName, &o.User, &o.Parent,
		&o.Bytes, (*moment)(&o.CreatedAt), &expires, &o.Owed)
	o.ExpiresAt = pointer(expires)
	return o, err
}
