package redis

import (
	"errors"
	"net"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// item is what one place is told of one lease.
type item struct {
	what    string // settle, charge, again, undo, inherit or renew, as settle.lua says
	part    part
	units   []int64 // of each rate, more or less than was taken
	amounts []int64 // of each budget
	at      time.Time
}

// Settle implements policy.Counters: what is settled waits in memory for the next batch, and
// stays there while Redis is away. A grant that a stand-in gave is charged here in full.
func (c *Counters) Settle(g *policy.Grant, s policy.Spent) {
	if g == nil || g.Ask == nil {
		return
	}
	parts, what := c.leases.drop(g), "settle"
	if parts == nil {
		if !g.Degraded {
			return
		}
		parts, what = c.split(g.Ask, nil), "charge"
		for i := range parts {
			parts[i].output = g.Output
			parts[i].taken = digits(g.Ask.Now.Unix(), int64(g.Ask.Now.Nanosecond()))
		}
	}
	now := c.serverNow()
	for i := range parts {
		p := &parts[i]
		it := item{what: what, part: *p, at: now, units: make([]int64, len(p.ask.Rates)), amounts: make([]int64, len(p.ask.Budgets))}
		for j := range p.ask.Rates {
			cost := p.ask.Rates[j].Cost
			it.units[j] = said(s.Rates, at(p.rates, j), cost)
			if what == "settle" {
				it.units[j] -= cost
			}
		}
		for j := range p.ask.Budgets {
			it.amounts[j] = said(s.Budgets, at(p.budgets, j), p.ask.Budgets[j].Reserve(p.output))
		}
		c.push(it)
	}
}

// Inherit settles a lease of a node that died by its name. Of what is said to be less than 0, all
// that it held counts. A lease that Redis does not know, or that is settled, is left alone; one
// that ran out, and was charged in full, is corrected within a day.
func (c *Counters) Inherit(a *policy.Ask, spent []int64) {
	parts := c.split(a, nil)
	for i := range parts {
		p := &parts[i]
		it := item{what: "inherit", part: *p, at: a.Now, units: make([]int64, len(p.ask.Rates)), amounts: make([]int64, len(p.ask.Budgets))}
		for j := range p.ask.Budgets {
			it.amounts[j] = spent[at(p.budgets, j)]
		}
		c.push(it)
	}
}

// said is what was spent, or what holds where nothing is said.
func said(spent []int64, i int, otherwise int64) int64 {
	if i < len(spent) {
		return max(0, spent[i])
	}
	return otherwise
}

// renewal tells that a lease is alive, and what it holds.
func renewal(p *part) item {
	it := item{what: "renew", part: *p, amounts: make([]int64, len(p.ask.Budgets))}
	for i := range p.ask.Budgets {
		it.amounts[i] = p.ask.Budgets[i].Reserve(p.output)
	}
	return it
}

// giveBack undoes a Take in those places where it was granted. err is that of the last place,
// which may have granted it all the same: its rates are left alone, they may not have been taken.
// It is no settlement: that of a stand-in's grant has the same lease, and follows.
func (c *Counters) giveBack(parts []part, err error) {
	for i := range parts {
		p := &parts[i]
		unsure := err != nil && i == len(parts)-1
		if unsure && untaken(err) {
			continue
		}
		it := item{what: "undo", part: *p, at: c.serverNow(), amounts: make([]int64, len(p.ask.Budgets)), units: make([]int64, len(p.ask.Rates))}
		if !unsure {
			for j := range p.ask.Rates {
				it.units[j] = -p.ask.Rates[j].Cost
			}
		}
		c.push(it)
	}
}

// untaken reports whether an error says that nothing can have been done.
func untaken(err error) bool {
	var dial *net.OpError
	return errors.Is(err, errNotSent) || errors.Is(err, ErrUnknown) || errors.As(err, &dial) && dial.Op == "dial"
}
