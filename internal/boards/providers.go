package boards

// attemptFailures is the share of attempts that the provider failed.
func attemptFailures(window string, by ...string) Query {
	of := sum(rate(shown("aistrale_upstream_attempts_total"), window), by...)
	return over(either(sum(rate(shown("aistrale_upstream_attempts_total", failedAttempts), window), by...), times(of, 0)), of)
}

func providersBoard() Board {
	attempts := shown("aistrale_upstream_attempts_total")
	return Board{
		name: "providers", title: "Providers", about: "How each provider does: how fast, how often it fails, and what the gateway does about it.",
		rows: []row{
			{"Now", []panel{
				{title: "Providers", about: "In the time shown.", kind: table, height: 8, asks: []ask{
					{query: sum(increase(attempts, all), "provider"), legend: "Attempts", unit: "short"},
					{query: attemptFailures(all, "provider"), legend: "Failed", unit: "percentunit"},
					{query: most(shown("aistrale_breaker_state"), "provider"), legend: "Circuit"},
					{query: sum(increase(shown("aistrale_cost_usd_total"), all), "provider"), legend: "Cost", unit: "currencyUSD"},
				}},
				{title: "Circuits", about: "The worst circuit of each provider. An open one is left alone for a while.", kind: timeline, states: []state{{"closed", "green"}, {"half open", "orange"}, {"open", "red"}}, asks: []ask{
					{query: most(shown("aistrale_breaker_state"), "provider"), legend: "{{provider}}"},
				}},
				{title: "Credentials", about: "One that is refused is passed over while there is another.", kind: timeline, states: []state{{"in use", "green"}, {"refused", "orange"}, {"missing", "red"}}, asks: []ask{
					{query: most(shown("aistrale_credential_state"), "provider", "credential"), legend: "{{provider}} {{credential}}"},
				}},
			}},
			{"Attempts", []panel{
				{title: "By outcome", kind: stacked, unit: "ops", asks: []ask{{query: sum(rate(attempts, now), "outcome"), legend: "{{outcome}}"}}},
				{title: "By provider", kind: stacked, unit: "ops", asks: []ask{{query: sum(rate(attempts, now), "provider"), legend: "{{provider}}"}}},
				{title: "Failed", about: "The share of attempts that a provider refused, broke off or did not answer.", kind: lines, unit: "percentunit", asks: []ask{{query: attemptFailures(now, "provider"), legend: "{{provider}}"}}},
				{title: "Attempts a request", about: "Above 1: requests were tried again, went to the next target, or to two at once.", kind: lines, asks: []ask{
					{query: over(sum(rate(attempts, now)), sum(rate(shown("aistrale_overhead_seconds_count"), now))), legend: "attempts"},
				}},
			}},
			{"Speed", []panel{
				{title: "First token, p95", about: "Of streams: until their first byte.", kind: lines, unit: "s", asks: []ask{{query: quantile(0.95, shown(first+"_bucket"), now, provider), legend: "{{gen_ai_provider_name}}", exemplars: true}}},
				{title: "Duration, p95", kind: lines, unit: "s", asks: []ask{{query: quantile(0.95, shown(duration+"_bucket"), now, provider), legend: "{{gen_ai_provider_name}}", exemplars: true}}},
				{title: "First token, p95, by model", about: "The ten slowest.", kind: lines, unit: "s", asks: []ask{{query: topTen(quantile(0.95, shown(first+"_bucket"), now, provider, model)), legend: "{{gen_ai_provider_name}}/{{gen_ai_request_model}}"}}},
				{title: "A token, p95", about: "Of streams: how long each token of output took after the first.", kind: lines, unit: "s", asks: []ask{
					{query: quantile(0.95, shown("gen_ai_server_time_per_output_token_seconds_bucket"), now, provider), legend: "{{gen_ai_provider_name}}"},
				}},
			}},
		},
	}
}
