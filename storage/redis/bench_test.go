package redis

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// usual is what most calls ask: two rates, a slot and a budget.
func usual(key int) policy.Ask {
	name := fmt.Sprintf("{default}key/ci%d", key)
	return policy.Ask{
		Lease: "0198f2b4-0000-7000-8000-000000000001/1", Output: 1000, Least: 1, Alive: time.Minute, Now: time.Now(),
		Rates: []policy.RateAsk{
			{Counter: "rate:" + name + ":requests_per_minute:", Interval: 1, Burst: 1 << 30, Cost: 1},
			{Counter: "rate:" + name + ":tokens_per_minute:", Interval: 1, Burst: 1 << 30, Cost: 1000},
		},
		Slots:   []policy.SlotAsk{{Counter: "slot:" + name + ":", Limit: 1 << 30}},
		Budgets: []policy.BudgetAsk{{Counter: "budget:" + name + ":usd:month::2026-11", Limit: 1 << 52, Fixed: 1000, PerMillion: 1e9, Soft: []int{50, 80, 100}}},
	}
}

// CPU is that of this process alone, as the gateway would have it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A call is a Take, in one round trip, and a Settle, in the next batch.
func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{2, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := open(b, Options{})
			s := policy.Spent{Rates: []int64{1, 700}, Budgets: []int64{900}}
			b.SetParallelism(callers / 2)
			b.ReportAllocs()
			before := cpu(b)
			b.RunParallel(func(pb *testing.PB) {
				a := usual(1)
				for pb.Next() {
					v, err := c.Take(b.Context(), &a)
					if err != nil || v.Grant == nil {
						b.Errorf("%+v, %v", v, err)
						return
					}
					c.Settle(v.Grant, s)
				}
			})
			if err := c.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-us/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
