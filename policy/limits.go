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
	of      map[storage.Scope]held
	means   *Means
	keys    sync.Map // by a key's id: *KeyLimits
}

// held are the limits and budgets of a scope, by where they stand in the lists.
type held struct{ limits, budgets []int }

// NewLimits checks and compiles limits and budgets. Means are the ones of the Limits before.
func NewLimits(limits []storage.Limit, budgets []storage.Budget, means *Means) (*Limits, error) {
	l := &Limits{limits: slices.Clone(limits), budgets: slices.Clone(budgets), of: map[storage.Scope]held{}, means: means}
	seen := map[string]bool{}
	for i := range l.limits {
		limit := &l.limits[i]
		if err := limit.Check(); err != nil {
			return nil, err
		}
		for _, what := range measured(limit) {
			name := title("rate", ownerOf(limit.Scope), limit.Scope, what, limit.Models)
			if seen[name] {
				return nil, fmt.Errorf("limit of %s: %s is limited twice for the same models", limit.Scope, what)
			}
			seen[name] = true
		}
		h := l.of[limit.Scope]
		h.limits = append(h.limits, i)
		l.of[limit.Scope] = h
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
		h := l.of[b.Scope]
		h.budgets = append(h.budgets, i)
		l.of[b.Scope] = h
	}
	l.since = make([]time.Time, len(l.budgets))
	return l, nil
}

// Budgeted reports whether there are budgets at all.
func (l *Limits) Budgeted() bool { return l != nil && len(l.budgets) > 0 }

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

// budgetTitle tells budgets apart.
func budgetTitle(b *storage.Budget) string {
	return title("budget", ownerOf(b.Scope), b.Scope, spending(b), b.Models)
}

func ownerOf(s storage.Scope) Holder { return Holder{s.Kind, s.Workspace, s.Name} }

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
// call asks of it then stands on one node. No workspace is called "*". Entries that mean one holder
// in several ways (each of them, the one by name, what it brings along itself) count apart, so that
// each of them holds by itself.
func title(kind string, h Holder, s storage.Scope, what string, models []string) string {
	workspace := h.Workspace
	if h.Kind == storage.ScopeAll {
		workspace = "*"
	}
	if s.Workspace != "" {
		what += "+" + s.KeyID
	}
	if s.Name == "*" && s.Kind != storage.ScopeSession {
		what += "*"
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
	var limits, budgets []int
	for _, s := range scopesOf(key) {
		h := l.of[s]
		limits, budgets = append(limits, h.limits...), append(budgets, h.budgets...)
	}
	slices.Sort(limits)
	for _, i := range limits {
		k.addLimit(holderOf(l.limits[i].Scope, key), &l.limits[i])
	}
	slices.Sort(budgets)
	for _, i := range budgets {
		k.addBudget(holderOf(l.budgets[i].Scope, key), &l.budgets[i], l.zones[i], l.since[i])
	}
	return k
}

// scopesOf gives every scope that means a key's calls.
func scopesOf(key *storage.Key) []storage.Scope {
	out := []storage.Scope{{Kind: storage.ScopeAll}, key.Scope()}
	for _, h := range []Holder{
		{storage.ScopeKey, key.Workspace, key.Name}, {storage.ScopeUser, key.Workspace, key.Owner}, {storage.ScopeProject, key.Workspace, key.Project},
		{storage.ScopeWorkspace, key.Workspace, key.Workspace}, {storage.ScopeSession, key.Workspace, "*"}, // which session, each call says
	} {
		if h.Name == "" {
			continue
		}
		for _, workspace := range []string{"", h.Workspace} {
			out = append(out, storage.Scope{Kind: h.Kind, Name: "*", Workspace: workspace})
			if h.Name != "*" {
				out = append(out, storage.Scope{Kind: h.Kind, Name: h.Name, Workspace: workspace})
			}
		}
	}
	return out
}

// holderOf gives whom a scope that means a key's calls means.
func holderOf(s storage.Scope, key *storage.Key) Holder {
	h := Holder{Kind: s.Kind, Workspace: key.Workspace, Name: s.Name}
	switch s.Kind {
	case storage.ScopeAll:
		return Holder{Kind: s.Kind}
	case storage.ScopeKey:
		h.Name = key.Name
	case storage.ScopeUser:
		h.Name = key.Owner
	case storage.ScopeProject:
		h.Name = key.Project
	case storage.ScopeWorkspace:
		h.Name = key.Workspace
	case storage.ScopeSession: // its name is "*"
	}
	return h
}
