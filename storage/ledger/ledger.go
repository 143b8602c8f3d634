// Package ledger is what the SQL ledgers share: which roll-ups a batch of entries makes, which
// roll-ups a query reads, and the SQL that both engines speak. It must never open a database or
// know which one it is for.
package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/storage"
)

// ErrEntry is wrapped where an entry can never be kept, however often it is written.
var ErrEntry = errors.New("not an entry of a ledger")

// Order gives the entries by request id, attempt and revision, each of them once: of entries
// that have all three in common the first. It wraps ErrEntry.
func Order(entries []storage.Entry) ([]*storage.Entry, error) {
	ordered := make([]*storage.Entry, len(entries))
	for i := range entries {
		if err := check(&entries[i]); err != nil {
			return nil, err
		}
		ordered[i] = &entries[i]
	}
	if !slices.IsSortedFunc(ordered, compare) {
		slices.SortStableFunc(ordered, compare)
	}
	return slices.CompactFunc(ordered, func(a, b *storage.Entry) bool { return compare(a, b) == 0 }), nil
}

// most is the highest attempt and revision: what an SQL integer of 4 bytes holds.
const most = 1<<31 - 1

func check(e *storage.Entry) error {
	switch {
	case e.State != storage.EntrySettled && e.State != storage.EntryLost:
		return fmt.Errorf("%w: %s is in state %d, not settled or lost", ErrEntry, e.RequestID, e.State)
	case e.RequestID.Version() != 7:
		return fmt.Errorf("%w: its request id %s is not of version 7", ErrEntry, e.RequestID)
	case e.Attempt < 1 || e.Attempt > most || e.Revision < 1 || e.Revision > most:
		return fmt.Errorf("%w: %s has attempt %d, revision %d", ErrEntry, e.RequestID, e.Attempt, e.Revision)
	}
	return nil
}

func compare(a, b *storage.Entry) int {
	return cmp.Or(bytes.Compare(a.RequestID[:], b.RequestID[:]), cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.Revision, b.Revision))
}

// SameAttempt reports whether two entries are revisions of one attempt.
func SameAttempt(a, b *storage.Entry) bool {
	return a.RequestID == b.RequestID && a.Attempt == b.Attempt
}
