package policy

import (
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// KeyLimits are the limits and budgets that hold for one key.
type KeyLimits struct {
	key     *storage.Key
	mean    *mean
	rates   []RateAsk // without a cost
	slots   []SlotAsk
	budgets []keyBudget
}

// keyBudget is a budget with the span that is open.
type keyBudget struct {
	ask  BudgetAsk // without a counter where spans have an end
	name string
	open atomic.Pointer[openSpan]
}

type openSpan struct {
	Window
	counter string
}

// Bounded reports whether anything holds for the key.
func (k *KeyLimits) Bounded() bool { return len(k.rates)+len(k.slots)+len(k.budgets) > 0 }

// Budgeted reports whether a budget holds for the key, so that what a call costs must be bounded.
func (k *KeyLimits) Budgeted() bool { return len(k.budgets) > 0 }

func (k *KeyLimits) addLimit(h Holder, l *storage.Limit) {
	if n := l.RequestsPerMinute; n > 0 {
		k.addRate(l.Scope, &RateRule{h, l.Models, CountedRequests, n, time.Minute}, perMinute, burst(l.Burst, n))
	}
	if n := l.RequestsPerDay; n > 0 {
		k.addRate(l.Scope, &RateRule{h, l.Models, CountedRequests, n, wholeDay}, perDay, n)
	}
	if n := l.TokensPerMinute; n > 0 {
		k.addRate(l.Scope, &RateRule{h, l.Models, counted(l.Count), n, time.Minute}, tokensPerMinute(l.Count), burst(l.BurstTokens, n))
	}
	if n := l.Concurrent; n > 0 {
		k.slots = append(k.slots, SlotAsk{
			Counter: title("slot", h, l.Scope, concurrent, l.Models), Limit: n, Of: &SlotRule{h, l.Models, n},
		})
	}
}

const wholeDay = 24 * time.Hour

func burst(said, usual int64) int64 {
	if said > 0 {
		return said
	}
	return usual
}

func counted(c storage.TokenCount) Counted {
	switch c {
	case storage.CountInput:
		return CountedInput
	case storage.CountOutput:
		return CountedOutput
	case storage.CountAll:
	}
	return CountedTokens
}

// addRate rounds the interval up: the limit is never passed in the long run.
func (k *KeyLimits) addRate(scope storage.Scope, rule *RateRule, what string, burst int64) {
	interval := (rule.Per + time.Duration(rule.Limit) - 1) / time.Duration(rule.Limit)
	k.rates = append(k.rates, RateAsk{
		Counter: title("rate", rule.Holder, scope, what, rule.Models), Interval: interval, Burst: burst, Of: rule,
	})
}

func (k *KeyLimits) addBudget(h Holder, b *storage.Budget, zone *time.Location, since time.Time) {
	rule := &BudgetRule{Holder: h, Counts: CountedNano, Budget: b, Zone: zone}
	limit := b.Nano
	if b.Tokens > 0 {
		rule.Counts, limit = counted(b.Count), b.Tokens
	}
	name := title("budget", h, b.Scope, spending(b), b.Models)
	ask := BudgetAsk{
		Counter: name, Limit: limit, Soft: b.Soft, Advisory: b.Advisory, Of: rule, Window: Window{Rolling: b.Rolling}, Since: since,
	}
	k.budgets = append(k.budgets, keyBudget{ask: ask, name: name})
}

// at gives the ask of the span that a time is in.
func (b *keyBudget) at(now time.Time) BudgetAsk {
	ask := b.ask
	per := ask.Of.Budget.Per
	if per == storage.SpanRolling || per == storage.SpanTotal {
		return ask
	}
	open := b.open.Load()
	if open == nil || now.Before(open.Start) || !now.Before(open.End) {
		window, id := calendarSpan(per, ask.Of.Zone, now)
		open = &openSpan{window, b.name + ":" + id}
		b.open.Store(open)
	}
	ask.Window, ask.Counter = open.Window, open.counter
	return ask
}

// Budgets gives the key's budgets as they stand open at a time, to be read by Counters.State:
// all but those of sessions, which only calls have.
func (k *KeyLimits) Budgets(now time.Time) []BudgetAsk {
	out := make([]BudgetAsk, 0, len(k.budgets))
	for i := range k.budgets {
		if k.budgets[i].ask.Of.Holder.Kind != storage.ScopeSession {
			out = append(out, k.budgets[i].at(now))
		}
	}
	return out
}

// Learn remembers the output of a call that has ended, for the estimates of the next ones.
func (k *KeyLimits) Learn(lines []providers.Normal) {
	var output int64
	for i := range lines {
		output = plus(output, max(0, lines[i].Output))
	}
	if output > 0 {
		k.mean.learn(output)
	}
}

// fits reports whether patterns mean a call, by the name it was asked by or by its target's. No
// patterns mean all.
func fits(patterns []string, w *Wanted) bool {
	if len(patterns) == 0 || Allows(patterns, w.Asked) {
		return true
	}
	for _, p := range patterns {
		if matches(p, w.Target) {
			return true
		}
	}
	return false
}

// matches holds a target's name against a pattern without making the name.
func matches(pattern string, t Target) bool {
	n := len(pattern) - 1
	if n < 0 || pattern[n] != '*' {
		return t.Is(pattern)
	}
	pattern = pattern[:n]
	p := len(t.Provider)
	switch {
	case n <= p:
		return t.Provider[:n] == pattern
	case n > p+1+len(t.Model):
		return false
	}
	return pattern[:p] == t.Provider && pattern[p] == '/' && t.Model[:n-p-1] == pattern[p+1:]
}
