package journal

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// powerCut leaves of the files under dir what a power cut does: all that was made durable, and
// of the rest any pages; the file's length may have got ahead of them. random nil leaves nothing
// of the rest.
func (d *faulty) powerCut(t *testing.T, dir string, random *rand.Rand) {
	t.Helper()
	for path, f := range d.files {
		now, err := os.ReadFile(path)
		if err != nil {
			continue // shipped and removed
		}
		left := slices.Clone(f.durable)
		if random != nil && len(now) > len(left) {
			left = append(left, make([]byte, random.IntN(len(now)-len(left)+1))...)
			for page := 0; page < len(left); page += pageSize {
				if end := min(page+pageSize, len(left)); random.IntN(2) == 0 {
					copy(left[page:end], now[page:end])
				}
			}
		}
		if err := os.WriteFile(path, left, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// life is one run of a journal under random appends, fsyncs and shipping, until the power fails.
type life struct {
	*testing.T
	random  *rand.Rand
	j       *Journal
	ledger  *shelf
	all     map[uuid.UUID]bool
	open    []uuid.UUID
	pending map[attempt]storage.EntryState // appended since the last fsync
	synced  map[attempt]storage.EntryState
	lost    int
}

func (l *life) append(e *storage.Entry) {
	l.all[e.RequestID] = true
	before := l.lost
	if l.j.Append(e) == nil && l.lost == before {
		l.pending[attempt{e.RequestID, e.Attempt}] = e.State
	}
}

func (l *life) step() {
	switch n := l.random.IntN(100); {
	case n < 45:
		id := newID()
		l.append(opened(id))
		l.open = append(l.open, id)
	case n < 90 && len(l.open) > 0:
		i := l.random.IntN(len(l.open))
		l.append(settled(l.open[i]))
		l.open = slices.Delete(l.open, i, i+1)
	case n < 96:
		before := l.pending
		l.pending = map[attempt]storage.EntryState{}
		if l.j.syncRound() == nil {
			for of, state := range before {
				l.synced[of] = max(l.synced[of], state)
			}
		} else {
			for of, state := range before {
				l.pending[of] = state
			}
		}
	case n < 98:
		_ = l.j.Flush(l.Context(), l.ledger)
	}
}

// The promise: what was made durable is in the ledger after a power cut, as far as it had come,
// and nothing is there that was not appended. fsync and writes fail now and then, too.
func TestPowerCut(t *testing.T) {
	rounds := 60
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds = 5000
	}
	for seed := range rounds {
		powerFails(t, uint64(seed))
	}
}

func powerFails(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	o, d := faultyOptions(t)
	o.Sync, o.Continue, o.bytes = SyncInterval, true, 8<<10
	o.pace.sync = 1 << 40 // the test says when
	l := &life{
		T: t, random: random, ledger: newShelf(), all: map[uuid.UUID]bool{},
		pending: map[attempt]storage.EntryState{}, synced: map[attempt]storage.EntryState{},
	}
	o.Lost = func(n int) { l.lost += n }
	l.j = open(t, o)
	failing := rand.New(rand.NewPCG(seed, 8))
	if seed%2 == 1 {
		d.set(func() {
			d.sync = func() error { return sometimes(failing, 10) }
			d.write = func(b []byte) (int, error) { return failing.IntN(len(b)), sometimes(failing, 100) }
		})
	}
	for range 20 + random.IntN(400) {
		l.step()
	}
	d.set(func() { d.sync, d.write = nil, nil })
	// No goroutine may write anything durable between here and the cut.
	l.j.mu.Lock()
	l.j.dirty = nil
	l.j.mu.Unlock()
	abandon(l.j)
	d.powerCut(t, o.Dir, random)
	for range 2 { // the second time there must be nothing left to do
		if _, err := Adopt(context.Background(), o.Dir, l.ledger, nil); err != nil {
			t.Fatal(err)
		}
	}
	l.check(seed)
	if left := folders(t, o.Dir); len(left) != 0 {
		t.Errorf("seed %d left %v", seed, left)
	}
}

func sometimes(random *rand.Rand, oneIn int) error {
	if random.IntN(oneIn) == 0 {
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (l *life) check(seed uint64) {
	l.Helper()
	for of, state := range l.synced {
		row, ok := l.ledger.rows[of]
		if !ok || state == storage.EntrySettled && row.State != storage.EntrySettled {
			l.Errorf("seed %d: %s was durable in state %d, the ledger has %d", seed, of.id, state, row.State)
		}
	}
	for of, row := range l.ledger.rows {
		want := settled(of.id)
		if row.State == storage.EntryLost {
			lost := opened(of.id).Lost()
			want = &lost
		}
		if !l.all[of.id] || row.CostNano != want.CostNano || row.Outcome != want.Outcome || len(row.Lines) != 1 || row.Lines[0] != want.Lines[0] {
			l.Errorf("seed %d: invented %+v", seed, row)
		}
	}
}
