package storagetest

import (
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// budgeted asks budgets for so many tokens of output, at least for least.
func (c *counting) budgeted(output, least int64, budgets ...policy.BudgetAsk) *policy.Ask {
	a := c.ask()
	a.Budgets, a.Output, a.Least = budgets, output, least
	return a
}

func spent(units ...int64) policy.Spent { return policy.Spent{Budgets: units} }

func countersBudget(c *counting) {
	b := lasting(1000, 100)
	c.stands(b, 0, 0)
	g := c.granted(c.budgeted(300, 300, b))
	if g.Output != 300 {
		c.t.Fatalf("%d tokens granted", g.Output)
	}
	c.stands(b, 0, 400)
	c.settle(g, spent(150))
	c.stands(b, 150, 0)
	g = c.granted(c.budgeted(750, 750, b))
	c.stands(b, 150, 850)
	c.settle(g, spent(850))
	c.stands(b, 1000, 0)
	if r := c.refused(c.budgeted(1, 1, lasting(1000, 0))); r.Kind != policy.AskBudget || r.Held || r.Wait != 0 {
		c.t.Fatalf("%+v", r)
	}
}

func countersClamp(c *counting) {
	b := lasting(1000, 100)
	b.PerMillion = 3_000_001 // a hair above 3 units
	g := c.granted(c.budgeted(1_000_000, 10, b))
	if g.Output != 299 { // 299 · 3.000001 is 897.000299, 898 when rounded up
		c.t.Fatalf("%d tokens granted, want 299", g.Output)
	}
	c.stands(b, 0, 998)
	free := lasting(1000, 2)
	free.PerMillion = 0
	if g := c.granted(c.budgeted(1_000_000, 10, free)); g.Output != 1_000_000 {
		c.t.Fatalf("%d tokens granted where output costs nothing", g.Output)
	}
	c.stands(b, 0, 1000)
}

func countersLeast(c *counting) {
	c.granted(c.budgeted(100, 100, lasting(109, 9)))
	r := c.refused(c.budgeted(5, 1, lasting(110, 1)))
	if r.Kind != policy.AskBudget {
		c.t.Fatalf("%+v", r)
	}
	c.refused(c.budgeted(0, 0, lasting(110, 2)))
	if g := c.granted(c.budgeted(5, 1, lasting(111, 1))); g.Output != 1 {
		c.t.Fatalf("%d tokens granted", g.Output)
	}
}

// Sums near what a budget of a million dollars needs are exact.
func countersBigSums(c *counting) {
	const limit = 1_000_000_000_000_001 // nano-USD, odd
	b := lasting(limit, 7)
	b.PerMillion = 600_000_000_000 // 600 USD
	g := c.granted(c.budgeted(1<<40, 1, b))
	if want := int64((limit - 7) / 600_000); g.Output != want {
		c.t.Fatalf("%d tokens granted, want %d", g.Output, want)
	}
	c.settle(g, spent(limit-1))
	c.stands(b, limit-1, 0)
	b.PerMillion = 0
	b.Fixed = 2
	c.refused(c.budgeted(0, 0, b))
	b.Fixed = 1
	c.granted(c.budgeted(0, 0, b))
}

func countersSeveral(c *counting) {
	key, project := lasting(1000, 10), lasting(500, 20)
	project.Counter = "budget:{w}project/p:usd:total"
	project.PerMillion = 2_000_000
	g := c.granted(c.budgeted(1000, 1, key, project))
	if g.Output != 240 {
		c.t.Fatalf("%d tokens granted, want what the smaller pays", g.Output)
	}
	c.stands(key, 0, 250)
	c.stands(project, 0, 500)
	r := c.refused(c.budgeted(1000, 1, key, project))
	if r.Kind != policy.AskBudget || r.Index != 1 {
		c.t.Fatalf("%+v, want the project's budget", r)
	}
	c.stands(key, 0, 250)
	c.settle(g, spent(100, 200))
	c.stands(key, 100, 0)
	c.stands(project, 200, 0)
}

func countersHeld(c *counting) {
	b := lasting(1000, 0)
	b.Window = policy.Window{Start: c.Now().Add(-time.Hour), End: c.Now().Add(time.Hour)}
	g := c.granted(c.budgeted(900, 900, b))
	r := c.refused(c.budgeted(200, 200, b))
	if r.Kind != policy.AskBudget || !r.Held {
		c.t.Fatalf("%+v, want one that waits for a reservation", r)
	}
	c.settle(g, spent(850))
	r = c.refused(c.budgeted(200, 200, b))
	if r.Kind != policy.AskBudget || r.Held {
		c.t.Fatalf("%+v, want one that waits for the next window", r)
	}
	c.waits(r.Wait, time.Hour)
	rate := policy.RateAsk{Counter: "rate:{w}key/a", Interval: time.Minute, Burst: 1, Cost: 1}
	c.granted(c.rated(rate))
	c.granted(c.budgeted(150, 150, b))
	a := c.budgeted(100, 100, b)
	a.Rates = []policy.RateAsk{rate}
	if r = c.refused(a); r.Kind != policy.AskRate {
		c.t.Fatalf("%+v, want the rate: it waits longer than a reservation", r)
	}
}

func countersBudgetNever(c *counting) {
	b := lasting(1000, 1001)
	b.Window = policy.Window{Start: c.Now().Add(-time.Hour), End: c.Now().Add(time.Hour)}
	if r := c.refused(c.budgeted(0, 0, b)); r.Kind != policy.AskBudget || r.Wait != 0 || r.Held {
		c.t.Fatalf("%+v, want that no wait helps", r)
	}
}

func countersOvershoot(c *counting) {
	b := lasting(1000, 0)
	g := c.granted(c.budgeted(500, 500, b))
	c.settle(g, spent(1700)) // more than it promised, and than there is
	c.stands(b, 1700, 0)
	c.refused(c.budgeted(0, 0, lasting(1000, 0)))
}

func countersOnce(c *counting) {
	b := lasting(1000, 0)
	g := c.granted(c.budgeted(500, 500, b))
	for _, units := range []int64{200, 200, 900} {
		c.settle(g, spent(units))
		c.stands(b, 200, 0)
	}
	g = c.granted(c.budgeted(500, 500, b))
	each(20, func(int) { c.Settle(g, spent(300)) })
	c.flush()
	c.stands(b, 500, 0)
}

func countersSilent(c *counting) {
	b := lasting(1000, 50)
	c.settle(c.granted(c.budgeted(100, 100, b)), policy.Spent{})
	c.stands(b, 150, 0)
}

func (c *counting) extends(g *policy.Grant, tokens int64, want bool) {
	c.t.Helper()
	got, err := c.Extend(c.t.Context(), g, tokens)
	do(c.t, err)
	if got != want {
		c.t.Fatalf("extended by %d: %v", tokens, got)
	}
}

func countersExtend(c *counting) {
	b := lasting(1000, 100)
	g := c.granted(c.budgeted(200, 1, b))
	c.extends(g, 300, true)
	c.stands(b, 0, 600)
	c.extends(g, 401, false)
	c.stands(b, 0, 600)
	c.extends(g, 0, true)
	c.extends(g, 400, true)
	if g.Output != 900 {
		c.t.Fatalf("the grant says %d tokens", g.Output)
	}
	c.stands(b, 0, 1000)
	c.extends(g, 1, false)
	c.settle(g, spent(700))
	c.stands(b, 700, 0)
	c.extends(g, 1, false)
	c.stands(b, 700, 0)
}

func countersExtendSeveral(c *counting) {
	key, project := lasting(1000, 0), lasting(500, 0)
	project.Counter = "budget:{w}project/p:usd:total"
	g := c.granted(c.budgeted(400, 1, key, project))
	c.extends(g, 200, false)
	c.stands(key, 0, 400)
	c.stands(project, 0, 400)
	c.extends(g, 100, true)
	c.stands(key, 0, 500)
	c.stands(project, 0, 500)
}

func countersAlive(c *counting) {
	a := c.budgeted(100, 1, lasting(1000, 0))
	a.Alive = time.Minute
	g := c.granted(a)
	for range 5 {
		c.Advance(45 * time.Second)
		c.extends(g, 0, true)
	}
	c.stands(lasting(1000, 0), 0, 100)
	c.Advance(70 * time.Second)
	c.stands(lasting(1000, 0), 100, 0)
	c.extends(g, 0, false)
}

func countersExpiry(c *counting) {
	a := c.budgeted(100, 1, lasting(1000, 10))
	a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 1}}
	a.Rates = []policy.RateAsk{{Counter: "rate:{w}key/a", Interval: time.Hour, Burst: 1000, Cost: 700}}
	a.Alive = time.Minute
	c.granted(a)
	c.Advance(50 * time.Second)
	c.refused(c.slotted(1))
	c.stands(lasting(1000, 0), 0, 110)
	c.Advance(20 * time.Second)
	c.granted(c.slotted(1))
	c.stands(lasting(1000, 0), 110, 0)
	c.refused(c.rated(policy.RateAsk{Counter: "rate:{w}key/a", Interval: time.Hour, Burst: 1000, Cost: 400}))
}

func countersLate(c *counting) {
	b := lasting(1000, 10)
	late := func(output int64) *policy.Grant {
		a := c.budgeted(output, 1, b)
		a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 5}}
		a.Alive = time.Minute
		return c.granted(a)
	}
	less, more := late(100), late(200)
	c.Advance(2 * time.Minute)
	c.stands(b, 320, 0)
	for range 3 {
		c.settle(less, spent(30))
	}
	c.stands(b, 240, 0)
	for range 3 {
		c.settle(more, spent(300))
	}
	c.stands(b, 330, 0)
	for range 5 { // their slots came back once
		c.granted(c.slotted(5))
	}
	c.refused(c.slotted(5))
}

func countersWindows(c *counting) {
	day := func(name string, start time.Duration) policy.BudgetAsk {
		b := lasting(100, 100)
		b.Counter += name
		b.Window = policy.Window{Start: c.Now().Add(start), End: c.Now().Add(start + time.Hour)}
		return b
	}
	first, second := day(":1", -50*time.Minute), day(":2", 10*time.Minute)
	g := c.granted(c.budgeted(0, 0, first))
	c.waits(c.refused(c.budgeted(0, 0, first)).Wait, 10*time.Minute)
	c.Advance(11 * time.Minute)
	c.granted(c.budgeted(0, 0, second))
	c.settle(g, spent(60)) // counts where it was reserved
	c.stands(second, 0, 100)
	c.stands(first, 60, 0)
}

func countersRolling(c *counting) {
	b := lasting(1000, 0)
	b.Window = policy.Window{Rolling: time.Hour}
	c.settle(c.granted(c.budgeted(600, 600, b)), spent(600))
	c.Advance(30 * time.Minute)
	c.settle(c.granted(c.budgeted(400, 400, b)), spent(400))
	c.stands(b, 1000, 0)
	r := c.refused(c.budgeted(500, 500, b))
	if r.Kind != policy.AskBudget || r.Held || r.Wait < 29*time.Minute || r.Wait > 33*time.Minute {
		c.t.Fatalf("%+v, want a wait of half an hour and a slice at most", r)
	}
	c.Advance(29 * time.Minute)
	c.stands(b, 1000, 0) // nothing is forgotten too early
	c.Advance(5 * time.Minute)
	c.stands(b, 400, 0)
	c.granted(c.budgeted(500, 500, b))
	c.Advance(3 * time.Hour)
}

func countersAdvisory(c *counting) {
	b := lasting(100, 50)
	b.Advisory = true
	g := c.granted(c.budgeted(1000, 1000, b))
	if g.Output != 1000 {
		c.t.Fatalf("clamped to %d", g.Output)
	}
	c.stands(b, 0, 1050)
	c.extends(g, 1000, true)
	c.settle(g, spent(700))
	c.stands(b, 700, 0)
	c.granted(c.budgeted(1, 1, b))
}

func countersLoad(c *counting) {
	b := lasting(1000, 0)
	do(c.t, c.Load(c.t.Context(), &b, 800))
	c.stands(b, 800, 0)
	do(c.t, c.Load(c.t.Context(), &b, 800)) // of another node, or once more
	c.stands(b, 800, 0)
	if g := c.granted(c.budgeted(500, 1, b)); g.Output != 200 {
		c.t.Fatalf("%d tokens granted", g.Output)
	}
	other := b
	other.Counter += ":other"
	c.settle(c.granted(c.budgeted(5, 5, other)), spent(5))
	do(c.t, c.Load(c.t.Context(), &other, 700)) // it knows its window already
	c.stands(other, 5, 0)
	rolling := lasting(1000, 0)
	rolling.Counter += ":rolling"
	rolling.Window = policy.Window{Rolling: time.Hour}
	do(c.t, c.Load(c.t.Context(), &rolling, 300))
	c.stands(rolling, 300, 0)
	c.Advance(2 * time.Hour)
	c.stands(rolling, 0, 0)
}

func countersLimitChanged(c *counting) {
	c.granted(c.budgeted(900, 900, lasting(1000, 0)))
	c.refused(c.budgeted(200, 200, lasting(1000, 0)))
	c.granted(c.budgeted(200, 200, lasting(2000, 0))) // a reload raised it, and lost nothing
	c.refused(c.budgeted(1, 1, lasting(500, 0)))
	c.stands(lasting(500, 0), 0, 1100)
}

// Callers settle for less, as much or a little less than they reserved, and ask again; what is
// spent and held together never passes the limit.
func countersRaceBudget(c *counting) {
	const callers, rounds, limit = 32, 6, 5000
	b := lasting(limit, 10)
	asks := make([]*policy.Ask, callers*rounds)
	for i := range asks {
		asks[i] = c.budgeted(int64(50+i%50), 20, b)
	}
	var settled atomic.Int64
	each(callers, func(i int) {
		for _, a := range asks[i*rounds : (i+1)*rounds] {
			v, err := c.Take(c.t.Context(), a)
			if err != nil || v.Grant == nil {
				continue
			}
			if s, err := policy.StateOf(c.t.Context(), c, &b); err != nil || s.Spent+s.Reserved > limit {
				c.t.Errorf("spent %d and held %d of %d (%v)", s.Spent, s.Reserved, limit, err)
			}
			cost := 10 + v.Grant.Output*int64(1+i%3)/3
			settled.Add(cost)
			c.Settle(v.Grant, spent(cost))
		}
	})
	c.flush()
	c.stands(b, settled.Load(), 0)
	if settled.Load() > limit || settled.Load() == 0 {
		c.t.Fatalf("%d spent of %d", settled.Load(), limit)
	}
}
