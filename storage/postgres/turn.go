package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

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
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.nouns, func(tx pgx.Tx) error {
		for i := range turns {
			if err := putTurn(ctx, tx, &turns[i]); err != nil {
				return named("turn", turns[i].ID, err)
			}
		}
		return nil
	})
}

func putTurn(ctx context.Context, tx pgx.Tx, t *storage.SealedTurn) error {
	done, err := tx.Exec(ctx, `INSERT INTO turns AS old (`+turnColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET
			expires_at = excluded.expires_at, data_key = excluded.data_key, sealed = excluded.sealed
		WHERE old.workspace = excluded.workspace AND old.previous = excluded.previous AND old.within = excluded.within`,
		t.ID, t.Workspace, t.Previous, t.Within, t.Place, t.CreatedAt, t.ExpiresAt, t.DataKeyID, t.Blob)
	if err == nil && done.RowsAffected() == 0 {
		err = storage.ErrNotYours
	}
	return err
}

// FindTurns gives those turns of a workspace that are there, in no order.
func (s *Store) FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.SealedTurn, error) {
	return s.turns(ctx, 0, `SELECT `+turnColumns+` FROM turns WHERE workspace = $1 AND id = ANY($2)`, workspace, ids)
}

// TurnChain gives a turn and all that it continues, the oldest first, up to storage.MaxTurns and
// to so many bytes; more wraps ErrTooMuch. Where one of them is gone, the first names it as its
// previous one.
func (s *Store) TurnChain(ctx context.Context, workspace, id string, most int) ([]storage.SealedTurn, error) {
	return s.turns(ctx, most, `WITH RECURSIVE chain (link, before, depth) AS (
			SELECT id, previous, 1 FROM turns WHERE id = $2 AND workspace = $1
			UNION ALL
			SELECT id, previous, depth + 1 FROM chain JOIN turns ON id = before WHERE workspace = $1 AND depth < $3
		) SELECT `+turnColumns+` FROM chain JOIN turns ON id = link ORDER BY depth DESC`, workspace, id, storage.MaxTurns)
}

// TurnsWithin gives items of a conversation.
func (s *Store) TurnsWithin(ctx context.Context, q storage.TurnQuery) ([]storage.SealedTurn, error) {
	text, args := `SELECT `+turnColumns+` FROM turns WHERE within = $1 AND workspace = $2`, []any{q.Within, q.Workspace}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	behind, order := `>`, ``
	if q.Newest {
		behind, order = `<`, ` DESC`
	}
	if t := q.After; t != nil {
		text += ` AND (created_at, place, id) ` + behind + ` (` + arg(t.CreatedAt) + `, ` + arg(t.Place) + `, ` + arg(t.ID) + `)`
	}
	text += ` ORDER BY created_at` + order + `, place` + order + `, id` + order + ` LIMIT ` + arg(q.Limit)
	return s.turns(ctx, q.Most, text, args...)
}

// RemoveTurn forgets a turn, and those within it.
func (s *Store) RemoveTurn(ctx context.Context, workspace, id string) error {
	_, err := s.exec(ctx, `DELETE FROM turns WHERE workspace = $1 AND (id = $2 OR within = $2)`, workspace, id)
	return named("turn", id, err)
}

// ExpireTurns forgets the turns that had expired before a time, and says how many. One that a
// later turn continues stays as long as that one.
func (s *Store) ExpireTurns(ctx context.Context, before time.Time) (n int64, err error) {
	for _, text := range [...]string{
		`WITH RECURSIVE needed (link) AS (
			SELECT previous FROM turns WHERE previous <> '' AND expires_at >= $1
			UNION
			SELECT previous FROM needed JOIN turns ON id = link WHERE previous <> ''
		) DELETE FROM turns WHERE expires_at < $1 AND id NOT IN (SELECT link FROM needed)`,
		`DELETE FROM turns WHERE within <> '' AND within NOT IN (SELECT id FROM turns) AND created_at < $1`,
	} {
		gone, err := s.exec(ctx, text, before)
		if err != nil {
			return n, fmt.Errorf("turns: %w", err)
		}
		n += gone
	}
	return n, nil
}

func (s *Store) turns(ctx context.Context, most int, text string, args ...any) ([]storage.SealedTurn, error) {
	scale := storage.Scale{Most: most}
	found, err := all(ctx, s, text, func(row pgx.CollectableRow) (storage.SealedTurn, error) {
		t, err := scanTurn(row)
		if err == nil {
			err = scale.Add(&t)
		}
		return t, err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("turns: %w", err)
	}
	return found, nil
}

func scanTurn(row pgx.CollectableRow) (storage.SealedTurn, error) {
	var t storage.SealedTurn
	err := row.Scan(&t.ID, &t.Workspace, &t.Previous, &t.Within, &t.Place, &t.CreatedAt, &t.ExpiresAt, &t.DataKeyID, &t.Blob)
	utc(&t.CreatedAt, t.ExpiresAt)
	return t, err
}
