package journal

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// What a dead process left is shipped by the next one: what was settled as it is, what was open
// as lost.
func TestShip_AdoptsDeadRuns(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	var ids []attempt
	var lost []attempt
	for range 3 {
		j := open(t, quickOptions(dir))
		for range 700 {
			id := newID()
			appendAll(t, j, opened(id), settled(id))
			ids = append(ids, attempt{id, 1})
		}
		id := newID()
		appendAll(t, j, opened(id))
		lost = append(lost, attempt{id, 1})
		abandon(j)
	}
	ledger.fail = func([]storage.Entry) error { return errors.New("away") }
	var took, synced atomic.Int64
	options := quickOptions(dir)
	options.Sync = SyncAlways
	options.Took = func(n int) { took.Add(int64(n)) }
	options.Synced = func(time.Duration) { synced.Add(1) }
	j := open(t, options)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Ship(ctx, ledger) })
	until(t, "adoption", func() bool { return j.Lag() == 2103 })
	ledger.failWith(nil)
	until(t, "an empty journal", func() bool { return len(folders(t, dir)) == 1 })
	stop()
	wg.Wait()
	mustHave(t, ledger, ids)
	appendAll(t, j, opened(newID()))
	if bytes, failing := j.Stands(); took.Load() != 2103 || synced.Load() == 0 || bytes == 0 || failing {
		t.Errorf("took %d, %d fsyncs, %d bytes, failing: %t", took.Load(), synced.Load(), bytes, failing)
	}
	for _, of := range lost {
		if row := ledger.rows[of]; row.State != storage.EntryLost || row.Outcome != storage.OutcomeLost || !row.Estimated ||
			row.Lines[0].InputUncached != 100 || row.Lines[0].Output != 4096 {
			t.Errorf("lost: %+v", row)
		}
	}
	if len(ledger.rows) != len(ids)+len(lost) || ledger.again != 0 || j.Lag() != 0 {
		t.Errorf("%d rows, %d twice, lag %d", len(ledger.rows), ledger.again, j.Lag())
	}
}

// A process that lives is left alone, and one that dies while others run is taken over.
func TestShip_LeavesTheLivingAlone(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	first, second := open(t, quickOptions(dir)), open(t, quickOptions(dir))
	id := newID()
	appendAll(t, first, settled(id))
	flush(t, second, ledger)
	if n, err := Adopt(t.Context(), dir, ledger, nil); n != 0 || err != nil || len(ledger.rows) != 0 {
		t.Fatalf("a living one's records were taken: %d, %v", n, err)
	}
	abandon(first)
	flush(t, second, ledger)
	mustHave(t, ledger, []attempt{{id, 1}})
	if len(folders(t, dir)) != 1 {
		t.Errorf("left: %v", folders(t, dir))
	}
}

// Where the ledger fails, Adopt says so and leaves the rest where it is, for the next to go on
// from there.
func TestAdopt_GoesOn(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	j := open(t, quickOptions(dir))
	o, err := Options{}.filled()
	if err != nil {
		t.Fatal(err)
	}
	all := 2*o.Batch + 700
	for range all {
		appendAll(t, j, settled(newID()))
	}
	abandon(j)
	writes := 0
	ledger.fail = func([]storage.Entry) error {
		if writes++; writes > 2 {
			return errors.New("away")
		}
		return nil
	}
	if n, err := Adopt(t.Context(), dir, ledger, nil); n != 2*o.Batch || err == nil {
		t.Errorf("adopted %d, %v", n, err)
	}
	ledger.fail = nil
	if n, err := Adopt(t.Context(), dir, ledger, nil); n != 700 || err != nil {
		t.Errorf("adopted %d, %v", n, err)
	}
	if len(ledger.rows) != all || ledger.again != 0 || len(folders(t, dir)) != 0 {
		t.Errorf("%d rows, %d twice; left: %v", len(ledger.rows), ledger.again, folders(t, dir))
	}
}

// AdoptAll goes on for as long as the ledger fails, or until its context ends.
func TestAdoptAll(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	j := open(t, quickOptions(dir))
	appendAll(t, j, settled(newID()), settled(newID()))
	abandon(j)
	o := quickOptions(dir)
	ctx, stop := context.WithCancel(t.Context())
	writes := 0
	ledger.fail = func([]storage.Entry) error {
		if writes++; writes == 3 {
			stop()
		}
		return errors.New("away")
	}
	if n, err := AdoptAll(ctx, o, ledger); n != 0 || err == nil || writes != 3 || len(folders(t, dir)) != 1 {
		t.Errorf("adopted %d in %d tries, %v", n, writes, err)
	}
	ledger.fail = func([]storage.Entry) error {
		if writes++; writes < 7 {
			return errors.New("away")
		}
		return nil
	}
	if n, err := AdoptAll(t.Context(), o, ledger); n != 2 || err != nil || len(folders(t, dir)) != 0 {
		t.Errorf("adopted %d, %v", n, err)
	}
}

func TestAdopt_NothingThere(t *testing.T) {
	if n, err := Adopt(t.Context(), filepath.Join(t.TempDir(), "none"), newShelf(), nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// Damage costs what it touches, and is counted; a position that is damaged costs nothing.
func TestAdopt_Damaged(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	j := open(t, quickOptions(dir))
	for range 30 {
		appendAll(t, j, settled(newID()))
	}
	abandon(j)
	path := j.run.segment(1)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.TrimRight(b, "\x00") // what was made ready for more
	b[len(b)/2] ^= 1
	b = b[:len(b)-5]
	if err := errors.Join(os.WriteFile(path, b, 0o600), os.WriteFile(filepath.Join(j.run.dir, positionName), []byte("twenty bytes of what"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var lost int
	o := quickOptions(dir)
	o.Lost = func(n int) { lost += n }
	next := open(t, o)
	flush(t, next, ledger)
	if len(ledger.rows) != 28 || lost != 1 || next.Lag() != 0 || len(folders(t, dir)) != 1 {
		t.Errorf("%d rows, %d lost, lag %d, left: %v", len(ledger.rows), lost, next.Lag(), folders(t, dir))
	}
}

// A folder with what only a newer release knows is left to it, and holds up nobody.
func TestAdopt_NewerRelease(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	j := open(t, quickOptions(dir))
	appendAll(t, j, settled(newID()))
	abandon(j)
	if err := os.WriteFile(filepath.Join(j.run.dir, "00000009.seg2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	next := open(t, quickOptions(dir))
	appendAll(t, next, settled(newID()))
	flush(t, next, ledger)
	if len(ledger.rows) != 1 || len(folders(t, dir)) != 2 {
		t.Errorf("%d rows, left: %v", len(ledger.rows), folders(t, dir))
	}
}

// A segment that somebody removed holds up nobody.
func TestShip_SegmentRemovedByHand(t *testing.T) {
	o := quickOptions(t.TempDir())
	o.bytes = 2 << 10
	j, ledger := open(t, o), newShelf()
	for range 30 {
		appendAll(t, j, settled(newID()))
	}
	if err := os.Remove(j.run.segment(j.written(nil)[1].seq)); err != nil {
		t.Fatal(err)
	}
	flush(t, j, ledger)
	if n := len(ledger.rows); n < 20 || n >= 30 || j.Lag() != 0 {
		t.Errorf("%d rows, lag %d", n, j.Lag())
	}
}

// Whoever has to know what a dead process had under way is told: what was open, what was settled,
// and what it had shipped itself just before.
func TestAdopt_Tells(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	o := quickOptions(dir)
	o.Adopted = func(left []storage.Entry) error { t.Errorf("the living: %d entries", len(left)); return nil }
	j := open(t, o)
	shipped, owed, under := newID(), newID(), newID()
	appendAll(t, j, opened(shipped), settled(shipped))
	flush(t, j, ledger)
	appendAll(t, j, opened(owed), opened(under), settled(owed))
	abandon(j)
	told := map[uuid.UUID]storage.EntryState{}
	var refuses error
	adopted := func(left []storage.Entry) error {
		for i := range left {
			e := &left[i]
			if _, ok := ledger.rows[attempt{e.RequestID, e.Attempt}]; !ok {
				t.Errorf("told of %s before the ledger has it", e.RequestID)
			}
			told[e.RequestID] = e.State
		}
		return refuses
	}
	ledger.fail = func([]storage.Entry) error { return errors.New("away") }
	if _, err := Adopt(t.Context(), dir, ledger, adopted); err == nil || len(told) != 0 {
		t.Errorf("%v; told of %v", err, told)
	}
	ledger.fail = nil
	refuses = errors.New("away")
	if _, err := Adopt(t.Context(), dir, ledger, adopted); err != nil || len(folders(t, dir)) != 1 {
		t.Fatalf("%v; left: %v, where nobody has taken what it has", err, folders(t, dir))
	}
	clear(told)
	refuses = nil
	if _, err := Adopt(t.Context(), dir, ledger, adopted); err != nil || len(folders(t, dir)) != 0 {
		t.Fatalf("%v; left: %v", err, folders(t, dir))
	}
	want := map[uuid.UUID]storage.EntryState{shipped: storage.EntrySettled, owed: storage.EntrySettled, under: storage.EntryLost}
	if !maps.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
}
