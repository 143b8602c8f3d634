package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// SealerOptions are what a Sealer works with.
type SealerOptions struct {
	Store   Store
	Vault   Vault
	Wrapper storage.KeyWrapper // nil: nothing is sealed here
	Log     *slog.Logger
	Now     func() time.Time
}

// Sealer has everything sealed under the newest data key. Each node has one: what is still to be
// done is what the store has under older keys, so a rotation goes on wherever a node is up, and
// two that do the same row do it once.
type Sealer struct {
	SealerOptions

	mu      sync.Mutex
	broken  map[string]int64 // rows that do not open though their data key does, by table
	checked time.Time
}

// NewSealer makes one; Run runs it.
func NewSealer(o SealerOptions) *Sealer { return &Sealer{SealerOptions: o, broken: map[string]int64{}} }

// Times of a Sealer: how often it looks, how long a data key stays when nothing is sealed under it
// any more (nodes learn of a new one in less), and how often it opens every row.
const (
	sealEvery  = time.Second
	sealStays  = 5 * time.Second
	sealChecks = 24 * time.Hour
	sealBatch  = 100
)

// Run rewraps data keys that an old master key has wrapped, and then rotates until ctx ends.
func (s *Sealer) Run(ctx context.Context) {
	if s.Wrapper == nil {
		return
	}
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	var trouble string
	rewrapped := false
	for {
		err := s.turn(ctx)
		if !rewrapped {
			_, again := s.Rewrap(ctx)
			rewrapped = again == nil
			err = errors.Join(err, again)
		}
		switch {
		case err == nil || ctx.Err() != nil:
			trouble = ""
		case err.Error() != trouble:
			trouble = err.Error()
			s.Log.Error("encryption keys: what is sealed cannot be sealed anew", "error", trouble)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Rewrap has every data key wrapped by the master key of now, and says how many were not.
func (s *Sealer) Rewrap(ctx context.Context) (n int, err error) {
	keys, err := s.Store.DataKeys(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, k := range keys {
		old := k.Wrapped
		k.Wrapped, err = s.Wrapper.Rewrap(ctx, k.ID, old)
		if err == nil && bytes.Equal(k.Wrapped, old) {
			continue
		}
		if err == nil {
			err = s.Store.RewrapDataKey(ctx, k, old)
		}
		switch {
		case err == nil:
			n++
		case errors.Is(err, storage.ErrChanged): // another node did
		default:
			errs = append(errs, fmt.Errorf("data key %s: %w", k.ID, err))
		}
	}
	if n > 0 {
		s.Log.Info("encryption keys: data keys are wrapped by the new master key", "data_keys", n)
	}
	return n, errors.Join(errs...)
}

// turn moves what is sealed under older data keys to the newest, and removes those that nothing
// needs. A key goes only when a look before this one has found nothing either: who read a row a
// moment ago can still open it.
func (s *Sealer) turn(ctx context.Context) error {
	keys, err := s.Store.DataKeys(ctx)
	if err != nil {
		return err
	}
	if len(keys) == 0 || len(keys) == 1 && s.Now().Sub(s.lastCheck()) < sealChecks {
		return nil
	}
	vault, err := s.Vault.Current(ctx)
	if vault == nil {
		return err // one data key that does not unwrap holds up no other
	}
	newest := keys[len(keys)-1]
	counts, err := s.Store.SealedCounts(ctx)
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	for _, c := range counts {
		needed[c.DataKeyID] = true
	}
	for _, old := range keys[:len(keys)-1] {
		if needed[old.ID] {
			err = s.move(ctx, vault, old.ID, newest.ID)
		} else if s.Now().Sub(newest.CreatedAt) >= sealStays {
			err = s.retire(ctx, old.ID)
		}
		if err != nil {
			return err
		}
	}
	if s.Now().Sub(s.lastCheck()) >= sealChecks {
		return s.check(ctx, vault)
	}
	return nil
}

func (s *Sealer) lastCheck() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checked
}

// retire removes a data key; another node may have, or may have sealed something under it again.
func (s *Sealer) retire(ctx context.Context, id string) error {
	err := s.Store.RemoveDataKey(ctx, id)
	if errors.Is(err, storage.ErrInUse) || errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err == nil {
		s.Log.Info("encryption keys: a data key is removed, nothing is sealed under it any more", "data_key", id)
	}
	return err
}

// move seals everything that is sealed under one data key under another.
func (s *Sealer) move(ctx context.Context, vault *storage.Vault, from, to string) error {
	for _, t := range storage.SealedTables() {
		err := s.each(ctx, t, from, func(rows []storage.SealedRow) error {
			var anew []storage.Resealed
			for _, row := range rows {
				secret, err := vault.Open(row.Sealed, t.Bind(row.Values))
				if err != nil {
					continue // check counts it
				}
				sealed, err := vault.Seal(secret, t.Bind(row.Values))
				if err != nil {
					return err
				}
				if sealed.DataKeyID != to {
					return fmt.Errorf("data key %s is the newest and seals nothing: %w", to, vault.Closed(to))
				}
				anew = append(anew, storage.Resealed{SealedRow: row, New: sealed})
			}
			_, err := s.Store.Reseal(ctx, t, anew)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each hands over the rows of a table that are sealed under a data key, "" any, batch by batch.
func (s *Sealer) each(ctx context.Context, t storage.SealedTable, under string, do func([]storage.SealedRow) error) error {
	for q := (storage.SealedQuery{Under: under, Limit: sealBatch}); ; {
		rows, err := s.Store.SealedRows(ctx, t, q)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := do(rows); err != nil {
			return err
		}
		q.After = &rows[len(rows)-1]
	}
}

// check opens every row, and counts those that do not open though their data key is there.
func (s *Sealer) check(ctx context.Context, vault *storage.Vault) error {
	broken := map[string]int64{}
	for _, t := range storage.SealedTables() {
		err := s.each(ctx, t, "", func(rows []storage.SealedRow) error {
			for _, row := range rows {
				if _, err := vault.Open(row.Sealed, t.Bind(row.Values)); errors.Is(err, storage.ErrSealBroken) && vault.Closed(row.DataKeyID) == nil {
					broken[t.Name]++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken, s.checked = broken, s.Now()
	return nil
}

// Unopenable is a number of rows that cannot be opened.
type Unopenable struct {
	Table   string `json:"table"`
	DataKey string `json:"data_key,omitempty" doc:"Where it is the data key that does not open"`
	Rows    int64  `json:"rows"`
	Reason  string `json:"reason"`
}

// Unopenable says what cannot be opened: all under data keys that do not unwrap, as it stands, and
// single rows, as they stood at the last check.
func (s *Sealer) Unopenable(ctx context.Context) ([]Unopenable, error) {
	counts, err := s.Store.SealedCounts(ctx)
	if err != nil {
		return nil, err
	}
	out := []Unopenable{}
	if len(counts) == 0 {
		return out, nil
	}
	vault, err := s.Vault.Current(ctx)
	for _, c := range counts {
		why := err // there is no master key at all
		if vault != nil {
			why = vault.Closed(c.DataKeyID)
		}
		if why != nil {
			out = append(out, Unopenable{Table: c.Table, DataKey: c.DataKeyID, Rows: c.Rows, Reason: why.Error()})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range storage.SealedTables() {
		if n := s.broken[t.Name]; n > 0 {
			out = append(out, Unopenable{Table: t.Name, Rows: n, Reason: storage.ErrSealBroken.Error()})
		}
	}
	return out, nil
}
