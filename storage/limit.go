package storage

import "time"

// Scope is whom a limit or a budget stands on.
type Scope struct {
	Kind ScopeKind
	// Name is one of them; "*" is each of them, with a counter of its own.
	Name string
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
	// minute's worth, of RequestsPerDay a day's.
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
