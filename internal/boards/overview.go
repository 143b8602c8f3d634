package boards

const (
	now      = "$__rate_interval" // as fine as the picture and the scrapes allow
	all      = "$__range"         // all that is shown
	duration = "gen_ai_server_request_duration_seconds"
	first    = "gen_ai_server_time_to_first_token_seconds"
	tokens   = "gen_ai_client_token_usage"
	provider = "gen_ai_provider_name"
	model    = "gen_ai_request_model"
)

// failures is the share of requests that got a 5xx.
func failures(by ...string) Query {
	of := sum(rate(shown("aistrale_requests_total"), now), by...)
	return over(either(sum(rate(shown("aistrale_requests_total", failed), now), by...), times(of, 0)), of)
}

func overviewBoard() Board {
	requests := shown("aistrale_requests_total")
	return Board{
		name: "overview", title: "Overview", about: "What is asked, how fast, what it costs and what fails.",
		rows: []row{
			{"Now", []panel{
				{title: "Gateways", about: "Gateways that answer Prometheus.", asks: []ask{{query: sum(shown("up"))}}},
				{title: "Requests", unit: "reqps", asks: []ask{{query: orZero(sum(rate(requests, now)))}}},
				{title: "Failures", about: "Requests with a status of 5xx.", unit: "percentunit", steps: []float64{objective, 0.05}, asks: []ask{{query: failures()}}},
				{title: "First token, p95", about: "Of streams: until their first byte.", unit: "s", asks: []ask{{query: quantile(0.95, shown(first+"_bucket"), now)}}},
				{title: "Cost an hour", about: "Of requests whose price is known.", unit: "currencyUSD", asks: []ask{{query: times(orZero(sum(rate(shown("aistrale_cost_usd_total"), "1h"))), 3600)}}},
				{title: "Alerts that fire", steps: []float64{1}, asks: []ask{{query: orZero(count(metric("ALERTS", is("alertstate", "firing"), like("alertname", "Aistrale.*"))))}}},
			}},
			{"Requests", []panel{
				{title: "By status", about: "499: the client left.", kind: stacked, unit: "reqps", asks: []ask{{query: sum(rate(requests, now), "status"), legend: "{{status}}"}}},
				{title: "By provider", about: "none: refused before it was anybody's.", kind: stacked, unit: "reqps", asks: []ask{{query: sum(rate(requests, now), "provider"), legend: "{{provider}}"}}},
				{title: "Duration", about: "From a request's last byte to its answer's last. A point is one request: it leads to its trace.", kind: lines, unit: "s", asks: durations(duration)},
				{title: "First token", about: "Of streams: from a request's last byte to the answer's first.", kind: lines, unit: "s", asks: durations(first)},
				{title: "What failed", about: "By the outcome that the log and the traces have too.", kind: stacked, unit: "reqps", asks: []ask{
					{query: sum(rate(shown(duration+"_count", isNot("error_type", "")), now), "error_type"), legend: "{{error_type}}"},
				}},
				{title: "The gateway's own part", about: "From a request's last byte to the first byte sent upstream.", kind: lines, unit: "s", asks: durations("aistrale_overhead_seconds")},
				{title: "Models", about: "The ten that are asked most.", kind: lines, unit: "reqps", asks: []ask{{query: topTen(sum(rate(requests, now), "model")), legend: "{{model}}"}}},
				{title: "Tokens", about: "As the providers counted them; input holds cached ones.", kind: stacked, asks: []ask{
					{query: sum(rate(shown(tokens+"_sum"), now), "gen_ai_token_type"), legend: "{{gen_ai_token_type}} a second"},
				}},
			}},
			{"Trouble", []panel{
				{title: "Alerts", about: "Those that fire; docs/runbooks has a page on each.", kind: table, height: 6, asks: []ask{
					{query: sum(metric("ALERTS", is("alertstate", "firing"), like("alertname", "Aistrale.*")), "alertname", "severity"), legend: "Firing"},
				}},
				{title: "Log", about: "Warnings and errors. A line's trace id leads to its trace.", kind: logs, logs: troubleLog},
			}},
		},
	}
}

// durations are a histogram's median and its slow ends.
func durations(histogram string) []ask {
	buckets := shown(histogram + "_bucket")
	return []ask{
		{query: quantile(0.5, buckets, now), legend: "p50", exemplars: true},
		{query: quantile(0.95, buckets, now), legend: "p95"},
		{query: quantile(0.99, buckets, now), legend: "p99"},
	}
}

// troubleLog is what the gateways logged of trouble.
const troubleLog = `{service_name="aistrale"} | detected_level=~"warn|error"`
