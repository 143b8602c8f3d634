package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

func embedded() fs.FS {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic("BUG: " + err.Error()) // only a malformed name fails
	}
	return dir
}

// migratePool is for migrations: one may run long, but none may wait for long with a lock that
// others wait behind.
var migratePool = pool{most: 2, statement: 0, lock: 10 * time.Second}

// migrate brings the schema to what this program knows. Of nodes that start at once one
// migrates and the others wait for it.
func (s *Store) migrate(ctx context.Context) (err error) {
	db := stdlib.OpenDB(*s.config, stdlib.OptionAfterConnect(s.setting(migratePool)))
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(int(migratePool.most))
	locker, err := lock.NewPostgresSessionLocker(
		lock.WithLockID(int64(crc32.ChecksumIEEE([]byte("aistrale/migrate/"+s.schema)))), lock.WithLockTimeout(1, 600))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, s.migrations,
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	found, err := s.version(ctx, db, newest)
	if err != nil || found >= newest {
		return err
	}
	if err := s.createSchema(ctx, db); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}

// version gives the version of the schema that is there, 0 where there is none. It refuses one
// that is not ours, and one that is too new for this program.
func (s *Store) version(ctx context.Context, db *sql.DB, newest int64) (int64, error) {
	var tables, ours int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE tablename = 'goose_db_version')
		FROM pg_tables WHERE schemaname = $1`, s.schema).Scan(&tables, &ours)
	if err != nil {
		return 0, err
	}
	if tables == 0 {
		return 0, nil
	}
	if ours == 0 {
		return 0, fmt.Errorf("schema %q belongs to another program: name one in the URL's search_path; nothing was changed: %w", s.schema, errRefused)
	}
	var found sql.NullInt64
	err = db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&found)
	if err != nil {
		return 0, err
	}
	var described bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass('schema_info') IS NOT NULL`).Scan(&described)
	if err != nil {
		return 0, err
	}
	if found.Int64 > 0 && !described {
		return 0, fmt.Errorf("schema %q belongs to another program: name one in the URL's search_path; nothing was changed: %w", s.schema, errRefused)
	}
	if found.Int64 <= newest {
		return found.Int64, nil
	}
	var oldest int64
	if err := db.QueryRowContext(ctx, `SELECT oldest_compatible FROM schema_info`).Scan(&oldest); err != nil {
		return 0, err
	}
	if newest < oldest {
		return 0, fmt.Errorf("schema %q is version %d and wants a release that knows version %d, this one knows versions up to %d: run the newer release, nothing was changed: %w",
			s.schema, found.Int64, oldest, newest, errRefused)
	}
	return found.Int64, nil
}

// createSchema makes the schema where it is missing. Asking first spares a user who may not
// make any the refusal.
func (s *Store) createSchema(ctx context.Context, db *sql.DB) error {
	var there bool
	err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)`, s.schema).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{s.schema}.Sanitize())
	if code := refusal(err); code == codeExists || code == codeSchemaExists {
		return nil // IF NOT EXISTS does not hold against another node that makes it right now
	}
	if err != nil {
		return fmt.Errorf("schema %q: %w", s.schema, err)
	}
	return nil
}
