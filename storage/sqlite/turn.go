package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const turnColumns = `id, workspace, previous, within, place, created_at, expires_at, data_key, sealed`

// PutTurns keeps turns, all or none. One that its workspace has already is replaced; an id of
// another workspace's is an error that wraps ErrNotYours.
func (s *Store) PutTurns(ctx context.Context, turns ...storage.SealedTurn) error {
	for i := range turns {
		if err := turns[i].Check(); err != nil {
			return err
		}
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		for i := range turns {
			t := &turns[i]
			done, err := tx.ExecContext(ctx, `INSERT INTO turns (`+turnColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET
					expires_at = excluded.expires_at, data_key = excluded.data_key, sealed = excluded.sealed
				WHERE workspace = excluded.workspace AND previous = excluded.previous AND within = excluded.within`,
				t.ID, t.Workspace, t.Previous, t.Within, t.Place, t.CreatedAt.UnixMicro(), perhaps(t.ExpiresAt), t.DataKeyID, t.Blob)
			if err != nil {
				return named("turn", t.ID, err)
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				return named("turn", t.ID, storage.ErrNotYours)
			}
		}
		return nil
	})
}

// FindTurns gives those turns of a workspace that are there, in no order.
func (s *Store) FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.SealedTurn, error) {
	args := []any{workspace}
	for _, id := range ids {
		args = append(args, id)
	}
	return s.turns(ctx, 0, `SELECT `+turnColumns+` FROM turns WHERE workspace = ? AND id IN (`+
		strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")+`)`, args...)
}

// TurnChain gives a turn and all that it continues, the oldest first, up to storage.MaxTurns and
// to so many bytes; more wraps ErrTooMuch. Where one of them is gone, the first names it as its
// previous one.
func (s *Store) TurnChain(ctx context.Context, workspace, id string, most int) ([]storage.SealedTurn, error) {
	return s.turns(ctx, most, `WITH RECURSIVE chain (link, before, depth) AS (
			SELECT id, previous, 1 FROM turns WHERE id = ?2 AND workspace = ?1
			UNION ALL
			SELECT id, previous, depth + 1 FROM chain JOIN turns ON id = before WHERE workspace = ?1 AND depth < ?3
		) SELECT `+turnColumns+` FROM chain JOIN turns ON id = link ORDER BY depth DESC`, workspace, id, storage.MaxTurns)
}

// TurnsWithin gives items of a conversation.
func (s *Store) TurnsWithin(ctx context.Context, q storage.TurnQuery) ([]storage.SealedTurn, error) {
	text, args := `SELECT `+turnColumns+` FROM turns WHERE within = ? AND workspace = ?`, []any{q.Within, q.Workspace}
	behind, order := `>`, ``
	if q.Newest {
		behind, order = `<`, ` DESC`
	}
	if q.After != nil {
		text += ` AND (created_at, place, id) ` + behind + ` (?, ?, ?)`
		args = append(args, q.After.CreatedAt.UnixMicro(), q.After.Place, q.After.ID)
	}
	text += ` ORDER BY created_at` + order + `, place` + order + `, id` + order + ` LIMIT ?`
	return s.turns(ctx, q.Most, text, append(args, q.Limit)...)
}

// RemoveTurn forgets a turn, and those within it.
func (s *Store) RemoveTurn(ctx context.Context, workspace, id string) error {
	_, err := s.write.ExecContext(ctx, `DELETE FROM turns WHERE workspace = ?1 AND (id = ?2 OR within = ?2)`, workspace, id)
	return named("turn", id, err)
}

// ExpireTurns forgets the turns that had expired before a time, and says how many. One that a
// later turn continues stays as long as that one.
func (s *Store) ExpireTurns(ctx context.Context, before time.Time) (n int64, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		for _, text := range [...]string{
			`WITH RECURSIVE needed (link) AS (
				SELECT previous FROM turns WHERE previous <> '' AND expires_at >= ?1
				UNION
				SELECT previous FROM needed JOIN turns ON id = link WHERE previous <> ''
			) DELETE FROM turns WHERE expires_at < ?1 AND id NOT IN (SELECT link FROM needed)`,
			`DELETE FROM turns WHERE within <> '' AND within NOT IN (SELECT id FROM turns) AND created_at < ?1`,
		} {
			done, err := tx.ExecContext(ctx, text, before.UnixMicro())
			if err != nil {
				return err
			}
			gone, err := done.RowsAffected()
			if err != nil {
				return err
			}
			n += gone
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("turns: %w", err)
	}
	return n, nil
}

func (s *Store) turns(ctx context.Context, most int, text string, args ...any) ([]storage.SealedTurn, error) {
	scale := storage.Scale{Most: most}
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err == nil {
		var found []storage.SealedTurn
		found, err = gather(rows, func(row scanner) (storage.SealedTurn, error) {
			t, err := scanTurn(row)
			if err == nil {
				err = scale.Add(&t)
			}
			return t, err
		})
		if err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("turns: %w", err)
}

func scanTurn(row scanner) (storage.SealedTurn, error) {
	var t storage.SealedTurn
	var expires sql.NullInt64
	err := row.Scan(&t.ID, &t.Workspace, &t.Previous, &t.Within, &t.Place, (*moment)(&t.CreatedAt), &expires, &t.DataKeyID, &t.Blob)
	t.ExpiresAt = pointer(expires)
	return t, err
}
