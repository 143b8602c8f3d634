package boards

func limitsBoard() Board {
	requests := shown("aistrale_requests_total")
	budget := func(name string) Query { return most(shown(name), "scope", "per") }
	shownShare := over(budget("aistrale_budget_spent_usd"), budget("aistrale_budget_limit_usd"))
	return Board{
		name: "limits", title: "Limits and budgets", about: "What limits refuse, and what budgets of money still pay for. Budgets that hold each key for itself are not shown: aistrale usage tells them.",
		rows: []row{
			{"Limits", []panel{
				{title: "Refused", about: "401: no such key; 403: a right or a price is missing; 413: too long; 429: a limit or a budget of yours, or a provider's.", kind: stacked, width: 12, unit: "reqps", asks: []ask{
					{query: sum(rate(shown("aistrale_requests_total", like("status", "4..")), now), "status"), legend: "{{status}}"},
				}},
				{title: "Share of 429", kind: lines, width: 12, unit: "percentunit", asks: []ask{
					{query: over(either(sum(rate(shown("aistrale_requests_total", is("status", "429")), now), "provider"), times(sum(rate(requests, now), "provider"), 0)), sum(rate(requests, now), "provider")), legend: "{{provider}}"},
				}},
				{title: "Refused by kind", about: "What a kind of limit refused; the log names the limit itself.", kind: stacked, unit: "reqps", asks: []ask{
					{query: sum(rate(shown("aistrale_limit_decisions_total", is("decision", "refused")), now), "limit"), legend: "{{limit}}"},
				}},
				{title: "Waiting", about: "Requests that wait for a limit to let them, where queue.max_wait allows it.", kind: lines, asks: []ask{{query: sum(shown("aistrale_limit_waiting"), "instance"), legend: "{{instance}}"}}},
				{title: "Without Redis", about: "Requests that a gateway counted by itself.", kind: lines, unit: "reqps", asks: []ask{{query: sum(rate(shown("aistrale_limits_degraded_requests_total"), now), "instance"), legend: "{{instance}}"}}},
				{title: "Settlements that wait", about: "For Redis, which counts for all gateways.", kind: lines, width: 6, asks: []ask{{query: sum(shown("aistrale_limits_unsettled"), "instance"), legend: "{{instance}}"}}},
				{title: "Settlements lost", about: "Must stay 0.", kind: lines, width: 6, asks: []ask{{query: sum(increase(shown("aistrale_limits_dropped_total"), now), "instance"), legend: "{{instance}}"}}},
			}},
			{"Budgets", []panel{
				{title: "Spent", about: "Of each budget, in its span.", kind: bars, unit: "percentunit", most: 1, steps: []float64{0.8, 1}, asks: []ask{{query: shownShare, legend: "{{scope}} ({{per}})"}}},
				{title: "Left", about: "What a budget still pays for: the limit without what is spent and reserved.", kind: lines, unit: "currencyUSD", asks: []ask{
					{query: least(shown("aistrale_budget_remaining_usd"), "scope", "per"), legend: "{{scope}} ({{per}})"},
				}},
				{title: "Budgets", kind: table, asks: []ask{
					{query: budget("aistrale_budget_limit_usd"), legend: "Limit", unit: "currencyUSD"},
					{query: budget("aistrale_budget_spent_usd"), legend: "Spent", unit: "currencyUSD"},
					{query: budget("aistrale_budget_reserved_usd"), legend: "Reserved", unit: "currencyUSD"},
					{query: least(shown("aistrale_budget_remaining_usd"), "scope", "per"), legend: "Left", unit: "currencyUSD"},
					{query: shownShare, legend: "Share", unit: "percentunit"},
				}},
			}},
		},
	}
}
