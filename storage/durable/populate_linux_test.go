package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/aistrale/aistrale/storage/durable"
)

// Pages that a file has are made ready; where it has none, that is an error that says why.
func TestPopulate(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	page := os.Getpagesize()
	if err := f.Truncate(int64(page)); err != nil {
		t.Fatal(err)
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(mapped) })
	if err := durable.Populate(mapped[:page]); errors.Is(err, unix.EINVAL) {
		t.Skip("this kernel makes no pages ready (MADV_POPULATE_WRITE came with Linux 5.14)")
	} else if err != nil {
		t.Fatal(err)
	}
	var call *os.SyscallError
	if err := durable.Populate(mapped[page:]); !errors.As(err, &call) {
		t.Errorf("a page beyond the file's end: %v", err)
	}
}
