package proxy

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// tally counts records and keeps none of them.
type tally struct{ seen, gone atomic.Int64 }

func (c *tally) Observe(rec *storage.Record) {
	if rec.Outcome == storage.OutcomeClientGone {
		c.gone.Add(1)
	}
	c.seen.Add(1)
}

// Streams that clients abandon leave nothing: no goroutine, descriptor, watch, upstream
// connection or body memory, and no more heap after many than after some.
func TestGateway_AbandonedStreamsLeaveNothing(t *testing.T) {
	rounds := 4
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds = 200 // of 50
	}
	seen := &tally{}
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole+eventHi), "<wait>")), func(o *Options, _ *Snapshot) { o.Observer = seen })
	half := takeStock(t, g, seen, rounds/2)
	end := takeStock(t, g, seen, rounds/2)
	t.Logf("%d streams; after half of them %+v, after all %+v", seen.seen.Load(), half, end)
	const slack = 4 << 20
	if end.heap > half.heap+slack {
		t.Errorf("the heap grew from %d to %d bytes", half.heap, end.heap)
	}
	if end.open > half.open+10 {
		t.Errorf("open descriptors grew from %d to %d", half.open, end.open)
	}
	if seen.gone.Load() != seen.seen.Load() {
		t.Errorf("%d of %d are recorded as abandoned", seen.gone.Load(), seen.seen.Load())
	}
}

type stock struct {
	heap uint64 // bytes in use
	open int    // descriptors, 0 where they cannot be counted
}

// takeStock runs rounds of 50 abandoned streams, waits until they are over and counts what is left.
func takeStock(t *testing.T, g *testGateway, seen *tally, rounds int) stock {
	t.Helper()
	want := seen.seen.Load()
	for range rounds {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { abandon(t, g) })
		}
		wg.Wait()
		want += 50
		until(t, "every request has its record", func() bool { return seen.seen.Load() == want })
	}
	until(t, "nobody is at work", func() bool { return g.OpenFlights() == 0 && g.server.http.GetOpenConnectionsCount() == 0 })
	until(t, "no goroutine serves a request", func() bool { return busy() == 0 })
	if open := upstreamConns(g); open != 0 {
		t.Errorf("%d upstream connections are open", open)
	}
	if left := g.memory.left.Load(); left != g.options.Limits.BodyMemory {
		t.Errorf("%d bytes of body memory were not given back", g.options.Limits.BodyMemory-left)
	}
	var m runtime.MemStats
	for range 3 { // pools let go of what they hold at the second collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fds = nil
	}
	return stock{m.HeapAlloc, len(fds)}
}
