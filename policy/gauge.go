package policy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Gauge says how the counters of an ask stand, each list in the order of the ask's.
type Gauge struct {
	Rates   []RateState
	Slots   []int64 // places that are taken
	Budgets []BudgetState
	// Degraded is set where the real counters could not be reached: it is what this node knows.
	Degraded bool
}

// Gauger says how counters stand.
type Gauger interface {
	Gauge(ctx context.Context, a *Ask) (Gauge, error)
}

// StateOf says how one budget's counter stands.
func StateOf(ctx context.Context, g Gauger, b *BudgetAsk) (BudgetState, error) {
	stands, err := g.Gauge(ctx, &Ask{Budgets: []BudgetAsk{*b}})
	if err != nil {
		return BudgetState{}, err
	}
	return stands.Budgets[0], nil
}

// Standing gives an ask of all that may hold for the key's calls at a time, whatever their
// models, to be read by Counters.Gauge; what is for sessions only where one is named.
func (k *KeyLimits) Standing(now time.Time, session string) *Ask {
	a := &Ask{Now: now}
	w := &Wanted{Session: session}
	for _, r := range k.rates {
		if r.Of.Holder.has(w) {
			r.Counter = r.Of.Holder.counter(r.Counter, w)
			a.Rates = append(a.Rates, r)
		}
	}
	for _, s := range k.slots {
		if s.Of.Holder.has(w) {
			s.Counter = s.Of.Holder.counter(s.Counter, w)
			a.Slots = append(a.Slots, s)
		}
	}
	for i := range k.budgets {
		b := k.budgets[i].at(now)
		if b.Of.Holder.has(w) {
			b.Counter = b.Of.Holder.counter(b.Counter, w)
			a.Budgets = append(a.Budgets, b)
		}
	}
	return a
}

// Scope is the scope that the holder's own counter is for: key/ci, also of a limit for key/*.
func (h *Holder) Scope() storage.Scope { return storage.Scope{Kind: h.Kind, Name: h.Name} }

// Gauge implements Counters. Its error is History's or the context's.
func (m *Meter) Gauge(ctx context.Context, a *Ask) (Gauge, error) {
	for i := range a.Budgets {
		if err := m.learn(ctx, &a.Budgets[i]); err != nil {
			return Gauge{}, err
		}
	}
	m.lock(m.options.Now())
	defer m.unlock()
	var g Gauge
	for i := range a.Rates {
		r := m.rates[a.Rates[i].Counter]
		if r == nil {
			r = &rate{}
		}
		g.Rates = append(g.Rates, r.state(&a.Rates[i], m.now))
	}
	for i := range a.Slots {
		var used int64
		if s := m.slots[a.Slots[i].Counter]; s != nil {
			used = s.used
		}
		g.Slots = append(g.Slots, used)
	}
	for i := range a.Budgets {
		var state BudgetState
		if b := m.budgets[a.Budgets[i].Counter]; b != nil {
			b.forget(m.now)
			state = BudgetState{Spent: b.spent, Reserved: b.reserved}
		}
		g.Budgets = append(g.Budgets, state)
	}
	return g, nil
}

// Gauge implements Counters. While the shared counters cannot be reached it says what this node
// counts by itself of its share; of budgets, with what was gone before. Its error wraps
// ErrNoCounters where it counts nothing.
func (f *FallbackCounters) Gauge(ctx context.Context, a *Ask) (Gauge, error) {
	g, err := f.options.Shared.Gauge(ctx, a)
	if err == nil || ctx.Err() != nil {
		return g, err
	}
	if f.options.Rates != OutageLocal && len(a.Rates)+len(a.Slots) > 0 ||
		f.options.Budgets != OutageLocal && len(a.Budgets) > 0 {
		return Gauge{}, fmt.Errorf("%w: %w", ErrNoCounters, err)
	}
	share, why := f.share(ctx, a)
	if why == nil {
		g, why = f.meter().Gauge(ctx, share)
	}
	if why != nil {
		return Gauge{}, fmt.Errorf("%w: %w", ErrNoCounters, errors.Join(err, why))
	}
	for i := range g.Budgets {
		base, _ := f.known(a.Budgets[i].Counter) // that of advisory budgets is not kept
		g.Budgets[i].Spent = plus(g.Budgets[i].Spent, base)
	}
	g.Degraded = true
	return g, nil
}
