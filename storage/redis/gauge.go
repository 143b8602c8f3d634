package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// Gauge implements policy.Counters, in one round trip; in a cluster in one for each place.
func (c *Counters) Gauge(ctx context.Context, a *policy.Ask) (policy.Gauge, error) {
	g := policy.Gauge{
		Rates: make([]policy.RateState, len(a.Rates)), Slots: make([]int64, len(a.Slots)), Budgets: make([]policy.BudgetState, len(a.Budgets)),
	}
	until := time.Now().Add(c.options.Timeout)
	parts := c.split(a, nil)
	for i := range parts {
		p := &parts[i]
		said, err := c.gaugePart(ctx, p, until)
		if err != nil {
			return policy.Gauge{}, err
		}
		if len(said) != 2*len(p.ask.Rates)+len(p.ask.Slots)+2*len(p.ask.Budgets) {
			return policy.Gauge{}, fmt.Errorf("%w as they should: an answer of %d numbers", ErrDown, len(said))
		}
		for i := range p.ask.Rates {
			g.Rates[at(p.rates, i)] = policy.RateState{Remaining: said[0], Reset: time.Duration(said[1])}
			said = said[2:]
		}
		for i := range p.ask.Slots {
			g.Slots[at(p.slots, i)] = said[0]
			said = said[1:]
		}
		c.leases.see(p.ask.Budgets, said, c.now())
		for i := range p.ask.Budgets {
			g.Budgets[at(p.budgets, i)] = policy.BudgetState{Spent: said[0], Reserved: said[1]}
			said = said[2:]
		}
	}
	return g, nil
}

// gaugePart asks one place, and once more where it had to read budgets from the ledger first.
func (c *Counters) gaugePart(ctx context.Context, p *part, until time.Time) ([]int64, error) {
	for again := false; ; again = true {
		one := c.callGauge(p)
		if err := c.do(ctx, one); err != nil {
			return nil, err
		}
		reply, err := numbers(one.reply)
		switch {
		case err != nil:
			return nil, err
		case reply[0] != takeLearn:
			return reply[1:], nil
		case again:
			return nil, fmt.Errorf("%w: %s", ErrUnknown, p.ask.Budgets[reply[1]].Counter)
		}
		for _, i := range reply[1:] {
			if err := c.learn(ctx, &p.ask.Budgets[i], until); err != nil {
				return nil, err
			}
		}
	}
}

func (c *Counters) callGauge(p *part) *call {
	a, now := p.ask, c.now()
	keys, args := []string{keyBorn(p.place)}, newPack(40)
	args.add(c.shift.Load(), c.learns(), int64(len(a.Rates)), int64(len(a.Slots)), int64(len(a.Budgets)))
	for i := range a.Rates {
		r := &a.Rates[i]
		keys = append(keys, keyOf(r.Counter))
		args.add(int64(max(0, r.Interval)), r.Burst)
	}
	for i := range a.Slots {
		keys = append(keys, keyOf(a.Slots[i].Counter))
	}
	for i := range a.Budgets {
		b := &a.Budgets[i]
		keys = appendBudget(keys, b)
		args.add(b.Window.Rolling.Milliseconds(), opening(b, now))
	}
	return &call{script: scriptGauge, keys: keys, args: args}
}

// alone is what is asked about one budget.
func (c *Counters) alone(b *policy.BudgetAsk) *part {
	return &part{place: c.place(b.Counter), ask: &policy.Ask{Budgets: []policy.BudgetAsk{*b}}}
}
