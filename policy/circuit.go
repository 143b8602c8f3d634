package policy

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Place is what a circuit stands for: one model of a provider by one credential.
type Place struct{ Provider, Credential, Model string }

// Breaker says when a place is taken for broken. The zero value never breaks.
type Breaker struct {
	Failures int // in a row
	// Requests and Percent: so many calls in the window, from its first failure on, and so large a
	// share of them failed.
	Requests, Percent int
	Window            time.Duration
	OpenFor           time.Duration // until one call may try again
}

// Result is what an attempt says of its place.
type Result uint8

// The results.
const (
	ResultNothing Result = iota // the client's doing, a refusal of ours, a rejected request, a limit
	ResultServed
	ResultFailed
)

// State is the state of a circuit.
type State uint8

// The states, from good to bad. A place that cools was asked too much, and is passed over while
// there is another; a credential set aside likewise.
const (
	StateClosed State = iota
	StateCooling
	StateAside
	StateHalfOpen // a call may try whether it works again
	StateOpen
)

// String names the state as /readyz shows it.
func (s State) String() string {
	return [...]string{"closed", "cooling", "aside", "half-open", "open"}[s]
}

// Circuit is what is known of one place. It outlives reloads.
type Circuit struct {
	Place
	health *Health
	fuse   atomic.Pointer[fuse]
	broken atomic.Uint32 // its State as far as the fuse goes
	until  atomic.Int64  // Unix nanoseconds, of StateOpen
	cool   atomic.Int64  // Unix nanoseconds; calls should go elsewhere till then
	aside  atomic.Int64  // the same, of a credential that is refused
	flying atomic.Int64  // calls under way
	used   atomic.Int64  // Unix nanoseconds, of the last call
	failed atomic.Int64  // Unix nanoseconds, of the last failure; 0 where that is long ago
	probed atomic.Int64  // Unix nanoseconds, of the last probe's begin

	trickle atomic.Bool // a call is under way though the circuit is not closed
	probing atomic.Bool
	gone    atomic.Bool

	first Latency // of streams, to the first content
	pace  Latency // of whole replies, for each token of output

	mu       sync.Mutex
	evidence evidence
	doubted  time.Time // when a probe was last asked for
	damned   time.Time // when a probe of ours last failed too
	spoiler  string    // who made the last try in the half-open state fail
	spoiled  time.Time
}

// fuse is gobreaker's breaker with the rules that it was made by.
type fuse struct {
	rules Breaker
	*gobreaker.CircuitBreaker[struct{}]
}

var (
	errFailed  = errors.New("the place failed")
	errNothing = errors.New("nothing was learnt of the place")
)

// follow takes rules over, which a reload may have changed.
func (c *Circuit) follow(rules *Breaker) {
	u := c.fuse.Load()
	switch {
	case u == nil && *rules == Breaker{}:
	case u == nil || u.rules != *rules:
		c.renew(*rules)
	}
}

// renew begins with a closed fuse.
func (c *Circuit) renew(rules Breaker) {
	if (rules == Breaker{}) {
		c.fuse.Store(nil)
		c.turn(StateClosed)
		return
	}
	u := &fuse{rules: rules}
	u.CircuitBreaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1, Interval: rules.Window, BucketPeriod: rules.Window / 10, Timeout: rules.OpenFor,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return c.trips(&u.rules, &n) },
		IsSuccessful: func(err error) bool { return err == nil },
		IsExcluded:   func(err error) bool { return err != nil && !errors.Is(err, errFailed) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if c.fuse.Load() == u { // a late call of a fuse that was replaced says nothing
				c.turned(to, u.rules.OpenFor)
			}
		},
	})
	c.fuse.Store(u)
	c.turn(StateClosed)
}

func (c *Circuit) turned(to gobreaker.State, openFor time.Duration) {
	switch to {
	case gobreaker.StateOpen:
		c.until.Store(time.Now().Add(openFor).UnixNano())
		c.turn(StateOpen)
	case gobreaker.StateHalfOpen:
		c.turn(StateHalfOpen)
	case gobreaker.StateClosed:
		c.turn(StateClosed)
	}
}

func (c *Circuit) turn(to State) {
	if State(c.broken.Swap(uint32(to))) != to {
		c.health.changed(c, to)
	}
}

// trips decides whether enough has failed, as seen by others than the one who saw most of it:
// no key can break a place for the others. Where only one key has seen failures, a probe of
// ours decides.
func (c *Circuit) trips(rules *Breaker, n *gobreaker.Counts) bool {
	valid := int(n.Requests - n.TotalExclusions)
	enough := rules.Failures > 0 && int(n.ConsecutiveFailures) >= rules.Failures ||
		rules.Requests > 0 && valid >= rules.Requests && int(n.TotalFailures)*100 >= rules.Percent*valid
	if !enough {
		return false
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.evidence.shared(now.Add(-rules.Window)) || now.Sub(c.damned) <= rules.Window
}

// State is the circuit's state at a time, and until when it holds, as far as that is known.
func (c *Circuit) State(now time.Time) (State, time.Time) {
	n := now.UnixNano()
	if s := State(c.broken.Load()); s != StateClosed {
		until := c.until.Load()
		if s == StateOpen && n > until {
			s = StateHalfOpen // gobreaker turns at the next call
		}
		return s, time.Unix(0, until)
	}
	if aside := c.aside.Load(); aside != 0 && n < aside {
		return StateAside, time.Unix(0, aside)
	}
	if cool := c.cool.Load(); cool != 0 && n < cool {
		return StateCooling, time.Unix(0, cool)
	}
	return StateClosed, time.Time{}
}

// Sound reports whether the circuit is closed and no deadline stands: what State says, without a
// look at the clock. It may be false where State says closed.
func (c *Circuit) Sound() bool {
	return State(c.broken.Load()) == StateClosed && c.cool.Load() == 0 && c.aside.Load() == 0
}

// Try makes the call, which must be over when it returns, unless the circuit is open. who is
// the key that asks. It reports whether the call was made.
func (c *Circuit) Try(who string, call func() Result) bool {
	u := c.fuse.Load()
	switch {
	case u == nil:
		call()
		return true
	case State(c.broken.Load()) == StateClosed:
		// The fuse is told when the call is over: of calls that began before its window, which
		// are those that time out, it would hear nothing.
		if r := call(); State(c.broken.Load()) == StateClosed {
			c.note(u, who, r)
		}
		return true
	case c.spoils(who, u.rules.OpenFor) || !c.trickle.CompareAndSwap(false, true):
		return false
	}
	defer c.trickle.Store(false)
	_, err := u.Execute(func() (struct{}, error) { return struct{}{}, c.word(u, who, call()) })
	return err != gobreaker.ErrOpenState && err != gobreaker.ErrTooManyRequests //nolint:errorlint // as Execute gives them
}

func (c *Circuit) note(u *fuse, who string, r Result) {
	if r == ResultNothing || r == ResultServed && c.untroubled(u.rules.Window) {
		return
	}
	_, _ = u.Execute(func() (struct{}, error) { return struct{}{}, c.word(u, who, r) })
}

// untroubled reports whether nothing has failed within the window: what is served then need not
// be counted, and the share that failed is one of the calls since the first failure.
func (c *Circuit) untroubled(window time.Duration) bool {
	failed := c.failed.Load()
	if failed == 0 {
		return true
	}
	if time.Now().UnixNano()-failed <= int64(window) {
		return false
	}
	c.failed.CompareAndSwap(failed, 0)
	return true
}

// word is a result in the fuse's words.
func (c *Circuit) word(u *fuse, who string, r Result) error {
	switch r {
	case ResultServed:
		return nil
	case ResultFailed:
		c.blame(who, u.rules.Window)
		return errFailed
	default:
		return errNothing
	}
}

// Trickle makes the call though the circuit is open, if no other call is under way there. One
// that is served closes the circuit.
func (c *Circuit) Trickle(call func() Result) bool {
	if !c.trickle.CompareAndSwap(false, true) {
		return false
	}
	defer c.trickle.Store(false)
	if u := c.fuse.Load(); call() == ResultServed && u != nil && c.fuse.Load() == u {
		c.renew(u.rules)
	}
	return true
}

// Cool asks calls to go elsewhere until a time. The later of two counts.
func (c *Circuit) Cool(until time.Time) { later(&c.cool, until) }

// SetAside takes a credential out of use until a time, while there is another.
func (c *Circuit) SetAside(until time.Time) {
	if later(&c.aside, until) {
		c.health.changed(c, StateAside)
	}
}

func later(at *atomic.Int64, until time.Time) bool {
	for {
		was, next := at.Load(), until.UnixNano()
		if was >= next {
			return false
		}
		if at.CompareAndSwap(was, next) {
			return true
		}
	}
}

// Doubtful reports whether one key alone sees the place fail, so that a probe of ours should
// look. It says so once in a window; Probed must follow.
func (c *Circuit) Doubtful(now time.Time) bool {
	u := c.fuse.Load()
	if u == nil || State(c.broken.Load()) != StateClosed {
		return false
	}
	n := u.Counts()
	c.mu.Lock()
	defer c.mu.Unlock()
	enough := u.rules.Failures > 0 && int(n.ConsecutiveFailures) >= u.rules.Failures ||
		u.rules.Requests > 0 && int(n.TotalFailures)*100 >= u.rules.Percent*u.rules.Requests
	if !enough || now.Sub(c.doubted) < u.rules.Window {
		return false
	}
	c.doubted = now
	return true
}

// Probed says whether a probe of ours failed as the calls did.
func (c *Circuit) Probed(failed bool, now time.Time) {
	u := c.fuse.Load()
	if u == nil || !failed {
		return
	}
	c.mu.Lock()
	c.damned = now
	c.mu.Unlock()
	_, _ = u.Execute(func() (struct{}, error) { return struct{}{}, errFailed }) // one failure more, and it counts
}

// Gone reports whether the circuit was dropped since nobody used it; another may stand for its
// place by now.
func (c *Circuit) Gone() bool { return c.gone.Load() }

// Claim makes the caller the only one who probes, unless one has of late; Release ends that.
func (c *Circuit) Claim(now time.Time) bool {
	if now.UnixNano()-c.probed.Load() < int64(probeEvery) || !c.probing.CompareAndSwap(false, true) {
		return false
	}
	c.probed.Store(now.UnixNano())
	return true
}

// probeEvery is the least time between two probes: calls that fail again and again for a reason
// of their own must not make one each.
const probeEvery = 5 * time.Second

// Release ends a Claim.
func (c *Circuit) Release() { c.probing.Store(false) }

// Begin notes a call, and End its end.
func (c *Circuit) Begin(now time.Time) {
	c.used.Store(now.UnixNano())
	c.flying.Add(1)
}

// Sample is how a call went.
type Sample struct {
	Result Result
	Stream bool
	Took   time.Duration // to the first content of a stream, else to the end of the reply
	Output int64         // tokens of a whole reply
}

// End notes a call's end. Streams are measured to their first content, whole replies by the
// time for each token, since a long answer is not a slow one.
func (c *Circuit) End(s Sample, now time.Time) {
	c.flying.Add(-1)
	if s.Result == ResultNothing {
		return
	}
	took, l := s.Took, &c.first
	if !s.Stream {
		took, l = s.Took/time.Duration(max(1, s.Output)), &c.pace
	}
	if s.Result == ResultFailed {
		took = max(took, slowest)
	}
	l.Observe(took, now)
}

// Load scores the place for a call: how slow it is, times how many calls wait there already.
// A place that nobody knows scores 0, and so is tried.
func (c *Circuit) Load(stream bool, now time.Time) float64 {
	l := &c.pace
	if stream {
		l = &c.first
	}
	return l.Seconds(now) * float64(c.flying.Load()+1)
}

// blame notes whose call failed.
func (c *Circuit) blame(who string, window time.Duration) {
	now := time.Now()
	c.failed.Store(now.UnixNano())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evidence.add(who, now, window)
	if State(c.broken.Load()) == StateHalfOpen {
		c.spoiler, c.spoiled = who, now
	}
}

// spoils reports whether who made the last try fail, and should let others try before: one
// whose requests always fail would else keep the place from everybody.
func (c *Circuit) spoils(who string, openFor time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spoiler == who && time.Since(c.spoiled) < 2*openFor
}
