package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/storage"
)

// What a journal owes in memory at most.
const (
	mostOwed      = 20_000
	mostOwedBytes = 64 << 20
)

// backlog is the settled entries that wait in memory for the database, encoded, because their
// callers go on.
type backlog struct {
	most    int
	entries [][]byte
	bytes   int
}

func (b *backlog) add(e *storage.Entry) bool {
	encoded := e.Append(nil)
	if len(b.entries) >= b.most || b.bytes+len(encoded) > mostOwedBytes {
		return false
	}
	b.entries = append(b.entries, encoded)
	b.bytes += len(encoded)
	return true
}

// first gives some of them, the oldest, decoded.
func (b *backlog) first(most int) ([]*storage.Entry, error) {
	entries := make([]*storage.Entry, 0, most)
	for _, encoded := range b.entries[:min(most, len(b.entries))] {
		e := new(storage.Entry)
		if err := e.Parse(encoded); err != nil {
			return nil, fmt.Errorf("BUG: an entry does not survive its own encoding: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// drop forgets the first n.
func (b *backlog) drop(n int) {
	for _, encoded := range b.entries[:n] {
		b.bytes -= len(encoded)
	}
	b.entries = slices.Delete(b.entries, 0, n)
}

func (b *backlog) clear() int {
	n := len(b.entries)
	b.drop(n)
	return n
}

// owe keeps settled entries in memory, to be written later; err is why. Entries that the ledger
// will never take are lost at once.
func (j *Journal) owe(entries []*storage.Entry, err error) {
	lost := 0
	j.mu.Lock()
	for _, e := range entries {
		switch {
		case e.State == storage.EntryOpened:
		case !j.closed && !poison(err) && j.backlog.add(e):
		default:
			lost++
		}
	}
	j.mu.Unlock()
	signal(j.stir)
	if lost > 0 {
		j.o.Lost(lost)
		j.o.Log.Error("journal: settled records are lost", "records", lost, "error", err)
	}
}

// pay writes some of what is owed. What the database refuses is tried one by one, and what alone
// is refused is lost.
func (j *Journal) pay(ctx context.Context) error {
	j.paying.Lock()
	defer j.paying.Unlock()
	const most = 500
	j.mu.Lock()
	entries, err := j.backlog.first(most)
	j.mu.Unlock()
	if err != nil {
		return err
	}
	err = j.deposit(ctx, entries)
	j.note(err)
	if poison(err) {
		err = j.payEach(ctx, entries)
	}
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.backlog.drop(len(entries))
	j.mu.Unlock()
	return nil
}

// payEach writes entries one by one. One that alone is refused is lost, and no longer open.
func (j *Journal) payEach(ctx context.Context, entries []*storage.Entry) error {
	for _, e := range entries {
		err := j.deposit(ctx, []*storage.Entry{e})
		if err == nil {
			continue
		}
		if !poison(err) {
			return err
		}
		j.o.Lost(1)
		j.o.Log.Error("journal: a settled record is lost", "request_id", e.RequestID, "error", err)
		j.addVoids([]attempt{attemptOf(e)})
		if err := j.deposit(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}
