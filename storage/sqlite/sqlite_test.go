package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fresh(t *testing.T) *Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "data", FileName))
}

func TestSuite(t *testing.T) {
	storagetest.Nouns(t, func(t *testing.T) storagetest.NounStore { return fresh(t) })
}

func TestFileModes(t *testing.T) {
	s := fresh(t)
	if err := s.SetMeta(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	f := func(path string, want os.FileMode) {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", filepath.Base(path), got, want)
		}
	}
	f(filepath.Dir(s.path), 0o700)
	f(s.path, 0o600)
	f(s.path+"-wal", 0o600)
	f(s.path+"-shm", 0o600)
	f(s.path+".lock", 0o600)
}

// Each connection of either pool must have the settings, not only the first.
func TestSettings(t *testing.T) {
	s := fresh(t)
	f := func(db *sql.DB, pragma, want string) {
		t.Helper()
		var got string
		if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	for _, db := range []*sql.DB{s.write, s.read.DB} {
		f(db, "busy_timeout", "5000")
		f(db, "foreign_keys", "1")
		f(db, "synchronous", "2")
	}
	f(s.write, "journal_mode", "wal")
	if _, err := s.read.ExecContext(t.Context(), `DELETE FROM workspaces`); err == nil {
		t.Error("a reading connection can write")
	}
}

func TestAwkwardPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=d&e%20f#g;ü", FileName)
	open(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesFolder(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(blocked, FileName))
	if err == nil || !strings.Contains(err.Error(), "data_dir") {
		t.Fatalf("error %v; want one that names data_dir", err)
	}
}

func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", FileName)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			k, _ := storage.NewKey(fmt.Sprintf("key-%d", i), time.Now())
			if err := s.AddKey(t.Context(), k); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	keys, err := open(t, path).Keys(t.Context())
	if err != nil || len(keys) != 4 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
}

func TestOpenGivesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	unlock, err := lock(t.Context(), path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, path); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("error %v; want one that speaks of another process", err)
	}
}

func TestSchemaVersion(t *testing.T) {
	f := func(s interface {
		SchemaVersion(ctx context.Context) (int64, error)
	}, folder string) {
		t.Helper()
		names, err := filepath.Glob(folder + "/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.SchemaVersion(t.Context()); err != nil || got != int64(len(names)) {
			t.Errorf("%s: version %d, %v; want %d", folder, got, err, len(names))
		}
	}
	f(fresh(t), "migrations")
	l, err := OpenLedger(t.Context(), filepath.Join(t.TempDir(), LedgerFileName))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f(l, "ledgermigrations")
}
