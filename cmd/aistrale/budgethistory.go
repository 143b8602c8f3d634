package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// recent is how far back a budget's history is told attempt by attempt, so that a rolling window
// has the newest where they belong.
const recent = 2 * time.Minute

// budgetHistory says what the ledger has for a budget since a time: what a gateway begins with
// that has just started.
func (a *accounting) budgetHistory(ctx context.Context, b *policy.BudgetAsk, since time.Time) ([]policy.Amount, error) {
	return a.namedHistory(ctx, b, since, time.Now().Add(-recent))
}

// namedHistory tells requests since a time attempt by attempt: for counters that nodes share and
// that came back empty, which settlements may be under way to.
func (a *accounting) namedHistory(ctx context.Context, b *policy.BudgetAsk, since, named time.Time) ([]policy.Amount, error) {
	if a.ledger == nil || b.Of.Holder.Kind == storage.ScopeSession {
		return nil, nil // journal.store is off, as a warning says; sums of sessions are not kept
	}
	if a.lacking.Load() {
		return nil, errors.New("the ledger does not have yet what earlier gateways spent")
	}
	if !a.whole.Load() && a.lag() > 0 {
		return nil, fmt.Errorf("the ledger does not have yet what earlier gateways spent (%d records)", a.lag())
	}
	a.whole.Store(true)
	now := time.Now()
	cut := named.Truncate(time.Minute)
	if cut.Before(since) {
		cut = since
	}
	spent, err := a.summed(ctx, b, since, cut)
	if err != nil {
		return nil, err
	}
	q := storage.EntryQuery{From: cut, To: now.Add(time.Minute), Where: holds(b.Of.Holder)}
	err = a.ledger.Entries(ctx, q, func(e *storage.Entry) error {
		if counts(b, e.Provider, e.Model) {
			totals := storage.TotalsOf(e)
			spent = append(spent, policy.Amount{
				At: e.Time, Units: units(b.Of.Counts, &totals), Lease: policy.LeaseOf(e),
			})
		}
		return nil
	})
	return spent, err
}

// summed gives what the roll-ups have between two times; rolling windows are told in parts.
func (a *accounting) summed(ctx context.Context, b *policy.BudgetAsk, since, until time.Time) ([]policy.Amount, error) {
	if !since.Before(until) {
		return nil, nil
	}
	q := storage.UsageQuery{From: since, To: until, By: []storage.Dimension{storage.ByProvider, storage.ByModel}, Where: holds(b.Of.Holder)}
	if rolling := b.Window.Rolling; rolling > 0 {
		q.Per = storage.Hour
		if rolling <= 48*time.Hour {
			q.Per = storage.Minute
		}
	}
	sums, err := a.ledger.Usage(ctx, q)
	if err != nil {
		return nil, err
	}
	var spent []policy.Amount
	for i := range sums {
		s := &sums[i]
		if !counts(b, s.Provider, s.Model) {
			continue
		}
		at := s.Start
		if at.IsZero() {
			at = since
		}
		spent = append(spent, policy.Amount{At: at, Units: units(b.Of.Counts, &s.Totals)})
	}
	return spent, nil
}

// counts reports whether a budget is for a model. The ledger has no names of aliases, so a budget
// that is narrowed to one begins anew with each start.
func counts(b *policy.BudgetAsk, provider, model string) bool {
	patterns := b.Of.Budget.Models
	return len(patterns) == 0 || policy.Allows(patterns, provider+"/"+model)
}

// holds are the ledger's rows that a budget counts.
func holds(h policy.Holder) []storage.Filter {
	filter := func(d storage.Dimension, name string) storage.Filter {
		return storage.Filter{Dimension: d, Values: []string{name}}
	}
	where := []storage.Filter{filter(storage.ByWorkspace, h.Workspace)}
	switch h.Kind {
	case storage.ScopeKey:
		return append(where, filter(storage.ByKey, h.Name))
	case storage.ScopeUser:
		return append(where, filter(storage.ByUser, h.Name))
	case storage.ScopeProject:
		return append(where, filter(storage.ByProject, h.Name))
	case storage.ScopeWorkspace:
		return where
	case storage.ScopeAll, storage.ScopeSession:
	}
	return nil
}

func units(c policy.Counted, t *storage.Totals) int64 {
	switch c {
	case policy.CountedInput:
		return t[storage.InputTokens]
	case policy.CountedOutput:
		return t[storage.OutputTokens]
	case policy.CountedTokens:
		return t[storage.InputTokens] + t[storage.OutputTokens]
	case policy.CountedNano:
		return t[storage.CostNano]
	case policy.CountedRequests:
	}
	return t[storage.Requests]
}
