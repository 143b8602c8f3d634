package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// Audit notes what was done, in the transaction of what it tells of where ctx has one. The chain
// is made later.
func (s *Store) Audit(ctx context.Context, e storage.AuditEvent) error {
	body, err := e.Encode()
	if err != nil {
		return err
	}
	const insert = `INSERT INTO audit_inbox (workspace, body) VALUES ($1, $2)`
	if tx, ok := ctx.Value(underWay{}).(pgx.Tx); ok {
		_, err = tx.Exec(ctx, insert, e.Workspace, body)
	} else {
		_, err = s.exec(ctx, insert, e.Workspace, body)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
