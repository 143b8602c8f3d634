package storage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope is whom a limit or a budget stands on.
type Scope struct {
	Kind ScopeKind
	// Name is one of them; "*" is each of them, with a counter of its own. Keys, users and
	// projects of one name in several workspaces are several. ScopeAll has no name.
	Name string
	// Workspace is the one whose holders are meant; "" is each of them.
	Workspace string
	// KeyID is the one key that is meant, of those that have, or had, the name; "" is each of them.
	KeyID string
}

// String writes the scope as it is configured: key/ci, project/*, all. One of a single workspace
// has that before it: team:key/ci.
func (s Scope) String() string {
	text := string(s.Kind) + "/" + s.Name
	switch {
	case s.Kind == ScopeAll:
		return string(ScopeAll)
	case s.Workspace != "":
		return s.Workspace + ":" + text
	}
	return text
}

// ScopeKind is a kind of holder.
type ScopeKind string

// The kinds of scopes. ScopeAll is everybody together, under one counter.
const (
	ScopeKey       ScopeKind = "key"
	ScopeUser      ScopeKind = "user"
	ScopeProject   ScopeKind = "project"
	ScopeWorkspace ScopeKind = "workspace"
	ScopeAll       ScopeKind = "all"
	// ScopeSession is what a client calls its session, within its workspace; its only name is "*".
	ScopeSession ScopeKind = "session"
)

// Limit bounds how fast a scope may call. A zero is no bound.
type Limit struct {
	Scope  Scope
	Models []string // patterns of provider/model or of aliases that it is for; empty: all

	RequestsPerMinute int64
	RequestsPerDay    int64
	TokensPerMinute   int64
	Count             TokenCount // which tokens TokensPerMinute counts
	Concurrent        int64
	// Burst is how many requests, and BurstTokens how many tokens, may come at once: 0 is a
	// minute's worth. Of RequestsPerDay it is always a day's.
	Burst       int64
	BurstTokens int64
}

// TokenCount says which tokens count.
type TokenCount string

// What a rate or a budget of tokens counts.
const (
	CountAll    TokenCount = "all"
	CountInput  TokenCount = "input"
	CountOutput TokenCount = "output"
)

// Check says what is wrong with a limit. Its errors name the scope and the setting.
func (l *Limit) Check() error {
	if err := checkHeld(l.Scope, l.Models); err != nil {
		return fmt.Errorf("limit of %s: %w", l.Scope, err)
	}
	for _, f := range l.list() {
		if f.n < 0 || f.n > maxRate {
			return fmt.Errorf("limit of %s: %s is %d; it must be from 0 to %d", l.Scope, f.name, f.n, int64(maxRate))
		}
	}
	switch {
	case l.RequestsPerMinute+l.RequestsPerDay+l.TokensPerMinute+l.Concurrent == 0:
		return fmt.Errorf("limit of %s: it limits nothing; set requests_per_minute, requests_per_day, tokens_per_minute or concurrent", l.Scope)
	case l.Burst > 0 && l.RequestsPerMinute == 0:
		return fmt.Errorf("limit of %s: burst goes with requests_per_minute", l.Scope)
	case l.BurstTokens > 0 && l.TokensPerMinute == 0:
		return fmt.Errorf("limit of %s: burst_tokens goes with tokens_per_minute", l.Scope)
	}
	if err := l.Count.check(); err != nil {
		return fmt.Errorf("limit of %s: %w", l.Scope, err)
	}
	return nil
}

// figure is a number of a limit, by the name of its setting.
type figure struct {
	name string
	n    int64
}

func (l *Limit) list() []figure {
	return []figure{
		{"requests_per_minute", l.RequestsPerMinute},
		{"requests_per_day", l.RequestsPerDay},
		{"tokens_per_minute", l.TokensPerMinute},
		{"concurrent", l.Concurrent},
		{"burst", l.Burst},
		{"burst_tokens", l.BurstTokens},
	}
}

// maxRate is where an interval between two units would be less than a nanosecond.
const maxRate = 60_000_000_000

func checkHeld(s Scope, models []string) error {
	switch s.Kind {
	case ScopeAll:
		if s.Name != "" {
			return fmt.Errorf("the scope %q has no name", ScopeAll)
		}
	case ScopeKey, ScopeUser, ScopeProject, ScopeWorkspace:
		if s.Name != "*" {
			if err := CheckName(string(s.Kind), s.Name); err != nil {
				return err
			}
		}
	case ScopeSession:
		if s.Name != "*" {
			return fmt.Errorf("scope %q: it is session/*, each session for itself", s)
		}
	default:
		return fmt.Errorf("scope %q: its kind is key, user, project, workspace, session or all", s)
	}
	for i, m := range models {
		if !plain(m) || strings.Contains(strings.TrimSuffix(m, "*"), "*") {
			return fmt.Errorf("models: %q is no pattern of a model", m)
		}
		if slices.Contains(models[:i], m) {
			return fmt.Errorf("models: %q stands there twice", m)
		}
	}
	return nil
}

func (c TokenCount) check() error {
	switch c {
	case "", CountAll, CountInput, CountOutput:
		return nil
	}
	return fmt.Errorf("count: %q is not all, input or output", c)
}

// Budget bounds what a scope may spend in a span of time: nano-USD or tokens, one of them.
type Budget struct {
	Scope  Scope
	Models []string

	Nano   int64 // nano-USD
	Tokens int64
	Count  TokenCount // which tokens Tokens counts

	Per      BudgetSpan
	Rolling  time.Duration // of SpanRolling
	TimeZone string        // of calendar spans; "" is UTC
	// Soft are the shares, in percent, at which an event is raised, once in a span.
	Soft []int
	// Advisory budgets raise events and refuse nothing.
	Advisory bool
	// Unpriced says what becomes of models without a price, Unbounded of calls whose cost has
	// no upper bound.
	Unpriced, Unbounded BudgetGap
}

// Check says what is wrong with a budget. Its errors name the scope and the setting. Whether the
// time zone is known shows where it is loaded.
func (b *Budget) Check() error {
	if err := checkHeld(b.Scope, b.Models); err != nil {
		return fmt.Errorf("budget of %s: %w", b.Scope, err)
	}
	if err := b.check(); err != nil {
		return fmt.Errorf("budget of %s: %w", b.Scope, err)
	}
	return nil
}

// maxBudget is where sums would no longer be whole numbers everywhere: Redis counts in doubles.
const maxBudget = 9_000_000_000_000_000

func (b *Budget) check() error {
	switch {
	case b.Nano < 0 || b.Nano > maxBudget:
		return fmt.Errorf("usd: it must be from 0 to %s", FormatUSD(maxBudget))
	case b.Tokens < 0 || b.Tokens > maxBudget:
		return fmt.Errorf("tokens: it must be from 0 to %d", int64(maxBudget))
	case (b.Nano == 0) == (b.Tokens == 0):
		return errors.New("set usd or tokens, one of them, above 0")
	case b.Nano != 0 && b.Count != "":
		return errors.New("count goes with tokens")
	case b.Unpriced == GapCap:
		return errors.New("unpriced: what has no price cannot be counted up to a cap; choose deny or allow")
	}
	if err := b.Count.check(); err != nil {
		return err
	}
	for _, gap := range [...]struct {
		name string
		way  BudgetGap
	}{{"unpriced", b.Unpriced}, {"unbounded", b.Unbounded}} {
		switch gap.way {
		case "", GapDeny, GapAllow, GapCap:
		default:
			return fmt.Errorf("%s: %q is not deny, allow or cap", gap.name, gap.way)
		}
	}
	for i, share := range b.Soft {
		if share < 1 || share > maxShare || i > 0 && share <= b.Soft[i-1] {
			return fmt.Errorf("soft: percentages from 1 to %d, the lowest first, each once", maxShare)
		}
	}
	return b.checkSpan()
}

const (
	maxShare   = 1000 // ten times the budget: an advisory one may be overspent
	minRolling = time.Minute
	maxRolling = 400 * 24 * time.Hour // a year and a bit, which the ledger's days are kept for
)

func (b *Budget) checkSpan() error {
	if b.Per != SpanRolling && b.Rolling != 0 {
		return fmt.Errorf("per: %q does not go with a rolling window of %s", b.Per, b.Rolling)
	}
	switch b.Per {
	case SpanDay, SpanWeek, SpanMonth:
		return nil
	case SpanRolling:
		if b.Rolling < minRolling || b.Rolling > maxRolling {
			return fmt.Errorf("per: a rolling window is from %s to %s long", minRolling, maxRolling)
		}
	case SpanTotal:
		if b.Scope.Kind == ScopeSession {
			return errors.New("per: total of sessions would be kept for ever; give day, week, month or a duration")
		}
	default:
		return fmt.Errorf("per: %q is not day, week, month, total or a duration", b.Per)
	}
	if b.TimeZone != "" {
		return errors.New("time_zone goes with per: day, week or month")
	}
	return nil
}

// BudgetSpan is what a budget starts anew with.
type BudgetSpan string

// The spans of a budget.
const (
	SpanDay     BudgetSpan = "day"
	SpanWeek    BudgetSpan = "week" // Monday is the first day
	SpanMonth   BudgetSpan = "month"
	SpanRolling BudgetSpan = "rolling"
	SpanTotal   BudgetSpan = "total"
)

// BudgetGap is what a hard budget does with a call that it cannot bound.
type BudgetGap string

// The ways with a gap.
const (
	GapDeny  BudgetGap = "deny"
	GapAllow BudgetGap = "allow"
	// GapCap lets the call go as far as its stream can be counted and ended; a call that is no
	// stream is denied.
	GapCap BudgetGap = "cap"
)
