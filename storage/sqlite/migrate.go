package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema to what this program knows. The file is looked at before goose,
// which writes, may open it.
func (f *file) migrate(ctx context.Context, k kind) error {
	provider, err := k.provider(f.write)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	found, err := f.schema(ctx, k)
	if errors.Is(err, errEmpty) {
		if err = f.makeNewest(ctx, k); err == nil {
			found, err = f.schema(ctx, k)
		}
	}
	if err != nil {
		return err
	}
	if found > newest {
		return fmt.Errorf("its schema is version %d, this release knows versions up to %d: run the newer release, nothing was changed", found, newest)
	}
	if found == newest {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}

// provider runs the migrations of a kind on a database, one after the other.
func (k kind) provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(k.migrations, k.folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
}

// makeNewest gives an empty file its schema at once. One migration after the other would make the
// same (TestSchemas), in four times the time, of a first start and of each test.
func (f *file) makeNewest(ctx context.Context, k kind) error {
	err := f.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, k.newest)
		return err
	})
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return nil
}

// schema is the version of the file's schema, 0 where no migration has come to its end. errEmpty
// says that the file has nothing at all.
func (f *file) schema(ctx context.Context, k kind) (int64, error) {
	var tables, ours int
	err := f.read.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'goose_db_version')
		FROM sqlite_schema WHERE type = 'table'`).Scan(&tables, &ours)
	if err != nil {
		return 0, err
	}
	if tables == 0 {
		return 0, errEmpty
	}
	if ours == 0 {
		return 0, errForeign
	}
	var version sql.NullInt64
	err = f.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if err != nil {
		return 0, err
	}
	var id int64
	if err := f.read.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return 0, err
	}
	if version.Int64 > 0 && id != k.applicationID {
		return 0, errForeign
	}
	return version.Int64, nil
}

var errEmpty = errors.New("it has no schema yet")

var errForeign = errors.New("it is the database of another program: give data_dir a folder of its own, nothing was changed")
