package main

import (
	"context"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy"
)

// budgetStands says how a workspace's calendar budgets of money stand; none where the counters
// cannot be asked.
func (s *service) budgetStands(ctx context.Context, workspace string) ([]admin.BudgetStands, error) {
	now := time.Now()
	ask := &policy.Ask{Now: now}
	for _, b := range openBudgets(s.gateway.Snapshot(), now) {
		if b.Of.Holder.Workspace == workspace && b.Of.Counts == policy.CountedNano && !b.Window.End.IsZero() {
			ask.Budgets = append(ask.Budgets, b)
		}
	}
	stands, err := s.counting.counters.Gauge(ctx, ask)
	if err != nil {
		return nil, ctx.Err()
	}
	var out []admin.BudgetStands
	for i := range ask.Budgets {
		b := &ask.Budgets[i]
		out = append(out, admin.BudgetStands{
			Scope: b.Of.Holder.Scope().String(), Per: string(b.Of.Budget.Per), Models: b.Of.Budget.Models,
			Limit: b.Limit, Spent: stands.Budgets[i].Spent, Reserved: stands.Budgets[i].Reserved, Start: b.Window.Start.UTC(), End: b.Window.End.UTC(),
			Where: holds(b.Of.Holder), Counts: func(provider, model string) bool { return counts(b, provider, model) },
		})
	}
	return out, nil
}
