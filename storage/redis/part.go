package redis

import (
	"strings"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// prefix is that of all our keys.
const prefix = "aistrale:"

// tag is what stands in braces in a counter's name: Redis Cluster keeps what has one tag in one
// place.
func tag(counter string) string {
	_, after, _ := strings.Cut(counter, "{")
	inner, _, closed := strings.Cut(after, "}")
	if !closed || inner == "" {
		return untagged
	}
	return inner
}

// place is where a counter's bookkeeping lies: with its tag in a cluster, else all in one.
func (c *Counters) place(counter string) string {
	if c.cluster {
		return tag(counter)
	}
	return untagged
}

// part is what is asked in one place: the whole ask, but in a cluster where it concerns both a
// workspace and everybody.
type part struct {
	place string
	ask   *policy.Ask
	// Where its rates, slots and budgets stand in the whole; nil where it is the whole.
	rates, slots, budgets []int

	output int64  // granted
	taken  string // when, by the server's clock, in 19 digits of nanoseconds
}

// own gives the part an ask of its own: whoever asked may use the ask again once its lease is
// settled, which Redis is told of later. A usual one is one allocation.
func (p part) own() part {
	var room struct {
		ask     policy.Ask
		rates   [2]policy.RateAsk
		slots   [1]policy.SlotAsk
		budgets [2]policy.BudgetAsk
	}
	r := &room
	r.ask = *p.ask
	r.ask.Rates = append(r.rates[:0], p.ask.Rates...)
	r.ask.Slots = append(r.slots[:0], p.ask.Slots...)
	r.ask.Budgets = append(r.budgets[:0], p.ask.Budgets...)
	p.ask = &r.ask
	return p
}

// at is where the i-th of a part stands in the whole.
func at(list []int, i int) int {
	if list == nil {
		return i
	}
	return list[i]
}

// split adds the parts of an ask to none, in one order for all: first those of places that fewer share.
func (c *Counters) split(a *policy.Ask, parts []part) []part {
	if !c.cluster {
		return append(parts, part{place: untagged, ask: a})
	}
	in := func(counter string) *part {
		place := tag(counter)
		for i := range parts {
			if parts[i].place == place {
				return &parts[i]
			}
		}
		ask := *a
		ask.Rates, ask.Slots, ask.Budgets = nil, nil, nil
		p := part{place: place, ask: &ask, rates: []int{}, slots: []int{}, budgets: []int{}}
		parts = append(parts, p)
		return &parts[len(parts)-1]
	}
	for i := range a.Rates {
		p := in(a.Rates[i].Counter)
		p.ask.Rates, p.rates = append(p.ask.Rates, a.Rates[i]), append(p.rates, i)
	}
	for i := range a.Slots {
		p := in(a.Slots[i].Counter)
		p.ask.Slots, p.slots = append(p.ask.Slots, a.Slots[i]), append(p.slots, i)
	}
	for i := range a.Budgets {
		p := in(a.Budgets[i].Counter)
		p.ask.Budgets, p.budgets = append(p.ask.Budgets, a.Budgets[i]), append(p.budgets, i)
	}
	last := len(parts) - 1
	for i := range parts {
		if parts[i].place == everybody {
			parts[i], parts[last] = parts[last], parts[i]
		}
	}
	return parts
}

const (
	everybody = "*" // the tag of counters that all workspaces share
	untagged  = "-" // that of counters without one
)

// keyBorn says since when a place's counters are complete.
func keyBorn(place string) string { return prefix + "{" + place + "}:since" }

// keyBatch says which batch of a node was the last.
func keyBatch(place, node string) string { return prefix + "{" + place + "}:node:" + node }

const keyNodes = prefix + "{" + untagged + "}:nodes"

func keyOf(counter string) string {
	if tag(counter) == untagged {
		return prefix + "{" + untagged + "}" + counter
	}
	return prefix + counter
}

// The keys beside a budget's own.
func keyLeases(budget string) string { return budget + ":leases" }
func keyKnown(budget string) string  { return budget + ":known" }

// appendBudget adds a budget's keys.
func appendBudget(keys []string, b *policy.BudgetAsk) []string {
	key := keyOf(b.Counter)
	return append(keys, key, keyLeases(key))
}

// opening is when a budget's window began, as scripts read it: 0 where it has no beginning, and
// -1 where it began before this process counted the budget, so that only the ledger knows it.
func opening(b *policy.BudgetAsk, now time.Time) int64 {
	start := b.Window.Start
	if b.Window.Rolling > 0 {
		start = now.Add(-b.Window.Rolling)
	}
	if start.Before(b.Since) {
		return -1
	}
	return millis(b.Window.Start)
}

// millis is a time as scripts read it; 0 where there is none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
