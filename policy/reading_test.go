package policy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// archive is a ledger that takes its time: it answers a first question when it is released, and
// no other one before its context ends.
type archive struct {
	release chan struct{}
	asked   chan struct{}
}

func newArchive() *archive {
	return &archive{release: make(chan struct{}), asked: make(chan struct{}, 100)}
}

func (a *archive) history(ctx context.Context, _ *policy.BudgetAsk, _ time.Time) ([]policy.Amount, error) {
	a.asked <- struct{}{}
	release := a.release
	if len(a.asked) > 1 {
		release = nil
	}
	select {
	case <-release:
		return []policy.Amount{{Units: 940}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// budgetsOnly is an ask that this node has to know a budget for.
func (s *away) budgetsOnly() *policy.Ask {
	a := s.ask()
	a.Rates, a.Slots = nil, nil
	return a
}

// A ledger that takes longer than a call may wait is waited for by the calls that follow.
func TestReading_GoesOn(t *testing.T) {
	s, ledger := newAway(1), newArchive()
	s.down.Store(true)
	c := s.counters(policy.FallbackOptions{History: ledger.history})
	defer c.Close()
	if _, err := c.Take(t.Context(), s.budgetsOnly()); !errors.Is(err, policy.ErrNoCounters) {
		t.Fatalf("a call that cannot be counted: %v", err)
	}
	close(ledger.release)
	c.Prepare(t.Context(), s.budgetsOnly().Budgets) // waits for the same reading, or finds it
	if grants, v := granted(t, c, s.budgetsOnly, 100); len(grants) != 6 || v.Refused.Kind != policy.AskBudget {
		t.Errorf("%d granted, then %+v; want 6 of what is left", len(grants), v.Refused)
	}
	if len(ledger.asked) != 1 {
		t.Errorf("the ledger is asked %d times", len(ledger.asked))
	}
}

// A node that starts without the shared counters reads the ledger before anybody calls; one that
// was told by them reads nothing.
func TestPrepare(t *testing.T) {
	f := func(down bool, seen bool, want int) {
		t.Helper()
		s, ledger := newAway(1), newArchive()
		close(ledger.release)
		s.down.Store(down)
		if seen {
			s.seen[awayBudget] = policy.BudgetState{Spent: 1}
		}
		c := s.counters(policy.FallbackOptions{History: ledger.history})
		defer c.Close()
		c.Prepare(t.Context(), s.budgetsOnly().Budgets)
		c.Prepare(t.Context(), s.budgetsOnly().Budgets)
		if len(ledger.asked) != want {
			t.Errorf("down %t, seen %t: the ledger is asked %d times, want %d", down, seen, len(ledger.asked), want)
		}
	}
	f(true, false, 1)
	f(true, true, 0)
	f(false, false, 0)
}

// What is read ends with the counters.
func TestReading_Ends(t *testing.T) {
	s, ledger := newAway(1), newArchive()
	s.down.Store(true)
	c := s.counters(policy.FallbackOptions{History: ledger.history})
	if _, err := c.Take(t.Context(), s.budgetsOnly()); !errors.Is(err, policy.ErrNoCounters) {
		t.Fatal(err)
	}
	c.Close()
	if _, err := c.Take(t.Context(), s.budgetsOnly()); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
