package main

import (
	"context"
	"time"

	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/policy"
)

// What a scrape asks of the counters at most.
const (
	maxBudgetGauges = 200
	gaugeTimeout    = time.Second
)

// readBudgets tells how the budgets of money stand that name one holder. One for each key ("*")
// has as many counters as there are keys, and labels must be bounded.
func (s *service) readBudgets(tell telemetry.Tell) {
	state := s.gateway.Snapshot()
	ctx, cancel := context.WithTimeout(context.Background(), gaugeTimeout)
	defer cancel()
	now := time.Now()
	seen := map[[2]string]bool{}
	for _, key := range state.Keys.All() {
		asks := state.Limits.For(key).Budgets(now)
		for i := range asks {
			rule := asks[i].Of
			name := [2]string{rule.Budget.Scope.String(), string(rule.Budget.Per)}
			if rule.Counts != policy.CountedNano || rule.Budget.Scope.Name == "*" || len(rule.Budget.Models) > 0 || seen[name] || len(seen) == maxBudgetGauges {
				continue
			}
			stands, err := policy.StateOf(ctx, s.counting.counters, &asks[i])
			if err != nil {
				continue // what is not known is not shown
			}
			seen[name] = true
			limit, spent, reserved := gaugeUSD(asks[i].Limit), gaugeUSD(stands.Spent), gaugeUSD(stands.Reserved)
			tell("aistrale_budget_limit_usd", limit, name[:]...)
			tell("aistrale_budget_spent_usd", spent, name[:]...)
			tell("aistrale_budget_reserved_usd", reserved, name[:]...)
			tell("aistrale_budget_remaining_usd", limit-spent-reserved, name[:]...)
		}
	}
}

func gaugeUSD(nano int64) float64 { return float64(nano) / 1e9 }
