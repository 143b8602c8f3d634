package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// prepared makes a segment's file of four pages, ready to hold two of them without a write.
func prepared(t *testing.T) (f *osFile, page int) {
	t.Helper()
	page = os.Getpagesize()
	made, err := osDisk{}.create(filepath.Join(t.TempDir(), "segment"), 4*int64(page))
	if err != nil {
		t.Fatal(err)
	}
	f = made.(*osFile)
	t.Cleanup(func() { _ = f.Close() })
	f.Prepare(0, 2*int64(page))
	if f.room.ready.Load() != 2*int64(page) {
		t.Skip("this file system or kernel keeps no room")
	}
	return f, page
}

// What is put into the room, written beside it and across its end are one file, of which no more
// is left than was written.
func TestRoom_IsTheFile(t *testing.T) {
	f, page := prepared(t)
	var want []byte
	add := func(n int) {
		t.Helper()
		b := bytes.Repeat([]byte{byte(len(want)/page + 1)}, n)
		if n, err := f.WriteAt(b, int64(len(want))); n != len(b) || err != nil {
			t.Fatalf("%d of %d, %v", n, len(b), err)
		}
		want = append(want, b...)
		got := make([]byte, len(want))
		if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("after %d bytes the file has others, %v", len(want), err)
		}
	}
	add(page - 10)
	add(20)
	add(page) // past what is ready
	if err := f.Sync(); err != nil || f.room.ready.Load() != 0 {
		t.Fatalf("still ready after an fsync, or %v", err)
	}
	add(100)
	f.Prepare(int64(len(want)), 9*int64(page)) // there are four
	add(100)
	name := f.Name()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadFile(name); err != nil || !bytes.Equal(left, want) {
		t.Errorf("%d bytes are left of %d, %v", len(left), len(want), err)
	}
}

// What is prepared late, after more was written than it was to be for, takes nothing of that away.
func TestRoom_PreparedLate(t *testing.T) {
	f, page := prepared(t)
	want := bytes.Repeat([]byte("record, "), 3*page/8+5)
	if _, err := f.WriteAt(want, 0); err != nil {
		t.Fatal(err)
	}
	f.Prepare(int64(page)/2, int64(page)) // as of when a page was half full
	got := make([]byte, len(want))
	if n, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d are there, or others, %v", n, len(want), err)
	}
}

// A page that the disk does not give is a failed write, which says how much went through.
func TestRoom_PageIsGone(t *testing.T) {
	f, page := prepared(t)
	if err := f.Truncate(int64(page)); err != nil {
		t.Fatal(err)
	}
	n, err := f.WriteAt(make([]byte, 100), int64(page)-30)
	if n != 30 || !errors.Is(err, errPage) {
		t.Errorf("%d written, %v", n, err)
	}
	if n, err := f.WriteAt(make([]byte, 100), int64(page)-30); n != 100 || err != nil {
		t.Errorf("after it %d written, %v", n, err)
	}
}

func TestRoom_Allocs(t *testing.T) {
	f, _ := prepared(t)
	b := make([]byte, 300)
	if n := testing.AllocsPerRun(100, func() { _, _ = f.WriteAt(b, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
