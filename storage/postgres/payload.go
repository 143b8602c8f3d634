package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

const payloadColumns = `id, workspace, key, owner, end_user, created_at, expires_at, data_key, sealed`

// AddPayloads keeps payloads, all or none; one that is there already stays.
func (s *Store) AddPayloads(ctx context.Context, payloads ...storage.SealedPayload) error {
	for i := range payloads {
		if err := payloads[i].Check(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.nouns, func(tx pgx.Tx) error {
		for i := range payloads {
			p := &payloads[i]
			if _, err := tx.Exec(ctx, `INSERT INTO payloads (`+payloadColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
				p.ID, p.Workspace, p.Key, p.User, p.EndUser, p.CreatedAt, p.ExpiresAt, p.DataKeyID, p.Blob); err != nil {
				return named("payload", p.ID, err)
			}
		}
		return nil
	})
}

// Payload gives what is kept of a workspace's request. It wraps storage.ErrNotFound.
func (s *Store) Payload(ctx context.Context, workspace, id string) (storage.SealedPayload, error) {
	p, err := sole(ctx, s, `SELECT `+payloadColumns+` FROM payloads WHERE id = $1 AND workspace = $2`, func(row pgx.CollectableRow) (storage.SealedPayload, error) {
		var p storage.SealedPayload
		err := row.Scan(&p.ID, &p.Workspace, &p.Key, &p.User, &p.EndUser, &p.CreatedAt, &p.ExpiresAt, &p.DataKeyID, &p.Blob)
		utc(&p.CreatedAt, &p.ExpiresAt)
		return p, err
	}, id, workspace)
	return p, named("payload", id, err)
}

// ErasePayloads forgets what is kept of a user in a workspace: of the owner of keys, and of an end
// user as clients said it. It says of how many requests.
func (s *Store) ErasePayloads(ctx context.Context, workspace, user string) (n int64, err error) {
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `DELETE FROM payloads WHERE workspace = $1 AND (owner = $2 OR end_user = $2)`, workspace, user)
		n = done.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("payloads: %w", err)
	}
	return n, nil
}

// payloadsAtOnce is how many rows one transaction forgets, so that it holds nobody up.
const payloadsAtOnce = 1000

// ExpirePayloads forgets the payloads whose time had ended before a time, and says how many.
func (s *Store) ExpirePayloads(ctx context.Context, before time.Time) (n int64, err error) {
	for {
		gone, err := s.exec(ctx, `DELETE FROM payloads WHERE id IN (SELECT id FROM payloads WHERE expires_at < $1 LIMIT $2)`, before, payloadsAtOnce)
		if err != nil {
			return n, fmt.Errorf("payloads: %w", err)
		}
		if n += gone; gone < payloadsAtOnce {
			return n, nil
		}
	}
}
