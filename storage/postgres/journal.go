package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// JournalOptions say how a journal in the database is kept.
type JournalOptions struct {
	Node string // this gateway's name, for people
	// Continue lets requests go on where the database takes no records; else they are denied.
	Continue bool
	// Timeout bounds one Append: 0 is 5 s.
	Timeout time.Duration
	// Dead is how long another gateway may say nothing before its open attempts are settled as
	// lost: 0 is 60 s.
	Dead time.Duration
	Log  *slog.Logger
	// Lost is called with the number of settled records that could not be kept, from any goroutine.
	Lost func(n int)
	// Adopted is told what dead gateways did not live to settle, when the ledger has it; nil: nobody
	// is. Another gateway may tell of it too. Its error is logged.
	Adopted func(entries []storage.Entry) error

	backlogMost int // settled entries in memory; 0 is mostOwed
}

// Journal keeps a note of every attempt in the database, for gateways without a disk of their
// own: opened ones in a table of their own, settled ones in the ledger itself. Callers that come
// at once share a transaction.
type Journal struct {
	store *Store
	o     JournalOptions
	id    uuid.UUID // of this run

	mu      sync.Mutex
	waiting []*ticket
	trouble error // why the last transaction failed, nil where it did not
	closed  bool
	backlog backlog
	paying  sync.Mutex // held while some of the backlog is written
	voids   []attempt  // may be open in the database although they were refused

	wake  chan struct{} // someone is waiting
	stir  chan struct{} // there is trouble
	end   context.CancelFunc
	done  sync.WaitGroup
	watch watch
}

// ticket is one Append on its way.
type ticket struct {
	entries []*storage.Entry
	taken   bool
	done    chan error
}

// inFlight is how many transactions a journal has at once: one that waits for the disk of the
// database, and one that is being made.
const inFlight = 2

// NewJournal begins a journal. Its goroutines end with Close.
func NewJournal(store *Store, o JournalOptions) *Journal {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Dead == 0 {
		o.Dead = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lost == nil {
		o.Lost = func(int) {}
	}
	if o.Adopted == nil {
		o.Adopted = func([]storage.Entry) error { return nil }
	}
	if o.backlogMost == 0 {
		o.backlogMost = mostOwed
	}
	j := &Journal{
		store: store, o: o, id: uuid.Must(uuid.NewV7()),
		wake: make(chan struct{}, inFlight), stir: make(chan struct{}, 1),
		backlog: backlog{most: o.backlogMost},
	}
	ctx, end := context.WithCancel(context.Background())
	j.end = end
	for range inFlight {
		j.done.Go(func() { j.commit(ctx) })
	}
	j.done.Go(func() { j.tend(ctx) })
	return j
}

var errClosed = errors.New("the journal is closed")

// Append keeps the entries, and returns when they are in the database, or after Timeout.
//
// Where they are not and the policy is deny, the error wraps storage.ErrLedgerUnavailable. What
// was to be opened must then not be sent, and nothing of such a call is kept; of a call without
// an opened entry the settled ones are owed: they are kept in memory and written later. Where
// the policy is to continue, there is no error, and settled entries are owed in any case. What
// does not fit in memory, or is no entry, is told to Lost.
func (j *Journal) Append(entries ...*storage.Entry) error {
	t := &ticket{entries: entries, done: make(chan error, 1)}
	err := j.queue(t)
	if err == nil {
		err = j.await(t)
	}
	if err == nil {
		return nil
	}
	return j.refuse(entries, err)
}

// queue puts a ticket in line, but not while the database is known to be gone.
func (j *Journal) queue(t *ticket) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return errClosed
	}
	if j.trouble != nil {
		return j.trouble
	}
	j.waiting = append(j.waiting, t)
	signal(j.wake)
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// await waits half of Timeout for a transaction to take the ticket, and then as long as that may
// take, which is the other half.
func (j *Journal) await(t *ticket) error {
	late := time.NewTimer(j.o.Timeout / 2)
	defer late.Stop()
	select {
	case err := <-t.done:
		return err
	case <-late.C:
	}
	j.mu.Lock()
	if !t.taken {
		j.waiting = slices.DeleteFunc(j.waiting, func(other *ticket) bool { return other == t })
		j.mu.Unlock()
		return fmt.Errorf("no transaction began within %s", j.o.Timeout/2)
	}
	j.mu.Unlock()
	return <-t.done
}

// refuse says what becomes of entries that were not kept.
func (j *Journal) refuse(entries []*storage.Entry, err error) error {
	opens := slices.ContainsFunc(entries, func(e *storage.Entry) bool { return e.State == storage.EntryOpened })
	if !opens || j.o.Continue {
		j.owe(entries, err)
	}
	if j.o.Continue {
		return nil
	}
	if errors.Is(err, storage.ErrLedgerUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrLedgerUnavailable, err)
}

// Lag counts the settled entries that are not in the ledger yet.
func (j *Journal) Lag() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int64(len(j.backlog.entries))
}

// Trouble gives why the database takes no entries; nil where it does.
func (j *Journal) Trouble() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.trouble
}

// Stuck is Trouble: the ledger is the same database.
func (j *Journal) Stuck() error { return j.Trouble() }

// Flush writes what is owed.
func (j *Journal) Flush(ctx context.Context) error {
	for j.Lag() > 0 {
		if err := j.pay(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the journal: what is still owed then is told to Lost. An attempt that is open stays
// so in the database, and another gateway settles it as lost.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), j.o.Timeout)
	defer cancel()
	err := j.Flush(ctx)
	j.end()
	j.done.Wait()
	j.mu.Lock()
	left := j.backlog.clear()
	waiting := j.waiting
	j.waiting = nil
	j.mu.Unlock()
	for _, t := range waiting {
		t.done <- errClosed
	}
	if left > 0 {
		j.o.Lost(left)
		return fmt.Errorf("journal: %d settled records are lost: %w", left, err)
	}
	return j.leave(ctx)
}
