package storagetest

import (
	"slices"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// What a gauge says is what takes find, and it takes nothing itself.
func countersGauge(c *counting) {
	asking := func() *policy.Ask {
		a := c.ask()
		a.Rates = []policy.RateAsk{
			{Counter: "rate:{w}key/a:requests_per_minute:", Interval: time.Minute, Burst: 10, Cost: 3},
			{Counter: "rate:{w}key/a:tokens_per_minute:", Interval: time.Hour, Burst: 1000, Cost: 400},
		}
		a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a:concurrent:", Limit: 4}, {Counter: "slot:{w}project/b:concurrent:", Limit: 2}}
		a.Budgets = []policy.BudgetAsk{
			lasting(1000, 50),
			{Counter: "budget:{w}key/a:usd:1h0m0s:", Limit: 500, Fixed: 7, Window: policy.Window{Rolling: time.Hour}},
		}
		return a
	}
	f := func(left []int64, slots []int64, budgets ...policy.BudgetState) {
		c.t.Helper()
		for range 2 {
			got, err := c.Gauge(c.t.Context(), asking())
			do(c.t, err)
			if got.Degraded || !slices.Equal(got.Slots, slots) || !slices.Equal(got.Budgets, budgets) || len(got.Rates) != len(left) {
				c.t.Fatalf("%+v, want %v of slots and %+v", got, slots, budgets)
			}
			for i, n := range left {
				if got.Rates[i].Remaining != n {
					c.t.Fatalf("rate %d has %d left, want %d", i, got.Rates[i].Remaining, n)
				}
			}
			c.waits(got.Rates[0].Reset, time.Duration(10-left[0])*time.Minute)
		}
	}
	f([]int64{10, 1000}, []int64{0, 0}, policy.BudgetState{}, policy.BudgetState{})
	first := c.granted(asking())
	second := c.granted(asking())
	f([]int64{4, 200}, []int64{2, 2}, policy.BudgetState{Reserved: 100}, policy.BudgetState{Reserved: 14})
	c.settle(first, policy.Spent{Rates: []int64{3, 150}, Budgets: []int64{33, 5}})
	f([]int64{4, 450}, []int64{1, 1}, policy.BudgetState{Spent: 33, Reserved: 50}, policy.BudgetState{Spent: 5, Reserved: 7})
	c.settle(second, policy.Spent{Budgets: []int64{11, 0}})
	f([]int64{4, 450}, []int64{0, 0}, policy.BudgetState{Spent: 44}, policy.BudgetState{Spent: 5})
}
