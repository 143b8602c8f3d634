package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

func openLedger(t testing.TB, path string) *Ledger {
	t.Helper()
	l, err := OpenLedger(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func freshLedger(t testing.TB) *Ledger {
	t.Helper()
	return openLedger(t, filepath.Join(t.TempDir(), "data", LedgerFileName))
}

func TestLedger(t *testing.T) {
	storagetest.Ledger(t, func(t *testing.T) func() storagetest.LedgerStore {
		path := filepath.Join(t.TempDir(), "data", LedgerFileName)
		return func() storagetest.LedgerStore { return openLedger(t, path) }
	})
}
