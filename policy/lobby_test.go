package policy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// countedTakes counts how often the counters are asked, and tells what they grant.
type countedTakes struct {
	Counters
	takes   atomic.Int64
	granted func(lease string)
	after   func() // each; nil: nothing
}

func (c *countedTakes) Take(ctx context.Context, a *Ask) (Verdict, error) {
	c.takes.Add(1)
	v, err := c.Counters.Take(ctx, a)
	if v.Grant != nil && a.Lease != "" {
		c.granted(a.Lease)
	}
	if c.after != nil {
		c.after()
	}
	return v, err
}

// lobby is a queue before a meter, in a bubble of time.
type lobby struct {
	t *testing.T
	*Queue
	counters countedTakes
	began    time.Time
	patience Patience

	mu  sync.Mutex
	log []string
	all sync.WaitGroup
}

func inLobby(t *testing.T, patience Patience, f func(l *lobby)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lobby{t: t, began: time.Now(), patience: patience}
		l.counters.Counters, l.counters.granted = NewMeter(MeterOptions{}), l.note
		l.Queue = NewQueue(&l.counters, 0)
		f(l)
		l.all.Wait()
		if n := l.Waiting(); n != 0 || len(l.lines) != 0 || len(l.each) != 0 {
			t.Errorf("%d wait still, in %d lines, of %d keys", n, len(l.lines), len(l.each))
		}
	})
}

// note adds a word with the time to the log: "A0@2s", "A1:refused@2s". A grant is noted while its
// call has the turn: two that come back at the same time stand in the queue's order.
func (l *lobby) note(word string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, fmt.Sprintf("%s@%s", word, time.Since(l.began)))
}

// call waits in a goroutine of its own. It returns when the call stands where it has to wait.
func (l *lobby) call(name string, a Ask, change func(*Patience)) {
	p := l.patience
	p.Key = name[:1]
	if change != nil {
		change(&p)
	}
	l.spawn(l.t.Context(), name, a, p)
}

func (l *lobby) spawn(ctx context.Context, name string, a Ask, p Patience) {
	a.Lease, a.Now = name, time.Now()
	if a.Alive == 0 {
		a.Alive = time.Hour
	}
	l.all.Go(func() {
		v, err := l.Wait(ctx, &a, p)
		switch {
		case err != nil:
			l.note(name + ":" + context.Cause(ctx).Error())
		case v.Grant == nil && (v.Fault(&a, "m") == nil || v.Refused.Kind == 0):
			l.note(name + ":refused without a word")
		case v.Grant == nil:
			l.note(name + ":refused")
		}
		if v.Grant != nil && len(a.Slots)+len(a.Budgets) > 0 {
			time.Sleep(time.Second) // the call's own work
			l.Settle(v.Grant, Spent{})
		}
	})
	synctest.Wait()
}

func (l *lobby) says(want ...string) {
	l.t.Helper()
	l.all.Wait()
	if !slices.Equal(l.log, want) {
		l.t.Errorf("got  %q\nwant %q", l.log, want)
	}
}

// second is a rate of one a second, one at once.
func second(cost int64) Ask {
	return Ask{Rates: []RateAsk{{Counter: "rate", Interval: time.Second, Burst: 10, Cost: cost}}}
}

func onlyOne() Ask {
	return Ask{Rates: []RateAsk{{Counter: "rate", Interval: time.Second, Burst: 1, Cost: 1}}}
}

func slotOf(limit int64) Ask { return Ask{Slots: []SlotAsk{{Counter: "slot", Limit: limit}}} }

func money(fixed, limit int64) Ask {
	return Ask{Budgets: []BudgetAsk{{Counter: "budget", Fixed: fixed, Limit: limit}}}
}

func patient() Patience { return Patience{MaxWait: time.Minute, MaxDepth: 100, Held: HeldWait} }
