package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Outage is what becomes of limits while the counters that nodes share cannot be reached.
type Outage string

// The ways through an outage.
const (
	OutageLocal Outage = "local" // each node counts its share by itself
	OutageDeny  Outage = "deny"  // calls that a limit is for are refused
	OutageAllow Outage = "allow" // they pass uncounted, and are charged afterwards
)

// ErrNoCounters is wrapped where a call is refused because nobody can count it.
var ErrNoCounters = errors.New("limits cannot be checked now")

// SharedCounters are counters of many nodes, which may be out of reach.
type SharedCounters interface {
	Counters
	// Nodes is how many nodes shared the counters when they were last reached, at least 1.
	Nodes() int
	// Seen says how a budget stood when this node last heard of it, and when that was; zero is
	// never.
	Seen(counter string) (BudgetState, time.Time)
}

// FallbackOptions say what FallbackCounters stand on.
type FallbackOptions struct {
	Shared SharedCounters
	// Rates is for rates and slots. Both are OutageLocal where they are "".
	Rates, Budgets Outage
	// History says what the ledger has for a budget that this node has not seen: see
	// MeterOptions. nil: a node counts no budget by itself that it has not seen.
	History func(ctx context.Context, b *BudgetAsk, since time.Time) ([]Amount, error)
	Now     func() time.Time // nil: time.Now
}

const (
	// historyWithin bounds how long a call waits for the ledger, and historyFor a reading, which
	// goes on for the calls after it.
	historyWithin = 50 * time.Millisecond
	historyFor    = 10 * time.Second
	// fresh is how old what a node has seen of a budget may be, where the ledger can be asked.
	fresh = 10 * time.Second
	// standFor is how long a node remembers what it counted by itself.
	standFor = time.Minute
)

// FallbackCounters are shared counters, and while they cannot be reached this node's own. What
// is granted meanwhile is charged to the shared ones when they are back.
//
// Shares keep the sum of all nodes within a limit as far as each node knows how it stands: a
// budget may be passed by what others spent in the moments before the outage, or by what they
// still spend where they can reach the counters. OutageDeny never passes it.
type FallbackCounters struct {
	options FallbackOptions
	asking  chan struct{}   // whoever reads the ledger has it
	life    context.Context //nolint:containedctx // that of the counters: readings end with them
	end     context.CancelFunc
	work    sync.WaitGroup

	mu       sync.Mutex
	readings map[string]*reading // of the ledger, under way
	own      *Meter
	last     time.Time // that own was asked
	bases    map[string]int64
	extended map[*Grant][]*Grant // own grants of more output for calls of the shared counters
}

// NewFallbackCounters makes counters that outlive an outage of the shared ones.
func NewFallbackCounters(o FallbackOptions) *FallbackCounters {
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, mode := range []*Outage{&o.Rates, &o.Budgets} {
		if *mode == "" {
			*mode = OutageLocal
		}
	}
	life, end := context.WithCancel(context.Background())
	return &FallbackCounters{
		options: o, asking: make(chan struct{}, 1), life: life, end: end,
		readings: map[string]*reading{}, extended: map[*Grant][]*Grant{},
	}
}

// Close ends what reads the ledger. The shared counters are their owner's to close.
func (f *FallbackCounters) Close() {
	f.mu.Lock()
	f.end()
	f.mu.Unlock()
	f.work.Wait()
}

// stand is what a grant of this node's own holds.
type stand struct {
	mu      sync.Mutex
	own     *Meter
	grant   *Grant // nil: nothing is counted
	settled bool
}

// Take implements Counters. Its error wraps ErrNoCounters, or is the context's.
func (f *FallbackCounters) Take(ctx context.Context, a *Ask) (Verdict, error) {
	v, err := f.options.Shared.Take(ctx, a)
	if err == nil {
		f.reached(a)
		return v, nil
	}
	if ctx.Err() != nil {
		return Verdict{}, err
	}
	return f.take(ctx, a, err)
}

// reached notes that the shared counters know how the budgets of an ask stand.
func (f *FallbackCounters) reached(a *Ask) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.bases) == 0 {
		return
	}
	for i := range a.Budgets {
		delete(f.bases, a.Budgets[i].Counter)
	}
}

func (f *FallbackCounters) take(ctx context.Context, a *Ask, why error) (Verdict, error) {
	if f.options.Rates == OutageDeny && len(a.Rates)+len(a.Slots) > 0 ||
		f.options.Budgets == OutageDeny && len(a.Budgets) > 0 {
		return Verdict{}, fmt.Errorf("%w: %w", ErrNoCounters, why)
	}
	share, err := f.share(ctx, a)
	if err != nil {
		return Verdict{}, fmt.Errorf("%w: %w", ErrNoCounters, errors.Join(why, err))
	}
	own := f.meter()
	v, err := own.Take(ctx, share)
	if err != nil {
		return Verdict{}, fmt.Errorf("%w: %w", ErrNoCounters, err)
	}
	if len(share.Rates) < len(a.Rates) { // they are not counted
		for i := range a.Rates {
			v.Rates = append(v.Rates, RateState{Remaining: a.Rates[i].Burst})
		}
	}
	v.Degraded = true
	if v.Grant != nil {
		g := v.Grant
		v.Grant = &Grant{Ask: a, Output: g.Output, Degraded: true, stand: &stand{own: own, grant: g}}
	}
	return v, nil
}

// meter gives the node's own counters. They are made anew when they were not asked for so long
// that all they counted is charged to the shared ones.
func (f *FallbackCounters) meter() *Meter {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.options.Now()
	if f.own == nil || now.Sub(f.last) > standFor {
		f.own = NewMeter(MeterOptions{Now: f.options.Now})
		f.bases = nil
	}
	f.last = now
	return f.own
}

// share is the ask with this node's share of each limit; what an outage lets pass is not in it.
func (f *FallbackCounters) share(ctx context.Context, a *Ask) (*Ask, error) {
	nodes := int64(max(1, f.options.Shared.Nodes()))
	s := *a
	s.Rates, s.Slots, s.Budgets = nil, nil, nil
	if f.options.Rates == OutageLocal {
		s.Rates, s.Slots = slices.Clone(a.Rates), slices.Clone(a.Slots)
	}
	for i := range s.Rates {
		r := &s.Rates[i]
		r.Interval *= time.Duration(nodes)
		// A call that fits into the whole burst must not be one that never fits.
		r.Burst = max((r.Burst+nodes-1)/nodes, min(r.Cost, r.Burst))
	}
	for i := range s.Slots {
		s.Slots[i].Limit = (s.Slots[i].Limit + nodes - 1) / nodes
	}
	if f.options.Budgets != OutageLocal {
		return &s, nil
	}
	s.Budgets = slices.Clone(a.Budgets)
	for i := range s.Budgets {
		b := &s.Budgets[i]
		b.Soft = nil // the shared counters tell of them, once for all nodes
		if b.Advisory {
			continue
		}
		base, err := f.base(ctx, &a.Budgets[i])
		if err != nil {
			return nil, err
		}
		b.Limit = max(0, minus(b.Limit, base)) / nodes
	}
	return &s, nil
}

// base is how much of a budget was gone when the outage began, as far as this node knows: it has
// seen it lately, or the ledger says so, or it has seen it once.
func (f *FallbackCounters) base(ctx context.Context, b *BudgetAsk) (int64, error) {
	f.meter() // forgets what is too old
	if base, ok := f.known(b.Counter); ok {
		return base, nil
	}
	state, at := f.options.Shared.Seen(b.Counter)
	seen := plus(state.Spent, state.Reserved)
	if f.options.History == nil || !at.IsZero() && f.options.Now().Sub(at) < fresh {
		if at.IsZero() {
			return 0, fmt.Errorf("this node has not seen yet what was spent of %s", b.Counter)
		}
		f.remember(b.Counter, seen)
		return seen, nil
	}
	base, err := f.read(ctx, b)
	if err != nil && at.IsZero() {
		return 0, err
	}
	base = max(base, seen)
	f.remember(b.Counter, base)
	return base, nil
}

func (f *FallbackCounters) known(counter string) (int64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	base, ok := f.bases[counter]
	return base, ok
}

func (f *FallbackCounters) remember(counter string, base int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bases == nil {
		f.bases = map[string]int64{}
	}
	f.bases[counter] = base
}

// Extend implements Counters.
func (f *FallbackCounters) Extend(ctx context.Context, g *Grant, tokens int64) (bool, error) {
	if g == nil {
		return false, nil
	}
	if g.stand != nil {
		return g.extend(ctx, f.options.Budgets, tokens)
	}
	ok, err := f.options.Shared.Extend(ctx, g, tokens)
	if err == nil || ctx.Err() != nil {
		return ok, err
	}
	return f.extend(ctx, g, tokens, err)
}

// extend grants more output to a call that the shared counters admitted, which is kept as a
// lease of this node's own.
func (f *FallbackCounters) extend(ctx context.Context, g *Grant, tokens int64, why error) (bool, error) {
	if tokens <= 0 {
		return true, nil
	}
	if len(g.Ask.Budgets) > 0 {
		if f.options.Budgets == OutageDeny {
			return false, fmt.Errorf("%w: %w", ErrNoCounters, why)
		}
		more := *g.Ask
		more.Now, more.Rates, more.Slots = f.options.Now(), nil, nil
		more.Output, more.Least = tokens, tokens
		more.Budgets = slices.Clone(g.Ask.Budgets)
		for i := range more.Budgets {
			more.Budgets[i].Fixed = 0
		}
		v, err := f.take(ctx, &more, why)
		if err != nil || v.Grant == nil {
			return false, err
		}
		f.mu.Lock()
		f.extended[g] = append(f.extended[g], v.Grant)
		f.mu.Unlock()
	}
	g.Output = plus(g.Output, tokens)
	return true, nil
}

func (g *Grant) extend(ctx context.Context, mode Outage, tokens int64) (bool, error) {
	s := g.stand
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled {
		return false, nil
	}
	if mode == OutageAllow {
		g.Output = plus(g.Output, max(0, tokens))
		return true, nil
	}
	ok, err := s.own.Extend(ctx, s.grant, tokens)
	if ok {
		g.Output = s.grant.Output
	}
	return ok, err
}

// Settle implements Counters.
func (f *FallbackCounters) Settle(g *Grant, s Spent) {
	if g == nil {
		return
	}
	if g.stand != nil && !g.stand.settle(s) {
		return
	}
	f.mu.Lock()
	extended := f.extended[g]
	delete(f.extended, g)
	f.mu.Unlock()
	for _, more := range extended {
		more.stand.settle(Spent{})
	}
	f.options.Shared.Settle(g, s)
}

// settle settles what this node's own counters granted; false where that was done before.
func (s *stand) settle(spent Spent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled {
		return false
	}
	s.settled = true
	own := Spent{}
	if len(s.grant.Ask.Rates) > 0 {
		own.Rates = spent.Rates
	}
	if len(s.grant.Ask.Budgets) > 0 {
		own.Budgets = spent.Budgets
	}
	s.own.Settle(s.grant, own)
	return true
}

// Load implements Counters.
func (f *FallbackCounters) Load(ctx context.Context, b *BudgetAsk, spent int64) error {
	return f.options.Shared.Load(ctx, b, spent)
}

var _ Counters = (*FallbackCounters)(nil)
