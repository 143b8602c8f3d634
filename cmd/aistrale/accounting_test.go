package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/journal"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// rolledBack is a ledger that takes nothing until it is told to.
type rolledBack struct {
	ledgerStore
	tries chan struct{}
	well  atomic.Bool
}

func (l *rolledBack) Write(ctx context.Context, entries []storage.Entry) error {
	if !l.well.Load() {
		select {
		case l.tries <- struct{}{}:
		default:
		}
		return errors.New("the transaction was rolled back")
	}
	return l.ledgerStore.Write(ctx, entries)
}

// Where the ledger does not take at the start what an earlier gateway left, budgets are not known
// until it has, and it is tried until then.
func TestAccounting_AdoptsUntilDone(t *testing.T) {
	t.Parallel()
	config := &Config{DataDir: t.TempDir()}
	dead, err := journal.Open(journal.Options{Dir: config.journalDir()})
	if err != nil {
		t.Fatal(err)
	}
	e := entryAt(time.Now().UTC(), 1, "gpt", 10, 20)
	if err := errors.Join(dead.Append(&e), dead.Close()); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.OpenLedger(t.Context(), filepath.Join(config.DataDir, sqlite.LedgerFileName))
	if err != nil {
		t.Fatal(err)
	}
	ledger := &rolledBack{ledgerStore: l, tries: make(chan struct{})}
	a := &accounting{config: config, log: slog.New(slog.DiscardHandler), ledger: ledger, watch: telemetry.New(telemetry.Options{})}
	if a.journal, err = journal.Open(journal.Options{Dir: config.journalDir()}); err != nil {
		t.Fatal(err)
	}
	b := &policy.BudgetAsk{Of: &policy.BudgetRule{Holder: policy.Holder{Kind: storage.ScopeAll}, Counts: policy.CountedNano, Budget: &storage.Budget{}}}
	spent := func() (sum int64, err error) {
		amounts, err := a.budgetHistory(t.Context(), b, time.Now().Add(-time.Hour))
		for i := range amounts {
			sum += amounts[i].Units
		}
		return sum, err
	}
	a.adopt(t.Context())
	a.run(func(string) string { return "" })
	<-ledger.tries
	<-ledger.tries
	if _, err := spent(); err == nil {
		t.Error("a budget is known that the ledger does not know")
	}
	ledger.well.Store(true)
	sum, err := spent()
	for again := time.NewTicker(time.Millisecond); err != nil && t.Context().Err() == nil; <-again.C {
		sum, err = spent()
	}
	if sum != e.Charge.CostNano {
		t.Errorf("%d, want %d", sum, e.Charge.CostNano)
	}
	if err := a.close(); err != nil {
		t.Error(err)
	}
}
