package policy

import (
	"slices"
	"time"
)

// line is who waits for one counter: classes by priority, in a class one key after another, of
// a key the first come first. One at a time has the turn, which is to ask the counters again.
type line struct {
	counter string
	kind    AskKind
	classes []*class // the highest priority first
	waiters int
	turn    *waiter
	again   bool // something was given back while the turn was taken
	timer   *time.Timer
	due     time.Time // when the first may fit, as far as anyone knows
}

// class holds the waiters of one priority.
type class struct {
	priority int
	keys     []*keyQueue // the one whose turn is next first
}

type keyQueue struct {
	key     string
	waiters []*waiter
}

// waiter is one call that waits.
type waiter struct {
	Patience
	ask   *Ask
	began time.Time
	held  time.Time     // when it began to wait for reservations
	last  Verdict       // its own last refusal; none where it never asked
	turn  chan struct{} // room for one
	out   chan struct{} // closed where it must make room

	// Of the queue's lock:
	line *line
	said Refused // what the line that it left was for
}

// waits gives whether a refusal is worth waiting for.
func (w *waiter) waits(r Refused) bool {
	waited := time.Since(w.began)
	switch {
	case r.Kind == AskRate:
		return r.Wait > 0 && waited+r.Wait <= w.MaxWait
	case r.Kind == AskSlot:
		return waited < w.MaxWait
	case !r.Held:
		return false
	case w.held.IsZero():
		w.held = time.Now()
	}
	return time.Since(w.held) < w.Held
}

// left is how long a waiter may still stand in lines of a kind.
func (w *waiter) left(kind AskKind) time.Duration {
	if kind == AskBudget {
		return w.Held - time.Since(w.held)
	}
	return w.MaxWait - time.Since(w.began)
}

// refusal is the last word to a waiter: its own last refusal, or else what its line was for.
func (w *waiter) refusal() Verdict {
	if w.last.Refused.Kind != 0 {
		return w.last
	}
	return Verdict{Refused: w.said}
}

func (l *line) first() *waiter {
	if l.waiters == 0 {
		return nil
	}
	return l.classes[0].keys[0].waiters[0]
}

func (l *line) add(w *waiter) {
	i, found := slices.BinarySearchFunc(l.classes, w.Priority, func(c *class, p int) int { return p - c.priority })
	if !found {
		l.classes = slices.Insert(l.classes, i, &class{priority: w.Priority})
	}
	c := l.classes[i]
	w.line = l
	l.waiters++
	for _, k := range c.keys {
		if k.key == w.Key {
			k.waiters = append(k.waiters, w)
			return
		}
	}
	c.keys = append(c.keys, &keyQueue{w.Key, []*waiter{w}})
}

// remove takes a waiter out. Where it was the first of its class, the next key is.
func (l *line) remove(w *waiter) {
	for i, c := range l.classes {
		if c.priority != w.Priority {
			continue
		}
		c.remove(w)
		if len(c.keys) == 0 {
			l.classes = slices.Delete(l.classes, i, i+1)
		}
		break
	}
	w.line = nil
	l.waiters--
}

func (c *class) remove(w *waiter) {
	for i, k := range c.keys {
		at := slices.Index(k.waiters, w)
		if at < 0 {
			continue
		}
		k.waiters = slices.Delete(k.waiters, at, at+1)
		switch {
		case len(k.waiters) == 0:
			c.keys = slices.Delete(c.keys, i, i+1)
		case i == 0 && at == 0: // it had its turn
			c.keys = append(slices.Delete(c.keys, 0, 1), k)
		}
		return
	}
}

// wake gives the first the turn, where nobody has it.
func (l *line) wake() {
	if l.turn != nil {
		l.again = true
		return
	}
	if w := l.first(); w != nil {
		l.turn = w
		w.turn <- struct{}{}
	}
}

// yield ends the turn of a waiter that stays: whoever is first then is woken in so long, or at
// once where something was given back meanwhile. 0 is not before something is given back.
func (l *line) yield(wait time.Duration) {
	l.turn = nil
	if l.again {
		l.again = false
		l.wake()
		return
	}
	l.due = time.Time{}
	if wait > 0 {
		l.due = time.Now().Add(wait)
		l.timer.Reset(wait)
	}
}

// refusal is what someone is told who was not let ask: the place in its ask that the line is for,
// and a guess when all who are before it may be through.
func (l *line) refusal(a *Ask) Refused {
	r := Refused{Kind: l.kind}
	switch l.kind {
	case AskRate:
		r.Index = slices.IndexFunc(a.Rates, func(x RateAsk) bool { return x.Counter == l.counter })
		ahead := span(a.Rates[r.Index].Interval, int64(l.waiters))
		r.Wait = max(time.Millisecond, time.Until(l.due)) + time.Duration(ahead)
	case AskSlot:
		r.Index = slices.IndexFunc(a.Slots, func(x SlotAsk) bool { return x.Counter == l.counter })
		r.Wait = SlotWait
	case AskBudget:
		r.Index = slices.IndexFunc(a.Budgets, func(x BudgetAsk) bool { return x.Counter == l.counter })
		r.Held = true
	}
	return r
}
