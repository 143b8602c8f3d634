package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// manifestName is the first file in a backup.
const manifestName = "manifest.json"

// archiveFormat is the number of a backup's form.
const archiveFormat = 1

// manifest says what a backup holds.
type manifest struct {
	Format  int            `json:"format"`
	Program string         `json:"program"` // that made it
	MadeAt  time.Time      `json:"made_at"`
	Store   string         `json:"store"` // storeSQLite or storePostgres
	Files   []archivedFile `json:"files"`
}

// archivedFile is one file of a backup: an SQLite database, or a table of PostgreSQL.
type archivedFile struct {
	Name   string `json:"name"`
	Schema int64  `json:"schema"` // version of the database that it is, or is a table of
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// archivedName keeps files of a backup in the folder that it is unpacked into.
var archivedName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.db)?$`)

// pack measures the files of a folder that the manifest names, and writes them behind it as a
// tar file. Nothing is at path unless all of it is.
func (m *manifest) pack(path, folder string) error {
	for i := range m.Files {
		f := &m.Files[i]
		var err error
		if f.Bytes, f.SHA256, err = measure(filepath.Join(folder, f.Name)); err != nil {
			return err
		}
	}
	text, err := json.Marshal(m, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	w := tar.NewWriter(temp)
	err = addToTar(w, manifestName, m.MadeAt, text)
	for i := 0; i < len(m.Files) && err == nil; i++ {
		err = copyToTar(w, &m.Files[i], m.MadeAt, folder)
	}
	if err := errors.Join(err, w.Close(), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil { // unlike a rename it replaces nothing
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func addToTar(w *tar.Writer, name string, at time.Time, text []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: at}); err != nil {
		return err
	}
	_, err := w.Write(text)
	return err
}

func copyToTar(w *tar.Writer, f *archivedFile, at time.Time, folder string) error {
	from, err := os.Open(filepath.Join(folder, f.Name))
	if err != nil {
		return err
	}
	defer from.Close()
	if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o600, Size: f.Bytes, ModTime: at}); err != nil {
		return err
	}
	_, err = io.Copy(w, from)
	return err
}

func measure(path string) (size int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return size, hex.EncodeToString(h.Sum(nil)), err
}

// readManifest reads what a backup says of itself, and leaves r at the first of its files.
func readManifest(r *tar.Reader) (*manifest, error) {
	const most = 1 << 20
	head, err := r.Next()
	if err != nil || head.Name != manifestName {
		return nil, errors.Join(errors.New("it is no backup of aistrale"), err)
	}
	text, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	if m.Format != archiveFormat {
		return nil, fmt.Errorf("it is of format %d, this release reads format %d", m.Format, archiveFormat)
	}
	return m, nil
}

// unpack writes the files of a backup into a folder.
func (m *manifest) unpack(r *tar.Reader, folder string) error {
	return m.verify(r, func(name string, from io.Reader) error {
		to, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, from)
		return errors.Join(err, to.Sync(), to.Close())
	})
}

// verify hands the files of a backup to take, which reads them to their ends. Each must be what
// the manifest says, and none may be missing.
func (m *manifest) verify(r *tar.Reader, take func(name string, from io.Reader) error) error {
	for i := range m.Files {
		f := &m.Files[i]
		if err := f.next(r); err != nil {
			return err
		}
		h := sha256.New()
		if err := take(f.Name, io.TeeReader(r, h)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			return fmt.Errorf("%s is damaged: its checksum is not the one in %s", f.Name, manifestName)
		}
	}
	return nil
}

// next goes on to a file of a backup, which must be the next one in it.
func (f *archivedFile) next(r *tar.Reader) error {
	head, err := r.Next()
	if err != nil {
		return fmt.Errorf("%s is missing: %w", f.Name, err)
	}
	if head.Name != f.Name || !archivedName.MatchString(f.Name) || head.Size != f.Bytes {
		return fmt.Errorf("%q is not what %s says", head.Name, manifestName)
	}
	return nil
}
