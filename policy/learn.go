package policy

import (
	"context"
	"fmt"
)

// unknown reports whether a budget is asked whose history must be read first.
func (m *Meter) unknown(a *Ask) bool {
	for i := range a.Budgets {
		if m.mustLearn(&a.Budgets[i]) {
			return true
		}
	}
	return false
}

// mustLearn: of a window that began after the meter had begun to count the budget, it knows all.
func (m *Meter) mustLearn(b *BudgetAsk) bool {
	if m.options.History == nil || m.budgets[b.Counter] != nil {
		return false
	}
	since := max(0, b.Since.Sub(m.base))
	if b.Window.Rolling > 0 {
		return m.now < int64(since+b.Window.Rolling)
	}
	return b.Window.Start.Before(m.base.Add(since))
}

// learn reads a budget's history where it must be read. One reads at a time: whoever waits
// behind for the same budget then finds it.
func (m *Meter) learn(ctx context.Context, b *BudgetAsk) error {
	if m.options.History == nil {
		return nil
	}
	select {
	case m.learning <- struct{}{}:
		defer func() { <-m.learning }()
	case <-ctx.Done():
		return fmt.Errorf("read what was spent of %s: %w", b.Counter, context.Cause(ctx))
	}
	now := m.options.Now()
	m.lock(now)
	must := m.mustLearn(b)
	m.unlock()
	if !must {
		return nil
	}
	since := b.Window.Start
	if b.Window.Rolling > 0 {
		since = now.Add(-b.Window.Rolling)
	}
	spent, err := m.options.History(ctx, b, since)
	if err != nil {
		return fmt.Errorf("read what was spent of %s: %w", b.Counter, err)
	}
	m.load(b, spent)
	return nil
}

// Load implements Counters. Of a rolling window, spent counts as of now.
func (m *Meter) Load(_ context.Context, b *BudgetAsk, spent int64) error {
	m.load(b, []Amount{{At: m.options.Now(), Units: spent}})
	return nil
}

// load makes a budget's counter, unless it is there already. Shares that it stands above were
// told of before.
func (m *Meter) load(a *BudgetAsk, spent []Amount) {
	now := m.options.Now()
	m.lock(now)
	defer m.unlock()
	if m.budgets[a.Counter] != nil {
		return
	}
	b := m.budget(a, now)
	for _, s := range spent {
		at := int64(s.At.Sub(m.base))
		if b.rolling != nil && at <= m.now-int64(a.Window.Rolling)-b.rolling.length {
			continue
		}
		b.spend(at, max(0, s.Units))
	}
	b.cross(a, m.now, nil)
}

var _ Counters = (*Meter)(nil)
