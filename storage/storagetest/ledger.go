package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// LedgerStore keeps entries and their roll-ups.
type LedgerStore interface {
	Write(ctx context.Context, entries []storage.Entry) error
	Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error)
	// Entries calls f outside of any transaction; an entry is f's to keep.
	Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error
	Trim(ctx context.Context, now time.Time, keep storage.Keep) (rows int64, err error)
}

// Ledger tests a LedgerStore. fresh makes an empty one and gives a function that opens it, each
// time as another process would.
func Ledger(t *testing.T, fresh func(t *testing.T) (open func() LedgerStore)) {
	f := func(name string, test func(*testing.T, LedgerStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) { test(t, fresh(t)()) })
	}
	f("empty", ledgerEmpty)
}

func ledgerEmpty(t *testing.T, s LedgerStore) {
	do(t, s.Write(t.Context(), nil))
	sums, err := s.Usage(t.Context(), storage.UsageQuery{})
	do(t, err)
	if len(sums) != 1 || sums[0] != (storage.UsageSum{}) {
		t.Fatalf("got %+v; want one sum of nothing", sums)
	}
	sums, err = s.Usage(t.Context(), storage.UsageQuery{By: storage.Dimensions(), Per: storage.Hour})
	do(t, err)
	if len(sums) != 0 {
		t.Fatalf("got %+v; want no sums", sums)
	}
	do(t, s.Entries(t.Context(), storage.EntryQuery{}, func(e *storage.Entry) error {
		t.Fatalf("got %+v", e)
		return nil
	}))
}
