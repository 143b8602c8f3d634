package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// exact bounds what Lua reckons without rounding; more is as good as this.
const exact = 1 << 53

// Take implements policy.Counters, in one round trip; in a cluster in one for each place that the
// ask concerns. Where Redis has to be told first what the ledger says, it waits for that within
// the same timeout. Its error wraps ErrDown or ErrUnknown, or is the context's. Whatever may have
// been taken is then given back.
func (c *Counters) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	h := &held{grant: policy.Grant{Ask: a, Output: max(0, a.Output)}}
	g := &h.grant
	if len(a.Rates)+len(a.Slots)+len(a.Budgets) == 0 {
		return policy.Verdict{Grant: g}, nil
	}
	parts := c.split(a, h.part[:0])
	until := time.Now().Add(c.options.Timeout)
	v := policy.Verdict{Grant: g, Rates: h.states[:0]}
	for i := range a.Rates { // of places that are not asked, because another refused
		v.Rates = append(v.Rates, policy.RateState{Remaining: a.Rates[i].Burst})
	}
	for i := range parts {
		p := &parts[i]
		p.output = g.Output
		refused, err := c.takePart(ctx, p, v.Rates, until)
		if err != nil {
			c.giveBack(parts[:i+1], err)
			return policy.Verdict{}, err
		}
		if refused.Kind != 0 {
			v.Grant, v.Refused, v.Parted = nil, refused, i > 0
			c.giveBack(parts[:i], nil)
			return v, nil
		}
		g.Output = p.output
	}
	h.parts = parts
	c.hold(h)
	return v, nil
}

// takePart asks one place, and once more where it had to read a budget from the ledger first.
func (c *Counters) takePart(ctx context.Context, p *part, states []policy.RateState, until time.Time) (policy.Refused, error) {
	for again := false; ; again = true {
		one := c.callTake(p)
		if err := c.do(ctx, one); err != nil {
			return policy.Refused{}, err // others may still have the call
		}
		reply := one.numbers
		if reply[0] != takeLearn {
			defer c.spare.Put(one)
			return c.granted(p, reply, states)
		}
		if again {
			return policy.Refused{}, ErrUnknown
		}
		for _, i := range reply[1:] {
			if err := c.learn(ctx, &p.ask.Budgets[i], until); err != nil {
				return policy.Refused{}, err
			}
		}
	}
}

// What take.lua begins its answer with.
const (
	takeRefused = 0
	takeGranted = 1
	takeLearn   = 2
)

func (c *Counters) callTake(p *part) *call {
	a := p.ask
	one, _ := c.spare.Get().(*call)
	if one == nil {
		one = &call{script: scriptTake}
	}
	keys, args := append(one.keys[:0], c.names.born(p.place)), &one.args
	*one = call{script: scriptTake, args: one.args, done: one.done}
	args.again()
	args.add(c.shift.Load(), c.learns())
	args.share()
	args.word(a.Lease)
	args.add(a.Alive.Milliseconds(), min(p.output, exact), min(max(0, a.Least), p.output, exact))
	args.add(int64(len(a.Rates)), int64(len(a.Slots)), int64(len(a.Budgets)))
	for i := range a.Rates {
		r := &a.Rates[i]
		keys = append(keys, c.names.of(r.Counter).key)
		args.add(int64(max(0, r.Interval)), r.Burst, max(0, r.Cost))
	}
	for i := range a.Slots {
		keys = append(keys, c.names.of(a.Slots[i].Counter).key)
		args.add(a.Slots[i].Limit)
	}
	now := c.now()
	for i := range a.Budgets {
		b := &a.Budgets[i]
		name := c.names.of(b.Counter)
		keys = append(keys, name.key, name.leases)
		args.add(min(b.Limit, exact), min(max(0, b.Fixed), exact), min(max(0, b.PerMillion), exact),
			b.Window.Rolling.Milliseconds(), opening(b, now), millis(b.Window.End), flag(b.Advisory))
	}
	one.keys = keys
	return one
}

// learns says to scripts whether a ledger knows what they do not.
func (c *Counters) learns() int64 { return flag(c.options.History != nil) }

func flag(set bool) int64 {
	if set {
		return 1
	}
	return 0
}

// granted reads what a place answered.
func (c *Counters) granted(p *part, reply []int64, states []policy.RateState) (policy.Refused, error) {
	const head = 7
	a := p.ask
	if len(reply) != head+2*len(a.Rates)+2*len(a.Budgets) {
		return policy.Refused{}, fmt.Errorf("%w as they should: an answer of %d numbers", ErrDown, len(reply))
	}
	p.taken = digits(reply[5], reply[6])
	rest := reply[head:]
	for i := range a.Rates {
		states[at(p.rates, i)] = policy.RateState{Remaining: rest[2*i], Reset: time.Duration(rest[2*i+1])}
	}
	rest = rest[2*len(a.Rates):]
	c.leases.see(a.Budgets, rest, c.now())
	if reply[0] == takeGranted {
		p.output = reply[1]
		return policy.Refused{}, nil
	}
	index := int(reply[2])
	refused := policy.Refused{Kind: policy.AskKind(reply[1]), Wait: time.Duration(reply[3]), Held: reply[4] == 1}
	switch refused.Kind {
	case policy.AskRate:
		refused.Index = at(p.rates, index)
	case policy.AskSlot:
		refused.Index, refused.Wait = at(p.slots, index), policy.SlotWait
	case policy.AskBudget:
		refused.Index = at(p.budgets, index)
	}
	return refused, nil
}

// digits writes a time as scripts read it.
func digits(seconds, nanos int64) string {
	return strconv.FormatInt(seconds*1_000_000_000+nanos, 10)
}

// numbers reads an answer.
func numbers(reply any) ([]int64, error) {
	list, ok := reply.([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%w as they should: an answer of %T", ErrDown, reply)
	}
	out := make([]int64, len(list))
	for i := range list {
		n, ok := list[i].(int64)
		if !ok {
			return nil, fmt.Errorf("%w as they should: an answer with a %T", ErrDown, list[i])
		}
		out[i] = n
	}
	return out, nil
}
