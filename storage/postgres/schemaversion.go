package postgres

import "context"

// SchemaVersion is the number of the newest migration of the database, which may be one of a
// newer release.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.one(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`, &version)
	return version, named("schema", "version", err)
}
