package main

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	_ "time/tzdata" // a budget's time zone must not depend on the machine

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// LimitConfig is a storage.Limit as an operator writes it. A figure that is not said is no bound.
type LimitConfig struct {
	Scope             string   `yaml:"scope"`  // what scopeOf reads
	Models            []string `yaml:"models"` // patterns of provider/model or of aliases; empty: all
	RequestsPerMinute int64    `yaml:"requests_per_minute"`
	RequestsPerDay    int64    `yaml:"requests_per_day"`
	TokensPerMinute   int64    `yaml:"tokens_per_minute"`
	Count             string   `yaml:"count"` // all, input or output
	Concurrent        int64    `yaml:"concurrent"`
	Burst             int64    `yaml:"burst"`
	BurstTokens       int64    `yaml:"burst_tokens"`
}

// BudgetConfig is a storage.Budget as an operator writes it.
type BudgetConfig struct {
	Scope    string   `yaml:"scope"`
	Models   []string `yaml:"models"`
	USD      string   `yaml:"usd"` // decimal text, since money is exact
	Tokens   int64    `yaml:"tokens"`
	Count    string   `yaml:"count"`     // of tokens
	Per      string   `yaml:"per"`       // day, week, month, total, or the length of a rolling window
	TimeZone string   `yaml:"time_zone"` // of calendar spans; "" is UTC
	Soft     []int    `yaml:"soft"`      // percent
	Hard     bool     `yaml:"hard"`
	Unpriced string   `yaml:"unpriced"`  // deny or allow
	Unbound  string   `yaml:"unbounded"` // deny, allow or cap
}

// preset implements presetter.
func (b *BudgetConfig) preset() {
	b.Soft, b.Hard, b.Unpriced, b.Unbound = []int{50, 80, 100}, true, string(storage.GapDeny), string(storage.GapDeny)
}

// scopeOf reads key/NAME, user/NAME, project/NAME and workspace/NAME, where "*" as a name is each
// of them; session/* is each session, "*" alone is each key, and all is everybody together.
func scopeOf(text string) (storage.Scope, error) {
	kind, name, named := strings.Cut(text, "/")
	switch storage.ScopeKind(kind) {
	case "*":
		if !named {
			return storage.Scope{Kind: storage.ScopeKey, Name: "*"}, nil
		}
	case storage.ScopeAll:
		if !named {
			return storage.Scope{Kind: storage.ScopeAll}, nil
		}
	case storage.ScopeSession:
		if name == "*" {
			return storage.Scope{Kind: storage.ScopeSession, Name: name}, nil
		}
	case storage.ScopeKey, storage.ScopeUser, storage.ScopeProject, storage.ScopeWorkspace:
		if name == "*" {
			return storage.Scope{Kind: storage.ScopeKind(kind), Name: name}, nil
		}
		if named {
			return storage.Scope{Kind: storage.ScopeKind(kind), Name: name}, storage.CheckName(kind, name)
		}
	}
	if text == "" {
		return storage.Scope{}, errors.New(`is missing; name key/NAME, user/NAME, project/NAME, workspace/NAME, session/*, "*" (each key) or all`)
	}
	return storage.Scope{}, fmt.Errorf(`%q is not key/NAME, user/NAME, project/NAME, workspace/NAME, session/*, "*" (each key) or all`, text)
}

// settings gives what is said of a limit but its scope.
func (l *LimitConfig) settings() storage.LimitSettings {
	return storage.LimitSettings{
		Models: l.Models, RequestsPerMinute: l.RequestsPerMinute, RequestsPerDay: l.RequestsPerDay, TokensPerMinute: l.TokensPerMinute,
		Count: storage.TokenCount(l.Count), Concurrent: l.Concurrent, Burst: l.Burst, BurstTokens: l.BurstTokens,
	}
}

// limit gives the limit as the rest of the gateway knows it.
func (l *LimitConfig) limit() (storage.Limit, error) {
	scope, err := scopeOf(l.Scope)
	if err != nil {
		return storage.Limit{}, fmt.Errorf("scope: %w", err)
	}
	said := l.settings()
	return said.Limit(scope)
}

// settings gives what is said of a budget but its scope.
func (b *BudgetConfig) settings() storage.BudgetSettings {
	return storage.BudgetSettings{
		Models: b.Models, USD: b.USD, Tokens: b.Tokens, Count: storage.TokenCount(b.Count), Per: b.Per, TimeZone: b.TimeZone,
		Soft: b.Soft, Hard: &b.Hard, Unpriced: storage.BudgetGap(b.Unpriced), Unbounded: storage.BudgetGap(b.Unbound),
	}
}

// budget gives the budget as the rest of the gateway knows it.
func (b *BudgetConfig) budget() (storage.Budget, error) {
	scope, err := scopeOf(b.Scope)
	if err != nil {
		return storage.Budget{}, fmt.Errorf("scope: %w", err)
	}
	said := b.settings()
	return said.Budget(scope)
}

// boundsOf gives what a key brings along. Whose they are is no question: its own.
func boundsOf(limits []LimitConfig, budgets []BudgetConfig) (storage.Bounds, error) {
	var b storage.Bounds
	for i := range limits {
		if limits[i].Scope != "" {
			return b, fmt.Errorf("%s: scope: it is the key's own", element("limits", i))
		}
		b.Limits = append(b.Limits, limits[i].settings())
	}
	for i := range budgets {
		if budgets[i].Scope != "" {
			return b, fmt.Errorf("%s: scope: it is the key's own", element("budgets", i))
		}
		b.Budgets = append(b.Budgets, budgets[i].settings())
	}
	return b, nil
}

// limits compiles the limits and budgets: the configuration's lists, and what keys, projects and
// workspaces bring along. All of them hold. Means are those of the configuration before.
func (c *Config) limits(means *policy.Means, stock *stock, keys []*storage.Key) (*policy.Limits, error) {
	all := bound{limits: make([]storage.Limit, len(c.Limits)), budgets: make([]storage.Budget, len(c.Budgets))}
	var err error
	for i := range c.Limits {
		if all.limits[i], err = c.Limits[i].limit(); err != nil {
			return nil, fmt.Errorf("%s: %w", element("limits", i), err)
		}
	}
	for i := range c.Budgets {
		if all.budgets[i], err = c.Budgets[i].budget(); err != nil {
			return nil, fmt.Errorf("%s: %w", element("budgets", i), err)
		}
	}
	for _, key := range keys {
		if key.RevokedAt != nil {
			continue
		}
		if err := all.add(key.Scope(), &key.Bounds); err != nil {
			return nil, fmt.Errorf("key %q: %w", key.Name, err)
		}
	}
	for _, tenants := range [][]storage.Tenant{stock.workspaces, stock.projects} {
		for i := range tenants {
			if err := admin.EachBound(&tenants[i], all.add); err != nil {
				return nil, fmt.Errorf("%s %q: %w", tenants[i].What(), tenants[i].Name, err)
			}
		}
	}
	return policy.NewLimits(all.limits, all.budgets, means)
}

// bound gathers limits and budgets.
type bound struct {
	limits  []storage.Limit
	budgets []storage.Budget
}

func (b *bound) add(scope storage.Scope, own *storage.Bounds) error {
	limits, budgets, err := own.Of(scope)
	b.limits, b.budgets = append(b.limits, limits...), append(b.budgets, budgets...)
	return err
}

// limits says what is wrong with limits and budgets, one by one and beside each other.
func (v *validator) limits(c *Config) {
	var limits []storage.Limit
	var budgets []storage.Budget
	for i := range c.Limits {
		at := element("limits", i)
		limit, err := c.Limits[i].limit()
		if v.held(at, c.Limits[i].Models, err, c) {
			limits = append(limits, limit)
		}
	}
	for i := range c.Budgets {
		at := element("budgets", i)
		budget, err := c.Budgets[i].budget()
		if v.held(at, c.Budgets[i].Models, err, c) {
			budgets = append(budgets, budget)
		}
	}
	if len(limits) == len(c.Limits) && len(budgets) == len(c.Budgets) {
		v.twice("limits", len(limits), func(n int) error { return compiled(limits[:n], nil) })
		v.twice("budgets", len(budgets), func(n int) error { return compiled(nil, budgets[:n]) })
	}
}

func compiled(limits []storage.Limit, budgets []storage.Budget) error {
	_, err := policy.NewLimits(limits, budgets, policy.NewMeans())
	return err
}

// held notes what is wrong with a limit or a budget by itself.
func (v *validator) held(at string, models []string, err error, c *Config) bool {
	if err != nil {
		v.wrong(at, "%s", err)
		return false
	}
	v.patterns(at+".models", models, c)
	return true
}

// twice finds the first of n that does not go with those before it.
func (v *validator) twice(list string, n int, compile func(first int) error) {
	if compile(n) == nil {
		return
	}
	first := 1 + sort.Search(n-1, func(i int) bool { return compile(i+1) != nil })
	v.wrong(element(list, first-1), "%s", compile(first))
}

// patterns holds patterns to match something that a call can name: a limit that is for nothing
// would be believed in and never hold.
func (v *validator) patterns(path string, patterns []string, c *Config) {
	for i, p := range patterns {
		if why := unreachable(p, c); why != "" {
			v.wrong(element(path, i), "%q %s", p, why)
		}
	}
}

func unreachable(pattern string, c *Config) (why string) {
	prefix, open := strings.CutSuffix(pattern, "*")
	names := c.providerNames()
	for i := range c.Aliases {
		if name := c.Aliases[i].Name; name == pattern || open && strings.HasPrefix(name, prefix) {
			return ""
		}
	}
	provider, _, whole := strings.Cut(prefix, "/")
	switch {
	case whole && slices.Contains(names, provider):
		return ""
	case open && !whole && slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) }):
		return ""
	case whole:
		return fmt.Sprintf("means no model: no provider %q is configured%s", provider, hint(provider, names))
	}
	return fmt.Sprintf("is neither provider/model nor an alias%s", hint(pattern, c.aliasNames()))
}

func (c *Config) providerNames() []string {
	names := make([]string, len(c.Providers))
	for i := range c.Providers {
		names[i] = c.Providers[i].Name
	}
	return names
}

func (c *Config) aliasNames() []string {
	names := make([]string, len(c.Aliases))
	for i := range c.Aliases {
		names[i] = c.Aliases[i].Name
	}
	return names
}
