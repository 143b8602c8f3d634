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
