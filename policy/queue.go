package policy

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// HeldWait is how long a call usually waits for reservations of others to come back, before it
// is refused.
const HeldWait = 2 * time.Second

// heldDepth is how many calls may wait for reservations, also where no queue is configured.
const heldDepth = 1024

// Patience is how a call waits where it is refused.
type Patience struct {
	Key      string        // the key's id: keys take turns
	Priority int           // the higher goes first
	MaxWait  time.Duration // for rates and slots; 0: it does not wait
	MaxDepth int           // how many calls may wait at once, of all keys
	Held     time.Duration // for reservations under way: HeldWait
	Leases   Leases        // nil: the ask's own name is good for as often as it asks
}

// Leases name the leases of one call.
type Leases interface {
	// Next gives a name that no ask had.
	Next() string
}

// Queue lets calls wait for rates and slots, and for reservations under way. It stands before
// other Counters, and what was taken through it must be settled through it. It has no goroutine:
// who waits is woken by time, in order, and by settlements.
type Queue struct {
	Counters
	recheck time.Duration
	waiting atomic.Int64

	mu    sync.Mutex
	lines map[string]*line
	each  map[string]int // waiters by key
}

// NewQueue makes a queue before counters. recheck is how often the first in a line looks for what
// other nodes gave back, of which nobody here is told: 0 where there are none.
func NewQueue(c Counters, recheck time.Duration) *Queue {
	return &Queue{Counters: c, recheck: recheck, lines: map[string]*line{}, each: map[string]int{}}
}

// Waiting counts the calls that wait.
func (q *Queue) Waiting() int64 { return q.waiting.Load() }

// Wait is Take with patience: it ends with a grant, with a refusal that no waiting helps or for
// which the time or the room is too short, or with the context. It sets a.Now to when it asked
// last.
func (q *Queue) Wait(ctx context.Context, a *Ask, p Patience) (Verdict, error) {
	var w *waiter
	if q.waiting.Load() > 0 {
		w = newWaiter(a, p)
		if refused, behind := q.behind(w); refused.Kind != 0 {
			return Verdict{Refused: refused}, nil
		} else if behind {
			return q.stand(ctx, w)
		}
	}
	v, err := q.ask(ctx, a, &p)
	if err != nil || v.Grant != nil {
		return v, err
	}
	if w == nil {
		w = newWaiter(a, p)
	}
	if w.last = v; !w.waits(v.Refused) || !q.join(w) {
		return v, nil
	}
	return q.stand(ctx, w)
}

// ask asks the counters. Where they granted a part, which they give back, whatever is asked next
// has another lease: it may come before that.
func (q *Queue) ask(ctx context.Context, a *Ask, p *Patience) (Verdict, error) {
	v, err := q.Take(ctx, a)
	if err == nil && v.Grant == nil && v.Parted && p.Leases != nil {
		a.Lease = p.Leases.Next()
	}
	return v, err
}

func newWaiter(a *Ask, p Patience) *waiter { return &waiter{Patience: p, ask: a, began: time.Now()} }

// stand waits in line.
func (q *Queue) stand(ctx context.Context, w *waiter) (Verdict, error) {
	timer := time.NewTimer(w.left(q.kindOf(w)))
	defer timer.Stop()
	for {
		select {
		case <-w.turn:
			if v, done, err := q.try(ctx, w); done {
				return v, err
			}
			timer.Reset(w.left(q.kindOf(w)))
		case <-ctx.Done():
			q.leave(w)
			return Verdict{}, fmt.Errorf("wait for a limit: %w", context.Cause(ctx))
		case <-timer.C:
			return q.giveUp(ctx, w)
		case <-w.out:
			return w.refusal(), nil
		}
	}
}

func (q *Queue) kindOf(w *waiter) AskKind {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.line == nil {
		return w.said.Kind
	}
	return w.line.kind
}

// try asks the counters: w has the turn.
func (q *Queue) try(ctx context.Context, w *waiter) (v Verdict, done bool, err error) {
	w.ask.Now = time.Now()
	v, err = q.ask(ctx, w.ask, &w.Patience)
	if err != nil || v.Grant != nil || !w.waits(v.Refused) {
		q.leave(w)
		return v, true, err
	}
	w.last = v
	q.stay(w)
	return v, false, nil
}

// giveUp ends a wait that took too long. Who waited for a reservation asks once more: behind
// others that need more it may never have had its turn.
func (q *Queue) giveUp(ctx context.Context, w *waiter) (Verdict, error) {
	q.leave(w)
	if w.said.Kind == AskBudget {
		w.ask.Now = time.Now()
		return q.ask(ctx, w.ask, &w.Patience)
	}
	return w.refusal(), nil
}

// Settle implements Counters, and wakes who waits for what comes back.
func (q *Queue) Settle(g *Grant, s Spent) {
	q.Counters.Settle(g, s)
	if g == nil || g.Ask == nil || q.waiting.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := range q.linesOf(g.Ask) {
		l.wake()
	}
}

// linesOf gives the lines that stand for an ask's counters.
func (q *Queue) linesOf(a *Ask) func(yield func(*line) bool) {
	return func(yield func(*line) bool) {
		for i := range a.Rates {
			if l := q.lines[a.Rates[i].Counter]; l != nil && !yield(l) {
				return
			}
		}
		for i := range a.Slots {
			if l := q.lines[a.Slots[i].Counter]; l != nil && !yield(l) {
				return
			}
		}
		for i := range a.Budgets {
			if l := q.lines[a.Budgets[i].Counter]; l != nil && !yield(l) {
				return
			}
		}
	}
}

// behind puts a new call behind those that wait for the same, which it may not overtake, or
// refuses it where it would stand there in vain. Who waits for a reservation may be overtaken by
// who needs less.
func (q *Queue) behind(w *waiter) (refused Refused, behind bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := range q.linesOf(w.ask) {
		if l.kind == AskBudget {
			continue
		}
		vain := l.kind == AskRate && l.first().Priority >= w.Priority && time.Until(l.due) > w.MaxWait
		if w.MaxWait <= 0 || vain || !q.enter(l, w) {
			return l.refusal(w.ask), true
		}
		return Refused{}, true
	}
	return Refused{}, false
}

// join begins to wait for what refused w, where there is room.
func (q *Queue) join(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.line(w)
	if !q.enter(l, w) {
		q.close(l)
		return false
	}
	return true
}

// line gives the line for what refused w last.
func (q *Queue) line(w *waiter) *line {
	counter, r := "", w.last.Refused
	switch r.Kind {
	case AskRate:
		counter = w.ask.Rates[r.Index].Counter
	case AskSlot:
		counter = w.ask.Slots[r.Index].Counter
	case AskBudget:
		counter = w.ask.Budgets[r.Index].Counter
	}
	l := q.lines[counter]
	if l == nil {
		l = &line{counter: counter, kind: r.Kind}
		l.timer = time.AfterFunc(math.MaxInt64, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			l.wake()
		})
		l.timer.Stop()
		q.lines[counter] = l
	}
	return l
}

// enter adds a waiter. Where all places are taken, the key that has most of them gives one up to
// a key that has fewer, or of a higher priority; else there is no room.
func (q *Queue) enter(l *line, w *waiter) bool {
	depth := w.MaxDepth
	if l.kind == AskBudget {
		depth = max(depth, heldDepth)
	}
	if q.waiting.Load() >= int64(depth) && !q.makeRoom(w) {
		return false
	}
	w.turn, w.out = make(chan struct{}, 1), make(chan struct{})
	q.waiting.Add(1)
	q.each[w.Key]++
	q.lines[l.counter] = l // who made room may have been the last in it
	q.place(l, w)
	return true
}

// place puts a waiter into a line. The first looks again at once: what it waits for may have come
// back just before it stood there. Of a rate it knows when that is.
func (q *Queue) place(l *line, w *waiter) {
	alone := l.waiters == 0
	l.add(w)
	if l.first() != w {
		return
	}
	if r := w.last.Refused; alone && r.Kind == AskRate {
		l.yield(r.Wait)
	} else {
		l.wake()
	}
}

// makeRoom sends the last waiter of the greediest key away.
func (q *Queue) makeRoom(w *waiter) bool {
	var victim *waiter
	for _, l := range q.lines {
		for _, c := range l.classes {
			for _, k := range c.keys {
				last := k.waiters[len(k.waiters)-1]
				if q.yields(last, w) && q.worse(last, victim) {
					victim = last
				}
			}
		}
	}
	if victim == nil {
		return false
	}
	q.drop(victim)
	close(victim.out)
	return true
}

// yields reports whether a waiter must give its place up to a newcomer.
func (q *Queue) yields(old, newcomer *waiter) bool {
	if old.Priority != newcomer.Priority {
		return old.Priority < newcomer.Priority
	}
	return q.each[old.Key] > q.each[newcomer.Key]+1
}

// worse reports whether a gives its place up before b. The order of keys settles the rest.
func (q *Queue) worse(a, b *waiter) bool {
	switch {
	case b == nil:
		return true
	case a.Priority != b.Priority:
		return a.Priority < b.Priority
	case q.each[a.Key] != q.each[b.Key]:
		return q.each[a.Key] > q.each[b.Key]
	case a.Key != b.Key:
		return a.Key < b.Key
	}
	return a.began.After(b.began)
}

// stay ends a turn that was in vain: w keeps its place, or goes to the line for what it waits for
// now.
func (q *Queue) stay(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := w.line
	if l == nil {
		return // it was sent away meanwhile
	}
	if to := q.line(w); to != l {
		l.turn, l.again = nil, false
		l.remove(w)
		l.wake()
		q.close(l)
		q.place(to, w)
		return
	}
	if l.kind == AskRate {
		l.yield(w.last.Refused.Wait)
	} else {
		l.yield(q.recheck)
	}
}

// leave takes a waiter out, wherever it stands.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.line != nil {
		q.drop(w)
	}
}

func (q *Queue) drop(w *waiter) {
	l := w.line
	w.said = l.refusal(w.ask)
	q.waiting.Add(-1)
	if q.each[w.Key]--; q.each[w.Key] == 0 {
		delete(q.each, w.Key)
	}
	first := l.first() == w
	if l.turn == w {
		l.turn, l.again, first = nil, false, true
	}
	l.remove(w)
	if first {
		l.wake()
	}
	q.close(l)
}

// close forgets a line in which nobody waits.
func (q *Queue) close(l *line) {
	if l.waiters == 0 && q.lines[l.counter] == l {
		l.timer.Stop()
		delete(q.lines, l.counter)
	}
}
