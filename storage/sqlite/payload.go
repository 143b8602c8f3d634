package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

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
	return s.change(ctx, func(tx *sql.Tx) error {
		for i := range payloads {
			p := &payloads[i]
			if _, err := tx.ExecContext(ctx, `INSERT INTO payloads (`+payloadColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				p.ID, p.Workspace, p.Key, p.User, p.EndUser, p.CreatedAt.UnixMicro(), p.ExpiresAt.UnixMicro(), p.DataKeyID, p.Blob); err != nil {
				return named("payload", p.ID, err)
			}
		}
		return nil
	})
}

// Payload gives what is kept of a workspace's request. It wraps storage.ErrNotFound.
func (s *Store) Payload(ctx context.Context, workspace, id string) (storage.SealedPayload, error) {
	var p storage.SealedPayload
	rows, err := s.reading(ctx).QueryContext(ctx, `SELECT `+payloadColumns+` FROM payloads WHERE id = ? AND workspace = ?`, id, workspace)
	if err != nil {
		return p, named("payload", id, err)
	}
	p, err = first(rows, func(row scanner) (p storage.SealedPayload, err error) {
		err = row.Scan(&p.ID, &p.Workspace, &p.Key, &p.User, &p.EndUser, (*moment)(&p.CreatedAt), (*moment)(&p.ExpiresAt), &p.DataKeyID, &p.Blob)
		return p, err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = storage.ErrNotFound
	}
	return p, named("payload", id, err)
}

// ErasePayloads forgets what is kept of a user in a workspace: of the owner of keys, and of an end
// user as clients said it. It says of how many requests.
func (s *Store) ErasePayloads(ctx context.Context, workspace, user string) (n int64, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM payloads WHERE workspace = ?1 AND (owner = ?2 OR end_user = ?2)`, workspace, user)
		if err == nil {
			n, err = done.RowsAffected()
		}
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
		var gone int64
		err := s.change(ctx, func(tx *sql.Tx) error {
			done, err := tx.ExecContext(ctx, `DELETE FROM payloads WHERE id IN (SELECT id FROM payloads WHERE expires_at < ? LIMIT ?)`, before.UnixMicro(), payloadsAtOnce)
			if err == nil {
				gone, err = done.RowsAffected()
			}
			return err
		})
		if err != nil {
			return n, fmt.Errorf("payloads: %w", err)
		}
		if n += gone; gone < payloadsAtOnce {
			return n, nil
		}
	}
}
