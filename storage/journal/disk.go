package journal

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/aistrale/aistrale/storage/durable"
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
	// Prepare makes writes between two offsets, beyond what is written, cost no system call until
	// the next Sync, where it can.
	Prepare(from, to int64)
	Close() error
}

type osDisk struct{}

func (osDisk) create(path string, size int64) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(allocate(f, size), durable.Sync(f), syncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return &osFile{File: f, room: newRoom(f, size)}, nil
}

// osFile is a file to which one writes at a time.
type osFile struct {
	*os.File
	room *room
	size int64 // of what was written
}

func (f *osFile) WriteAt(b []byte, off int64) (n int, err error) {
	f.size = max(f.size, off+int64(len(b)))
	if n, ok, err := f.room.put(b, off); ok || err != nil {
		return n, err
	}
	return f.File.WriteAt(b, off)
}

func (f *osFile) Prepare(from, to int64) { f.room.prepare(f.File, from, to) }

func (f *osFile) Sync() error {
	f.room.rest()
	return durable.Sync(f.File)
}

func (f *osFile) Close() error { return errors.Join(f.room.end(f.File, f.size), f.File.Close()) }

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
