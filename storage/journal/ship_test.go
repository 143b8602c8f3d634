package journal

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Writes keep their distance, and what comes after a pause waits for little.
func TestShipper_gathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shipper{o: Options{Wait: 500 * time.Millisecond}}
		f := func(after, want time.Duration) {
			t.Helper()
			time.Sleep(after) // moves the bubble's clock
			if d := s.gathers(); d != want {
				t.Errorf("an entry waits for %s, want %s", d, want)
			}
		}
		f(0, 20*time.Millisecond) // nothing was written yet
		s.wrote = time.Now()
		f(0, 500*time.Millisecond)
		f(300*time.Millisecond, 200*time.Millisecond)
		f(time.Hour, 20*time.Millisecond)
	})
}

// What comes during a write waits for the next one, so that it is not written alone.
func TestJournal_ShipsInTurn(t *testing.T) {
	t.Parallel()
	o := quickOptions(t.TempDir())
	o.Wait = 10 * time.Second
	j := open(t, o)
	some := func() {
		for range 10 {
			id := newID()
			appendAll(t, j, opened(id), settled(id))
		}
	}
	ledger := newShelf()
	ledger.fail = func([]storage.Entry) error {
		some() // while the ledger is written to
		return nil
	}
	some()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- j.Ship(ctx, ledger) }()
	ledger.until(t, "the first write", func() bool { return ledger.count(storage.EntrySettled) == 10 })
	ledger.failWith(nil)
	some()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	flush(t, j, ledger)
	if n := ledger.count(storage.EntrySettled); n != 30 || ledger.writes != 2 || ledger.biggest != 20 {
		t.Errorf("%d entries in %d writes, the largest of %d; want 30, 2, 20", n, ledger.writes, ledger.biggest)
	}
}

type nowhere struct{}

func (nowhere) Write(context.Context, []storage.Entry) error { return nil }

// BenchmarkShip reads pairs from the files and hands the settled ones over, a row an operation.
func BenchmarkShip(b *testing.B) {
	j := open(b, Options{Dir: b.TempDir(), Sync: SyncNever})
	b.ReportAllocs()
	const chunk = 10_000
	var used time.Duration
	for done := 0; done < b.N; {
		n := min(chunk, b.N-done)
		b.StopTimer()
		for range n {
			id := newID()
			if j.Append(opened(id)) != nil || j.Append(settled(id)) != nil {
				b.Fatal("refused")
			}
		}
		b.StartTimer()
		before := processTime(b)
		if err := j.Flush(b.Context(), nowhere{}); err != nil {
			b.Fatal(err)
		}
		used += processTime(b) - before
		done += n
	}
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
	if j.Lag() != 0 {
		b.Fatalf("lag %d", j.Lag())
	}
}
