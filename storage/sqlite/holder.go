package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// holders are those whom a row belongs to.
type holders struct {
	workspace, project, owner string
	at                        time.Time
}

// addHolders adds the project and the owner where they are new: one that nobody has made before
// begins with its first key.
func addHolders(ctx context.Context, tx *sql.Tx, h holders) error {
	if h.project != "" {
		_, err := tx.ExecContext(ctx, `INSERT INTO projects (workspace, name, created_at) VALUES (?, ?, ?)
			ON CONFLICT DO NOTHING`, h.workspace, h.project, h.at.UnixMicro())
		if err != nil {
			return err
		}
	}
	if h.owner == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO users (workspace, name, created_at) VALUES (?, ?, ?)
		ON CONFLICT DO NOTHING`, h.workspace, h.owner, h.at.UnixMicro())
	return err
}
