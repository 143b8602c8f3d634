package sqlite

import (
	"context"
	"fmt"
)

// Version is a number that changes with every change of a noun, by this process or another: keys,
// credentials, prices and the like, not what requests leave behind. Compare it with what the
// Store said before. It reads one row.
func (s *Store) Version(ctx context.Context) (int64, error) {
	var n int64
	if err := s.read.QueryRowContext(ctx, `SELECT n FROM revision`).Scan(&n); err != nil {
		return 0, fmt.Errorf("revision of nouns: %w", err)
	}
	return n, nil
}
