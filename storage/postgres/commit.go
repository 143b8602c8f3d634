package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// commit takes whoever waits and writes for all of them at once, over and over.
func (j *Journal) commit(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.wake:
		}
		for tickets := j.take(); len(tickets) > 0; tickets = j.take() {
			j.write(ctx, tickets)
		}
	}
}

// mostTickets bounds the callers that share a transaction.
const mostTickets = 500

func (j *Journal) take() []*ticket {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.waiting), mostTickets)
	tickets := j.waiting[:n:n]
	j.waiting = j.waiting[n:]
	for _, t := range tickets {
		t.taken = true
	}
	return tickets
}

// write writes for tickets and tells them. Where the database refuses what they have, each is
// tried alone, so that one does not fail the others.
func (j *Journal) write(ctx context.Context, tickets []*ticket) {
	var entries []*storage.Entry
	for _, t := range tickets {
		entries = append(entries, t.entries...)
	}
	err := j.deposit(ctx, entries)
	if len(tickets) > 1 && poison(err) {
		for _, t := range tickets {
			j.write(ctx, []*ticket{t})
		}
		return
	}
	if err != nil { // it may have failed only after it was done
		j.addVoids(opened(entries))
	}
	j.note(err)
	for _, t := range tickets {
		t.done <- err
	}
}

// deposit writes entries in one transaction: opened ones among the open, settled ones in the
// ledger in place of their opened ones.
func (j *Journal) deposit(ctx context.Context, entries []*storage.Entry) (err error) {
	ctx, cancel := context.WithTimeout(ctx, j.o.Timeout/2)
	defer cancel()
	voids := j.takeVoids()
	defer func() {
		if err != nil {
			j.addVoids(voids)
		}
	}()
	d := deposit{instance: j.id, closed: slices.Clone(voids)}
	var settled []storage.Entry
	for _, e := range entries {
		if e.State == storage.EntryOpened {
			d.opened = append(d.opened, e)
			continue
		}
		settled = append(settled, *e)
		d.closed = append(d.closed, attemptOf(e))
	}
	if d.settled, err = ledger.Order(settled); err != nil {
		return err
	}
	if err := j.store.keep(ctx, &d); err != nil {
		return err
	}
	return j.correct(ctx, &d)
}

// correct writes entries again, as corrections, that came after another gateway had taken this
// one for dead and had settled them as lost.
func (j *Journal) correct(ctx context.Context, d *deposit) error {
	if len(d.inserted) == len(d.settled) {
		return nil
	}
	known, err := j.store.latest(ctx, d.rejected())
	if err != nil {
		return unavailable(fmt.Errorf("ledger: %w", err))
	}
	var again []storage.Entry
	for _, e := range d.rejected() {
		before := known[attemptOf(e)]
		if before != nil && before.State == storage.EntryLost && e.State == storage.EntrySettled {
			next := *e
			next.Revision = before.Revision + 1
			again = append(again, next)
		}
	}
	return j.store.Write(ctx, again)
}

// note remembers whether the database can be reached.
func (j *Journal) note(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if poison(err) {
		return
	}
	if (err == nil) != (j.trouble == nil) {
		j.tell(err)
	}
	j.trouble = err
	if err == nil {
		return
	}
	signal(j.stir)
}

// mostVoids bounds what is remembered of refused attempts; one that is forgotten and was open
// after all is settled as lost once this gateway has ended.
const mostVoids = 10_000

func (j *Journal) tell(err error) {
	if err == nil {
		j.o.Log.Info("journal: the database takes records again")
		return
	}
	j.o.Log.Error("journal: the database takes no records", "error", err, "continue", j.o.Continue)
}

func opened(entries []*storage.Entry) []attempt {
	var attempts []attempt
	for _, e := range entries {
		if e.State == storage.EntryOpened {
			attempts = append(attempts, attemptOf(e))
		}
	}
	return attempts
}

func (j *Journal) addVoids(voids []attempt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.voids = append(j.voids, voids[:min(len(voids), max(0, mostVoids-len(j.voids)))]...)
}

func (j *Journal) takeVoids() []attempt {
	j.mu.Lock()
	defer j.mu.Unlock()
	voids := j.voids
	j.voids = nil
	return voids
}
