package journal

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"
)

// faulty is a disk that fails when it is told to, and that remembers what a power cut would
// leave: what was there at the last fsync that went well. After one that failed it keeps nothing
// more of that file, and calls later ones a success, as Linux does.
type faulty struct {
	mu     sync.Mutex
	create func(size int64) error
	write  func(b []byte) (n int, err error) // how much of b still goes through
	sync   func() error
	files  map[string]*faultyFile
	syncs  int
}

func newFaulty() *faulty { return &faulty{files: map[string]*faultyFile{}} }

func (d *faulty) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

type faultyDisk struct{ *faulty }

func (d faultyDisk) create(path string, size int64) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.faulty.create != nil {
		if err := d.faulty.create(size); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	made := &faultyFile{disk: d.faulty, File: f}
	d.files[path] = made
	return made, nil
}

type faultyFile struct {
	*os.File
	disk    *faulty
	durable []byte
	dropped bool
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.write != nil {
		if n, err := f.disk.write(b); err != nil {
			_, _ = f.File.WriteAt(b[:n], off)
			return n, err
		}
	}
	return f.File.WriteAt(b, off)
}

func (f *faultyFile) Prepare(int64, int64) {}

func (f *faultyFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.syncs++
	if f.disk.sync != nil {
		if err := f.disk.sync(); err != nil {
			f.dropped = true
			return err
		}
	}
	if f.dropped {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	f.durable = make([]byte, info.Size())
	_, err = f.ReadAt(f.durable, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

func faultyOptions(t *testing.T) (Options, *faulty) {
	t.Helper()
	o, d := quickOptions(t.TempDir()), newFaulty()
	o.disk, o.bytes = faultyDisk{d}, 2<<10
	return o, d
}

// filled appends settled pairs until the journal refuses an opened entry, and gives the ids of
// the whole pairs.
