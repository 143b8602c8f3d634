package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/aistrale/aistrale/storage"
)

// Audit notes what was done, in the transaction of what it tells of where ctx has one. The chain
// is made later.
func (s *Store) Audit(ctx context.Context, e storage.AuditEvent) error {
	body, err := e.Encode()
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit_inbox (workspace, body) VALUES (?, ?)`, e.Workspace, body)
		return err
	})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
