package ledger

import (
	"context"

	"github.com/aistrale/aistrale/storage"
)

// Store is a ledger whose entries can be corrected.
type Store interface {
	Write(ctx context.Context, entries []storage.Entry) error
	Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error
}

// atOnce is how many corrections are written in one transaction.
const atOnce = 500

// Reprice charges the entries of a query anew. Where the charge differs, a higher revision of
// the entry is written; none is changed. It gives how many entries it has seen and how many of
// them it has corrected. It can be run again after an error, and a run without news changes
// nothing.
func Reprice(ctx context.Context, store Store, q storage.EntryQuery, charge func(*storage.Entry) storage.Charge) (seen, changed int, err error) {
	var corrected []storage.Entry
	flush := func() error {
		if err := store.Write(ctx, corrected); err != nil {
			return err
		}
		changed += len(corrected)
		corrected = corrected[:0]
		return nil
	}
	err = store.Entries(ctx, q, func(e *storage.Entry) error {
		seen++
		now := charge(e)
		now.Estimated = e.Charge.Estimated // who counted the tokens is not the price's to say
		if now == e.Charge {
			return nil
		}
		next := *e
		next.Charge = now
		next.Revision++
		corrected = append(corrected, next)
		if len(corrected) < atOnce {
			return nil
		}
		return flush()
	})
	if err == nil && len(corrected) > 0 {
		err = flush()
	}
	return seen, changed, err
}
