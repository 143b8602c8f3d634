package main

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/sqlite"
)

const restoreUsage = `usage: aistrale restore FILE [--config FILE] [--json]
       Puts what aistrale backup wrote into an empty data folder, or an empty database where
       storage.postgres is set. It is checked first; what is not empty is left alone.`

// runRestore puts a backup in place, all of it or nothing.
func runRestore(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, restoreUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return helped(err)
	}
	config, err := loadConfig(c.config, env.Getenv)
	if err != nil {
		return err
	}
	file, err := os.Open(words[0])
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := restore(ctx, config, file)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was restored", words[0], err)
	}
	return c.printArchive(m, words[0], "restored from")
}

func restore(ctx context.Context, config *Config, file io.ReadSeeker) (*manifest, error) {
	r, m, err := openArchive(file)
	if err != nil {
		return nil, err
	}
	want := storeSQLite
	if !config.Storage.Postgres.Empty() {
		want = storePostgres
	}
	if m.Store != want {
		return nil, fmt.Errorf("it is of %s, and the configuration names %s (storage.postgres)", m.Store, want)
	}
	if want == storePostgres {
		return m, restorePostgres(ctx, config, file)
	}
	return m, restoreSQLite(ctx, config, m, r)
}

// openArchive reads a backup from its beginning, up to the first of its files.
func openArchive(file io.ReadSeeker) (*tar.Reader, *manifest, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	r := tar.NewReader(bufio.NewReaderSize(file, 1<<20))
	m, err := readManifest(r)
	return r, m, err
}

// restoreSQLite unpacks into a folder inside data_dir, where a rename costs nothing, opens what
// is there, and only then puts it in place.
func restoreSQLite(ctx context.Context, config *Config, m *manifest, r *tar.Reader) error {
	names := []string{sqlite.FileName, sqlite.LedgerFileName}
	if !slices.EqualFunc(m.Files, names, func(f archivedFile, name string) bool { return f.Name == name }) {
		return fmt.Errorf("it does not hold %s and %s", names[0], names[1])
	}
	if err := emptyFolder(config.DataDir); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(config.DataDir, ".restore-*")
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	defer os.RemoveAll(folder)
	if err := m.unpack(r, folder); err != nil {
		return err
	}
	if err := openable(ctx, folder); err != nil {
		return err
	}
	for _, name := range names {
		// Unlike a rename, a link never replaces what a gateway that starts meanwhile has made.
		if err := os.Link(filepath.Join(folder, name), filepath.Join(config.DataDir, name)); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
	}
	return syncFolder(config.DataDir)
}

// emptyFolder makes a data folder, or holds it to have nothing in it but a master key.
func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	for _, e := range entries {
		if e.Name() != masterKeyName {
			return fmt.Errorf("data_dir: %s is not empty, it has %s: restore into an empty one", dir, e.Name())
		}
	}
	return nil
}

// openable opens the files of a folder as the gateway would: one of a newer release, or of
// another program, is refused here, and one of an older release is brought up to date.
func openable(ctx context.Context, folder string) error {
	nouns, err := sqlite.Open(ctx, filepath.Join(folder, sqlite.FileName))
	if err != nil {
		return err
	}
	if err := nouns.Close(); err != nil {
		return err
	}
	ledger, err := sqlite.OpenLedger(ctx, filepath.Join(folder, sqlite.LedgerFileName))
	if err != nil {
		return err
	}
	return ledger.Close()
}

// restorePostgres reads the backup twice: to check all of it, and to hand it to the database in
// one transaction. So it needs no room of its own, on nodes that may have no disk.
func restorePostgres(ctx context.Context, config *Config, file io.ReadSeeker) (err error) {
	r, m, err := openArchive(file)
	if err != nil {
		return err
	}
	err = m.verify(r, func(_ string, from io.Reader) error {
		_, err := io.Copy(io.Discard, from)
		return err
	})
	if err != nil {
		return err
	}
	if r, m, err = openArchive(file); err != nil {
		return err
	}
	s, err := postgres.Open(ctx, postgres.Options{URL: config.Storage.Postgres})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	at := 0
	return s.Restore(ctx, func() (string, io.Reader, error) {
		if at == len(m.Files) {
			return "", nil, io.EOF
		}
		f := &m.Files[at]
		at++
		return f.Name, r, f.next(r)
	})
}
