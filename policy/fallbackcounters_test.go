package policy_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage/storagetest"
)

var errAway = errors.New("away")

// away is a Meter that many nodes could share, and that can be out of reach. Grants of others
// are charged by it as by Redis.
type away struct {
	*policy.Meter
	clock   storagetest.Clock
	down    atomic.Bool
	nodes   int
	seen    map[string]policy.BudgetState
	seenAt  time.Time
	charged []policy.Spent
}

func (s *away) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	if s.down.Load() {
		return policy.Verdict{}, errAway
	}
	return s.Meter.Take(ctx, a)
}

func (s *away) Extend(ctx context.Context, g *policy.Grant, tokens int64) (bool, error) {
	if s.down.Load() {
		return false, errAway
	}
	return s.Meter.Extend(ctx, g, tokens)
}

func (s *away) Settle(g *policy.Grant, spent policy.Spent) {
	if g.Degraded {
		s.charged = append(s.charged, spent)
		return
	}
	s.Meter.Settle(g, spent)
}

func (s *away) Gauge(ctx context.Context, a *policy.Ask) (policy.Gauge, error) {
	if s.down.Load() {
		return policy.Gauge{}, errAway
	}
	return s.Meter.Gauge(ctx, a)
}

func (s *away) Nodes() int { return s.nodes }
func (s *away) Seen(counter string) (policy.BudgetState, time.Time) {
	state, ok := s.seen[counter]
	if !ok {
		return state, time.Time{}
	}
	return state, s.seenAt
}

func newAway(nodes int) *away {
	clock := storagetest.NewClock()
	return &away{
		Meter: policy.NewMeter(policy.MeterOptions{Leak: 1, Now: clock.Now}), clock: clock, nodes: nodes,
		seen: map[string]policy.BudgetState{}, seenAt: clock.Now(),
	}
}

func (s *away) counters(o policy.FallbackOptions) *policy.FallbackCounters {
	o.Shared, o.Now = s, s.clock.Now
	return policy.NewFallbackCounters(o)
}

func TestFallbackCounters_AreTheSharedOnes(t *testing.T) {
	storagetest.Counters(t, func(*testing.T) (policy.Counters, storagetest.Clock) {
		s := newAway(3)
		return s.counters(policy.FallbackOptions{}), s.clock
	})
}

const (
	awayRate   = "rate:{w}key/a"
	awaySlot   = "slot:{w}key/a"
	awayBudget = "budget:{w}key/a:usd:total"
)

func (s *away) ask() *policy.Ask {
	return &policy.Ask{
		Lease: "x/1", Now: s.clock.Now(), Alive: time.Minute, Output: 10, Least: 10,
		Rates:   []policy.RateAsk{{Counter: awayRate, Interval: time.Minute, Burst: 30, Cost: 1}},
		Slots:   []policy.SlotAsk{{Counter: awaySlot, Limit: 30}},
		Budgets: []policy.BudgetAsk{{Counter: awayBudget, Limit: 1000, PerMillion: 1_000_000}},
	}
}

// granted counts how many of so many asks pass.
func granted(t *testing.T, c policy.Counters, a func() *policy.Ask, tries int) (grants []*policy.Grant, last policy.Verdict) {
	t.Helper()
	for range tries {
		v, err := c.Take(t.Context(), a())
		if err != nil {
			t.Fatal(err)
		}
		if v.Grant == nil {
			return grants, v
		}
		grants = append(grants, v.Grant)
	}
	return grants, last
}

func TestFallbackCounters_TakeTheirShare(t *testing.T) {
	f := func(kind policy.AskKind, want int, change func(a *policy.Ask)) {
		t.Helper()
		s := newAway(3)
		s.seen[awayBudget] = policy.BudgetState{Spent: 350, Reserved: 50}
		s.down.Store(true)
		c := s.counters(policy.FallbackOptions{})
		grants, v := granted(t, c, func() *policy.Ask { a := s.ask(); change(a); return a }, 100)
		if len(grants) != want || v.Refused.Kind != kind || !v.Degraded {
			t.Fatalf("%d granted, then %+v; want %d, then kind %d", len(grants), v.Refused, want, kind)
		}
		for _, g := range grants {
			if !g.Degraded || g.Ask.Budgets != nil && g.Ask.Budgets[0].Limit != 1000 {
				t.Fatalf("%+v", g)
			}
		}
	}
	f(policy.AskRate, 10, func(a *policy.Ask) { a.Slots = nil; a.Budgets = nil })
	f(policy.AskSlot, 10, func(a *policy.Ask) { a.Rates = nil; a.Budgets = nil })
	f(policy.AskBudget, 20, func(a *policy.Ask) { a.Rates = nil; a.Slots = nil }) // (1000 - 400) / 3
	f(policy.AskRate, 1, func(a *policy.Ask) { a.Rates[0].Cost = 30 })            // no less than one whole call
	f(policy.AskRate, 0, func(a *policy.Ask) { a.Rates[0].Cost = 31 })
}

func TestFallbackCounters_Deny(t *testing.T) {
	s := newAway(1)
	s.down.Store(true)
	for _, o := range []policy.FallbackOptions{{Rates: policy.OutageDeny}, {Budgets: policy.OutageDeny}} {
		if _, err := s.counters(o).Take(t.Context(), s.ask()); !errors.Is(err, policy.ErrNoCounters) || !errors.Is(err, errAway) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	free := &policy.Ask{Lease: "x/1"}
	if v, err := s.counters(policy.FallbackOptions{Rates: policy.OutageDeny, Budgets: policy.OutageDeny}).Take(t.Context(), free); err != nil || v.Grant == nil {
		t.Errorf("a call without limits: %+v, %v", v, err)
	}
}

func TestFallbackCounters_Allow(t *testing.T) {
	s := newAway(1)
	s.down.Store(true)
	c := s.counters(policy.FallbackOptions{Rates: policy.OutageAllow, Budgets: policy.OutageAllow})
	grants, _ := granted(t, c, s.ask, 500)
	if len(grants) != 500 || len(s.charged) != 0 {
		t.Fatalf("%d granted, %d charged", len(grants), len(s.charged))
	}
	for range 3 {
		c.Settle(grants[0], policy.Spent{Rates: []int64{1}, Budgets: []int64{7}})
	}
	if len(s.charged) != 1 || s.charged[0].Budgets[0] != 7 {
		t.Errorf("charged %+v, want 7, once", s.charged)
	}
	if ok, err := c.Extend(t.Context(), grants[1], 1_000_000); !ok || err != nil || grants[1].Output != 1_000_010 {
		t.Errorf("extended to %d: %v, %v", grants[1].Output, ok, err)
	}
}

func TestFallbackCounters_KnowTheirBudget(t *testing.T) {
	s := newAway(1)
	s.down.Store(true)
	ask := func() *policy.Ask { a := s.ask(); a.Rates, a.Slots = nil, nil; return a }
	if _, err := s.counters(policy.FallbackOptions{}).Take(t.Context(), ask()); !errors.Is(err, policy.ErrNoCounters) {
		t.Errorf("a budget that nobody knows: %v", err)
	}
	reads := 0
	history := func(context.Context, *policy.BudgetAsk, time.Time) ([]policy.Amount, error) {
		reads++
		return []policy.Amount{{Units: 500}, {Units: 400}}, nil
	}
	grants, _ := granted(t, s.counters(policy.FallbackOptions{History: history}), ask, 100)
	if len(grants) != 10 || reads != 1 {
		t.Errorf("%d granted of a hundred units, the ledger was read %d times", len(grants), reads)
	}
	s.seen[awayBudget] = policy.BudgetState{Spent: 950}
	if grants, _ = granted(t, s.counters(policy.FallbackOptions{History: history}), ask, 100); len(grants) != 5 || reads != 1 {
		t.Errorf("%d granted of what was just seen, the ledger was read %d times", len(grants), reads)
	}
	s.clock.Advance(time.Minute)
	s.seen[awayBudget] = policy.BudgetState{Spent: 100}
	if grants, _ = granted(t, s.counters(policy.FallbackOptions{History: history}), ask, 100); len(grants) != 10 || reads != 2 {
		t.Errorf("%d granted of what was seen long ago, the ledger was read %d times", len(grants), reads)
	}
}

// What a node granted by itself is not granted again when the outage has a gap.
func TestFallbackCounters_RememberTheirOwn(t *testing.T) {
	s := newAway(1)
	ask := func() *policy.Ask { a := s.ask(); a.Rates, a.Slots = nil, nil; return a }
	c := s.counters(policy.FallbackOptions{})
	s.seen[awayBudget] = policy.BudgetState{Spent: 500}
	for _, want := range []int{50, 0, 0} {
		s.down.Store(true)
		if grants, _ := granted(t, c, ask, 100); len(grants) != want {
			t.Fatalf("%d granted, want %d", len(grants), want)
		}
		s.down.Store(false)
		if grants, _ := granted(t, c, ask, 1); len(grants) != 1 || grants[0].Degraded {
			t.Fatal("back, and not used")
		}
	}
}

func TestFallbackCounters_ExtendWhatTheSharedGranted(t *testing.T) {
	f := func(mode policy.Outage, tokens int64, want bool) {
		t.Helper()
		s := newAway(2)
		c := s.counters(policy.FallbackOptions{Budgets: mode})
		v, err := c.Take(t.Context(), s.ask())
		if err != nil || v.Grant == nil {
			t.Fatalf("%+v, %v", v, err)
		}
		s.seen[awayBudget] = policy.BudgetState{Reserved: 10}
		s.down.Store(true)
		ok, err := c.Extend(t.Context(), v.Grant, tokens)
		if ok != want || errors.Is(err, policy.ErrNoCounters) != (mode == policy.OutageDeny) {
			t.Errorf("%s: extended by %d: %v, %v", mode, tokens, ok, err)
		}
		if more := v.Grant.Output - 10; ok && more != tokens || !ok && more != 0 {
			t.Errorf("%s: the grant has %d more", mode, more)
		}
		s.down.Store(false)
		c.Settle(v.Grant, policy.Spent{Budgets: []int64{300}})
		c.Settle(v.Grant, policy.Spent{Budgets: []int64{300}})
		state, err := policy.StateOf(t.Context(), c, &s.ask().Budgets[0])
		if err != nil || state.Spent != 300 || state.Reserved != 0 {
			t.Errorf("%s: %+v, %v", mode, state, err)
		}
	}
	f(policy.OutageLocal, 400, true) // (1000 - 10) / 2
	f(policy.OutageLocal, 500, false)
	f(policy.OutageAllow, 5000, true)
	f(policy.OutageDeny, 1, false)
}
