package policy

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Alias says how calls of a public name are spread over its targets. The zero value of each
// rule is the plain one: in order, nothing sticky, no limit beyond the providers'.
type Alias struct {
	Targets    []Target
	Strategy   Strategy
	Sticky     Sticky
	FallbackOn Reasons // which failures move on to the next target; 0 is DefaultReasons
	// FirstByte bounds the wait for a target's first byte, as long as there is another to move on
	// to, and Total the whole call; 0 is no bound beyond the provider's own.
	FirstByte, Total time.Duration
	Hedge            Hedge
	Parameters       storage.Parameters // request fields set for calls of this name
	Cache            time.Duration      // for which answers are kept; 0: the key's own
}

// Strategy says which target a call tries first.
type Strategy string

// The strategies.
const (
	StrategyOrdered  Strategy = "ordered"  // as they are listed
	StrategyWeighted Strategy = "weighted" // by chance, as often as their weights say
	// StrategyLatency takes the faster of two that chance names.
	StrategyLatency  Strategy = "least-latency"
	StrategyCheapest Strategy = "cheapest" // by the price of a call like this one; unpriced last
)

// Strategies lists them, as the configuration names them.
func Strategies() []Strategy {
	return []Strategy{StrategyOrdered, StrategyWeighted, StrategyLatency, StrategyCheapest}
}

// Sticky says what keeps a call at the place where an earlier one was served.
type Sticky string

// What a call is kept by.
const (
	StickyNone    Sticky = ""
	StickySession Sticky = "session" // the client's word for a session, or for its end user
	StickyPrefix  Sticky = "prefix"  // how the prompt begins: where the provider's cache is warm
)

// Hedge sends a call that is no stream to a second target as well, where the first is slow.
// The zero value never does.
type Hedge struct {
	After   time.Duration
	MaxNano int64 // no call is hedged where it should cost more than this, in nano-USD; 0 is no bound
}

// strategy is what the alias does: weights alone say "weighted".
func (a *Alias) strategy() Strategy {
	if a.Strategy == "" && slices.ContainsFunc(a.Targets, func(t Target) bool { return t.Weight > 0 }) {
		return StrategyWeighted
	}
	return a.Strategy
}

// Rule is the strategy that the alias goes by, "ordered" where it names none.
func (a *Alias) Rule() Strategy { return cmp.Or(a.strategy(), StrategyOrdered) }

// Spreads reports whether the alias' first target is a matter of chance, so that a sticky call
// may be led to any of them.
func (a *Alias) Spreads() bool {
	s := a.strategy()
	return s == StrategyWeighted || s == StrategyLatency
}

// Order gives the targets in the order to try them; the alias' own list stays as it is. chance
// is a random number; score says how slow (for StrategyLatency) or how dear (for
// StrategyCheapest) a target is, +Inf where nobody knows, and is called for these two only.
func (a *Alias) Order(chance uint64, score func(*Target) float64) []Target {
	n := len(a.Targets)
	if n < 2 {
		return a.Targets
	}
	switch a.strategy() {
	case StrategyWeighted:
		total := 0
		for i := range a.Targets {
			total += a.Targets[i].Weight
		}
		return first(a.Targets, Weighted(n, func(i int) int { return a.Targets[i].Weight }, chance, total))
	case StrategyLatency:
		return first(a.Targets, faster(a.Targets, chance, score))
	case StrategyCheapest:
		return cheapest(a.Targets, score)
	default:
		return a.Targets
	}
}

// first puts one target before the others, which keep their order as fallbacks.
func first(targets []Target, i int) []Target {
	if i == 0 {
		return targets
	}
	out := append(make([]Target, 0, len(targets)), targets[i])
	return append(append(out, targets[:i]...), targets[i+1:]...)
}

// Weighted is the index, below n, that chance falls on where i has weight(i) of total; 0 where
// nothing has a weight.
func Weighted(n int, weight func(int) int, chance uint64, total int) int {
	if total <= 0 {
		return 0
	}
	left := float64(chance>>11) / (1 << 53) * float64(total)
	for i := range n {
		if left -= float64(weight(i)); left < 0 {
			return i
		}
	}
	return 0
}

// faster takes two different targets by chance and gives the one with the lower score: all
// would flock to the fastest of all, which then is it no more.
func faster(targets []Target, chance uint64, score func(*Target) float64) int {
	n := uint64(len(targets))
	i := chance % n
	j := (i + 1 + (chance>>32)%(n-1)) % n
	if score(&targets[j]) < score(&targets[i]) {
		i = j
	}
	return int(i)
}

func cheapest(targets []Target, score func(*Target) float64) []Target {
	type scored struct {
		Target
		score float64
	}
	list := make([]scored, len(targets))
	for i := range targets {
		if list[i] = (scored{targets[i], score(&targets[i])}); math.IsNaN(list[i].score) {
			list[i].score = math.Inf(1)
		}
	}
	slices.SortStableFunc(list, func(x, y scored) int { return cmp.Compare(x.score, y.score) })
	out := make([]Target, len(list))
	for i := range list {
		out[i] = list[i].Target
	}
	return out
}
