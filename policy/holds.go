package policy

import "github.com/aistrale/aistrale/storage"

// Holds appends what the grant held of each limit and budget, and what was spent of it, in the
// order of its ask.
func (g *Grant) Holds(to []storage.Hold, s *Spent) []storage.Hold {
	for i := range g.Ask.Rates {
		a := &g.Ask.Rates[i]
		to = append(to, storage.Hold{Counter: a.Counter, Unit: a.Of.unit(), Limit: a.Burst, Held: a.Cost, Spent: s.rate(i, a.Cost)})
	}
	for i := range g.Ask.Slots {
		a := &g.Ask.Slots[i]
		to = append(to, storage.Hold{Counter: a.Counter, Unit: storage.UnitCalls, Limit: a.Limit, Held: 1})
	}
	for i := range g.Ask.Budgets {
		a := &g.Ask.Budgets[i]
		held := a.reserve(g.Output)
		to = append(to, storage.Hold{Counter: a.Counter, Unit: a.Of.unit(), Limit: a.Limit, Held: held, Spent: s.budget(i, held)})
	}
	return to
}

func (r *RateRule) unit() storage.Unit {
	if r == nil {
		return storage.UnitRequests
	}
	return r.Counts.unit()
}

func (r *BudgetRule) unit() storage.Unit {
	if r == nil {
		return storage.UnitNano
	}
	return r.Counts.unit()
}

func (c Counted) unit() storage.Unit {
	switch c {
	case CountedRequests:
		return storage.UnitRequests
	case CountedNano:
		return storage.UnitNano
	case CountedTokens, CountedInput, CountedOutput:
	}
	return storage.UnitTokens
}
