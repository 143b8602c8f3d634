package redis

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// oldest bounds how long a lease is kept alive for a call that never ends.
const oldest = 6 * time.Hour

// leases are those of this node that are not settled.
type leases struct {
	mu   sync.Mutex
	held map[*policy.Grant]*held
	seen map[string]sight
}

// held is a lease of this node. A usual one is one allocation.
type held struct {
	grant       policy.Grant
	parts       []part
	part        [1]part // room for the usual number
	states      [2]policy.RateState
	taken, next time.Time // when it was taken, and when it is to be kept alive
}

// sight is how a budget stood when this node last saw it.
type sight struct {
	policy.BudgetState
	at time.Time
}

// hold remembers a grant. Where one place granted less than those before it, they are told.
func (c *Counters) hold(h *held) {
	g := &h.grant
	for i := range h.parts {
		if p := &h.parts[i]; p.output > g.Output {
			p.output = g.Output
			c.push(renewal(p))
		}
	}
	now := c.now()
	h.taken, h.next = now, now.Add(g.Ask.Alive/3)
	c.leases.mu.Lock()
	defer c.leases.mu.Unlock()
	c.leases.held[g] = h
}

// drop forgets a lease and gives what it held; nil where it is settled already.
func (l *leases) drop(g *policy.Grant) []part {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[g]
	if h == nil {
		return nil
	}
	delete(l.held, g)
	return h.parts
}

// of gives a copy of what a lease holds.
func (l *leases) of(g *policy.Grant) []part {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[g]
	if h == nil {
		return nil
	}
	return slices.Clone(h.parts)
}

// grow notes that a lease holds more output.
func (l *leases) grow(g *policy.Grant, output int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[g]
	if h == nil {
		return false
	}
	for i := range h.parts {
		h.parts[i].output = output
	}
	g.Output = output
	return true
}

// keepAlive queues what Redis should hear of leases now. It does so under the lock that settling
// takes first: a sign of life that came after the settlement would make the lease anew.
func (c *Counters) keepAlive(now time.Time) {
	l := &c.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []part
	for g, h := range l.held {
		if now.Before(h.next) || now.Sub(h.taken) > oldest {
			continue
		}
		h.next = now.Add(g.Ask.Alive / 3)
		due = append(due, h.parts...)
	}
	slices.SortFunc(due, func(a, b part) int { return strings.Compare(a.ask.Lease, b.ask.Lease) })
	for i := range due {
		c.push(renewal(&due[i]))
	}
}

// see remembers how budgets stand: pairs of spent and reserved.
func (l *leases) see(budgets []policy.BudgetAsk, pairs []int64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range budgets {
		l.seen[budgets[i].Counter] = sight{policy.BudgetState{Spent: pairs[2*i], Reserved: pairs[2*i+1]}, now}
	}
}

// forget drops what was not seen for so long that it says nothing.
func (l *leases) forget(now time.Time) {
	const old = 24 * time.Hour
	l.mu.Lock()
	defer l.mu.Unlock()
	for counter, s := range l.seen {
		if now.Sub(s.at) > old {
			delete(l.seen, counter)
		}
	}
}

// Seen says how a budget stood when this node last heard of it, and when; zero is never.
func (c *Counters) Seen(counter string) (policy.BudgetState, time.Time) {
	c.leases.mu.Lock()
	defer c.leases.mu.Unlock()
	s := c.leases.seen[counter]
	return s.BudgetState, s.at
}
