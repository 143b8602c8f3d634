package policy

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// reading is a question to the ledger that is under way.
type reading struct {
	done chan struct{}
	base int64 // once done
	err  error
}

var errSlow = errors.New("the ledger has not answered yet")

// read asks the ledger what was spent, and waits for that as long as a call may. What comes later
// is there for the calls that come later.
func (f *FallbackCounters) read(ctx context.Context, b *BudgetAsk) (int64, error) {
	one := f.reading(b)
	late := time.NewTimer(historyWithin)
	defer late.Stop()
	var err error
	select {
	case <-one.done:
		if one.err == nil {
			return one.base, nil
		}
		err = one.err
	case <-late.C:
		err = errSlow
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return 0, fmt.Errorf("read what was spent of %s: %w", b.Counter, err)
}

// reading begins to read, unless that is under way.
func (f *FallbackCounters) reading(b *BudgetAsk) *reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.readings[b.Counter]
	if one != nil {
		return one
	}
	one = &reading{done: make(chan struct{})}
	if one.err = f.life.Err(); one.err != nil {
		close(one.done)
		return one
	}
	f.readings[b.Counter] = one
	own := *b
	f.work.Go(func() {
		base, err := f.ask(&own)
		if err == nil {
			f.remember(own.Counter, base)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		one.base, one.err = base, err
		delete(f.readings, own.Counter)
		close(one.done)
	})
	return one
}

// ask reads the ledger, one budget at a time.
func (f *FallbackCounters) ask(b *BudgetAsk) (base int64, err error) {
	select {
	case f.asking <- struct{}{}:
		defer func() { <-f.asking }()
	case <-f.life.Done():
		return 0, f.life.Err()
	}
	ctx, cancel := context.WithTimeout(f.life, historyFor)
	defer cancel()
	since := b.Window.Start
	if b.Window.Rolling > 0 {
		since = f.options.Now().Add(-b.Window.Rolling)
	}
	amounts, err := f.options.History(ctx, b, since)
	for _, a := range amounts {
		base = plus(base, max(0, a.Units))
	}
	return base, err
}

// Prepare has this node know how budgets stand before it may have to count them by itself: as the
// shared counters say, or where those cannot be reached as the ledger does.
func (f *FallbackCounters) Prepare(ctx context.Context, budgets []BudgetAsk) {
	if f.options.Budgets != OutageLocal {
		return
	}
	for i := range budgets {
		b := &budgets[i]
		if _, err := StateOf(ctx, f.options.Shared, b); err == nil || f.options.History == nil || b.Advisory {
			continue
		}
		_, known := f.known(b.Counter)
		if _, at := f.options.Shared.Seen(b.Counter); known || !at.IsZero() {
			continue
		}
		f.meter() // what is remembered is for it
		select {
		case <-f.reading(b).done:
		case <-ctx.Done():
			return
		}
	}
}
