package policy_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// A thousand callers, each trying until the budget is spent, on one that pays for 137 calls:
// never more is spent than the budget, and little of it is left.
func TestMeterThousandCallers(t *testing.T) {
	const callers, pays = 1000, 137
	const price = 1_000_000_000 // nano-USD for a million tokens, of input and output
	f := func(name string, uses func(g *rand.Rand, input, output int64) (in, out int64)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			const callCost = 300 * price / 1_000_000 // a usual call: 100 in, 200 out
			const limit = pays * callCost
			q := policy.NewQueue(policy.NewMeter(policy.MeterOptions{}), 0)
			b := policy.BudgetAsk{Counter: "budget:{w}key/a:usd:total", Limit: limit, PerMillion: price}
			var spent, calls, clamped atomic.Int64
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					g := rand.New(rand.NewPCG(uint64(i), 5))
					for n := 0; ; n++ {
						ask := b
						input := int64(100)
						ask.Fixed = 4 * input * price / 1_000_000 // each byte a token
						a := &policy.Ask{Lease: fmt.Sprint(i, n), Now: time.Now(), Alive: time.Hour, Budgets: []policy.BudgetAsk{ask}, Output: 400, Least: 1}
						v, err := q.Wait(context.Background(), a, policy.Patience{Key: fmt.Sprint(i % 7), Held: policy.HeldWait})
						switch {
						case err != nil:
							t.Error(err)
							return
						case v.Grant == nil && v.Refused.Held: // 429 rate_limit_exceeded: it tries again
							continue
						case v.Grant == nil:
							return // insufficient_quota
						}
						if v.Grant.Output < 400 {
							clamped.Add(1)
						}
						time.Sleep(time.Duration(50+g.IntN(500)) * time.Millisecond)
						in, out := uses(g, input, v.Grant.Output)
						cost := (in + out) * price / 1_000_000
						spent.Add(cost)
						calls.Add(1)
						q.Settle(v.Grant, policy.Spent{Budgets: []int64{cost}})
					}
				})
			}
			all.Wait()
			s, err := policy.StateOf(context.Background(), q, &b)
			if err != nil || s.Spent != spent.Load() || s.Reserved != 0 {
				t.Errorf("%s: %+v (%v), spent %d", name, s, err, spent.Load())
			}
			if s.Spent > limit || s.Spent < limit*95/100 {
				t.Errorf("%s: %d of %d spent", name, s.Spent, limit)
			}
			t.Logf("%s: %d calls, %d of them clamped, %.1f %% of the budget spent", name, calls.Load(), clamped.Load(), 100*float64(s.Spent)/float64(limit))
		})
	}
	f("as usual", func(_ *rand.Rand, input, output int64) (int64, int64) { return input, min(200, output) })
	f("little", func(g *rand.Rand, input, output int64) (int64, int64) { return input, min(g.Int64N(20), output) })
	f("all that was promised", func(_ *rand.Rand, input, output int64) (int64, int64) { return 4 * input, output })
	f("anything", func(g *rand.Rand, input, output int64) (int64, int64) {
		return g.Int64N(4*input + 1), g.Int64N(output + 1)
	})
}

// Each share is told of once, however many calls come to it at once, also by leases that run out.
func TestMeterThresholds(t *testing.T) {
	var mu sync.Mutex
	told := map[int]int{}
	clock := &moving{now: noon}
	m := policy.NewMeter(policy.MeterOptions{Leak: 1, Now: clock.Now, Threshold: func(e policy.Threshold) {
		mu.Lock()
		defer mu.Unlock()
		told[e.Share]++
		if e.Limit != 1000 || e.Spent < int64(e.Share)*10 || e.Counter != "b" {
			t.Errorf("%+v", e)
		}
	}})
	rule := &policy.BudgetRule{Budget: &storage.Budget{}}
	ask := policy.BudgetAsk{Counter: "b", Limit: 1000, Fixed: 1, Soft: []int{50, 80, 100, 150}, Advisory: true, Of: rule}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 18 {
				v, err := m.Take(context.Background(), &policy.Ask{Now: noon, Alive: time.Minute, Budgets: []policy.BudgetAsk{ask}})
				if err != nil || v.Grant == nil {
					t.Error("refused")
					return
				}
				m.Settle(v.Grant, policy.Spent{})
			}
		})
	}
	all.Wait()
	says := func(want map[int]int) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if fmt.Sprint(told) != fmt.Sprint(want) {
			t.Fatalf("told of %v, want %v", told, want)
		}
	}
	says(map[int]int{50: 1, 80: 1}) // 900 are spent
	large := ask
	large.Fixed = 99
	abandoned, _ := m.Take(context.Background(), &policy.Ask{Now: noon, Alive: time.Minute, Budgets: []policy.BudgetAsk{large}})
	clock.now = noon.Add(time.Hour)
	says(map[int]int{50: 1, 80: 1})
	if s, _ := policy.StateOf(context.Background(), m, &ask); s.Spent != 999 {
		t.Fatalf("%+v", s)
	}
	m.Settle(abandoned.Grant, policy.Spent{Budgets: []int64{700}}) // a late word
	says(map[int]int{50: 1, 80: 1, 100: 1, 150: 1})
}

type moving struct{ now time.Time }

func (m *moving) Now() time.Time { return m.now }

// In a rolling window a share is told of again once a whole window has passed.
func TestMeterThresholdRolling(t *testing.T) {
	var told []int64
	clock := &moving{now: noon}
	m := policy.NewMeter(policy.MeterOptions{Leak: 1, Now: clock.Now, Threshold: func(e policy.Threshold) { told = append(told, e.Spent) }})
	b := policy.BudgetAsk{Counter: "b", Limit: 100, Fixed: 30, Soft: []int{50}, Window: policy.Window{Rolling: time.Hour}}
	spend := func() {
		t.Helper()
		v, err := m.Take(t.Context(), &policy.Ask{Now: clock.now, Alive: time.Minute, Budgets: []policy.BudgetAsk{b}})
		if err != nil || v.Grant == nil {
			t.Fatalf("refused at %s", clock.now)
		}
		m.Settle(v.Grant, policy.Spent{})
	}
	for range 24 { // every half hour: never below 50 %, but for the first
		spend()
		clock.now = clock.now.Add(30 * time.Minute)
	}
	if len(told) < 5 || len(told) > 12 || slices.Min(told) < 50 {
		t.Errorf("told %d times in 12 hours: %d", len(told), told)
	}
}

// After a restart a budget stands where the ledger left it, asked once for each budget whose
// window began before.
func TestMeterHistory(t *testing.T) {
	var asked []string
	var broken error
	clock := &moving{now: noon}
	spent := []policy.Amount{{At: noon.Add(-50 * time.Minute), Units: 600}, {At: noon.Add(-10 * time.Minute), Units: 300}}
	var told []int
	m := policy.NewMeter(policy.MeterOptions{
		Leak: 1, Now: clock.Now, Threshold: func(e policy.Threshold) { told = append(told, e.Share) },
		History: func(_ context.Context, b *policy.BudgetAsk, since time.Time) ([]policy.Amount, error) {
			asked = append(asked, b.Counter+" "+since.Format("15:04"))
			return spent, broken
		},
	})
	take := func(b policy.BudgetAsk) policy.Verdict {
		t.Helper()
		v, err := m.Take(t.Context(), &policy.Ask{Now: clock.now, Alive: time.Minute, Budgets: []policy.BudgetAsk{b}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	day := policy.BudgetAsk{Counter: "day", Limit: 1000, Fixed: 101, Soft: []int{50, 100}, Window: policy.Window{Start: noon.Add(-12 * time.Hour), End: noon.Add(12 * time.Hour)}}
	broken = errors.New("no ledger")
	if _, err := m.Take(t.Context(), &policy.Ask{Now: noon, Budgets: []policy.BudgetAsk{day}}); !errors.Is(err, broken) {
		t.Fatalf("%v: a budget was granted that nobody knows", err)
	}
	broken = nil
	if v := take(day); v.Grant != nil {
		t.Fatal("101 of 100 were granted")
	}
	day.Fixed = 100
	if v := take(day); v.Grant == nil {
		t.Fatal("100 of 100 were refused")
	} else {
		m.Settle(v.Grant, policy.Spent{})
	}
	if !slices.Equal(told, []int{100}) { // 50 was told of before the restart
		t.Errorf("told of %d", told)
	}
	rolling := policy.BudgetAsk{Counter: "rolling", Limit: 1000, Fixed: 101, Window: policy.Window{Rolling: time.Hour}}
	if v := take(rolling); v.Grant != nil {
		t.Fatal("101 of 100 were granted")
	}
	clock.now = noon.Add(13 * time.Minute) // the 600 have fallen out
	if v := take(rolling); v.Grant == nil {
		t.Fatal("what fell out still counts")
	}
	next := day
	next.Counter, next.Window = "next", policy.Window{Start: noon.Add(time.Minute), End: noon.Add(24 * time.Hour)}
	if v := take(next); v.Grant == nil {
		t.Fatal("refused")
	}
	clock.now = noon.Add(2 * time.Hour) // the meter has counted a whole window by itself
	later := rolling
	later.Counter = "later"
	if v := take(later); v.Grant == nil {
		t.Fatal("refused")
	}
	if s, err := policy.StateOf(t.Context(), m, &policy.BudgetAsk{Counter: "total", Limit: 5}); err != nil || s.Spent != 900 {
		t.Errorf("%+v %v", s, err)
	}
	want := []string{"day 00:00", "day 00:00", "rolling 11:00", "total 00:00"}
	if !slices.Equal(asked, want) {
		t.Errorf("the ledger was asked %q, want %q", asked, want)
	}
}

// A budget that a reload brings was not counted before, though the meter was there.
func TestMeterHistoryOfANewBudget(t *testing.T) {
	clock := &moving{now: noon}
	var asked []string
	m := policy.NewMeter(policy.MeterOptions{Now: clock.Now, History: func(_ context.Context, b *policy.BudgetAsk, _ time.Time) ([]policy.Amount, error) {
		asked = append(asked, b.Counter)
		return nil, nil
	}})
	clock.now = noon.Add(48 * time.Hour)
	f := func(counter string, window policy.Window, since time.Time) {
		t.Helper()
		b := policy.BudgetAsk{Counter: counter, Limit: 1000, Fixed: 1, Window: window, Since: since}
		if v, err := m.Take(t.Context(), &policy.Ask{Now: clock.now, Alive: time.Minute, Budgets: []policy.BudgetAsk{b}}); err != nil || v.Grant == nil {
			t.Fatalf("%+v %v", v, err)
		}
	}
	day := policy.Window{Start: noon.Add(36 * time.Hour), End: noon.Add(60 * time.Hour)}
	f("old day", day, time.Time{})
	f("new day", day, clock.now)
	f("day after the reload", day, noon.Add(35*time.Hour))
	f("old hour", policy.Window{Rolling: time.Hour}, time.Time{})
	f("new hour", policy.Window{Rolling: time.Hour}, clock.now.Add(-30*time.Minute))
	f("hour after the reload", policy.Window{Rolling: time.Hour}, clock.now.Add(-time.Hour))
	if want := []string{"new day", "new hour"}; !slices.Equal(asked, want) {
		t.Errorf("the ledger was asked for %q, want %q", asked, want)
	}
}

// Many calls that meet a budget nobody knows yet read the ledger once.
func TestMeterHistoryOnce(t *testing.T) {
	var asked atomic.Int64
	m := policy.NewMeter(policy.MeterOptions{History: func(context.Context, *policy.BudgetAsk, time.Time) ([]policy.Amount, error) {
		asked.Add(1)
		return []policy.Amount{{At: time.Now(), Units: 90}}, nil
	}})
	var granted atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			v, err := m.Take(context.Background(), &policy.Ask{Now: time.Now(), Alive: time.Hour, Budgets: []policy.BudgetAsk{{Counter: "b", Limit: 100, Fixed: 1}}})
			if err == nil && v.Grant != nil {
				granted.Add(1)
			}
		})
	}
	all.Wait()
	if granted.Load() != 10 || asked.Load() != 1 {
		t.Errorf("%d granted, the ledger was asked %d times", granted.Load(), asked.Load())
	}
}

// Who waits for the ledger can be called off.
func TestMeterHistoryCancelled(t *testing.T) {
	release, reading := make(chan struct{}), make(chan struct{})
	m := policy.NewMeter(policy.MeterOptions{History: func(context.Context, *policy.BudgetAsk, time.Time) ([]policy.Amount, error) {
		close(reading)
		<-release
		return nil, nil
	}})
	ask := func(ctx context.Context) error {
		_, err := m.Take(ctx, &policy.Ask{Now: time.Now(), Alive: time.Hour, Budgets: []policy.BudgetAsk{{Counter: "b", Limit: 100, Fixed: 1}}})
		return err
	}
	first := make(chan error)
	go func() { first <- ask(context.Background()) }()
	<-reading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ask(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestMeterAllocations(t *testing.T) {
	m := policy.NewMeter(policy.MeterOptions{})
	a := usual(1)
	a.Now = time.Now()
	s := policy.Spent{Rates: []int64{1, 700}, Budgets: []int64{900}}
	n := testing.AllocsPerRun(1000, func() {
		v, _ := m.Take(context.Background(), &a)
		m.Settle(v.Grant, s)
	})
	if n > 1 {
		t.Errorf("%.1f allocations for a call, at most 1 may be", n)
	}
}
