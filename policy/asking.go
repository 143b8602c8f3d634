package policy

import (
	"fmt"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Wanted is what one attempt wants.
type Wanted struct {
	Lease  string
	Now    time.Time
	Alive  time.Duration
	Asked  string // the model, as the client named it
	Target Target
	// Input is a true upper bound of the input's tokens, Estimate what it may really be.
	Input, Estimate int64
	// Output is how many tokens the call may make at most, of all choices together, and Least
	// how few it is worth sending for; Said is set where the client bounded it.
	Output, Least int64
	Said          bool
	// Made are tokens of output that cannot be clamped, at most: of a sound, an image, a transcript.
	Made int64
	// Upper is the most that it may cost at the target's price.
	Upper Upper
	// Unbounded names what makes the cost unbounded, "" where it has a bound.
	Unbounded string
	// Begins is set where Unbounded names an operation that begins what is billed later.
	Begins bool
	Stream bool
	Free   bool // nothing is charged for it: no budget is asked
	// Session is the client's name of its session, "" where it has none: what is limited for each
	// session does not hold for the call then.
	Session string
	// Charged are the request rates that an earlier attempt of the same request was charged.
	Charged *Charged
}

// Charged are the request rates that one request was charged, which it is only once, however
// many attempts it takes. It is empty before the first.
type Charged struct{ rules []*RateRule }

// Reset empties it, for the next request.
func (c *Charged) Reset() { c.rules = c.rules[:0] }

// Note adds the request rates of an ask that was granted.
func (c *Charged) Note(a *Ask) {
	for i := range a.Rates {
		if rule := a.Rates[i].Of; rule != nil && rule.Counts == CountedRequests {
			c.rules = append(c.rules, rule)
		}
	}
}

// Join adds what another attempt of the same request was charged.
func (c *Charged) Join(other *Charged) {
	for _, rule := range other.rules {
		if !c.has(rule) {
			c.rules = append(c.rules, rule)
		}
	}
}

func (c *Charged) has(rule *RateRule) bool {
	if c == nil {
		return false
	}
	for _, r := range c.rules {
		if r == rule {
			return true
		}
	}
	return false
}

// Ask puts into an ask all that an attempt must be granted. Request rates are asked once for a
// request; token rates for each attempt, since an attempt that used none gives them back. Its
// errors are *providers.Fault: a hard budget lets through nothing that it cannot bound.
func (k *KeyLimits) Ask(into *Ask, w *Wanted) error {
	*into = Ask{
		Lease: w.Lease, Now: w.Now, Alive: w.Alive, Output: w.Output, Least: w.Least,
		Rates: into.Rates[:0], Slots: into.Slots[:0], Budgets: into.Budgets[:0],
	}
	for i := range k.rates {
		r := &k.rates[i]
		if !fits(r.Of.Models, w) || r.Of.Counts == CountedRequests && w.Charged.has(r.Of) || !r.Of.Holder.has(w) {
			continue
		}
		ask := *r
		if ask.Cost = k.units(r, w); ask.Cost == 0 {
			continue // it takes none of these
		}
		ask.Counter = r.Of.Holder.counter(r.Counter, w)
		into.Rates = append(into.Rates, ask)
	}
	for i := range k.slots {
		if of := k.slots[i].Of; fits(of.Models, w) && of.Holder.has(w) {
			ask := k.slots[i]
			ask.Counter = of.Holder.counter(ask.Counter, w)
			into.Slots = append(into.Slots, ask)
		}
	}
	for i := range k.budgets {
		b := &k.budgets[i]
		if w.Free || !fits(b.ask.Of.Budget.Models, w) || !b.ask.Of.Holder.has(w) {
			continue
		}
		ask := b.at(w.Now)
		ask.Counter = ask.Of.Holder.counter(ask.Counter, w)
		if err := ask.price(w); err != nil {
			return err
		}
		into.Budgets = append(into.Budgets, ask)
	}
	return nil
}

// units is what a call costs of a rate, by what is likely. What nobody said makes no call one
// that never fits: long answers to some calls would else shut the key out for good.
func (k *KeyLimits) units(r *RateAsk, w *Wanted) int64 {
	output := w.Output
	if !w.Said {
		input := w.Estimate
		if r.Of.Counts == CountedOutput {
			input = 0
		}
		output = min(output, k.mean.get(), max(0, r.Burst-input))
	}
	switch r.Of.Counts {
	case CountedInput:
		return w.Estimate
	case CountedOutput:
		return output
	case CountedTokens:
		return plus(w.Estimate, output)
	case CountedRequests, CountedNano:
	}
	return 1
}

// price fills in what a call may take of the budget at most.
func (b *BudgetAsk) price(w *Wanted) error {
	rule := b.Of.Budget
	if w.Unbounded != "" && !b.Advisory && !opens(rule.Unbounded, w.Stream) {
		return unboundable(b, w)
	}
	switch b.Of.Counts {
	case CountedInput:
		b.Fixed = w.Input
	case CountedOutput:
		b.Fixed, b.PerMillion = w.Made, million
	case CountedTokens:
		b.Fixed, b.PerMillion = plus(w.Input, w.Made), million
	case CountedNano, CountedRequests:
		if w.Upper.Unpriced != "" && !b.Advisory && rule.Unpriced != storage.GapAllow {
			return unpriced(b, w)
		}
		if w.Upper.Unpriced == "" {
			b.Fixed, b.PerMillion = w.Upper.Fixed, w.Upper.PerMillion
		}
	}
	return nil
}

func opens(gap storage.BudgetGap, stream bool) bool {
	return gap == storage.GapAllow || gap == storage.GapCap && stream
}

func unpriced(b *BudgetAsk, w *Wanted) error {
	return &providers.Fault{
		Kind: providers.FaultForbidden, NoRetry: true, Retryable: true, Param: "model", Code: "unpriced_model",
		Message: fmt.Sprintf("The model `%s` has no known price, so it cannot be used under a budget.", w.Asked),
		Cause: fmt.Errorf("%s/%s: %s; %s denies that: set its `unpriced: allow`, or give the model a price under `prices`",
			w.Target.Provider, w.Target.Model, w.Upper.Unpriced, b.Counter),
	}
}

func unboundable(b *BudgetAsk, w *Wanted) error {
	message := fmt.Sprintf("The field '%s' makes the cost of the call unbounded, so it cannot be used under a budget.", w.Unbounded)
	if w.Begins {
		message = fmt.Sprintf("What calls about %s begin has a cost that nobody can bound, so they cannot be made under the hard budget of %s.", w.Unbounded, b.Of.Budget.Scope)
	}
	return &providers.Fault{
		Kind: providers.FaultForbidden, NoRetry: true, Param: w.Unbounded, Code: "unbounded_call",
		Message: message,
		Cause:   fmt.Errorf("%s denies calls whose cost has no bound: set its `unbounded: allow`, or `cap` for streams", b.Counter),
	}
}

// Made is what an attempt has really made.
type Made struct {
	Lines  []providers.Normal
	Charge storage.Charge
}

// Spent puts into s what an attempt spent of its grant. A cost that nobody knows is charged as
// it was reserved.
func (g *Grant) Spent(s *Spent, m Made) {
	var input, output int64
	for i := range m.Lines {
		input = plus(input, max(0, m.Lines[i].Input()))
		output = plus(output, max(0, m.Lines[i].Output))
	}
	units := func(c Counted, otherwise int64) int64 {
		switch c {
		case CountedInput:
			return input
		case CountedOutput:
			return output
		case CountedTokens:
			return plus(input, output)
		case CountedNano:
			if m.Charge.Known() {
				return m.Charge.CostNano
			}
		case CountedRequests:
		}
		return otherwise
	}
	s.Rates, s.Budgets = s.Rates[:0], s.Budgets[:0]
	for i := range g.Ask.Rates {
		a := &g.Ask.Rates[i]
		s.Rates = append(s.Rates, units(a.Of.Counts, a.Cost))
	}
	for i := range g.Ask.Budgets {
		a := &g.Ask.Budgets[i]
		s.Budgets = append(s.Budgets, units(a.Of.Counts, a.reserve(g.Output)))
	}
}
