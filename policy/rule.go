package policy

import (
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Counted is what the units of a counter are.
type Counted uint8

// The units.
const (
	CountedRequests Counted = iota + 1
	CountedTokens           // input and output
	CountedInput
	CountedOutput
	CountedNano // nano-USD
)

// String names the units as APIs do.
func (c Counted) String() string {
	switch c {
	case CountedRequests:
		return "requests"
	case CountedTokens:
		return "tokens"
	case CountedInput:
		return "input_tokens"
	case CountedOutput:
		return "output_tokens"
	case CountedNano:
		return "usd"
	}
	return "unknown"
}

// Holder is one whom a limit or a budget stands on.
type Holder struct {
	Kind            storage.ScopeKind
	Workspace, Name string // both "" of storage.ScopeAll
}

// has reports whether the holder's limits hold for a call: a session's only where it is of one.
func (h *Holder) has(w *Wanted) bool { return h.Kind != storage.ScopeSession || w.Session != "" }

// counter gives the name of the counter that a call is counted in: each session has its own.
func (h *Holder) counter(name string, w *Wanted) string {
	if h.Kind != storage.ScopeSession {
		return name
	}
	return name + ":" + w.Session
}

// RateRule is what a RateAsk stands for.
type RateRule struct {
	Holder Holder
	Models []string
	Counts Counted
	Limit  int64
	Per    time.Duration // a minute or a day
}

// SlotRule is what a SlotAsk stands for.
type SlotRule struct {
	Holder Holder
	Models []string
	Limit  int64
}

// BudgetRule is what a BudgetAsk stands for.
type BudgetRule struct {
	Holder Holder
	Counts Counted
	Budget *storage.Budget
	Zone   *time.Location // of calendar spans
}
