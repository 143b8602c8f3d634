package journal

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func fillUp(t *testing.T, j *Journal) (ids []attempt) {
	t.Helper()
	for range 1000 {
		until(t, "the next segment was asked for", func() bool {
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.spare != nil || j.trouble.err != nil
		})
		id := newID()
		if err := j.Append(opened(id)); err != nil {
			if !errors.Is(err, ErrUnavailable) || !errors.Is(err, storage.ErrLedgerUnavailable) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			return ids
		}
		appendAll(t, j, settled(id))
		ids = append(ids, attempt{id, 1})
	}
	t.Fatal("a full disk is never noticed")
	return nil
}

func mustHave(t *testing.T, l *shelf, ids []attempt) {
	t.Helper()
	for _, id := range ids {
		if l.rows[id].State != storage.EntrySettled {
			t.Errorf("%s is missing", id.id)
		}
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not reached", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// A full disk is noticed while what is under way still has room. Traffic resumes by itself.
func TestAppend_DiskFull(t *testing.T) {
	o, d := faultyOptions(t)
	var lost int
	o.Lost = func(n int) { lost += n }
	j, ledger := open(t, o), newShelf()
	under := newID()
	appendAll(t, j, opened(under))
	d.set(func() { d.create = func(int64) error { return syscall.ENOSPC } })
	ids := fillUp(t, j)
	id := newID() // settled beside an opened one that is refused
	if err := j.Append(settled(under), opened(id)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no error: %v", err)
	}
	d.set(func() { d.create = nil })
	until(t, "traffic", func() bool { return j.Append(opened(id)) == nil })
	appendAll(t, j, settled(id))
	flush(t, j, ledger)
	mustHave(t, ledger, append(ids, attempt{under, 1}, attempt{id, 1}))
	if lost != 0 || len(ledger.rows) != len(ids)+2 {
		t.Errorf("%d lost, %d rows of %d", lost, len(ledger.rows), len(ids)+2)
	}
	if err := j.Close(); err != nil || len(folders(t, o.Dir)) != 0 {
		t.Errorf("%v; left: %v", err, folders(t, o.Dir))
	}
}

// Where requests are to go on, records are kept while there is room, and then counted.
func TestAppend_DiskFullContinue(t *testing.T) {
	o, d := faultyOptions(t)
	var lost int
	o.Lost, o.Continue = func(n int) { lost += n }, true
	j, ledger := open(t, o), newShelf()
	d.set(func() { d.create = func(int64) error { return syscall.ENOSPC } })
	kept := 0
	for range 100 {
		if err := j.Append(settled(newID())); err != nil {
			t.Fatal(err)
		}
		if lost == 0 {
			kept++
		}
	}
	d.set(func() { d.create = nil })
	until(t, "room", func() bool { return !j.failing() })
	last := newID()
	appendAll(t, j, settled(last))
	flush(t, j, ledger)
	mustHave(t, ledger, []attempt{{last, 1}})
	if kept < 4 || len(ledger.rows)+lost != 101 {
		t.Errorf("%d kept before the first loss; %d rows, %d lost, of 101", kept, len(ledger.rows), lost)
	}
}

// A write that fails goes to the next segment. What it did leave is not taken for a record.
func TestAppend_WriteFails(t *testing.T) {
	o, d := faultyOptions(t)
	j, ledger := open(t, o), newShelf()
	first, refused := newID(), newID()
	appendAll(t, j, opened(first))
	d.set(func() { d.write = func(b []byte) (int, error) { return len(b) - 1, syscall.EIO } })
	if err := j.Append(opened(refused)); !errors.Is(err, ErrUnavailable) || !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	broken := 0
	d.set(func() {
		d.write = func(b []byte) (int, error) {
			if broken++; broken == 1 {
				return len(b) / 2, syscall.EIO
			}
			return 0, nil
		}
	})
	until(t, "the disk", func() bool { return !j.failing() })
	appendAll(t, j, settled(first))
	flush(t, j, ledger)
	abandon(j)
	if _, err := Adopt(t.Context(), o.Dir, ledger, nil); err != nil {
		t.Fatal(err)
	}
	mustHave(t, ledger, []attempt{{first, 1}})
	if len(ledger.rows) != 1 {
		t.Errorf("%d rows", len(ledger.rows))
	}
}

// A record that cannot be kept is counted, and said.
func TestAppend_Lost(t *testing.T) {
	f := func(goOn bool, wantLost int, wantErr bool) {
		t.Helper()
		o, d := faultyOptions(t)
		var lost int
		var said bytes.Buffer
		o.Lost, o.Continue, o.Log = func(n int) { lost += n }, goOn, slog.New(slog.NewTextHandler(&said, nil))
		j := open(t, o)
		d.set(func() { d.write = func([]byte) (int, error) { return 0, syscall.EIO } })
		err := errors.Join(j.Append(opened(newID())), j.Append(settled(newID())), j.Append(settled(newID()), opened(newID())))
		if lost != wantLost || (err != nil) != wantErr {
			t.Errorf("continue %t: %d lost, want %d; %v", goOn, lost, wantLost, err)
		}
		if err := j.Close(); err != nil || !strings.Contains(said.String(), "usage records are lost") {
			t.Errorf("continue %t: %v, said %s", goOn, err, &said)
		}
	}
	f(false, 2, true)
	f(true, 4, false)
}

// After a failed fsync the records are written anew to another file, and made durable there.
func TestAppend_SyncFailsOnce(t *testing.T) {
	o, d := faultyOptions(t)
	o.Sync = SyncAlways
	j := open(t, o)
	first, second := newID(), newID()
	appendAll(t, j, opened(first))
	failures := 0
	d.set(func() {
		d.sync = func() error {
			if failures++; failures == 1 {
				return syscall.EIO
			}
			return nil
		}
	})
	if err := j.Append(opened(second)); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(settled(first)); err != nil {
		t.Fatal(err)
	}
	abandon(j)
	d.powerCut(t, o.Dir, nil)
	ledger := newShelf()
	if _, err := Adopt(t.Context(), o.Dir, ledger, nil); err != nil {
		t.Fatal(err)
	}
	if ledger.rows[attempt{first, 1}].State != storage.EntrySettled || ledger.rows[attempt{second, 1}].State != storage.EntryLost || len(ledger.rows) != 2 {
		t.Errorf("got %+v", ledger.rows)
	}
}

// Where fsync goes on failing, what was to be opened is refused and charged to nobody; what is
// settled is in the page cache and shipped.
func TestAppend_SyncFails(t *testing.T) {
	o, d := faultyOptions(t)
	o.Sync = SyncAlways
	j := open(t, o)
	first, refused := newID(), newID()
	appendAll(t, j, opened(first))
	d.set(func() { d.sync = func() error { return syscall.EIO } })
	if err := j.Append(opened(refused)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	_ = j.Append(settled(first))
	abandon(j)
	ledger := newShelf()
	if _, err := Adopt(t.Context(), o.Dir, ledger, nil); err != nil {
		t.Fatal(err)
	}
	mustHave(t, ledger, []attempt{{first, 1}})
	if len(ledger.rows) != 1 {
		t.Errorf("%d rows", len(ledger.rows))
	}
}

// With fsync: always, one fsync covers all that wait for it.
func TestAppend_GroupCommit(t *testing.T) {
	o, d := faultyOptions(t)
	o.Sync, o.bytes = SyncAlways, 1<<20
	j := open(t, o)
	hold, held := make(chan struct{}), make(chan struct{}, 100)
	d.set(func() {
		d.sync = func() error {
			held <- struct{}{}
			<-hold
			return nil
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Append(opened(newID())) })
	<-held // the first one's fsync is under way, and holds the disk
	for range 50 {
		wg.Go(func() { _ = j.Append(opened(newID())) })
	}
	close(hold)
	wg.Wait()
	if d.syncs > 51 {
		t.Errorf("%d fsyncs", d.syncs)
	}
	ledger := newShelf()
	abandon(j)
	d.powerCut(t, o.Dir, nil)
	if _, err := Adopt(t.Context(), o.Dir, ledger, nil); err != nil || len(ledger.rows) != 51 {
		t.Errorf("%d rows, %v", len(ledger.rows), err)
	}
}

func TestAppend_Allocs(t *testing.T) {
	for _, policy := range []SyncPolicy{SyncInterval, SyncNever} {
		j := open(t, Options{Dir: t.TempDir(), Sync: policy})
		id := newID()
		a, b := opened(id), settled(id)
		if n := testing.AllocsPerRun(2000, func() {
			if j.Append(a) != nil || j.Append(b) != nil {
				t.Error("refused")
			}
		}); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations for a pair", policy, n)
		}
	}
}

// An operation is a pair, opened and settled.
func benchmarkAppend(b *testing.B, policy SyncPolicy) {
	j := open(b, Options{Dir: b.TempDir(), Sync: policy})
	ctx, stop := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.drop(ctx) })
	b.ReportAllocs()
	b.ResetTimer()
	before := processTime(b)
	b.RunParallel(func(pb *testing.PB) {
		id := newID()
		x, y := opened(id), settled(id)
		for pb.Next() {
			if j.Append(x) != nil || j.Append(y) != nil {
				b.Error("refused")
			}
		}
	})
	b.ReportMetric(float64(processTime(b)-before)/float64(b.N), "cpu-ns/op")
	stop()
	wg.Wait()
}

// processTime is what the process used of all cores: on a busy machine it says more than the
// clock.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// drop removes full segments unread, so that a benchmark of appending measures nothing else and
// fills no disk.
func (j *Journal) drop(ctx context.Context) error {
	for ctx.Err() == nil {
		j.mu.Lock()
		seq := j.lastSeq - 8
		j.mu.Unlock()
		if err := j.reap(seq, map[int]int{}); err != nil {
			return err
		}
		wait(ctx, 5*time.Millisecond)
	}
	return nil
}

func BenchmarkAppend(b *testing.B) {
	for _, policy := range []SyncPolicy{SyncInterval, SyncNever, SyncAlways} {
		b.Run(string(policy), func(b *testing.B) { benchmarkAppend(b, policy) })
	}
}
