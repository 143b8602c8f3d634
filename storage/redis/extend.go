package redis

import (
	"context"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// Extend implements policy.Counters, in one round trip for each place. Its error wraps ErrDown
// or ErrUnknown, or is the context's; the lease then holds what it held.
func (c *Counters) Extend(ctx context.Context, g *policy.Grant, tokens int64) (bool, error) {
	parts := c.leases.of(g)
	if parts == nil {
		return false, nil
	}
	output := g.Output + min(max(0, tokens), exact)
	for i := range parts {
		fits, err := c.extendPart(ctx, &parts[i], output)
		if err == nil && fits {
			continue
		}
		if !untaken(err) && err != nil || i > 0 {
			for j := range parts[:i+1] { // what they were told does not hold
				c.renew(g, &parts[j])
			}
		}
		return false, err
	}
	return c.leases.grow(g, output), nil
}

// renew tells a place what a lease holds, where it is not settled meanwhile.
func (c *Counters) renew(g *policy.Grant, p *part) {
	c.leases.mu.Lock()
	defer c.leases.mu.Unlock()
	if c.leases.held[g] != nil {
		c.push(renewal(p))
	}
}

// What extend.lua answers.
const (
	extendFits  = 1
	extendLearn = 2
)

func (c *Counters) extendPart(ctx context.Context, p *part, output int64) (bool, error) {
	until := time.Now().Add(c.options.Timeout)
	for again := false; ; again = true {
		one := c.callExtend(p, output)
		if err := c.do(ctx, one); err != nil {
			return false, err
		}
		reply, _ := one.reply.(int64)
		if reply != extendLearn {
			return reply == extendFits, nil
		}
		if again {
			return false, ErrUnknown
		}
		for i := range p.ask.Budgets {
			if err := c.learn(ctx, &p.ask.Budgets[i], until); err != nil {
				return false, err
			}
		}
	}
}

func (c *Counters) callExtend(p *part, output int64) *call {
	a := p.ask
	keys := []string{keyBorn(p.place)}
	args := newPack(len(a.Lease) + 40 + 50*len(a.Budgets))
	args.add(c.shift.Load(), c.learns())
	args.word(a.Lease)
	args.add(a.Alive.Milliseconds(), int64(len(a.Slots)), int64(len(a.Budgets)))
	for i := range a.Slots {
		keys = append(keys, keyOf(a.Slots[i].Counter))
	}
	for i := range a.Budgets {
		b := &a.Budgets[i]
		keys = appendBudget(keys, b)
		args.add(min(b.Limit, exact), min(b.Reserve(p.output), exact), min(b.Reserve(output), exact),
			b.Window.Rolling.Milliseconds(), opening(b, c.now()), flag(b.Advisory))
	}
	return &call{script: scriptExtend, keys: keys, args: args}
}
