package policy

import (
	"context"
	"sync"
	"time"
)

// idle is how long a counter is left alone before it is looked at again, and how long a budget
// outlives its window: the clock may be set back.
const idle = int64(time.Hour)

// MeterOptions are a Meter's ports.
type MeterOptions struct {
	Now func() time.Time // nil: time.Now
	// Leak is how long a lease stands that nobody settles, where its ask says less: a process
	// that lives is the sign of life of all its leases, so that this only ends one that a defect
	// lost. 0 is six hours.
	Leak time.Duration
	// Threshold is told of shares of budgets, each once in a window. It is called without a
	// lock, on the path of the call that came to the share, so it must be quick.
	Threshold func(Threshold)
	// History says what the ledger has for a budget since the start of its window, or since a
	// time in rolling ones. It is asked once, when a budget is first asked whose window began
	// before the Meter did. nil: nothing was spent before.
	History func(ctx context.Context, b *BudgetAsk, since time.Time) ([]Amount, error)
}

const usualLeak = 6 * time.Hour

// Amount is what was spent at a time.
type Amount struct {
	At    time.Time
	Units int64 // nano-USD or tokens
	// Lease names the one attempt that spent it. Where a counter is shared by nodes, what was
	// spent in the last minutes must be told by leases: a settlement that is still under way to
	// the counter is then not counted twice. "" is a sum of older ones.
	Lease string
}

// Meter is the Counters of one process, in memory. It has no goroutine: what is due is done by
// whoever comes next.
type Meter struct {
	options  MeterOptions
	base     time.Time // times within are nanoseconds since
	learning chan struct{}

	mu      sync.Mutex
	now     int64 // never goes back
	wheel   wheel
	rates   map[string]*rate
	slots   map[string]*slot
	budgets map[string]*budget
	asked   lease       // the counters of the ask at hand; its room is used again
	told    []Threshold // to be told when mu is free
}

// NewMeter makes counters that stand at zero.
func NewMeter(o MeterOptions) *Meter {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Leak == 0 {
		o.Leak = usualLeak
	}
	m := &Meter{
		options: o, base: o.Now(), learning: make(chan struct{}, 1),
		rates: map[string]*rate{}, slots: map[string]*slot{}, budgets: map[string]*budget{},
	}
	return m
}

// Take implements Counters. Its error is History's or the context's.
func (m *Meter) Take(ctx context.Context, a *Ask) (Verdict, error) {
	for {
		m.lock(a.Now)
		if !m.unknown(a) {
			v := m.take(a)
			m.unlock()
			return v, nil
		}
		m.unlock()
		for i := range a.Budgets {
			if err := m.learn(ctx, &a.Budgets[i]); err != nil {
				return Verdict{}, err
			}
		}
	}
}

// lock begins a step at a time, and does what was due before it.
func (m *Meter) lock(now time.Time) {
	m.mu.Lock()
	m.now = max(m.now, int64(now.Sub(m.base)))
	m.wheel.advance(m, m.now)
}

func (m *Meter) unlock() {
	told := m.told
	m.told = nil
	m.mu.Unlock()
	if m.options.Threshold != nil {
		for _, t := range told {
			m.options.Threshold(t)
		}
	}
}

func (m *Meter) tell(t Threshold) { m.told = append(m.told, t) }

func (m *Meter) take(a *Ask) Verdict {
	l := &m.asked
	l.rates, l.slots, l.budgets = l.rates[:0], l.slots[:0], l.budgets[:0]
	for i := range a.Rates {
		l.rates = append(l.rates, m.rate(a.Rates[i].Counter, m.now))
	}
	for i := range a.Slots {
		l.slots = append(l.slots, m.slot(a.Slots[i].Counter))
	}
	for i := range a.Budgets {
		l.budgets = append(l.budgets, hold{budget: m.budget(&a.Budgets[i], a.Now)})
	}
	output, refused := l.check(a, m.now)
	if refused.Kind != 0 {
		v := Verdict{Refused: refused}
		if len(a.Rates) > 0 {
			v.Rates = l.states(make([]RateState, 0, len(a.Rates)), a, m.now)
		}
		return v
	}
	return m.grant(a, output)
}

// grant makes a lease of the counters of the ask at hand.
func (m *Meter) grant(a *Ask, output int64) Verdict {
	l := &lease{taken: m.now, grant: Grant{Ask: a, Output: output}}
	l.grant.lease = l
	l.timed.owner = l
	l.rates = append(l.room.rates[:0], m.asked.rates...)
	l.slots = append(l.room.slots[:0], m.asked.slots...)
	l.budgets = append(l.room.budgets[:0], m.asked.budgets...)
	for i, r := range l.rates {
		r.take(&a.Rates[i], m.now)
	}
	for _, s := range l.slots {
		s.used++
	}
	for i := range l.budgets {
		h := &l.budgets[i]
		h.amount = a.Budgets[i].reserve(output)
		h.budget.reserved = plus(h.budget.reserved, h.amount)
		h.budget.held++
	}
	m.hold(l)
	v := Verdict{Grant: &l.grant}
	if len(a.Rates) > 0 {
		v.Rates = l.states(l.room.states[:0], a, m.now)
	}
	return v
}

// hold has a lease run out, should nobody settle it.
func (m *Meter) hold(l *lease) {
	m.wheel.put(&l.timed, m.now+int64(max(l.grant.Ask.Alive, m.options.Leak)))
}

func (l *lease) states(dst []RateState, a *Ask, now int64) []RateState {
	for i, r := range l.rates {
		dst = append(dst, r.state(&a.Rates[i], now))
	}
	return dst
}

func (m *Meter) rate(name string, now int64) *rate {
	r := m.rates[name]
	if r == nil {
		r = &rate{name: name}
		r.owner = r
		m.rates[name] = r
		m.wheel.put(&r.timed, now+idle)
	}
	return r
}

func (m *Meter) slot(name string) *slot {
	s := m.slots[name]
	if s == nil {
		s = &slot{name: name}
		s.owner = s
		m.slots[name] = s
		m.wheel.put(&s.timed, m.now+idle)
	}
	return s
}

// budget gives a budget's counter as it stands now. The end of its window is told anew each
// time, by the wall clock, which may have been set.
func (m *Meter) budget(a *BudgetAsk, now time.Time) *budget {
	b := m.budgets[a.Counter]
	if b == nil {
		b = &budget{name: a.Counter, end: forever}
		if a.Window.Rolling > 0 {
			b.rolling = newRolling(a.Window.Rolling, m.now)
		}
		b.owner = b
		m.budgets[a.Counter] = b
		m.wheel.put(&b.timed, m.now+idle)
	}
	if !a.Window.End.IsZero() {
		b.end = m.now + int64(a.Window.End.Sub(now))
	}
	b.forget(m.now)
	return b
}

// Extend implements Counters.
func (m *Meter) Extend(_ context.Context, g *Grant, tokens int64) (bool, error) {
	if g == nil || g.lease == nil {
		return false, nil
	}
	m.lock(m.options.Now())
	defer m.unlock()
	l := g.lease
	if l.phase != leaseOpen {
		return false, nil
	}
	m.wheel.drop(&l.timed)
	m.hold(l)
	return tokens <= 0 || l.extend(tokens, m.now), nil
}

// Settle implements Counters.
func (m *Meter) Settle(g *Grant, s Spent) {
	if g == nil || g.lease == nil {
		return
	}
	m.lock(m.options.Now())
	defer m.unlock()
	l := g.lease
	switch l.phase {
	case leaseOpen:
		m.wheel.drop(&l.timed)
		l.settle(m, s, m.now)
	case leaseExpired:
		l.settleLate(m, s, m.now)
	case leaseSettled:
	}
	l.phase = leaseSettled
}
