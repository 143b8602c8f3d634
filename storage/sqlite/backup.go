package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Backup writes a copy of the file, as it stands at one moment, to a new file at path (0600).
// Reads and writes go on meanwhile, of other processes too. What is at path already stays, and
// is an error; after an error or a crash there is nothing at path.
func (f *file) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %s: %w", path, errors.Join(fs.ErrExist, err))
	}
	partial := path + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %w", err)
	}
	err := f.copyTo(ctx, partial)
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err == nil {
		err = syncFile(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(partial)
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// copyTo uses a connection of its own: the writing one would be held for as long as it takes,
// and the reading ones may not make files.
func (f *file) copyTo(ctx context.Context, path string) error {
	if err := create(path); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", source(f.path, url.Values{}))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return err
	}
	return syncFile(path)
}

// syncFile makes what was written to a file, or made in a folder, last.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
