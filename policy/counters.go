package policy

import (
	"context"
	"time"
)

// Counters keep rates, slots and budgets: in this process (Meter), or in Redis for many. Every
// method is safe for concurrent use; storage/storagetest holds each implementation to one suite.
type Counters interface {
	// Take grants all that is asked, or nothing, in one step that no other call can divide. Its
	// error says that the counters could not be asked, never that they refused.
	Take(ctx context.Context, a *Ask) (Verdict, error)
	// Extend adds output tokens to what a grant holds of its budgets, all or nothing, and adds
	// them to Grant.Output. It is a sign of life, also with 0 tokens. A lease that has run out or
	// is settled is not extended.
	Extend(ctx context.Context, g *Grant, tokens int64) (bool, error)
	// Settle gives back what a grant holds and charges what was spent. It never blocks, takes
	// effect once for each lease however often it is called, and is not lost where the counters
	// can't be reached: it is tried again.
	Settle(g *Grant, s Spent)
	// Load tells a budget's counter what the ledger says was spent in its window, where the
	// counter knows nothing of that window yet.
	Load(ctx context.Context, b *BudgetAsk, spent int64) error
	// Gauge says how the counters of an ask stand now, and takes nothing of them. One that nobody
	// has asked yet is full, free, or has nothing spent.
	Gauger
}

// Ask is what one attempt asks of the counters.
type Ask struct {
	Lease   string // request id and attempt: <uuid>/<n>
	Now     time.Time
	Rates   []RateAsk
	Slots   []SlotAsk
	Budgets []BudgetAsk
	// Output is how many tokens of output are wanted, of all choices together, and Least how
	// few are worth sending the call for. A grant has as many as every budget can pay for.
	Output, Least int64
	// Alive is how long the lease holds without a sign of life of its holder, which is the gateway
	// that took it, and not the call: a call may last longer.
	Alive time.Duration
}

// RateAsk takes units of a rate (GCRA).
type RateAsk struct {
	Counter  string        // "rate:<scope>:<what>…", stable over reloads and nodes
	Interval time.Duration // between two units, in the long run
	Burst    int64         // units at once
	Cost     int64         // units of this call; more than Burst never fits
	Of       *RateRule     // what it stands for, in words; counters do not read it
}

// SlotAsk takes one of so many places for calls under way.
type SlotAsk struct {
	Counter string
	Limit   int64
	Of      *SlotRule
}

// BudgetAsk reserves for a call: Fixed and, for each million tokens of granted output, PerMillion
// (rounded up), in nano-USD or in tokens.
type BudgetAsk struct {
	Counter string
	Limit   int64
	Window  Window
	// Since is when this process began to count the budget: where the counters know nothing of a
	// window that began before, only the ledger does.
	Since             time.Time
	Fixed, PerMillion int64
	// Soft are shares of Limit in percent, lowest first. When what was spent comes to one, a
	// Threshold is raised, once in a window; reservations raise none.
	Soft []int
	// Advisory budgets are counted as others are, and refuse and clamp nothing.
	Advisory bool
	Of       *BudgetRule
}

// Reserve is what a grant of so many tokens of output holds of the budget.
func (a *BudgetAsk) Reserve(output int64) int64 { return a.reserve(output) }

// Share is so many percent of the budget's limit, rounded up.
func (a *BudgetAsk) Share(percent int) int64 { return shareOf(a.Limit, percent) }

// Window is the span that a budget is for.
type Window struct {
	Start, End time.Time     // of a calendar span; zero: without an end ("total")
	Rolling    time.Duration // else the span up to now, 0 for calendar spans
}

// BudgetState is how a budget stands, in its own unit.
type BudgetState struct{ Spent, Reserved int64 }

// Threshold says that what was spent of a budget has come to a share of it.
type Threshold struct {
	Counter      string
	Of           *BudgetRule
	Share        int // percent
	Spent, Limit int64
}

// Verdict is what Take says.
type Verdict struct {
	Grant *Grant // nil: refused
	// Of a refusal: which ask stood in the way, and how long until it may fit.
	Refused Refused
	// Parted says of a refusal that a part had been granted, and is given back a little later: who
	// asks again needs another lease.
	Parted bool
	// Degraded is set where the real counters could not be reached and a stand-in has spoken.
	Degraded bool
	// Rates says how the asked rates stand now, in their order.
	Rates []RateState
}

// Refused is the ask that stood in the way the longest. One that no waiting helps goes before
// all others, slots come after rates and spent budgets, budgets that are only held come last.
type Refused struct {
	Kind  AskKind
	Index int // in the Ask's list of that kind
	// Wait is how long until it may fit; 0 is never by waiting alone. Nobody knows when a slot
	// comes free: its Wait is SlotWait.
	Wait time.Duration
	// Held is set where the call would fit if reservations of others that are under way came
	// back whole: it is worth a short wait.
	Held bool
}

// SlotWait is when to ask again for a slot.
const SlotWait = time.Second

// AskKind tells the lists of an Ask apart.
type AskKind uint8

// The kinds.
const (
	AskRate AskKind = iota + 1
	AskSlot
	AskBudget
)

// RateState is what x-ratelimit headers say.
type RateState struct {
	Remaining int64         // units that a call could take now
	Reset     time.Duration // until all of Burst could be taken
}

// Grant is what a lease holds. Only the Counters that gave it may read its insides.
type Grant struct {
	Ask    *Ask  // as it was asked; the counters keep it until the lease is settled
	Output int64 // tokens of output that were granted, at most Ask.Output
	// Degraded is set where the real counters could not be reached and a stand-in granted it.
	Degraded bool

	lease *lease // the Meter's
	stand *stand // FallbackCounters'
}

// Spent is what an attempt has really used, in the order of its Ask. Of what it does not say,
// rates keep their cost, and budgets are charged what was reserved.
type Spent struct {
	Rates   []int64 // units; a rate that counts requests keeps its 1
	Budgets []int64
}
