package boards

// recorded are the series that Prometheus makes by the rules of recordings, with their labels.
// Their names say what they are of, what is measured, and how: level:metric:operation.
var recorded = map[string][]string{
	"job:aistrale_requests:rate5m":              {"job"},
	"job:aistrale_failures:rate5m":              {"job"},
	"job:aistrale_failures:ratio5m":             {"job"},
	"job:aistrale_failures:ratio30m":            {"job"},
	"job:aistrale_failures:ratio1h":             {"job"},
	"job:aistrale_failures:ratio6h":             {"job"},
	"job:aistrale_failures:ratio3d":             {"job"},
	"job:aistrale_overhead_seconds:p99_5m":      {"job"},
	"provider:aistrale_attempts:rate5m":         {"job", "provider"},
	"provider:aistrale_attempt_failures:rate5m": {"job", "provider"},
	"provider:aistrale_first_token:p95_5m":      {"job", "gen_ai_provider_name"},
	"job:aistrale_cost_usd:rate1h":              {"job"},
}

// A recording is a rule by which Prometheus keeps a query's answer as a series.
type recording struct {
	name  string
	query Query
}

// failed are the statuses that tell a failure of the service, not of the client.
var failed = like("status", "5..")

// failedAttempts are the outcomes of an attempt that the provider failed.
var failedAttempts = like("outcome", "upstream_error|upstream_error_midstream|timeout")

func recordings() []recording {
	requests, failures := metric("job:aistrale_requests:rate5m"), metric("job:aistrale_failures:rate5m")
	attempts := metric("provider:aistrale_attempts:rate5m")
	all := []recording{
		{"job:aistrale_requests:rate5m", sum(rate(metric("aistrale_requests_total"), "5m"), "job")},
		// Where nothing failed there is a 0, not nothing.
		{"job:aistrale_failures:rate5m", either(sum(rate(metric("aistrale_requests_total", failed), "5m"), "job"), times(requests, 0))},
		{"job:aistrale_failures:ratio5m", over(failures, requests)},
		{"job:aistrale_overhead_seconds:p99_5m", quantile(0.99, metric("aistrale_overhead_seconds_bucket"), "5m", "job")},
		{"provider:aistrale_attempts:rate5m", sum(rate(metric("aistrale_upstream_attempts_total"), "5m"), "job", "provider")},
		{"provider:aistrale_attempt_failures:rate5m", either(sum(rate(metric("aistrale_upstream_attempts_total", failedAttempts), "5m"), "job", "provider"), times(attempts, 0))},
		{"provider:aistrale_first_token:p95_5m", quantile(0.95, metric("gen_ai_server_time_to_first_token_seconds_bucket"), "5m", "job", "gen_ai_provider_name")},
		{"job:aistrale_cost_usd:rate1h", sum(rate(metric("aistrale_cost_usd_total"), "1h"), "job")},
	}
	// Long windows are means of what is recorded: single requests over days would cost too much.
	for _, window := range []string{"30m", "1h", "6h", "3d"} {
		all = append(all, recording{"job:aistrale_failures:ratio" + window, over(averageOf(failures, window), averageOf(requests, window))})
	}
	return all
}
