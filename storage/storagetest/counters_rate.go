package storagetest

import (
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// perMinute is a rate of so many units a minute, a minute's worth at once.
func perMinute(limit, cost int64) policy.RateAsk {
	return policy.RateAsk{
		Counter: "rate:{w}key/a:requests", Interval: time.Minute / time.Duration(limit), Burst: limit, Cost: cost,
	}
}

func countersNothing(c *counting) {
	a := c.ask()
	a.Output, a.Least = 500, 1
	g := c.granted(a)
	if g.Output != 500 || g.Degraded {
		c.t.Fatalf("%+v", g)
	}
	c.settle(g, policy.Spent{})
	c.Settle(nil, policy.Spent{})
}

func (c *counting) rated(r policy.RateAsk) *policy.Ask {
	a := c.ask()
	a.Rates = []policy.RateAsk{r}
	return a
}

func countersBurst(c *counting) {
	for i := range int64(3) {
		v := c.take(c.rated(perMinute(3, 1)))
		if v.Grant == nil {
			c.t.Fatalf("call %d was refused", i)
		}
		if left := v.Rates[0].Remaining; left != 2-i {
			c.t.Fatalf("%d left after call %d", left, i)
		}
		c.waits(v.Rates[0].Reset, time.Duration(i+1)*20*time.Second)
	}
	v := c.take(c.rated(perMinute(3, 1)))
	if v.Grant != nil || v.Refused.Kind != policy.AskRate || v.Refused.Index != 0 || v.Refused.Held {
		c.t.Fatalf("%+v", v)
	}
	c.waits(v.Refused.Wait, 20*time.Second)
	if v.Rates[0].Remaining != 0 {
		c.t.Fatalf("%d left of a rate that refuses", v.Rates[0].Remaining)
	}
	c.granted(c.rated(policy.RateAsk{Counter: "rate:{w}key/b:requests", Interval: time.Minute, Burst: 1, Cost: 1}))
}

func countersRefill(c *counting) {
	c.granted(c.rated(perMinute(3, 3)))
	c.Advance(30 * time.Second) // one and a half
	c.granted(c.rated(perMinute(3, 1)))
	c.waits(c.refused(c.rated(perMinute(3, 1))).Wait, 10*time.Second)
	c.Advance(11 * time.Second)
	c.granted(c.rated(perMinute(3, 1)))
	c.Advance(time.Hour) // no more than a burst is saved up
	for range 3 {
		c.granted(c.rated(perMinute(3, 1)))
	}
	c.refused(c.rated(perMinute(3, 1)))
}

func countersNeverFits(c *counting) {
	r := c.refused(c.rated(perMinute(3, 4)))
	if r.Kind != policy.AskRate || r.Wait != 0 {
		c.t.Fatalf("%+v, want no wait to help", r)
	}
	c.granted(c.rated(perMinute(3, 3)))
}

func countersRateCorrected(c *counting) {
	g := c.granted(c.rated(perMinute(600, 600)))
	c.refused(c.rated(perMinute(600, 100)))
	c.settle(g, policy.Spent{Rates: []int64{100}})
	g = c.granted(c.rated(perMinute(600, 400)))
	c.settle(g, policy.Spent{Rates: []int64{1000}}) // more than was thought, more than the burst
	c.waits(c.refused(c.rated(perMinute(600, 100))).Wait, time.Minute)
	c.Advance(61 * time.Second)
	c.granted(c.rated(perMinute(600, 100)))
}

// What was estimated too high and has been worked off meanwhile does not come back on top.
func countersRateIdle(c *counting) {
	g := c.granted(c.rated(perMinute(600, 600)))
	c.Advance(10 * time.Minute)
	c.granted(c.rated(perMinute(600, 600)))
	c.settle(g, policy.Spent{Rates: []int64{0}})
	c.refused(c.rated(perMinute(600, 100)))
}

func countersDaily(c *counting) {
	day := policy.RateAsk{Counter: "rate:{w}key/a:requests_day", Interval: 12 * time.Hour, Burst: 2, Cost: 1}
	c.granted(c.rated(day))
	c.granted(c.rated(day))
	c.waits(c.refused(c.rated(day)).Wait, 12*time.Hour)
	c.Advance(12*time.Hour + time.Minute)
	c.granted(c.rated(day))
	c.refused(c.rated(day))
}

func (c *counting) slotted(limit int64) *policy.Ask {
	a := c.ask()
	a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: limit}}
	return a
}

func countersSlots(c *counting) {
	first := c.granted(c.slotted(2))
	c.granted(c.slotted(2))
	r := c.refused(c.slotted(2))
	if r.Kind != policy.AskSlot || r.Wait != policy.SlotWait || r.Held {
		c.t.Fatalf("%+v", r)
	}
	c.settle(first, policy.Spent{})
	c.settle(first, policy.Spent{})
	c.granted(c.slotted(2))
	c.refused(c.slotted(2))
	c.granted(c.slotted(3)) // the limit was raised
}

func countersAllOrNothing(c *counting) {
	full := func(rate, slot, budget bool) *policy.Ask {
		a := c.ask()
		a.Rates = []policy.RateAsk{perMinute(10, 5)}
		a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 1}}
		a.Budgets = []policy.BudgetAsk{lasting(1000, 600)}
		if rate {
			a.Rates = append(a.Rates, policy.RateAsk{Counter: "rate:{w}none", Interval: time.Hour, Burst: 1, Cost: 2})
		}
		if slot {
			a.Slots = append(a.Slots, policy.SlotAsk{Counter: "slot:{w}none"})
		}
		if budget {
			a.Budgets = append(a.Budgets, policy.BudgetAsk{Counter: "budget:{w}none:total", Fixed: 1})
		}
		return a
	}
	for range 3 {
		c.refused(full(true, false, false))
		c.refused(full(false, true, false))
		c.refused(full(false, false, true))
	}
	c.stands(lasting(1000, 0), 0, 0)
	v := c.take(full(false, false, false))
	if v.Grant == nil || v.Rates[0].Remaining != 5 {
		c.t.Fatalf("something was charged on refusal: %+v", v)
	}
}

func countersLongestWait(c *counting) {
	rate := func(name string, interval time.Duration) policy.RateAsk {
		return policy.RateAsk{Counter: name, Interval: interval, Burst: 1, Cost: 1}
	}
	a := c.ask()
	a.Rates = []policy.RateAsk{rate("rate:{w}short", time.Minute), rate("rate:{w}long", time.Hour), rate("rate:{w}day", 30*time.Minute)}
	a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 1}}
	c.granted(a)
	again := *a
	again.Lease, again.Now = c.ask().Lease, c.Now()
	if r := c.refused(&again); r.Kind != policy.AskRate || r.Index != 1 {
		c.t.Fatalf("%+v, want the rate of an hour", r)
	}
	alone := c.ask()
	alone.Slots = a.Slots
	alone.Rates = []policy.RateAsk{rate("rate:{w}other", time.Minute)}
	if r := c.refused(alone); r.Kind != policy.AskSlot {
		c.t.Fatalf("%+v, want the slot", r)
	}
	never := c.ask()
	never.Rates = []policy.RateAsk{a.Rates[1], perMinute(3, 4)}
	if r := c.refused(never); r.Kind != policy.AskRate || r.Index != 1 || r.Wait != 0 {
		c.t.Fatalf("%+v, want the rate that never fits", r)
	}
}

func countersRaceSlots(c *counting) {
	const limit, callers = 7, 100
	var most, now, granted atomic.Int64
	asks := make([]*policy.Ask, callers)
	for i := range asks {
		asks[i] = c.slotted(limit)
	}
	each(callers, func(i int) {
		v, err := c.Take(c.t.Context(), asks[i])
		if err != nil || v.Grant == nil {
			return
		}
		granted.Add(1)
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		now.Add(-1)
		c.Settle(v.Grant, policy.Spent{})
	})
	if most.Load() > limit || granted.Load() < limit {
		c.t.Fatalf("%d at once, %d in all, with %d slots", most.Load(), granted.Load(), limit)
	}
	c.flush()
	for range limit {
		c.granted(c.slotted(limit))
	}
	c.refused(c.slotted(limit))
}

func countersRaceRate(c *counting) {
	const burst, callers = 50, 200
	var granted atomic.Int64
	asks := make([]*policy.Ask, callers)
	for i := range asks {
		asks[i] = c.rated(policy.RateAsk{Counter: "rate:{w}race", Interval: time.Hour, Burst: burst, Cost: 1})
	}
	each(callers, func(i int) {
		if v, err := c.Take(c.t.Context(), asks[i]); err == nil && v.Grant != nil {
			granted.Add(1)
		}
	})
	if granted.Load() != burst {
		c.t.Fatalf("%d granted of a burst of %d", granted.Load(), burst)
	}
}
