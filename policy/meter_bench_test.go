package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// usual is what most calls ask: two rates, a slot and a budget.
func usual(key int) policy.Ask {
	name := fmt.Sprintf("{default}key/ci%d", key)
	return policy.Ask{
		Lease: "0198f2b4-0000-7000-8000-000000000001/1", Output: 1000, Least: 1, Alive: time.Minute,
		Rates: []policy.RateAsk{
			{Counter: "rate:" + name + ":requests_per_minute:", Interval: 1, Burst: 1 << 40, Cost: 1},
			{Counter: "rate:" + name + ":tokens_per_minute:", Interval: 1, Burst: 1 << 40, Cost: 1000},
		},
		Slots:   []policy.SlotAsk{{Counter: "slot:" + name + ":", Limit: 1 << 40}},
		Budgets: []policy.BudgetAsk{{Counter: "budget:" + name + ":usd:month::2026-11", Limit: 1 << 60, Fixed: 1000, PerMillion: 1e9, Soft: []int{50, 80, 100}}},
	}
}

func BenchmarkMeter(b *testing.B) {
	m := policy.NewMeter(policy.MeterOptions{})
	asks := make([]policy.Ask, 64)
	for i := range asks {
		asks[i] = usual(i)
	}
	now := time.Now()
	b.Run("take", func(b *testing.B) {
		grants := make([]*policy.Grant, 0, 1000)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			a := &asks[i%len(asks)]
			a.Now = now
			v, _ := m.Take(context.Background(), a)
			grants = append(grants, v.Grant)
			if len(grants) == cap(grants) {
				b.StopTimer()
				for _, g := range grants {
					m.Settle(g, policy.Spent{})
				}
				grants = grants[:0]
				now = time.Now()
				b.StartTimer()
			}
		}
	})
	s := policy.Spent{Rates: []int64{1, 700}, Budgets: []int64{900}}
	b.Run("take and settle", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			a := &asks[i%len(asks)]
			a.Now = now
			v, _ := m.Take(context.Background(), a)
			m.Settle(v.Grant, s)
		}
	})
	b.Run("take and settle at once", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			a := usual(1)
			for pb.Next() {
				a.Now = now
				v, _ := m.Take(context.Background(), &a)
				m.Settle(v.Grant, s)
			}
		})
	})
}

// BenchmarkCall is all that limits and budgets add to a call: what it may take, its grant and
// its settlement.
func BenchmarkCall(b *testing.B) {
	c := newLimited(b)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		c.call(now)
	}
}

func TestCallAllocations(t *testing.T) {
	c := newLimited(t)
	now := time.Now()
	if n := testing.AllocsPerRun(1000, func() { c.call(now) }); n > 1 {
		t.Errorf("%.1f allocations for a call, at most 1 may be", n)
	}
}

// limited is a key with two rates, a slot and a budget.
type limited struct {
	t      testing.TB
	limits *policy.Limits
	queue  *policy.Queue
	key    *storage.Key
	price  storage.Price
	ask    policy.Ask
	want   policy.Wanted
	made   policy.Made
	spent  policy.Spent
}

func newLimited(t testing.TB) *limited {
	scope := storage.Scope{Kind: "key", Name: "ci"}
	input, output := int64(1e9), int64(2e9)
	return &limited{
		t: t, queue: policy.NewQueue(policy.NewMeter(policy.MeterOptions{}), 0), key: caller(),
		limits: limits(t, []storage.Limit{{Scope: scope, RequestsPerMinute: 6e10, TokensPerMinute: 6e10, Concurrent: 50}},
			[]storage.Budget{{Scope: scope, Nano: 9e15, Per: "month", Soft: []int{50, 80, 100}}}),
		price: storage.Price{Rates: []storage.Rate{{Input: &input, Output: &output}}},
		want:  *wanted(),
		made:  policy.Made{Lines: []providers.Normal{{InputUncached: 20, Output: 5}}, Charge: storage.Charge{CostNano: 30_000}},
	}
}

func (c *limited) call(now time.Time) {
	k := c.limits.For(c.key)
	w := c.want
	w.Now, w.Upper = now, policy.UpperOf(&c.price, policy.Reach{Input: 900})
	if err := k.Ask(&c.ask, &w); err != nil {
		c.t.Fatal(err)
	}
	v, err := c.queue.Wait(context.Background(), &c.ask, policy.Patience{Key: c.key.ID, Held: policy.HeldWait})
	if err != nil || v.Grant == nil {
		c.t.Fatalf("refused: %+v %v", v.Refused, err)
	}
	v.Grant.Spent(&c.spent, c.made)
	c.queue.Settle(v.Grant, c.spent)
	k.Learn(c.made.Lines)
}
