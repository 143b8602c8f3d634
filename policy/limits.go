package policy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Limits are the limits and budgets of a configuration. They are built whole and never changed;
// what they count stands in Counters, under names that outlive them. Every limit that fits a
// call holds: one for a name does not stand in for one for each ("*").
type Limits struct {
	limits  []storage.Limit
	budgets []storage.Budget
	zones   []*time.Location // of the budgets
	since   []time.Time      // of the budgets: when this process began to count them
	means   *Means
	keys    sync.Map // by a key's id: *KeyLimits
}

// NewLimits checks and compiles limits and budgets. Means are the ones of the Limits before.
func NewLimits(limits []storage.Limit, budgets []storage.Budget, means *Means) (*Limits, error) {
	l := &Limits{limits: slices.Clone(limits), budgets: slices.Clone(budgets), means: means}
	seen := map[string]bool{}
	for i := range l.limits {
		limit := &l.limits[i]
		if err := limit.Check(); err != nil {
			return nil, err
		}
		for _, what := range measured(limit) {
			name := title("rate", Holder{Kind: limit.Scope.Kind, Name: limit.Scope.Name}, what, limit.Models)
			if seen[name] {
				return nil, fmt.Errorf("limit of %s: %s is limited twice for the same models", limit.Scope, what)
			}
			seen[name] = true
		}
	}
	for i := range l.budgets {
		b := &l.budgets[i]
		if err := b.Check(); err != nil {
			return nil, err
		}
		zone, err := time.LoadLocation(b.TimeZone)
		if err != nil {
			return nil, fmt.Errorf("budget of %s: time_zone: %w", b.Scope, err)
		}
		l.zones = append(l.zones, zone)
		name := budgetTitle(b)
		if seen[name] {
			return nil, fmt.Errorf("budget of %s: two budgets per %s for the same models", b.Scope, b.Per)
		}
		seen[name] = true
	}
	l.since = make([]time.Time, len(l.budgets))
	return l, nil
}

// Follow takes the place of the Limits that were in force before a reload, nil for none at the
// start. Budgets that those did not have are counted from now on only. It must come before For.
func (l *Limits) Follow(before *Limits, now time.Time) {
	if l == nil {
		return
	}
	known := map[string]time.Time{}
	if before != nil {
		for i := range before.budgets {
			known[budgetTitle(&before.budgets[i])] = before.since[i]
		}
	}
	for i := range l.budgets {
		since, ok := known[budgetTitle(&l.budgets[i])]
		if !ok {
			since = now
		}
		l.since[i] = since
	}
}

// budgetTitle tells the budgets of a configuration apart.
func budgetTitle(b *storage.Budget) string {
	return title("budget", Holder{Kind: b.Scope.Kind, Name: b.Scope.Name}, spending(b), b.Models)
}

// The words of counters' names for what they count.
const (
	perMinute  = "requests_per_minute"
	perDay     = "requests_per_day"
	concurrent = "concurrent"
)

func measured(l *storage.Limit) []string {
	var out []string
	if l.RequestsPerMinute > 0 {
		out = append(out, perMinute)
	}
	if l.RequestsPerDay > 0 {
		out = append(out, perDay)
	}
	if l.TokensPerMinute > 0 {
		out = append(out, tokensPerMinute(l.Count))
	}
	if l.Concurrent > 0 {
		out = append(out, concurrent)
	}
	return out
}

func tokensPerMinute(c storage.TokenCount) string {
	switch c {
	case storage.CountInput:
		return "input_tokens_per_minute"
	case storage.CountOutput:
		return "output_tokens_per_minute"
	case storage.CountAll:
	}
	return "tokens_per_minute"
}

// spending names what a budget counts, and the spans it counts in.
func spending(b *storage.Budget) string {
	what := "usd"
	if b.Tokens > 0 {
		what = strings.TrimSuffix(tokensPerMinute(b.Count), "_per_minute")
	}
	switch {
	case b.Per == storage.SpanRolling:
		return what + ":" + b.Rolling.String()
	case b.TimeZone != "" && b.TimeZone != "UTC":
		return what + ":" + string(b.Per) + "@" + b.TimeZone
	}
	return what + ":" + string(b.Per)
}

// title is a counter's name. The workspace in braces comes first: in a Redis Cluster all that one
// call asks of it then stands on one node. No workspace is called "*".
func title(kind string, h Holder, what string, models []string) string {
	workspace := h.Workspace
	if h.Kind == storage.ScopeAll {
		workspace = "*"
	}
	sorted := slices.Sorted(slices.Values(models))
	scope := storage.Scope{Kind: h.Kind, Name: h.Name}
	return kind + ":{" + workspace + "}" + scope.String() + ":" + what + ":" + strings.Join(sorted, ",")
}

// For gives what holds for a key.
func (l *Limits) For(key *storage.Key) *KeyLimits {
	if known, ok := l.keys.Load(key.ID); ok {
		if k := known.(*KeyLimits); k.key == key {
			return k
		}
	}
	k := l.compile(key)
	if known, loaded := l.keys.LoadOrStore(strings.Clone(key.ID), k); loaded {
		if other := known.(*KeyLimits); other.key == key { // of a call at the same time
			return other
		}
		l.keys.Store(strings.Clone(key.ID), k)
	}
	return k
}

func (l *Limits) compile(key *storage.Key) *KeyLimits {
	k := &KeyLimits{key: key, mean: l.means.of(key.ID)}
	for i := range l.limits {
		if h, ok := holderOf(l.limits[i].Scope, key); ok {
			k.addLimit(h, &l.limits[i])
		}
	}
	for i := range l.budgets {
		if h, ok := holderOf(l.budgets[i].Scope, key); ok {
			k.addBudget(h, &l.budgets[i], l.zones[i], l.since[i])
		}
	}
	return k
}

// holderOf gives whom a scope means for a key's calls, where it means any.
func holderOf(s storage.Scope, key *storage.Key) (Holder, bool) {
	h := Holder{Kind: s.Kind, Workspace: key.Workspace}
	switch s.Kind {
	case storage.ScopeAll:
		return Holder{Kind: s.Kind}, true
	case storage.ScopeKey:
		h.Name = key.Name
	case storage.ScopeUser:
		h.Name = key.Owner
	case storage.ScopeProject:
		h.Name = key.Project
	case storage.ScopeWorkspace:
		h.Name = key.Workspace
	case storage.ScopeSession:
		h.Name = "*" // which one, each call says
	}
	return h, h.Name != "" && (s.Name == "*" || s.Name == h.Name)
}
