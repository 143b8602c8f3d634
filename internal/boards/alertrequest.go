package boards

// objective is the share of requests that may fail: one in two hundred, over thirty days. An
// alert of a burn rate fires where that budget would be gone in a part of them.
const objective = 0.005

// burns tells that failures burn the budget so many times too fast, in a long window and still in
// a short one, and that they are more than a few.
func burns(times float64, long, short string) Query {
	many := func(window string) Query {
		return above(metric("job:aistrale_failures:ratio"+window), times*objective)
	}
	few := above(sum(increase(metric("aistrale_requests_total", failed), long), "job"), 5)
	return both(both(many(short), many(long)), few)
}

func requestAlerts() []Alert {
	return []Alert{
		{
			Name: "AistraleErrorsFast", Severity: critical, For: "2m", Query: burns(14.4, "1h", "5m"),
			Summary:     "{{ $value | humanizePercentage }} of requests fail",
			Description: "At this rate two hours use up the failures of a month that may fail (0.5 % of requests with a status of 5xx).",
		},
		{
			Name: "AistraleErrorsSlow", Severity: warning, For: "15m", Query: burns(6, "6h", "30m"),
			Summary:     "{{ $value | humanizePercentage }} of requests fail, for hours",
			Description: "At this rate five days use up the failures of a month that may fail (0.5 % of requests with a status of 5xx).",
		},
		{
			Name: "AistralePanics", Severity: critical,
			Query:       grew(metric("aistrale_panics_total"), "15m"),
			Summary:     "{{ $labels.instance }} met a defect of its own",
			Description: "The gateway caught a panic and answered 500. The log has its place in the code, under the message panic.",
		},
		{
			Name: "AistraleOverheadHigh", Severity: warning, For: "10m",
			Query:       above(metric("job:aistrale_overhead_seconds:p99_5m"), 0.025),
			Summary:     "The gateway itself takes {{ $value | humanizeDuration }} of a request",
			Description: "One request in a hundred waits longer than 25 ms in the gateway before it is sent. Waits in the queue of limits are among it.",
		},
		{
			Name: "AistraleUnpriced", Severity: info, For: "15m",
			Query:       sum(grew(metric("aistrale_unpriced_requests_total"), "1h"), "job"),
			Summary:     "Requests are served whose price is unknown",
			Description: "{{ $value | humanize }} requests of the last hour have no cost. Sums of costs and budgets of money leave them out.",
		},
	}
}
