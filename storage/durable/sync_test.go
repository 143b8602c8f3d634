package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/aistrale/aistrale/storage/durable"
)

func TestSync(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if err := durable.Sync(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := durable.Sync(f); err == nil {
		t.Error("a closed file was made durable")
	}
}

// What cannot be made durable is an error that says why.
func TestSync_refused(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	var call *os.SyscallError
	if err := durable.Sync(w); runtime.GOOS == "linux" && !errors.As(err, &call) {
		t.Errorf("a pipe: %v", err)
	}
}

// Goroutines go on beside it, the collector and stacks that grow among them.
func TestSync_beside(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			f, err := os.CreateTemp(dir, "")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for i := range 50 {
				if _, err := f.WriteString("more"); err != nil {
					t.Error(err)
				}
				if err := durable.Sync(f); err != nil {
					t.Error(err)
				}
				if i%8 == 0 {
					runtime.GC()
				}
				if deep(i) != i {
					t.Error("a stack is not what it was")
				}
			}
		})
	}
	all.Wait()
}

// deep uses so much of its stack that the stack grows.
func deep(n int) int {
	var room [512]byte
	if n == 0 {
		return int(room[0])
	}
	return deep(n-1) + 1
}
