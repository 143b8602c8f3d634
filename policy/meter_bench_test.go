package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
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
