package storagetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// Clock is the one that counters under test live by. It may run on by itself between two
// Advances, as a server's does: no case depends on less than some seconds.
type Clock interface {
	Now() time.Time
	Advance(d time.Duration)
}

// NewClock gives a Clock that stands still until it is advanced.
func NewClock() Clock { return &drivenClock{now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)} }

type drivenClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *drivenClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *drivenClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// flusher is a Counters that settles later: Flush returns when all has taken effect.
type flusher interface {
	Flush(ctx context.Context) error
}

// counting is one case's counters.
type counting struct {
	t *testing.T
	policy.Counters
	Clock
	leases int
}

// Counters tests an implementation. open gives empty counters and the clock that they live by.
func Counters(t *testing.T, open func(t *testing.T) (policy.Counters, Clock)) {
	f := func(name string, test func(c *counting)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			counters, clock := open(t)
			test(&counting{t: t, Counters: counters, Clock: clock})
		})
	}
	f("nothing asked", countersNothing)
	f("burst", countersBurst)
	f("refill", countersRefill)
	f("cost above the burst", countersNeverFits)
	f("rate corrected", countersRateCorrected)
	f("rate corrected after it was idle", countersRateIdle)
	f("daily rate", countersDaily)
	f("slots", countersSlots)
	f("all or nothing", countersAllOrNothing)
	f("longest wait", countersLongestWait)
	f("budget", countersBudget)
	f("clamp", countersClamp)
	f("least", countersLeast)
	f("big sums", countersBigSums)
	f("several budgets", countersSeveral)
	f("held", countersHeld)
	f("never fits", countersBudgetNever)
	f("spent more than reserved", countersOvershoot)
	f("settled once", countersOnce)
	f("settled without words", countersSilent)
	f("extend", countersExtend)
	f("extend all or nothing", countersExtendSeveral)
	f("sign of life", countersAlive)
	f("lease runs out", countersExpiry)
	f("late settlement", countersLate)
	f("windows apart", countersWindows)
	f("rolling", countersRolling)
	f("advisory", countersAdvisory)
	f("load", countersLoad)
	f("limit changed", countersLimitChanged)
	f("gauge", countersGauge)
	f("race for slots", countersRaceSlots)
	f("race for a rate", countersRaceRate)
	f("race for a budget", countersRaceBudget)
}

// ask makes an Ask with a lease of its own.
func (c *counting) ask() *policy.Ask {
	c.leases++
	return &policy.Ask{Lease: fmt.Sprintf("0198f2b4-0000-7000-8000-%012d/1", c.leases), Now: c.Now(), Alive: time.Hour}
}

func (c *counting) take(a *policy.Ask) policy.Verdict {
	c.t.Helper()
	v, err := c.Take(c.t.Context(), a)
	do(c.t, err)
	if v.Grant != nil && v.Grant.Ask != a {
		c.t.Fatal("a grant that does not hold its ask")
	}
	if (v.Grant == nil) != (v.Refused.Kind != 0) {
		c.t.Fatalf("neither granted nor refused, or both: %+v", v)
	}
	if len(v.Rates) != len(a.Rates) {
		c.t.Fatalf("%d states of %d rates", len(v.Rates), len(a.Rates))
	}
	return v
}

// granted takes what must be granted.
func (c *counting) granted(a *policy.Ask) *policy.Grant {
	c.t.Helper()
	v := c.take(a)
	if v.Grant == nil {
		c.t.Fatalf("refused: %+v", v.Refused)
	}
	return v.Grant
}

// refused takes what must be refused.
func (c *counting) refused(a *policy.Ask) policy.Refused {
	c.t.Helper()
	v := c.take(a)
	if v.Grant != nil {
		c.t.Fatalf("granted, with %d tokens of output", v.Grant.Output)
	}
	return v.Refused
}

// settle settles and waits for the effect.
func (c *counting) settle(g *policy.Grant, s policy.Spent) {
	c.t.Helper()
	c.Settle(g, s)
	c.flush()
}

func (c *counting) flush() {
	c.t.Helper()
	if f, ok := c.Counters.(flusher); ok {
		do(c.t, f.Flush(c.t.Context()))
	}
}

// stands holds a budget's state to what it must be.
func (c *counting) stands(b policy.BudgetAsk, spent, reserved int64) {
	c.t.Helper()
	got, err := policy.StateOf(c.t.Context(), c, &b)
	do(c.t, err)
	if want := (policy.BudgetState{Spent: spent, Reserved: reserved}); got != want {
		c.t.Fatalf("%s: %+v, want %+v", b.Counter, got, want)
	}
}

// waits holds a wait to what it must be; a clock that runs by itself may have made it shorter.
func (c *counting) waits(got, want time.Duration) {
	c.t.Helper()
	if got > want+time.Second || got < want-5*time.Second || want > 0 && got <= 0 {
		c.t.Fatalf("a wait of %s, want %s", got, want)
	}
}

// lasting is a budget without an end, at 1 unit for each token of output.
func lasting(limit, fixed int64) policy.BudgetAsk {
	return policy.BudgetAsk{Counter: "budget:{w}key/a:usd:total", Limit: limit, Fixed: fixed, PerMillion: 1_000_000}
}

// each runs f so many times at once and waits for all.
func each(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}
