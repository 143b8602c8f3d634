package telemetry

import "testing"

func TestBudgets(t *testing.T) {
	standing := []Budget{{Scope: "key/ci", Per: "month", Limit: 25, Spent: 4, Reserved: 1}, {Scope: "all", Per: "day", Limit: 2, Spent: 3}}
	tel := New(Options{Budgets: func() []Budget { return standing }})
	text := scrape(t, tel)
	want(t, text, `aistrale_budget_remaining_usd{per="month",scope="key/ci"} 20`)
	want(t, text, `aistrale_budget_spent_usd{per="month",scope="key/ci"} 4`)
	want(t, text, `aistrale_budget_reserved_usd{per="month",scope="key/ci"} 1`)
	want(t, text, `aistrale_budget_remaining_usd{per="day",scope="all"} -1`)
	standing = nil
	if text := scrape(t, tel); len(text) == 0 {
		t.Error("nothing is told without budgets")
	}
}
