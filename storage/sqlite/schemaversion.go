package sqlite

import (
	"context"
	"fmt"
)

// SchemaVersion is the number of the newest migration of the file.
func (f *file) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := f.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("schema version: %w", err)
	}
	return version, nil
}
