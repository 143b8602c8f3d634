package redis

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func lessonBudget() policy.BudgetAsk {
	return policy.BudgetAsk{Counter: "budget:{w}key/a:usd:total", Limit: 1000, PerMillion: 1_000_000}
}

func lessonAsk(c *Counters, b policy.BudgetAsk, n int, output int64) *policy.Ask {
	return &policy.Ask{
		Lease: "x/" + strconv.Itoa(n), Now: c.now(), Alive: time.Minute, Output: output, Least: 1, Budgets: []policy.BudgetAsk{b},
	}
}

func stands(t *testing.T, c *Counters, b policy.BudgetAsk, spent, reserved int64) {
	t.Helper()
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := policy.StateOf(t.Context(), c, &b); err != nil || got.Spent != spent || got.Reserved != reserved {
		t.Errorf("%+v, %v; want %d spent and %d reserved", got, err, spent, reserved)
	}
}

// A budget that Redis knows nothing of is read from the ledger, by one node of all that ask.
func TestLesson_OneReads(t *testing.T) {
	url := storage.NewSecret(storagetest.Redis(t))
	var reads atomic.Int64
	history := func(context.Context, *policy.BudgetAsk, time.Time, time.Time) ([]policy.Amount, error) {
		reads.Add(1)
		return []policy.Amount{{At: time.Now().Add(-time.Hour), Units: 300}, {At: time.Now(), Units: 100, Lease: "y/1"}}, nil
	}
	b := lessonBudget()
	var nodes []*Counters
	for range 3 {
		nodes = append(nodes, open(t, Options{URL: url, History: history}))
	}
	each(20, func(i int) {
		v, err := nodes[i%3].Take(t.Context(), lessonAsk(nodes[i%3], b, i, 1000))
		if err != nil || v.Grant == nil && !v.Refused.Held || v.Grant != nil && v.Grant.Output != 600 {
			t.Errorf("%+v, %v", v.Grant, err)
		}
	})
	stands(t, nodes[0], b, 400, 600)
	if reads.Load() != 1 {
		t.Errorf("the ledger was read %d times", reads.Load())
	}
}

// While the ledger is away a budget is not known, what is settled meanwhile waits in Redis, and
// what the ledger has of it then is not counted twice.
func TestLesson_LedgerAway(t *testing.T) {
	ledger := &books{down: true}
	c := open(t, Options{History: ledger.history})
	b := lessonBudget()
	if _, err := c.Take(t.Context(), lessonAsk(c, b, 0, 10)); !errors.Is(err, ErrUnknown) {
		t.Fatalf("Take() = %v", err)
	}
	if _, err := policy.StateOf(t.Context(), c, &b); !errors.Is(err, ErrUnknown) {
		t.Fatalf("State() = %v", err)
	}
	for n := 1; n <= 4; n++ { // a stand-in granted them
		c.Settle(&policy.Grant{Ask: lessonAsk(c, b, n, 10), Output: 10, Degraded: true}, policy.Spent{Budgets: []int64{10}})
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledger.mu.Lock()
	ledger.down = false
	ledger.shipped = []policy.Amount{
		{At: time.Now(), Units: 10, Lease: "x/1"}, {At: time.Now(), Units: 10, Lease: "x/2"}, {At: time.Now(), Units: 500},
	}
	ledger.mu.Unlock()
	until(t, func() bool { _, err := policy.StateOf(t.Context(), c, &b); return err == nil })
	stands(t, c, b, 540, 0)
}

// Of a window that began after Redis was empty, Redis knows all.
func TestLesson_NewWindow(t *testing.T) {
	ledger := &books{}
	c := open(t, Options{History: ledger.history})
	stands(t, c, lessonBudget(), 0, 0)
	if ledger.reads != 1 {
		t.Fatalf("the ledger was read %d times for a budget without a beginning", ledger.reads)
	}
	c.shift.Add(3600)
	for n, start := range []time.Duration{-30 * time.Minute, -2 * time.Hour} {
		b := lessonBudget()
		b.Counter += strconv.Itoa(n)
		b.Window = policy.Window{Start: c.now().Add(start), End: c.now().Add(time.Hour)}
		if _, err := c.Take(t.Context(), lessonAsk(c, b, n, 10)); err != nil {
			t.Fatal(err)
		}
		if ledger.reads != 1+n {
			t.Errorf("window %d: the ledger was read %d times", n, ledger.reads)
		}
	}
}

// A budget that a reload brings was not counted before, whatever else Redis knows.
func TestLesson_NewBudget(t *testing.T) {
	ledger := &books{shipped: []policy.Amount{{At: time.Now(), Units: 700}}}
	c := open(t, Options{History: ledger.history})
	stands(t, c, lessonBudget(), 700, 0)
	c.shift.Add(3600)
	for n, window := range []policy.Window{{Start: c.now().Add(-time.Minute), End: c.now().Add(time.Hour)}, {Rolling: time.Minute}} {
		b := lessonBudget()
		b.Counter += strconv.Itoa(n)
		b.Window = window
		if _, err := c.Take(t.Context(), lessonAsk(c, b, n, 10)); err != nil || ledger.reads != 1+n {
			t.Fatalf("a budget that was there: the ledger was read %d times: %v", ledger.reads, err)
		}
		b.Counter += "new"
		b.Since = c.now()
		if _, err := c.Take(t.Context(), lessonAsk(c, b, 10+n, 10)); err != nil || ledger.reads != 2+n {
			t.Fatalf("a new one: the ledger was read %d times: %v", ledger.reads, err)
		}
	}
}

// Shares of a budget are told once, by whichever node came to them.
func TestThreshold_OnceOverNodes(t *testing.T) {
	url := storage.NewSecret(storagetest.Redis(t))
	told := make(chan policy.Threshold, 100)
	b := lessonBudget()
	b.Limit, b.Soft = 100_000, []int{50, 80, 100}
	var nodes []*Counters
	for range 3 {
		nodes = append(nodes, open(t, Options{URL: url, Threshold: func(th policy.Threshold) { told <- th }}))
	}
	each(30, func(i int) {
		c := nodes[i%3]
		v, err := c.Take(t.Context(), lessonAsk(c, b, i, 3000))
		if err != nil || v.Grant == nil {
			t.Errorf("%+v, %v", v, err)
			return
		}
		c.Settle(v.Grant, policy.Spent{Budgets: []int64{3000}})
	})
	for _, c := range nodes {
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	stands(t, nodes[0], b, 90_000, 0)
	close(told)
	var shares []int
	for th := range told {
		shares = append(shares, th.Share)
		if th.Spent < b.Limit*int64(th.Share)/100 || th.Limit != b.Limit || th.Counter != b.Counter {
			t.Errorf("%+v", th)
		}
	}
	if len(shares) != 2 || shares[0]+shares[1] != 130 {
		t.Errorf("told of %v, want 50 and 80", shares)
	}
}
