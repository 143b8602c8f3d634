package outlet

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	put := func(l *Lines, text, want string) {
		t.Helper()
		if err := l.Put(t.Context(), "", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Fatalf("got %q, error %v, want %q", got, err, want)
		}
	}
	l := &Lines{Path: path}
	put(l, "1\n2\n", "1\n2\n")
	put(l, "3\n", "1\n2\n3\n")
	// Killed amid a line, of a batch whose place was not kept.
	if err := os.WriteFile(path, []byte("1\n2\n3\n4\n5 cut o"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(&Lines{Path: path}, "4\n5 cut off\n6\n", "1\n2\n3\n4\n5 cut off\n6\n")
	if err := os.Rename(path, path+".1"); err != nil { // rotated
		t.Fatal(err)
	}
	put(l, "7\n", "7\n")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if err := (&Lines{Path: t.TempDir()}).Put(t.Context(), "", []byte("x\n")); err == nil {
		t.Error("a folder was written to")
	}
}
