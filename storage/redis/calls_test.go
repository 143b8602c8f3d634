package redis

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestCalls_ShareTrips(t *testing.T) {
	const callers, rounds = 200, 50
	var away, most, sent, answered atomic.Int64
	q := calls{}
	q.send = func(batch []*call) {
		if n := away.Add(1); n > most.Load() {
			most.Store(n)
		}
		sent.Add(1)
		for _, c := range batch {
			c.reply, c.answered = c.keys[0], true
		}
		away.Add(-1)
		if len(batch) > passenger {
			t.Errorf("%d in one trip", len(batch))
		}
	}
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for n := range rounds {
				c := &call{keys: []string{strconv.Itoa(i*rounds + n)}}
				ctx, cancel := context.WithCancel(t.Context())
				if i%10 == 0 && n%3 == 0 {
					cancel() // its client has left
				}
				switch err := q.do(ctx, c); {
				case err == nil && c.reply != c.keys[0]:
					t.Errorf("the answer of another: %v", c.reply)
				case err == nil:
					answered.Add(1)
				case !errors.Is(err, context.Canceled):
					t.Error(err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if most.Load() > trips || q.away != 0 || len(q.waiting) != 0 {
		t.Errorf("%d trips at once, then %d away and %d waiting", most.Load(), q.away, len(q.waiting))
	}
	if n := answered.Load(); n < callers*rounds*9/10 {
		t.Errorf("%d answered", n)
	}
	t.Logf("%d calls in %d trips", answered.Load(), sent.Load())
}

// Who waits while trips hang is answered as soon as one comes back, whoever was first has left.
func TestCalls_TurnsPassThoseWhoLeft(t *testing.T) {
	hang, inside := make(chan struct{}), make(chan struct{}, trips)
	first := true
	var mu sync.Mutex
	q := calls{}
	q.send = func(batch []*call) {
		mu.Lock()
		wait := first
		mu.Unlock()
		if wait {
			inside <- struct{}{}
			<-hang
		}
		for _, c := range batch {
			c.reply = true
		}
	}
	var all sync.WaitGroup
	for range trips {
		all.Go(func() {
			if err := q.do(t.Context(), &call{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range trips {
		<-inside
	}
	mu.Lock()
	first = false
	mu.Unlock()
	ctx, leave := context.WithCancel(t.Context())
	var left, stayed sync.WaitGroup
	for i := range 20 {
		if i < 10 {
			left.Go(func() { _ = q.do(ctx, &call{}) })
		} else {
			stayed.Go(func() {
				if err := q.do(t.Context(), &call{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	leave()
	left.Wait()
	close(hang)
	stayed.Wait()
	all.Wait()
	if q.away != 0 || len(q.waiting) != 0 {
		t.Errorf("%d away and %d waiting", q.away, len(q.waiting))
	}
}

// In a crowd calls wait for the trips that are under way, and then go together.
func TestCalls_TripsApart(t *testing.T) {
	const callers = 20
	inside, back := make(chan int), make(chan struct{})
	q := calls{apart: time.Hour}
	q.send = func(batch []*call) {
		inside <- len(batch)
		<-back
	}
	state := func() (away, waiting int) {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.away, len(q.waiting)
	}
	var all sync.WaitGroup
	come := func() {
		all.Go(func() {
			if err := q.do(t.Context(), &call{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range trips {
		come()
		if n := <-inside; n != 1 {
			t.Errorf("%d calls in one of the first trips", n)
		}
	}
	for range callers {
		come()
	}
	for _, waiting := state(); waiting < callers; _, waiting = state() {
		runtime.Gosched()
	}
	for left := trips - 1; left >= 0; left-- {
		back <- struct{}{}
		for away, _ := state(); left > 0 && away != left; away, _ = state() {
			select {
			case <-inside:
				t.Fatal("a trip left early")
			default:
				runtime.Gosched()
			}
		}
	}
	if n := <-inside; n != callers {
		t.Errorf("%d calls in the next trip", n)
	}
	back <- struct{}{}
	all.Wait()
	if q.away != 0 {
		t.Errorf("%d trips are away", q.away)
	}
}
