package postgres

import (
	"context"
	"testing"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// openAt opens a store and closes it when the test ends.
func openAt(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{URL: storage.NewSecret(url)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { do(t, s.Close()) })
	return s
}

// empty is a store without anything in it.
var empty = storagetest.Template{Fill: func(t testing.TB, address string) {
	t.Helper()
	s, err := Open(context.Background(), Options{URL: storage.NewSecret(address)})
	do(t, err)
	do(t, s.Close())
}}

// fresh opens a store on a database of its own.
func fresh(t testing.TB) *Store {
	t.Helper()
	return openAt(t, empty.Postgres(t))
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	storagetest.Nouns(t, func(t *testing.T) storagetest.NounStore { return fresh(t) })
}

func TestLedgerSuite(t *testing.T) {
	storagetest.Ledger(t, func(t *testing.T) func() storagetest.LedgerStore {
		url := empty.Postgres(t)
		return func() storagetest.LedgerStore { return openAt(t, url) }
	})
}
