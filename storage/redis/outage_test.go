package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// books are a ledger: it has what was settled some settlements later.
type books struct {
	mu      sync.Mutex
	total   int64
	shipped []policy.Amount
	owed    []policy.Amount
	down    bool
	reads   int
}

const booksLag = 40

func (b *books) add(a *policy.Ask, units int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total += units
	b.owed = append(b.owed, policy.Amount{At: a.Now, Units: units, Lease: a.Lease})
	if n := len(b.owed) - booksLag; n > 0 {
		b.shipped = append(b.shipped, b.owed[:n]...)
		b.owed = b.owed[n:]
	}
}

// history names no attempt that began before a time, as a ledger of sums does.
func (b *books) history(_ context.Context, _ *policy.BudgetAsk, _, named time.Time) ([]policy.Amount, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	if b.down {
		return nil, errors.New("the ledger is away")
	}
	told := slices.Clone(b.shipped)
	for i := range told {
		if told[i].At.Before(named) {
			told[i].Lease = ""
		}
	}
	return told, nil
}

func (b *books) sums(ctx context.Context, ask *policy.BudgetAsk, since time.Time) ([]policy.Amount, error) {
	return b.history(ctx, ask, since, time.Now())
}

func (b *books) sum() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total
}

// traffic is many callers at once.
type traffic struct {
	t        *testing.T
	counters policy.Counters
	books    *books
	limit    int64

	leases, settled, degraded, denied, refused atomic.Int64

	mu    sync.Mutex
	waits []time.Duration
}

func (r *traffic) ask() *policy.Ask {
	return &policy.Ask{
		Lease: fmt.Sprintf("0198f2b4-0000-7000-8000-%012d/1", r.leases.Add(1)), Now: time.Now(), Alive: 20 * time.Second,
		Output: 50, Least: 50,
		Rates: []policy.RateAsk{
			{Counter: "rate:{w}key/a:requests", Interval: time.Microsecond, Burst: 1_000_000, Cost: 1},
			{Counter: "rate:{*}all:tokens", Interval: time.Microsecond, Burst: 1_000_000, Cost: 20},
		},
		Slots: []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 1000}},
		Budgets: []policy.BudgetAsk{
			{Counter: "budget:{w}key/a:usd:total", Limit: r.limit, Fixed: 10, PerMillion: 1_000_000},
			{Counter: "budget:{*}all:usd:rolling", Limit: r.limit, Fixed: 10, PerMillion: 1_000_000, Window: policy.Window{Rolling: 24 * time.Hour}},
		},
	}
}

// call is one caller's call.
func (r *traffic) call(i int) {
	a := r.ask()
	start := time.Now()
	v, err := r.counters.Take(r.t.Context(), a)
	r.mu.Lock()
	r.waits = append(r.waits, time.Since(start))
	r.mu.Unlock()
	switch {
	case err != nil:
		if !errors.Is(err, policy.ErrNoCounters) && !errors.Is(err, ErrDown) && !errors.Is(err, ErrUnknown) {
			r.t.Errorf("Take() = %v", err)
		}
		r.denied.Add(1)
		return
	case v.Grant == nil:
		r.refused.Add(1)
		return
	case v.Grant.Degraded:
		r.degraded.Add(1)
	}
	cost := int64(10 + i%50)
	s := policy.Spent{Rates: []int64{1, cost}, Budgets: []int64{cost, cost}}
	if i%2 == 0 {
		r.books.add(a, cost)
		r.counters.Settle(v.Grant, s)
	} else {
		r.counters.Settle(v.Grant, s)
		r.books.add(a, cost)
	}
	r.settled.Add(1)
}

// run has callers call, each once in a millisecond, until it is told to stop.
func (r *traffic) run(callers int) (stop func()) {
	var all sync.WaitGroup
	done := make(chan struct{})
	for n := range callers {
		all.Go(func() {
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for i := n; ; i++ {
				select {
				case <-done:
					return
				case <-pace.C:
					r.call(i)
				}
			}
		})
	}
	return func() { close(done); all.Wait() }
}

// reach waits until a count has grown by so many.
func (r *traffic) reach(count *atomic.Int64, more int64) {
	r.t.Helper()
	goal := count.Load() + more
	until(r.t, func() bool { return count.Load() >= goal })
}

// until polls for what other goroutines and processes bring about.
func until(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("it does not come about")
		}
	}
}

// converge waits until budgets stand as the books have it.
func (r *traffic) converge(c *Counters) {
	r.t.Helper()
	a := r.ask()
	for i := range a.Budgets {
		var got policy.BudgetState
		var err error
		want := policy.BudgetState{Spent: r.books.sum()}
		ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
		defer cancel()
		for again := time.NewTicker(10 * time.Millisecond); got != want; <-again.C {
			if ctx.Err() != nil {
				r.t.Fatalf("%s: %+v, want %+v: %v", a.Budgets[i].Counter, got, want, err)
			}
			if err := c.Flush(ctx); err != nil {
				r.t.Fatal(err)
			}
			got, err = policy.StateOf(ctx, c, &a.Budgets[i])
		}
	}
}

func (r *traffic) report() {
	slices.Sort(r.waits)
	n := len(r.waits)
	r.t.Logf("%d settled, of them %d degraded; %d denied, %d refused; waits p50 %s p99 %s p99.9 %s max %s",
		r.settled.Load(), r.degraded.Load(), r.denied.Load(), r.refused.Load(),
		r.waits[n/2], r.waits[n*99/100], r.waits[n*999/1000], r.waits[n-1])
}

// Redis is frozen, thawed, killed and comes back empty, under load.
func TestOutage(t *testing.T) {
	f := func(mode policy.Outage) {
		t.Helper()
		t.Run(string(mode), func(t *testing.T) {
			server := storagetest.OwnRedis(t)
			ledger := &books{}
			w := &witness{}
			c := open(t, Options{
				URL: storage.NewSecret(server.URL()), Timeout: 50 * time.Millisecond, History: ledger.history, Log: slog.New(w),
			})
			w.watch(c)
			r := &traffic{t: t, books: ledger, limit: 1 << 50}
			r.counters = policy.NewFallbackCounters(policy.FallbackOptions{Shared: w, Rates: mode, Budgets: mode, History: ledger.sums})
			meanwhile := &r.degraded
			if mode == policy.OutageDeny {
				meanwhile = &r.denied
			}
			stop := r.run(8)
			for range rounds(2) {
				r.reach(&r.settled, 200)
				server.Freeze()
				r.reach(meanwhile, 200)
				server.Thaw()
				until(t, c.Up)
				r.reach(&r.settled, 200)
				server.Kill()
				r.reach(meanwhile, 200)
				server.Start()
				until(t, c.Up)
			}
			r.reach(&r.settled, 200)
			stop()
			r.converge(c)
			r.report()
			if r.refused.Load() > 0 {
				t.Errorf("%d refused of limits that are far", r.refused.Load())
			}
			if d := c.Backlog().Dropped; d > 0 {
				t.Errorf("%d settlements dropped", d)
			}
			w.verify(t)
		})
	}
	f(policy.OutageLocal)
	f(policy.OutageAllow)
	f(policy.OutageDeny)
}

// rounds is how often something is done: ten times as often where it is to be proved.
func rounds(n int) int {
	if os.Getenv("AISTRALE_PROVE") != "" {
		return 10 * n
	}
	return n
}
