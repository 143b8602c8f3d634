package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/journal"
	"github.com/aistrale/aistrale/storage/postgres"
)

// flushTimeout bounds how long the end of the program waits for the ledger. What is not shipped
// then is shipped by the next start.
const flushTimeout = 10 * time.Second

// trimEvery is how often the ledger drops what is too old.
const trimEvery = time.Hour

// accounting owns the way of a request's entries from the journal to the ledger.
type accounting struct {
	config  *Config
	log     *slog.Logger
	ledger  ledgerStore
	journal keptJournal
	whole   atomic.Bool // the ledger has had all that dead gateways left
	lacking atomic.Bool // it could not be given that at the start, and is tried again
	watch   accountingWatch
	heirs   heirs
	stop    context.CancelFunc
	ended   sync.WaitGroup
}

// accountingWatch is told how the journal does.
type accountingWatch interface {
	LedgerLost(records int)
	JournalSynced(took time.Duration)
	JournalAdopted(records int)
}

// keptJournal is a journal that the program owns.
type keptJournal interface {
	proxy.Journal
	// Lag counts settled records that are not in the ledger yet.
	Lag() int64
	// Trouble gives why no records are taken, and Stuck why the ledger takes none.
	Trouble() error
	Stuck() error
	Close() error
}

// openAccounting opens the ledger and the journal. Nothing is shipped before run.
func openAccounting(ctx context.Context, config *Config, nouns nounStore, log *slog.Logger, watch accountingWatch) (*accounting, error) {
	if config.Journal.Store == journalOff {
		log.Warn("journal.store is off: what requests cost is counted in metrics only, and kept nowhere")
		return &accounting{config: config, log: log}, nil
	}
	ledger, err := openLedger(ctx, config, nouns)
	if err != nil {
		return nil, err
	}
	a := &accounting{config: config, log: log, ledger: ledger, watch: watch}
	onward := config.Journal.OnError == "continue"
	if shared, ok := nouns.(*postgres.Store); ok && config.Journal.Store == journalPostgres {
		a.journal = postgres.NewJournal(shared, postgres.JournalOptions{
			Node: config.Node, Continue: onward, Log: log, Lost: watch.LedgerLost, Adopted: func(entries []storage.Entry) error {
				watch.JournalAdopted(len(entries))
				return a.heirs.take(entries)
			},
		})
		return a, nil
	}
	files, err := journal.Open(journal.Options{
		Dir: config.journalDir(), Sync: journal.SyncPolicy(config.Journal.Fsync), Continue: onward, Log: log, Lost: watch.LedgerLost, Adopted: a.heirs.take,
		Synced: watch.JournalSynced, Took: watch.JournalAdopted,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), ledger.Close())
	}
	a.journal = files
	return a, nil
}

// adopt ships what dead gateways left, so that budgets begin with all that was spent. Where the
// ledger is down, run goes on with it.
func (a *accounting) adopt(ctx context.Context) {
	if a.ledger == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	n, err := journal.Adopt(ctx, a.config.journalDir(), a.ledger, a.heirs.take)
	a.watch.JournalAdopted(n)
	if err != nil {
		a.log.Warn("the ledger does not have yet what earlier gateways spent; until it has, budgets refuse", "error", err.Error())
		a.lacking.Store(true)
		return
	}
	a.whole.Store(true)
}

// adoptAll goes on where adopt gave up, until the ledger has all or ctx ends. Nothing of this
// gateway's own is shipped before: the ledger would not take that either.
func (a *accounting) adoptAll(ctx context.Context) {
	if !a.lacking.Load() {
		return
	}
	defer a.lacking.Store(false)
	n, err := journal.AdoptAll(ctx, journal.Options{Dir: a.config.journalDir(), Log: a.log, Lost: a.watch.LedgerLost, Took: a.watch.JournalAdopted, Adopted: a.heirs.take}, a.ledger)
	switch {
	case ctx.Err() != nil:
	case err != nil: // what cannot be read is left to shipping, which goes on with all else
		a.log.Error("a journal of an earlier gateway cannot be read", "error", err.Error())
	default:
		a.whole.Store(true)
		a.log.Info("the ledger has what earlier gateways spent; budgets count again", "records", n)
	}
}

// run ships and trims until close.
func (a *accounting) run(getenv func(string) string) {
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	if a.ledger == nil {
		return
	}
	a.ended.Go(func() { a.trim(ctx) })
	files, ok := a.journal.(*journal.Journal)
	ships := ok && a.config.Ledger.Ship
	if ok && !ships {
		a.log.Warn("ledger.ship is false: records stay in the journal", "folder", a.config.journalDir())
	}
	a.ended.Go(func() {
		a.adoptAll(ctx)
		if !ships {
			return
		}
		if err := files.Ship(ctx, secondProcessor{a.ledger, getenv("GOMAXPROCS") != ""}); err != nil {
			a.log.Error("shipping to the ledger has ended", "error", err.Error())
		}
	})
}

// trim drops what is too old, now and every hour.
func (a *accounting) trim(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		rows, err := a.ledger.Trim(ctx, time.Now(), a.config.keep())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			a.log.Warn("the ledger cannot drop what is too old", "error", err.Error())
		case rows > 0:
			a.log.Info("the ledger has dropped what is too old", "rows", rows)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keeper is where the gateway's entries go; nil where nothing is kept.
func (a *accounting) keeper() proxy.Journal {
	if a.journal == nil {
		return nil
	}
	return a.journal
}

// told is the ledger as keys are told of it; nil where there is none.
func (a *accounting) told() proxy.Usage {
	if a.ledger == nil {
		return nil
	}
	return a.ledger
}

// teller is what tells of requests that have ended; nil where nothing is kept.
func (a *accounting) teller() admin.Ledger {
	if a.ledger == nil {
		return nil
	}
	return a.ledger
}

// lag counts the settled records that are not in the ledger yet.
func (a *accounting) lag() int64 {
	if a == nil || a.journal == nil {
		return 0
	}
	return a.journal.Lag()
}

// close ships what is settled, within flushTimeout, and lets go of journal and ledger. No
// request may be under way.
func (a *accounting) close() error {
	if a == nil {
		return nil
	}
	if a.stop != nil {
		a.stop()
		a.ended.Wait()
	}
	var errs []error
	if err := a.flush(); err != nil {
		a.log.Warn("the ledger does not have all yet; the next start ships the rest", "lag", a.lag(), "error", err.Error())
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	if a.ledger != nil {
		errs = append(errs, a.ledger.Close())
	}
	return errors.Join(errs...)
}

// flush hands the ledger what it does not have yet.
func (a *accounting) flush() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	switch j := a.journal.(type) {
	case *journal.Journal:
		if a.stop != nil && a.config.Ledger.Ship {
			return j.Flush(ctx, a.ledger)
		}
	case *postgres.Journal:
		return j.Flush(ctx)
	}
	return nil
}
