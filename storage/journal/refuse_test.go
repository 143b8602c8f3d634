package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

func poisoned(e *storage.Entry) bool { return e.EndUser == "poison" }

func poison() *storage.Entry {
	e := settled(newID())
	e.EndUser = "poison"
	return e
}

// refuses fails a write that holds a poisoned entry.
func refuses(err error) func([]storage.Entry) error {
	return func(entries []storage.Entry) error {
		for i := range entries {
			if poisoned(&entries[i]) {
				return err
			}
		}
		return nil
	}
}

func refusedEntries(t *testing.T, dir string) (all []refusal) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, refusedName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r refusal
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// An entry that the ledger never takes holds up none of the others, and is kept in a file.
func TestShip_Refused(t *testing.T) {
	f := func(what string, why error) {
		t.Helper()
		var lost atomic.Int64
		o, shelf := quickOptions(t.TempDir()), newShelf()
		o.Lost = func(n int) { lost.Add(int64(n)) }
		shelf.fail = refuses(why)
		j := open(t, o)
		var ids []attempt
		bad := []*storage.Entry{poison(), poison()}
		appendAll(t, j, bad[0])
		for i := range 1200 {
			e := settled(newID())
			ids = append(ids, attempt{e.RequestID, 1})
			appendAll(t, j, e)
			if i == 700 {
				appendAll(t, j, bad[1])
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = j.Ship(ctx, shelf) })
		until(t, what, func() bool { // an entry is only blamed while others get through
			if lost.Load() < 2 {
				e := settled(newID())
				ids = append(ids, attempt{e.RequestID, 1})
				appendAll(t, j, e)
			}
			return lost.Load() == 2 && j.Lag() == 0
		})
		stop()
		wg.Wait()
		mustHave(t, shelf, ids)
		got := refusedEntries(t, o.Dir)
		if len(got) != 2 || got[0].RequestID != bad[0].RequestID || got[1].RequestID != bad[1].RequestID || got[0].Error != why.Error() {
			t.Fatalf("%s: refused %+v", what, got)
		}
		var e storage.Entry
		if err := e.Parse(got[0].Entry); err != nil || !reflect.DeepEqual(e, *bad[0]) {
			t.Errorf("%s: kept %+v, %v", what, e, err)
		}
	}
	f("unsure", errors.New("value out of range"))
	f("sure", fmt.Errorf("%w: out of range", ledger.ErrEntry))
}

// The ledger's own trouble is no entry's fault, however long it lasts.
func TestShip_RefusesNothingInTrouble(t *testing.T) {
	f := func(what string, fail func([]storage.Entry) error) {
		t.Helper()
		o, shelf := quickOptions(t.TempDir()), newShelf()
		shelf.fail = fail
		j := open(t, o)
		for range 300 {
			appendAll(t, j, settled(newID()))
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = j.Ship(ctx, shelf) })
		until(t, "many tries", func() bool {
			shelf.mu.Lock()
			defer shelf.mu.Unlock()
			return shelf.writes > 200 || len(shelf.rows) == 300
		})
		shelf.failWith(nil)
		until(t, "all shipped", func() bool { return j.Lag() == 0 })
		stop()
		wg.Wait()
		if len(shelf.rows) != 300 || len(refusedEntries(t, o.Dir)) != 0 {
			t.Errorf("%s: %d rows, %d refused", what, len(shelf.rows), len(refusedEntries(t, o.Dir)))
		}
	}
	f("away", func([]storage.Entry) error { return storage.ErrLedgerUnavailable })
	f("out of order", func([]storage.Entry) error { return errors.New("no such table") })
	now := 0
	f("one in three", func([]storage.Entry) error {
		if now++; now%3 != 0 {
			return context.DeadlineExceeded
		}
		return nil
	})
}

// A poisoned entry that is alone waits for others to be held against. It is not lost meanwhile.
func TestShip_PoisonAlone(t *testing.T) {
	o, shelf := quickOptions(t.TempDir()), newShelf()
	shelf.fail = refuses(errors.New("never"))
	j := open(t, o)
	appendAll(t, j, poison())
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Ship(ctx, shelf) })
	until(t, "many tries", func() bool {
		shelf.mu.Lock()
		defer shelf.mu.Unlock()
		return shelf.writes > 50
	})
	stop()
	wg.Wait()
	if j.Lag() != 1 || len(refusedEntries(t, o.Dir)) != 0 {
		t.Errorf("lag %d", j.Lag())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	shelf.fail = nil
	if n, err := Adopt(t.Context(), o.Dir, shelf, nil); n != 1 || err != nil {
		t.Errorf("adopted %d, %v", n, err)
	}
}
