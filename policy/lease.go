package policy

// lease is what one grant of a Meter holds.
type lease struct {
	timed
	grant Grant
	phase phase
	taken int64 // when

	rates   []*rate // in the order of the ask
	slots   []*slot
	budgets []hold
	room    leaseRoom
}

// leaseRoom has the places of a usual lease, so that a grant is one allocation.
type leaseRoom struct {
	rates   [2]*rate
	slots   [1]*slot
	budgets [2]hold
	states  [2]RateState
}

// hold is what a lease has reserved of a budget, or what was charged when it ran out, and where.
type hold struct {
	budget *budget
	amount int64
	slice  int64
}

type phase uint8

const (
	leaseOpen phase = iota
	leaseExpired
	leaseSettled
)

// slot counts calls under way.
type slot struct {
	timed
	name string
	used int64
}

// expire drops a slot that nobody has.
func (s *slot) expire(m *Meter, now int64) {
	if s.used > 0 {
		m.wheel.put(&s.timed, now+idle)
		return
	}
	delete(m.slots, s.name)
}

// expire closes a lease whose holder gave no sign of life. Nobody knows what it spent: it is
// charged what it reserved, until a late settlement says better.
func (l *lease) expire(m *Meter, now int64) {
	l.phase = leaseExpired
	l.release()
	for i := range l.budgets {
		h, a := &l.budgets[i], &BudgetAsk{}
		if i < len(l.grant.Ask.Budgets) { // who lost a lease may have used its ask again
			a = &l.grant.Ask.Budgets[i]
		}
		h.budget.forget(now)
		h.budget.reserved -= h.amount
		h.slice = h.budget.spend(now, h.amount)
		h.budget.cross(a, now, m.tell)
	}
}

// release gives the slots back and lets go of the counters.
func (l *lease) release() {
	for _, s := range l.slots {
		s.used--
	}
	for i := range l.budgets {
		l.budgets[i].budget.held--
	}
}

// settle charges what was spent of a lease that is open.
func (l *lease) settle(m *Meter, s Spent, now int64) {
	l.release()
	for i := range l.budgets {
		h, a := &l.budgets[i], &l.grant.Ask.Budgets[i]
		h.budget.forget(now)
		h.budget.reserved -= h.amount
		h.budget.spend(now, s.budget(i, h.amount))
		h.budget.cross(a, now, m.tell)
	}
	l.correctRates(m, s, now)
}

// settleLate corrects what was charged when the lease ran out.
func (l *lease) settleLate(m *Meter, s Spent, now int64) {
	for i := range l.budgets {
		h, a := &l.budgets[i], &l.grant.Ask.Budgets[i]
		h.budget.forget(now)
		h.budget.correct(h.slice, now, s.budget(i, h.amount)-h.amount)
		h.budget.cross(a, now, m.tell)
	}
	l.correctRates(m, s, now)
}

func (l *lease) correctRates(m *Meter, s Spent, now int64) {
	for i, r := range l.rates {
		a := &l.grant.Ask.Rates[i]
		units := s.rate(i, a.Cost) - a.Cost
		if units == 0 || units < 0 && r.gone {
			continue
		}
		if r.gone {
			r = m.rate(a.Counter, now)
		}
		r.correct(a.Interval, units, l.taken, now)
	}
}

func (s *Spent) rate(i int, cost int64) int64 {
	if i < len(s.Rates) {
		return max(0, s.Rates[i])
	}
	return cost
}

func (s *Spent) budget(i int, reserved int64) int64 {
	if i < len(s.Budgets) {
		return max(0, s.Budgets[i])
	}
	return reserved
}

// extend reserves so many tokens more of every budget, or of none.
func (l *lease) extend(tokens, now int64) bool {
	g := &l.grant
	output := plus(g.Output, tokens)
	for i := range l.budgets {
		h, a := &l.budgets[i], &g.Ask.Budgets[i]
		h.budget.forget(now)
		if !a.Advisory && a.reserve(output)-h.amount > h.budget.free(a.Limit) {
			return false
		}
	}
	for i := range l.budgets {
		h, a := &l.budgets[i], &g.Ask.Budgets[i]
		more := a.reserve(output) - h.amount
		h.amount += more
		h.budget.reserved = plus(h.budget.reserved, more)
	}
	g.Output = output
	return true
}
