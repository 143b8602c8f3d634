package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage/postgres"
)

const backupUsage = `usage: aistrale backup FILE [--config FILE] [--json]
       Writes keys, sealed credentials, prices and the ledger into one new tar file, beside a
       running gateway or without one. The master key is not in it: keep that elsewhere.`

// runBackup copies the stores as they stand at one moment each.
func runBackup(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, backupUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return helped(err)
	}
	path := words[0]
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, errors.Join(fs.ErrExist, err))
	}
	return c.withBooks(ctx, func(b *books) error {
		// Beside the backup, where there is room for it.
		folder, err := os.MkdirTemp(filepath.Dir(path), ".aistrale-backup-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		m, err := gatherBackup(ctx, b, folder)
		if err != nil {
			return err
		}
		m.Program, m.MadeAt = versionText(), env.Now().UTC()
		if err := m.pack(path, folder); err != nil {
			return err
		}
		return c.printArchive(m, path, "backed up to")
	})
}

// gatherBackup copies each database into a folder: files as they are, a database on a server
// as a file for each of its tables.
func gatherBackup(ctx context.Context, b *books, folder string) (*manifest, error) {
	if shared, ok := b.nouns.(*postgres.Store); ok {
		return dumpBackup(ctx, shared, folder)
	}
	m := &manifest{Format: archiveFormat, Store: storeSQLite}
	for _, part := range partsOf(b) {
		schema, err := part.store.SchemaVersion(ctx)
		if err != nil {
			return nil, err
		}
		file, ok := part.store.(interface {
			Backup(ctx context.Context, path string) error
		})
		if !ok {
			return nil, fmt.Errorf("%s: cannot be backed up by this release", part.name)
		}
		if err := file.Backup(ctx, filepath.Join(folder, part.name)); err != nil {
			return nil, err
		}
		m.Files = append(m.Files, archivedFile{Name: part.name, Schema: schema})
	}
	return m, nil
}

func dumpBackup(ctx context.Context, s *postgres.Store, folder string) (*manifest, error) {
	schema, err := s.SchemaVersion(ctx)
	if err != nil {
		return nil, err
	}
	m := &manifest{Format: archiveFormat, Store: storePostgres}
	err = s.Dump(ctx, func(name string, from io.Reader) error {
		to, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, archivedFile{Name: name, Schema: schema})
		_, err = io.Copy(to, from)
		return errors.Join(err, to.Close())
	})
	return m, err
}

// printArchive tells what a backup holds.
func (c *storeCommand) printArchive(m *manifest, path, verb string) error {
	if !c.json {
		var bytes int64
		for i := range m.Files {
			bytes += m.Files[i].Bytes
		}
		_, err := fmt.Fprintf(c.env.Stdout, "%s: %d bytes of %s %s it. The master key is not in it; without that, the credentials in it cannot be opened.\n",
			path, bytes, m.Store, verb)
		return err
	}
	s := sheet.New(c.env.Stdout, sheet.JSON, []sheet.Column{{Name: "store"}, {Name: "name"}, {Name: "schema"}, {Name: "bytes"}, {Name: "sha256"}})
	for i := range m.Files {
		f := &m.Files[i]
		if err := s.Row([]jsontext.Value{sheet.Text(m.Store), sheet.Text(f.Name), sheet.Int(f.Schema), sheet.Int(f.Bytes), sheet.Text(f.SHA256)}...); err != nil {
			return err
		}
	}
	return s.Close()
}
