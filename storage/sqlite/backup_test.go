package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// A backup opens as what it was copied from, whatever is written meanwhile.
func TestBackup(t *testing.T) {
	s, l := fresh(t), freshLedger(t)
	k, _ := storage.NewKey("ci", time.Now())
	if err := s.AddKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	source := steady()
	var before []storage.Entry
	for range 200 {
		before = append(before, source.entry(source.at.Add(time.Duration(len(before))*time.Second)))
	}
	if err := l.Write(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			e := source.entry(source.at.Add(time.Hour + time.Duration(i)*time.Second))
			if err := l.Write(t.Context(), []storage.Entry{e}); err != nil {
				t.Error(err)
			}
		}
	})
	folder := t.TempDir()
	storePath, ledgerPath := filepath.Join(folder, "it's.db"), filepath.Join(folder, "ledger.db")
	if err := errors.Join(s.Backup(t.Context(), storePath), l.Backup(t.Context(), ledgerPath)); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	keys, err := open(t, storePath).Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
	copied := openLedger(t, ledgerPath)
	rows := 0
	err = copied.Entries(t.Context(), storage.EntryQuery{}, func(*storage.Entry) error { rows++; return nil })
	if err != nil || rows < 200 {
		t.Fatalf("%d rows, error %v", rows, err)
	}
	sums, err := copied.Usage(t.Context(), storage.UsageQuery{})
	if err != nil || sums[0].Totals[storage.Attempts] != int64(rows) {
		t.Fatalf("roll-ups count %v of %d rows, error %v", sums, rows, err)
	}
	if err := copied.Write(t.Context(), before[:1]); err != nil {
		t.Fatal(err)
	}
}

func TestBackupFile(t *testing.T) {
	s := fresh(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := os.WriteFile(path+".partial", []byte("of a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, error %v", info.Mode(), err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("error %v, want %v", err, fs.ErrExist)
	}
	missing := filepath.Join(t.TempDir(), "no", "folder.db")
	if err := s.Backup(t.Context(), missing); err == nil {
		t.Fatal("backed up into a folder that is not there")
	}
	left, err := filepath.Glob(path + ".*")
	if err != nil || len(left) > 0 {
		t.Fatalf("left behind %v, error %v", left, err)
	}
}
