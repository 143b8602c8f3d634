package boards

// spentShare gives how much of each budget is spent, 1 being all.
func spentShare(budget func(name string) Query) Query {
	return over(most(budget("aistrale_budget_spent_usd"), "job", "scope", "per"), most(budget("aistrale_budget_limit_usd"), "job", "scope", "per"))
}

func limitAlerts() []Alert {
	plain := func(name string) Query { return metric(name) }
	requests, cost := metric("aistrale_requests_total"), metric("job:aistrale_cost_usd:rate1h")
	return []Alert{
		{
			Name: "AistraleBudget80", Severity: warning,
			Query:       both(atLeast(spentShare(plain), 0.8), below(spentShare(plain), 1)),
			Summary:     "{{ $value | humanizePercentage }} of the budget of {{ $labels.scope }} ({{ $labels.per }}) is spent",
			Description: "At 100 % a hard budget refuses its calls until the span ends.",
		},
		{
			Name: "AistraleBudgetSpent", Severity: warning,
			Query:       atLeast(spentShare(plain), 1),
			Summary:     "The budget of {{ $labels.scope }} ({{ $labels.per }}) is spent",
			Description: "A hard budget refuses its calls until the span ends; a soft one only tells of it.",
		},
		{
			Name: "AistraleCostJump", Severity: warning, For: "15m",
			Query: both(
				above(over(cost, averageBefore(cost, "1d", "1h")), 3),
				above(times(cost, 3600), 1),
			),
			Summary:     "An hour costs {{ $value | printf \"%.1f\" }} times what it did",
			Description: "The last hour costs more than three times the mean of the day before, and more than a dollar.",
		},
		{
			Name: "AistraleRefusals", Severity: info, For: "15m",
			Query: above(over(
				sum(rate(metric("aistrale_requests_total", is("status", "429")), "10m"), "job"),
				sum(rate(requests, "10m"), "job"),
			), 0.25),
			Summary:     "{{ $value | humanizePercentage }} of requests get a 429",
			Description: "A limit of yours refuses them, or a provider's limit does and there is no other target.",
		},
		{
			Name: "AistraleLimitsDegraded", Severity: warning, For: "2m",
			Query:       above(increase(metric("aistrale_limits_degraded_requests_total"), "5m"), 0),
			Summary:     "{{ $labels.instance }} keeps limits and budgets by itself",
			Description: "Redis did not answer for {{ $value | humanize }} requests of the last five minutes, so that storage.redis_mode decided.",
		},
		{
			Name: "AistraleSettlementsWait", Severity: warning, For: "10m",
			Query:       above(sum(metric("aistrale_limits_unsettled"), "job", "instance"), 1000),
			Summary:     "{{ $value }} settlements of {{ $labels.instance }} wait for the shared counters",
			Description: "Redis is away or too slow. Until it answers, limits and budgets hold back what these calls reserved.",
		},
		{
			Name: "AistraleSettlementsLost", Severity: critical,
			Query:       grew(metric("aistrale_limits_dropped_total"), "1h"),
			Summary:     "{{ $labels.instance }} did not tell the shared counters of settlements",
			Description: "Budgets and limits are off by what these calls took. The ledger has them.",
		},
	}
}
