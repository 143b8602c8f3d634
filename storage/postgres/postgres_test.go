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

// fresh opens a store on a database of its own.
func fresh(t testing.TB) *Store {
	t.Helper()
	return openAt(t, storagetest.Postgres(t))
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	t.Run("keys", func(t *testing.T) {
		storagetest.Keys(t, func(t *testing.T) storagetest.KeyStore { return fresh(t) })
	})
	t.Run("credentials", func(t *testing.T) {
		storagetest.Credentials(t, func(t *testing.T) storagetest.CredentialStore { return fresh(t) })
	})
	t.Run("admin tokens", func(t *testing.T) {
		storagetest.AdminTokens(t, func(t *testing.T) storagetest.TokenStore { return fresh(t) })
	})
	t.Run("meta", func(t *testing.T) {
		storagetest.Meta(t, func(t *testing.T) storagetest.MetaStore { return fresh(t) })
	})
	t.Run("prices", func(t *testing.T) {
		storagetest.Prices(t, func(t *testing.T) storagetest.PriceStore { return fresh(t) })
	})
}

func TestLedgerSuite(t *testing.T) {
	storagetest.Ledger(t, func(t *testing.T) func() storagetest.LedgerStore {
		url := storagetest.Postgres(t)
		return func() storagetest.LedgerStore { return openAt(t, url) }
	})
}
