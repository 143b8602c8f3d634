package journal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// disk makes the files that records are written to. Tests stage a full and a failing one.
type disk interface {
	// create makes a file that is not there yet, durably, and sets size bytes aside for it where
	// the file system can. It leaves nothing behind where it fails.
	create(path string, size int64) (file, error)
}

// file is a segment being written.
type file interface {
	io.WriterAt
	io.ReaderAt
	Sync() error // what was written survives a power cut
	Close() error
}

type osDisk struct{}

func (osDisk) create(path string, size int64) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	made := osFile{f}
	if err := errors.Join(allocate(f, size), made.Sync(), syncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return made, nil
}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

// makeDir makes a folder, durably where the folders above may be opened.
func makeDir(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	above := filepath.Dir(path)
	_, _ = syncDir(above), syncDir(filepath.Dir(above))
	return nil
}

// syncDir makes the names in a folder survive a power cut.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
