package boards

// plainNames gives the provider and the model of a GenAI metric the names that all others have.
func plainNames(q Query) Query { return renamed(renamed(q, provider, "provider"), model, "model") }

func costBoard() Board {
	cost, usage := shown("aistrale_cost_usd_total"), shown(tokens+"_sum")
	input, output := shown(tokens+"_sum", is("gen_ai_token_type", "input")), shown(tokens+"_sum", is("gen_ai_token_type", "output"))
	requests := shown("aistrale_requests_total")
	each := []string{"provider", "model"}
	return Board{
		name: "cost", title: "Cost and tokens", about: "What calls cost, and the tokens they cost it for. The ledger has the exact sums by key, user, project and tag: aistrale usage.",
		rows: []row{
			{"In the time shown", []panel{
				{title: "Cost", about: "Of requests whose price is known.", unit: "currencyUSD", asks: []ask{{query: orZero(sum(increase(cost, all)))}}},
				{title: "Tokens in", about: "Cached ones are among them.", unit: "short", asks: []ask{{query: orZero(sum(increase(input, all)))}}},
				{title: "Tokens out", unit: "short", asks: []ask{{query: orZero(sum(increase(output, all)))}}},
				{title: "A million tokens", about: "What a million tokens, in and out, cost on the whole.", unit: "currencyUSD", asks: []ask{{query: times(over(sum(increase(cost, all)), sum(increase(usage, all))), 1e6)}}},
				{title: "From the cache", about: "Requests that were answered with what an earlier one was, at no cost.", asks: []ask{{query: sum(increase(shown("aistrale_cache_hits_total"), all))}}},
				{title: "Without a price", about: "Served requests that the cost lacks.", steps: []float64{1}, asks: []ask{{query: sum(increase(shown("aistrale_unpriced_requests_total"), all))}}},
			}},
			{"Cost", []panel{
				{title: "By provider", about: "US dollars an hour.", kind: stacked, unit: "currencyUSD", asks: []ask{{query: times(sum(rate(cost, now), "provider"), 3600), legend: "{{provider}}"}}},
				{title: "By model", about: "US dollars an hour: the ten dearest.", kind: stacked, unit: "currencyUSD", asks: []ask{{query: topTen(times(sum(rate(cost, now), each...), 3600)), legend: "{{provider}}/{{model}}"}}},
				{title: "An hour, and the day before", about: "What AistraleCostJump looks at.", kind: lines, unit: "currencyUSD", asks: []ask{
					{query: times(sum(shown("job:aistrale_cost_usd:rate1h")), 3600), legend: "an hour"},
					{query: times(sum(averageBefore(shown("job:aistrale_cost_usd:rate1h"), "1d", "1h")), 3600), legend: "mean of the day before"},
				}},
				{title: "A request", about: "Mean cost of a request, by model.", kind: lines, unit: "currencyUSD", asks: []ask{
					{query: over(sum(rate(cost, now), each...), sum(rate(requests, now), each...)), legend: "{{provider}}/{{model}}"},
				}},
			}},
			{"Tokens", []panel{
				{title: "In", about: "A second, by model.", kind: stacked, asks: []ask{{query: sum(rate(input, now), provider, model), legend: "{{gen_ai_provider_name}}/{{gen_ai_request_model}}"}}},
				{title: "Out", about: "A second, by model.", kind: stacked, asks: []ask{{query: sum(rate(output, now), provider, model), legend: "{{gen_ai_provider_name}}/{{gen_ai_request_model}}"}}},
				{title: "A request's tokens", about: "The mean, and what one request in twenty passes.", kind: lines, asks: []ask{
					{query: mean(tokens, now, "gen_ai_token_type"), legend: "{{gen_ai_token_type}}, mean"},
					{query: quantile(0.95, shown(tokens+"_bucket"), now, "gen_ai_token_type"), legend: "{{gen_ai_token_type}}, p95"},
				}},
				{title: "By kind", about: "A second; each token is of one kind. What is read from a provider's cache costs less.", kind: stacked, asks: []ask{{query: sum(rate(shown("aistrale_tokens_total"), now), "kind"), legend: "{{kind}}"}}},
				{title: "By operation", about: "A second, in and out together.", kind: stacked, asks: []ask{{query: sum(rate(usage, now), "gen_ai_operation_name"), legend: "{{gen_ai_operation_name}}"}}},
			}},
			{"By project", []panel{
				{title: "Cost", about: "US dollars an hour: the ten dearest. Not narrowed by provider or model.", kind: stacked, unit: "currencyUSD", asks: []ask{{query: topTen(times(sum(rate(shown("aistrale_project_cost_usd_total"), now), "workspace", "project"), 3600)), legend: "{{workspace}}/{{project}}"}}},
				{title: "Requests", about: "The ten that ask most.", kind: stacked, unit: "reqps", asks: []ask{{query: topTen(sum(rate(shown("aistrale_project_requests_total"), now), "workspace", "project")), legend: "{{workspace}}/{{project}}"}}},
			}},
			{"By model", []panel{
				{title: "In the time shown", kind: table, height: 10, asks: []ask{
					{query: sum(increase(requests, all), each...), legend: "Requests", unit: "short"},
					{query: sum(plainNames(increase(input, all)), each...), legend: "Tokens in", unit: "short"},
					{query: sum(plainNames(increase(output, all)), each...), legend: "Tokens out", unit: "short"},
					{query: sum(increase(cost, all), each...), legend: "Cost", unit: "currencyUSD"},
				}},
			}},
		},
	}
}
